package postgres

import (
	"context"
	"fmt"
	"strings"
)

// ReadBackStatement is a COPY that gives the rows of a table, in the order in which they are stored.
func ReadBackStatement(schemaName, table string, columns []string) string {
	return fmt.Sprintf("COPY %s (%s) TO STDOUT (FORMAT binary)", qualify(schemaName, table), quoteIdents(columns))
}

// Pages is a part of a table by its pages: those from From on that come before
// To, which is 0 for an open end. The zero value is all of them.
type Pages struct{ From, To int64 }

// DividePages makes up to n parts of a table of so many pages; the last one has no end.
func DividePages(pages int64, n int) []Pages {
	n = int(max(1, min(int64(n), pages)))
	parts := make([]Pages, n)
	for i := range parts {
		parts[i].From = pages * int64(i) / int64(n)
		if i > 0 {
			parts[i-1].To = parts[i].From
		}
	}
	return parts
}

// ReadBackPart is [ReadBackStatement] of some pages of a table, which the server
// finds without reading the others. With all pages it is the statement for a
// partitioned table, of which COPY gives nothing.
func ReadBackPart(schemaName, table string, columns []string, p Pages) string {
	return readBackWhere(schemaName, table, columns, p.Where())
}

// Where is the predicate of the pages; "" for all of them.
func (p Pages) Where() string {
	var where []string
	if p.From > 0 {
		where = append(where, fmt.Sprintf("ctid >= '(%d,0)'", p.From))
	}
	if p.To > 0 {
		where = append(where, fmt.Sprintf("ctid < '(%d,0)'", p.To))
	}
	return strings.Join(where, " AND ")
}

func readBackWhere(schemaName, table string, columns []string, where string) string {
	query := "SELECT " + quoteIdents(columns) + " FROM " + qualify(schemaName, table)
	if where != "" {
		query += " WHERE " + where
	}
	return "COPY (" + query + ") TO STDOUT (FORMAT binary)"
}

// TablePages is the number of pages that a table has, without its long values and indexes.
func (c *Conn) TablePages(ctx context.Context, schemaName, table string) (int64, error) {
	var pages int64
	err := c.conn.QueryRow(ctx, tablePages, qualify(schemaName, table)).Scan(&pages)
	return pages, stepError(ended(ctx, c.conn, canceled(ctx, err)), "look how large table %q is", table)
}

// tablePages asks for the number of pages of a table.
const tablePages = "SELECT pg_relation_size($1::text::regclass, 'main') / current_setting('block_size')::bigint"

// TablePages is [Conn.TablePages] in one of the sessions.
func (s *Snapshot) TablePages(ctx context.Context, schemaName, table string) (pages int64, err error) {
	err = s.Query(ctx, tablePages, []any{qualify(schemaName, table)}, []any{&pages}, func() error { return nil })
	return pages, stepError(err, "look how large table %q is", table)
}

// ReadBackRange is [ReadBackStatement] of the rows with lower <= key < upper,
// where key is a column of whole numbers; an empty bound is an open end.
func ReadBackRange(schemaName, table string, columns []string, key, lower, upper string) string {
	var where []string
	if lower != "" {
		where = append(where, QuoteIdent(key)+" >= "+lower)
	}
	if upper != "" {
		where = append(where, QuoteIdent(key)+" < "+upper)
	}
	return readBackWhere(schemaName, table, columns, strings.Join(where, " AND "))
}
