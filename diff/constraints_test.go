package diff

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/schema"
)

// totaraTable is a table with foreign keys and checks, as Totara declares them.
func totaraTable(engine schema.Engine) schema.Table {
	t := forumTable(engine)
	t.Columns = append(t.Columns,
		schema.Column{Name: "status", Type: schema.Type{Name: "varchar", Length: 10}},
		schema.Column{Name: "level", Type: schema.Type{Name: "smallint"}, NotNull: true})
	at := func(line int) schema.Origin {
		return schema.Origin{Component: "mod_forum", File: "mod/forum/db/install.xml", Line: line}
	}
	t.ForeignKeys = []schema.ForeignKey{
		{Name: "cou_fk", Columns: []string{"course"}, RefTable: "mdl_course", RefColumns: []string{"id"}, OnDelete: "cascade", OnUpdate: "restrict", Origin: at(20)},
		{Name: "use_fk", Columns: []string{"user"}, RefTable: "mdl_user", RefColumns: []string{"id"}, OnDelete: "restrict", OnUpdate: "restrict", Origin: at(21)},
	}
	t.Checks = []schema.Check{
		{Name: "status_enum", Expression: "status IN ('open','shut') OR status IS NULL", Origin: at(22)},
		{Name: "level_enum", Expression: "level IN (-1,0,1)", Origin: at(23)},
	}
	return t
}

// printed are the checks of totaraTable as the servers print them.
func printed(engine schema.Engine) (status, level string) {
	switch engine {
	case schema.Postgres:
		return "((status)::text = ANY ((ARRAY['open'::character varying, 'shut'::character varying])::text[])) OR (status IS NULL)",
			"level = ANY (ARRAY['-1'::integer, 0, 1])"
	case schema.MySQL:
		return "(`status` in ('open','shut')) or (`status` is null)", "`level` in (-(1),0,1)"
	default:
		return "`status` in ('open','shut') or `status` is null", "`level` in (-1,0,1)"
	}
}

func foundTotaraTable(engine schema.Engine) func(*schema.Table) {
	return func(h *schema.Table) {
		h.Checks[0].Expression, h.Checks[1].Expression = printed(engine)
	}
}

