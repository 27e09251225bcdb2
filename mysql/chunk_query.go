package mysql

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"strings"

	driver "github.com/go-sql-driver/mysql"

	"github.com/moodledb/moodledb/schema"
)

// chunkQueries asks the server about the key of one table. No query reads more than a few
// pages of the index.
type chunkQueries struct {
	conn   *sql.Conn
	server Server
	table  string
	key    ChunkKey
	// alphabets are those of the collations met so far.
	alphabets map[string]*alphabet
}

// prepare makes the session fit for the queries, whatever the server's defaults are.
func (q *chunkQueries) prepare(ctx context.Context) error {
	settings := "sql_big_selects = 1, max_statement_time = 0"
	if q.server.Engine == schema.MySQL {
		settings = "sql_big_selects = 1, max_execution_time = 0"
	}
	if _, err := q.conn.ExecContext(ctx, "SET SESSION "+settings); err != nil {
		return err
	}
	return freshNumbers(ctx, q.conn, q.server)
}

// size returns the server's estimates of the rows of the table and of the bytes
// that they take without indexes; 0 when it has none.
func (q *chunkQueries) size(ctx context.Context) (rows, bytes int64, err error) {
	const query = `
SELECT TABLE_ROWS AS n_rows, DATA_LENGTH AS data_length
FROM information_schema.TABLES
WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? AND CAST(TABLE_NAME AS BINARY) = CAST(? AS BINARY)`
	var n, length sql.Null[uint64]
	err = q.conn.QueryRowContext(ctx, query, q.table, q.table).Scan(&n, &length)
	if errors.Is(err, sql.ErrNoRows) { // dropped meanwhile, which its reader will notice
		return 0, 0, nil
	}
	return max(estimate(n), 0), max(estimate(length), 0), err
}

// edge returns the first row, or the last one, by its values in the key; nil when there is none.
func (q *chunkQueries) edge(ctx context.Context, where, order string) ([]keyValue, error) {
	var expressions []string
	for _, p := range q.key.parts {
		expressions = append(expressions, p.expressions()...)
	}
	query := Select(q.table, expressions, Selection{Where: where, Index: q.key.Index})
	for i, c := range q.key.Columns {
		if i == 0 {
			query += " ORDER BY "
		} else {
			query += ", "
		}
		query += QuoteIdent(c) + order
	}
	fields, dest := make([]string, len(expressions)), make([]any, len(expressions))
	for i := range fields {
		dest[i] = &fields[i]
	}
	err := q.conn.QueryRowContext(ctx, query+" LIMIT 1").Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	row := make([]keyValue, len(q.key.parts))
	for i, p := range q.key.parts {
		n := len(p.expressions())
		if row[i], err = p.value(fields[:n]); err != nil {
			return nil, err
		}
		fields = fields[n:]
	}
	return row, nil
}

// first returns the first row of a range, and last the last one.
func (q *chunkQueries) first(ctx context.Context, r Range) ([]keyValue, error) {
	return q.edge(ctx, q.key.Where(r), "")
}

func (q *chunkQueries) last(ctx context.Context, r Range) ([]keyValue, error) {
	return q.edge(ctx, q.key.Where(r), " DESC")
}

// firstFrom returns the first row of a range that does not lie before a place.
func (q *chunkQueries) firstFrom(ctx context.Context, r Range, place Bound) ([]keyValue, error) {
	where := q.key.beyond(place, 0, ">", ">=")
	if within := q.key.Where(r); within != "" {
		where = within + " AND " + where
	}
	return q.edge(ctx, where, "")
}

// rows is the optimizer's estimate of the rows of a range: it looks at
// the index at both ends. MySQL spares itself the look at an index that is
// forced, so that this one is only offered.
func (q *chunkQueries) rows(ctx context.Context, r Range) (n int64, err error) {
	explain := "EXPLAIN "
	if q.server.Engine == schema.MySQL { // which may have another format by default
		explain = "EXPLAIN FORMAT=TRADITIONAL "
	}
	query := explain + "SELECT 1 FROM " + QuoteIdent(q.table) + " USE INDEX (" + QuoteIdent(q.key.Index) + ")"
	if where := q.key.Where(r); where != "" {
		query += " WHERE " + where
	}
	result, err := q.conn.QueryContext(ctx, query)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, result.Close()) }()
	columns, err := result.Columns()
	if err != nil {
		return 0, err
	}
	var text, ignored sql.NullString
	dest := make([]any, len(columns))
	for i, c := range columns {
		dest[i] = &ignored
		if strings.EqualFold(c, "rows") {
			dest[i] = &text
		}
	}
	for result.Next() {
		if err := result.Scan(dest...); err != nil {
			return 0, err
		}
	}
	if err := result.Err(); err != nil || !text.Valid { // none is told when nothing needs to be read
		return 0, err
	}
	return strconv.ParseInt(text.String, 10, 64)
}

// alphabet returns how the collation of a text orders letters.
func (q *chunkQueries) alphabet(ctx context.Context, v keyValue) (*alphabet, error) {
	if a := q.alphabets[v.collation]; a != nil || v.collation == "" {
		return a, nil
	}
	a, err := readAlphabet(ctx, q.conn, v.charset, v.collation)
	if err != nil {
		return nil, err
	}
	q.alphabets[v.collation] = a
	return a, nil
}

// isIllegalText reports whether the server refused a literal because the bytes
// that a column holds are no text of its character set.
func isIllegalText(err error) bool {
	const invalidCharacterString = 1300
	var e *driver.MySQLError
	return errors.As(err, &e) && e.Number == invalidCharacterString
}
