//go:build integration

package mysql_test

import (
	"compress/gzip"
	"context"
	"database/sql"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/schema"
)

// showCreate dumps a database by what SHOW CREATE says, as mysqldump and
// mariadb-dump do, in their order: tables with their triggers, sequences, views.
func showCreate(t *testing.T, s *testdb.Server, url string) string {
	t.Helper()
	db := s.SQL(t, url)
	var b strings.Builder
	fmt.Fprintf(&b, "-- Server version\t%s\n", s.Version)
	for _, kind := range []struct{ list, show, prefix string }{
		{"SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type = 'SEQUENCE'", "SHOW CREATE SEQUENCE", ""},
		{"SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type IN ('BASE TABLE', 'SYSTEM VERSIONED')", "SHOW CREATE TABLE", ""},
		{"SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = DATABASE()", "SHOW CREATE TRIGGER", ""},
		{"SELECT table_name FROM information_schema.views WHERE table_schema = DATABASE()", "SHOW CREATE VIEW", ""},
	} {
		for _, name := range column(t, db, kind.list, 0) {
			at := 1
			if strings.HasSuffix(kind.show, "TRIGGER") {
				at = 2
			}
			text := column(t, db, kind.show+" "+mysql.QuoteIdent(name), at)[0]
			fmt.Fprintf(&b, "DELIMITER ;;\n%s ;;\nDELIMITER ;\n", text)
		}
	}
	return b.String()
}

// column returns one column of the rows of a query.
func column(t *testing.T, db *sql.DB, query string, at int) []string {
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
	var all []string
	for rows.Next() {
		values := make([]sql.NullString, len(names))
		dest := make([]any, len(names))
		for i := range values {
			dest[i] = &values[i]
		}
		if err := rows.Scan(dest...); err != nil {
			t.Fatal(err)
		}
		all = append(all, values[at].String)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// sameAsInspected compares a dump with the live database that it is of.
func sameAsInspected(t *testing.T, url, dump string) {
	t.Helper()
	began := time.Now()
	got, err := mysql.ReadDump(strings.NewReader(dump), "dump.sql")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("read %d bytes in %v", len(dump), time.Since(began).Round(time.Millisecond))
	for _, u := range got.Unread {
		t.Errorf("unread: %+v", u)
	}
	live, err := open(t, url).Inspect(context.Background(), mysql.InspectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range live.Views {
		// The catalogs name the database in front of every table.
		live.Views[i].Definition = strings.ReplaceAll(live.Views[i].Definition, mysql.QuoteIdent(live.Name)+".", "")
	}
	if len(live.Tables) == 0 {
		t.Error("the database has no tables")
	}
	if diff := cmp.Diff(live, got.Schema, asDumped()); diff != "" {
		t.Errorf("the dump differs (-live +dump):\n%.8000s", diff)
	}
}

// asDumped leaves out what a dump does not tell.
func asDumped() cmp.Options {
	return cmp.Options{
		cmpopts.IgnoreFields(schema.Schema{}, "Name", "Version", "Charset", "Collation"),
		cmpopts.IgnoreFields(schema.Table{}, "Rows", "Bytes", "AutoIncrement"),
		cmpopts.IgnoreFields(schema.Column{}, "Highest", "HighestKnown"),
		cmpopts.EquateEmpty(),
	}
}

// TestReadDump reads dumps of a database with every kind of object, of the
// sample site and of the site of MOODLEDB_TEST_SITE, and finds what Inspect finds.
func TestReadDump(t *testing.T) {
	for _, name := range testdb.Sources() {
		t.Run(name, func(t *testing.T) {
			server := testdb.Get(t, name)
			t.Run("every kind of object", func(t *testing.T) {
				url := server.Database(t)
				server.Exec(t, url, append(forEngine(t, server), statements(t, "dump-objects")...)...)
				readDumps(t, server, url)
			})
			t.Run("sample site", func(t *testing.T) {
				url := server.Database(t)
				server.Load(t, url, filepath.Join("..", "testdata", "site", "site.sql"))
				readDumps(t, server, url)
			})
			t.Run("real site", func(t *testing.T) {
				dir := os.Getenv("MOODLEDB_TEST_SITE")
				if dir == "" {
					t.Skip("SKIPPED, NOT TESTED: MOODLEDB_TEST_SITE is not set")
				}
				url := server.Database(t)
				file := filepath.Join(dir, "native-mariadb.sql.gz")
				server.Load(t, url, file)
				readDumps(t, server, url)
				if server.Engine == schema.MariaDB {
					sameAsInspected(t, url, unzipped(t, file))
				}
			})
		})
	}
}

// readDumps reads dumps of a database of every way there is.
func readDumps(t *testing.T, server *testdb.Server, url string) {
	t.Helper()
	sameAsInspected(t, url, showCreate(t, server, url))
	if server.Engine == schema.MySQL {
		sameAsInspected(t, url, server.Dump(t, url, "--no-data", "--routines", "--triggers", "--no-tablespaces"))
		sameAsInspected(t, url, server.Dump(t, url, "--skip-comments", "--no-tablespaces"))
	}
}

// unzipped returns the text of a packed file.
func unzipped(t *testing.T, file string) string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
