package migrate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/ownership"
	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/schema"
)

// ErrBlocked is returned by Run for a plan that has a blocker.
var ErrBlocked = errors.New("the plan has blockers")

// run is the state of one Run.
type run struct {
	source *mysql.DB
	target *postgres.DB
	plan   *Plan
	// release gives up the hold on the schema that is loaded.
	release func()
	// staged and published tell what there is to take back: see takeBack.
	staged, published bool
	// made are the tables that this run created in a schema that was there before.
	made []string
	// late are the entries of the journal that are made when all tables are loaded.
	late []postgres.JournalEntry
	// spares are the readers of the snapshot that stand by.
	spares chan *mysql.Reader
	// opened is when the snapshot was begun to be opened.
	opened time.Time
	// snapshot tells of the moment that is copied; under mu while tables are copied.
	snapshot Snapshot
	// live is the source's schema as the snapshot's readers see it, for its AUTO_INCREMENT values.
	live schema.Schema

	mu     sync.Mutex
	events func(Event)
}

// Run carries out a plan that Make made with the same two servers. Events are
// sent to events, which may be nil, one at a time; it must return soon, since
// the work waits for it.
//
// When a step fails, or ctx ends, Run stops all work, takes back what it made
// (the staging schema, or the tables that it created), and returns the first
// error, which names the table, the column and the key where there is one. With
// data-only it rebuilds the indexes that it dropped; the rows that are already
// loaded stay, and the error says so.
func Run(ctx context.Context, source *mysql.DB, target *postgres.DB, plan *Plan, events func(Event)) (*Result, error) {
	if plan.Blocked() {
		return nil, ErrBlocked
	}
	if events == nil {
		events = func(Event) {}
	}
	own := *plan
	own.Tables = slices.Clone(plan.Tables)
	r := &run{source: source, target: target, plan: &own, events: events}
	result := &Result{
		Mode: plan.Mode, Source: plan.Source, Target: plan.Target, Prefix: plan.Prefix, Schema: plan.Publish,
		Owner: plan.Owner, Started: time.Now(), LeftOut: plan.LeftOut, Findings: plan.Findings,
	}
	err := r.all(ctx, result)
	if err != nil {
		err = r.takeBack(ctx, err)
	}
	if r.release != nil {
		r.release()
	}
	if err != nil {
		return nil, err
	}
	slices.SortFunc(result.Tables, func(a, b TableResult) int { return strings.Compare(a.Name, b.Name) })
	for _, t := range result.Tables {
		result.Indexes += t.Indexes
	}
	result.Elapsed = time.Since(result.Started)
	return result, nil
}

// send passes an event on; events come from several goroutines.
func (r *run) send(e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events(e)
}

// step runs f as a named step.
func (r *run) step(name string, f func() (detail string, err error)) error {
	started := time.Now()
	r.send(StepStarted{Name: name})
	detail, err := f()
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	r.send(StepDone{Name: name, Elapsed: time.Since(started), Detail: detail})
	return nil
}

// all runs the steps in order.
func (r *run) all(ctx context.Context, result *Result) error {
	var snapshot *mysql.Snapshot
	defer func() {
		if snapshot != nil {
			// Only read from: an error on closing changes nothing.
			_ = snapshot.Close()
		}
	}()
	steps := []struct {
		name string
		do   func() (string, error)
	}{
		{"open a snapshot of the source", func() (detail string, err error) {
			snapshot, err = r.open(ctx)
			return r.snapshot.How, err
		}},
		{"prepare the target", func() (string, error) { return r.prepare(ctx) }},
		{"copy rows and build indexes", func() (detail string, err error) {
			result.Tables, err = r.copyTables(ctx, snapshot)
			result.Snapshot = r.snapshot
			return "", err
		}},
		{"add constraints", func() (string, error) { return r.constrain(ctx) }},
		{"hand over", func() (string, error) { return r.handOver(ctx, result) }},
	}
	for _, s := range steps {
		if err := r.step(s.name, s.do); err != nil {
			return err
		}
	}
	return nil
}

