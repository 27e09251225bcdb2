package diff

import (
	"slices"
	"testing"

	"github.com/moodledb/moodledb/schema"
)

func TestColumns(t *testing.T) {
	set := func(name string, change func(*schema.Column)) func(*schema.Schema) {
		return func(h *schema.Schema) { change(col(h, name)) }
	}
	add := func(c schema.Column) func(*schema.Schema) {
		return func(h *schema.Schema) { probe(h).Columns = append(probe(h).Columns, c) }
	}
	big := schema.Type{Name: "bigint"}
	now := schema.Expression("CURRENT_TIMESTAMP")
	runSite(t, []siteCase{
		{name: "missing", change: func(h *schema.Schema) { dropColumn(probe(h), "note") }, want: one("error column-missing probe note")},
		{name: "extra", change: add(schema.Column{Name: "spare", Type: big}), want: one("warning column-extra probe spare")},
		{name: "extra, inserts fail", change: add(schema.Column{Name: "spare", Type: big, NotNull: true}), want: one("error column-extra probe spare")},
		{name: "extra with a default", change: add(schema.Column{Name: "spare", Type: big, NotNull: true, Default: schema.Literal("0")}), want: one("warning column-extra probe spare")},
		{name: "extra and generated", change: add(schema.Column{Name: "spare", Type: big, NotNull: true, Generated: schema.GeneratedStored}), want: one("warning column-extra probe spare")},
		{name: "extra of a strange type", engines: onMySQL, change: add(schema.Column{Name: "spare", Type: schema.Type{Name: "point"}}), want: one("error column-extra probe spare")},
		{name: "extra of a strange type", engines: onPostgres, change: add(schema.Column{Name: "spare", Type: schema.Type{Name: "uuid"}}), want: one("warning column-extra probe spare")},
		{name: "order", change: func(h *schema.Schema) { slices.Reverse(probe(h).Columns) }},
		{name: "case of a name, MySQL", engines: onMySQL, change: set("note", func(c *schema.Column) { c.Name = "NOTE" })},
		{name: "case of a name, PostgreSQL", engines: onPostgres, change: set("note", func(c *schema.Column) { c.Name = "NOTE" }), want: one("error column-renamed probe NOTE")},
		{name: "comment", change: set("note", func(c *schema.Column) { c.Comment = "x" })},
		{name: "nullable", change: set("name", func(c *schema.Column) { c.NotNull = false }), want: one("warning column-nullable probe name")},
		{name: "not null", change: set("wide", func(c *schema.Column) { c.NotNull = true }), want: one("error column-not-null probe wide")},
		{name: "not null by a counter", engines: onMySQL, change: set("wide", func(c *schema.Column) { c.NotNull, c.AutoIncrement = true, true }), want: one("warning column-auto-increment-extra probe wide")},
		{name: "not null by an identity", engines: onPostgres, change: set("wide", func(c *schema.Column) {
			c.NotNull, c.AutoIncrement, c.Identity = true, true, "always"
		}), want: one("warning column-auto-increment-extra probe wide")},
		{name: "what old servers give a timestamp", engines: onMySQL, change: set("wide", func(c *schema.Column) {
			c.Type, c.NotNull, c.Default, c.OnUpdate = schema.Type{Name: "timestamp"}, true, now, "CURRENT_TIMESTAMP"
		}), want: one("error column-type-unknown probe wide")},
		{name: "on update", engines: onMySQL, change: set("moment", func(c *schema.Column) { c.OnUpdate = "CURRENT_TIMESTAMP" }), want: one("warning column-on-update probe moment")},
		{name: "generated", change: set("wide", func(c *schema.Column) {
			c.Generated, c.Expression, c.NotNull = schema.GeneratedStored, "amount + 1", true
		}), want: one("error column-generated probe wide")},
		{name: "generated of another type", change: set("amount", func(c *schema.Column) {
			c.Generated, c.Expression, c.Type = schema.GeneratedStored, "wide + 1", big
		}), want: []string{"error column-generated probe amount", "info column-integer-wide probe amount"}},
		{
			name: "generated in another way", change: set("wide", func(c *schema.Column) { c.Generated, c.Expression = schema.GeneratedStored, "amount + 1" }),
			prepare: func(w *schema.Schema, o *Options) {
				live(w, o)
				col(w, "wide").Generated, col(w, "wide").Expression = schema.GeneratedStored, "amount + 2"
			}, want: one("error column-generated probe wide"),
		},
		{
			name: "generated likewise", change: set("wide", func(c *schema.Column) { c.Generated, c.Expression = schema.GeneratedStored, "(amount + 1)" }),
			prepare: func(w *schema.Schema, o *Options) {
				live(w, o)
				col(w, "wide").Generated, col(w, "wide").Expression = schema.GeneratedStored, "amount + 1"
			},
		},
		{name: "invisible", engines: onMySQL, change: set("wide", func(c *schema.Column) { c.Invisible = true }), want: one("error column-invisible probe wide")},
	})
}

