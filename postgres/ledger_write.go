package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/moodledb/moodledb/fingerprint"
)

// Transact runs f between BEGIN and COMMIT, or ROLLBACK when it fails. When the
// connection is lost while it commits, nobody knows whether it did: only the
// ledger tells.
func (c *Conn) Transact(ctx context.Context, f func() error) error {
	if err := c.Exec(ctx, "BEGIN"); err != nil {
		return err
	}
	err := f()
	if err == nil {
		return c.Exec(ctx, "COMMIT")
	}
	if !c.conn.IsClosed() {
		// A session that cannot even roll back is closed when it is released.
		_ = c.Exec(context.WithoutCancel(ctx), "ROLLBACK")
	}
	return err
}

// Attempt runs f in the transaction that is open. When f fails, or is stopped, the
// transaction is as it was before, unless the session is lost.
func (c *Conn) Attempt(ctx context.Context, f func() error) error {
	if err := c.Exec(ctx, "SAVEPOINT moodledb_attempt"); err != nil {
		return err
	}
	err := f()
	if c.Lost() {
		return err
	}
	end := "RELEASE SAVEPOINT moodledb_attempt"
	if err != nil {
		end = "ROLLBACK TO SAVEPOINT moodledb_attempt; " + end
	}
	if endErr := c.Exec(context.WithoutCancel(ctx), end); err == nil {
		err = endErr
	}
	return err
}

// Lost reports whether the session cannot be used any more.
func (c *Conn) Lost() bool { return c.conn == nil || c.conn.IsClosed() }

// Script runs statements, which form one transaction unless one is open, and
// returns the first value of each result that has one. The error of a statement
// is a [*ScriptError].
func (c *Conn) Script(ctx context.Context, statements []string) ([]string, error) {
	results, err := c.conn.PgConn().Exec(ctx, Batch(statements)).ReadAll()
	var values []string
	ran := 0
	for _, r := range results {
		if r.Err == nil {
			ran++
		}
		if v, ok := firstValue(r); ok {
			values = append(values, v)
		}
	}
	if err != nil {
		return nil, &ScriptError{Index: min(ran, len(statements)-1), Err: ended(ctx, c.conn, canceled(ctx, err))}
	}
	return values, nil
}

// ScriptError is the error of one statement of a script.
type ScriptError struct {
	// Index is the place of the statement, from 0.
	Index int
	Err   error
}

// Error is that of the statement.
func (e *ScriptError) Error() string { return e.Err.Error() }

// Unwrap returns what the server said.
func (e *ScriptError) Unwrap() error { return e.Err }

func firstValue(r *pgconn.Result) (string, bool) {
	if len(r.Rows) == 0 || len(r.Rows[0]) == 0 {
		return "", false
	}
	return string(r.Rows[0][0]), true
}

// CommitDurably is a statement that makes the open transaction wait for the
// disk when it commits, which those of a load session do not.
const CommitDurably = "SET LOCAL synchronous_commit = on"

// CommitsDurably is a statement that makes all commits of the session wait for
// the disk from now on: what was committed before is safe with them.
const CommitsDurably = "SET synchronous_commit = on"

// Copied is what a copy has brought into the target.
type Copied struct {
	Rows     int64
	Bytes    int64
	Elapsed  time.Duration
	Changed  int64
	Rejected int64
	// Sum is the fingerprint of the rows as they were sent.
	Sum fingerprint.Sum
}

// ChunkDone records, in the open transaction, that a part of a table is copied.
// The last one of a table makes the table copied.
func (c *Conn) ChunkDone(ctx context.Context, id int64, done Copied) error {
	const update = `
UPDATE moodledb.run_chunk
SET done = true, copied_rows = $2, copied_bytes = $3, copy_seconds = $4, changed_values = $5, rejected_rows = $6, sum = $7
WHERE id = $1 AND NOT done`
	tag, err := c.conn.Exec(ctx, update, id, done.Rows, done.Bytes, done.Elapsed.Seconds(), done.Changed, done.Rejected, done.Sum.String())
	err = ended(ctx, c.conn, canceled(ctx, err))
	if err == nil && tag.RowsAffected() != 1 {
		err = errors.New("another run has copied it, or divided it")
	}
	return stepError(err, "record chunk %d", id)
}

