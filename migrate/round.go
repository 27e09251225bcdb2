package migrate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/moodledb/moodledb/postgres"
)

// round is one attempt to bring all that is missing into the target. It ends
// when nothing is missing, when something fails for good, or when a connection
// to the target is lost: what was committed last may be lost with it, so the
// next round begins with what the ledger has.
type round struct {
	run    *run
	states []*tableState

	mu sync.Mutex
	// changed is signalled when there may be a task, or none any more.
	changed sync.Cond
	queue   []unit
	tasks   []task
	// checks are what is read back when there is no task, counts the tables whose
	// rows are counted when no unit is left, and locked those that are counted by who holds them.
	checks []check
	counts [][]*tableState
	locked []*tableState
	// rereads is set while a stream has the session that reads again.
	rereads bool
	// ended is why no more work is begun; nil while the round goes on.
	ended error
	// copying and building count the streams and builders at work.
	copying, building int
	// moved is set when something was committed.
	moved bool
}

// copyRows goes through rounds until every table is complete, and returns the
// results in the order of plan.Tables.
func (r *run) copyRows(ctx context.Context) ([]TableResult, error) {
	states := make([]*tableState, len(r.plan.Tables))
	for i := range r.plan.Tables {
		states[i] = newTableState(&r.plan.Tables[i])
	}
	wait := r.patience()
	for first := true; ; first = false {
		moved, err := r.copyRound(ctx, states, first)
		if err == nil {
			break
		}
		if errors.Is(err, errLeftOver) {
			continue // at once: each time there is one reader less
		}
		var mismatch *MismatchError
		if errors.As(err, &mismatch) {
			r.explain(ctx, states, mismatch)
		}
		if ctx.Err() != nil || !postgres.Transient(err) {
			return nil, err
		}
		if moved {
			wait.reset()
		}
		if !wait.again(ctx, "the target", err) {
			return nil, fmt.Errorf("%w (tried again for %s)", err, r.plan.Patience)
		}
	}
	results := make([]TableResult, len(states))
	for i, s := range states {
		s.result.Sum, s.result.Counted = s.sum, s.counted
		s.result.ReadAgain, s.result.ReadAgainNote = s.again.rows, s.again.note()
		results[i] = s.result
	}
	return results, nil
}

// copyRound runs one round; moved tells whether it brought anything into the target.
func (r *run) copyRound(ctx context.Context, states []*tableState, first bool) (moved bool, err error) {
	if err := r.holdOn(ctx); err != nil {
		return false, err
	}
	if err := r.restore(ctx, states); err != nil {
		return false, err
	}
	if first {
		for _, s := range states {
			if now := s.resumed(); now.Copied || now.Done || now.Rows > 0 {
				r.send(now)
			}
		}
	}
	o := &round{run: r, states: states, queue: units(states, r.locked != nil)}
	o.changed.L = &o.mu
	o.counts, o.locked = r.countable(states)
	for _, s := range states {
		if s.state == postgres.TableCopied {
			o.build(s)
		}
	}
	o.checkAll()
	if err := o.work(ctx); err != nil {
		return o.moved, err
	}
	if o.ended != nil {
		return o.moved, o.ended
	}
	if (len(o.queue)+len(o.counts) > 0 || o.unread()) && len(r.readers()) > 0 {
		return o.moved, errLeftOver
	}
	for _, states := range o.counts {
		r.uncounted(states, ErrSnapshotLost)
	}
	return o.moved, r.complete(states)
}

// errLeftOver ends a round in which a reader was lost when the others had
// nothing to do any more: they come back for what it has left.
var errLeftOver = errors.New("a lost reader has left work over")

