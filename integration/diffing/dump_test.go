//go:build integration

package diffing

import (
	"compress/gzip"
	"database/sql"
	"fmt"
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
	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/xmldb"
)

// schemaDump is a dump of the schema of a database, as users make it. MariaDB's
// program is not at hand everywhere: its part is played by SHOW CREATE.
func schemaDump(t *testing.T, s *testdb.Server, url string) string {
	t.Helper()
	switch s.Engine {
	case schema.Postgres:
		return s.Dump(t, url, "--schema-only")
	case schema.MySQL:
		return s.Dump(t, url, "--no-data")
	case schema.MariaDB:
	default:
		t.Fatalf("no dump of %s", s.Engine)
	}
	db := s.SQL(t, url)
	var b strings.Builder
	fmt.Fprintf(&b, "-- MariaDB dump 10.19  Distrib %s\n", s.Version)
	for _, kind := range []struct{ list, show, column string }{
		{"SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type = 'SEQUENCE'", "SEQUENCE", "Create Table"},
		{"SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type IN ('BASE TABLE', 'SYSTEM VERSIONED')", "TABLE", "Create Table"},
		{"SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = DATABASE()", "TRIGGER", "SQL Original Statement"},
		{"SELECT table_name FROM information_schema.views WHERE table_schema = DATABASE()", "VIEW", "Create View"},
	} {
		for _, name := range column(t, db, kind.list, "table_name", "trigger_name") {
			text := column(t, db, "SHOW CREATE "+kind.show+" "+mysql.QuoteIdent(name), kind.column)[0]
			fmt.Fprintf(&b, "DELIMITER ;;\n%s ;;\nDELIMITER ;\n", text)
		}
	}
	return b.String()
}

