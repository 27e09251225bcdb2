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

// LedgerValue is a value as the ledger keeps it, as text.
type LedgerValue struct {
	Null bool
	// Text is the value, or how it begins when it is longer than wholeValue; Size is that of all of it.
	Text []byte
	Size int64
}

// wholeValue is up to which size a value of the ledger is read whole where it is compared.
const wholeValue = 1 << 20

// KeyChange is a changed value of a row that was asked for: of which key of the list, from 0 on.
type KeyChange struct {
	Key           int
	Column        string
	Before, After LedgerValue
}

// ChangesOf tells of the values that a policy changed in rows of a table, which are named by
// keys as the ledger spells them: in the order of the list.
func (db *DB) ChangesOf(ctx context.Context, run int64, table string, keys []string, each func(*KeyChange) error) error {
	const query = `
SELECT k.n - 1, v.column_name,
       v.before_value IS NULL, coalesce(length(v.before_value), 0),
       CASE WHEN length(v.before_value) > $4 THEN substring(v.before_value FOR $5) ELSE v.before_value END,
       v.after_value IS NULL, coalesce(length(v.after_value), 0),
       CASE WHEN length(v.after_value) > $4 THEN substring(v.after_value FOR $5) ELSE v.after_value END
FROM unnest($3::text[]) WITH ORDINALITY k (key, n)
JOIN moodledb.value_change v ON v.row_key = k.key
WHERE v.run = $1 AND v.table_name = $2
ORDER BY k.n, v.id`
	var c KeyChange
	err := db.Transact(ctx, func(tx *Tx) error {
		dest := []any{&c.Key, &c.Column, &c.Before.Null, &c.Before.Size, &c.Before.Text, &c.After.Null, &c.After.Size, &c.After.Text}
		return forEach(ctx, tx.tx, query, []any{run, table, keys, wholeValue, shownBytes}, dest, func() error {
			err := each(&c)
			c.Before.Text, c.After.Text = nil, nil
			return err
		})
	})
	return stepError(err, "read what the policy changed in table %q in run %d", table, run)
}

// RejectedOf returns which of the keys are those of rows of a table that a policy has set aside.
func (db *DB) RejectedOf(ctx context.Context, run int64, table string, keys []string) (map[int]bool, error) {
	const query = `
SELECT DISTINCT k.n - 1
FROM unnest($3::text[]) WITH ORDINALITY k (key, n)
JOIN moodledb.rejected_row r ON r.row_key = k.key
WHERE r.run = $1 AND r.table_name = $2`
	var key int
	list := map[int]bool{}
	err := db.Transact(ctx, func(tx *Tx) error {
		return forEach(ctx, tx.tx, query, []any{run, table, keys}, []any{&key}, func() error {
			list[key] = true
			return nil
		})
	})
	return list, stepError(err, "read which rows of table %q the policy set aside in run %d", table, run)
}
