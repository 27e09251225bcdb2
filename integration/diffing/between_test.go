//go:build integration

package diffing

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/diff"
	"github.com/moodledb/moodledb/drift"
	"github.com/moodledb/moodledb/integration/internal/rig"
	"github.com/moodledb/moodledb/xmldb"
)

// TestBetweenAllKinds compares a database with every change with one without
// any: between two databases every change is found as well, only that an extra table is just
// that, and a missing one is missing.
func TestBetweenAllKinds(t *testing.T) {
	t.Parallel()
	for _, product := range products() {
		for _, flavour := range flavours() {
			t.Run(string(product)+"/"+flavour, func(t *testing.T) {
				t.Parallel()
				w, cases := allAtOnce(t, product, flavour, func(c driftCase) bool { return !c.last })
				drifted := w.read(t)
				var want []string
				for _, c := range cases {
					want = append(want, betweenDatabases(c.want[0]))
				}
				clean := newWorkbench(t, flavour, w.site)
				clean.reset(t)
				result, err := drift.Between(nil, clean.read(t), drifted, drift.Options{})
				if err != nil {
					t.Fatal(err)
				}
				expectChanges(t, want, result)
				placed, err := drift.Between(w.site, clean.read(t), drifted, drift.Options{})
				if err != nil {
					t.Fatal(err)
				}
				expectChanges(t, want, placed)
				for _, c := range placed.Changes {
					if declared := w.declared.Table(c.Table) != nil; declared && !c.Origin.Declared() {
						t.Errorf("%s of %s has no place in the code", c.Code, c.Table)
					}
				}
				itself, err := drift.Between(nil, drifted, drifted, drift.Options{})
				if err != nil {
					t.Fatal(err)
				}
				// Ids that will be given out again are wrong even so.
				nothing(t, "a database and itself", slices.DeleteFunc(itself.Changes, func(c diff.Change) bool { return c.Code == diff.SequenceBehind }))
			})
		}
	}
}

// betweenDatabases is what a change is called where no code tells more.
func betweenDatabases(want string) string {
	for from, to := range map[string]string{
		"info " + string(diff.TableNotInstalled):     "error " + string(diff.TableMissing),
		"warning " + string(diff.TablePluginRemoved): "warning " + string(diff.TableExtra),
		"warning " + string(diff.TableTemporary):     "warning " + string(diff.TableExtra),
		"warning " + string(diff.TableLeftover):      "warning " + string(diff.TableExtra),
		"info " + string(diff.TableRunTime):          "warning " + string(diff.TableExtra),
	} {
		if rest, ok := strings.CutPrefix(want, from+" "); ok && !strings.HasPrefix(rest, "pma_") {
			return to + " " + rest
		} else if ok {
			return "info " + string(diff.TableOtherPrefix) + " " + rest
		}
	}
	return want
}

// TestBetweenAcrossEngines: what was spoiled in a source is what a
// migration makes of it, and the target that has it is as expected.
func TestBetweenAcrossEngines(t *testing.T) {
	code := driftCode(t, xmldb.Moodle, [][2]string{{subject, subject}, {plain, plain}})
	for _, servers := range rig.Pairs() {
		t.Run(servers[0]+"/"+servers[1], func(t *testing.T) {
			source, target := newWorkbench(t, servers[0], code), newWorkbench(t, servers[1], code)
			source.reset(t, "ALTER TABLE mdl_subject ADD COLUMN spare bigint, ADD INDEX own (big)", "CREATE TABLE mdl_strange (id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, name varchar(20))")
			target.reset(t, "ALTER TABLE mdl_subject DROP COLUMN note", "ALTER TABLE mdl_plain ALTER name TYPE varchar(50)")
			from, to := source.read(t), target.read(t)
			expect := func(what string, a, b *drift.Side, want ...string) {
				t.Helper()
				result, err := drift.Between(code, a, b, drift.Options{})
				if err != nil {
					t.Fatal(err)
				}
				slices.Sort(want)
				if d := cmp.Diff(want, lines(result.Changes)); d != "" {
					t.Errorf("%s (-want +got):\n%s", what, d)
				}
			}
			expect("source to target", from, to, "error table-missing mdl_strange", "error column-missing mdl_subject spare", "warning index-missing mdl_subject own",
				"error column-missing mdl_subject note", "error column-length-short mdl_plain name")
			expect("target to source", to, from, "warning table-extra mdl_strange", "warning column-extra mdl_subject spare", "warning index-extra mdl_subject own",
				"warning column-extra mdl_subject note", "warning column-length-long mdl_plain name")
		})
	}
}
