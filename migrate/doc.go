// Package migrate plans a whole migration from MySQL or MariaDB to PostgreSQL
// and runs it.
//
// [Make] looks at both servers and at the declared schema and returns a
// [Plan], a plain value that says everything that would be done; it writes
// nothing. [Run] carries a plan out: it creates the tables, copies the rows
// with several readers at once, builds keys and indexes while other tables
// are still being copied, sets sequences and owners, and publishes the result.
//
// The package holds no SQL of its own and no loop over rows: the dialects
// (mysql, postgres) make the statements, package copy moves the rows, and
// package ownership hands the result over. It prints nothing; what happens is
// told through [Event] values.
package migrate
