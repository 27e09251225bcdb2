//go:build integration

package mysql_test

import (
	"strings"
	"testing"

	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/mysql"
)

// TestCheckSeesTheSnapshot: the session that checks the readers has their
// settings, sees what they see after others have written, and writes nothing.
func TestCheckSeesTheSnapshot(t *testing.T) {
	eachSource(t, func(t *testing.T, s *testdb.Server, url string) {
		s.Exec(t, url, "CREATE TABLE n (id INT PRIMARY KEY) ENGINE=InnoDB", "INSERT INTO n VALUES (1)")
		snapshot, err := openDB(t, url).Snapshot(t.Context(), mysql.SnapshotOptions{Readers: 2, Check: true})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = snapshot.Close() }()
		check := snapshot.Check
		if check == nil {
			t.Fatal(snapshot.NoCheck)
		}
		s.Exec(t, url, "INSERT INTO n VALUES (2)")
		for _, query := range []string{
			"SELECT COUNT(*) FROM n",
			"SELECT CONCAT_WS('|', @@SESSION.sql_mode, @@SESSION.time_zone, @@SESSION.wait_timeout, @@SESSION.net_write_timeout, @@SESSION.sql_select_limit, @@SESSION.lock_wait_timeout)",
			"SELECT CONCAT_WS('|', @@SESSION.character_set_client, @@SESSION.character_set_results, @@SESSION.collation_connection)",
		} {
			var got string
			if err := check.Conn().QueryRowContext(t.Context(), query).Scan(&got); err != nil {
				t.Fatal(err)
			}
			if want := one(t, snapshot.Readers[0], query); got != want {
				t.Errorf("%s: %q, the reader has %q", query, got, want)
			}
		}
		if _, err := check.Conn().ExecContext(t.Context(), "DELETE FROM n"); err == nil || !strings.Contains(err.Error(), "READ ONLY") {
			t.Errorf("a statement that writes gives %v", err)
		}
		if err := check.Lost(t.Context()); err != nil {
			t.Error(err)
		}
		var id string
		if err := check.Conn().QueryRowContext(t.Context(), "SELECT CONNECTION_ID()").Scan(&id); err != nil {
			t.Fatal(err)
		}
		s.Exec(t, url, "KILL "+id)
		if err := check.Lost(t.Context()); err == nil {
			t.Error("a session that was killed is not lost")
		}
	})
}

// TestCheckOfAFullServer: the readers do without the session that checks them.
func TestCheckOfAFullServer(t *testing.T) {
	eachSource(t, func(t *testing.T, s *testdb.Server, url string) {
		d := account(t, s, url, "SELECT ON ?").DSN()
		// One for the pool, and one for the reader. An account that has sessions already keeps its old limit.
		limited := d.User + "b"
		s.Exec(t, url, "CREATE USER '"+limited+"'@'%' IDENTIFIED BY 'Secret.123' WITH MAX_USER_CONNECTIONS 2", "GRANT SELECT ON `"+d.Database+"`.* TO '"+limited+"'@'%'")
		d.User = limited
		db, err := mysql.Open(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		snapshot, err := db.Snapshot(t.Context(), mysql.SnapshotOptions{Readers: 1, Check: true})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = snapshot.Close() }()
		if snapshot.Check != nil || !strings.Contains(snapshot.NoCheck, "no further connection") {
			t.Errorf("a session that checks: %v, %q", snapshot.Check != nil, snapshot.NoCheck)
		}
	})
}
