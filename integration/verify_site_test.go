//go:build integration

package integration

import (
	"testing"

	"github.com/moodledb/moodledb/proof"
	"github.com/moodledb/moodledb/verify"
	"github.com/moodledb/moodledb/xmldb"
)

// provenSame compares the two ends of a migrated site, which must be the same
// in all tables, and in all that is beyond rows.
func (p *pair) provenSame(t *testing.T, code *xmldb.Site, tables int) {
	t.Helper()
	r := p.proven(t, proof.Options{Site: code})
	if r.State != verify.Same || !r.Expected.Consistent || !r.Found.Consistent || len(r.Tables) != tables {
		t.Errorf("%d tables of %d are %s; %+v, %+v", len(r.Tables), tables, r.State, r.Expected, r.Found)
	}
	for i := range r.Tables {
		if x := &r.Tables[i]; x.State != verify.Same {
			t.Errorf("table %s is %s: %s; %d missing, %d extra, %d changed", x.Name, x.State, x.Problem, x.Missing, x.Extra, x.Changed)
		}
	}
	for _, l := range r.Left {
		if l.Counts != verify.Same {
			t.Errorf("left out: %+v", l)
		}
	}
	for _, o := range r.Objects {
		if o.State != verify.Same {
			t.Errorf("beyond rows: %+v", o)
		}
	}
	t.Logf("%d tables compared in %s", len(r.Tables), r.Elapsed)
}
