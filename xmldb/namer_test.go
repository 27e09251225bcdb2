package xmldb_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/xmldb"
)

// object is one call of Namer.Name.
type object struct {
	table, fields, suffix, want string
}

func TestNamer(t *testing.T) {
	moodle := func(inUse func(string, string, string) bool) *xmldb.Namer {
		return xmldb.NewNamer("mdl_", xmldb.Moodle, inUse)
	}
	for _, tt := range []struct {
		name    string
		namer   *xmldb.Namer
		objects []object
	}{
		{"abbreviations", moodle(nil), []object{
			{"user", "mnethostid,username", "uix", "mdl_user_mneuse_uix"},
			{"course_modules_completion", "coursemoduleid", "ix", "mdl_courmoducomp_cou_ix"},
			{"a_b__c", "x", "ix", "mdl_abc_x_ix"},
		}},
		{"cut to 30 before the suffix", moodle(nil), []object{
			{"competency_userevidencecomp_more", "userevidenceid,competencyid", "uix", "mdl_compusermore_usecom_uix"},
			{"tool_dataprivacy_ctxexpired_more", "unexpiredroles,expiredroles,third", "ix", "mdl_tooldatactxemore_uneexp_ix"},
		}},
		{"the counter is of the base without suffix", moodle(nil), []object{
			{"tool_lifecycle_process", "id", "pk", "mdl_toollifeproc_id_pk"},
			{"tool_lifecycle_proc_error", "id", "pk", "mdl_toollifeprocerro_id_pk"},
			{"tool_lifecycle_procedure", "id", "pk", "mdl_toollifeproc_id2_pk"},
			{"tool_lifecycle_procedure", "id", "ix", "mdl_toollifeproc_id3_ix"},
		}},
		{"the counter takes the place of the last characters", moodle(nil), []object{
			{"aaaa_bbbb_cccc_dddd", "eee,fff", "ix", "mdl_aaaabbbbccccdddd_eeefff_ix"},
			{"aaaa_bbbb_cccc_dddd", "eee,fff", "ix", "mdl_aaaabbbbccccdddd_eeeff2_ix"},
			{"aaaa_bbbb_cccc_dddd", "eee,fff", "uix", "mdl_aaaabbbbccccdddd_eeef3_uix"},
		}},
		{"names in use are passed over", moodle(func(name, suffix, table string) bool {
			return table == "user" && suffix == "ix" && (name == "mdl_user_aut_ix" || name == "mdl_user_aut2_ix")
		}), []object{
			{"user", "auth", "ix", "mdl_user_aut3_ix"},
			{"user", "auth", "ix", "mdl_user_aut4_ix"},
		}},
		{"no prefix", xmldb.NewNamer("", xmldb.Moodle, nil), []object{{"user", "auth", "ix", "user_aut_ix"}}},
		{"Totara 2.5 counts names, not bases", totara25(t), []object{
			{"goal_item", "id", "ix", "mdl_goalitem_id_ix"},
			{"goal_item", "id", "uix", "mdl_goalitem_id_uix"},
			{"goal_item", "id", "ix", "mdl_goalitem_id2_ix"},
			{"goal_item", "id", "ix", "mdl_goalitem_id3_ix"},
			{"aaaa_bbbb_cccc_dddd", "eee,fff", "ix", "mdl_aaaabbbbccccdddd_eeefff_ix"},
			{"aaaa_bbbb_cccc_dddd", "eee,fff", "ix", "mdl_aaaabbbbccccdddd_eeeff2_ix"},
			{"aaaa_bbbb_cccc_dddd", "eee,fff", "ix", "mdl_aaaabbbbccccdddd_eeeff3_ix"},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, o := range tt.objects {
				got := tt.namer.Name(o.table, strings.Split(o.fields, ","), o.suffix)
				if got != o.want {
					t.Errorf("Name(%s, %s, %s) = %s, want %s", o.table, o.fields, o.suffix, got, o.want)
				}
			}
		})
	}
}