// open opens the readers, then looks whether the source's schema still is what
// was planned for.
func (r *run) open(ctx context.Context) (*mysql.Snapshot, error) {
	r.opened = time.Now()
	snapshot, err := r.source.Snapshot(ctx, r.plan.reading())
	var refused *mysql.SnapshotError
	if errors.As(err, &refused) {
		return nil, fmt.Errorf("%w; %s", err, otherWays)
	}
	if err != nil {
		return nil, err
	}
	r.snapshot = Snapshot{
		Mode: r.plan.Snapshot.Mode, Method: snapshot.Method, Consistent: snapshot.Consistent, How: snapshot.How,
		Position: snapshot.Position, GTID: snapshot.GTID, LockedFor: snapshot.LockedFor,
		Readers: len(snapshot.Readers), Spares: len(snapshot.Spares), Unlocked: r.plan.Snapshot.Unlocked,
	}
	r.spares = make(chan *mysql.Reader, len(snapshot.Spares))
	for _, spare := range snapshot.Spares {
		r.spares <- spare
	}
	if !snapshot.Consistent {
		r.send(Notice{Message: "the readers may see different moments of the source (" + snapshot.How +
			"): nothing may write to it until the copy is done"})
	}
	if r.live, err = r.source.Inspect(ctx, mysql.InspectOptions{}); err != nil {
		return snapshot, err
	}
	return snapshot, r.unchanged()
}

// unchanged compares the columns of the planned tables with those of now.
func (r *run) unchanged() error {
	for i := range r.plan.Tables {
		t := &r.plan.Tables[i]
		if t.Source == "" {
			continue
		}
		now := r.live.Table(t.Source)
		if now == nil {
			return fmt.Errorf("table %q is gone from the source since the plan was made; plan again", t.Source)
		}
		same := slices.EqualFunc(now.Columns, t.source.Columns, func(a, b schema.Column) bool {
			return a.Name == b.Name && a.Type.Raw == b.Type.Raw && a.NotNull == b.NotNull
		})
		if !same {
			return fmt.Errorf("the columns of table %q changed at the source since the plan was made; plan again", t.Source)
		}
	}
	return nil
}

// autoIncrement is the least next value of a sequence: the source's own counter, as far as it is known.
func (r *run) autoIncrement(t *Table, q Sequence) uint64 {
	if now := r.live.Table(t.Source); t.Source != "" && now != nil {
		return max(q.Next, now.AutoIncrement)
	}
	return q.Next
}

// constrain adds foreign keys and checks, which need all tables.
func (r *run) constrain(ctx context.Context) (string, error) {
	conn, err := r.target.Acquire(ctx)
	if err != nil {
		return "", err
	}
	defer conn.Release()
	n := len(r.late)
	for _, e := range r.late {
		if err := conn.Rebuild(ctx, e); err != nil {
			return "", err
		}
	}
	for i := range r.plan.Tables {
		t := &r.plan.Tables[i]
		for _, s := range t.Constraints {
			if err := conn.Exec(ctx, s); err != nil {
				return "", fmt.Errorf("table %q: %w", t.Target, hinted(err))
			}
			n++
		}
	}
	return plural(n, "constraint"), nil
}

// handOver sets owners and, when there is a staging schema, renames it. It
// returns the name that the replaced schema got.
func (r *run) handOver(ctx context.Context, result *Result) (detail string, err error) {
	if r.plan.Mode == DataOnly {
		if err := r.target.CloseJournal(ctx); err != nil {
			return "", err
		}
	}
	if r.plan.Owner != "" {
		if err := ownership.SetOwner(ctx, r.target, r.plan.Load, r.plan.Owner); err != nil {
			return "", err
		}
	}
	if r.plan.Mode != Staged {
		return fmt.Sprintf("the tables are in schema %s", r.plan.Load), nil
	}
	done, err := ownership.Publish(ctx, r.target, r.plan.handing())
	if err != nil {
		return "", err
	}
	r.published = true
	result.Kept = done.Kept
	for _, w := range done.Warnings {
		result.Findings = append(result.Findings, problemFinding(w))
	}
	detail = fmt.Sprintf("schema %s is now %s", r.plan.Load, r.plan.Publish)
	if done.Kept != "" {
		detail += ", what was there is now " + done.Kept
	}
	return detail, nil
}
