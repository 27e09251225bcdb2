package drift_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/diff"
	"github.com/moodledb/moodledb/drift"
	"github.com/moodledb/moodledb/ignore"
	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/testdata/site"
	"github.com/moodledb/moodledb/xmldb"
)

// sample is the code of the bundled site.
func sample(t *testing.T) *xmldb.Site {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, site.Code()); err != nil {
		t.Fatal(err)
	}
	s, err := xmldb.Load(dir, xmldb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ddl is the schema that the code declares, as a dump; change spoils it before.
func ddl(t *testing.T, code *xmldb.Site, opts convert.DeclaredOptions, change func(*schema.Schema)) string {
	t.Helper()
	s, _ := convert.Declared(code, opts)
	if change != nil {
		change(&s)
	}
	if opts.Engine == schema.Postgres {
		return "-- PostgreSQL database dump\n" + postgres.Script(postgres.Statements("public", &s))
	}
	title := map[schema.Engine]string{schema.MariaDB: "MariaDB", schema.MySQL: "MySQL"}[opts.Engine]
	var b strings.Builder
	fmt.Fprintf(&b, "-- %s dump\n", title)
	for _, table := range s.Tables {
		b.WriteString(mysql.CreateTable(table) + ";\n")
	}
	return b.String()
}

// dump writes a dump to a file.
func dump(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// read reads a dump.
func read(t *testing.T, text string) *drift.Side {
	t.Helper()
	side, err := drift.ReadDump(dump(t, "schema.sql", text), drift.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return side
}

// codes lists the changes as "code table.object", without those about the code itself.
func codes(changes []diff.Change) []string {
	list := []string{}
	for _, c := range changes {
		if c.Kind != diff.KindDefinition {
			list = append(list, fmt.Sprintf("%s %s.%s", c.Code, c.Table, c.Object))
		}
	}
	return list
}

func TestDeclared(t *testing.T) {
	code := sample(t)
	for _, engine := range []schema.Engine{schema.MariaDB, schema.MySQL, schema.Postgres} {
		for _, tc := range []struct {
			name   string
			opts   convert.DeclaredOptions
			change func(*schema.Schema)
			want   []string
		}{
			{name: "as declared", want: []string{}},
			{name: "with another prefix", opts: convert.DeclaredOptions{Prefix: "m2_"}, want: []string{}},
			{
				name: "in another collation", opts: convert.DeclaredOptions{Collation: "utf8mb4_bin"}, want: []string{},
			},
			{
				name:   "a column is gone",
				change: func(s *schema.Schema) { u := s.Table("mdl_user"); u.Columns = drop(u.Columns, "lastname") },
				want:   []string{"column-missing mdl_user.lastname"},
			},
		} {
			t.Run(string(engine)+"/"+tc.name, func(t *testing.T) {
				opts := tc.opts
				opts.Engine = engine
				if opts.Prefix == "" {
					opts.Prefix = "mdl_"
				}
				side := read(t, ddl(t, code, opts, tc.change))
				r, err := drift.Declared(code, side, drift.Options{FailOn: diff.Warning})
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(tc.want, codes(r.Changes)); d != "" {
					t.Errorf("changes (-want +got):\n%s", d)
				}
				if r.Failed != (len(tc.want) > 0) {
					t.Errorf("failed: %t", r.Failed)
				}
				if r.Prefix != opts.Prefix || r.Tables != len(code.Tables()) || r.Found.Kind != drift.Dump || r.Found.Engine != engine {
					t.Errorf("result: %+v", r)
				}
			})
		}
	}
}

// drop leaves a column out.
func drop(columns []schema.Column, name string) []schema.Column {
	var kept []schema.Column
	for _, c := range columns {
		if c.Name != name {
			kept = append(kept, c)
		}
	}
	return kept
}

func TestOldCharsetIsNoticed(t *testing.T) {
	code := sample(t)
	side := read(t, ddl(t, code, convert.DeclaredOptions{Engine: schema.MariaDB, Prefix: "mdl_", Charset: "utf8mb3", Collation: "utf8mb3_unicode_ci"}, nil))
	r, err := drift.Declared(code, side, drift.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{}, codes(r.Changes)); d != "" {
		t.Errorf("changes (-want +got):\n%s", d)
	}
	if len(r.Notices) != 1 || r.Notices[0].Code != "site-charset" {
		t.Errorf("notices: %+v", r.Notices)
	}
}

// What a table holds is compared across engines, and across prefixes.
func TestBetween(t *testing.T) {
	code := sample(t)
	of := func(engine schema.Engine, prefix string, change func(*schema.Schema)) *drift.Side {
		return read(t, ddl(t, code, convert.DeclaredOptions{Engine: engine, Prefix: prefix}, change))
	}
	shorter := func(s *schema.Schema) {
		c := s.Table("mdl_user").Column("lastname")
		c.Type.Length, c.Type.Raw = 20, ""
	}
	for _, tc := range []struct {
		name            string
		expected, found *drift.Side
		site            *xmldb.Site
		want            []string
	}{
		{"same", of(schema.MariaDB, "mdl_", nil), of(schema.MariaDB, "mdl_", nil), nil, []string{}},
		{"MariaDB and MySQL", of(schema.MariaDB, "mdl_", nil), of(schema.MySQL, "mdl_", nil), nil, []string{}},
		{"another prefix", of(schema.Postgres, "a_", nil), of(schema.Postgres, "mdl_", nil), nil, []string{}},
		{"MariaDB and PostgreSQL", of(schema.MariaDB, "mdl_", nil), of(schema.Postgres, "mdl_", nil), nil, []string{}},
		{"PostgreSQL and MySQL", of(schema.Postgres, "mdl_", nil), of(schema.MySQL, "mdl_", nil), nil, []string{}},
		{"with code", of(schema.MySQL, "mdl_", nil), of(schema.Postgres, "mdl_", nil), code, []string{}},
		{"a short column", of(schema.MySQL, "mdl_", nil), of(schema.MySQL, "mdl_", shorter), code, []string{"column-length-short mdl_user.lastname"}},
		{"a short column across engines", of(schema.MySQL, "mdl_", nil), of(schema.Postgres, "mdl_", shorter), nil, []string{"column-length-short mdl_user.lastname"}},
		{"a longer column across engines", of(schema.Postgres, "mdl_", shorter), of(schema.MySQL, "mdl_", nil), nil, []string{"column-length-long mdl_user.lastname"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r, err := drift.Between(tc.site, tc.expected, tc.found, drift.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tc.want, codes(r.Changes)); d != "" {
				t.Errorf("changes (-want +got):\n%s", d)
			}
			for _, c := range r.Changes {
				if (tc.site != nil) != c.Origin.Declared() {
					t.Errorf("origin with code %t: %+v", tc.site != nil, c.Origin)
				}
			}
		})
	}
}

func TestFixesNeedTheDialect(t *testing.T) {
	code := sample(t)
	from := read(t, ddl(t, code, convert.DeclaredOptions{Engine: schema.Postgres, Prefix: "mdl_"}, nil))
	to := read(t, ddl(t, code, convert.DeclaredOptions{Engine: schema.MySQL, Prefix: "mdl_"}, nil))
	if _, err := drift.Between(nil, from, to, drift.Options{Fixes: true}); err == nil || !strings.Contains(err.Error(), "mysql") {
		t.Errorf("statements for MySQL from PostgreSQL: %v", err)
	}
	if _, err := drift.Between(nil, to, from, drift.Options{Fixes: true}); err != nil {
		t.Error(err)
	}
}

func TestRulesAndBaseline(t *testing.T) {
	code := sample(t)
	side := read(t, ddl(t, code, convert.DeclaredOptions{Engine: schema.MariaDB, Prefix: "mdl_"}, func(s *schema.Schema) {
		u := s.Table("mdl_user")
		u.Columns = drop(drop(u.Columns, "lastname"), "firstname")
	}))
	rules, err := ignore.Parse([]byte("version: 1\nignore:\n  - object: lastname\n    reason: gone for good\n  - code: table-extra\n    reason: none is there\n"), "rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	r, err := drift.Declared(code, side, drift.Options{Rules: rules, FailOn: diff.Error, Now: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"column-missing mdl_user.firstname"}, codes(r.Changes)); d != "" || !r.Failed {
		t.Errorf("failed %t, changes (-want +got):\n%s", r.Failed, d)
	}
	if len(r.Ignored) != 1 || len(r.Notices) != 1 || r.Notices[0].Code != "ignore-unused" || r.Notices[0].Line != 5 {
		t.Errorf("ignored %+v, notices %+v", r.Ignored, r.Notices)
	}
}

func TestReadDump(t *testing.T) {
	code := sample(t)
	text := ddl(t, code, convert.DeclaredOptions{Engine: schema.MariaDB, Prefix: "mdl_"}, nil)
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	prefix := "other_"
	for _, tc := range []struct {
		name    string
		file    string
		opts    drift.ReadOptions
		wantErr string
	}{
		{"compressed", dump(t, "a.sql.gz", zipped.String()), drift.ReadOptions{}, ""},
		{"compressed by another name", dump(t, "a.sql", zipped.String()), drift.ReadOptions{}, ""},
		{"cut off", dump(t, "a.sql.gz", zipped.String()[:zipped.Len()/2]), drift.ReadOptions{}, "unexpected EOF"},
		{"an archive", dump(t, "a.sql", "PGDMP\x01\x02"), drift.ReadOptions{}, "pg_restore"},
		{"empty", dump(t, "a.sql", ""), drift.ReadOptions{}, "it makes no table"},
		{"no site", dump(t, "a.sql", "CREATE TABLE t (a int) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;"), drift.ReadOptions{}, "holds no Moodle site"},
		{"another prefix", dump(t, "a.sql", text), drift.ReadOptions{Prefix: &prefix}, `no table has the prefix "other_"`},
		{"not there", filepath.Join(t.TempDir(), "a.sql"), drift.ReadOptions{}, "no such file"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := drift.ReadDump(tc.file, tc.opts)
			switch {
			case tc.wantErr == "" && err != nil:
				t.Error(err)
			case tc.wantErr != "" && (err == nil || !strings.Contains(err.Error(), tc.wantErr)):
				t.Errorf("error %v, want one with %q", err, tc.wantErr)
			}
		})
	}
}

// A statement that cannot be read is a finding, and its table is not missing.
func TestUnreadStatement(t *testing.T) {
	code := sample(t)
	text := ddl(t, code, convert.DeclaredOptions{Engine: schema.MariaDB, Prefix: "mdl_"}, nil)
	text = strings.Replace(text, "CREATE TABLE `mdl_user` (", "CREATE TABLE `mdl_user` (\n  nobody can % read this,", 1)
	r, err := drift.Declared(code, read(t, text), drift.Options{FailOn: diff.Error})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"source-statement-unread mdl_user."}, codes(r.Changes)); d != "" || !r.Failed {
		t.Errorf("failed %t, changes (-want +got):\n%s", r.Failed, d)
	}
	for _, c := range r.Changes {
		if c.Code == diff.SourceStatementUnread && (c.Origin.Line == 0 || !strings.HasSuffix(c.Origin.File, "schema.sql")) {
			t.Errorf("origin: %+v", c.Origin)
		}
	}
}

func TestIsDump(t *testing.T) {
	for place, want := range map[string]bool{
		"schema.sql": true, "/a/b/SCHEMA.SQL": true, "x.sql.gz": true, "config.php": false, "/var/www/moodle": false,
		"mysql://root@host/a.sql": false, "postgres://h/db": false, "": false,
	} {
		if got := drift.IsDump(place); got != want {
			t.Errorf("IsDump(%q) = %t, want %t", place, got, want)
		}
	}
}

func Example() {
	code, err := xmldb.Load("/var/www/moodle", xmldb.Options{})
	if err != nil {
		fmt.Println("no code here")
		return
	}
	found, err := drift.ReadDump("schema.sql", drift.ReadOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := drift.Declared(code, found, drift.Options{FailOn: diff.Warning, Now: time.Now()})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range result.Changes {
		fmt.Println(c.Severity, c.Table, c.Object, c.Message)
	}
	// Output: no code here
}
