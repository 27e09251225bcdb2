package recheck

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	driver "github.com/go-sql-driver/mysql"

	"github.com/moodledb/moodledb/copy"
	"github.com/moodledb/moodledb/fingerprint"
	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/schema"
)

// defaultMaxRow is what Options.MaxRow means by zero. The driver makes a buffer for each large
// row, and we one for what becomes of it; some eight times the size was measured, garbage included.
const defaultMaxRow = 4 << 20

// wholeBytes is the size up to which an undivided table is read again as a whole.
const wholeBytes = 16 << 20

// Options tune [Table]. The zero value means our own choice.
type Options struct {
	// MaxRow is the size of the largest row that is read again, in bytes; 0 means 4 MiB. Rows of
	// that size may take eight times as much memory.
	MaxRow int64
	// Memory bounds what the search for rows that differ holds, in bytes; 0 means 16 MiB.
	Memory int64
}

// withDefaults replaces zeros.
func (o Options) withDefaults() Options {
	if o.MaxRow <= 0 {
		o.MaxRow = defaultMaxRow
	}
	if o.Memory <= 0 {
		o.Memory = 16 << 20
	}
	return o
}

// Copied is a table that was copied.
type Copied struct {
	Source *schema.Table
	Target *schema.Table
	// Job is that of the copy. Its Query and CopySQL are not used.
	Job copy.Job
}

// Rows are the rows of a table that are read again.
type Rows struct {
	// Selection is what they were copied by: that of a chunk, or of the whole table.
	Selection mysql.Selection
	// First is how many of them are read at most, in the selection's order; 0 for all. See [First].
	First int64
	// Sum is the fingerprint of all of Selection as it was sent; nil when it is not known.
	Sum *fingerprint.Sum
	// Touched says that a policy has changed some of them, or set some aside, so that Sum is not that
	// of the source's rows. Those are then left out on both sides.
	Touched bool
}

// First returns [Rows.First] for an undivided table of that many rows and bytes,
// which are estimates: 0 where it is small enough to be read as a whole.
func First(rows, bytes int64) int64 {
	if bytes <= wholeBytes {
		return 0
	}
	const least = 1000
	return max(least, wholeBytes/max(bytes/max(rows, 1), 1))
}

// Against is what rows were compared with.
type Against string

// What rows are compared with.
const (
	// Sent: with the fingerprint of what was sent.
	Sent Against = "sent"
	// Encoded: with what the reader and the encoders of the copy make of them when they read them once more.
	Encoded Against = "encoded"
)

// LeftOut is a column that was not read again.
type LeftOut struct {
	Column string
	Reason string
}

// Result is what was read again, and found to be equal.
type Result struct {
	Table string
	// Rows and Bytes are what was encoded by the second way.
	Rows, Bytes int64
	Against     Against
	// LeftOut are columns without a second way.
	LeftOut []LeftOut
	// Large is the number of rows that were left out because they are larger than [Options].MaxRow.
	Large int64
	// Aside is the number of rows that were left out because a policy deals with their values.
	Aside int64
	// Skipped says why nothing was read again; empty when something was.
	Skipped string
}

// Table reads rows of a table again by check, a session of the same moment as
// that in which main reads, and compares them with what was sent, or, where its
// fingerprint is not known or not that of the source's rows, with what
// the copy's own way makes of them. main is asked only then, and to find the rows that differ.
//
// Rows that differ are a [*MismatchError]. All other errors mean that it could not be told.
func Table(ctx context.Context, check Queryer, main copy.Source, t *Copied, rows Rows, o Options) (Result, error) {
	c := &comparison{check: check, main: main, table: t, rows: rows, o: o.withDefaults()}
	c.result.Table = t.Job.Table
	if engine := t.Source.StorageEngine; engine != "" && !strings.EqualFold(engine, "InnoDB") {
		c.result.Skipped = "its storage engine " + engine + " has no transactions, so that another session does not see the moment at which it was copied"
		return c.result, nil
	}
	if err := c.plan(); err != nil {
		return c.result, fmt.Errorf("read table %q again: %w", t.Job.Table, err)
	}
	if len(c.columns) == 0 {
		c.result.Skipped = "none of its columns can be read by a second way"
		return c.result, nil
	}
	err := c.run(ctx)
	var mismatch *MismatchError
	var server *driver.MySQLError
	switch {
	case err == nil, errors.As(err, &mismatch):
		return c.result, err
	case errors.As(err, &server) && server.Number == 1461: // ER_MAX_PREPARED_STMT_COUNT_REACHED
		c.result = Result{Table: t.Job.Table, Skipped: "the server takes no further prepared statement (max_prepared_stmt_count)"}
		return c.result, nil
	}
	return c.result, fmt.Errorf("read table %q again: %w", t.Job.Table, err)
}

