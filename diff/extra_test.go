package diff

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/xmldb"
)

func TestExtraTables(t *testing.T) {
	want := &schema.Schema{Tables: []schema.Table{{Name: "mdl_user"}, {Name: "user"}}}
	declared := Options{
		Prefix: "mdl_", Declared: true, Product: xmldb.Moodle,
		Installed: map[string]string{
			"core": "1", "mod_forum": "1", "mod_gone": "1", "local_gone": "1", "local_gone_more": "1", "local_backup": "1",
			"quizaccess_time": "1", "block_here": "1", "forumreport_x": "1",
		},
		OnDisk: []string{"core", "mod_forum", "local_backup", "block_here"},
	}
	totara := declared
	totara.Product = xmldb.Totara
	noPrefix := declared
	noPrefix.Prefix = ""
	unknown := declared
	unknown.Installed, unknown.OnDisk = nil, nil
	noDisk := declared
	noDisk.OnDisk = nil
	live := Options{Prefix: "mdl_"}

	type table struct {
		name      string
		code      Code
		component string
	}
	for _, tc := range []struct {
		name   string
		opts   Options
		tables []table
	}{
		{"other prefixes", declared, []table{
			{"wp_posts", TableOtherPrefix, ""},
			{"phpu_user", TableOtherPrefix, ""},
			{"mdl_", TableOtherPrefix, ""},
			{"pma__bookmark", TableLeftover, ""},
			{"pma_history", TableLeftover, ""},
			{"adodb_logsql", TableLeftover, ""},
		}},
		{"temporary", declared, []table{
			{"mdl_tmp_extuser", TableTemporary, ""},
			{"mdl_temp_log1", TableTemporary, ""},
			{"mdl_backup_ids_temp", TableTemporary, ""},
			{"mdl_backup_files_temp_1a2b", TableTemporary, ""},
			{"mdl_forum_report_summary_counts", TableTemporary, ""},
		}},
		{"leftovers", declared, []table{
			{"mdl_user_bak", TableLeftover, ""},
			{"mdl_user_backup2", TableLeftover, ""},
			{"mdl_user-old", TableLeftover, ""},
			{"mdl_user_old_20240131", TableLeftover, ""},
			{"mdl_user_2024_01_31", TableLeftover, ""},
			{"mdl_user_bak20240131", TableLeftover, ""},
			{"mdl_bak_user", TableLeftover, ""},
			{"mdl_something_copy", TableLeftover, ""},
			{"mdl_pma_bookmark", TableLeftover, ""},
			{"mdl_adodb_logsql", TableLeftover, ""},
			{"MDL_USER_OLD", TableOtherPrefix, ""},
			{"mdl_forum_posts_bak", TableLeftover, ""},
		}},
		{"plugins", declared, []table{
			{"mdl_gone", TablePluginRemoved, "mod_gone"},
			{"mdl_gone_entries", TablePluginRemoved, "mod_gone"},
			{"mdl_gone_entries_old", TablePluginRemoved, "mod_gone"},
			{"mdl_local_gone", TablePluginRemoved, "local_gone"},
			{"mdl_local_gone_less", TablePluginRemoved, "local_gone"},
			{"mdl_local_gone_more", TablePluginRemoved, "local_gone_more"},
			{"mdl_local_gone_more_rows", TablePluginRemoved, "local_gone_more"},
			{"mdl_quizaccess_time_log", TablePluginRemoved, "quizaccess_time"},
			{"mdl_forumreport_x", TablePluginRemoved, "forumreport_x"},
			{"mdl_forum_secret", TableExtra, "mod_forum"},
			{"mdl_block_here", TableExtra, "block_here"},
			{"mdl_local_backup", TableExtra, "local_backup"},
			{"mdl_goner", TableExtra, ""},
			{"mdl_custom", TableExtra, ""},
		}},
		{"nothing known of plugins", unknown, []table{
			{"mdl_gone", TableExtra, ""},
			{"mdl_user_old", TableLeftover, ""},
		}},
		{"no code of plugins known", noDisk, []table{{"mdl_gone", TableExtra, "mod_gone"}}},
		{"tables of Totara in Moodle", declared, []table{
			{"mdl_appraisal_quest_data_1", TableExtra, ""},
			{"mdl_user_devices", TableExtra, ""},
		}},
		{"tables of Totara", totara, []table{
			{"mdl_appraisal_quest_data_12", TableRunTime, ""},
			{"mdl_feedback360_quest_data_3", TableRunTime, ""},
			{"mdl_report_builder_cache_4_1700000000", TableRunTime, ""},
			{"mdl_report_builder_fbq_5_opt", TableRunTime, ""},
			{"mdl_ss_t_1", TableTemporary, ""},
			{"mdl_ss_tables_main", TableTemporary, ""},
			{"mdl_totara_sync_user_clone", TableTemporary, ""},
			{"mdl_user_devices", "", ""},
			{"mdl_badge_issued", "", ""},
			{"mdl_report_builder_other", TableExtra, ""},
			{"mdl_appraisal_quest_data_x", TableExtra, ""},
		}},
		{"without a prefix", noPrefix, []table{
			{"phpu_user", TableLeftover, ""},
			{"b_user", TableLeftover, ""},
			{"b_other", TableExtra, ""},
			{"user_old", TableLeftover, ""},
			{"pma__bookmark", TableLeftover, ""},
			{"gone_rows", TablePluginRemoved, "mod_gone"},
		}},
		{"two live schemas", live, []table{
			{"wp_posts", TableOtherPrefix, ""},
			{"pma_history", TableOtherPrefix, ""},
			{"mdl_user_old", TableExtra, ""},
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, x := range tc.tables {
				d := newDiffer(want, &schema.Schema{}, tc.opts)
				d.extraTable(&schema.Table{Name: x.name})
				got := table{name: x.name}
				if len(d.changes) > 0 {
					got.code, got.component = d.changes[0].Code, d.changes[0].Origin.Component
				}
				if df := cmp.Diff(x, got, cmp.AllowUnexported(table{})); df != "" || len(d.changes) > 1 {
					t.Errorf("(-want +got):\n%s", df)
				}
			}
		})
	}
}

