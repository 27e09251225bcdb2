package xmldb_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/xmldb"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestLoadLayouts reads one small site of each layout of code and compares all
// that is known of it, with the names for PostgreSQL, to a golden file.
func TestLoadLayouts(t *testing.T) {
	for _, name := range []string{"moodle45", "moodle51", "moodle52", "totara25", "totara13"} {
		t.Run(name, func(t *testing.T) {
			root := filepath.Join("testdata", "sites", name)
			site, err := xmldb.Load(root, xmldb.Options{})
			if err != nil {
				t.Fatal(err)
			}
			golden(t, filepath.Join("testdata", name+".golden"), describe(site))
		})
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got); run with -update after a change on purpose:\n%s", file, diff)
	}
}

// describe writes a site as text.
func describe(s *xmldb.Site) string {
	var b strings.Builder
	dir, _ := filepath.Rel(s.Root, s.DirRoot)
	fmt.Fprintf(&b, "site %s version %q release %q branch %d dirroot %s\n", s.Product, s.Version, s.Release, s.Branch, dir)
	fmt.Fprintf(&b, "limits %+v\n", s.Limits)
	fmt.Fprintf(&b, "components %s\n", strings.Join(s.Components, " "))
	names := s.Names(schema.Postgres, "mdl_")
	for _, f := range s.Files {
		fmt.Fprintf(&b, "\nfile %s %s version %s comment %q\n", f.Path, f.Component, f.Version, f.Comment)
		for _, t := range f.Tables {
			describeTable(&b, t, names[0])
			names = names[1:]
		}
	}
	for _, f := range s.Deprecated {
		fmt.Fprintf(&b, "\ndeprecated %s %s tables %d\n", f.Path, f.Component, len(f.Tables))
	}
	b.WriteString("\nfindings\n")
	for _, f := range s.Findings {
		fmt.Fprintf(&b, "  %v\n", f)
	}
	return b.String()
}

func describeTable(b *strings.Builder, t xmldb.Table, n xmldb.TableNames) {
	fmt.Fprintf(b, "  %d table %s %q pk %s\n", t.Line, t.Name, t.Comment, n.PrimaryKey)
	for i, f := range t.Fields {
		fmt.Fprintf(b, "    %d field %s %s", f.Line, f.Name, f.Type)
		if f.Length != 0 {
			fmt.Fprintf(b, " length %d", f.Length)
		}
		if f.HasDecimals {
			fmt.Fprintf(b, " decimals %d", f.Decimals)
		}
		if f.NotNull {
			b.WriteString(" notnull")
		}
		if f.Sequence {
			b.WriteString(" sequence")
		}
		if f.Default != nil {
			fmt.Fprintf(b, " default %q", *f.Default)
		}
		if f.AllowedValues != nil {
			fmt.Fprintf(b, " allowed %q as %s", f.AllowedValues, n.Checks[i])
		}
		b.WriteByte('\n')
	}
	for i, k := range t.Keys {
		fmt.Fprintf(b, "    %d key %s %s %v %s%v", k.Line, k.Name, k.Type, k.Fields, k.RefTable, k.RefFields)
		if k.Enforced() {
			fmt.Fprintf(b, " delete %q update %q deferred %v as %s", k.OnDelete, k.OnUpdate, k.DeferredInstall, n.ForeignKeys[i])
		}
		fmt.Fprintf(b, " index %q\n", n.Keys[i])
	}
	for i, x := range t.Indexes {
		fmt.Fprintf(b, "    %d index %s unique %v %v hints %v as %q %q\n", x.Line, x.Name, x.Unique, x.Fields, x.Hints, n.Indexes[i], n.Patterns[i])
	}
}

func TestLoadRejectsWhatIsNoSite(t *testing.T) {
	empty := t.TempDir()
	file := filepath.Join(empty, "config.php")
	if err := os.WriteFile(file, []byte("<?php\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, root, want string
		opts             xmldb.Options
		notSite          bool
	}{
		{name: "empty directory", root: empty, notSite: true, want: "has neither lib/components.json"},
		{name: "a file", root: file, notSite: true, want: "is not a directory"},
		{name: "missing", root: filepath.Join(empty, "nowhere"), want: "no such file"},
		{name: "unknown product", root: "testdata/sites/moodle45", opts: xmldb.Options{Product: "drupal"}, want: `unknown product "drupal"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := xmldb.Load(tt.root, tt.opts)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want one that says %q", err, tt.want)
			}
			if errors.Is(err, xmldb.ErrNotSite) != tt.notSite {
				t.Errorf("errors.Is(%v, ErrNotSite) = %v, want %v", err, !tt.notSite, tt.notSite)
			}
		})
	}
}

func TestLoadFromTheCodeDirectoryItself(t *testing.T) {
	for _, tt := range []struct{ root, dir string }{{"moodle51", "public"}, {"moodle52", "public"}, {"totara13", "server"}} {
		t.Run(tt.root, func(t *testing.T) {
			whole, err := xmldb.Load(filepath.Join("testdata", "sites", tt.root), xmldb.Options{})
			if err != nil {
				t.Fatal(err)
			}
			code, err := xmldb.Load(filepath.Join("testdata", "sites", tt.root, tt.dir), xmldb.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tableNames(whole), tableNames(code)); diff != "" {
				t.Errorf("tables of the root and of %s differ (-root +%s):\n%s", tt.dir, tt.dir, diff)
			}
		})
	}
}

func tableNames(s *xmldb.Site) []string {
	var all []string
	for _, t := range s.Tables() {
		all = append(all, t.Name)
	}
	return all
}