// comparison is one call of [Table].
type comparison struct {
	check Queryer
	main  copy.Source
	table *Copied
	rows  Rows
	o     Options

	// columns are those that are read again; job copies only them.
	columns []Column
	job     copy.Job
	// small is the predicate of rows that are not too large; empty when none can be.
	small  string
	result Result
}

// plan sorts out the columns.
func (c *comparison) plan() error {
	c.job = c.table.Job
	c.job.Columns = nil
	targets := map[string]bool{}
	for _, j := range c.table.Job.Columns {
		src, dst := c.table.Source.Column(j.Source), c.table.Target.Column(j.Target)
		if src == nil || dst == nil {
			return fmt.Errorf("the job's column %q is not in both schemas", j.Source)
		}
		// A wrong pair is read, sent and read back alike: only the names can show it.
		if !strings.EqualFold(j.Source, j.Target) || targets[j.Target] {
			return fmt.Errorf("column %q was copied into %q: columns go together by name, and each once; do not rely on what was copied into this table, and report it as a fault of moodledb",
				j.Source, j.Target)
		}
		targets[j.Target] = true
		if reason := Reason(*src, *dst); reason != "" {
			c.result.LeftOut = append(c.result.LeftOut, LeftOut{j.Source, reason})
			continue
		}
		c.columns = append(c.columns, Column{Source: *src, Target: *dst, Key: j.Key})
		c.job.Columns = append(c.job.Columns, j)
	}
	c.small = smallRows(c.columns, c.o.MaxRow)
	return nil
}

// exact reports whether the fingerprint of what was sent is that of the rows to be read again.
func (c *comparison) exact() bool {
	return c.rows.Sum != nil && !c.rows.Touched && c.rows.First == 0 && len(c.result.LeftOut) == 0
}

// run compares with what was sent, or with what the copy's way encodes.
func (c *comparison) run(ctx context.Context) error {
	if c.exact() {
		return c.withSent(ctx)
	}
	return c.withEncoded(ctx)
}

// withSent compares with the fingerprint of what was sent.
func (c *comparison) withSent(ctx context.Context) error {
	s := fingerprint.NewStream(prints(c.columns))
	want := *c.rows.Sum
	c.result.Against = Sent
	err := c.reading(false).writeTo(ctx, s)
	c.result.Rows, c.result.Bytes = s.Sum().Rows, s.Bytes()
	switch {
	case err == nil && s.Sum() == want:
		return nil
	case isRefused(err):
		return c.mismatch(err, nil)
	case err != nil:
		return err
	}
	if c.small != "" && s.Sum().Rows < want.Rows {
		large, err := c.count(ctx)
		if err != nil {
			return err
		}
		if s.Sum().Rows+large == want.Rows {
			c.result.Large = large
			return c.withEncoded(ctx)
		}
	}
	found, err := c.compare(ctx)
	if err != nil {
		return err
	}
	m := c.mismatch(nil, found)
	m.Sent, m.Again = want, s.Sum()
	return m
}

// withEncoded compares with what the copy's reader and encoders make of the same rows.
func (c *comparison) withEncoded(ctx context.Context) error {
	c.result.Against = Encoded
	found, err := c.compare(ctx)
	switch {
	case isRefused(err):
		return c.mismatch(err, nil)
	case err != nil:
		return err
	case len(found.Differences) > 0 && c.rows.First > 0 && len(c.rows.Selection.OrderBy) == 0:
		// Without an order the two may have read other rows of the table: so read all.
		c.rows.First = 0
		return c.run(ctx)
	case found.Expected != found.Found:
		m := c.mismatch(nil, found)
		m.Sent, m.Again = found.Expected, found.Found
		return m
	}
	c.result.Rows, c.result.Bytes = found.Found.Rows, found.Bytes
	if c.small != "" && c.result.Large == 0 {
		c.result.Large, err = c.count(ctx)
	}
	return err
}

