// Package verify compares the rows of two databases, table by table.
//
// Both sides hand over rows in one form, that of PostgreSQL's COPY ... (FORMAT
// binary); where they come from is the caller's business. Parts of a table are
// compared by their fingerprints: a sum that depends on no order, and a count.
// A part that differs is read again, and again, until the rows and the columns
// that differ are known: rows of one side only, and rows with the same key and other
// values. Tables without a key are compared as collections of rows.
//
// "Different" and "could not tell" never share a value: see [State]. Memory is
// bounded by bytes, whatever the size of tables and rows.
//
// The package makes no SQL and opens no connection.
package verify
