package convert_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/schema"
)

var update = flag.Bool("update", false, "rewrite the golden files and generated pages")

// TestRulesCarryTheirExamples demands of every rule that its own example is
// converted, and that the values of the result have a rule as well.
func TestRulesCarryTheirExamples(t *testing.T) {
	for _, r := range convert.Rules() {
		t.Run(r.Source, func(t *testing.T) {
			in := schema.Column{Name: "c", Type: r.Example, AutoIncrement: strings.Contains(r.Source, "auto_increment")}
			out, findings := convert.LiveColumn(in)
			if convert.HasErrors(findings) {
				t.Fatalf("findings: %v", findings)
			}
			word, _, _ := strings.Cut(r.Target, "(")
			word, _, _ = strings.Cut(word, " with a check")
			if !strings.HasPrefix(out.Type.Raw, word) {
				t.Errorf("becomes %s, the rule says %s", out.Type.Raw, r.Target)
			}
			if _, err := convert.Value(in, out); err != nil {
				t.Errorf("no rule for its values: %v", err)
			}
			if r.Values == "" {
				t.Error("nothing is said about its values")
			}
		})
	}
}

func TestTypes(t *testing.T) {
	for _, tc := range []struct {
		source schema.Type
		auto   bool
		want   string
	}{
		{source: schema.Type{Name: "tinyint", Width: 1, Raw: "tinyint(1)"}, want: "smallint"},
		{source: schema.Type{Name: "tinyint", Unsigned: true}, want: "smallint"},
		{source: schema.Type{Name: "smallint"}, want: "smallint"},
		{source: schema.Type{Name: "smallint", Unsigned: true}, want: "integer"},
		{source: schema.Type{Name: "smallint", Zerofill: true}, want: "integer"},
		{source: schema.Type{Name: "mediumint"}, want: "integer"},
		{source: schema.Type{Name: "mediumint", Unsigned: true}, want: "integer"},
		{source: schema.Type{Name: "int", Width: 11}, want: "integer"},
		{source: schema.Type{Name: "int", Unsigned: true}, want: "bigint"},
		{source: schema.Type{Name: "int"}, auto: true, want: "integer"},
		{source: schema.Type{Name: "int", Unsigned: true}, auto: true, want: "bigint"},
		{source: schema.Type{Name: "bigint"}, want: "bigint"},
		{source: schema.Type{Name: "bigint", Unsigned: true}, want: "numeric(20,0)"},
		{source: schema.Type{Name: "bigint", Unsigned: true}, auto: true, want: "bigint"},
		{source: schema.Type{Name: "decimal", Precision: 65, Scale: 30}, want: "numeric(65,30)"},
		{source: schema.Type{Name: "float", Precision: 7, Scale: 3}, want: "real"},
		{source: schema.Type{Name: "double"}, want: "double precision"},
		{source: schema.Type{Name: "double"}, auto: true, want: "bigint"},
		{source: schema.Type{Name: "bit"}, want: "bit(1)"},
		{source: schema.Type{Name: "bit", Length: 64}, want: "bit(64)"},
		{source: schema.Type{Name: "year"}, want: "smallint"},
		{source: schema.Type{Name: "char"}, want: "character varying(1)"},
		{source: schema.Type{Name: "varchar", Length: 16383}, want: "character varying(16383)"},
		{source: schema.Type{Name: "tinytext"}, want: "text"},
		{source: schema.Type{Name: "enum", Values: []string{"a", "größer"}}, want: "character varying(6)"},
		{source: schema.Type{Name: "enum", Values: []string{""}}, want: "character varying(1)"},
		{source: schema.Type{Name: "set", Values: []string{"a"}}, want: "text"},
		{source: schema.Type{Name: "json", Raw: "longtext"}, want: "json"},
		{source: schema.Type{Name: "binary", Length: 16}, want: "bytea"},
		{source: schema.Type{Name: "longblob"}, want: "bytea"},
		{source: schema.Type{Name: "multipolygon"}, want: "bytea"},
		{source: schema.Type{Name: "date"}, want: "date"},
		{source: schema.Type{Name: "datetime"}, want: "timestamp(0) without time zone"},
		{source: schema.Type{Name: "datetime", Precision: 6}, want: "timestamp(6) without time zone"},
		{source: schema.Type{Name: "timestamp", Precision: 3}, want: "timestamp(3) with time zone"},
		{source: schema.Type{Name: "time", Precision: 2}, want: "interval(2)"},
		{source: schema.Type{Name: "uuid"}, want: "uuid"},
		{source: schema.Type{Name: "inet4"}, want: "inet"},
		{source: schema.Type{Name: "inet6"}, want: "inet"},
	} {
		name := fmt.Sprintf("%s unsigned=%v auto=%v %d", tc.source.Name, tc.source.Unsigned, tc.auto, tc.source.Length)
		t.Run(name, func(t *testing.T) {
			out, findings := convert.LiveColumn(schema.Column{Name: "c", Type: tc.source, AutoIncrement: tc.auto})
			if convert.HasErrors(findings) {
				t.Fatalf("findings: %v", findings)
			}
			if out.Type.Raw != tc.want {
				t.Errorf("became %s, want %s", out.Type.Raw, tc.want)
			}
		})
	}
}

