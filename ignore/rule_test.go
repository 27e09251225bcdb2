package ignore_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/diff"
	"github.com/moodledb/moodledb/ignore"
	"github.com/moodledb/moodledb/schema"
)

// someChanges are one of each kind that rules tell apart.
func someChanges() []diff.Change {
	forum := schema.Origin{Component: "mod_forum", File: "mod/forum/db/install.xml", Line: 7}
	return []diff.Change{
		{Code: diff.TableExtra, Severity: diff.Warning, Kind: diff.KindTable, Table: "mdl_local_report_a", Short: "local_report_a"},
		{Code: diff.ColumnMissing, Severity: diff.Error, Kind: diff.KindColumn, Table: "mdl_forum", Short: "forum", Object: "intro", Origin: forum},
		{
			Code: diff.IndexExtra, Severity: diff.Warning, Kind: diff.KindIndex, Table: "mdl_forum", Short: "forum",
			Object: "mdl_foru_usecou_ix", Columns: []string{"userid", "courseid"}, Origin: forum,
		},
		{Code: diff.TableOtherPrefix, Severity: diff.Info, Kind: diff.KindTable, Table: "wp_posts", Short: "wp_posts"},
		{Code: diff.SourceStatementUnread, Severity: diff.Error, Kind: diff.KindSource, Table: "mdl_odd/name", Short: "odd/name"},
	}
}

// names says which changes are there: their code, table and object.
func names(changes []diff.Change) []string {
	var out []string
	for _, c := range changes {
		out = append(out, strings.TrimSuffix(string(c.Code)+" "+c.Short+" "+c.Object, " "))
	}
	return out
}

func changesOf(ignored []ignore.Ignored) []diff.Change {
	var out []diff.Change
	for _, i := range ignored {
		out = append(out, i.Change)
	}
	return out
}

func TestRulesMatch(t *testing.T) {
	const (
		table  = "table-extra local_report_a"
		column = "column-missing forum intro"
		index  = "index-extra forum mdl_foru_usecou_ix"
		other  = "table-other-prefix wp_posts"
		source = "source-statement-unread odd/name"
	)
	for _, tc := range []struct {
		name  string
		lines []string
		want  []string
	}{
		{"a code", []string{"code: table-extra"}, []string{table}},
		{"a glob over codes", []string{`code: "table-*"`}, []string{table, other}},
		{"a list of codes", []string{"code: [column-missing, index-extra]"}, []string{column, index}},
		{"a name without the prefix", []string{"table: forum"}, []string{column, index}},
		{"a full name", []string{"table: mdl_forum"}, []string{column, index}},
		{"a glob over full names", []string{`table: "mdl_f*"`}, []string{column, index}},
		{"a glob over the prefix with a code", []string{`table: "mdl_*"`, "code: table-extra"}, []string{table}},
		{"tables of another prefix", []string{`table: "wp_*"`}, []string{other}},
		{"part of a name is not enough", []string{"table: foru"}, nil},
		{"another case is another name", []string{"table: Forum"}, nil},
		{"a column", []string{"object: intro"}, []string{column}},
		{"an index by its name", []string{`object: "mdl_foru_*"`}, []string{index}},
		{"an index by its columns", []string{`object: "userid, courseid"`}, []string{index}},
		{"an index by some columns", []string{`object: "userid,*"`}, []string{index}},
		{"columns in another order", []string{`object: "courseid,userid"`}, nil},
		{"any object, and none", []string{"table: local_report_a", `object: "*"`}, []string{table}},
		{"any object but none", []string{`object: "?*"`, `table: "*"`, `code: ["table-*", "column-*"]`}, []string{column}},
		{"a component", []string{`component: "mod_*"`}, []string{column, index}},
		{"all parts must match", []string{`component: "mod_*"`, "code: table-extra"}, nil},
		{"an error, and what could not be read", []string{`code: "source-*"`}, []string{source}},
		{"a star goes over a slash", []string{`table: "odd*"`}, []string{source}},
		{"a slash is a character", []string{`table: "odd[/]nam?"`}, []string{source}},
		{"a character that is not", []string{`table: "[^l]o*"`}, []string{column, index}},
		{"an escaped character", []string{`table: 'foru\m'`}, []string{column, index}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rules, err := ignore.Parse([]byte(rule(append(tc.lines, "reason: r")...)), "f")
			if err != nil {
				t.Fatal(err)
			}
			kept, ignored, problems := rules.Apply(someChanges(), time.Now())
			if d := cmp.Diff(tc.want, names(changesOf(ignored))); d != "" {
				t.Errorf("ignored (-want +got):\n%s", d)
			}
			if len(kept)+len(ignored) != len(someChanges()) {
				t.Errorf("kept %v, ignored %v", names(kept), names(changesOf(ignored)))
			}
			if unused := len(problems) == 1 && problems[0].Code == ignore.Unused; unused != (len(tc.want) == 0) || len(problems) > 1 {
				t.Errorf("problems: %+v", problems)
			}
		})
	}
}

