package migrate

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/moodledb/moodledb/postgres"
)

// largeTable is the estimated size from which each index of a table is a task
// of its own, in bytes. The indexes of a smaller table are built one after the
// other by one session: handing them out would cost more than the work.
const largeTable = 32 << 20

// parallelTable is the estimated size from which an index may be built by
// several workers of the server, in bytes.
const parallelTable = 256 << 20

// task is a piece of the work that follows a table's copy.
type task struct {
	state  *tableState
	builds []Build
	// then are the tasks that may begin when this one is done.
	then [][]Build
	// shared says that others work on the same table at once.
	shared bool
	// check, when set, is what the task is instead: to read something back.
	check *check
}

// split divides what follows a table's copy into tasks: one that comes first,
// and others that may be done at the same time after it. What needs the table
// for itself comes first: CREATE INDEX lets others do the same, ALTER TABLE
// waits for all of them, and makes those that come later wait for itself.
func split(t *Table, builds []Build) (first []Build, then [][]Build) {
	if t.Bytes < largeTable || len(builds) < 2 {
		return builds, nil
	}
	for _, x := range builds {
		if x.exclusive {
			first = append(first, x)
		} else {
			then = append(then, []Build{x})
		}
	}
	return first, then
}

// build hands out what follows the copy of a table.
func (o *round) build(s *tableState) {
	s.mu.Lock()
	first, then := split(s.plan, s.unbuilt())
	s.pending = len(then)
	if len(first) > 0 || len(then) == 0 {
		s.pending++
	}
	s.mu.Unlock()
	if len(first) > 0 || len(then) == 0 {
		o.hand(task{state: s, builds: first, then: then})
		return
	}
	o.handAll(s, then)
}

// handAll hands out tasks that may be done at the same time.
func (o *round) handAll(s *tableState, parts [][]Build) {
	for _, p := range parts {
		o.hand(task{state: s, builds: p, shared: true})
	}
}

// hand hands out a task.
func (o *round) hand(b task) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.tasks = append(o.tasks, b)
	o.changed.Broadcast()
}

// nextTask waits for a task; false when there will be none any more, or the round has ended.
func (o *round) nextTask(ctx context.Context) (task, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for {
		switch {
		case o.ended != nil || ctx.Err() != nil:
			return task{}, false
		case len(o.tasks) > 0:
			b := o.tasks[0]
			o.tasks = o.tasks[1:]
			o.building++
			return b, true
		case len(o.checks) > 0:
			c := o.checks[0]
			o.checks = o.checks[1:]
			o.building++
			return task{check: &c}, true
		case o.copying == 0 && o.building == 0:
			return task{}, false
		}
		o.changed.Wait()
	}
}

