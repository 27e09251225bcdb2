// Package recheck reads rows of the source a second time by another way than
// the copy, and compares what it encodes with what the copy has sent.
//
// A migration's rows go through a reader and encoders of our own. What PostgreSQL
// gives back can only show that it stored what it was sent: were a value decoded and encoded wrongly, both would
// agree. So a sample of every table goes another way. Rows come through
// go-sql-driver/mysql in the binary protocol of prepared statements, from plain columns and not
// from the expressions of the rules; pgx encodes their values. Nothing is shared with the copy but
// the fingerprint, and the one form of the two types of which equal values can have different bytes.
//
// It writes nothing, opens no connection, and does not choose the sample.
package recheck
