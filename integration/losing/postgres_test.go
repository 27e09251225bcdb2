//go:build integration

package losing

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/moodledb/moodledb/integration/internal/rig"
	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/migrate"
)

// forgetful are the settings of a target that has written little of what was
// committed last when it is killed: commits of a load do not wait for the disk.
func forgetful() []string {
	return []string{"synchronous_commit=on", "wal_writer_delay=10s", "wal_writer_flush_after=1GB", "wal_buffers=64MB"}
}

// mortalPair is a pair whose target can be killed, and the code of its site.
func mortalPair(t *testing.T, target string) (*rig.Watched, migrate.Options) {
	t.Helper()
	source := testdb.Private(t, rig.FirstSource())
	p := rig.MixedPair(t, source, testdb.Mortal(t, target, forgetful()...), rand.New(rand.NewPCG(1, 2)))
	p.Open(t)
	return rig.Watch(t, p), migrate.Options{Site: rig.LoadCode(t, rig.MixedCode(t)), Chunk: migrate.MinChunk, Jobs: 3}
}

// run plans and runs in this process; disturb sees each event while the run waits.
func run(ctx context.Context, p *rig.Watched, opts migrate.Options, disturb func(migrate.Event)) (*migrate.Result, error) {
	plan, err := migrate.Make(ctx, p.Source, p.Target, opts)
	if err != nil {
		return nil, err
	}
	if plan.Blocked() {
		return nil, rig.Blocked(plan)
	}
	return migrate.Run(ctx, p.Source, p.Target, plan, disturb)
}

// baseline is the schema that an undisturbed run makes.
func baseline(t *testing.T, p *rig.Watched, opts migrate.Options) []string {
	t.Helper()
	target := p.TargetURL
	defer func() {
		p.Target.Close()
		p.TargetURL = target
		p.Open(t)
	}()
	p.Target.Close()
	p.TargetURL = p.TargetServer.Database(t)
	p.Open(t)
	p.Migrate(t, opts)
	return rig.Statements(p.TargetServer.Dump(t, p.TargetURL, "--schema-only", "--schema=public"))
}

// crash ends the target in some way, and starts it again where it must be.
type crash struct {
	name string
	do   func(t *testing.T, p *rig.Watched)
}

func crashes() []crash {
	again := func(signal syscall.Signal) func(*testing.T, *rig.Watched) {
		return func(t *testing.T, p *rig.Watched) {
			p.TargetServer.Kill(t, signal)
			p.TargetServer.Restart(t)
		}
	}
	return []crash{
		{"killed", again(syscall.SIGKILL)},
		{"immediate shutdown", again(syscall.SIGQUIT)},
		{"fast shutdown", again(syscall.SIGINT)},
		{"a backend killed", func(t *testing.T, p *rig.Watched) {
			// The server ends all others too, and recovers by itself.
			for _, pid := range backends(t, p) {
				_ = syscall.Kill(pid, syscall.SIGKILL)
				return
			}
		}},
		{"a backend ended", func(t *testing.T, p *rig.Watched) {
			for _, pid := range backends(t, p) {
				_, _ = p.To.Exec(fmt.Sprintf("SELECT pg_terminate_backend(%d)", pid))
				return
			}
		}},
	}
}

// backends are the processes of the product's sessions, those at work first.
func backends(t *testing.T, p *rig.Watched) []int {
	t.Helper()
	rows, err := p.To.Query("SELECT pid FROM pg_stat_activity WHERE application_name = 'moodledb' AND datname = current_database() ORDER BY state = 'active' DESC, query_start DESC")
	if err != nil {
		t.Error(err)
		return nil
	}
	defer rows.Close()
	var out []int
	for rows.Next() {
		var pid int
		if err := rows.Scan(&pid); err != nil {
			t.Error(err)
		}
		out = append(out, pid)
	}
	return out
}

