//go:build integration

package integration

import (
	"errors"
	"strings"
	"testing"

	"github.com/moodledb/moodledb/migrate"
	"github.com/moodledb/moodledb/postgres"
)

// stopped fails the test unless err is that of a run that has loaded something
// and can be resumed, the target's ledger says the same, and nothing of it is published.
func stopped(t *testing.T, p *pair, err error) {
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
	run := lastRun(t, p)
	if run.ID != stopped.Run || run.State != postgres.RunStopped || run.Held {
		t.Errorf("the ledger has %+v, want run %d as stopped", run, stopped.Run)
	}
	if run.Problem != stopped.Err.Error() || run.Problem == "" {
		t.Errorf("the ledger says %q, the error %q", run.Problem, stopped.Err)
	}
	if run.Load != run.Publish {
		if n := p.count(t, "SELECT count(*) FROM pg_class WHERE relnamespace = to_regnamespace($1) AND relname LIKE 'mdl\\_%'", run.Publish); n != 0 {
			t.Errorf("schema %s holds %d relations of a run that has stopped", run.Publish, n)
		}
	}
}

// lastRun is the last run that the target's ledger has.
func lastRun(t *testing.T, p *pair) postgres.RunRecord {
	t.Helper()
	db := reopened(t, p)
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

// reopened is the target by a connection of its own, which ends with the test
// or when the caller closes it.
func reopened(t *testing.T, p *pair) *postgres.DB {
	t.Helper()
	db, err := postgres.Open(t.Context(), parse(t, p.targetURL))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return db
}

// abort takes back what the unfinished run has made.
func abort(t *testing.T, p *pair) {
	t.Helper()
	db := reopened(t, p)
	defer db.Close()
	var opts migrate.AbortOptions
	plan, err := migrate.PlanAbort(t.Context(), db, opts)
	if err == nil {
		err = migrate.Abort(t.Context(), db, plan, opts, nil)
	}
	if err != nil {
		t.Fatalf("abort: %v", err)
	}
}
