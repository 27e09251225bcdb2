package mysql

import (
	"context"
	"fmt"
	"strings"
)

// CountNulls counts the rows of a table in which each of the columns is NULL.
func (db *DB) CountNulls(ctx context.Context, database, table string, columns []string) ([]int64, error) {
	counts := make([]int64, len(columns))
	dest := make([]any, len(columns))
	selects := make([]string, len(columns))
	for i, c := range columns {
		dest[i] = &counts[i]
		selects[i] = fmt.Sprintf("COUNT(*) - COUNT(%s)", QuoteIdent(c))
	}
	query := fmt.Sprintf("SELECT %s FROM %s.%s", strings.Join(selects, ", "), QuoteIdent(database), QuoteIdent(table))
	if err := db.sql.QueryRowContext(ctx, query).Scan(dest...); err != nil {
		return nil, fmt.Errorf("count the NULLs of table %q: %w", table, err)
	}
	return counts, nil
}

// SetAutoIncrement is the statement that makes a table give out ids from next on.
func SetAutoIncrement(database, table string, next uint64) string {
	name := QuoteIdent(table)
	if database != "" {
		name = QuoteIdent(database) + "." + name
	}
	return fmt.Sprintf("ALTER TABLE %s AUTO_INCREMENT = %d", name, next)
}
