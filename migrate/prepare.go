package migrate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize/english"

	"github.com/moodledb/moodledb/postgres"
)

// prepare makes the place that rows are loaded into, or takes it over from the
// run that goes on.
func (r *run) prepare(ctx context.Context) (string, error) {
	if r.plan.Resume == nil {
		if err := r.startRecording(ctx); err != nil {
			return "", err
		}
		return r.make(ctx)
	}
	r.id = r.plan.Resume.Run
	on, err := r.goOn()
	if err != nil {
		return "", err
	}
	if on {
		return r.takeOver(ctx)
	}
	if err := r.startOver(ctx); err != nil {
		return "", err
	}
	return r.make(ctx)
}

// takeOver goes on with what is loaded.
func (r *run) takeOver(ctx context.Context) (string, error) {
	r.loading = true
	if err := r.waitHold(ctx); err != nil {
		return "", err
	}
	if err := r.target.ResumeRun(ctx, r.id, r.attempt()); err != nil {
		return "", err
	}
	if r.plan.Mode == DataOnly {
		journal, err := r.target.Journal(ctx, r.plan.Load)
		if err != nil {
			return "", err
		}
		r.rebuild(journal)
	}
	return fmt.Sprintf("run %d goes on in schema %s", r.id, r.plan.Load), r.target.SetRun(ctx, r.id, postgres.RunLoading, "")
}

// waitHold holds the schema. The session of a run that was killed may need a
// moment until the server notices.
func (r *run) waitHold(ctx context.Context) error {
	for tries := 0; ; tries++ {
		err := r.holdOn(ctx)
		if !errors.Is(err, postgres.ErrHeld) || r.plan.Resume == nil || tries == 60 {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(250 * time.Millisecond):
		}
	}
}

// make makes the schema and its tables, or readies those that are there.
func (r *run) make(ctx context.Context) (string, error) {
	if err := r.place(ctx); err != nil {
		return "", err
	}
	if err := r.waitHold(ctx); err != nil {
		return "", err
	}
	conn, err := r.target.Acquire(ctx)
	if err != nil {
		return "", err
	}
	defer conn.Release()
	for _, t := range r.plan.toMake() {
		// One round trip and one transaction a table: a site has more objects
		// than one transaction may lock.
		if err := conn.Exec(ctx, postgres.Batch(t.Before)); err != nil {
			return "", fmt.Errorf("make table %q: %w", t.Target, hinted(err))
		}
		r.made = append(r.made, t.Target)
	}
	detail := fmt.Sprintf("%s in schema %s", english.Plural(len(r.made), "table", ""), r.plan.Load)
	if r.plan.Mode == DataOnly {
		if detail, err = r.emptyTables(ctx, conn); err != nil {
			return "", err
		}
	}
	return detail, r.recordChunks(ctx)
}

// recordChunks writes into the ledger how tables are divided, and that loading begins.
func (r *run) recordChunks(ctx context.Context) error {
	var chunks []postgres.ChunkRecord
	for i := range r.plan.Tables {
		chunks = append(chunks, r.plan.Tables[i].chunkRecords()...)
	}
	if err := r.target.SaveChunks(ctx, r.id, chunks); err != nil {
		return err
	}
	if err := r.target.SetRun(ctx, r.id, postgres.RunLoading, ""); err != nil {
		return err
	}
	r.loading = true
	return nil
}

// toMake are the tables to make, in the order in which that is done.
func (p *Plan) toMake() []*Table {
	var tables []*Table
	for i := range p.Tables {
		if t := &p.Tables[i]; t.creates {
			tables = append(tables, t)
		}
	}
	slices.SortFunc(tables, func(a, b *Table) int {
		return cmp.Or(cmp.Compare(a.position, b.position), strings.Compare(a.Target, b.Target))
	})
	return tables
}

// place makes the staging schema, after what an unfinished run has left is dropped.
func (r *run) place(ctx context.Context) error {
	if r.plan.Mode != Staged {
		return nil
	}
	if r.plan.dropsStaging {
		if err := r.target.DropSchema(ctx, r.plan.Load); err != nil {
			return err
		}
	}
	return r.target.CreateStaging(ctx, r.plan.Load, r.plan.Publish, postgres.Staging{
		Started: time.Now(), Source: r.plan.Source.Address,
	})
}

