//go:build integration

package testdb_test

import (
	"context"
	"testing"

	"github.com/moodledb/moodledb/internal/testdb"
)

func TestMain(m *testing.M) { testdb.Main(m) }

func TestServers(t *testing.T) {
	for _, name := range append(testdb.Sources(), testdb.Targets()...) {
		t.Run(name, func(t *testing.T) {
			s := testdb.Get(t, name)
			url := s.Database(t)
			s.Exec(t, url, "CREATE TABLE t (a int)", "INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)")
			var n int
			if err := s.SQL(t, url).QueryRowContext(context.Background(), "SELECT count(*) FROM t").Scan(&n); err != nil {
				t.Fatal(err)
			}
			if n != 2 {
				t.Errorf("count(*) = %d, want 2", n)
			}
		})
	}
}