func TestUnknownTypeIsAnError(t *testing.T) {
	out, findings := convert.LiveColumn(schema.Column{Name: "c", Type: schema.Type{Name: "xmltype", Raw: "xmltype"}})
	want := []convert.Finding{{
		Code: convert.CodeUnknownType, Severity: convert.Error, Column: "c",
		Message: `column "c" has the type xmltype, for which there is no rule`,
		Hint:    "change the type at the source, or exclude the table",
	}}
	if diff := cmp.Diff(want, findings); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(schema.Column{}, out); diff != "" {
		t.Errorf("a column was made (-want +got):\n%s", diff)
	}
}

// TestTypesPage holds docs/types.md against the rules.
func TestTypesPage(t *testing.T) {
	const path = "../docs/types.md"
	page := typesPage()
	if *update {
		if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(page, string(got)); diff != "" {
		t.Errorf("%s differs from the rules; run go test ./convert -update (-rules +page):\n%s", path, diff)
	}
}

// typesPage prints the rules as a page for people.
func typesPage() string {
	var b strings.Builder
	b.WriteString(`# Types of MySQL and MariaDB on PostgreSQL

<!-- Generated from convert.Rules by "go test ./convert -update"; do not edit. -->

Tables, columns and indexes that an install.xml declares get the types that Moodle's own installer gives them on
PostgreSQL. This page is about all else that a source has: tables that an application makes while it runs, leftovers of
plugins, columns that somebody added. Their columns follow these rules, and so do their values.

A type that is not here stops the migration before it starts.

| source | target | values arrive | notes |
| --- | --- | --- | --- |
`)
	for _, r := range convert.Rules() {
		source := "`" + r.Source + "`"
		var notes []string
		if r.Since != "" {
			notes = append(notes, r.Since+".")
		}
		if len(r.Aliases) > 0 {
			aliases := slices.Clone(r.Aliases)
			for i := range aliases {
				aliases[i] = "`" + aliases[i] + "`"
			}
			notes = append(notes, "Also called "+strings.Join(aliases, ", ")+".")
		}
		if r.Note != "" {
			notes = append(notes, r.Note)
		}
		cells := []string{source, r.Target, r.Values, strings.Join(notes, " ")}
		for i := range cells {
			cells[i] = strings.ReplaceAll(cells[i], "|", `\|`)
		}
		fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | "))
	}
	b.WriteString(`
Besides, for what is not declared:

- AUTO_INCREMENT becomes a serial column, whose sequence is called table_column_seq as PostgreSQL calls it, and goes on
  where the source's counter stands.
- Literal defaults are kept; a zero date is not. Of the expressions, CURRENT_TIMESTAMP and its synonyms, CURDATE(), UUID(),
  UNIX_TIMESTAMP(), RAND(), JSON_ARRAY(), JSON_OBJECT() and constants are translated. What has no equal is dropped, and reported.
- Generated columns become ordinary ones with the values that they have. ON UPDATE, UNSIGNED, ZEROFILL, INVISIBLE and
  CHECK constraints are dropped, and reported.
- An index on the beginning of a column is made on the whole column where that fits PostgreSQL's limit of 2704 bytes and
  is not unique; otherwise on the expression left(column, n). Long columns that MariaDB keeps unique get an index on md5(column).
- FULLTEXT becomes a GIN index on to_tsvector('simple', column). SPATIAL, VECTOR and functional indexes are left out, and reported.
- Indexes keep their names where these are free in the whole schema, and get names like Moodle's otherwise.
- Foreign keys are made when all rows are there, if what they refer to is migrated, unique, and of a type that fits.
- Views, triggers, routines and events are not migrated.
`)
	return b.String()
}
