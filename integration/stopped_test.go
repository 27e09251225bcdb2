//go:build integration

package integration

import (
	"testing"

	"github.com/moodledb/moodledb/integration/internal/rig"
	"github.com/moodledb/moodledb/migrate"
)

// abort takes back what the unfinished run has made.
func abort(t *testing.T, p *rig.Pair) {
	t.Helper()
	db := rig.Reopened(t, p)
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
