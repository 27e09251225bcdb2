//go:build integration

package verifying

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/dsn"
	"github.com/moodledb/moodledb/integration/internal/rig"
	"github.com/moodledb/moodledb/migrate"
	"github.com/moodledb/moodledb/proof"
	"github.com/moodledb/moodledb/verify"
)

// TestRepairKeepsPolicies: rows that differ are repaired in a table of which a
// policy has changed some values, or set rows aside; these stay as they are.
func TestRepairKeepsPolicies(t *testing.T) {
	base := rig.Tiny(t, rig.FirstSource(), rig.FirstTarget(), rig.BadStatements()...)
	for _, name := range []string{"fix", "quarantine"} {
		t.Run(name, func(t *testing.T) {
			p := base.WithTarget(t)
			p.Migrate(t, migrate.Options{Site: rig.BadCode(t), Policy: rig.Policies()[name], Jobs: 2})
			o := proof.Options{Include: []string{"bad_few"}, Jobs: 1}
			legal := p.Proven(t, o).Legal
			const good = "(SELECT min(id) FROM mdl_bad_few WHERE id > 1 AND NOT EXISTS (SELECT FROM moodledb.value_change v WHERE v.row_key = 'id=' || id))"
			p.TargetServer.Exec(t, p.TargetURL,
				"UPDATE mdl_bad_few SET pad = 'other' WHERE id = "+good,
				"INSERT INTO mdl_bad_few SELECT (r).* FROM (SELECT jsonb_populate_record(b, '{\"id\": 900000}') AS r FROM mdl_bad_few b WHERE id = "+good+") x",
				"DELETE FROM mdl_bad_few WHERE id = (SELECT max(id) FROM mdl_bad_few WHERE id < 900000 AND NOT EXISTS (SELECT FROM moodledb.value_change v WHERE v.row_key = 'id=' || id))")
			r := p.Proven(t, o)
			if x := r.Tables[0]; x.Missing != 1 || x.Extra != 1 || x.Changed != 1 || len(x.Differences) != 3 {
				t.Fatalf("%+v", x)
			}
			expected, found := ends(t, p)
			done, err := proof.Repair(t.Context(), expected, found, r, o)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]proof.RepairedTable{{Table: "mdl_bad_few", Inserted: 1, Deleted: 1, Updated: 1}}, done.Tables); diff != "" {
				t.Error(diff)
			}
			r = p.Proven(t, o)
			if r.Tables[0].State != verify.Same {
				t.Errorf("%+v", r.Tables[0])
			}
			if diff := cmp.Diff(legal, r.Legal); diff != "" || len(legal) == 0 {
				t.Error(diff)
			}
		})
	}
}

// ends are the two places of a pair.
func ends(t *testing.T, p *rig.Pair) (expected, found proof.Source) {
	t.Helper()
	prefix := "mdl_"
	for url, end := range map[string]*proof.Source{p.SourceURL: &expected, p.TargetURL: &found} {
		d, err := dsn.Parse(url, dsn.Options{})
		if err != nil {
			t.Fatal(err)
		}
		*end = proof.Source{DSN: d, Prefix: &prefix}
	}
	return expected, found
}
