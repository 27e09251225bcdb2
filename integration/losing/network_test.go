//go:build integration

package losing

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/moodledb/moodledb/integration/internal/rig"
	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/migrate"
	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/postgres"
)

// networked is a pair whose product goes through a proxy at either end.
type networked struct {
	*rig.Watched
	toSource, toTarget *proxy
	opts               migrate.Options
	want               []string
}

func newNetworked(t *testing.T) *networked {
	t.Helper()
	p := rig.MixedPair(t, rig.LoggingSource(t, rig.FirstSource()), testdb.Get(t, rig.FirstTarget()), rand.New(rand.NewPCG(6, 7)))
	p.Open(t)
	n := &networked{Watched: rig.Watch(t, p), opts: migrate.Options{Site: rig.LoadCode(t, rig.MixedCode(t)), Chunk: migrate.MinChunk, Jobs: 3}}
	n.want = baseline(t, n.Watched, n.opts)
	n.toSource, n.toTarget = through(t, n.SourceServer), through(t, n.TargetServer)
	return n
}

// fresh makes an empty target and opens both ends through the proxies.
func (n *networked) fresh(t *testing.T) {
	t.Helper()
	n.Target.Close()
	_ = n.Source.Close()
	n.TargetURL = n.TargetServer.Database(t)
	n.To = n.TargetServer.SQL(t, n.TargetURL)
	n.To.SetMaxOpenConns(1)
	if err := n.To.Ping(); err != nil {
		t.Fatal(err)
	}
	n.reopen(t)
}

func (n *networked) reopen(t *testing.T) {
	t.Helper()
	var err error
	if n.Source, err = mysql.Open(t.Context(), rig.Parse(t, n.toSource.url(t, n.ProductURL))); err != nil {
		t.Fatal(err)
	}
	if n.Target, err = postgres.Open(t.Context(), rig.Parse(t, n.toTarget.url(t, n.TargetURL))); err != nil {
		t.Fatal(err)
	}
}

// closed closes the product's pools, and fails the test when anything of it is left.
func (n *networked) closed(t *testing.T, before goleak.Option) {
	t.Helper()
	n.Target.Close()
	_ = n.Source.Close()
	n.toSource.heal()
	n.toTarget.heal()
	goleak.VerifyNone(t, before)
	n.Quiet(t)
}

// equal fails the test unless the run into the target is done and complete.
func (n *networked) equal(t *testing.T) {
	t.Helper()
	last := n.LastRun(t)
	if last == nil || last.State != "done" {
		t.Fatalf("the last run of the ledger is %+v", last)
	}
	n.CheckLedger(t, last, "public")
	n.CompareDigests(t, "public")
	if diff := cmp.Diff(n.want, rig.Statements(n.TargetServer.Dump(t, n.TargetURL, "--schema-only", "--schema=public"))); diff != "" {
		t.Errorf("the schema differs (-undisturbed +disturbed):\n%s", diff)
	}
}