func TestRenamedColumns(t *testing.T) {
	rename := func(from, to string) func(*schema.Schema) {
		return func(h *schema.Schema) { col(h, from).Name = to }
	}
	// twin gives the column wide a neighbour that is like it.
	twin := func(s *schema.Schema) {
		c := *col(s, "wide")
		c.Name = "other"
		probe(s).Columns = slices.Insert(probe(s).Columns, 4, c)
	}
	// move puts a column at the end of the table, as a script that copies it does.
	move := func(from, to string) func(*schema.Schema) {
		return func(h *schema.Schema) {
			c := *col(h, from)
			dropColumn(probe(h), from)
			c.Name = to
			probe(h).Columns = append(probe(h).Columns, c)
		}
	}
	runSite(t, []siteCase{
		{name: "in its place", change: rename("note", "remark"), want: one("error column-renamed probe remark")},
		{name: "two neighbours", change: func(h *schema.Schema) {
			rename("state", "status")(h)
			rename("name", "title")(h)
		}, want: []string{"error column-renamed probe status", "error column-renamed probe title"}},
		{name: "two neighbours that are alike", change: func(h *schema.Schema) {
			twin(h)
			rename("wide", "first")(h)
			rename("other", "second")(h)
		}, prepare: func(w *schema.Schema, _ *Options) { twin(w) }, want: []string{"error column-renamed probe first", "error column-renamed probe second"}},
		{name: "the last one, with a new one behind it", change: func(h *schema.Schema) {
			rename("moment", "instant")(h)
			addColumn(probe(h), "spare")
		}, want: []string{"error column-renamed probe instant", "warning column-extra probe spare"}},
		{name: "elsewhere, by a similar name", change: move("moment", "moment_old"), want: one("error column-renamed probe moment_old")},
		{name: "elsewhere, by another name", change: move("wide", "spare"), want: []string{"error column-missing probe wide", "warning column-extra probe spare"}},
		{name: "another type", change: func(h *schema.Schema) {
			rename("note", "note_old")(h)
			col(h, "note_old").Type = schema.Type{Name: "bigint"}
			col(h, "note_old").Charset, col(h, "note_old").Collation = "", ""
		}, want: []string{"error column-missing probe note", "warning column-extra probe note_old"}},
		{name: "two candidates", change: func(h *schema.Schema) {
			p := probe(h)
			c := *col(h, "wide")
			rename("wide", "first")(h)
			c.Name = "second"
			p.Columns = slices.Insert(p.Columns, 4, c)
		}, want: []string{"error column-missing probe wide", "warning column-extra probe first", "warning column-extra probe second"}},
	})
}

func TestSimilarNames(t *testing.T) {
	for _, tc := range []struct {
		a, b string
		want bool
	}{
		{"timecreated", "time_created", true},
		{"timecreated", "timecreate", true},
		{"note", "note_old", true},
		{"note", "old_note", true},
		{"intro", "intor", false},
		{"answer1", "answer2", false},
		{"one", "two", false},
		{"id", "it", false},
		{"courseid", "userid", false},
		{"timestart", "timeend", false},
	} {
		if got := similarNames(tc.a, tc.b); got != tc.want || similarNames(tc.b, tc.a) != got {
			t.Errorf("similarNames(%q, %q) = %t, want %t", tc.a, tc.b, got, tc.want)
		}
	}
}
