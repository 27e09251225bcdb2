//go:build integration

package losing

import (
	"database/sql"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/moodledb/moodledb/integration/internal/rig"
	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/migrate"
)

// mortalSource is a pair whose source can be killed; logged says that its
// binary log names all that is written.
func mortalSource(t *testing.T, flavour string, logged bool) (*rig.Watched, migrate.Options) {
	t.Helper()
	settings := []string{"innodb-flush-log-at-trx-commit=2", "server-id=1"}
	switch {
	case !logged:
		settings = append(settings, "skip-log-bin=1")
	case strings.HasPrefix(flavour, "mysql"):
		settings = append(settings, "log-bin=binlog", "gtid-mode=ON", "enforce-gtid-consistency=ON")
	default:
		settings = append(settings, "log-bin=binlog")
	}
	p := rig.MixedPair(t, testdb.Mortal(t, flavour, settings...), testdb.Get(t, rig.FirstTarget()), rand.New(rand.NewPCG(4, 5)))
	p.Open(t)
	return rig.Watch(t, p), migrate.Options{Site: rig.LoadCode(t, rig.MixedCode(t)), Chunk: migrate.MinChunk, Jobs: 3}
}

// TestSourceKilled kills the source in the middle of a run. With it the moment
// that is copied is lost: the run ends and says so. What the resumed run keeps
// depends on what can be shown, or is said, of the source.
func TestSourceKilled(t *testing.T) {
	for _, flavour := range rig.Matrix(testdb.Sources()) {
		for _, tc := range []struct {
			name           string
			logged, frozen bool
			// keeps says that the resumed run keeps what was loaded.
			keeps bool
			// write changes the source before the run is resumed.
			write bool
		}{
			{name: "shown by transaction ids", logged: true, keeps: true},
			{name: "shown to be written to", logged: true, write: true},
			{name: "not shown"},
			{name: "on the user's word", frozen: true, keeps: true},
		} {
			t.Run(flavour+", "+tc.name, func(t *testing.T) {
				p, opts := mortalSource(t, flavour, tc.logged)
				before := goleak.IgnoreCurrent()
				killed := false
				_, err := run(t.Context(), p, opts, func(e migrate.Event) {
					if _, ok := e.(migrate.TableCopied); ok && !killed {
						killed = true
						p.SourceServer.Kill(t, syscall.SIGKILL)
					}
				})
				var stopped *migrate.StoppedError
				if !errors.As(err, &stopped) || !errors.Is(err, migrate.ErrSnapshotLost) || !strings.Contains(err.Error(), "--resume") {
					t.Fatalf("error %v", err)
				}
				t.Log(err)
				p.Target.Close()
				_ = p.Source.Close()
				goleak.VerifyNone(t, before)
				last := p.LastRun(t)
				if last == nil || last.State != "stopped" {
					t.Fatalf("the last run of the ledger is %+v", last)
				}
				p.CheckLedger(t, last, last.Load)
				kept := p.Committed(t, last)
				if len(kept) == 0 {
					t.Fatal("nothing was copied before the source was killed")
				}
				p.SourceServer.Restart(t)
				if tc.write {
					p.SourceServer.Exec(t, p.SourceURL, "UPDATE mdl_big SET v = 'written' WHERE a < 500", "DELETE FROM mdl_pair WHERE course = 3")
				}
				p.Open(t)
				opts.Resume, opts.SourceFrozen = true, tc.frozen
				result, err := run(t.Context(), p, opts, func(e migrate.Event) {
					if n, ok := e.(migrate.Notice); ok {
						t.Log(n.Message)
					}
				})
				if err != nil {
					t.Fatal(err)
				}
				p.CompareAll(t, "public", "mdl_")
				p.CheckLedger(t, p.LastRun(t), "public")
				now := p.Committed(t, p.LastRun(t))
				again := slices.DeleteFunc(slices.Clone(kept), func(line string) bool { return slices.Contains(now, line) })
				if tc.keeps && len(again) > 0 {
					t.Errorf("%d of %d things were copied again, such as %s", len(again), len(kept), again[0])
				}
				if !tc.keeps && len(again) < len(kept) {
					t.Errorf("only %d of %d things were copied anew", len(again), len(kept))
				}
				if result.Snapshot.Trusted != tc.frozen || result.Attempts != 2 {
					t.Errorf("trusted %t, %d attempts", result.Snapshot.Trusted, result.Attempts)
				}
			})
		}
	}
}

// snapshotSessions are the connections that see the moment that is copied.
func snapshotSessions(t *testing.T, p *rig.Watched) []string {
	t.Helper()
	return rig.QueryStrings(t, p.From, "SELECT CAST(trx_mysql_thread_id AS CHAR) FROM information_schema.innodb_trx ORDER BY trx_mysql_thread_id")
}

