//go:build integration

package rig

import (
	"errors"
	"strings"
	"testing"

	"github.com/moodledb/moodledb/migrate"
	"github.com/moodledb/moodledb/postgres"
)

// Stopped fails the test unless err is that of a run that has loaded something
// and can be resumed, the target's ledger says the same, and nothing of it is published.
func Stopped(t *testing.T, p *Pair, err error) {
	t.Helper()
	var stopped *migrate.StoppedError
	if !errors.As(err, &stopped) {
		t.Fatalf("error %v, want one of a run that has stopped", err)
	}
	for _, want := range []string{"--resume", "moodledb abort"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q: %v", want, err)
		}
	}
	run := LastRun(t, p)
	if run.ID != stopped.Run || run.State != postgres.RunStopped || run.Held {
		t.Errorf("the ledger has %+v, want run %d as stopped", run, stopped.Run)
	}
	if run.Problem != stopped.Err.Error() || run.Problem == "" {
		t.Errorf("the ledger says %q, the error %q", run.Problem, stopped.Err)
	}
	if run.Load != run.Publish {
		if n := p.Count(t, "SELECT count(*) FROM pg_class WHERE relnamespace = to_regnamespace($1) AND relname LIKE 'mdl\\_%'", run.Publish); n != 0 {
			t.Errorf("schema %s holds %d relations of a run that has stopped", run.Publish, n)
		}
	}
}

// LastRun is the last run that the target's ledger has.
func LastRun(t *testing.T, p *Pair) postgres.RunRecord {
	t.Helper()
	db := Reopened(t, p)
	defer db.Close()
	runs, err := db.Runs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(runs) == 0 {
		t.Fatal("the ledger has no run")
	}
	return runs[0]
}

// Reopened is the target by a connection of its own, which ends with the test
// or when the caller closes it.
func Reopened(t *testing.T, p *Pair) *postgres.DB {
	t.Helper()
	db, err := postgres.Open(t.Context(), Parse(t, p.TargetURL))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return db
}
