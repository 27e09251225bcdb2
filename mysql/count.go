package mysql

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// CountRows counts the rows of tables, in one query, as the reader's transaction sees them.
func (r *Reader) CountRows(ctx context.Context, tables []string) (counts []int64, err error) {
	rows, err := r.Query(ctx, countQuery(tables))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	counts = make([]int64, len(tables))
	seen := 0
	for {
		fields, large, err := rows.Next()
		switch {
		case err == io.EOF && seen == len(tables):
			return counts, nil
		case err == io.EOF:
			return nil, fmt.Errorf("%d of %d tables were counted", seen, len(tables))
		case err != nil:
			return nil, err
		case large || len(fields) != 2:
			return nil, errors.New("a count is no number")
		}
		table, err := strconv.Atoi(string(fields[0]))
		if err != nil || table < 0 || table >= len(tables) {
			return nil, fmt.Errorf("a count is of no table: %q", fields[0])
		}
		if counts[table], err = strconv.ParseInt(string(fields[1]), 10, 64); err != nil {
			return nil, fmt.Errorf("count the rows of table %q: %w", tables[table], err)
		}
		seen++
	}
}

// countQuery is a query of which each row has a table's number, from 0, and how many rows it has.
func countQuery(tables []string) string {
	parts := make([]string, len(tables))
	for i, t := range tables {
		parts[i] = fmt.Sprintf("SELECT %d, COUNT(*) FROM %s", i, QuoteIdent(t))
	}
	return strings.Join(parts, "\nUNION ALL\n")
}