func totara25(t *testing.T) *xmldb.Namer {
	t.Helper()
	return load(t, "testdata/sites/totara25", xmldb.Options{}).NewNamer("mdl_", nil)
}

// TestNamesAreUnique: whatever is named, no name comes twice and none is longer
// than the limit.
func TestNamesAreUnique(t *testing.T) {
	old := totara25(t)
	for name, namer := range map[string]*xmldb.Namer{"counters": xmldb.NewNamer("mdl_", xmldb.Moodle, nil), "old": old} {
		t.Run(name, func(t *testing.T) {
			seen := map[string]bool{}
			rapid.Check(t, func(rt *rapid.T) {
				table := rapid.StringMatching(`[ab]{1,5}(_[ab]{1,5}){0,4}`).Draw(rt, "table")
				fields := rapid.SliceOfN(rapid.StringMatching(`[ab]{1,4}`), 1, 4).Draw(rt, "fields")
				suffix := rapid.SampledFrom([]string{"pk", "ix", "uix", "fts"}).Draw(rt, "suffix")
				got := namer.Name(table, fields, suffix)
				if seen[got] {
					rt.Fatalf("%s is given twice", got)
				}
				seen[got] = true
				if len(got) > 30 && name == "counters" || !strings.HasSuffix(got, "_"+suffix) {
					rt.Fatalf("%s is not a name of up to 30 characters that ends with _%s", got, suffix)
				}
			})
		})
	}
}

func TestForeignKeyAndCheckNames(t *testing.T) {
	n := xmldb.NewNamer("ttr_", xmldb.Totara, nil)
	for _, tt := range []struct{ got, want string }{
		{n.ForeignKeyName("perform", []string{"a", "b_id"}), "ttr_perform_a_b_id_fk"},
		{n.ForeignKeyName(strings.Repeat("t", 40), []string{"a_field_of_some_length"}), "ttr_0034fbbf8eaae763ab0ca409e9959018_fk"},
		{n.CheckName("perform", "status"), "ttr_performstatus_enum"},
	} {
		if tt.got != tt.want {
			t.Errorf("got %s, want %s", tt.got, tt.want)
		}
	}
}

// TestNamesByEngine: the same site has other counters on MySQL, where a primary
// key has no name.
func TestNamesByEngine(t *testing.T) {
	site := load(t, writeSite(t, components, "mod/form", "mod/formx"), xmldb.Options{})
	for engine, want := range map[schema.Engine][]string{
		schema.Postgres: {"m_lib_id_pk", "m_modform_id_pk", "m_modform_id3_pk"},
		schema.MySQL:    {"", "", ""},
		schema.MariaDB:  {"", "", ""},
	} {
		var got []string
		for _, n := range site.Names(engine, "m_") {
			got = append(got, n.PrimaryKey)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s primary keys (-want +got):\n%s", engine, diff)
		}
	}
}

func TestLimitsFor(t *testing.T) {
	for _, tt := range []struct {
		product                        xmldb.Product
		branch                         int
		table, column, prefix, numbers int
	}{
		{xmldb.Moodle, 0, 53, 63, 10, 38},
		{xmldb.Moodle, 501, 53, 63, 10, 38},
		{xmldb.Moodle, 403, 53, 63, 10, 38},
		{xmldb.Moodle, 402, 28, 30, 0, 38},
		{xmldb.Moodle, 311, 28, 30, 0, 38},
		{xmldb.Moodle, 25, 28, 30, 0, 20},
		{xmldb.Totara, 0, 48, 63, 0, 20},
		{xmldb.Totara, 1703, 48, 63, 0, 20},
		{xmldb.Totara, 1209, 40, 30, 0, 20},
		{xmldb.Totara, 205, 28, 30, 0, 20},
	} {
		l := xmldb.LimitsFor(tt.product, tt.branch)
		if l.TableName != tt.table || l.ColumnName != tt.column || l.Prefix != tt.prefix || l.Number != tt.numbers {
			t.Errorf("LimitsFor(%s, %d) = %+v", tt.product, tt.branch, l)
		}
	}
}
