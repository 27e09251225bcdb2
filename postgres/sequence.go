package postgres

import (
	"context"
	"fmt"
	"math"
)

// RestartSequence sets the sequence that feeds a column of a table so that its
// next value is greater than every value of the column and not below atLeast,
// the source's own counter (0 when it has none). It returns the next value.
//
// Where the column holds the greatest value that the sequence can give, the
// sequence is left used up, as the source's counter is: the next insert fails
// instead of taking a value twice.
func (c *Conn) RestartSequence(ctx context.Context, schemaName, table, column, sequence string, atLeast uint64) (int64, error) {
	var highest *int64
	query := fmt.Sprintf("SELECT max(%s)::bigint FROM %s", QuoteIdent(column), qualify(schemaName, table))
	if err := c.conn.QueryRow(ctx, query).Scan(&highest); err != nil {
		return 0, err
	}
	const limits = `
SELECT s.seqmin, s.seqmax
FROM pg_catalog.pg_sequence s
WHERE s.seqrelid = pg_catalog.to_regclass($1)`
	var least, most int64
	if err := c.conn.QueryRow(ctx, limits, qualify(schemaName, sequence)).Scan(&least, &most); err != nil {
		return 0, fmt.Errorf("its limits: %w", err)
	}
	if atLeast > math.MaxInt64 {
		return 0, fmt.Errorf("the source's next value %d is beyond what a sequence can give (%d)", atLeast, most)
	}
	next := max(least, int64(atLeast))
	usedUp := false
	if highest != nil {
		usedUp = *highest >= most
		next = max(next, *highest)
		if *highest == next && !usedUp {
			next++
		}
	}
	if next > most {
		next, usedUp = most, true
	}
	const set = "SELECT pg_catalog.setval(pg_catalog.to_regclass($1), $2, $3)"
	if _, err := c.conn.Exec(ctx, set, qualify(schemaName, sequence), next, usedUp); err != nil {
		return 0, err
	}
	return next, nil
}
