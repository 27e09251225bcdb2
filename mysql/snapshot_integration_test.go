//go:build integration

package mysql_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/moodledb/moodledb/dsn"
	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/schema"
)

// account makes an account with rights and opens the product's pool as it.
// "?" in a grant stands for the database.
func account(t *testing.T, s *testdb.Server, url string, grants ...string) *mysql.DB {
	t.Helper()
	d, err := dsn.Parse(url, dsn.Options{Getenv: func(string) string { return "" }, Home: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	user := fmt.Sprintf("a%d", time.Now().UnixNano()%1e12)
	s.Exec(t, url, "CREATE USER '"+user+"'@'%' IDENTIFIED BY 'Secret.123'")
	for _, g := range grants {
		s.Exec(t, url, "GRANT "+strings.ReplaceAll(g, "?", "`"+d.Database+"`.*")+" TO '"+user+"'@'%'")
	}
	d.User, d.Password = user, "Secret.123"
	db, err := mysql.Open(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// purses are the tables among which money moves.
func purses() []string { return []string{"purse0", "purse1", "purse2", "purse3"} }

const money = 4000

// move moves money between tables, transaction after transaction without a
// pause, from several sessions, until the returned function is called.
func move(t *testing.T, s *testdb.Server, url string) (stop func()) {
	t.Helper()
	for _, name := range purses() {
		s.Exec(t, url, "CREATE TABLE "+name+" (id INT PRIMARY KEY, n INT) ENGINE=InnoDB", "INSERT INTO "+name+" VALUES (1, 100), (2, 100), (3, 100), (4, 100), (5, 100), (6, 100), (7, 100), (8, 100), (9, 100), (10, 100)")
	}
	pool := s.SQL(t, url)
	ctx, cancel := context.WithCancel(t.Context())
	var writers sync.WaitGroup
	for i := range 3 {
		writers.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(i)))
			for ctx.Err() == nil {
				order := random.Perm(4)
				if err := moveOnce(pool, order[0], order[1], 1+random.IntN(10), random.IntN(100)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	stop = sync.OnceFunc(func() { cancel(); writers.Wait() })
	t.Cleanup(stop)
	return stop
}

// moveOnce tries until it is not the victim of a deadlock.
func moveOnce(pool *sql.DB, from, to, id, n int) error {
	for {
		tx, err := pool.Begin()
		if err != nil {
			return err
		}
		_, err = tx.Exec(fmt.Sprintf("UPDATE purse%d SET n = n - %d WHERE id = %d", from, n, id))
		if err == nil {
			_, err = tx.Exec(fmt.Sprintf("UPDATE purse%d SET n = n + %d WHERE id = %d", to, n, id))
		}
		if err != nil {
			_ = tx.Rollback()
			if strings.Contains(err.Error(), "Deadlock") {
				continue
			}
			return err
		}
		return tx.Commit()
	}
}

// checkMoney fails the test unless all readers see the same, and no money is lost.
func checkMoney(t *testing.T, s *mysql.Snapshot) {
	t.Helper()
	var seen []string
	const query = "SELECT CONCAT_WS(' ', (SELECT SUM(n) FROM purse0), (SELECT SUM(n) FROM purse1), (SELECT SUM(n) FROM purse2), (SELECT SUM(n) FROM purse3))"
	for _, r := range slices.Concat(s.Readers, s.Spares) {
		seen = append(seen, one(t, r, query))
	}
	if s.Check != nil {
		var sums string
		if err := s.Check.Conn().QueryRowContext(t.Context(), query).Scan(&sums); err != nil {
			t.Fatal(err)
		}
		seen = append(seen, sums)
	}
	var sum, n int
	for _, field := range strings.Fields(seen[0]) {
		if _, err := fmt.Sscan(field, &n); err != nil {
			t.Fatal(err)
		}
		sum += n
	}
	if sum != money || len(slices.Compact(slices.Clone(seen))) != 1 {
		t.Errorf("%s (%s): readers see %q, in sum %d", s.Method, s.How, seen, sum)
	}
}

// eachSetting runs a test on servers with and without binary log and transaction ids.
func eachSetting(t *testing.T, test func(t *testing.T, s *testdb.Server, url string)) {
	for _, name := range testdb.Sources() {
		settings := map[string][]string{"no binlog": nil, "binlog": {"log-bin=binlog", "server-id=1"}}
		if strings.HasPrefix(name, "mysql") {
			settings = map[string][]string{
				"gtid": {"gtid-mode=ON", "enforce-gtid-consistency=ON"}, "no gtid": {"gtid-mode=OFF"}, "no binlog": {"disable-log-bin=1"},
			}
		}
		for setting, values := range settings {
			t.Run(name+" "+setting, func(t *testing.T) {
				s := testdb.Private(t, name, values...)
				test(t, s, s.Database(t))
			})
		}
	}
}

// TestSnapshotWhileMoneyMoves: whatever the rights and the settings are, either
// all readers see one moment, or the snapshot is refused with what would help.
func TestSnapshotWhileMoneyMoves(t *testing.T) {
	eachSetting(t, func(t *testing.T, s *testdb.Server, url string) {
		stop := move(t, s, url)
		for _, tc := range []struct {
			name   string
			db     *mysql.DB
			grants []string // of which one must be advised when it is refused
		}{
			{"all rights", openDB(t, url), nil},
			{"SELECT, LOCK TABLES", account(t, s, url, "SELECT, LOCK TABLES ON ?"), nil},
			{"RELOAD, PROCESS", account(t, s, url, "SELECT ON ?", "RELOAD, PROCESS ON *.*"), nil},
			{"RELOAD", account(t, s, url, "SELECT ON ?", "RELOAD ON *.*"), []string{"PROCESS ON *.* TO 'a"}},
			{"PROCESS", account(t, s, url, "SELECT ON ?", "PROCESS ON *.*"), []string{"GRANT LOCK TABLES ON `"}},
			{"SELECT", account(t, s, url, "SELECT ON ?"), []string{"GRANT LOCK TABLES ON `", "ON *.* TO 'a"}},
		} {
			for _, mode := range mysql.SnapshotModes() {
				t.Run(tc.name+" "+string(mode), func(t *testing.T) {
					methods := map[string]int{}
					var longest time.Duration
					rounds := map[mysql.SnapshotMode]int{mysql.SnapshotAuto: 2, mysql.SnapshotLock: 4, mysql.SnapshotNone: 1}
					for range rounds[mode] {
						snapshot, err := tc.db.Snapshot(t.Context(), mysql.SnapshotOptions{Mode: mode, Readers: 4, Spares: 1, Check: true, Tables: purses()})
						var refused *mysql.SnapshotError
						if errors.As(err, &refused) && tc.grants != nil {
							methods["refused"]++
							for _, g := range tc.grants {
								if !strings.Contains(err.Error(), g) {
									t.Errorf("no advice %q: %v", g, err)
								}
							}
							continue
						}
						if err != nil {
							t.Fatal(err)
						}
						methods[string(snapshot.Method)]++
						longest = max(longest, snapshot.LockedFor)
						if snapshot.Consistent != (snapshot.Check != nil) || snapshot.Consistent != (snapshot.NoCheck == "") {
							t.Errorf("consistent %v, with a session that checks %v: %q", snapshot.Consistent, snapshot.Check != nil, snapshot.NoCheck)
						}
						if snapshot.Consistent {
							checkMoney(t, snapshot)
						} else if mode != mysql.SnapshotNone {
							t.Error("not consistent, and not refused")
						}
						if snapshot.LockedFor > 0 != (snapshot.Method != mysql.LockFree && snapshot.Method != mysql.Unproven) {
							t.Errorf("%s locked for %s", snapshot.Method, snapshot.LockedFor)
						}
						if err := snapshot.Close(); err != nil {
							t.Error(err)
						}
					}
					t.Logf("%v, locked for at most %s", methods, longest)
				})
			}
		}
		stop()
		nothingLocked(t, s, url)
	})
}

// nothingLocked fails the test unless writes go through at once.
func nothingLocked(t *testing.T, s *testdb.Server, url string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	if _, err := s.SQL(t, url).ExecContext(ctx, "UPDATE purse0 SET n = n"); err != nil {
		t.Errorf("something is still locked: %v", err)
	}
}

// TestSnapshotOfOneReader needs no right, and no spare of another moment.
func TestSnapshotOfOneReader(t *testing.T) {
	eachSource(t, func(t *testing.T, s *testdb.Server, url string) {
		move(t, s, url)
		db := account(t, s, url, "SELECT ON ?")
		for range 5 {
			snapshot, err := db.Snapshot(t.Context(), mysql.SnapshotOptions{Readers: 1, Spares: 1, Check: true, Tables: purses()})
			if err != nil {
				t.Fatal(err)
			}
			if !snapshot.Consistent {
				t.Error(snapshot.How)
			}
			if (snapshot.Check == nil) != (snapshot.NoCheck != "") {
				t.Errorf("with a session that checks %v: %q", snapshot.Check != nil, snapshot.NoCheck)
			}
			checkMoney(t, snapshot)
			_ = snapshot.Close()
		}
	})
}

// TestSnapshotTellsItsPosition compares the position with what the server tells while nothing is written.
func TestSnapshotTellsItsPosition(t *testing.T) {
	for _, name := range testdb.Sources() {
		t.Run(name, func(t *testing.T) {
			settings := []string{"log-bin=binlog", "server-id=1"}
			if strings.HasPrefix(name, "mysql") {
				settings = append(settings, "gtid-mode=ON", "enforce-gtid-consistency=ON")
			}
			s := testdb.Private(t, name, settings...)
			url := s.Database(t)
			stop := move(t, s, url)
			time.Sleep(200 * time.Millisecond)
			stop()
			db := openDB(t, url)
			var file, position, gtid string
			query, gtids := "SHOW MASTER STATUS", "SELECT @@GLOBAL.gtid_binlog_pos"
			if s.Engine == schema.MySQL {
				query, gtids = "SHOW BINARY LOG STATUS", "SELECT @@GLOBAL.gtid_executed"
			}
			rows, err := s.SQL(t, url).Query(query)
			if err != nil {
				t.Fatal(err)
			}
			columns, _ := rows.Columns()
			values := make([]any, len(columns))
			for i := range values {
				values[i] = new(sql.RawBytes)
			}
			values[0], values[1] = &file, &position
			if !rows.Next() || rows.Scan(values...) != nil {
				t.Fatal("no position")
			}
			rows.Close()
			if err := s.SQL(t, url).QueryRow(gtids).Scan(&gtid); err != nil {
				t.Fatal(err)
			}
			for _, mode := range mysql.SnapshotModes() {
				snapshot, err := db.Snapshot(t.Context(), mysql.SnapshotOptions{Mode: mode, Readers: 3, Tables: purses()})
				if err != nil {
					t.Fatal(err)
				}
				t.Logf("%s: %s, %s, %s", mode, snapshot.How, snapshot.Position, snapshot.GTID)
				if snapshot.Position != file+":"+position || snapshot.GTID != gtid || gtid == "" {
					t.Errorf("%s: position %s, %s, want %s:%s, %s", mode, snapshot.Position, snapshot.GTID, file, position, gtid)
				}
				_ = snapshot.Close()
			}
		})
	}
}
