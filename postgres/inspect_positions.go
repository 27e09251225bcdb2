package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/moodledb/moodledb/schema"
)

// positionBatch is the number of sequences that one query reads. Each takes a
// lock until the query ends.
const positionBatch = 500

// readPositions reads where the sequences stand that the role may read. The
// others keep a Last of 0.
func (in *inspector) readPositions(ctx context.Context, q querier) error {
	sequences := make([]*schema.Sequence, len(in.readable))
	for i, oid := range in.readable {
		sequences[i] = &in.schema.Sequences[in.sequences[oid]]
	}
	return readPositions(ctx, q, in.name, sequences)
}

// readPositions reads where sequences of a schema stand. Only the sequence itself
// tells this exactly: the function behind the view pg_sequences hides the
// position of a sequence whose next value is its last_value.
func readPositions(ctx context.Context, q querier, schemaName string, sequences []*schema.Sequence) error {
	for todo := sequences; len(todo) > 0; {
		n := min(positionBatch, len(todo))
		selects := make([]string, n)
		for i, s := range todo[:n] {
			selects[i] = fmt.Sprintf("SELECT %d, last_value, is_called FROM %s", i, qualify(schemaName, s.Name))
		}
		var (
			i      int
			last   int64
			called bool
		)
		query := strings.Join(selects, "\nUNION ALL\n")
		// A statement of its own each time: nothing to keep prepared.
		err := forEach(ctx, q, query, []any{pgx.QueryExecModeExec}, []any{&i, &last, &called}, func() error {
			todo[i].Last, todo[i].Called = last, called
			return nil
		})
		if err != nil {
			return fmt.Errorf("read the positions of sequences: %w", err)
		}
		todo = todo[n:]
	}
	return nil
}
