package migrate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/moodledb/moodledb/postgres"
)

// prepare makes the place that rows are loaded into.
func (r *run) prepare(ctx context.Context) (string, error) {
	if err := r.place(ctx); err != nil {
		return "", err
	}
	var err error
	if r.release, err = r.target.HoldSchema(ctx, r.plan.Load); err != nil {
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
	if r.plan.Mode != DataOnly {
		return fmt.Sprintf("%s in schema %s", plural(len(r.made), "table"), r.plan.Load), nil
	}
	return r.emptyTables(ctx, conn)
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
	err := r.target.CreateStaging(ctx, r.plan.Load, r.plan.Publish, postgres.Staging{
		Started: time.Now(), Source: r.plan.Source.Address,
	})
	r.staged = err == nil
	return err
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
	// A batch keeps within the locks that a server has room for.
	for batch := emptied; len(batch) > 0; {
		n := min(len(batch), 100)
		if err := conn.Exec(ctx, postgres.TruncateTables(r.plan.Load, batch[:n])); err != nil {
			return "", hinted(err)
		}
		batch = batch[n:]
	}
	return fmt.Sprintf("%d keys and indexes put aside, %s emptied", len(journal), plural(len(emptied), "table")), nil
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
		t.After = append(t.After, Build{Name: e.Name, Statement: e.Definition, entry: &e})
	}
}

// cleanupTimeout bounds how long a run that failed tries to take back what it made.
const cleanupTimeout = 10 * time.Minute

// takeBack undoes, after a failure, what the run has made, and returns the
// failure with what could not be undone.
func (r *run) takeBack(ctx context.Context, failure error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	switch {
	case r.staged && !r.published:
		r.send(StepStarted{Name: "take back what was made"})
		err := persist(ctx, func() error { return r.target.DropSchema(ctx, r.plan.Load) })
		if err != nil {
			return errors.Join(failure, fmt.Errorf("the staging schema %q is still there: %w; drop it, or run again with replace", r.plan.Load, err))
		}
	case r.plan.Mode == DataOnly && r.release != nil:
		r.send(StepStarted{Name: "build again the indexes that were put aside"})
		err := persist(ctx, func() error { return errors.Join(r.dropMade(ctx), r.restoreIndexes(ctx)) })
		failure = fmt.Errorf("%w\nthe tables in schema %q hold a part of the rows: run again with truncate", failure, r.plan.Load)
		if err != nil {
			return errors.Join(failure, err)
		}
	case r.plan.Mode == Direct:
		r.send(StepStarted{Name: "take back what was made"})
		if err := persist(ctx, func() error { return r.dropMade(ctx) }); err != nil {
			return errors.Join(failure, err)
		}
	}
	return failure
}

// persist tries f again for a while: when the target has crashed, it recovers
// within seconds, and refuses connections until then.
func persist(ctx context.Context, f func() error) error {
	for pause := 250 * time.Millisecond; ; pause *= 2 {
		err := f()
		if err == nil || pause > 16*time.Second {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
	}
}

// dropMade drops the tables that the run created in a schema that was there before.
func (r *run) dropMade(ctx context.Context) error {
	if len(r.made) == 0 {
		return nil
	}
	conn, err := r.target.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("tables that the run made are still in schema %q: %w", r.plan.Load, err)
	}
	defer conn.Release()
	for left := r.made; len(left) > 0; {
		n := min(len(left), 100)
		if err := conn.Exec(ctx, postgres.DropTables(r.plan.Load, left[:n])); err != nil {
			return fmt.Errorf("drop the %d tables that the run made in schema %q: %w", len(left), r.plan.Load, err)
		}
		left = left[n:]
		r.made = left
	}
	return nil
}

// restoreIndexes builds what is left in the journal.
func (r *run) restoreIndexes(ctx context.Context) error {
	journal, err := r.target.Journal(ctx, r.plan.Load)
	if err != nil {
		return err
	}
	conn, err := r.target.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	var failures []error
	for _, e := range journal {
		if err := conn.Rebuild(ctx, e); err != nil {
			failures = append(failures, fmt.Errorf("%w (its definition is kept in %s.index_journal)", err, postgres.HomeSchema))
		}
	}
	if len(failures) > 0 {
		return errors.Join(failures...)
	}
	return r.target.CloseJournal(ctx)
}

// hinted adds what to do about an error of the target.
func hinted(err error) error {
	if hint, ok := postgres.Hint(err); ok {
		return fmt.Errorf("%w; %s", err, hint)
	}
	return err
}
