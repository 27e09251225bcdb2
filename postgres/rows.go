package postgres

import (
	"context"
	"strings"
)

// rowsBatch is how many tables one query looks into: each takes a lock.
const rowsBatch = 200

// Filled returns those of the tables of a schema that hold at least one row,
// in the order given.
func (db *DB) Filled(ctx context.Context, schemaName string, tables []string) ([]string, error) {
	conn, err := db.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Release()
	var filled []string
	for len(tables) > 0 {
		batch := tables[:min(len(tables), rowsBatch)]
		tables = tables[len(batch):]
		var query strings.Builder
		for i, t := range batch {
			if i > 0 {
				query.WriteString("\nUNION ALL\n")
			}
			query.WriteString("SELECT " + QuoteLiteral(t) + "::text WHERE EXISTS (SELECT FROM " + qualify(schemaName, t) + ")")
		}
		rows, err := conn.conn.Query(ctx, query.String())
		if err != nil {
			return nil, err
		}
		for rows.Next() {
			var name string
			if err := rows.Scan(&name); err != nil {
				rows.Close()
				return nil, err
			}
			filled = append(filled, name)
		}
		if err := rows.Err(); err != nil {
			return nil, err
		}
	}
	return filled, nil
}
