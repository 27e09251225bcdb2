package migrate

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/moodledb/moodledb/postgres"
)

// batchTables keeps a statement on many tables within the locks that a server has room for.
const batchTables = 100

// inBatches calls f with up to batchTables names at a time.
func inBatches(names []string, f func(names []string) error) error {
	for batch := range slices.Chunk(names, batchTables) {
		if err := f(batch); err != nil {
			return err
		}
	}
	return nil
}

// onTables runs a statement on many tables of a schema, in batches.
func onTables(
	ctx context.Context, target *postgres.DB, schemaName string, tables []string, statement func(schemaName string, tables []string) string,
) error {
	if len(tables) == 0 {
		return nil
	}
	conn, err := target.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	return inBatches(tables, func(names []string) error { return hinted(conn.Exec(ctx, statement(schemaName, names))) })
}

// rebuildJournal makes again the keys and indexes of a schema that were put
// aside, and returns how many those were. One that fails keeps its place in the journal.
func rebuildJournal(ctx context.Context, target *postgres.DB, schemaName string) (int, error) {
	journal, err := target.Journal(ctx, schemaName)
	if err != nil || len(journal) == 0 {
		return 0, err
	}
	conn, err := target.Acquire(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Release()
	var failures []error
	for _, e := range journal {
		if err := conn.Rebuild(ctx, e); err != nil {
			if ctx.Err() != nil || conn.Lost() {
				return 0, err
			}
			failures = append(failures, fmt.Errorf("%w (its definition is kept in %s.index_journal)", err, postgres.HomeSchema))
		}
	}
	return len(journal), errors.Join(failures...)
}
