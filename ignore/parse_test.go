package ignore_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/ignore"
)

const full = `# What our site accepts.
version: 1
ignore:
  - code: table-extra
    table: "local_report_*"
    reason: "BI reads it, ticket 123"
  - code: [index-extra, "index-*"]
    table:
      - user
      - 'mdl_course'
    object: "userid, courseid"
    component: "mod_*"
    reason: >
      Two lines,
      folded to one
    expires: 2027-01-31
  - {object: id, reason: short, expires: "2028-02-29"}
`

func TestParse(t *testing.T) {
	got, err := ignore.Parse([]byte(full), ".moodledb.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want := ignore.Rules{
		{
			Code: []string{"table-extra"}, Table: []string{"local_report_*"},
			Reason: "BI reads it, ticket 123", File: ".moodledb.yaml", Line: 4,
		},
		{
			Code: []string{"index-extra", "index-*"}, Table: []string{"user", "mdl_course"},
			Object: []string{"userid,courseid"}, Component: []string{"mod_*"},
			Reason: "Two lines, folded to one", Expires: time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC),
			File: ".moodledb.yaml", Line: 7,
		},
		{
			Object: []string{"id"}, Reason: "short", Expires: time.Date(2028, 2, 29, 0, 0, 0, 0, time.UTC),
			File: ".moodledb.yaml", Line: 17,
		},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("rules (-want +got):\n%s", d)
	}
}

func TestFilesWithoutRules(t *testing.T) {
	for name, text := range map[string]string{
		"empty list":               "version: 1\nignore: []\n",
		"nothing after the colon":  "version: 1\nignore:\n  # - code: table-extra\n",
		"byte order mark":          "\ufeffversion: 1\nignore: []\n",
		"carriage returns":         "version: 1\r\nignore: []\r\n",
		"document marks":           "---\nversion: 1\nignore: []\n...\n",
		"an anchor without a use":  "version: &v 1\nignore: []\n",
		"keys in another order":    "ignore: []\nversion: 1\n",
		"a comment after the end":  "version: 1\nignore: []\n# end",
		"the JSON that YAML holds": `{"version": 1, "ignore": []}`,
	} {
		t.Run(name, func(t *testing.T) {
			rules, err := ignore.Parse([]byte(text), "f")
			if err != nil || len(rules) != 0 {
				t.Errorf("Parse = %v, %v; want no rules and no error", rules, err)
			}
		})
	}
}

// rule makes the file of one rule, whose lines begin with line 3.
func rule(lines ...string) string {
	return "version: 1\nignore:\n  - " + strings.Join(lines, "\n    ") + "\n"
}

