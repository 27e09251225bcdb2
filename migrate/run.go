package migrate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dustin/go-humanize/english"

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
	// id is the run's number in the target's ledger; 0 before it is there.
	id int64
	// hold marks the schema that is loaded; nil before it is made.
	hold *postgres.Hold
	// loading is set once there is something that a resumed run can go on with.
	loading bool
	// made are the tables that this run created in a schema that was there before.
	made []string
	// late are the entries of the journal that are made when all tables are loaded.
	late []postgres.JournalEntry
	// sources are the connections that see the moment that is copied; under mu.
	sources sources
	// locked reads the tables without transactions, which it holds locked; nil when there are none.
	locked *mysql.Reader
	// check reads a sample again by another client; nil when that is not wanted,
	// or cannot be: then uncheckedWhy says why. Under mu while tables are copied.
	check        *mysql.Check
	uncheckedWhy string
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
// When a step fails for good, or ctx ends, Run stops all work and returns the
// first error, which names the table, the column and the key where there is
// one. What is loaded stays, and the ledger in the target says what that is:
// the error is a [*StoppedError], and a plan made with Options.Resume goes on.
// A run that fails before it has loaded anything takes back what it made.
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
		Owner: plan.Owner, Policy: plan.Policy, Verify: plan.Verify, Sample: plan.Sample, Started: time.Now(), LeftOut: plan.LeftOut, Findings: plan.Findings,
	}
	err := r.all(ctx, result)
	if err != nil {
		err = r.takeBack(ctx, err)
	}
	r.letGo(ctx)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(result.Tables, func(a, b TableResult) int { return strings.Compare(a.Name, b.Name) })
	for _, t := range result.Tables {
		result.Indexes += t.Indexes
	}
	result.Run, result.Attempts = r.id, 1
	if plan.Resume != nil {
		result.Attempts += plan.Resume.Attempts
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

// handOvers is how often a run tries to end when a crash of the target has
// taken away what was committed last.
const handOvers = 3

// all runs the steps in order.
func (r *run) all(ctx context.Context, result *Result) error {
	var snapshot *mysql.Snapshot
	defer func() {
		if snapshot != nil {
			// Only read from: an error on closing changes nothing.
			_ = snapshot.Close()
		}
	}()
	err := r.step("open a snapshot of the source", func() (detail string, err error) {
		snapshot, err = r.open(ctx)
		return r.snapshot.How, err
	})
	if err == nil {
		err = r.step("prepare the target", func() (string, error) { return r.prepare(ctx) })
	}
	if err != nil {
		return err
	}
	r.send(RunStarted{ID: r.id, Resumed: r.plan.Resume != nil})
	for attempt := 1; ; attempt++ {
		err := r.load(ctx, result)
		if err == nil {
			err = r.checkSchema(ctx, result)
		}
		if err == nil {
			err = r.step("hand over", func() (string, error) { return r.handOver(ctx, result) })
		}
		if !errors.Is(err, postgres.ErrIncomplete) || attempt == handOvers {
			return err
		}
		r.send(Notice{Message: fmt.Sprintf("%v: copying what is missing", err)})
	}
}

// listedValues bounds how many changed values, and rejected rows, a result lists.
const listedValues = 10_000

// load brings rows, keys, indexes and constraints into the target.
func (r *run) load(ctx context.Context, result *Result) error {
	result.Changed, result.Rejected = 0, 0
	err := r.step("copy rows and build indexes", func() (detail string, err error) {
		result.Tables, err = r.copyRows(ctx)
		result.Snapshot, result.UncheckedWhy = r.snapshot, r.uncheckedWhy
		return "", err
	})
	if err != nil {
		return err
	}
	for _, t := range result.Tables {
		result.Changed += t.Changed
		result.Rejected += t.Rejected
	}
	if result.Changed+result.Rejected > 0 {
		err := r.retried(ctx, "the list of changed values", func() (err error) {
			result.Changes, result.Rejects, err = r.target.Touched(ctx, r.id, listedValues)
			return err
		})
		if err != nil {
			return err
		}
	}
	return r.step("add constraints", func() (detail string, err error) {
		err = r.retried(ctx, "constraints", func() error {
			detail, err = r.constrain(ctx)
			return err
		})
		return detail, err
	})
}

// open opens the readers, then looks whether the source's schema still is what
// was planned for.
func (r *run) open(ctx context.Context) (*mysql.Snapshot, error) {
	r.opened = time.Now()
	snapshot, err := r.takeSnapshot(ctx)
	var refused *mysql.SnapshotError
	if errors.As(err, &refused) {
		return nil, fmt.Errorf("%w; %s", err, otherWays)
	}
	if err != nil {
		return nil, err
	}
	r.snapshot = Snapshot{
		Mode: r.plan.Snapshot.Mode, Method: snapshot.Method, Consistent: snapshot.Consistent, How: snapshot.How,
		Position: snapshot.Position, GTID: snapshot.GTID, Mark: snapshot.Mark, LockedFor: snapshot.LockedFor,
		Readers: len(snapshot.Readers), Spares: len(snapshot.Spares), Unlocked: r.plan.Snapshot.Unlocked,
	}
	if len(r.plan.Snapshot.Locked)+len(r.plan.Snapshot.Unlocked) > 0 {
		r.snapshot.Mark.Counter = "" // only InnoDB counts
	}
	r.sources = sources{readers: slices.Clone(snapshot.Readers), spares: slices.Clone(snapshot.Spares)}
	r.locked = snapshot.Locked
	r.check, r.uncheckedWhy = snapshot.Check, snapshot.NoCheck
	if r.uncheckedWhy != "" && r.plan.Sample > 0 {
		r.send(Notice{Message: "no rows are read again by another client: " + r.uncheckedWhy})
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
	have, err := r.target.RunContents(ctx, r.id)
	if err != nil {
		return "", err
	}
	for _, t := range have.Tables {
		if !r.plan.complete(t.State, t.Copies) {
			return "", fmt.Errorf("%w: a crash of the target has undone table %q", postgres.ErrIncomplete, t.Table)
		}
	}
	built := map[string]bool{}
	for _, b := range have.Builds {
		built[b.Table+"\x00"+b.Name] = true
	}
	conn, err := r.target.Acquire(ctx)
	if err != nil {
		return "", err
	}
	defer conn.Release()
	// The end of the run looks whether all tables are complete. That no crash has
	// taken a constraint away since is for their commits to see to.
	if err := conn.Exec(ctx, postgres.CommitsDurably); err != nil {
		return "", err
	}
	n, err := r.constrainLate(ctx, conn)
	if err != nil {
		return "", err
	}
	for i := range r.plan.Tables {
		t := &r.plan.Tables[i]
		for _, s := range t.Constraints {
			n++
			if built[t.Target+"\x00"+s] {
				continue
			}
			if err := conn.Exec(ctx, postgres.Batch([]string{s, postgres.RecordBuild(r.id, t.Target, s)})); err != nil {
				return "", fmt.Errorf("table %q: %w", t.Target, hinted(err))
			}
		}
	}
	return english.Plural(n, "constraint", ""), nil
}

// constrainLate makes again the foreign keys that were put aside, as far as they are not.
func (r *run) constrainLate(ctx context.Context, conn *postgres.Conn) (int, error) {
	if len(r.late) == 0 {
		return 0, nil
	}
	journal, err := r.target.Journal(ctx, r.plan.Load)
	if err != nil {
		return 0, err
	}
	for _, e := range journal {
		if err := conn.Rebuild(ctx, e); err != nil {
			return 0, err
		}
	}
	return len(r.late), nil
}

// handOver sets owners and, when there is a staging schema, renames it. It
// returns the name that the replaced schema got. The ledger says in the same
// transaction that the run is done, and refuses when a table is not complete.
func (r *run) handOver(ctx context.Context, result *Result) (detail string, err error) {
	if r.plan.Mode == DataOnly {
		if err := r.target.CloseJournal(ctx); err != nil {
			return "", err
		}
	}
	if r.plan.Owner != "" {
		err := r.retried(ctx, "the owner", func() error { return ownership.SetOwner(ctx, r.target, r.plan.Load, r.plan.Owner) })
		if err != nil {
			return "", err
		}
	}
	end := func(ctx context.Context, tx *postgres.Tx) error { return tx.EndRun(ctx, r.id) }
	if r.plan.Mode != Staged {
		err := r.retried(ctx, "the end of the run", func() error {
			return r.target.Transact(ctx, func(tx *postgres.Tx) error { return end(ctx, tx) })
		})
		return fmt.Sprintf("the tables are in schema %s", r.plan.Load), err
	}
	handing := r.plan.handing()
	handing.Now, handing.Along = time.Now(), end
	var done ownership.Published
	err = r.retried(ctx, "publishing", func() error {
		done, err = ownership.Publish(ctx, r.target, handing)
		if err != nil && ctx.Err() == nil && r.ended(ctx) {
			// The connection was lost after the commit, and before its answer.
			done, err = ownership.Published{}, nil
			if r.plan.keeps {
				done.Kept = handing.KeptName()
			}
		}
		return err
	})
	if err != nil {
		return "", err
	}
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

// ended reports whether the ledger has the run as done.
func (r *run) ended(ctx context.Context) bool {
	runs, err := r.target.Runs(ctx)
	return err == nil && slices.ContainsFunc(runs, func(x postgres.RunRecord) bool { return x.ID == r.id && x.State == postgres.RunDone })
}

// retried tries f again while its error may pass.
func (r *run) retried(ctx context.Context, what string, f func() error) error {
	wait := r.patience()
	for {
		err := f()
		if err == nil || ctx.Err() != nil || !postgres.Transient(err) || !wait.again(ctx, what, err) {
			return err
		}
	}
}
