//go:build integration

package integration

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moodledb/moodledb/dsn"
	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/migrate"
	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/testdata/site"
	"github.com/moodledb/moodledb/xmldb"
)

// pair is a source and a target database of a test, opened as the product does.
type pair struct {
	sourceServer, targetServer *testdb.Server
	sourceURL, targetURL       string
	source                     *mysql.DB
	target                     *postgres.DB
}

// newPair makes an empty database at both ends. The target belongs to the role moodle.
func newPair(t *testing.T, source, target string) *pair {
	t.Helper()
	p := &pair{sourceServer: testdb.Get(t, source), targetServer: testdb.Get(t, target)}
	p.sourceURL, p.targetURL = p.sourceServer.Database(t), p.targetServer.Database(t)
	p.roleMoodle(t)
	return p
}

// roleMoodle makes the role that owns sites.
func (p *pair) roleMoodle(t *testing.T) {
	t.Helper()
	p.targetServer.Exec(t, p.targetURL, `DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'moodle') THEN CREATE ROLE moodle LOGIN; END IF;
END $$`)
}

// open opens both ends; the source must hold its tables by now.
func (p *pair) open(t *testing.T) {
	t.Helper()
	var err error
	if p.source, err = mysql.Open(t.Context(), parse(t, p.sourceURL)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.source.Close() })
	if p.target, err = postgres.Open(t.Context(), parse(t, p.targetURL)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.target.Close)
}

func parse(t *testing.T, url string) dsn.DSN {
	t.Helper()
	d, err := dsn.Parse(url, dsn.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// migrate plans and runs, and fails the test when either fails.
func (p *pair) migrate(t *testing.T, opts migrate.Options) *migrate.Result {
	t.Helper()
	result, err := p.try(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// try plans and runs.
func (p *pair) try(ctx context.Context, opts migrate.Options) (*migrate.Result, error) {
	plan, err := migrate.Make(ctx, p.source, p.target, opts)
	if err != nil {
		return nil, err
	}
	if plan.Blocked() {
		return nil, blocked(plan)
	}
	return migrate.Run(ctx, p.source, p.target, plan, nil)
}

// blockedError is a plan that may not run.
type blockedError []migrate.Finding

func (e blockedError) Error() string {
	var lines []string
	for _, f := range e {
		lines = append(lines, f.Code+": "+f.Table+" "+f.Object+": "+f.Message+" ("+f.Hint+")")
	}
	return "blocked:\n" + strings.Join(lines, "\n")
}

func blocked(plan *migrate.Plan) error {
	var out blockedError
	for _, f := range plan.Findings {
		if f.Severity == migrate.Blocker {
			out = append(out, f)
		}
	}
	return out
}

// compareAll compares every base table with the prefix, cell by cell.
func (p *pair) compareAll(t *testing.T, schema, prefix string, except ...string) (tables, rows int) {
	t.Helper()
	from := side{db: p.sourceServer.SQL(t, p.sourceURL)}
	to := side{db: p.targetServer.SQL(t, p.targetURL), schema: schema}
	if _, err := from.db.Exec("SET time_zone = '+00:00'"); err != nil {
		t.Fatal(err)
	}
	from.db.SetMaxOpenConns(1)
	names, err := from.db.Query("SELECT table_name AS n FROM information_schema.tables WHERE table_schema = DATABASE() " +
		"AND table_type = 'BASE TABLE' ORDER BY table_name")
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for names.Next() {
		var n string
		if err := names.Scan(&n); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(n, prefix) {
			list = append(list, n)
		}
	}
	if err := names.Err(); err != nil {
		t.Fatal(err)
	}
	_ = names.Close()
	for _, n := range list {
		if !contains(except, n) {
			rows += compareTable(t, from, to, n)
			tables++
		}
	}
	return tables, rows
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// sampleCode writes the bundled site's code tree and loads it.
func sampleCode(t *testing.T) *xmldb.Site {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "code"), site.Code()); err != nil {
		t.Fatal(err)
	}
	return loadCode(t, filepath.Join(dir, "code"))
}

func loadCode(t *testing.T, dir string) *xmldb.Site {
	t.Helper()
	s, err := xmldb.Load(dir, xmldb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// loadSample fills a source with the bundled site.
func (p *pair) loadSample(t *testing.T) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "site.sql")
	if err := os.WriteFile(file, []byte(site.SQL()), 0o600); err != nil {
		t.Fatal(err)
	}
	p.sourceServer.Load(t, p.sourceURL, file)
}
