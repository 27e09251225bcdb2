//go:build integration

package rig

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"github.com/moodledb/moodledb/dsn"
	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/migrate"
	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/postgres"
)

// Abort plans and does it, and returns the plan.
func (p *Pair) Abort(t *testing.T, opts migrate.AbortOptions) (*migrate.AbortPlan, error) {
	t.Helper()
	plan, err := migrate.PlanAbort(t.Context(), p.Target, opts)
	if err != nil {
		return nil, err
	}
	return plan, migrate.Abort(t.Context(), p.Target, plan, opts, nil)
}

// Pair is a source and a target database of a test, opened as the product does.
type Pair struct {
	SourceServer, TargetServer *testdb.Server
	SourceURL, TargetURL       string
	Source                     *mysql.DB
	Target                     *postgres.DB
}

// NewPair makes an empty database at both ends. The target belongs to the role moodle.
func NewPair(t *testing.T, source, target string) *Pair {
	t.Helper()
	p := &Pair{SourceServer: testdb.Get(t, source), TargetServer: testdb.Get(t, target)}
	p.SourceURL, p.TargetURL = p.SourceServer.Database(t), p.TargetServer.Database(t)
	p.RoleMoodle(t)
	return p
}

// RoleMoodle makes the role that owns sites.
func (p *Pair) RoleMoodle(t *testing.T) {
	t.Helper()
	p.TargetServer.Exec(t, p.TargetURL, `DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'moodle') THEN CREATE ROLE moodle LOGIN; END IF;
END $$`)
}

// Open opens both ends; the source must hold its tables by now.
func (p *Pair) Open(t *testing.T) {
	t.Helper()
	var err error
	if p.Source, err = mysql.Open(t.Context(), Parse(t, p.SourceURL)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Source.Close() })
	if p.Target, err = postgres.Open(t.Context(), Parse(t, p.TargetURL)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Target.Close)
}

// Parse reads the URL of a database.
func Parse(t *testing.T, url string) dsn.DSN {
	t.Helper()
	d, err := dsn.Parse(url, dsn.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Migrate plans and runs, and fails the test when either fails.
func (p *Pair) Migrate(t *testing.T, opts migrate.Options) *migrate.Result {
	t.Helper()
	result, err := p.Try(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// Try plans and runs.
func (p *Pair) Try(ctx context.Context, opts migrate.Options) (*migrate.Result, error) {
	plan, err := migrate.Make(ctx, p.Source, p.Target, opts)
	if err != nil {
		return nil, err
	}
	if plan.Blocked() {
		return nil, Blocked(plan)
	}
	return migrate.Run(ctx, p.Source, p.Target, plan, nil)
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

// Blocked is the error of a plan that may not run, with what stands in its way.
func Blocked(plan *migrate.Plan) error {
	var out blockedError
	for _, f := range plan.Findings {
		if f.Severity == migrate.Blocker {
			out = append(out, f)
		}
	}
	return out
}

// Unreachable is the URL of a server that is not there.
func Unreachable(t *testing.T, databaseURL string) string {
	t.Helper()
	u, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	u.Host = u.Hostname() + ":1"
	return u.String()
}
