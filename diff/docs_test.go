package diff_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/diff"
)

var update = flag.Bool("update", false, "rewrite the generated page")

// TestDocs holds docs/drift.md against the codes.
func TestDocs(t *testing.T) {
	const path = "../docs/drift.md"
	page := driftPage(t)
	if *update {
		if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(page, string(got)); d != "" {
		t.Errorf("%s differs from the codes; run go test ./diff -run TestDocs -update (-codes +page):\n%s", path, d)
	}
}

// sections are the parts of the page: a title, and the kinds of objects in it.
func sections() []struct {
	title string
	kinds []diff.Kind
} {
	return []struct {
		title string
		kinds []diff.Kind
	}{
		{"Tables and views", []diff.Kind{diff.KindTable, diff.KindView}},
		{"Columns", []diff.Kind{diff.KindColumn}},
		{"Sequences and counters", []diff.Kind{diff.KindSequence}},
		{"Primary keys", []diff.Kind{diff.KindPrimaryKey}},
		{"Indexes", []diff.Kind{diff.KindIndex}},
		{"Foreign keys", []diff.Kind{diff.KindForeignKey}},
		{"CHECK constraints", []diff.Kind{diff.KindCheck}},
		{"Triggers", []diff.Kind{diff.KindTrigger}},
		{"Definitions", []diff.Kind{diff.KindDefinition}},
		{"What could not be read", []diff.Kind{diff.KindSource}},
	}
}

const driftHead = `# Drift: every difference that diff knows

<!-- Generated from diff.Codes by "go test ./diff -run TestDocs -update"; do not edit. -->

` + "`moodledb diff`" + ` compares a database with what the ` + "`install.xml`" + ` files of the site's code declare, or with another
database. Each difference has one of the codes below. Codes are permanent: [ignore rules](ignore.md), baselines and
[JSON](json.md) name them, and a later release may add codes but never renames one.

| severity | meaning |
| --- | --- |
| error | the application or an upgrade will break, or data can be lost |
| warning | behaviour or performance differs |
| info | to be known, without consequences |

A severity with a condition behind it is another one in that case. ` + "`--fail-on`" + ` says which severity makes the exit code 1. What to do is
a short form of the hint that each difference carries; ` + "`--format sql`" + ` prints the statements.

## What is no difference

Objects are matched by what they are, never by what they are called. These are the same, and are not reported:

- the display width of integers: ` + "`int(11)`" + ` and ` + "`int`" + `; Moodle's own ` + "`tinyint(1)`" + ` holds -128 to 127 everywhere
- names of indexes and keys: they depend on the history of a site
- a unique constraint where a unique index is declared, and the other way round
- the order of the columns of a table
- comments
- the spelling of a default: ` + "`0`" + `, ` + "`'0'`" + ` and ` + "`0.00000`" + `, or ` + "`''::character varying`" + ` and ` + "`''`" + `
- the spelling of a type, an engine or a version by different servers
- what the installers of Moodle and Totara make outside of ` + "`install.xml`" + `, such as the full-text indexes of the simple search
- the collation of a site on MySQL and MariaDB, as long as its columns have the same one; ` + "`--collation`" + ` says which one it should be

`

// driftPage prints the codes as a page for people.
func driftPage(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString(driftHead)
	printed := 0
	for _, section := range sections() {
		fmt.Fprintf(&b, "## %s\n\n| code | severity | what is found | why it matters | what to do |\n| --- | --- | --- | --- | --- |\n", section.title)
		for _, kind := range section.kinds {
			for _, s := range diff.Codes() {
				if s.Kind != kind {
					continue
				}
				printed++
				severity := string(s.Severity)
				if s.Also != "" {
					severity += "; " + s.Also
				}
				fmt.Fprintf(&b, "| <a id=%q></a>`%s` | %s | %s | %s | %s |\n", s.Code, s.Code, cell(severity), cell(s.Title), cell(s.Why), cell(s.Hint))
			}
		}
		b.WriteString("\n")
	}
	if printed != len(diff.Codes()) {
		t.Errorf("%d of %d codes are on the page; give the new kind of object a section", printed, len(diff.Codes()))
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// cell escapes what a table of Markdown takes for its own.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "*", `\*`, "<", "&lt;", "_", `\_`).Replace(text)
}
