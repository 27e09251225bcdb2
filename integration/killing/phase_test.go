//go:build integration

package killing

import (
	"testing"

	"github.com/moodledb/moodledb/integration/internal/rig"
)

// phase says how far a run is, in one word.
func phase(t *testing.T, p *rig.Watched, r *rig.LedgerRun) string {
	t.Helper()
	switch {
	case r == nil:
		return "not begun"
	case r.State == "preparing" || r.State == "done":
		return r.State
	}
	var waiting, copied, unverified int
	err := p.To.QueryRow(`SELECT count(*) FILTER (WHERE state = 'waiting'), count(*) FILTER (WHERE state = 'copied'), count(*) FILTER (WHERE state = 'done' AND copies)
FROM moodledb.run_table WHERE run = $1`, r.ID).Scan(&waiting, &copied, &unverified)
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case waiting > 0 && copied == 0:
		return "copying"
	case waiting > 0:
		return "copying and building"
	case copied > 0:
		return "building"
	case unverified > 0:
		return "verifying"
	}
	return "handing over"
}
