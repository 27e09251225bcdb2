package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// TableNames lists the tables of a schema; none when there is no such schema.
func (db *DB) TableNames(ctx context.Context, schemaName string) ([]string, error) {
	const query = `
SELECT c.relname
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relkind IN ('r', 'p')
ORDER BY c.relname`
	var names []string
	err := db.Transact(ctx, func(tx *Tx) error {
		rows, err := tx.tx.Query(ctx, query, schemaName)
		if err == nil {
			names, err = pgx.CollectRows(rows, pgx.RowTo[string])
		}
		return err
	})
	return names, stepError(err, "list the tables of schema %q", schemaName)
}