func TestOneChangeOfAConstraintIsOneChange(t *testing.T) {
	my := schema.MySQL
	cases := []tableCase{
		{"nothing", "", func(*schema.Table) {}, nil},
		{"names", "", func(h *schema.Table) {
			h.ForeignKeys[0].Name, h.ForeignKeys[1].Name, h.Checks[0].Name = "b", "a", "c"
		}, nil},
		{"other words for the same action", "", func(h *schema.Table) {
			h.ForeignKeys[0].OnUpdate, h.ForeignKeys[1].OnDelete = "no action", ""
		}, nil},
		{"foreign key missing", "", func(h *schema.Table) { h.ForeignKeys = h.ForeignKeys[1:] }, []string{"foreign-key-missing cou_fk error"}},
		{"foreign key extra", "", func(h *schema.Table) {
			h.ForeignKeys = append(h.ForeignKeys, schema.ForeignKey{Name: "x", Columns: []string{"id"}, RefTable: "mdl_other", RefColumns: []string{"id"}})
		}, []string{"foreign-key-extra x error"}},
		{"foreign key twice", "", func(h *schema.Table) {
			twin := h.ForeignKeys[0]
			twin.Name = "x"
			h.ForeignKeys = append(h.ForeignKeys, twin)
		}, []string{"foreign-key-extra x error"}},
		{"foreign key with another action", "", func(h *schema.Table) { h.ForeignKeys[1].OnDelete = "set null" }, []string{"foreign-key-different use_fk error"}},
		{"foreign key to another table", "", func(h *schema.Table) { h.ForeignKeys[1].RefTable = "other_user" }, []string{"foreign-key-different use_fk error"}},
		{"foreign key to another column", "", func(h *schema.Table) { h.ForeignKeys[1].RefColumns = []string{"oldid"} }, []string{"foreign-key-different use_fk error"}},
		{"foreign key extra, its index of the same name", my, func(h *schema.Table) {
			h.ForeignKeys = append(h.ForeignKeys, schema.ForeignKey{Name: "x", Columns: []string{"level"}, RefTable: "mdl_other", RefColumns: []string{"id"}})
			addIndex(h, schema.Index{Name: "x"}, "level")
		}, []string{"foreign-key-extra x error"}},
		{"foreign key extra without a name, its index of the column's", my, func(h *schema.Table) {
			h.ForeignKeys = append(h.ForeignKeys, schema.ForeignKey{Name: "mdl_forum_ibfk_1", Columns: []string{"level"}, RefTable: "mdl_other", RefColumns: []string{"id"}})
			addIndex(h, schema.Index{Name: "level_2"}, "level")
		}, []string{"foreign-key-extra mdl_forum_ibfk_1 error"}},
		{"foreign key extra, with an index of its own", my, func(h *schema.Table) {
			h.ForeignKeys = append(h.ForeignKeys, schema.ForeignKey{Name: "x", Columns: []string{"level"}, RefTable: "mdl_other", RefColumns: []string{"id"}})
			addIndex(h, schema.Index{Name: "report"}, "level")
		}, []string{"index-extra report warning", "foreign-key-extra x error"}},
		{"column of a foreign key and a check missing", "", func(h *schema.Table) {
			dropColumn(h, "status")
			dropColumn(h, "course")
			h.ForeignKeys, h.Checks = h.ForeignKeys[1:], h.Checks[1:]
			drop(h, "cou_ix", "couuse_uix")
		}, nil},
		{"check missing", "", func(h *schema.Table) { h.Checks = h.Checks[:1] }, []string{"check-missing level_enum warning"}},
		{"check with fewer values", "", func(h *schema.Table) { h.Checks[0].Expression = "status IN ('open')" }, []string{"check-different status_enum warning"}},
		{"check of another sort", "", func(h *schema.Table) { h.Checks[1].Expression = "level > -2" }, []string{"check-different level_enum warning"}},
		{"check turned round", "", func(h *schema.Table) { h.Checks[0].Expression = "status NOT IN ('open','shut')" }, []string{"check-different status_enum warning"}},
		{"check not enforced", my, func(h *schema.Table) { h.Checks[0].NotEnforced = true }, []string{"check-different status_enum warning"}},
		{"check extra", "", func(h *schema.Table) {
			h.Checks = append(h.Checks, schema.Check{Name: "x", Expression: "course > 0"})
		}, []string{"check-extra x warning"}},
		{"check extra on a column that has one", "", func(h *schema.Table) {
			h.Checks = append(h.Checks, schema.Check{Name: "a", Expression: "level < 9"})
		}, []string{"check-extra a warning"}},
		{"check extra on no column", "", func(h *schema.Table) {
			h.Checks = append(h.Checks, schema.Check{Name: "x", Expression: "false"})
		}, []string{"check-extra x warning"}},
		{"check of an extra column", "", func(h *schema.Table) {
			addColumn(h, "extra")
			h.Checks = append(h.Checks, schema.Check{Name: "x", Expression: "extra > 0"})
		}, nil},
		{"check of MariaDB's JSON", schema.MariaDB, func(h *schema.Table) {
			h.Column("intro").Type.Name = "json"
			h.Checks = append(h.Checks, schema.Check{Name: "intro", Expression: "json_valid(`intro`)"})
		}, nil},
		{"check for JSON in a text", "", func(h *schema.Table) {
			h.Checks = append(h.Checks, schema.Check{Name: "x", Expression: "json_valid(intro)"})
		}, []string{"check-extra x warning"}},
		{"trigger", "", func(h *schema.Table) {
			h.Triggers = []schema.Trigger{{Name: "x", Event: "before insert"}}
		}, []string{"trigger-extra x warning"}},
		{"rule", schema.Postgres, func(h *schema.Table) {
			h.Triggers = []schema.Trigger{{Name: "x", Event: "on insert", Rule: true}}
		}, []string{"trigger-extra x warning"}},
	}
	for _, engine := range []schema.Engine{schema.Postgres, schema.MySQL, schema.MariaDB} {
		var own []tableCase
		for _, tc := range cases {
			if tc.engine != "" && tc.engine != engine {
				continue
			}
			change := tc.change
			tc.engine = engine
			tc.change = func(h *schema.Table) {
				foundTotaraTable(engine)(h)
				change(h)
			}
			own = append(own, tc)
		}
		runTables(t, own, totaraTable)
	}
}

