// Package copy moves the rows of one table from a source's result set into a
// PostgreSQL COPY.
//
// One goroutine decodes rows in place and encodes them as COPY BINARY into
// buffers of fixed size; another feeds these to the target. Memory is bounded
// by the buffers, whatever the size of rows and tables, and no memory is
// allocated per row. When a value cannot be carried over, by our own rules or
// by PostgreSQL's, the error names table, column, key and row.
//
// A [Policy] can have such values fixed, or their rows set aside, and then
// [Touched] lists every value and row that it touched. What PostgreSQL refuses
// costs another attempt: see [RetryError].
//
// The package opens no connection, makes no SQL and decides nothing about
// tables: the order of tables, their number at once and everything around the
// rows belong to the caller.
//
// The package's name hides the builtin copy in files that import it.
package copy
