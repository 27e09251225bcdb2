package diff

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/schema"
)

// TestAllAtOnce applies changes to all sorts of objects of one database: each is
// found, and nothing besides, in the same order each time.
func TestAllAtOnce(t *testing.T) {
	for _, engine := range allEngines {
		t.Run(string(engine), func(t *testing.T) {
			want, have := siteSchema(engine), siteSchema(engine)
			var expected []string
			do := func(change func(), says ...string) {
				change()
				expected = append(expected, says...)
			}
			do(func() { dropTable(have, "mdl_plain") }, "error table-missing plain")
			do(func() { have.Tables = append(have.Tables, schema.Table{Name: "mdl_strange"}) }, "warning table-extra strange")
			do(func() { have.Views = []schema.View{{Name: "mdl_report"}} }, "info view-extra report")
			do(func() { dropColumn(probe(have), "note") }, "error column-missing probe note")
			do(func() { addColumn(probe(have), "spare") }, "warning column-extra probe spare")
			do(func() { col(have, "moment").Name = "instant" }, "error column-renamed probe instant")
			do(func() { col(have, "short").Type.Length = 10 }, "error column-length-short probe short")
			do(func() { col(have, "short").NotNull = true }, "error column-not-null probe short")
			do(func() { col(have, "state").Default = schema.Literal("old") }, "warning column-default probe state")
			do(func() { col(have, "wide").Type.Name = siteType(engine, "int", 0).Name }, "error column-integer-narrow probe wide")
			do(func() { col(have, "grade").Type.Precision = 12 }, "warning column-decimal-wide probe grade")
			do(func() { col(have, "data").Type = schema.Type{Name: "json"} }, "error column-type-unknown probe data")
			do(func() { drop(probe(have), "pk") }, "error primary-key-missing probe pk")
			if engine == schema.Postgres {
				do(func() { probe(have).Unlogged = true }, "error table-unlogged probe")
				do(func() { seq(have).Cycle = true }, "warning sequence-options probe "+probeSequence)
				do(func() { seq(have).Last, col(have, "id").Highest, col(have, "id").HighestKnown = 3, 9, true }, "error sequence-behind probe "+probeSequence)
			} else {
				do(func() { probe(have).StorageEngine = "MyISAM" }, "error table-engine probe")
				do(func() { probe(have).Collation = "utf8mb4_bin" }, "warning table-collation probe")
				do(func() { col(have, "amount").Type.Unsigned = true }, "warning column-unsigned probe amount")
				do(func() { col(have, "name").Collation = "utf8mb4_bin" }, "warning column-collation probe name")
			}
			have.Sort()
			slices.Sort(expected)
			opts := Options{Prefix: "mdl_", Declared: true}
			if engine == schema.Postgres {
				opts.Owner = "moodle"
			}
			first := Schemas(want, have, opts)
			if d := cmp.Diff(expected, said(first)); d != "" {
				t.Errorf("changes (-want +got):\n%s", d)
			}
			for range 5 {
				if d := cmp.Diff(first, Schemas(want, have, opts)); d != "" {
					t.Fatalf("another run says something else:\n%s", d)
				}
			}
		})
	}
}