// isRefused reports whether the second way has no form for a value.
func isRefused(err error) bool {
	var refused *RefusedError
	return errors.As(err, &refused)
}

// selection is that of the rows that are read.
func (c *comparison) selection() mysql.Selection {
	s := c.rows.Selection
	switch {
	case c.small != "" && s.Where != "":
		s.Where = "(" + s.Where + ") AND " + c.small
	case c.small != "":
		s.Where = c.small
	}
	return s
}

// selected reads expressions of the rows.
func (c *comparison) selected(expressions []string) string {
	query := mysql.Select(c.table.Source.Name, expressions, c.selection())
	if c.rows.First > 0 {
		query += fmt.Sprintf(" LIMIT %d", c.rows.First)
	}
	return query
}

// reading is the second way.
func (c *comparison) reading(lenient bool) *reading {
	plain := make([]string, len(c.columns))
	for i, col := range c.columns {
		plain[i] = mysql.QuoteIdent(col.Source.Name)
	}
	return &reading{conn: c.check, query: c.selected(plain), table: c.table.Job.Table, columns: c.columns, lenient: lenient}
}

// mainJob is the copy's way.
func (c *comparison) mainJob() copy.Job {
	job := c.job
	expressions := make([]string, len(job.Columns))
	for i, col := range job.Columns {
		expressions[i] = col.Rule.Expression(mysql.QuoteIdent(col.Source))
	}
	job.Query = c.selected(expressions)
	return job
}

// count counts the rows that are too large; where only the first ones are read, among so many of them.
func (c *comparison) count(ctx context.Context) (int64, error) {
	s := c.rows.Selection
	limit := ""
	if c.rows.First > 0 {
		limit = fmt.Sprintf(" LIMIT %d", c.rows.First)
	} else {
		s.OrderBy = nil
	}
	rows, err := c.main.Query(ctx, "SELECT COUNT(*) FROM ("+mysql.Select(c.table.Source.Name, []string{c.small + " AS small"}, s)+limit+") AS x WHERE NOT small")
	if err != nil {
		return 0, err
	}
	var n int64
	fields, _, err := rows.Next()
	if err == nil && len(fields) == 1 {
		_, err = fmt.Sscan(string(fields[0]), &n)
	}
	return n, errors.Join(err, rows.Close())
}

// smallRows is a predicate that leaves rows of more than limit bytes out; empty when there can be none.
func smallRows(columns []Column, limit int64) string {
	// Text grows where the column's character set has shorter characters than UTF-8.
	const growth = 4
	var most int64
	var lengths []string
	for _, col := range columns {
		size := col.Source.Type.Length
		if slices.Contains([]kind{textKind, binaryKind, jsonKind, geometryKind}, kinds()[col.Source.Type.Name]) {
			size = max(size, longest(col.Source.Type.Name))
			lengths = append(lengths, "COALESCE(LENGTH("+mysql.QuoteIdent(col.Source.Name)+"), 0)")
		}
		most += growth * min(size, 1<<32)
	}
	if most <= limit || len(lengths) == 0 {
		return ""
	}
	return fmt.Sprintf("(%s <= %d)", strings.Join(lengths, " + "), limit)
}

// longest is the number of bytes of the longest value of a type that says none itself.
func longest(name string) int64 {
	switch {
	case strings.HasPrefix(name, "tiny"):
		return 1<<8 - 1
	case strings.HasPrefix(name, "medium"):
		return 1<<24 - 1
	case slices.Contains([]string{"text", "blob", "enum", "set", "vector"}, name):
		return 1<<16 - 1
	case slices.Contains([]string{"char", "varchar", "binary", "varbinary"}, name):
		return 0
	}
	return 1<<32 - 1 // longtext, longblob, json, geometries
}
