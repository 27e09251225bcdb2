//go:build integration

package recheck_test

import (
	"context"
	"slices"
	"testing"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/copy"
	"github.com/moodledb/moodledb/dsn"
	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/recheck"
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

// eachSource runs a test with every source, and the first target.
func eachSource(t *testing.T, test func(t *testing.T, e *ends)) {
	for _, name := range testdb.Sources() {
		t.Run(name, func(t *testing.T) {
			e := &ends{source: testdb.Get(t, name), target: testdb.Get(t, testdb.Targets()[0])}
			e.open(t)
			test(t, e)
		})
	}
}

// open opens a fresh database at each end.
func (e *ends) open(t testing.TB) {
	t.Helper()
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

// moment is a snapshot of the source with what reads a table again.
type moment struct {
	*ends
	snapshot *mysql.Snapshot
}

// moment opens a snapshot with a session that checks.
func (e *ends) moment(t testing.TB) *moment {
	t.Helper()
	s, err := e.my.Snapshot(t.Context(), mysql.SnapshotOptions{Readers: 1, Check: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if s.Check == nil {
		t.Fatal(s.NoCheck)
	}
	return &moment{e, s}
}

// table makes the job of a table that exists at both ends, and the selection of all of its rows.
func (e *ends) table(t testing.TB, name string) (*recheck.Copied, mysql.Selection) {
	t.Helper()
	from, err := e.my.Inspect(t.Context(), mysql.InspectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	to, err := e.pg.Inspect(t.Context(), "public")
	if err != nil {
		t.Fatal(err)
	}
	src, dst := from.Table(name), to.Table(name)
	if src == nil || dst == nil {
		t.Fatalf("table %q is not at both ends", name)
	}
	var all mysql.Selection
	job := copy.Job{Table: name}
	if pk := src.PrimaryKey(); pk != nil {
		all.OrderBy, job.KeyOrdered = pk.Columns(), true
	}
	var names []string
	for _, d := range dst.Columns {
		s := src.Column(d.Name)
		if s == nil {
			t.Fatalf("no column %q in the source", d.Name)
		}
		rule, err := convert.Value(*s, d)
		if err != nil {
			t.Fatal(err)
		}
		job.Columns = append(job.Columns, copy.Column{Source: s.Name, Target: d.Name, Rule: rule, Key: slices.Contains(all.OrderBy, s.Name)})
		names = append(names, d.Name)
	}
	job.CopySQL = postgres.CopyStatement("public", name, names)
	return &recheck.Copied{Source: src, Target: dst, Job: job}, all
}

// copied copies rows of a table, and returns them as they are to be read again.
func (m *moment) copied(t testing.TB, c *recheck.Copied, s mysql.Selection) (recheck.Rows, copy.Result) {
	t.Helper()
	job := c.Job
	var selected []string
	for _, col := range job.Columns {
		selected = append(selected, col.Rule.Expression(mysql.QuoteIdent(col.Source)))
	}
	job.Query = mysql.Select(c.Source.Name, selected, s)
	conn, err := m.pg.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	result, err := copy.Table(t.Context(), reader{m.snapshot.Readers[0]}, conn, job, copy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return recheck.Rows{Selection: s, Sum: &result.Sum}, result
}

// again reads rows again.
func (m *moment) again(t testing.TB, c *recheck.Copied, rows recheck.Rows, o recheck.Options) (recheck.Result, error) {
	t.Helper()
	return recheck.Table(t.Context(), m.snapshot.Check.Conn(), reader{m.snapshot.Readers[0]}, c, rows, o)
}

// encoder replaces the rule's encoder of a column.
func encoder(c *recheck.Copied, column string, change func(old convert.Encoder) convert.Encoder) {
	c.Job.Columns = slices.Clone(c.Job.Columns)
	for i := range c.Job.Columns {
		if col := &c.Job.Columns[i]; col.Source == column {
			old := col.Rule.Encode
			if col.Rule.Raw {
				old = func(dst, src []byte) ([]byte, error) { return append(dst, src...), nil }
			}
			col.Rule.Raw, col.Rule.Encode = false, change(old)
		}
	}
}
