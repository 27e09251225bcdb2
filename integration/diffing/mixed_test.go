//go:build integration

package diffing

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/moodledb/moodledb/xmldb"
)

// TestMixedKinds makes several changes to each of some tables, as they come. What
// is found then depends on the mix, but the fixes leave nothing.
func TestMixedKinds(t *testing.T) {
	t.Parallel()
	const tables, each, seed = 25, 5, 11
	var names [][2]string
	for i := range tables {
		names = append(names, [2]string{fmt.Sprintf("subject_%03d", i), subject})
	}
	code := driftCode(t, xmldb.Moodle, names)
	for _, flavour := range flavours() {
		t.Run(flavour, func(t *testing.T) {
			t.Parallel()
			cases := slices.DeleteFunc(driftCases(xmldb.Moodle), func(c driftCase) bool {
				return c.tableSort() != subject || c.manual || c.last || c.hinders || len(c.statements(flavour)) == 0
			})
			random := rand.New(rand.NewPCG(seed, 0))
			w := newWorkbench(t, flavour, code)
			prepareServer(t, w)
			w.reset(t)
			conn, err := w.server.SQL(t, w.url).Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			made := map[string][]string{}
			for i, name := range names {
				at := place{workbench: w, table: "mdl_" + name[0]}
				for j := range each {
					at.number = fmt.Sprintf("_%d_%d", i, j)
					for _, s := range at.fillAll(t, cases[random.IntN(len(cases))].statements(flavour)) {
						// One change may be in the way of another.
						if _, err := conn.ExecContext(t.Context(), s); err == nil {
							made[at.table] = append(made[at.table], s)
						}
					}
				}
			}
			result := w.compare(t)
			if len(result.Changes) < tables {
				t.Errorf("only %d changes were found", len(result.Changes))
			}
			t.Logf("%d changes, %d fixes", len(result.Changes), len(result.Fixes))
			if all := lines(result.Changes); len(slices.Compact(slices.Clone(all))) != len(all) {
				t.Errorf("something is told twice: %q", all)
			}
			w.repair(t, result)
			left := w.compare(t)
			for _, c := range left.Changes {
				t.Errorf("after the fixes: %+v\nmade by: %q", c, made[c.Table])
			}
		})
	}
}