func TestApplyKeepsTheOrder(t *testing.T) {
	rules := ignore.Rules{{Code: []string{"column-missing"}, Reason: "r", Line: 3}, {Table: []string{"forum"}, Reason: "s", Line: 5}}
	kept, ignored, problems := rules.Apply(someChanges(), time.Now())
	if d := cmp.Diff([]string{"table-extra local_report_a", "table-other-prefix wp_posts", "source-statement-unread odd/name"}, names(kept)); d != "" {
		t.Errorf("kept (-want +got):\n%s", d)
	}
	if len(ignored) != 2 || ignored[0].Rule.Line != 3 || ignored[1].Rule.Line != 5 {
		t.Errorf("ignored %+v, want each by the first rule that matches", ignored)
	}
	if problems != nil {
		t.Errorf("problems: %+v", problems)
	}
}

func TestARuleBehindAnotherIsUsed(t *testing.T) {
	rules := ignore.Rules{{Table: []string{"forum"}, Reason: "r"}, {Code: []string{"column-missing"}, Reason: "s"}}
	if _, _, problems := rules.Apply(someChanges(), time.Now()); problems != nil {
		t.Errorf("problems: %+v", problems)
	}
}

func TestNoRulesKeepEverything(t *testing.T) {
	kept, ignored, problems := ignore.Rules(nil).Apply(someChanges(), time.Now())
	if len(kept) != len(someChanges()) || ignored != nil || problems != nil {
		t.Errorf("kept %d, ignored %v, problems %v", len(kept), ignored, problems)
	}
}

func TestExpiry(t *testing.T) {
	east := time.FixedZone("east", 14*3600)
	for _, tc := range []struct {
		name    string
		now     time.Time
		expired bool
	}{
		{"the day before", time.Date(2027, 1, 30, 12, 0, 0, 0, time.UTC), false},
		{"the end of the day itself", time.Date(2027, 1, 31, 23, 59, 59, 999, time.UTC), false},
		{"the day after", time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC), true},
		{"the day itself where it began early", time.Date(2027, 1, 31, 23, 0, 0, 0, east), false},
		{"the day after where it began early", time.Date(2027, 2, 1, 1, 0, 0, 0, east), true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rules, err := ignore.Parse([]byte(rule("table: forum", "reason: r", "expires: 2027-01-31")), "f")
			if err != nil {
				t.Fatal(err)
			}
			_, ignored, problems := rules.Apply(someChanges(), tc.now)
			if tc.expired {
				want := []ignore.Problem{{
					Code: ignore.Expired, Rule: rules[0], Message: "the rule expired on 2027-01-31; without it: 2 changes",
					Hint: "repair what it is about, or decide anew and give it a later date",
				}}
				if d := cmp.Diff(want, problems); d != "" || len(ignored) != 0 {
					t.Errorf("ignored %d, problems (-want +got):\n%s", len(ignored), d)
				}
			} else if len(ignored) != 2 || len(problems) != 0 {
				t.Errorf("ignored %d, problems %+v", len(ignored), problems)
			}
		})
	}
}

func TestAnExpiredRuleGivesWayToAnother(t *testing.T) {
	past := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	rules := ignore.Rules{{Table: []string{"forum"}, Reason: "r", Expires: past, Line: 3}, {Table: []string{"forum"}, Reason: "s", Line: 6}}
	_, ignored, problems := rules.Apply(someChanges(), past.AddDate(1, 0, 0))
	if len(ignored) != 2 || ignored[0].Rule.Line != 6 || len(problems) != 1 || problems[0].Code != ignore.Expired {
		t.Errorf("ignored %+v, problems %+v", ignored, problems)
	}
}

func TestAnExpiredRuleThatMatchesNothing(t *testing.T) {
	past := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	rules := ignore.Rules{{Table: []string{"nothing"}, Reason: "r", Expires: past}}
	_, _, problems := rules.Apply(someChanges(), past.AddDate(1, 0, 0))
	want := []ignore.Problem{{
		Code: ignore.Expired, Rule: rules[0],
		Message: "the rule expired on 2020-01-01, and matches nothing any more", Hint: "remove the rule",
	}}
	if d := cmp.Diff(want, problems); d != "" {
		t.Errorf("problems (-want +got):\n%s", d)
	}
}

func TestARuleForTheWholePrefixIsNotApplied(t *testing.T) {
	rules := ignore.Rules{{Table: []string{"mdl_*"}, Reason: "r"}}
	kept, _, problems := rules.Apply(someChanges(), time.Now())
	if len(kept) != len(someChanges()) || len(problems) != 1 || problems[0].Code != ignore.Everything {
		t.Errorf("kept %d, problems %+v", len(kept), problems)
	}
}
