//go:build integration

package integration

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/moodledb/moodledb/integration/internal/rig"
	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/migrate"
	"github.com/moodledb/moodledb/mysql"
)

// moneyMoves moves money between two tables of a tiny site, without a pause,
// until stop is called.
func moneyMoves(t *testing.T, p *rig.Pair) (stop func()) {
	t.Helper()
	pool := p.SourceServer.SQL(t, p.SourceURL)
	ctx, cancel := context.WithCancel(t.Context())
	var writers sync.WaitGroup
	for range 2 {
		writers.Go(func() {
			for ctx.Err() == nil {
				tx, err := pool.Begin()
				if err != nil {
					t.Error(err)
					return
				}
				n, id := rand.IntN(100), 1+rand.IntN(64)
				for _, s := range []string{"UPDATE mdl_purse SET n = n - %d WHERE id = %d", "UPDATE mdl_chest SET n = n + %d WHERE id = %d"} {
					if err == nil {
						_, err = tx.Exec(fmt.Sprintf(s, n, id))
					}
				}
				if err != nil {
					_ = tx.Rollback()
				} else {
					err = tx.Commit()
				}
				// LOCK TABLES can make a writer that already holds one of the tables the victim of a deadlock.
				if err != nil && !strings.Contains(err.Error(), "Deadlock") {
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

// purseAndChest are the statements that make the two tables.
func purseAndChest() []string {
	var list []string
	for _, name := range []string{"mdl_purse", "mdl_chest"} {
		list = append(list, "CREATE TABLE "+name+" (id bigint NOT NULL AUTO_INCREMENT, n bigint NOT NULL DEFAULT 0, PRIMARY KEY (id)) ENGINE=InnoDB",
			"INSERT INTO "+name+" (n) VALUES (1000)")
		for range 6 {
			list = append(list, "INSERT INTO "+name+" (n) SELECT n FROM "+name)
		}
	}
	return list
}

// TestMoneyMovesWhileMigrating: the sum in the target is never a broken one, on
// whatever way the snapshot is had.
func TestMoneyMovesWhileMigrating(t *testing.T) {
	for _, source := range testdb.Sources() {
		for _, tc := range []struct {
			name   string
			mode   mysql.SnapshotMode
			grants []string // of the account; nil for the superuser
		}{
			{"auto", mysql.SnapshotAuto, nil},
			{"lock", mysql.SnapshotLock, nil},
			{"lock, with LOCK TABLES", mysql.SnapshotLock, []string{"SELECT, LOCK TABLES ON ?"}},
		} {
			t.Run(source+" "+tc.name, func(t *testing.T) {
				p := rig.Tiny(t, source, rig.FirstTarget(), purseAndChest()...)
				if tc.grants != nil {
					rig.AsSource(t, p, tc.grants...)
				}
				code := rig.TinyCode(t, rig.Table("purse", rig.Field("n", "int", `LENGTH="10" NOTNULL="true" DEFAULT="0"`)), rig.Table("chest", rig.Field("n", "int", `LENGTH="10" NOTNULL="true" DEFAULT="0"`)))
				moneyMoves(t, p)
				for round := range 2 {
					if round > 0 {
						time.Sleep(time.Second) // what is replaced is named by the second
					}
					result := p.Migrate(t, migrate.Options{Site: code, Jobs: 4, Snapshot: tc.mode, Replace: true})
					s := result.Snapshot
					t.Logf("%s: %s, %s, %s, locked for %s, %d readers, %d spare", s.Method, s.How, s.Position, s.GTID, s.LockedFor, s.Readers, s.Spares)
					if !s.Consistent || s.Mode != tc.mode || s.Spares != 1 || tc.mode == mysql.SnapshotLock && (s.LockedFor == 0 || s.LockedFor > 10*time.Second) {
						t.Errorf("%+v", s)
					}
					if sum := p.Count(t, "SELECT (SELECT sum(n) FROM mdl_purse) + (SELECT sum(n) FROM mdl_chest)"); sum != 2*64*1000 {
						t.Errorf("the sum in the target is %d (%s)", sum, s.How)
					}
				}
			})
		}
	}
}

// TestSnapshotRights: what cannot be had is a blocker that says which right is missing.
func TestSnapshotRights(t *testing.T) {
	for _, source := range testdb.Sources() {
		t.Run(source, func(t *testing.T) {
			p := rig.Tiny(t, source, rig.FirstTarget(), "CREATE TABLE mdl_old (id bigint NOT NULL AUTO_INCREMENT, PRIMARY KEY (id)) ENGINE=MyISAM")
			rig.AsSource(t, p, "SELECT, SHOW VIEW ON ?")
			code := rig.TinyCode(t, rig.Table("old"))
			for _, tc := range []struct {
				name string
				opts migrate.Options
				want []string // in the blockers; none when it runs
			}{
				{"lock", migrate.Options{Snapshot: mysql.SnapshotLock}, []string{"snapshot-no-right", "GRANT LOCK TABLES ON `", "--jobs 1"}},
				{"tables without transactions", migrate.Options{}, []string{"no-transactions: mdl_old", "GRANT LOCK TABLES ON `", "MyISAM"}},
				{"without them, one reader", migrate.Options{Exclude: []string{"old"}, Jobs: 1}, nil},
				{"none", migrate.Options{Snapshot: mysql.SnapshotNone, Replace: true}, nil},
				{"a wrong mode", migrate.Options{Snapshot: "some"}, []string{"auto, lock or none"}},
			} {
				t.Run(tc.name, func(t *testing.T) {
					tc.opts.Site = code
					result, err := p.Try(t.Context(), tc.opts)
					if tc.want == nil && err != nil {
						t.Fatal(err)
					}
					for _, text := range tc.want {
						if err == nil || !strings.Contains(err.Error(), text) {
							t.Errorf("error %v, want one with %q", err, text)
						}
					}
					if tc.name == "none" && !slices.Equal(result.Snapshot.Unlocked, []string{"mdl_old"}) {
						t.Errorf("%+v", result.Snapshot)
					}
				})
			}
		})
	}
}

// TestTablesWithoutTransactions: they arrive as they were at the moment of the snapshot, and can be written to afterwards.
func TestTablesWithoutTransactions(t *testing.T) {
	for _, source := range testdb.Sources() {
		t.Run(source, func(t *testing.T) {
			engines := []string{"MyISAM", "MEMORY", "ARCHIVE", "CSV"}
			if strings.HasPrefix(source, "mariadb") {
				engines = []string{"MyISAM", "MEMORY", "Aria", "CSV"}
			}
			var statements []string
			for _, e := range engines {
				statements = append(statements, fmt.Sprintf("CREATE TABLE mdl_%s (n bigint NOT NULL) ENGINE=%s", strings.ToLower(e), e),
					fmt.Sprintf("INSERT INTO mdl_%s VALUES (1), (2)", strings.ToLower(e)))
			}
			p := rig.Tiny(t, source, rig.FirstTarget(), append(statements, purseAndChest()...)...)
			stop := moneyMoves(t, p)
			result := p.Migrate(t, migrate.Options{Site: rig.TinyCode(t), Jobs: 3})
			stop()
			s := result.Snapshot
			t.Logf("%s, locked for %s, %s for %s", s.Method, s.LockedFor, s.Tables, s.TablesLockedFor)
			if len(s.Tables) != len(engines) || s.TablesLockedFor == 0 || !s.Consistent {
				t.Errorf("%+v", s)
			}
			p.CompareAll(t, "public", "mdl_", "mdl_purse", "mdl_chest")
			p.SourceServer.Exec(t, p.SourceURL, "INSERT INTO mdl_myisam VALUES (3)")
		})
	}
}

// TestReadersLost: one reader that is killed amid a table is replaced by the
// spare one, the next one's work is left to the others; after the last one the
// run stops, and goes on when it is resumed.
func TestReadersLost(t *testing.T) {
	statements := []string{
		"CREATE TABLE mdl_big (id bigint NOT NULL AUTO_INCREMENT, v longtext, PRIMARY KEY (id)) ENGINE=InnoDB",
		"INSERT INTO mdl_big (v) VALUES (REPEAT('moodle ', 1000))",
	}
	for range 13 {
		statements = append(statements, "INSERT INTO mdl_big (v) SELECT v FROM mdl_big")
	}
	statements = append(statements, "ANALYZE TABLE mdl_big")
	for _, source := range testdb.Sources() {
		t.Run(source, func(t *testing.T) {
			base := rig.Tiny(t, source, rig.FirstTarget(), statements...)
			opts := migrate.Options{Site: rig.TinyCode(t, rig.Table("big", rig.Field("v", "text", ""))), Jobs: 2}
			for kills := 1; kills <= 3; kills++ {
				p := base.WithTarget(t)
				result, notices, err := migrateKilling(t, p, opts, kills)
				t.Log(notices, err)
				if kills == 3 {
					if !errors.Is(err, migrate.ErrSnapshotLost) {
						t.Errorf("error %v", err)
					}
					checkResumed(t, p, opts)
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				want := []string{`"mdl_big" is started anew`, `"mdl_big" is left to the 1 connection`}[:kills]
				if result.Snapshot.Lost != kills || len(notices) != kills {
					t.Errorf("%d lost, notices %q", result.Snapshot.Lost, notices)
				}
				for i := range min(len(want), len(notices)) {
					if !strings.Contains(notices[i], want[i]) {
						t.Errorf("notice %q, want one with %q", notices[i], want[i])
					}
				}
				p.CompareAll(t, "public", "mdl_")
			}
			sessionsEnd(t, base)
		})
	}
}

// migrateKilling migrates and kills the reader of mdl_big, one after the other, as often as said.
func migrateKilling(t *testing.T, p *rig.Pair, opts migrate.Options, kills int) (*migrate.Result, []string, error) {
	t.Helper()
	plan, err := migrate.Make(t.Context(), p.Source, p.Target, opts)
	if err != nil {
		t.Fatal(err)
	}
	var notices []string
	var killers sync.WaitGroup
	var killed sync.Map
	next := func() {
		if kills > 0 {
			kills--
			killers.Go(func() { rig.KillReader(t, p, "SELECT `id`%FROM%mdl_big%", &killed) })
		}
	}
	result, err := migrate.Run(t.Context(), p.Source, p.Target, plan, func(e migrate.Event) {
		switch e := e.(type) {
		case migrate.Notice:
			notices = append(notices, e.Message)
		case migrate.TableStarted:
			if e.Table == "mdl_big" {
				next()
			}
		case migrate.ReaderLost:
			next()
		}
	})
	killers.Wait()
	return result, notices, err
}

// checkResumed resumes the run that has stopped to its end.
func checkResumed(t *testing.T, p *rig.Pair, opts migrate.Options) {
	t.Helper()
	opts.Resume = true
	result := p.Migrate(t, opts)
	if result.Attempts != 2 {
		t.Errorf("%d attempts", result.Attempts)
	}
	p.CompareAll(t, "public", "mdl_")
}
