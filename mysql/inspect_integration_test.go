//go:build integration

package mysql_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/dsn"
	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/schema"
)

// open connects to a test database.
func open(t *testing.T, url string) *mysql.DB {
	t.Helper()
	d, err := dsn.Parse(url, dsn.Options{Getenv: func(string) string { return "" }, Home: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	db, err := mysql.Open(context.Background(), d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// inspect reads a test database.
func inspect(t *testing.T, url string) schema.Schema {
	t.Helper()
	s, err := open(t, url).Inspect(context.Background(), mysql.InspectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// statements reads testdata/NAME.sql: statements that end in ";" at the end of a line.
func statements(t *testing.T, name string) []string {
	t.Helper()
	src, err := os.ReadFile(filepath.Join("testdata", name+".sql"))
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for s := range strings.SplitSeq(string(src), ";\n") {
		if s = strings.TrimSpace(s); s != "" {
			list = append(list, s)
		}
	}
	return list
}

// only returns the statements for one server: common ones and its own.
func forEngine(t *testing.T, s *testdb.Server) []string {
	t.Helper()
	return append(statements(t, "objects"), statements(t, "objects-"+string(s.Engine))...)
}

// TestInspectGolden compares what Inspect finds with golden DDL, which is the
// same for all servers of an engine.
func TestInspectGolden(t *testing.T) {
	for _, name := range testdb.Sources() {
		t.Run(name, func(t *testing.T) {
			server := testdb.Get(t, name)
			url := server.Database(t)
			server.Exec(t, url, forEngine(t, server)...)
			got := inspect(t, url)
			golden(t, "objects-"+string(server.Engine)+".golden", describe(got))
		})
	}
}

// TestRoundTrip makes every inspected table again from its DDL, and finds the same.
func TestRoundTrip(t *testing.T) {
	for _, name := range testdb.Sources() {
		t.Run(name, func(t *testing.T) {
			server := testdb.Get(t, name)
			url := server.Database(t)
			server.Exec(t, url, forEngine(t, server)...)
			first := inspect(t, url)
			again := server.Database(t)
			for _, table := range first.Tables {
				server.Exec(t, again, "SET SESSION foreign_key_checks = 0; "+mysql.CreateTable(table))
			}
			second := inspect(t, again)
			second.Name, second.Views, second.Sequences = first.Name, first.Views, first.Sequences
			for i := range first.Tables {
				first.Tables[i].Partitioned = false // no part of the DDL
				first.Tables[i].Rows, first.Tables[i].Bytes = 0, 0
			}
			for i := range second.Tables {
				second.Tables[i].Rows, second.Tables[i].Bytes = 0, 0
			}
			if diff := cmp.Diff(first, second); diff != "" {
				t.Errorf("the database made from the DDL differs (-first +second):\n%s", diff)
			}
		})
	}
}
