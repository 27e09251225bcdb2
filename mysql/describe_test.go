//go:build integration

package mysql_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/schema"
)

// update rewrites golden files instead of comparing with them.
var update = flag.Bool("update", false, "rewrite golden files")

// golden compares text with a file in testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", name, diff)
	}
}

// describe prints everything of a schema that does not depend on the version of the server.
func describe(s schema.Schema) string {
	var b strings.Builder
	for _, t := range s.Tables {
		fmt.Fprintf(&b, "table %q engine=%s format=%s collation=%s auto=%d partitioned=%t versioned=%t comment=%q\n",
			t.Name, t.StorageEngine, t.RowFormat, t.Collation, t.AutoIncrement, t.Partitioned, t.SystemVersioned, t.Comment)
		for _, c := range t.Columns {
			fmt.Fprintf(&b, "  column %q %s\n", c.Name, describeColumn(c))
		}
		for _, x := range t.Indexes {
			fmt.Fprintf(&b, "  index %q %s primary=%t unique=%t invisible=%t comment=%q", x.Name, x.Method, x.Primary, x.Unique, x.Invisible, x.Comment)
			for _, p := range x.Parts {
				fmt.Fprintf(&b, " [%s%s prefix=%d desc=%t]", p.Column, p.Expression, p.Prefix, p.Descending)
			}
			b.WriteByte('\n')
		}
		for _, fk := range t.ForeignKeys {
			fmt.Fprintf(&b, "  foreign key %+v\n", fk)
		}
		for _, c := range t.Checks {
			fmt.Fprintf(&b, "  check %q %s notenforced=%t\n", c.Name, c.Expression, c.NotEnforced)
		}
	}
	for _, v := range s.Views {
		fmt.Fprintf(&b, "view %q %s\n", v.Name, strings.ReplaceAll(v.Definition, s.Name, "DATABASE"))
	}
	for _, q := range s.Sequences {
		fmt.Fprintf(&b, "sequence %+v\n", q)
	}
	return b.String()
}

func describeColumn(c schema.Column) string {
	t := c.Type
	text := t.Name
	for _, n := range []struct {
		name  string
		value int64
	}{{"length", t.Length}, {"precision", int64(t.Precision)}, {"scale", int64(t.Scale)}} {
		if n.value != 0 {
			text += fmt.Sprintf(" %s=%d", n.name, n.value)
		}
	}
	for _, f := range []struct {
		name string
		set  bool
	}{
		{"unsigned", t.Unsigned},
		{"zerofill", t.Zerofill},
		{"notnull", c.NotNull},
		{"autoincrement", c.AutoIncrement},
		{"invisible", c.Invisible},
	} {
		if f.set {
			text += " " + f.name
		}
	}
	for _, f := range []struct{ name, value string }{
		{"values", strings.Join(t.Values, "|")},
		{"default." + string(c.Default.Kind), c.Default.Text},
		{"onupdate", c.OnUpdate},
		{"generated." + string(c.Generated), c.Expression},
		{"collation", c.Collation},
		{"comment", c.Comment},
	} {
		if f.value != "" || f.name == "default.literal" {
			text += fmt.Sprintf(" %s=%q", f.name, f.value)
		}
	}
	return text
}
