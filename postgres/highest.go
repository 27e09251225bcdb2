package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/moodledb/moodledb/schema"
)

// highestBatch is the number of tables that one query reads. Each of them, and
// each of its indexes, takes a lock until the query ends, and a small server has
// room for little more than a thousand.
const highestBatch = 100

// ReadHighest fills in the highest value of each serial and identity column of
// s, which [DB.Inspect] has read. It stays unknown where no index begins with the
// column, since that would read the whole table, for tables that the role
// may not read, or not all of, for tables that were dropped meanwhile or that
// the server cannot read, and for columns that are no integers.
//
// A site in use goes on giving out ids: where a sequence is not beyond the
// highest id any more, its position is read again.
func (db *DB) ReadHighest(ctx context.Context, s *schema.Schema) error {
	c, err := db.acquire(ctx)
	if err != nil {
		return connectError(db.config, err)
	}
	defer db.release(c)
	readable, err := readableTables(ctx, c, s.Name)
	if err != nil {
		return canceled(ctx, stepError(err, "read the highest ids"))
	}
	var columns []counted
	for i := range s.Tables {
		t := &s.Tables[i]
		for j := range t.Columns {
			k := &t.Columns[j]
			if k.AutoIncrement && isInteger(k.Type.Name) && readable[t.Name] && !t.RowSecurity && leadsIndex(t, k.Name) {
				columns = append(columns, counted{table: t.Name, column: k, parts: t.Partitioned})
			}
		}
	}
	for todo := columns; len(todo) > 0; {
		n := min(highestBatch, len(todo))
		err := readHighest(ctx, c, s.Name, todo[:n])
		if isOfTable(err) {
			err = readHighestSingly(ctx, c, s.Name, todo[:n])
		}
		if err != nil {
			return canceled(ctx, stepError(err, "read the highest ids"))
		}
		todo = todo[n:]
	}
	if err := readAgain(ctx, c, s.Name, overtaken(s, columns)); err != nil {
		return canceled(ctx, stepError(err, "read the highest ids"))
	}
	return nil
}

// readAgain reads the positions of sequences, one by one where one of them cannot be read.
func readAgain(ctx context.Context, q querier, schemaName string, sequences []*schema.Sequence) error {
	err := readPositions(ctx, q, schemaName, sequences)
	if !isOfTable(err) {
		return err
	}
	for i := range sequences {
		if err := readPositions(ctx, q, schemaName, sequences[i:i+1]); err != nil && !isOfTable(err) {
			return err
		}
	}
	return nil
}

// overtaken are the sequences that are not beyond the highest id of a column
// that draws from them, as far as their positions are known.
func overtaken(s *schema.Schema, columns []counted) []*schema.Sequence {
	highest := map[string]int64{}
	for _, c := range columns {
		if name := c.column.Sequence; c.column.HighestKnown {
			highest[name] = max(highest[name], c.column.Highest)
		}
	}
	var all []*schema.Sequence
	for i := range s.Sequences {
		q := &s.Sequences[i]
		if h, ok := highest[q.Name]; ok && q.Last >= q.Min && q.Last <= h {
			all = append(all, q)
		}
	}
	return all
}

// counted is a column that draws from a sequence, and its table.
type counted struct {
	table  string
	column *schema.Column
	parts  bool // the rows are in its partitions
}

// isInteger reports whether every value of the type is one of a bigint. A
// sequence may feed columns of other types, even text.
func isInteger(typeName string) bool {
	return typeName == "smallint" || typeName == "integer" || typeName == "bigint"
}

// readableTables are the tables that the role may read.
func readableTables(ctx context.Context, q querier, schemaName string) (map[string]bool, error) {
	const query = `
SELECT c.relname
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relkind IN ('r', 'p')
  AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')`
	readable := map[string]bool{}
	var name string
	err := forEach(ctx, q, query, []any{schemaName}, []any{&name}, func() error {
		readable[name] = true
		return nil
	})
	return readable, err
}

// leadsIndex reports whether a valid btree index of all rows begins with the column.
func leadsIndex(t *schema.Table, column string) bool {
	for i := range t.Indexes {
		x := &t.Indexes[i]
		if len(x.Parts) > 0 && x.Parts[0].Column == column && x.Method == "btree" && x.Where == "" && !x.Invalid {
			return true
		}
	}
	return false
}

// readHighest reads the columns in one query.
func readHighest(ctx context.Context, q querier, schemaName string, columns []counted) error {
	selects := make([]string, len(columns))
	for i, c := range columns {
		only := "ONLY " // tables that inherit from it may lack its index
		if c.parts {
			only = ""
		}
		selects[i] = fmt.Sprintf("SELECT %d, max(%s)::bigint FROM %s%s", i, QuoteIdent(c.column.Name), only, qualify(schemaName, c.table))
	}
	var (
		n       int
		highest *int64
	)
	// A statement of its own each time: nothing to keep prepared.
	query := strings.Join(selects, "\nUNION ALL\n")
	return forEach(ctx, q, query, []any{pgx.QueryExecModeExec}, []any{&n, &highest}, func() error {
		k := columns[n].column
		k.HighestKnown = true
		if highest != nil {
			k.Highest = *highest
		}
		return nil
	})
}

// readHighestSingly reads table by table, and leaves out those that cannot be read.
func readHighestSingly(ctx context.Context, q querier, schemaName string, columns []counted) error {
	for i := range columns {
		if err := readHighest(ctx, q, schemaName, columns[i:i+1]); err != nil && !isOfTable(err) {
			return fmt.Errorf("table %q: %w", columns[i].table, err)
		}
	}
	return nil
}

// isOfTable reports whether the server refuses for a reason that may lie in one
// table and not in the session, so that other tables may be read: it is gone or
// changed, locked, damaged, too much with others, or of a foreign server that does not answer.
func isOfTable(err error) bool {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return false
	}
	for _, class := range []string{"42", "53200", "55P03", "58", "HV", "XX"} {
		if strings.HasPrefix(e.Code, class) {
			return true
		}
	}
	return false
}