// TestNetworkToTarget disturbs the network between the program and the target.
func TestNetworkToTarget(t *testing.T) {
	n := newNetworked(t)
	first := func(is func(migrate.Event) bool, do func(*networked)) func(*networked) func(migrate.Event) {
		return func(n *networked) func(migrate.Event) {
			done := false
			return func(e migrate.Event) {
				if !done && is(e) {
					done = true
					do(n)
				}
			}
		}
	}
	copied := func(e migrate.Event) bool { _, ok := e.(migrate.TableCopied); return ok }
	step := func(name string) func(migrate.Event) bool {
		return func(e migrate.Event) bool { s, ok := e.(migrate.StepStarted); return ok && s.Name == name }
	}
	lose := func(word string, every, most int) func(*networked) func(migrate.Event) {
		return first(step("copy rows and build indexes"), func(n *networked) { n.toTarget.answers(word, every, most) })
	}
	for _, tc := range []struct {
		name    string
		disturb func(*networked) func(migrate.Event)
		cuts    int
	}{
		{"cut while copying", first(copied, func(n *networked) { n.toTarget.cut() }), 0},
		{"cut again and again", func(n *networked) func(migrate.Event) {
			cuts := 0
			return func(e migrate.Event) {
				if _, ok := e.(migrate.IndexBuilt); ok && cuts < 6 {
					cuts++
					n.toTarget.cut()
				}
			}
		}, 0},
		{"down for a while", first(copied, func(n *networked) {
			n.toTarget.down()
			time.AfterFunc(2*time.Second, n.toTarget.up)
		}), 0},
		{"stalled for a while", first(copied, func(n *networked) {
			n.toTarget.stall()
			time.AfterFunc(2*time.Second, n.toTarget.flow)
		}), 0},
		{"cut before constraints", first(step("add constraints"), func(n *networked) { n.toTarget.cut() }), 0},
		{"cut before the check of the schema", first(step("check the schema"), func(n *networked) { n.toTarget.cut() }), 0},
		{"cut before publishing", first(step("hand over"), func(n *networked) { n.toTarget.cut() }), 0},
		{"the answers to commits are lost", lose("COMMIT\x00", 5, 6), 6},
		{"the answer to the next commit is lost", lose("COMMIT\x00", 1, 1), 1},
		{"the answers to index builds are lost", lose("INSERT INTO moodledb.run_build", 3, 4), 4},
		{"the answer to a constraint is lost", lose("ADD CONSTRAINT \"mdl_child_big", 1, 1), 1},
		{"the answer to the copied mark is lost", lose("AS all_done", 1, 3), 3},
		{"the answer to the end of a table is lost", lose("SET state = 'done', next_value", 2, 3), 3},
		{"the answer to publishing is lost", first(step("hand over"), func(n *networked) { n.toTarget.answers("commit\x00", 1, 1) }), 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			n.fresh(t)
			before := goleak.IgnoreCurrent()
			disturb := tc.disturb(n)
			var told []string
			began := time.Now()
			_, err := run(t.Context(), n.Watched, n.opts, func(e migrate.Event) {
				switch e := e.(type) {
				case migrate.Retrying:
					told = append(told, fmt.Sprintf("%s again in %s: %v", e.What, e.Wait.Round(time.Millisecond), e.Err))
				case migrate.Notice:
					told = append(told, e.Message)
				}
				disturb(e)
			})
			t.Logf("%s, %d cut: %q", time.Since(began).Round(time.Millisecond), n.toTarget.cuts, told)
			if err != nil {
				t.Fatal(err)
			}
			if n.toTarget.cuts < tc.cuts {
				t.Errorf("%d connections lost their answer, not %d", n.toTarget.cuts, tc.cuts)
			}
			n.closed(t, before)
			n.equal(t)
		})
	}
}

// TestNetworkGone takes the target or the source away for good, in silence or
// not: the run ends when its patience or the user's does, and can be resumed.
func TestNetworkGone(t *testing.T) {
	n := newNetworked(t)
	for _, tc := range []struct {
		name    string
		disturb func(n *networked)
		// cancel says that the user ends the run.
		cancel bool
		want   error
	}{
		{"the target is cut off", func(n *networked) { n.toTarget.down() }, false, nil},
		{"the target is silent", func(n *networked) { n.toTarget.stall() }, true, context.Canceled},
		{"the source is cut off", func(n *networked) { n.toSource.down() }, false, migrate.ErrSnapshotLost},
		{"the source is silent", func(n *networked) { n.toSource.stall() }, true, context.Canceled},
	} {
		t.Run(tc.name, func(t *testing.T) {
			n.fresh(t)
			before := goleak.IgnoreCurrent()
			opts := n.opts
			opts.Patience = 2 * time.Second
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			done := false
			var since time.Time
			_, err := run(ctx, n.Watched, opts, func(e migrate.Event) {
				if _, ok := e.(migrate.TableCopied); ok && !done {
					done, since = true, time.Now()
					tc.disturb(n)
					if tc.cancel {
						time.AfterFunc(500*time.Millisecond, cancel)
					}
				}
			})
			took := time.Since(since)
			t.Logf("%s: %v", took.Round(time.Millisecond), err)
			if err == nil || tc.want != nil && !errors.Is(err, tc.want) {
				t.Errorf("error %v, want %v", err, tc.want)
			}
			if took > 45*time.Second {
				t.Errorf("it took %s to end", took)
			}
			n.closed(t, before)
			n.reopen(t)
			opts.Resume = true
			if _, err := run(t.Context(), n.Watched, opts, func(migrate.Event) {}); err != nil {
				t.Fatal(err)
			}
			n.closed(t, before)
			n.equal(t)
		})
	}
}

// TestNetworkToSource disturbs the network between the program and the source.
func TestNetworkToSource(t *testing.T) {
	n := newNetworked(t)
	for _, tc := range []struct {
		name    string
		disturb func(n *networked)
	}{
		{"stalled for a while", func(n *networked) {
			n.toSource.stall()
			time.AfterFunc(2*time.Second, n.toSource.flow)
		}},
		{"one connection cut", func(n *networked) {
			n.toSource.mu.Lock()
			defer n.toSource.mu.Unlock()
			for l := range n.toSource.links {
				l.reset()
				return
			}
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			n.fresh(t)
			before := goleak.IgnoreCurrent()
			done := false
			_, err := run(t.Context(), n.Watched, n.opts, func(e migrate.Event) {
				if _, ok := e.(migrate.TableCopied); ok && !done {
					done = true
					tc.disturb(n)
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			n.closed(t, before)
			n.equal(t)
		})
	}
}
