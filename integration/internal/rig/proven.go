//go:build integration

package rig

import (
	"testing"

	"github.com/moodledb/moodledb/dsn"
	"github.com/moodledb/moodledb/proof"
	"github.com/moodledb/moodledb/verify"
	"github.com/moodledb/moodledb/xmldb"
)

// Proven compares the two ends of a pair.
func (p *Pair) Proven(t *testing.T, o proof.Options) *proof.Result {
	t.Helper()
	prefix := "mdl_"
	var ends [2]proof.Source
	for i, url := range []string{p.SourceURL, p.TargetURL} {
		d, err := dsn.Parse(url, dsn.Options{})
		if err != nil {
			t.Fatal(err)
		}
		ends[i] = proof.Source{DSN: d, Prefix: &prefix}
	}
	o.Jobs = 2
	r, err := proof.Compare(t.Context(), ends[0], ends[1], o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// ProvenSame compares the two ends of a migrated site, which must be the same
// in all tables, and in all that is beyond rows.
func (p *Pair) ProvenSame(t *testing.T, code *xmldb.Site, tables int) {
	t.Helper()
	r := p.Proven(t, proof.Options{Site: code})
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