// records counts what the ledger has as copied or built; -1 when it cannot be read.
func records(p *rig.Watched) (n int) {
	const query = "SELECT (SELECT count(*) FROM moodledb.run_chunk WHERE done) + (SELECT count(*) FROM moodledb.run_table WHERE state <> 'waiting') + " +
		"(SELECT count(*) FROM moodledb.run_build)"
	if p.To.QueryRow(query).Scan(&n) != nil {
		return -1
	}
	return n
}

// TestPostgresKilled kills the target at chosen moments of a run, which waits
// for it, goes on with what the ledger has, and ends as if nothing had been.
func TestPostgresKilled(t *testing.T) {
	moments := []struct {
		name string
		is   func(migrate.Event) bool
	}{
		{"the first table is copied", func(e migrate.Event) bool { _, ok := e.(migrate.TableCopied); return ok }},
		{"a first index is begun", func(e migrate.Event) bool { _, ok := e.(migrate.IndexStarted); return ok }},
		{"a first index is built", func(e migrate.Event) bool { _, ok := e.(migrate.IndexBuilt); return ok }},
		{"the first table is done", func(e migrate.Event) bool { _, ok := e.(migrate.TableDone); return ok }},
		{"all is copied", func(e migrate.Event) bool { s, ok := e.(migrate.StepStarted); return ok && s.Name == "add constraints" }},
		{"the constraints are there", func(e migrate.Event) bool { s, ok := e.(migrate.StepDone); return ok && s.Name == "add constraints" }},
	}
	for _, target := range rig.Matrix(testdb.Targets()) {
		t.Run(target, func(t *testing.T) {
			p, opts := mortalPair(t, target)
			want := baseline(t, p, opts)
			lost := 0
			for i, m := range moments {
				for j, c := range crashes() {
					// One way each, and for the moments that matter most the hardest one.
					if j != i%len(crashes()) && (j != 0 || i < 4) {
						continue
					}
					opts := opts
					if i >= 4 {
						opts.Jobs = 1 // what is lost is what comes last
					}
					t.Run(m.name+", "+c.name, func(t *testing.T) { lost += killedAt(t, p, opts, m.is, c, want) })
				}
			}
			t.Logf("%d records that were committed were lost in crashes", lost)
			if lost == 0 {
				t.Error("no crash has lost a commit: nothing was tested")
			}
		})
	}
}

// killedAt runs with one crash and returns how many records of the ledger it has lost.
func killedAt(t *testing.T, p *rig.Watched, opts migrate.Options, is func(migrate.Event) bool, c crash, want []string) (lost int) {
	p.TargetURL = p.TargetServer.Database(t)
	p.To = p.TargetServer.SQL(t, p.TargetURL)
	p.To.SetMaxOpenConns(1)
	p.Target.Close()
	p.Open(t)
	before := goleak.IgnoreCurrent()
	done, tables := false, 0
	var told []string
	result, err := run(t.Context(), p, opts, func(e migrate.Event) {
		switch e := e.(type) {
		case migrate.Retrying:
			told = append(told, fmt.Sprintf("%s again in %s: %v", e.What, e.Wait.Round(time.Millisecond), e.Err))
		case migrate.Notice:
			told = append(told, e.Message)
		case migrate.TableDone:
			if tables++; tables == rig.MixedTiny {
				// What is committed by now is not lost. This writes all of it.
				_, _ = p.To.Exec("SELECT txid_current()")
			}
		}
		if done || !is(e) {
			return
		}
		done = true
		had := records(p)
		c.do(t, p)
		awake(t, p)
		lost = max(0, had-records(p))
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, strings.Join(told, "\n"))
	}
	if !done {
		t.Fatal("the moment never came")
	}
	t.Logf("%d records lost; %s", lost, strings.Join(told, "\n"))
	p.Target.Close()
	if err := p.Source.Close(); err != nil {
		t.Error(err)
	}
	goleak.VerifyNone(t, before, ignoreServers())
	p.Quiet(t)
	last := p.LastRun(t)
	if last == nil || last.State != "done" || last.Attempts != 1 || last.ID != result.Run {
		t.Fatalf("the last run of the ledger is %+v", last)
	}
	p.CheckLedger(t, last, "public")
	p.CompareDigests(t, "public")
	if diff := cmp.Diff(want, rig.Statements(p.TargetServer.Dump(t, p.TargetURL, "--schema-only", "--schema=public"))); diff != "" {
		t.Errorf("the schema differs (-undisturbed +killed):\n%s", diff)
	}
	return lost
}

