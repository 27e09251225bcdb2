//go:build integration

package postgres_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/moodledb/moodledb/dsn"
	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/postgres"
)

func TestMain(m *testing.M) { testdb.Main(m) }

// forTargets runs a test on every flavour of PostgreSQL.
func forTargets(t *testing.T, test func(t *testing.T, s *testdb.Server)) {
	t.Helper()
	for _, name := range testdb.Targets() {
		t.Run(name, func(t *testing.T) { test(t, testdb.Get(t, name)) })
	}
}

// place parses the URL of a test database.
func place(t testing.TB, databaseURL string) dsn.DSN {
	t.Helper()
	d, err := dsn.Parse(databaseURL, dsn.Options{Getenv: func(string) string { return "" }, Home: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// open opens a test database for as long as the test runs.
func open(t testing.TB, databaseURL string) *postgres.DB {
	t.Helper()
	db, err := postgres.Open(t.Context(), place(t, databaseURL))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return db
}

// run runs statements in one load session.
func run(t testing.TB, db *postgres.DB, statements ...string) {
	t.Helper()
	c := acquire(t, db)
	defer c.Release()
	for _, s := range statements {
		if err := c.Exec(t.Context(), s); err != nil {
			t.Fatalf("%v\n%s", err, s)
		}
	}
}

// acquire takes a session for as long as the test runs.
func acquire(t testing.TB, db *postgres.DB) *postgres.Conn {
	t.Helper()
	c, err := db.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Release)
	return c
}

// scan reads one value with the product's own session.
func scan[T any](t testing.TB, db *postgres.DB, query string, args ...any) T {
	t.Helper()
	c := acquire(t, db)
	defer c.Release()
	var v T
	if err := c.PGX().QueryRow(context.Background(), query, args...).Scan(&v); err != nil {
		t.Fatalf("%v\n%s", err, query)
	}
	return v
}

// siteFile returns a file of the real site whose directory MOODLEDB_TEST_SITE
// names; the test is skipped where there is none.
func siteFile(t testing.TB, name string) string {
	t.Helper()
	dir := os.Getenv("MOODLEDB_TEST_SITE")
	if dir == "" {
		t.Skip("SKIPPED, NOT TESTED: MOODLEDB_TEST_SITE names no directory of a real site")
	}
	return filepath.Join(dir, name)
}