func TestFaults(t *testing.T) {
	const reason = "reason: r"
	for _, tc := range []struct{ name, text, want string }{
		{"empty", "", `f:1: the file holds nothing; begin with version: 1`},
		{"comments only", "# nothing\n", `f:1: the file holds nothing; begin with version: 1`},
		{"a null document", "---\n", `f:2: the file must have the form key: value, with the keys version, ignore`},
		{"a list", "- code: x\n", `f:1: the file must have the form key: value, with the keys version, ignore`},
		{"text", "hello\n", `f:1: the file must have the form key: value, with the keys version, ignore`},
		{"no version", "ignore: []\n", `f:1: version is missing; begin with version: 1`},
		{"version in quotes", "version: \"1\"\nignore: []\n", `f:1: version must be the number 1`},
		{"a list as version", "version: [1]\nignore: []\n", `f:1: version must be the number 1`},
		{"a later version", "version: 2\nignore: []\n", `f:1: version "2" is not known; write version: 1, or use a later moodledb`},
		{"no rules", "version: 1\n", `f:1: ignore is missing; it is the list of rules`},
		{"rules as a mapping", "version: 1\nignore:\n  code: x\n", `f:3: ignore must be a list of rules, each with a - before its first line`},
		{"a rule as text", rule("table-extra"), `f:3: a rule must have the form key: value, with the keys code, table, object, component, reason, expires`},
		{"two documents", "version: 1\nignore: []\n---\nversion: 1\n", `f:3: a second document begins; put all rules into the first one`},
		{"an unknown key", rule("cod: table-extra", reason), `f:3: unknown key "cod"; did you mean code?`},
		{"an unknown key like none", rule("severity: error", "table: x", reason), `f:3: unknown key "severity"; the keys of a rule are code, table, object, component, reason, expires`},
		{"an unknown key of the file", "version: 1\nignores: []\n", "f:1: ignore is missing; it is the list of rules\nf:2: unknown key \"ignores\"; did you mean ignore?"},
		{"a key twice", rule("table: a", "table: b", reason), `f:4: table is there twice, first on line 3; remove one, or make a list`},
		{"a list as key", rule("[table]: a", reason), `f:3: a key of a rule is no word; its keys are code, table, object, component, reason, expires`},
		{"an unknown code", rule("code: table-extr", reason), `f:3: unknown code "table-extr"; did you mean table-extra?`},
		{"a code in capitals", rule("code: Table-Extra", reason), `f:3: unknown code "Table-Extra"; did you mean table-extra?`},
		{"a code like none", rule("code: nonsense-of-mine-x", reason), `f:3: unknown code "nonsense-of-mine-x"; docs/drift.md lists them all`},
		{"a glob over no code", rule(`code: "tabel-*"`, reason), `f:3: no code matches "tabel-*"; docs/drift.md lists them all`},
		{"the second of three codes", rule("code:", "  - table-extra", "  - tabel-extra", "  - index-extra", reason), `f:5: unknown code "tabel-extra"; did you mean table-extra?`},
		{"a code as a number", rule("code: 12", reason), `f:3: code must be text; put "12" in quotes`},
		{"a table as a date", rule("table: 2027-01-31", reason), `f:3: table must be text; put "2027-01-31" in quotes`},
		{"a table as a mapping", rule("table: {a: b}", reason), `f:3: table must be text`},
		{"a list in a list", rule("table: [[a]]", reason), `f:3: table must be text`},
		{"a table without a name", rule("table:", reason), `f:3: table is empty`},
		{"a table of blanks", rule(`table: "  "`, reason), `f:3: table is empty`},
		{"an empty list of tables", rule("table: []", reason), `f:3: table is an empty list; fill it, or leave it out`},
		{"a bad glob", rule(`table: "a[b"`, reason), `f:3: table has a bad glob "a[b"; close each [, and write \[ for the character itself`},
		{"a bad glob after a good one", rule("table:", `  - "a*"`, `  - "[]"`, reason), `f:5: table has a bad glob "[]"; close each [, and write \[ for the character itself`},
		{"a bad glob at the end", rule(`table: 'a\'`, reason), `f:3: table has a bad glob "a\\"; close each [, and write \[ for the character itself`},
		{"a glob without quotes", rule("table: *", reason), "f:3: not YAML: "},
		{"a glob without quotes that looks like an alias", rule("table: *_tmp", reason), "f:3: not YAML: "},
		{"a glob without quotes that looks like a list", rule("table: [ab]*", reason), "f:3: not YAML: "},
		{"an alias", rule("table: &t abc", "object: *t", reason), `f:4: the alias "*t" is not followed; write its text, or put it in quotes when it is a glob`},
		{"an alias in a list", rule("table: &t abc", "object: [*t]", reason), `f:4: the alias "*t" is not followed; write its text, or put it in quotes when it is a glob`},
		{"an alias of a date", rule("table: &t 2027-01-31", "expires: *t", reason), "f:3: table must be text; put \"2027-01-31\" in quotes\nf:4: the alias \"*t\" is not followed; write its text, or put it in quotes when it is a glob"},
		{"a merge", "version: 1\nignore:\n  - &a {table: x, reason: r}\n  - <<: *a\n    reason: r\n", `f:4: unknown key "<<"; the keys of a rule are code, table, object, component, reason, expires`},
		{"no reason", rule("table: a"), `f:3: the rule has no reason; say why the difference is accepted`},
		{"an empty reason", rule("table: a", "reason:"), `f:4: reason is empty`},
		{"a blank reason", rule("table: a", `reason: " \n "`), `f:4: reason is empty`},
		{"a number as reason", rule("table: a", "reason: 123"), `f:4: reason must be text; put "123" in quotes`},
		{"a reason that moves the cursor", rule("table: a", `reason: "a\e[2J"`), `f:4: reason has a control character; remove it`},
		{"a date that there is not", rule("table: a", reason, "expires: 2027-02-30"), `f:5: expires must be a day such as 2027-01-31, not "2027-02-30"`},
		{"a date in another order", rule("table: a", reason, "expires: 31.01.2027"), `f:5: expires must be a day such as 2027-01-31, not "31.01.2027"`},
		{"a date with a time", rule("table: a", reason, "expires: 2027-01-31T10:00:00Z"), `f:5: expires must be a day such as 2027-01-31, not "2027-01-31T10:00:00Z"`},
		{"no date", rule("table: a", reason, "expires:"), `f:5: expires must be a day such as 2027-01-31`},
		{"a list of dates", rule("table: a", reason, "expires: [2027-01-31]"), `f:5: expires must be a day such as 2027-01-31`},
		{"nothing but a reason", rule(reason), `f:3: the rule names nothing; give it a code, a table, an object or a component`},
		{"everything, as a code", rule(`code: "*"`, reason), `f:3: the rule would ignore everything; name what is accepted: a code, a table, an object or a component`},
		{"everything, as all parts", rule(`code: "*-*"`, `table: "**"`, `object: ["a", "*"]`, `component: "*"`, reason), `f:3: the rule would ignore everything; name what is accepted: a code, a table, an object or a component`},
		{"tabs", "version: 1\nignore:\n\t- table: a\n", "f:3: not YAML: "},
		{"invalid UTF-8", "version: 1\n# gr\xfc\xdfe\nignore: []\n", `f:2: not UTF-8; save the file in that encoding`},
		{"a lost quote", rule(`table: "a`, reason), "not YAML: "},
		{"too deep", "version: " + strings.Repeat("[", 1000) + strings.Repeat("]", 1000), "f:1: not YAML: "},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rules, err := ignore.Parse([]byte(tc.text), "f")
			if err == nil {
				t.Fatalf("Parse = %v, want an error", rules)
			}
			var fileErr *ignore.FileError
			if !errors.As(err, &fileErr) {
				t.Errorf("the error is a %T, want *ignore.FileError", err)
			}
			if got := err.Error(); got != tc.want && (!strings.HasSuffix(tc.want, ": ") || !strings.Contains(got, tc.want)) {
				t.Errorf("error\n%s\nwant\n%s", got, tc.want)
			}
		})
	}
}

