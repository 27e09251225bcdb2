//go:build integration

package mysql_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/xmldb"
)

// TestNativeSite compares a site that Moodle's own installer made with what
// its install.xml files declare. MOODLEDB_TEST_SITE names the site's directory:
// code/ and native-mariadb.sql.gz.
func TestNativeSite(t *testing.T) {
	dir := os.Getenv("MOODLEDB_TEST_SITE")
	if dir == "" {
		t.Skip("SKIPPED, NOT TESTED: MOODLEDB_TEST_SITE is not set")
	}
	site, err := xmldb.Load(filepath.Join(dir, "code"), xmldb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range testdb.Sources() {
		t.Run(name, func(t *testing.T) {
			server := testdb.Get(t, name)
			url := server.Database(t)
			server.Load(t, url, filepath.Join(dir, "native-mariadb.sql.gz"))
			live := inspect(t, url)
			want, findings := convert.Declared(site, convert.DeclaredOptions{Engine: server.Engine, Prefix: "mdl_"})
			for _, f := range findings {
				t.Errorf("finding: %+v", f)
			}
			if len(live.Tables) != len(want.Tables) {
				t.Errorf("%d tables live, %d declared", len(live.Tables), len(want.Tables))
			}
			for _, table := range want.Tables {
				got := live.Table(table.Name)
				if got == nil {
					t.Errorf("table %q is not live", table.Name)
					continue
				}
				if diff := cmp.Diff(table, *got, comparing()...); diff != "" {
					t.Errorf("table %q differs (-declared +live):\n%s", table.Name, diff)
				}
			}
		})
	}
}

// TestDeclared makes the tables of the sample site from the DDL of what its code
// declares, and finds what was declared.
func TestDeclared(t *testing.T) {
	site, err := xmldb.Load(filepath.Join("..", "testdata", "site", "code"), xmldb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range testdb.Sources() {
		t.Run(name, func(t *testing.T) {
			server := testdb.Get(t, name)
			want, _ := convert.Declared(site, convert.DeclaredOptions{Engine: server.Engine, Prefix: "mdl_"})
			url := server.Database(t)
			for _, table := range want.Tables {
				server.Exec(t, url, mysql.CreateTable(table))
			}
			live := inspect(t, url)
			if diff := cmp.Diff(want.Tables, live.Tables, comparing()...); diff != "" {
				t.Errorf("tables differ (-declared +live):\n%s", diff)
			}
		})
	}
}

// comparing leaves out what only one side can know: where something is
// declared, how many rows there are, and how the server prints a type.
func comparing() cmp.Options {
	return cmp.Options{
		cmpopts.IgnoreTypes(schema.Origin{}),
		cmpopts.IgnoreFields(schema.Table{}, "Rows", "Bytes", "AutoIncrement"),
		cmpopts.IgnoreFields(schema.Type{}, "Raw", "Width"),
		cmpopts.EquateEmpty(),
	}
}
