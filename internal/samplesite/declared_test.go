package samplesite

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/xmldb"
)

// The file was written by rules of its own; it must have the columns and the
// indexes that package convert declares, under the same names.
func TestAgreesWithDeclared(t *testing.T) {
	site, err := xmldb.Load(codeDir, xmldb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	sql, err := os.ReadFile(sqlFile)
	if err != nil {
		t.Fatal(err)
	}
	created := createdTables(string(sql))
	declared, _ := convert.Declared(site, convert.DeclaredOptions{
		Engine: schema.MariaDB, Prefix: Prefix, Charset: "utf8mb4", Collation: "utf8mb4_unicode_ci",
	})
	for _, table := range declared.Tables {
		var want []string
		for _, c := range table.Columns {
			want = append(want, c.Name)
		}
		for _, x := range table.Indexes {
			// The search's own installer adds its full-text index to a table that exists.
			if !x.Primary && x.Method != "fulltext" {
				want = append(want, x.Name)
			}
		}
		slices.Sort(want)
		if diff := cmp.Diff(want, created[table.Name]); diff != "" {
			t.Errorf("table %s (-declared +file):\n%s", table.Name, diff)
		}
	}
}

// createdTables returns the sorted names of columns and indexes of each table
// that is created, by the first name on each line of its definition.
func createdTables(sql string) map[string][]string {
	create := regexp.MustCompile("(?s)CREATE TABLE `([^`]+)` \\((.*?)\n\\)")
	name := regexp.MustCompile("(?m)^  (?:(?:UNIQUE )?KEY )?`([^`]+)`")
	tables := map[string][]string{}
	for _, m := range create.FindAllStringSubmatch(sql, -1) {
		for _, n := range name.FindAllStringSubmatch(m[2], -1) {
			tables[m[1]] = append(tables[m[1]], strings.ToLower(n[1]))
		}
		slices.Sort(tables[m[1]])
	}
	return tables
}
