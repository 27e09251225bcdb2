package copy

import (
	"context"
	"io"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/fingerprint"
)

// Rows is one result set, unbuffered. Small rows are parsed in place; a row too
// large for the reader's buffer is walked field by field.
type Rows interface {
	// Next returns the fields of the next row: nil for NULL, not nil for an
	// empty value. They are valid until the next call. When large is true,
	// fields is nil and the row must be read with NextField and Read. After the
	// last row the error is [io.EOF].
	Next() (fields [][]byte, large bool, err error)
	// NextField goes to the next field of a large row and tells its size in
	// bytes. Whatever was not read of the field before is skipped. After the last
	// field the error is [io.EOF].
	NextField() (size int64, null bool, err error)
	// Read reads bytes of the current field of a large row; [io.EOF] at its end.
	Read(p []byte) (int, error)
	// Close ends the result set, read to its end or not. When it returns nil
	// the source can be asked again.
	Close() error
}

// Source runs queries, one at a time.
type Source interface {
	Query(ctx context.Context, query string) (Rows, error)
}

// Target runs one COPY ... FROM STDIN with the bytes of r and returns the
// number of rows that PostgreSQL stored. An error of the server is or wraps a
// *pgconn.PgError. When r fails, CopyFrom fails, and nothing is stored.
type Target interface {
	CopyFrom(ctx context.Context, copySQL string, r io.Reader) (rows int64, err error)
}

// Column is one column of a [Job].
type Column struct {
	// Source and Target are the column's names at both ends, unquoted.
	Source, Target string
	Rule           convert.ValueRule
	// Key marks the columns by which errors name a row: those of the primary key.
	Key bool
}

// Job is the copying of one table, or of one part of it.
type Job struct {
	// Table is the name for messages, that of the target's table.
	Table string
	// Query selects Columns in their order.
	Query string
	// CopySQL is COPY table (columns) FROM STDIN (FORMAT binary), the columns in the same order.
	CopySQL string
	Columns []Column
	// KeyOrdered says that Query orders rows by the key, so that running it
	// again on the same snapshot gives the same rows in the same order. Without
	// it, a row that PostgreSQL refuses is named only when the fault is found in its values.
	KeyOrdered bool
	// Policy says what happens to values that the target cannot hold.
	Policy Policy
	// Repair is what an earlier attempt has learned, by [RetryError]; nil at the first.
	Repair *Repair
}

// Fingerprint says how the columns are summed up, so that what is read back from
// PostgreSQL has the same sum as what was sent.
func (job Job) Fingerprint() []fingerprint.Column {
	columns := make([]fingerprint.Column, len(job.Columns))
	for i := range job.Columns {
		columns[i].Canon = job.Columns[i].Rule.Canon()
	}
	return columns
}

// Options tune [Table] and [Encode]. The zero value means our own choice.
type Options struct {
	// Buffer is the size of one buffer in bytes; 0 means 256 KiB, at which
	// throughput was measured to be flat.
	Buffer int
	// Buffers is how many there are; 0 means 4. Buffer times Buffers is what a
	// copy holds, besides the reader's own buffer.
	Buffers int
	// Progress, when set, is told the rows and bytes sent so far, after each
	// buffer but not more often than every fifth of a second, and once at the end.
	// It is called from a goroutine of Table's, never after Table has returned.
	Progress func(rows, bytes int64)
	// Unsummed has Table leave the fingerprint out: Result.Sum is zero then.
	Unsummed bool
}

// Result is what was copied.
type Result struct {
	// Rows is the number of rows that PostgreSQL stored.
	Rows int64
	// Bytes is the number of bytes sent to PostgreSQL.
	Bytes int64
	// Sum is the fingerprint of the rows as they were sent, in the columns of
	// [Job.Fingerprint]; zero with [Options.Unsummed].
	Sum fingerprint.Sum
	// Touched lists what [Policy] did; nil when it did nothing. It must be closed.
	Touched *Touched
}
