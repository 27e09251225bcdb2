//go:build integration

package verifying

import (
	"slices"
	"testing"

	"github.com/moodledb/moodledb/integration/internal/rig"
	"github.com/moodledb/moodledb/migrate"
	"github.com/moodledb/moodledb/proof"
	"github.com/moodledb/moodledb/verify"
)

// TestVerifyKnowsPolicies: what a policy changed or set aside is listed as legal and counts
// as no difference, whatever kind of value and rule it was; a value that somebody changed since then does.
func TestVerifyKnowsPolicies(t *testing.T) {
	base := rig.Tiny(t, rig.FirstSource(), rig.FirstTarget(), rig.BadStatements()...)
	for name, policy := range rig.Policies() {
		t.Run(name, func(t *testing.T) {
			p := base.WithTarget(t)
			result := p.Migrate(t, migrate.Options{Site: rig.BadCode(t), Policy: policy, Jobs: 2})
			r := p.Proven(t, proof.Options{})
			var touched, legal int64
			for _, x := range result.Tables {
				touched += x.Rejected
			}
			for i := range r.Tables {
				if x := &r.Tables[i]; x.State != verify.Same {
					t.Errorf("table %s is %s: %d missing, %d extra, %d changed; %s", x.Name, x.State, x.Missing, x.Extra, x.Changed, x.Problem)
					for _, d := range x.Differences[:min(len(x.Differences), 3)] {
						t.Logf("%s %+v", d.Kind, d.Key)
						for _, c := range d.Columns {
							t.Logf("  %s: %+v, %+v", c.Column, c.Expected, c.Found)
						}
					}
				}
			}
			for _, l := range r.Legal {
				if l.Kind == proof.LegalRejected {
					legal += l.Rows
				}
			}
			if legal != touched {
				t.Errorf("%d rows are told to be set aside, the migration set %d aside", legal, touched)
			}
			if name != "fix" {
				return
			}
			if !slices.ContainsFunc(r.Legal, func(l proof.Legal) bool { return l.Kind == proof.LegalChanged && l.Table == "mdl_bad_few" }) {
				t.Errorf("nothing is told of changed values: %+v", r.Legal)
			}
			p.TargetServer.Exec(t, p.TargetURL, `UPDATE mdl_bad_few SET nul = 'another' WHERE id = 23`)
			r = p.Proven(t, proof.Options{Include: []string{"bad_few"}})
			if x := r.Tables[0]; x.State != verify.Different || x.Changed != 1 || len(x.Differences) != 1 || x.Differences[0].Key[0].Value.Text != "23" {
				t.Errorf("a value that was changed after the migration: %+v", x)
			}
		})
	}
}

// TestVerifyKnowsSkippedData: a table that was made without its rows, as it was told, is no difference while it is empty.
func TestVerifyKnowsSkippedData(t *testing.T) {
	p := rig.Tiny(t, rig.FirstSource(), rig.FirstTarget(),
		"CREATE TABLE mdl_log (id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, what varchar(20) NOT NULL DEFAULT '')", "INSERT INTO mdl_log (what) VALUES ('a'), ('b')",
		"CREATE TABLE mdl_kept (id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, what varchar(20) NOT NULL DEFAULT '')", "INSERT INTO mdl_kept (what) VALUES ('a')")
	what := rig.Field("what", "char", `LENGTH="20" NOTNULL="true"`)
	p.Migrate(t, migrate.Options{Site: rig.TinyCode(t, rig.Table("log", what), rig.Table("kept", what)), SkipData: []string{"log"}})
	r := p.Proven(t, proof.Options{})
	skipped := slices.ContainsFunc(r.Legal, func(l proof.Legal) bool { return l.Kind == proof.LegalSkipped && l.Table == "mdl_log" })
	if !skipped || slices.ContainsFunc(r.Tables, func(x verify.TableResult) bool { return x.Name == "mdl_log" || x.State != verify.Same }) {
		t.Errorf("tables %+v, legal %+v", r.Tables, r.Legal)
	}
	p.TargetServer.Exec(t, p.TargetURL, "INSERT INTO mdl_log (what) VALUES ('a')")
	r = p.Proven(t, proof.Options{Include: []string{"log"}})
	if len(r.Tables) != 1 || r.Tables[0].State != verify.Different || r.Tables[0].Missing != 2 {
		t.Errorf("with a row: %+v", r.Tables)
	}
}