// builder takes tasks until there are none. An error ends the run.
func (o *round) builder(ctx context.Context) error {
	conn, err := o.run.target.Acquire(ctx)
	if err == nil {
		defer conn.Release()
		err = conn.Exec(ctx, fmt.Sprintf("SET maintenance_work_mem = '%dkB'", o.run.buildMemory()>>10))
	}
	if err != nil {
		if o.lost(ctx, conn, err) {
			return nil
		}
		return err
	}
	for {
		b, ok := o.nextTask(ctx)
		if !ok {
			return ctx.Err()
		}
		err := o.buildTask(ctx, conn, b)
		o.left(&o.building)
		if err != nil && o.lost(ctx, conn, err) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// idle is the number of builders that have nothing to do while no rows are copied.
func (o *round) idle() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.copying > 0 {
		return 0
	}
	return max(0, o.run.plan.readers()-o.building-len(o.tasks)-len(o.checks))
}

// buildMemory is maintenance_work_mem for one builder, in bytes: an eighth of
// what the server takes for its cache, shared by all builders, but not less
// than the server's own setting. More than 1 GiB has no use: see the measurements in docs/benchmarks.md.
func (r *run) buildMemory() int64 {
	server := r.target.Server()
	fit := server.CacheSize / 8 / int64(r.plan.readers())
	return max(min(max(fit, 64<<20), 1<<30), server.MaintenanceMemory)
}

func (o *round) buildTask(ctx context.Context, conn *postgres.Conn, b task) error {
	if b.check != nil {
		return o.readBack(ctx, conn, *b.check)
	}
	t := b.state.plan
	for _, x := range b.builds {
		if err := o.buildOne(ctx, conn, b.state, x, b.shared); err != nil {
			return fmt.Errorf("table %q: build %s: %w", t.Target, x.Name, hinted(err))
		}
	}
	b.state.mu.Lock()
	b.state.pending--
	last := b.state.pending == 0
	b.state.mu.Unlock()
	o.handAll(b.state, b.then)
	if !last {
		return nil
	}
	// The last task of the table: all else is in place.
	return o.finish(ctx, conn, b.state)
}

// buildOne makes one key or index, and records it in the same transaction. Of
// a key of a table that others work on at once only the index is made, which
// finish then makes the key.
func (o *round) buildOne(ctx context.Context, conn *postgres.Conn, s *tableState, x Build, shared bool) error {
	t := s.plan
	began := time.Now()
	name, statements := x.Name, x.statements()
	if shared && x.index != "" {
		if name, statements = indexOf(x), []string{x.index}; s.has(name) {
			return nil // built by an earlier attempt
		}
	}
	o.run.send(IndexStarted{Table: t.Target, Name: x.Name})
	var script []string
	if workers := min(o.idle(), o.run.target.Server().MaxWorkers); workers > 0 && t.Bytes >= parallelTable {
		script = append(script, fmt.Sprintf("SET LOCAL max_parallel_maintenance_workers = %d", workers))
	}
	script = append(append(script, statements...), postgres.RecordBuild(o.run.id, t.Target, name))
	err := o.run.patiently(ctx, conn, fmt.Sprintf("index %s of table %q", x.Name, t.Target), func() error {
		return conn.Exec(ctx, postgres.Batch(script))
	})
	if err != nil {
		return err
	}
	elapsed := time.Since(began)
	o.committed()
	s.mu.Lock()
	s.built[name] = true
	s.result.Indexes++
	s.result.IndexTime += elapsed
	s.mu.Unlock()
	o.run.send(IndexBuilt{Table: t.Target, Name: x.Name, Elapsed: elapsed})
	return nil
}

// indexOf is the name in the ledger of a key's index, as long as it is no key.
func indexOf(x Build) string { return x.Name + " (index)" }

// attach makes keys of the indexes that were built for them.
func (o *round) attach(ctx context.Context, conn *postgres.Conn, s *tableState) error {
	t := s.plan
	for _, x := range t.After {
		if x.index == "" || s.has(x.Name) || !s.has(indexOf(x)) {
			continue
		}
		script := postgres.Batch([]string{x.attach, postgres.RecordBuild(o.run.id, t.Target, x.Name)})
		err := o.run.patiently(ctx, conn, fmt.Sprintf("key %s of table %q", x.Name, t.Target), func() error { return conn.Exec(ctx, script) })
		if err != nil {
			return fmt.Errorf("table %q: make index %s a key: %w", t.Target, x.Name, hinted(err))
		}
		s.mu.Lock()
		s.built[x.Name] = true
		s.mu.Unlock()
	}
	return nil
}

// patiently tries again what may pass while the session lives.
func (r *run) patiently(ctx context.Context, conn *postgres.Conn, what string, f func() error) error {
	var wait *patience
	for {
		err := f()
		if err == nil || ctx.Err() != nil || conn.Lost() || !postgres.Transient(err) {
			return err
		}
		if wait == nil {
			wait = r.patience()
		}
		if !wait.again(ctx, what, err) {
			return err
		}
	}
}

// statements build a key or index, from the journal when it was put aside.
func (x Build) statements() []string {
	if x.entry != nil {
		return x.entry.Statements()
	}
	return []string{x.Statement}
}

// finishing are the statements that complete a table: sequences, statistics.
func (r *run) finishing(t *Table) ([]string, error) {
	var out []string
	for _, q := range t.Sequences {
		atLeast := r.autoIncrement(t, q)
		if atLeast > math.MaxInt64 {
			return nil, fmt.Errorf("table %q: set sequence %q: the source's next value %d is beyond what a sequence can give", t.Target, q.Name, atLeast)
		}
		out = append(out, postgres.RestartStatement(r.plan.Load, t.Target, q.Column, q.Name, atLeast))
	}
	return append(out, t.Finish...), nil
}

// nextValue takes the next value of a table's sequence from the results of its
// finishing statements, and returns the results that follow.
func nextValue(t *Table, results []string) (next int64, rest []string, err error) {
	if len(results) < len(t.Sequences) {
		return 0, nil, fmt.Errorf("table %q: only %d of its %d sequences were set", t.Target, len(results), len(t.Sequences))
	}
	for i := range t.Sequences {
		if next, err = strconv.ParseInt(results[i], 10, 64); err != nil {
			return 0, nil, fmt.Errorf("table %q: set sequence %q: %w", t.Target, t.Sequences[i].Name, err)
		}
	}
	return next, results[len(t.Sequences):], nil
}

// finish sets the table's sequences, gathers its statistics and records that it is complete.
func (o *round) finish(ctx context.Context, conn *postgres.Conn, s *tableState) error {
	t := s.plan
	if err := o.attach(ctx, conn, s); err != nil {
		return err
	}
	script, err := o.run.finishing(t)
	if err != nil {
		return err
	}
	if s.divided && t.creates && len(t.Chunks) == 0 {
		// An earlier attempt divided the table, and this one would not have.
		script = append(script, postgres.SetVacuum(o.run.plan.Load, t.Target, false))
	}
	var next int64
	err = o.run.patiently(ctx, conn, fmt.Sprintf("table %q", t.Target), func() error {
		results, err := conn.Script(ctx, script)
		if err == nil {
			next, _, err = nextValue(t, results)
		}
		if err == nil {
			err = conn.Exec(ctx, postgres.RecordDone(o.run.id, t.Target, next))
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("table %q: complete it: %w", t.Target, hinted(err))
	}
	o.committed()
	s.mu.Lock()
	s.state = postgres.TableDone
	s.result.NextValue = next
	s.mu.Unlock()
	o.run.send(TableDone{Table: t.Target})
	o.check(s)
	return nil
}

// complete builds, in the open transaction, the keys and indexes of small
// tables, completes them, and records that. It returns the next values of their sequences.
func (c *stream) complete(ctx context.Context, u unit, done []postgres.Copied) ([]int64, error) {
	var script, what []string
	add := func(name string, statements ...string) {
		for _, statement := range statements {
			script, what = append(script, statement), append(what, name)
		}
	}
	for _, s := range u.tables {
		t := s.plan
		for _, x := range t.After {
			add(fmt.Sprintf("table %q: build %s", t.Target, x.Name), x.statements()...)
		}
		finishing, err := c.run.finishing(t)
		if err != nil {
			return nil, err
		}
		add(fmt.Sprintf("table %q: complete it", t.Target), finishing...)
	}
	results, err := c.conn.Script(ctx, script)
	var failed *postgres.ScriptError
	if errors.As(err, &failed) {
		return nil, fmt.Errorf("%s: %w", what[failed.Index], hinted(err))
	}
	if err != nil {
		return nil, err
	}
	next := make([]int64, len(u.tables))
	script = script[:0]
	for i, s := range u.tables {
		t := s.plan
		if next[i], results, err = nextValue(t, results); err != nil {
			return nil, err
		}
		script = append(script, postgres.RecordCopied(c.run.id, t.Target, done[i]), postgres.RecordDone(c.run.id, t.Target, next[i]))
		for _, x := range t.After {
			script = append(script, postgres.RecordBuild(c.run.id, t.Target, x.Name))
		}
	}
	return next, c.conn.Exec(ctx, postgres.Batch(script))
}