// restore takes over what the ledger has.
func (r *run) restore(ctx context.Context, states []*tableState) error {
	have, err := r.target.RunContents(ctx, r.id)
	if err != nil {
		return err
	}
	tables := map[string]postgres.TableRecord{}
	for _, t := range have.Tables {
		tables[t.Table] = t
	}
	chunks := map[string][]postgres.ChunkRecord{}
	for _, c := range have.Chunks {
		chunks[c.Table] = append(chunks[c.Table], c)
	}
	builds := map[string][]postgres.BuildRecord{}
	for _, b := range have.Builds {
		builds[b.Table] = append(builds[b.Table], b)
	}
	for _, s := range states {
		name := s.plan.Target
		t, ok := tables[name]
		if !ok {
			return fmt.Errorf("the ledger has no table %q in run %d: someone has changed it; start over", name, r.id)
		}
		if err := s.plan.covered(chunks[name]); err != nil {
			return err
		}
		s.restore(t, chunks[name], builds[name])
		if s.divided && s.left == 0 && s.state == postgres.TableWaiting {
			conn, err := r.target.Acquire(ctx)
			if err != nil {
				return err
			}
			err = r.chunksCopied(ctx, conn, s)
			conn.Release()
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// chunksCopied records that the last part of a table is committed.
func (r *run) chunksCopied(ctx context.Context, conn *postgres.Conn, s *tableState) error {
	err := r.patiently(ctx, conn, fmt.Sprintf("table %q", s.plan.Target), func() error {
		return conn.Exec(ctx, postgres.RecordChunksCopied(r.id, s.plan.Target, s.sum))
	})
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state = postgres.TableCopied
	s.result.Copied, s.result.Rows, s.result.Bytes = true, s.committed.rows, s.committed.bytes
	return nil
}

// work runs the streams and the builders until there is nothing left to do.
func (o *round) work(ctx context.Context) error {
	readers := o.run.readers()
	if len(readers) == 0 && len(o.queue) > 0 {
		return fmt.Errorf("%w: no connection to the source is left that sees the moment that is copied", ErrSnapshotLost)
	}
	group, ctx := errgroup.WithContext(ctx)
	defer context.AfterFunc(ctx, o.wake)()
	o.copying = len(readers)
	for i := range readers {
		group.Go(func() error {
			defer o.left(&o.copying)
			return o.stream(ctx, i, readers[i])
		})
	}
	for range max(1, len(readers)) {
		group.Go(func() error { return o.builder(ctx) })
	}
	return group.Wait()
}

// left counts a worker down.
func (o *round) left(n *int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	*n--
	o.changed.Broadcast()
}

// wake lets whoever waits for a task look again.
func (o *round) wake() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.changed.Broadcast()
}

// complete reports what is missing though nothing failed.
func (r *run) complete(states []*tableState) error {
	for _, s := range states {
		if !r.plan.complete(s.state, s.plan.Copy) {
			if len(r.readers()) == 0 {
				return fmt.Errorf("%w: every connection to the source was lost before table %q was copied", ErrSnapshotLost, s.plan.Target)
			}
			return fmt.Errorf("table %q is not complete, and nothing failed: this is a fault in moodledb", s.plan.Target)
		}
	}
	return nil
}

// ErrSnapshotLost is wrapped when no connection is left that sees the moment
// of the source that is copied. A resumed run opens another one.
var ErrSnapshotLost = errors.New("the snapshot of the source is lost")

// next takes the next unit; false when there is none, or the round has ended.
// Units that need the reader which holds their table locked are given to that one only.
func (o *round) next(locked bool) (unit, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ended != nil {
		return unit{}, false
	}
	// Tables that are held locked come first, whatever was put in front of them.
	at := -1
	if locked {
		at = slices.IndexFunc(o.queue, func(u unit) bool { return u.locked })
	}
	if at < 0 {
		at = slices.IndexFunc(o.queue, func(u unit) bool { return !u.locked })
	}
	if at < 0 {
		return unit{}, false
	}
	u := o.queue[at]
	o.queue = slices.Delete(o.queue, at, at+1)
	return u, true
}

// putBack puts units in front of the queue.
func (o *round) putBack(units ...unit) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.queue = append(units, o.queue...)
}

// end lets no more work begin, since the connection to the target is lost.
func (o *round) end(why error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ended == nil {
		o.ended = why
	}
	o.changed.Broadcast()
}

// committed notes that the round got on.
func (o *round) committed() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.moved = true
}

// over reports whether the round has ended.
func (o *round) over() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.ended != nil
}

// lost ends the round when err comes of a lost session of the target; false
// when it comes of something else, which ends the run.
func (o *round) lost(ctx context.Context, conn *postgres.Conn, err error) bool {
	if ctx.Err() != nil || !(conn == nil && postgres.Transient(err) || conn != nil && conn.Lost()) {
		return false
	}
	o.end(err)
	return true
}