func TestConstraintsOfTwoLiveTables(t *testing.T) {
	want := forumTable(schema.Postgres)
	want.Checks = []schema.Check{{Name: "a", Expression: "(course > 0) AND (\"user\" > 0)"}, {Name: "b", Expression: "id > 0"}}
	want.Triggers = []schema.Trigger{{Name: "t", Event: "after update"}}
	want.ForeignKeys = []schema.ForeignKey{{Name: "f", Columns: []string{"course", "user"}, RefTable: "mdl_x", RefColumns: []string{"a", "b"}}}
	have := clone(want)
	have.Checks = []schema.Check{{Name: "c", Expression: "course > 0 and \"user\" > 0"}, {Name: "d", Expression: "id > 1"}}
	have.Triggers = append(have.Triggers, schema.Trigger{Name: "t", Event: "before update"})
	have.ForeignKeys = []schema.ForeignKey{{Name: "g", Columns: []string{"user", "course"}, RefTable: "mdl_x", RefColumns: []string{"b", "a"}}}
	got := lines(compareTables(schema.Postgres, &want, have, Options{}, nil))
	if d := cmp.Diff([]string{"check-different d warning", "trigger-extra t warning"}, got); d != "" {
		t.Errorf("changes (-want +got):\n%s", d)
	}
}

func TestServersWithoutChecks(t *testing.T) {
	for _, tc := range []struct {
		engine  schema.Engine
		version string
		missing int
	}{
		{schema.MySQL, "5.7.44-log", 2},
		{schema.MySQL, "8.0.15", 2},
		{schema.MySQL, "8.0.16", 2},
		{schema.MySQL, "", 2},
		{schema.MariaDB, "10.1.48-MariaDB", 2},
		{schema.MariaDB, "10.2.1-MariaDB", 2},
		{schema.Postgres, "9.6", 2},
	} {
		want := totaraTable(tc.engine)
		have := clone(want)
		have.Checks = nil
		w := &schema.Schema{Engine: tc.engine, Tables: []schema.Table{want}}
		h := &schema.Schema{Engine: tc.engine, Version: tc.version, Tables: []schema.Table{*have}}
		d := newDiffer(w, h, Options{Prefix: "mdl_", Declared: true})
		d.keysAndIndexes(&w.Tables[0], &h.Tables[0])
		kept := tc.version != "5.7.44-log" && tc.version != "8.0.15" && tc.version != "10.1.48-MariaDB"
		if kept && len(d.changes) != tc.missing || !kept && len(d.changes) != 0 {
			t.Errorf("%s %s: changes %v", tc.engine, tc.version, lines(d.changes))
		}
	}
}

func TestForeignKeyToWhatIsMissing(t *testing.T) {
	want := totaraTable(schema.Postgres)
	have := clone(want)
	have.ForeignKeys, have.Checks = nil, want.Checks
	course := schema.Table{Name: "mdl_course", Columns: []schema.Column{{Name: "id"}}}
	user := schema.Table{Name: "mdl_user", Columns: []schema.Column{{Name: "id"}}}
	w := &schema.Schema{Engine: schema.Postgres, Tables: []schema.Table{course, want, user}}
	h := &schema.Schema{Engine: schema.Postgres, Tables: []schema.Table{*have, {Name: "mdl_user", Columns: []schema.Column{{Name: "key"}}}}}
	d := newDiffer(w, h, Options{Prefix: "mdl_", Declared: true})
	d.keysAndIndexes(&w.Tables[1], &h.Tables[0])
	if len(d.changes) != 0 {
		t.Errorf("unexpected changes %v", lines(d.changes))
	}
	d.renamed = map[string]map[string]string{"mdl_user": {"id": "key"}}
	h.Tables[0].ForeignKeys = []schema.ForeignKey{{Name: "x", Columns: []string{"user"}, RefTable: "mdl_user", RefColumns: []string{"key"}}}
	d.keysAndIndexes(&w.Tables[1], &h.Tables[0])
	if len(d.changes) != 0 {
		t.Errorf("unexpected changes after a renaming %v", lines(d.changes))
	}
}
