//go:build integration

package mysql_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/mysql"
)

// session opens one connection and runs statements on it; it is closed when the test ends.
func session(t *testing.T, s *testdb.Server, url string, statements ...string) (c *sql.Conn, id string) {
	t.Helper()
	c, err := s.SQL(t, url).Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.QueryRowContext(t.Context(), "SELECT CONNECTION_ID()").Scan(&id); err != nil {
		t.Fatal(err)
	}
	for _, statement := range statements {
		if _, err := c.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	return c, id
}

// TestSnapshotWaitsNotForLong: what holds a lock is waited for a few seconds,
// and named; afterwards nothing is left locked.
func TestSnapshotWaitsNotForLong(t *testing.T) {
	for _, tc := range []struct {
		name    string
		hold    []string
		query   string   // that runs meanwhile
		grants  []string // of the account; nil for the superuser
		refused bool
	}{
		{name: "a table locked for writing", hold: []string{"LOCK TABLES purse0 WRITE"}, refused: true},
		{name: "an open transaction, with all rights", hold: []string{"BEGIN", "UPDATE purse0 SET n = n + 1"}},
		{
			name: "an open transaction, with LOCK TABLES", hold: []string{"BEGIN", "UPDATE purse0 SET n = n + 1"},
			grants: []string{"SELECT, LOCK TABLES ON ?", "PROCESS ON *.*"}, refused: true,
		},
		{name: "a long query", query: "SELECT SLEEP(20) FROM purse0"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			eachSource(t, func(t *testing.T, s *testdb.Server, url string) {
				move(t, s, url)()
				holder, id := session(t, s, url, tc.hold...)
				if tc.query != "" {
					ctx, cancel := context.WithCancel(t.Context())
					ended := make(chan struct{})
					go func() {
						defer close(ended)
						_, _ = holder.ExecContext(ctx, tc.query)
					}()
					defer func() {
						// The server would let it run on.
						s.Exec(t, url, "KILL "+id)
						cancel()
						<-ended
					}()
					time.Sleep(2500 * time.Millisecond)
				}
				db := openDB(t, url)
				if tc.grants != nil {
					db = account(t, s, url, tc.grants...)
				}
				began := time.Now()
				snapshot, err := db.Snapshot(t.Context(), mysql.SnapshotOptions{Mode: mysql.SnapshotLock, Readers: 3, Spares: 1, Check: true, Tables: purses()})
				took := time.Since(began)
				t.Logf("%s: %v", took, err)
				if took > 25*time.Second {
					t.Errorf("it took %s", took)
				}
				if !tc.refused {
					if err != nil {
						t.Fatal(err)
					}
					t.Log(snapshot.How)
					checkMoney(t, snapshot)
					_ = snapshot.Close()
					return
				}
				var refused *mysql.SnapshotError
				if !errors.As(err, &refused) || !strings.Contains(err.Error(), fmt.Sprintf("connection %s (root@", id)) {
					t.Errorf("error %v, want one that names connection %s", err, id)
				}
				if _, err := holder.ExecContext(t.Context(), "ROLLBACK"); err != nil {
					t.Fatal(err)
				}
				if _, err := holder.ExecContext(t.Context(), "UNLOCK TABLES"); err != nil {
					t.Fatal(err)
				}
				nothingLocked(t, s, url)
			})
		})
	}
}

// TestSnapshotCancelled: an interrupt ends the wait at once, and leaves no session.
func TestSnapshotCancelled(t *testing.T) {
	eachSource(t, func(t *testing.T, s *testdb.Server, url string) {
		move(t, s, url)()
		db := account(t, s, url, "SELECT, LOCK TABLES ON ?", "RELOAD, PROCESS ON *.*")
		holder, _ := session(t, s, url, "LOCK TABLES purse0 WRITE")
		ctx, cancel := context.WithCancelCause(t.Context())
		stop := errors.New("interrupted")
		time.AfterFunc(time.Second, func() { cancel(stop) })
		began := time.Now()
		_, err := db.Snapshot(ctx, mysql.SnapshotOptions{Mode: mysql.SnapshotLock, Readers: 3, Spares: 1, Check: true, Tables: purses()})
		if took := time.Since(began); !errors.Is(err, stop) || took > 3*time.Second {
			t.Errorf("after %s: %v", took, err)
		}
		if _, err := holder.ExecContext(t.Context(), "UNLOCK TABLES"); err != nil {
			t.Fatal(err)
		}
		nothingLocked(t, s, url)
		user := db.DSN().User
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		noSessions(t, s, url, user)
	})
}

