//go:build integration

package copy_test

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/copy"
	"github.com/moodledb/moodledb/dsn"
	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/schema"
)

func TestMain(m *testing.M) { testdb.Main(m) }

// ends are a source and a target, each with a fresh database.
type ends struct {
	source, target       *testdb.Server
	sourceURL, targetURL string
	my                   *mysql.DB
	pg                   *postgres.DB
}

// parse reads the URL of a test database, with nothing from the environment.
func parse(t testing.TB, url string) dsn.DSN {
	t.Helper()
	d, err := dsn.Parse(url, dsn.Options{Getenv: func(string) string { return "" }, Home: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// connect opens both ends.
func connect(t testing.TB, source, target string) *ends {
	t.Helper()
	e := &ends{source: testdb.Get(t, source), target: testdb.Get(t, target)}
	e.sourceURL, e.targetURL = e.source.Database(t), e.target.Database(t)
	var err error
	if e.my, err = mysql.Open(t.Context(), parse(t, e.sourceURL)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.my.Close() })
	if e.pg, err = postgres.Open(t.Context(), parse(t, e.targetURL)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.pg.Close)
	return e
}

// eachPair runs a test with every source into the first target, and with the
// first source into every other target.
func eachPair(t *testing.T, test func(t *testing.T, e *ends)) {
	sources, targets := testdb.Sources(), testdb.Targets()
	for i, source := range sources {
		for j, target := range targets {
			if i > 0 && j > 0 {
				continue
			}
			t.Run(source+" to "+target, func(t *testing.T) { test(t, connect(t, source, target)) })
		}
	}
}

// eachSource runs a test with every source into the first target.
func eachSource(t *testing.T, test func(t *testing.T, e *ends)) {
	for _, source := range testdb.Sources() {
		t.Run(source, func(t *testing.T) { test(t, connect(t, source, testdb.Targets()[0])) })
	}
}

// reader adapts a reader to copy.Source, as migrate does.
type reader struct{ *mysql.Reader }

func (r reader) Query(ctx context.Context, query string) (copy.Rows, error) {
	rows, err := r.Reader.Query(ctx, query)
	if err != nil {
		return nil, err
	}
	return rows, nil
}

// newReader opens the source of a copy.
func (e *ends) newReader(t testing.TB) reader {
	t.Helper()
	s, err := e.my.Snapshot(t.Context(), mysql.SnapshotOptions{Readers: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return reader{s.Readers[0]}
}

// newTarget takes the target of a copy.
func (e *ends) newTarget(t testing.TB) *postgres.Conn {
	t.Helper()
	c, err := e.pg.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Release)
	return c
}

// job makes the job of a table that exists at both ends, from what both servers say of it.
func (e *ends) job(t testing.TB, table string) copy.Job {
	t.Helper()
	from, err := e.my.Inspect(t.Context(), mysql.InspectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	to, err := e.pg.Inspect(t.Context(), "public")
	if err != nil {
		t.Fatal(err)
	}
	src, dst := from.Table(table), to.Table(table)
	if src == nil || dst == nil {
		t.Fatalf("table %q is not at both ends", table)
	}
	return newJob(t, src, dst)
}

// newJob makes the job of a table.
func newJob(t testing.TB, src, dst *schema.Table) copy.Job {
	t.Helper()
	job := copy.Job{Table: dst.Name}
	var key []string
	if pk := src.PrimaryKey(); pk != nil {
		key, job.KeyOrdered = pk.Columns(), true
	}
	var selected, names []string
	for _, d := range dst.Columns {
		s := src.Column(d.Name)
		if s == nil {
			t.Fatalf("no column %q in the source", d.Name)
		}
		rule, err := convert.Value(*s, d)
		if err != nil {
			t.Fatal(err)
		}
		job.Columns = append(job.Columns, copy.Column{Source: s.Name, Target: d.Name, Rule: rule, Key: slices.Contains(key, s.Name)})
		selected = append(selected, rule.Expression(mysql.QuoteIdent(s.Name)))
		names = append(names, d.Name)
	}
	job.Query = mysql.Select(src.Name, selected, mysql.Selection{OrderBy: key})
	job.CopySQL = postgres.CopyStatement("public", dst.Name, names)
	return job
}

// copyTable copies a table between the ends.
func (e *ends) copyTable(t testing.TB, table string) (copy.Result, error) {
	t.Helper()
	return copy.Table(t.Context(), e.newReader(t), e.newTarget(t), e.job(t, table), copy.Options{})
}

// text reads the single value of a query of the target; NULL is "<null>".
func text(t testing.TB, db *sql.DB, query string) string {
	t.Helper()
	var v sql.NullString
	if err := db.QueryRowContext(t.Context(), query).Scan(&v); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	if !v.Valid {
		return "<null>"
	}
	return v.String
}

// driverSource is the reference: the rows of database/sql with
// go-sql-driver/mysql, whose code is another than ours from the socket on.
type driverSource struct{ db *sql.DB }

func (s driverSource) Query(ctx context.Context, query string) (copy.Rows, error) {
	rows, err := s.db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	r := &driverRows{rows: rows, raw: make([]sql.RawBytes, len(names)), fields: make([][]byte, len(names)), scan: make([]any, len(names))}
	for i := range r.raw {
		r.scan[i] = &r.raw[i]
	}
	return r, nil
}

// driverRows are the rows of a driverSource; none is ever large.
type driverRows struct {
	rows   *sql.Rows
	raw    []sql.RawBytes
	fields [][]byte
	scan   []any
}

func (r *driverRows) Next() ([][]byte, bool, error) {
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return nil, false, err
		}
		return nil, false, io.EOF
	}
	if err := r.rows.Scan(r.scan...); err != nil {
		return nil, false, err
	}
	for i, raw := range r.raw {
		r.fields[i] = raw
	}
	return r.fields, false, nil
}

func (r *driverRows) NextField() (int64, bool, error) { return 0, false, io.EOF }
func (r *driverRows) Read([]byte) (int, error)        { return 0, io.EOF }
func (r *driverRows) Close() error                    { return r.rows.Close() }

// name makes the name of the i-th column.
func name(i int) string { return fmt.Sprintf("c%d", i) }