func TestExtraTableThatWasNotRead(t *testing.T) {
	d := newDiffer(&schema.Schema{}, &schema.Schema{}, Options{Declared: true, Prefix: "mdl_", Unread: []string{"mdl_x"}})
	d.extraTable(&schema.Table{Name: "mdl_x"})
	if len(d.changes) != 0 {
		t.Errorf("unexpected changes %v", lines(d.changes))
	}
}

func TestMessageOfACopy(t *testing.T) {
	want := &schema.Schema{Tables: []schema.Table{{Name: "mdl_user"}}}
	d := newDiffer(want, &schema.Schema{}, Options{Declared: true, Prefix: "mdl_"})
	d.extraTable(&schema.Table{Name: "mdl_old_user_bak_20240131"})
	if got := d.changes[0].Message; got != "a table that looks like a copy of mdl_user" {
		t.Errorf("message %q", got)
	}
}

func TestWhatInstallersAdd(t *testing.T) {
	for _, tc := range []struct {
		opts          Options
		table, column string
		want          bool
	}{
		{Options{Declared: true, Product: xmldb.Totara}, "course", "audiencevisible", true},
		{Options{Declared: true, Product: xmldb.Totara}, "pos", "totarasync", true},
		{Options{Declared: true, Product: xmldb.Totara}, "course", "extra", false},
		{Options{Declared: true, Product: xmldb.Totara}, "forum", "rpl", false},
		{Options{Declared: true, Product: xmldb.Moodle}, "course", "audiencevisible", false},
		{Options{Product: xmldb.Totara}, "course", "audiencevisible", false},
	} {
		d := newDiffer(&schema.Schema{}, &schema.Schema{}, tc.opts)
		if got := d.allowedColumn(tc.table, tc.column); got != tc.want {
			t.Errorf("%+v: %t", tc, got)
		}
	}
}

func TestIndexesThatInstallersAdd(t *testing.T) {
	want := schema.Table{Name: "mdl_message_working", Columns: []schema.Column{{Name: "id"}, {Name: "processorid"}}}
	have := clone(want)
	addIndex(have, schema.Index{Name: "x"}, "processorid")
	if got := compareTables(schema.MySQL, &want, have, Options{Product: xmldb.Totara}, nil); len(got) != 0 {
		t.Errorf("unexpected changes in Totara %v", lines(got))
	}
	if got := lines(compareTables(schema.MySQL, &want, have, Options{}, nil)); len(got) != 1 {
		t.Errorf("changes in Moodle %v", got)
	}
}

func TestDefinitions(t *testing.T) {
	twice := forumTable(schema.Postgres)
	addIndex(&twice, schema.Index{Name: "a", Origin: schema.Origin{Component: "mod_forum", File: "x", Line: 30}}, "course")
	addIndex(&twice, schema.Index{Name: "b", Origin: schema.Origin{Component: "mod_forum", File: "x", Line: 31}}, "course", "user")
	s := &schema.Schema{Engine: schema.Postgres, Tables: []schema.Table{twice}}
	d := newDiffer(s, &schema.Schema{}, Options{Declared: true, Prefix: "mdl_"})
	d.definitions()
	if df := cmp.Diff([]string{"definition-duplicate a info"}, lines(d.changes)); df != "" {
		t.Fatalf("changes (-want +got):\n%s", df)
	}
	if c := d.changes[0]; c.Origin.Line != 30 || c.Found != "(course), as in line 11" {
		t.Errorf("change %+v", c)
	}
	d = newDiffer(s, &schema.Schema{}, Options{})
	if d.definitions(); len(d.changes) != 0 {
		t.Errorf("live schemas have definitions: %v", lines(d.changes))
	}
}

// An upgraded site keeps the tables of plugins that are no longer installed.
func TestTablesOfDeprecatedPlugins(t *testing.T) {
	opts := Options{Prefix: "mdl_", Declared: true, Deprecated: []string{"mnetservice_enrol_courses"}}
	have := &schema.Schema{Tables: []schema.Table{{Name: "mdl_mnetservice_enrol_courses"}, {Name: "mdl_other"}}}
	got := Schemas(&schema.Schema{}, have, opts)
	if len(got) != 1 || got[0].Table != "mdl_other" {
		t.Errorf("changes: %+v; want one, of mdl_other", got)
	}
}