// emptyTables readies tables that Moodle made: their keys and indexes are
// dropped, with a journal in the target that has their definitions, and their
// rows are removed when that is allowed.
func (r *run) emptyTables(ctx context.Context, conn *postgres.Conn) (string, error) {
	var loaded, emptied []string
	for i := range r.plan.Tables {
		t := &r.plan.Tables[i]
		if t.creates {
			continue
		}
		// A table whose rows are skipped is emptied all the same: what an
		// installation has put there belongs to another site.
		emptied = append(emptied, t.Target)
		if t.Copy {
			loaded = append(loaded, t.Target)
		}
	}
	if err := r.target.DropIndexes(ctx, r.plan.Load, loaded); err != nil {
		return "", err
	}
	journal, err := r.target.Journal(ctx, r.plan.Load)
	if err != nil {
		return "", err
	}
	r.rebuild(journal)
	if !r.plan.Truncate {
		return fmt.Sprintf("%d keys and indexes put aside", len(journal)), nil
	}
	err = inBatches(emptied, func(names []string) error { return conn.Exec(ctx, postgres.TruncateTables(r.plan.Load, names)) })
	if err != nil {
		return "", hinted(err)
	}
	return fmt.Sprintf("%d keys and indexes put aside, %s emptied", len(journal), english.Plural(len(emptied), "table", "")), nil
}

// rebuild turns the journal into what is built after each table's rows. Foreign
// keys, and what belongs to tables that are not loaded, come at the end.
func (r *run) rebuild(journal []postgres.JournalEntry) {
	tables := map[string]*Table{}
	for i := range r.plan.Tables {
		t := &r.plan.Tables[i]
		tables[t.Target] = t
		if !t.creates {
			t.After, t.Constraints = nil, nil
		}
	}
	for _, e := range journal {
		t := tables[e.Table]
		if t == nil || e.Kind == postgres.JournalForeignKey {
			r.late = append(r.late, e)
			continue
		}
		t.After = append(t.After, Build{
			Name: e.Name, Statement: e.Definition, entry: &e, exclusive: e.Kind != postgres.JournalIndex,
		})
	}
}

// cleanupTimeout bounds how long a run that failed tries to take back what it made.
const cleanupTimeout = 10 * time.Minute

// recordTimeout bounds how long a run that has stopped tries to record that: a
// target that does not answer must not keep whoever has interrupted it.
const recordTimeout = 10 * time.Second

// takeBack deals with what a run that failed has made: once rows are loaded all
// of it stays, and the ledger says that the run has stopped; before, it is undone.
func (r *run) takeBack(ctx context.Context, failure error) error {
	if r.id == 0 {
		return failure
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	if r.plan.Resume != nil && r.hold == nil {
		return failure // another one may be at work on it
	}
	if r.loading || r.plan.Resume != nil {
		state := postgres.RunPreparing
		if r.loading {
			state = postgres.RunStopped
		}
		// What the ledger cannot be told is told by the error.
		ctx, cancel := context.WithTimeout(ctx, recordTimeout)
		defer cancel()
		_ = r.persist(ctx, func() error { return r.target.SetRun(ctx, r.id, state, failure.Error()) })
		return &StoppedError{Run: r.id, Err: failure}
	}
	r.send(StepStarted{Name: "take back what was made"})
	err := r.persist(ctx, func() error { return r.undo(ctx) })
	if err != nil {
		return errors.Join(&StoppedError{Run: r.id, Err: failure}, fmt.Errorf("what was made so far is still there: %w", err))
	}
	return failure
}

// undo takes back what was made before anything was loaded.
func (r *run) undo(ctx context.Context) error {
	var err error
	switch r.plan.Mode {
	case Staged:
		// Only after its own mark is on it: another run may have been faster.
		if r.hold != nil {
			err = r.target.DropSchema(ctx, r.plan.Load)
		}
	case Direct:
		err = r.dropMade(ctx)
	case DataOnly:
		err = r.dropMade(ctx)
		_, again := rebuildJournal(ctx, r.target, r.plan.Load)
		if again == nil {
			again = r.target.CloseJournal(ctx)
		}
		err = errors.Join(err, again)
	}
	return errors.Join(err, r.target.ForgetRun(ctx, r.id))
}

// dropMade drops the tables that the run created in a schema that was there before.
func (r *run) dropMade(ctx context.Context) error {
	err := onTables(ctx, r.target, r.plan.Load, r.made, postgres.DropTablesIfExist)
	if err != nil {
		return fmt.Errorf("drop the %s that the run made in schema %q: %w", english.Plural(len(r.made), "table", ""), r.plan.Load, err)
	}
	return nil
}

// persist tries f again for a while: when the target has crashed, it recovers
// within seconds, and refuses connections until then.
func (r *run) persist(ctx context.Context, f func() error) error {
	const most = 30 * time.Second
	began := time.Now()
	for pause := firstPause; ; pause *= 2 {
		err := f()
		if err == nil || time.Since(began)+pause > min(most, r.plan.Patience) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
	}
}

// hinted adds what to do about an error of the target.
func hinted(err error) error {
	if hint, ok := postgres.Hint(err); ok {
		return fmt.Errorf("%w; %s", err, hint)
	}
	return err
}
