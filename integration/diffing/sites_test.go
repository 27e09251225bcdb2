//go:build integration

package diffing

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/diff"
	"github.com/moodledb/moodledb/drift"
	"github.com/moodledb/moodledb/integration/internal/rig"
	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/migrate"
	"github.com/moodledb/moodledb/testdata/site"
	"github.com/moodledb/moodledb/xmldb"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// readSide reads a database.
func readSide(t *testing.T, url string) *drift.Side {
	t.Helper()
	side, err := drift.ReadServer(t.Context(), rig.Parse(t, url), drift.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return side
}

// declaredChanges compares a database with code.
func declaredChanges(t *testing.T, code *xmldb.Site, url string) []diff.Change {
	t.Helper()
	result, err := drift.Declared(code, readSide(t, url), drift.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range result.Notices {
		t.Errorf("notice: %+v", n)
	}
	return result.Changes
}

// nothing fails the test when there is any change.
func nothing(t *testing.T, what string, changes []diff.Change) {
	t.Helper()
	for i, c := range changes {
		if i == 20 {
			t.Errorf("%s: %d changes in all", what, len(changes))
			break
		}
		t.Errorf("%s: %+v", what, c)
	}
}

// TestNativeSiteHasNoDrift: what Moodle's own installer made is as declared.
// MOODLEDB_TEST_SITE names the directory of a real site.
func TestNativeSiteHasNoDrift(t *testing.T) {
	dir := os.Getenv("MOODLEDB_TEST_SITE")
	if dir == "" {
		t.Skip("SKIPPED, NOT TESTED: MOODLEDB_TEST_SITE is not set")
	}
	code := rig.LoadCode(t, filepath.Join(dir, "code"))
	for _, flavour := range flavours() {
		dumps := []string{"native-mariadb.sql.gz", "site.sql.gz"}
		if strings.HasPrefix(flavour, "postgres") {
			dumps = []string{"native-postgres.sql.gz"}
		}
		for _, dump := range dumps {
			t.Run(flavour+"/"+dump, func(t *testing.T) {
				server := testdb.Get(t, flavour)
				url := server.Database(t)
				if !server.Engine.IsMySQL() {
					server.Role(t, "moodle", url) // owns the tables in the dump
				}
				server.Load(t, url, filepath.Join(dir, dump))
				nothing(t, dump, declaredChanges(t, code, url))
			})
		}
	}
}

// TestDeclaredSiteHasNoDrift: what convert declares is found as it was declared,
// of every version of Moodle that there is code of.
func TestDeclaredSiteHasNoDrift(t *testing.T) {
	for _, code := range []*xmldb.Site{rig.SampleCode(t), driftCode(t, xmldb.Moodle, nil), driftCode(t, xmldb.Totara, [][2]string{{bound, bound}})} {
		for _, flavour := range flavours() {
			t.Run(code.Release+"/"+flavour, func(t *testing.T) {
				w := newWorkbench(t, flavour, code)
				_, statements := installer(w.server.Engine, code)
				w.make = append(w.make[:1], strings.Join(statements, ";\n"))
				w.reset(t)
				changes := declaredChanges(t, code, w.url)
				// What is wrong with the code is reported whatever the database is.
				changes = slices.DeleteFunc(changes, func(c diff.Change) bool { return c.Kind == diff.KindDefinition })
				nothing(t, "declared", changes)
			})
		}
	}
}

// TestMigratedSiteHasNoDrift: a migration makes what is declared, and what the
// source has beyond that.
func TestMigratedSiteHasNoDrift(t *testing.T) {
	for _, s := range rig.Sites() {
		for _, servers := range rig.Pairs() {
			t.Run(s.Name+"/"+servers[0]+"/"+servers[1], func(t *testing.T) {
				p := rig.NewPair(t, servers[0], servers[1])
				s.Load(t, p)
				p.Open(t)
				code := s.Code(t)
				p.Migrate(t, migrate.Options{Site: code, Owner: "moodle"})
				source, target := readSide(t, p.SourceURL), readSide(t, p.TargetURL)
				result, err := drift.Between(code, source, target, drift.Options{})
				if err != nil {
					t.Fatal(err)
				}
				nothing(t, "source and target", result.Changes)
				if result, err = drift.Between(nil, source, target, drift.Options{}); err != nil {
					t.Fatal(err)
				}
				nothing(t, "source and target without code", result.Changes)
				changes := declaredChanges(t, code, p.TargetURL)
				if s.Native == "" {
					// What the source has beyond its code is there, but for views.
					golden(t, "sample-drift-migrated.txt", strings.Join(lines(changes), "\n")+"\n")
					return
				}
				nothing(t, "target", changes)
			})
		}
	}
}

// TestSampleSiteDrift: the bundled site has drift on purpose.
func TestSampleSiteDrift(t *testing.T) {
	for _, flavour := range testdb.Sources() {
		t.Run(flavour, func(t *testing.T) {
			server := testdb.Get(t, flavour)
			url := server.Database(t)
			file := filepath.Join(t.TempDir(), "site.sql")
			if err := os.WriteFile(file, []byte(site.SQL()), 0o600); err != nil {
				t.Fatal(err)
			}
			server.Load(t, url, file)
			golden(t, "sample-drift.txt", strings.Join(lines(declaredChanges(t, rig.SampleCode(t), url)), "\n")+"\n")
		})
	}
}

// TestAcrossEngines compares a site on every source with the same site on every
// target, both made by their own installers.
func TestAcrossEngines(t *testing.T) {
	code := driftCode(t, xmldb.Moodle, [][2]string{{subject, subject}, {plain, plain}, {keyless, keyless}, {paths, paths}})
	sides := map[string]*drift.Side{}
	for _, flavour := range flavours() {
		w := newWorkbench(t, flavour, code)
		w.reset(t)
		sides[flavour] = w.read(t)
	}
	for _, from := range flavours() {
		for _, to := range flavours() {
			result, err := drift.Between(code, sides[from], sides[to], drift.Options{})
			if err != nil {
				t.Fatal(err)
			}
			nothing(t, from+" to "+to, result.Changes)
			if result, err = drift.Between(nil, sides[from], sides[to], drift.Options{}); err != nil {
				t.Fatal(err)
			}
			// Nobody says then that a datetime of MySQL, which has no fractions, may have some on PostgreSQL.
			nothing(t, from+" to "+to+" without code", slices.DeleteFunc(result.Changes, func(c diff.Change) bool { return c.Object == "moment" }))
		}
	}
}

// TestDefinitions: what is wrong with install.xml files is told where it stands.
func TestDefinitions(t *testing.T) {
	code := driftCode(t, xmldb.Moodle, [][2]string{{"twice", doubled}, {"unkeyed", keyless}})
	for _, flavour := range flavours() {
		t.Run(flavour, func(t *testing.T) {
			w := newWorkbench(t, flavour, code)
			w.reset(t)
			result, err := drift.Declared(code, readSide(t, w.url), drift.Options{})
			if err != nil {
				t.Fatal(err)
			}
			expectChanges(t, []string{"info definition-duplicate mdl_twice mdl_twic_pat2_ix", "warning definition-invalid mdl_unkeyed"}, result)
			for _, c := range result.Changes {
				if c.Origin.File != "lib/db/install.xml" || c.Origin.Line == 0 || c.Origin.Component != "core" {
					t.Errorf("%s stands at %+v", c.Code, c.Origin)
				}
			}
		})
	}
}

// golden compares text with a file of testdata, which -update rewrites.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-want +got):\n%s", name, d)
	}
}