// column returns one column of the rows of a query, the first that has one of the names.
func column(t *testing.T, db *sql.DB, query string, called ...string) []string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(names, func(n string) bool {
		return slices.ContainsFunc(called, func(c string) bool { return strings.EqualFold(n, c) })
	})
	if at < 0 {
		t.Fatalf("%s: none of %q in %q", query, called, names)
	}
	dest := make([]any, len(names))
	for i := range dest {
		dest[i] = new(any)
	}
	var all []string
	for rows.Next() {
		var text string
		dest[at] = &text
		if err := rows.Scan(dest...); err != nil {
			t.Fatal(err)
		}
		all = append(all, text)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// readDump writes a dump to a file and reads it.
func readDump(t *testing.T, dump string, packed bool) *drift.Side {
	t.Helper()
	file := filepath.Join(t.TempDir(), "schema.sql")
	if packed {
		file += ".gz"
	}
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if packed {
		z := gzip.NewWriter(f)
		if _, err := z.Write([]byte(dump)); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
	} else if _, err := f.WriteString(dump); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if !drift.IsDump(file) {
		t.Errorf("%s is not taken for a dump", file)
	}
	side, err := drift.ReadDump(file, drift.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return side
}

// TestDumpOfAllKinds: a dump shows all changes that the live database shows,
// but for those that are in its rows or in settings of the server.
func TestDumpOfAllKinds(t *testing.T) {
	t.Parallel()
	for _, product := range products() {
		for _, flavour := range flavours() {
			t.Run(string(product)+"/"+flavour, func(t *testing.T) {
				t.Parallel()
				w, _ := allAtOnce(t, product, flavour, func(c driftCase) bool { return !c.data && !c.last && !c.undumped })
				live := w.compare(t)
				dumped, err := drift.Declared(w.site, readDump(t, schemaDump(t, w.server, w.url), true), drift.Options{})
				if err != nil {
					t.Fatal(err)
				}
				dumped.Changes = slices.DeleteFunc(dumped.Changes, func(c diff.Change) bool { return c.Kind == diff.KindDefinition })
				if d := cmp.Diff(lines(live.Changes), lines(dumped.Changes)); d != "" {
					t.Errorf("changes (-live +dump):\n%s", d)
				}
				between, err := drift.Between(w.site, w.read(t), readDump(t, schemaDump(t, w.server, w.url), false), drift.Options{})
				if err != nil {
					t.Fatal(err)
				}
				nothing(t, "the dump differs from its database", between.Changes)
			})
		}
	}
}

// TestDumpOfOddDatabase: a dump of a database with everything in it is read, and
// what cannot be read is told.
func TestDumpOfOddDatabase(t *testing.T) {
	t.Parallel()
	code := driftCode(t, xmldb.Moodle, [][2]string{{subject, subject}})
	for _, flavour := range flavours() {
		t.Run(flavour, func(t *testing.T) {
			t.Parallel()
			w := newWorkbench(t, flavour, code)
			var statements []string
			for _, s := range of(flavour, oddObjects(w.server.Engine)) {
				if !strings.Contains(s, "mdl_odd_broken") && !strings.Contains(s, "nobody here") { // of which no program makes a dump
					statements = append(statements, s)
				}
			}
			w.reset(t, statements...)
			live := w.compare(t)
			dumped, err := drift.Declared(w.site, readDump(t, schemaDump(t, w.server, w.url), false), drift.Options{})
			if err != nil {
				t.Fatal(err)
			}
			var unread []string
			for _, c := range dumped.Changes {
				if c.Code == diff.SourceStatementUnread {
					unread = append(unread, c.Table)
					t.Logf("%+v", c)
				}
			}
			ofRead := func(changes []diff.Change) []string {
				return lines(slices.DeleteFunc(slices.Clone(changes), func(c diff.Change) bool {
					return c.Code == diff.SourceStatementUnread || slices.Contains(unread, c.Table)
				}))
			}
			if d := cmp.Diff(ofRead(live.Changes), ofRead(dumped.Changes)); d != "" {
				t.Errorf("changes (-live +dump):\n%s", d)
			}
			inEveryFormat(t, dumped)
		})
	}
}

// TestUnreadStatement: a statement of a dump that nobody understands is told,
// with its table and line, and the rest is compared.
func TestUnreadStatement(t *testing.T) {
	code := driftCode(t, xmldb.Moodle, [][2]string{{subject, subject}, {plain, plain}})
	for _, flavour := range flavours() {
		t.Run(flavour, func(t *testing.T) {
			w := newWorkbench(t, flavour, code)
			w.reset(t, "ALTER TABLE mdl_plain ADD COLUMN spare int")
			dump := schemaDump(t, w.server, w.url)
			broken := strings.Replace(strings.Replace(dump, "    flag smallint", "    flag % smallint", 1), "  `flag` tinyint", "  `flag` % tinyint", 1)
			if broken == dump {
				t.Fatalf("nothing was broken in\n%s", dump)
			}
			side := readDump(t, broken, false)
			result, err := drift.Declared(code, side, drift.Options{})
			if err != nil {
				t.Fatal(err)
			}
			expectChanges(t, []string{"error source-statement-unread mdl_subject", "warning column-extra mdl_plain spare"}, result)
			for _, c := range result.Changes {
				if c.Code == diff.SourceStatementUnread && (c.Origin.Line == 0 || !strings.HasSuffix(c.Origin.File, "schema.sql")) {
					t.Errorf("the statement stands at %+v", c.Origin)
				}
			}
		})
	}
}

// TestNativeDumps reads the dumps of a real site.
func TestNativeDumps(t *testing.T) {
	dir := os.Getenv("MOODLEDB_TEST_SITE")
	if dir == "" {
		t.Skip("SKIPPED, NOT TESTED: MOODLEDB_TEST_SITE is not set")
	}
	code := rig.LoadCode(t, filepath.Join(dir, "code"))
	for _, name := range []string{"native-mariadb.sql.gz", "native-postgres.sql.gz", "site.sql.gz"} {
		t.Run(name, func(t *testing.T) {
			side, err := drift.ReadDump(filepath.Join(dir, name), drift.ReadOptions{})
			if err != nil {
				t.Fatal(err)
			}
			result, err := drift.Declared(code, side, drift.Options{})
			if err != nil {
				t.Fatal(err)
			}
			nothing(t, name, result.Changes)
		})
	}
}
