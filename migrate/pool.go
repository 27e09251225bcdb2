package migrate

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/moodledb/moodledb/copy"
	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/postgres"
)

// largeTable is the estimated size from which each index of a table is a task
// of its own, in bytes. The indexes of a smaller table are built one after the
// other by one session: starting sessions would cost more than the work.
const largeTable = 32 << 20

// task is a piece of the work that follows a table's copy.
type task struct {
	state  *tableState
	builds []Build
}

// tableState is the running state of one table. Its result is written by the
// copying goroutine, then by the builders under mu.
type tableState struct {
	plan    *Table
	pending atomic.Int64
	mu      sync.Mutex
	result  TableResult
}

// copyTables copies every table with the readers of the snapshot, and builds
// keys and indexes of those that are loaded while others are still being
// copied. It returns the results in the order of plan.Tables.
func (r *run) copyTables(ctx context.Context, snapshot *mysql.Snapshot) ([]TableResult, error) {
	states := make([]*tableState, len(r.plan.Tables))
	tasks := 0
	for i := range r.plan.Tables {
		t := &r.plan.Tables[i]
		states[i] = &tableState{plan: t, result: TableResult{Name: t.Target, Declared: t.Declared, Reason: t.Reason}}
		tasks += len(split(t))
	}
	// Both channels hold all that can ever be sent, so that no send blocks: a
	// reader never waits for a builder.
	queue := make(chan *tableState, len(states))
	var locked []*tableState
	for _, s := range states {
		if snapshot.Locked != nil && s.plan.Copy && s.plan.NoTransactions {
			locked = append(locked, s)
		} else {
			queue <- s
		}
	}
	close(queue)
	builds := make(chan task, tasks)

	group, ctx := errgroup.WithContext(ctx)
	var copying sync.WaitGroup
	for i, reader := range snapshot.Readers {
		copying.Add(1)
		group.Go(func() error {
			defer copying.Done()
			conn, err := r.target.Acquire(ctx)
			if err != nil {
				return err
			}
			defer conn.Release()
			c := &copier{run: r, reader: reader, conn: conn, builds: builds}
			if i == 0 && snapshot.Locked != nil {
				// First of all, so that their writers wait no longer than they must.
				if err := c.copyLocked(ctx, snapshot.Locked, locked); err != nil {
					return err
				}
			}
			return c.copyAll(ctx, queue)
		})
	}
	group.Go(func() error {
		copying.Wait()
		close(builds)
		return nil
	})
	for range snapshot.Readers {
		group.Go(func() error { return r.build(ctx, builds) })
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	results := make([]TableResult, len(states))
	for i, s := range states {
		results[i] = s.result
	}
	return results, nil
}

// split divides what follows a table's copy into tasks.
func split(t *Table) [][]Build {
	if t.Bytes < largeTable || len(t.After) < 2 {
		return [][]Build{t.After}
	}
	out := make([][]Build, len(t.After))
	for i := range t.After {
		out[i] = t.After[i : i+1]
	}
	return out
}

// loadTable copies the rows of one table.
func (r *run) loadTable(ctx context.Context, reader *mysql.Reader, conn *postgres.Conn, s *tableState) error {
	t := s.plan
	if !t.Copy {
		return nil
	}
	started := time.Now()
	r.send(TableStarted{Table: t.Target, Rows: t.Rows, Bytes: t.Bytes})
	opts := r.copyOptions()
	opts.Progress = func(rows, bytes int64) { r.send(TableProgress{Table: t.Target, Rows: rows, Bytes: bytes}) }
	done, err := copy.Table(ctx, source{reader}, conn, t.job(), opts)
	if err != nil {
		return copyError(err)
	}
	s.result.Copied = true
	s.result.Rows, s.result.Bytes = done.Rows, done.Bytes
	s.result.CopyTime = time.Since(started)
	r.send(TableCopied{Table: t.Target, Rows: done.Rows, Bytes: done.Bytes, Elapsed: s.result.CopyTime})
	return nil
}

// job is the plan of t in the words of package copy.
func (t *Table) job() copy.Job {
	job := copy.Job{Table: t.Source, Query: t.Query, CopySQL: t.CopySQL, KeyOrdered: t.KeyOrdered}
	for _, c := range t.Columns {
		job.Columns = append(job.Columns, copy.Column{Source: c.Source, Target: c.Target, Rule: c.rule, Key: c.Key})
	}
	return job
}

// copyOptions divides the memory among the streams. A quarter of the bound is
// for buffers of rows; the rest is for what the runtime, the drivers and the
// plan itself need.
func (r *run) copyOptions() copy.Options {
	const buffers = 4
	size := r.plan.Memory / 4 / int64(r.plan.Jobs) / buffers
	return copy.Options{Buffer: int(min(max(size, 64<<10), 256<<10)), Buffers: buffers}
}

// build takes tasks until the channel is closed.
func (r *run) build(ctx context.Context, builds <-chan task) error {
	conn, err := r.target.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	for b := range builds {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := r.buildTask(ctx, conn, b); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) buildTask(ctx context.Context, conn *postgres.Conn, b task) error {
	t := b.state.plan
	for _, x := range b.builds {
		started := time.Now()
		if err := x.make(ctx, conn); err != nil {
			return fmt.Errorf("table %q: build %s: %w", t.Target, x.Name, hinted(err))
		}
		elapsed := time.Since(started)
		b.state.mu.Lock()
		b.state.result.Indexes++
		b.state.result.IndexTime += elapsed
		b.state.mu.Unlock()
		r.send(IndexBuilt{Table: t.Target, Name: x.Name, Elapsed: elapsed})
	}
	if b.state.pending.Add(-1) > 0 {
		return nil
	}
	// The last task of the table: all else is in place.
	return r.finish(ctx, conn, b.state)
}

// finish sets the table's sequences and gathers its statistics.
func (r *run) finish(ctx context.Context, conn *postgres.Conn, s *tableState) error {
	t := s.plan
	for _, q := range t.Sequences {
		next, err := conn.RestartSequence(ctx, r.plan.Load, t.Target, q.Column, q.Name, r.autoIncrement(t, q))
		if err != nil {
			return fmt.Errorf("table %q: set sequence %q: %w", t.Target, q.Name, err)
		}
		s.result.NextValue = next
	}
	for _, statement := range t.Finish {
		if err := conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("table %q: %s: %w", t.Target, statement, hinted(err))
		}
	}
	r.send(TableDone{Table: t.Target})
	return nil
}

// make builds a key or index, from the journal when it was put aside.
func (x Build) make(ctx context.Context, conn *postgres.Conn) error {
	if x.entry != nil {
		return conn.Rebuild(ctx, *x.entry)
	}
	return conn.Exec(ctx, x.Statement)
}

// copyError adds a hint to an error of package copy, unless a row is at fault:
// that error says itself what to do. All of them name the table.
func copyError(err error) error {
	var row *copy.RowError
	if errors.As(err, &row) {
		return err
	}
	return hinted(err)
}
