//go:build integration

package losing

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/moodledb/moodledb/integration/internal/rig"
	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/migrate"
	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/postgres"
)

// retries collects what a run tells of trying again.
type retries []string

func (r *retries) note(e migrate.Event) {
	if x, ok := e.(migrate.Retrying); ok {
		*r = append(*r, fmt.Sprintf("%s: %v", x.What, x.Err))
	}
}

// is reports whether something was tried again because of an error with a text in it.
func (r *retries) is(text string) bool {
	return slices.ContainsFunc(*r, func(s string) bool { return strings.Contains(s, text) })
}

// prepared reports the moment when all tables are made, and nothing is copied.
func prepared(e migrate.Event) bool {
	s, ok := e.(migrate.StepDone)
	return ok && s.Name == "prepare the target"
}

// TestLockedTarget: tables that someone else locks for a while are waited for.
func TestLockedTarget(t *testing.T) {
	p, opts := mortalPair(t, rig.FirstTarget())
	to := p.TargetServer.SQL(t, p.TargetURL)
	var got retries
	began := time.Now()
	_, err := run(t.Context(), p, opts, func(e migrate.Event) {
		got.note(e)
		if !prepared(e) {
			return
		}
		began = time.Now()
		load := p.LastRun(t).Load
		tx, err := to.Begin()
		if err == nil {
			_, err = tx.Exec(fmt.Sprintf("LOCK TABLE %[1]s.mdl_big, %[1]s.mdl_nokey, %[1]s.mdl_tiny_9 IN ACCESS EXCLUSIVE MODE", load))
		}
		if err != nil {
			t.Error(err)
		}
		time.AfterFunc(2*time.Second, func() { _ = tx.Rollback() })
	})
	if err != nil || time.Since(began) < 2*time.Second {
		t.Fatalf("after %s: %v", time.Since(began), err)
	}
	p.CompareDigests(t, "public")
}

// TestDeadlock: a unit that becomes the victim of a deadlock is copied again.
func TestDeadlock(t *testing.T) {
	p, opts := mortalPair(t, rig.FirstTarget())
	opts.Jobs = 1
	to := p.TargetServer.SQL(t, p.TargetURL)
	var got retries
	ended := make(chan error, 1)
	_, err := run(t.Context(), p, opts, func(e migrate.Event) {
		got.note(e)
		if !prepared(e) {
			return
		}
		load := p.LastRun(t).Load
		tx, err := to.Begin()
		if err == nil {
			// Whoever looks for a deadlock first is its victim: not this session.
			_, err = tx.Exec("SET LOCAL deadlock_timeout = '1h'; LOCK TABLE " + load + ".mdl_tiny_54 IN SHARE MODE")
		}
		if err != nil {
			t.Error(err)
		}
		go func() { ended <- cross(t.Context(), p, tx, load+".mdl_tiny_54", load+".mdl_tiny_51") }()
	})
	if err := errors.Join(err, <-ended); err != nil {
		t.Fatal(err)
	}
	if !got.is("40P01") {
		t.Errorf("there was no deadlock: %q", got)
	}
	p.CompareDigests(t, "public")
	p.CheckLedger(t, p.LastRun(t), "public")
}

// cross waits until the product waits for a table that tx has locked, locks one
// that the product has written to, and gives both up.
func cross(ctx context.Context, p *rig.Watched, tx *sql.Tx, waits, written string) error {
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		var n int
		err := p.To.QueryRowContext(ctx, "SELECT count(*) FROM pg_locks WHERE relation = to_regclass($1) AND NOT granted", waits).Scan(&n)
		if err == nil && n == 0 && time.Now().After(deadline) {
			err = errors.New("nobody waits for " + waits)
		}
		if err != nil {
			return errors.Join(err, tx.Rollback())
		}
		if n > 0 {
			break
		}
	}
	_, err := tx.ExecContext(ctx, "LOCK TABLE "+written+" IN ACCESS EXCLUSIVE MODE")
	return errors.Join(err, tx.Rollback())
}

// occupy takes connections until the server has no more, and returns what gives them back.
func occupy(t *testing.T, s *testdb.Server, url string) (release func()) {
	t.Helper()
	pool := s.SQL(t, url)
	var taken []*sql.Conn
	for {
		c, err := pool.Conn(context.WithoutCancel(t.Context()))
		if err != nil {
			break // it is full
		}
		taken = append(taken, c)
	}
	pool.SetMaxIdleConns(0)
	return func() {
		for _, c := range taken {
			_ = c.Close()
		}
	}
}

// TestTargetFull: a target that has no connection left is refused at the start
// with advice, and waited for later on.
func TestTargetFull(t *testing.T) {
	target := testdb.Private(t, rig.FirstTarget(), "max_connections=20")
	p := rig.MixedPair(t, testdb.Private(t, rig.FirstSource()), target, rand.New(rand.NewPCG(8, 9)))
	p.Open(t)
	w := rig.Watch(t, p)
	opts := migrate.Options{Site: rig.LoadCode(t, rig.MixedCode(t)), Chunk: migrate.MinChunk, Jobs: 3}
	release := occupy(t, target, p.TargetURL)
	var refused *postgres.ConnectError
	if _, err := postgres.Open(t.Context(), rig.Parse(t, p.TargetURL)); !errors.As(err, &refused) || !strings.Contains(err.Error(), "max_connections") {
		t.Errorf("a target that is full: %v", err)
	}
	release()
	var got retries
	_, err := run(t.Context(), w, opts, func(e migrate.Event) {
		got.note(e)
		if prepared(e) {
			time.AfterFunc(2*time.Second, occupy(t, target, p.TargetURL))
		}
	})
	if err != nil || !got.is("too many clients") && !got.is("remaining connection slots") {
		t.Fatalf("retries %q: %v", got, err)
	}
	w.CompareDigests(t, "public")
}

// TestSourceFull: a source that has no connection left is waited for.
func TestSourceFull(t *testing.T) {
	for _, flavour := range rig.Matrix(testdb.Sources()) {
		t.Run(flavour, func(t *testing.T) {
			source := testdb.Private(t, flavour, "max_connections=12")
			p := rig.MixedPair(t, source, testdb.Get(t, rig.FirstTarget()), rand.New(rand.NewPCG(8, 9)))
			p.Open(t)
			w := rig.Watch(t, p)
			opts := migrate.Options{Site: rig.LoadCode(t, rig.MixedCode(t)), Chunk: migrate.MinChunk, Jobs: 3}
			var got retries
			full := false
			_, err := run(t.Context(), w, opts, func(e migrate.Event) {
				got.note(e)
				if s, ok := e.(migrate.StepStarted); ok && !full && s.Name == "open a snapshot of the source" {
					full = true
					time.AfterFunc(2*time.Second, occupy(t, source, p.SourceURL))
				}
				if _, ok := e.(migrate.TableCopied); ok && full {
					// In the middle: what is open is enough.
					full = false
					time.AfterFunc(time.Second, occupy(t, source, p.SourceURL))
				}
			})
			if err != nil || !got.is(mysql.ErrTooManyConnections.Error()) && !got.is("connections") {
				t.Fatalf("retries %q: %v", got, err)
			}
			w.CompareDigests(t, "public")
		})
	}
}