// noSessions fails the test unless all sessions of a user end soon.
func noSessions(t *testing.T, s *testdb.Server, url, user string) {
	t.Helper()
	pool := s.SQL(t, url)
	var n int
	for range 50 {
		if err := pool.QueryRow("SELECT COUNT(*) FROM information_schema.processlist WHERE user = ?", user).Scan(&n); err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Errorf("%d sessions are left", n)
}

// TestSnapshotHoldsTablesWithoutTransactions: they stand as they were at the
// moment of the snapshot until their connection is closed.
func TestSnapshotHoldsTablesWithoutTransactions(t *testing.T) {
	eachSource(t, func(t *testing.T, s *testdb.Server, url string) {
		move(t, s, url)
		s.Exec(t, url, "CREATE TABLE old (n INT) ENGINE=MyISAM", "INSERT INTO old VALUES (1)", "CREATE TABLE fleeting (n INT) ENGINE=MEMORY", "INSERT INTO fleeting VALUES (1)")
		for name, db := range map[string]*mysql.DB{
			"all rights": openDB(t, url), "LOCK TABLES": account(t, s, url, "SELECT, LOCK TABLES ON ?"), "SELECT": account(t, s, url, "SELECT ON ?"),
		} {
			for _, mode := range mysql.SnapshotModes() {
				t.Run(name+" "+string(mode), func(t *testing.T) {
					snapshot, err := db.Snapshot(t.Context(), mysql.SnapshotOptions{
						Mode: mode, Readers: 3, Spares: 1, Tables: append(purses(), "old", "fleeting"), NoTransactions: []string{"old", "fleeting"},
					})
					if name == "SELECT" && mode != mysql.SnapshotNone {
						if err == nil || !strings.Contains(err.Error(), "GRANT LOCK TABLES ON `") {
							t.Errorf("error %v", err)
						}
						return
					}
					if err != nil {
						t.Fatal(err)
					}
					t.Logf("%s, locked for %s", snapshot.Method, snapshot.LockedFor)
					defer snapshot.Close()
					if mode == mysql.SnapshotNone {
						if snapshot.Locked != nil {
							t.Error("tables are locked")
						}
						return
					}
					checkMoney(t, snapshot)
					pool := s.SQL(t, url)
					written := make(chan error, 2)
					for _, table := range []string{"old", "fleeting"} {
						go func() {
							_, err := pool.Exec("UPDATE " + table + " SET n = n + 1")
							written <- err
						}()
					}
					time.Sleep(300 * time.Millisecond)
					if len(written) > 0 {
						t.Error("a locked table was written to")
					}
					before := one(t, snapshot.Locked, "SELECT n FROM old")
					_ = one(t, snapshot.Locked, "SELECT n FROM fleeting")
					if err := snapshot.Locked.Close(); err != nil {
						t.Error(err)
					}
					for range 2 {
						if err := <-written; err != nil {
							t.Error(err)
						}
					}
					var after string
					if err := pool.QueryRow("SELECT n FROM old").Scan(&after); err != nil || after == before {
						t.Errorf("%s, then %s: %v", before, after, err)
					}
				})
			}
		}
	})
}

// TestReaderLost: a killed connection is told from an error of a statement.
func TestReaderLost(t *testing.T) {
	eachSource(t, func(t *testing.T, s *testdb.Server, url string) {
		s.Exec(t, url, numbers(12)...)
		for _, busy := range []bool{false, true} {
			r := readers(t, openDB(t, url), 1).Readers[0]
			if _, err := r.Query(t.Context(), "SELECT nothing"); err == nil || r.Lost(t.Context()) != nil {
				t.Errorf("%v, and lost: %v", err, r.Lost(t.Context()))
			}
			id := one(t, r, "SELECT CONNECTION_ID()")
			var rows *mysql.Rows
			var err error
			if busy {
				if rows, err = r.Query(t.Context(), "SELECT a.id, a.t FROM n a JOIN n b"); err != nil {
					t.Fatal(err)
				}
			}
			s.Exec(t, url, "KILL "+id)
			if busy {
				for err == nil {
					_, _, err = rows.Next()
				}
				_ = rows.Close()
			}
			time.Sleep(100 * time.Millisecond)
			if lost := r.Lost(t.Context()); lost == nil {
				t.Errorf("after %v: not lost", err)
			} else {
				t.Logf("%v: %v", err, lost)
			}
		}
	})
}
