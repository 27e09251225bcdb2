package migrate

import (
	"context"
	"fmt"

	"github.com/dustin/go-humanize/english"

	"github.com/moodledb/moodledb/postgres"
)

// aborting is the state of one Abort.
type aborting struct {
	run  // for its steps and events
	plan *AbortPlan
}

// all runs the steps in order: each can be done again after a crash, and the
// records, which say what is to be done, are removed last.
func (a *aborting) all(ctx context.Context) error {
	p := a.plan
	steps := []struct {
		name string
		need bool
		do   func(context.Context) (string, error)
	}{
		{"end what works for the run still", !p.OnlyRecords(), a.endLeftovers},
		{"drop the staging schema", p.Schema != "", a.dropSchema},
		{"drop the tables that the run made", len(p.Drop) > 0, a.dropTables},
		{"empty the tables that the run loaded", len(p.Empty) > 0, a.emptyTables},
		{"build again the keys and indexes that were put aside", p.Rebuild > 0, a.rebuild},
		{"remove the records of the run", true, a.forget},
	}
	for _, s := range steps {
		if !s.need {
			continue
		}
		if err := a.step(s.name, func() (string, error) { return s.do(ctx) }); err != nil {
			return fmt.Errorf("%w\nrun %d is still in the ledger: abort it again when that is solved", err, p.Run.ID)
		}
	}
	return nil
}

func (a *aborting) endLeftovers(ctx context.Context) (string, error) {
	n, err := a.target.EndLeftovers(ctx, a.plan.Run.Load)
	if err != nil || n == 0 {
		return "none", err
	}
	return english.Plural(n, "session", ""), nil
}

func (a *aborting) dropSchema(ctx context.Context) (string, error) {
	return a.plan.Schema, hinted(a.target.DropSchema(ctx, a.plan.Schema))
}

func (a *aborting) dropTables(ctx context.Context) (string, error) {
	return a.batches(ctx, a.plan.Drop, postgres.DropTablesIfExist)
}

func (a *aborting) emptyTables(ctx context.Context) (string, error) {
	return a.batches(ctx, a.plan.Empty, postgres.TruncateTables)
}

// batches runs a statement on many tables of the schema that the run loaded.
func (a *aborting) batches(ctx context.Context, tables []string, statement func(schemaName string, tables []string) string) (string, error) {
	err := onTables(ctx, a.target, a.plan.Run.Load, tables, statement)
	return fmt.Sprintf("%s in schema %s", english.Plural(len(tables), "table", ""), a.plan.Run.Load), err
}

func (a *aborting) rebuild(ctx context.Context) (string, error) {
	n, err := rebuildJournal(ctx, a.target, a.plan.Run.Load)
	return fmt.Sprint(n), err
}

func (a *aborting) forget(ctx context.Context) (string, error) {
	if a.plan.Run.Mode == DataOnly {
		// The journal stays while anything is in it.
		if err := a.target.CloseJournal(ctx); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("run %d", a.plan.Run.ID), a.target.ForgetRun(ctx, a.plan.Run.ID)
}