// ignoreServers leaves out the goroutines that wait for the end of a server that was started again.
func ignoreServers() goleak.Option {
	return goleak.IgnoreAnyFunction("github.com/moodledb/moodledb/internal/throwaway.startProcess.func1")
}

// awake waits until the target answers again.
func awake(t *testing.T, p *rig.Watched) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		err := p.To.Ping()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// TestPostgresKilledAgainAndAgain kills the target at random moments, again and
// again, while one run goes on.
func TestPostgresKilledAgainAndAgain(t *testing.T) {
	p, opts := mortalPair(t, rig.FirstTarget())
	want := baseline(t, p, opts)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 3))
	ended := make(chan struct{})
	var killer sync.WaitGroup
	kills, lost := 0, 0
	ways := crashes()
	killer.Go(func() {
		for kills < 8 {
			select {
			case <-ended:
				return
			case <-time.After(time.Duration(rnd.IntN(700)) * time.Millisecond):
			}
			if records(p) <= 0 {
				continue
			}
			had := records(p)
			ways[kills%len(ways)].do(t, p)
			awake(t, p)
			kills++
			lost += max(0, had-records(p))
		}
	})
	retries := 0
	_, err := run(t.Context(), p, opts, func(e migrate.Event) {
		switch e := e.(type) {
		case migrate.Retrying:
			retries++
		case migrate.TableCopied:
			_ = e
			time.Sleep(10 * time.Millisecond) // so that there is time to be killed in
		}
	})
	close(ended)
	killer.Wait()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d kills, %d retries, %d records lost", kills, retries, lost)
	if kills < 3 {
		t.Errorf("only %d kills", kills)
	}
	awake(t, p)
	p.Target.Close()
	_ = p.Source.Close()
	p.Quiet(t)
	p.CheckLedger(t, p.LastRun(t), "public")
	p.CompareAll(t, "public", "mdl_")
	if diff := cmp.Diff(want, rig.Statements(p.TargetServer.Dump(t, p.TargetURL, "--schema-only", "--schema=public"))); diff != "" {
		t.Errorf("the schema differs (-undisturbed +killed):\n%s", diff)
	}
}

// TestPostgresGone kills the target and does not bring it back: the run waits
// for as long as it has patience for, says what is the matter and how to go on,
// and can be resumed when the target is there again.
func TestPostgresGone(t *testing.T) {
	p, opts := mortalPair(t, rig.FirstTarget())
	before := goleak.IgnoreCurrent()
	opts.Patience = 2 * time.Second
	killed, retries := false, 0
	_, err := run(t.Context(), p, opts, func(e migrate.Event) {
		switch e.(type) {
		case migrate.Retrying:
			retries++
		case migrate.TableCopied:
			if !killed {
				killed = true
				p.TargetServer.Kill(t, syscall.SIGKILL)
			}
		}
	})
	t.Logf("%d retries: %v", retries, err)
	var stopped *migrate.StoppedError
	if !errors.As(err, &stopped) || retries == 0 {
		t.Fatalf("%d retries: %v", retries, err)
	}
	for _, want := range []string{"connection refused", "2s", "--resume"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q: %v", want, err)
		}
	}
	p.Target.Close()
	_ = p.Source.Close()
	goleak.VerifyNone(t, before, ignoreServers())
	p.TargetServer.Restart(t)
	p.Open(t)
	opts.Resume, opts.SourceFrozen = true, true
	if _, err := run(t.Context(), p, opts, func(migrate.Event) {}); err != nil {
		t.Fatal(err)
	}
	p.CompareAll(t, "public", "mdl_")
	p.CheckLedger(t, p.LastRun(t), "public")
}