// RecordCopied is a statement that records that all rows of a table are copied.
func RecordCopied(run int64, table string, done Copied) string {
	return fmt.Sprintf(`UPDATE moodledb.run_table
SET state = 'copied', copied_rows = %d, copied_bytes = %d, copy_seconds = %s, changed_values = %d, rejected_rows = %d, sum = '%s'
WHERE run = %d AND table_name = %s AND state = 'waiting'`,
		done.Rows, done.Bytes, number(done.Elapsed), done.Changed, done.Rejected, done.Sum, run, QuoteLiteral(table))
}

// RecordChunksCopied is a statement that records that a table whose parts are
// all copied is copied itself, and the sum of their sums; it does nothing while a part is missing.
func RecordChunksCopied(run int64, table string, sum fingerprint.Sum) string {
	name := QuoteLiteral(table)
	return fmt.Sprintf(`UPDATE moodledb.run_table t
SET state = 'copied', copied_rows = c.copied, copied_bytes = c.bytes, copy_seconds = c.took, changed_values = c.changed, rejected_rows = c.rejected, sum = '%s'
FROM (SELECT bool_and(done) AS all_done, sum(copied_rows)::bigint AS copied, sum(copied_bytes)::bigint AS bytes, sum(copy_seconds) AS took,
             sum(changed_values)::bigint AS changed, sum(rejected_rows)::bigint AS rejected
      FROM moodledb.run_chunk WHERE run = %d AND table_name = %s) c
WHERE t.run = %d AND t.table_name = %s AND t.state = 'waiting' AND c.all_done`, sum, run, name, run, name)
}

// RecordDone is a statement that records that a table is complete.
func RecordDone(run int64, table string, next int64) string {
	return fmt.Sprintf("UPDATE moodledb.run_table SET state = 'done', next_value = %d WHERE run = %d AND table_name = %s",
		next, run, QuoteLiteral(table))
}

// Verified is a table that was read back, and has the sum of what was sent.
type Verified struct {
	Table string
	// Elapsed is how long sessions took for it.
	Elapsed time.Duration
}

// RecordVerified is a statement that records that complete tables are verified.
func RecordVerified(run int64, tables []Verified) string {
	values := make([]string, len(tables))
	for i, t := range tables {
		values[i] = "(" + QuoteLiteral(t.Table) + ", " + number(t.Elapsed) + ")"
	}
	return fmt.Sprintf(`UPDATE moodledb.run_table t
SET state = 'verified', verify_seconds = v.took
FROM (VALUES %s) v (name, took)
WHERE t.run = %d AND t.table_name = v.name AND t.state = 'done'`, strings.Join(values, ", "), run)
}

// RecordBuild is a statement that records that a key, an index or a constraint
// is built. Together with what builds it, in one script, it is one transaction.
func RecordBuild(run int64, table, name string) string {
	return fmt.Sprintf(`INSERT INTO moodledb.run_build (run, table_name, name, seconds)
VALUES (%d, %s, %s, extract(epoch FROM clock_timestamp() - now()))`, run, QuoteLiteral(table), QuoteLiteral(name))
}

func number(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 6, 64) }

// The statements that store what a policy did to values, in the columns of
// package copy's streams.
const (
	CopyValueChanges = "COPY moodledb.value_change (run, table_name, row_key, column_name, kind, rule, before_value, after_value) FROM STDIN (FORMAT binary)"
	CopyRejectedRows = "COPY moodledb.rejected_row (run, table_name, row_key, column_name, kind, reason, columns, row_values) FROM STDIN (FORMAT binary)"
)

// RestartStatement is a statement that sets the sequence that feeds a column so that its
// next value is greater than every value of the column and not below atLeast,
// and returns that value: see [Conn.RestartSequence].
func RestartStatement(schemaName, table, column, sequence string, atLeast uint64) string {
	name := QuoteLiteral(qualify(schemaName, sequence))
	return strings.Join([]string{
		"SELECT pg_catalog.setval(s.seqrelid, least(n.next, s.seqmax)::bigint, n.next > s.seqmax)",
		"FROM pg_catalog.pg_sequence s, LATERAL (SELECT greatest(s.seqmin::numeric, " + strconv.FormatUint(atLeast, 10) +
			"::numeric, (SELECT max(" + QuoteIdent(column) + ")::numeric + 1 FROM " + qualify(schemaName, table) + ")) AS next) n",
		"WHERE s.seqrelid = " + name + "::pg_catalog.regclass",
	}, "\n")
}
