package postgres

import "context"

// ValueChange is a value that a policy has changed, as the ledger keeps it. Its
// values are cut to shownBytes.
type ValueChange struct {
	Table  string
	Key    string
	Column string
	Kind   string
	Rule   string
	// Before and After are nil for NULL.
	Before, After []byte
	// BeforeSize and AfterSize are the sizes of the whole values in bytes.
	BeforeSize, AfterSize int64
}

// RejectedRow is a row that a policy has set aside, as the ledger keeps it.
type RejectedRow struct {
	Table  string
	Key    string
	Column string
	Kind   string
	Reason string
}

// shownBytes is how much of a value is read back for a report; the ledger has it whole.
const shownBytes = 100

// Touched reads up to limit changed values, and as many rejected rows, of a
// run, in the order of their tables.
func (db *DB) Touched(ctx context.Context, run int64, limit int) ([]ValueChange, []RejectedRow, error) {
	const selectChanges = `
SELECT table_name, row_key, column_name, kind, rule, substring(before_value FOR $3), substring(after_value FOR $3),
       coalesce(length(before_value), 0), coalesce(length(after_value), 0)
FROM moodledb.value_change WHERE run = $1 ORDER BY table_name, id LIMIT $2`
	const selectRows = `
SELECT table_name, row_key, column_name, kind, reason
FROM moodledb.rejected_row WHERE run = $1 ORDER BY table_name, id LIMIT $2`
	var (
		c       ValueChange
		r       RejectedRow
		changes []ValueChange
		rows    []RejectedRow
	)
	err := db.Transact(ctx, func(tx *Tx) error {
		err := forEach(ctx, tx.tx, selectChanges, []any{run, limit, shownBytes}, []any{
			&c.Table, &c.Key, &c.Column, &c.Kind, &c.Rule, &c.Before, &c.After, &c.BeforeSize, &c.AfterSize,
		}, func() error {
			changes = append(changes, c)
			c.Before, c.After = nil, nil
			return nil
		})
		if err != nil {
			return err
		}
		return forEach(ctx, tx.tx, selectRows, []any{run, limit}, []any{&r.Table, &r.Key, &r.Column, &r.Kind, &r.Reason}, func() error {
			rows = append(rows, r)
			return nil
		})
	})
	return changes, rows, stepError(err, "read what the policy changed in run %d", run)
}
