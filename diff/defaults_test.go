package diff

import (
	"testing"

	"github.com/moodledb/moodledb/schema"
)

func TestDefaults(t *testing.T) {
	value := func(name string, v schema.Default) func(*schema.Schema) {
		return func(h *schema.Schema) { col(h, name).Default = v }
	}
	none := schema.Default{}
	runSite(t, []siteCase{
		{name: "another", change: value("state", schema.Literal("old")), want: one("warning column-default probe state")},
		{name: "another number", change: value("grade", schema.Literal("1")), want: one("warning column-default probe grade")},
		{name: "number spelt otherwise", change: value("grade", schema.Literal("0"))},
		{name: "number with an exponent", change: value("grade", schema.Literal("1e3")), prepare: func(w *schema.Schema, _ *Options) { col(w, "grade").Default = schema.Literal("1000.00000") }},
		{name: "a huge exponent", change: value("grade", schema.Literal("1e999999999")), want: one("warning column-default probe grade")},
		{name: "missing", change: value("state", none), want: one("error column-default-missing probe state")},
		{
			name: "missing where NULL is allowed", change: func(h *schema.Schema) { col(h, "amount").Default = none }, want: one("warning column-default-missing probe amount"),
			prepare: func(w *schema.Schema, _ *Options) { col(w, "amount").Default = schema.Literal("5") },
		},
		{name: "extra", change: value("wide", schema.Literal("3")), want: one("warning column-default-extra probe wide")},
		{name: "empty is not none", change: value("short", schema.Literal("")), want: one("warning column-default-extra probe short")},
		{name: "case of a text", change: value("state", schema.Literal("NEW")), want: one("warning column-default probe state")},
		{name: "expression", change: value("state", schema.Expression("concat('n', 'e')")), want: one("warning column-default probe state")},
		{name: "constant with a cast", engines: onPostgres, change: value("state", schema.Expression("'new'::bpchar"))},
		{name: "NULL with a cast", engines: onPostgres, change: value("wide", schema.Expression("NULL::bigint"))},
		{
			name: "expression spelt otherwise", change: value("state", schema.Expression("CONCAT('a', 'b')")),
			prepare: func(w *schema.Schema, o *Options) {
				live(w, o)
				col(w, "state").Default = schema.Expression("concat('a','b')")
			},
		},
		{name: "text of PostgreSQL keeps it", engines: onPostgres, change: func(h *schema.Schema) { col(h, "state").Type = schema.Type{Name: "text"} }, want: one("warning column-not-varchar probe state")},
		{name: "text of MySQL has none", engines: onMySQL, change: func(h *schema.Schema) {
			col(h, "state").Type = schema.Type{Name: "text"}
			col(h, "state").Default = none
		}, want: one("warning column-not-varchar probe state")},
	})
}