func TestGlobsWithoutQuotesGetAHint(t *testing.T) {
	for _, line := range []string{"table: *", "table: *_tmp", "table: [ab]*", "table: ?x: y: z"} {
		_, err := ignore.Parse([]byte(rule(line, "reason: r")), "f")
		if err == nil || !strings.Contains(err.Error(), "put globs in quotes") {
			t.Errorf("%s: error %v, want a hint on quotes", line, err)
		}
	}
}

func TestAllFaultsAreReported(t *testing.T) {
	_, err := ignore.Parse([]byte(`version: 3
ignore:
  - code: tabel-extra
    expires: soon
  - table: "["
    reason: r
`), "f")
	want := `f:1: version "3" is not known; write version: 1, or use a later moodledb
f:3: unknown code "tabel-extra"; did you mean table-extra?
f:3: the rule has no reason; say why the difference is accepted
f:4: expires must be a day such as 2027-01-31, not "soon"
f:5: table has a bad glob "["; close each [, and write \[ for the character itself`
	if err == nil || err.Error() != want {
		t.Errorf("error\n%v\nwant\n%s", err, want)
	}
}

func TestManyFaultsAreCounted(t *testing.T) {
	_, err := ignore.Parse([]byte("version: 1\nignore:\n"+strings.Repeat("  - x\n", 50)), "f")
	var fileErr *ignore.FileError
	if !errors.As(err, &fileErr) || len(fileErr.Faults) != 50 {
		t.Fatalf("error %v, want 50 faults", err)
	}
	if !strings.HasSuffix(err.Error(), "\nf: and 30 more") {
		t.Errorf("the error ends in %q", err.Error()[strings.LastIndex(err.Error(), "\n"):])
	}
}

func TestBombs(t *testing.T) {
	bomb := "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
	for i := 'b'; i < 'k'; i++ {
		bomb += fmt.Sprintf("%c: &%c [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c, ", i-1), 10), ", "))
	}
	for name, text := range map[string]string{
		"aliases":       bomb + "version: 1\nignore: *j\n",
		"a loop":        "version: 1\nignore: &a [*a]\n",
		"a large file":  "version: 1\nignore: []\n#" + strings.Repeat("x", 1<<20),
		"many keys":     "version: 1\n" + strings.Repeat("? ", 30000),
		"many brackets": "version: 1\nignore: " + strings.Repeat("[", 500000),
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			if _, err := ignore.Parse([]byte(text), "f"); err == nil {
				t.Error("no error")
			} else if len(err.Error()) > 10000 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
			if d := time.Since(start); d > 20*time.Second {
				t.Errorf("took %s", d)
			}
		})
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, ".moodledb.yaml")
	if _, err := ignore.Load(file); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	if _, err := ignore.Load(dir); err == nil || !strings.HasPrefix(err.Error(), "read the ignore file: ") {
		t.Errorf("a directory: %v", err)
	}
	if err := os.WriteFile(file, []byte(full), 0o600); err != nil {
		t.Fatal(err)
	}
	rules, err := ignore.Load(file)
	if err != nil || len(rules) != 3 || rules[0].File != file {
		t.Errorf("Load = %v, %v", rules, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(full)
	f.Add(rule("code: table-extr", `object: "[a-"`, "expires: 2027-02-30"))
	f.Add("version: 1\nignore: &a [*a]\n---\n<<: *a\n")
	f.Add("? [a: {b}]\n: |\n  x\n")
	f.Fuzz(func(t *testing.T, text string) {
		rules, err := ignore.Parse([]byte(text), "f")
		if err != nil {
			if len(rules) != 0 || !strings.HasPrefix(err.Error(), "f:") {
				t.Errorf("%d rules and the error %v", len(rules), err)
			}
			return
		}
		for _, r := range rules {
			if strings.TrimSpace(r.Reason) == "" || r.Line < 1 {
				t.Errorf("rule %+v has no reason or no line", r)
			}
		}
		kept, _, _ := rules.Apply(someChanges(), time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC))
		if len(kept) == 0 && len(rules) == 1 && len(rules[0].Code)+len(rules[0].Table)+len(rules[0].Object)+len(rules[0].Component) == 0 {
			t.Errorf("rule %+v ignores everything", rules[0])
		}
	})
}