// TestReadersKilled kills connections that see the moment that is copied: a
// spare one takes the place of the first, the others do the work of further
// ones, and without any the run ends.
func TestReadersKilled(t *testing.T) {
	for _, flavour := range rig.Matrix(testdb.Sources()) {
		p, opts := mortalSource(t, flavour, true)
		opts.Sample = -1 // the session that would read again is no reader
		for _, tc := range []struct {
			name string
			// kills says how many are killed when the run starts, and with each table that is copied.
			kills, later int
			lost         bool
		}{
			{"one", 1, 0, false},
			{"one after the other", 0, 3, false},
			{"all but one", 3, 0, false},
			{"all", 4, 0, true},
			{"all, one after the other", 1, 3, true},
		} {
			t.Run(flavour+", "+tc.name, func(t *testing.T) {
				p.TargetURL = p.TargetServer.Database(t)
				p.To = p.TargetServer.SQL(t, p.TargetURL)
				p.To.SetMaxOpenConns(1)
				p.Target.Close()
				p.Open(t)
				before := goleak.IgnoreCurrent()
				killed := map[string]bool{}
				kill := func(n int) {
					for _, id := range snapshotSessions(t, p) {
						if n == 0 || killed[id] {
							continue
						}
						if _, err := p.From.Exec("KILL " + id); err != nil {
							t.Error(err)
						}
						killed[id] = true
						n--
					}
				}
				later, lost := tc.later, 0
				_, err := run(t.Context(), p, opts, func(e migrate.Event) {
					switch e.(type) {
					case migrate.RunStarted:
						if n := len(snapshotSessions(t, p)); n != 4 {
							t.Errorf("%d sessions see the moment", n)
						}
						kill(tc.kills)
					case migrate.TableCopied:
						if later > 0 {
							later--
							kill(1)
						}
					case migrate.ReaderLost:
						lost++
					}
				})
				t.Logf("%d lost: %v", lost, err)
				if tc.lost {
					if !errors.Is(err, migrate.ErrSnapshotLost) {
						t.Fatalf("error %v", err)
					}
					opts := opts
					opts.Resume = true
					_, err = run(t.Context(), p, opts, func(migrate.Event) {})
				}
				if err != nil {
					t.Fatal(err)
				}
				p.Target.Close()
				_ = p.Source.Close()
				goleak.VerifyNone(t, before)
				p.CompareDigests(t, "public")
				p.CheckLedger(t, p.LastRun(t), "public")
			})
		}
	}
}

// awaitLocks waits until so many sessions hold mdl_huge locked, or wait for it.
func awaitLocks(t *testing.T, to *sql.DB, n int) {
	t.Helper()
	for range 2000 {
		var have int
		err := to.QueryRowContext(t.Context(), "SELECT count(*) FROM pg_locks WHERE relation = 'mdl_huge'::regclass AND mode = 'ShareLock'").Scan(&have)
		if err != nil {
			t.Error(err)
			return
		}
		if have >= n {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Error("the table was not locked again")
}

// TestLastReaderAtWorkKilled kills the reader that works on the last table, and
// the spare one after it, when the others have nothing to do any more: one of
// them must come back for the table.
func TestLastReaderAtWorkKilled(t *testing.T) {
	list := []string{
		"CREATE TABLE mdl_huge (a bigint NOT NULL, v longtext)",
		"INSERT INTO mdl_huge VALUES (1, REPEAT('moodle ', 1000))",
	}
	for range 12 { // more than any buffer on the way holds
		list = append(list, "INSERT INTO mdl_huge SELECT a, v FROM mdl_huge")
	}
	p := rig.Tiny(t, rig.FirstSource(), rig.FirstTarget(), append(list, "ANALYZE TABLE mdl_huge")...)
	p.Migrate(t, migrate.Options{Site: rig.TinyCode(t)})
	p.TargetServer.Exec(t, p.TargetURL, "TRUNCATE mdl_huge, mdl_config, mdl_config_plugins")
	to := p.TargetServer.SQL(t, p.TargetURL)
	// While the table is locked its rows are not taken, and the source's query runs on.
	locked := func() (unlock func()) {
		tx, err := to.Begin()
		if err == nil {
			_, err = tx.Exec("LOCK TABLE mdl_huge IN SHARE MODE")
		}
		if err != nil {
			t.Error(err)
		}
		return func() { _ = tx.Rollback() }
	}
	plan, err := migrate.Make(t.Context(), p.Source, p.Target, migrate.Options{DataOnly: true, Jobs: 2})
	if err != nil {
		t.Fatal(err)
	}
	var killers sync.WaitGroup
	var killed sync.Map
	var unlock func()
	done, lost := 0, 0
	_, err = migrate.Run(t.Context(), p.Source, p.Target, plan, func(e migrate.Event) {
		switch e := e.(type) {
		case migrate.StepDone:
			if e.Name == "prepare the target" {
				unlock = locked()
			}
		case migrate.TableDone:
			if done++; done == 2 {
				killers.Go(func() {
					rig.KillReader(t, p, "SELECT `a`%FROM%mdl_huge%", &killed)
					// The next lock waits in front of the next attempt.
					again := make(chan func())
					go func() { again <- locked() }()
					awaitLocks(t, to, 2)
					unlock()
					unlock := <-again
					rig.KillReader(t, p, "SELECT `a`%FROM%mdl_huge%", &killed)
					unlock()
				})
			}
		case migrate.ReaderLost:
			lost++
		}
	})
	killers.Wait()
	if err != nil || lost != 2 {
		t.Errorf("%d readers lost: %v", lost, err)
	}
	p.CompareAll(t, "public", "mdl_")
}
