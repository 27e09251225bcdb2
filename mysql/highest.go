package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	driver "github.com/go-sql-driver/mysql"

	"github.com/moodledb/moodledb/schema"
)

// highestBatch is the number of tables that one query reads.
const highestBatch = 300

// ReadHighest fills in the highest value of each AUTO_INCREMENT column of s,
// which [DB.Inspect] has read. An index gives it without a look at the rows. It
// stays unknown where no index begins with the column, as MyISAM allows, for
// tables that the user may not or the server cannot read, or that were dropped
// meanwhile, and for values above those of a bigint.
//
// A site in use goes on giving out ids: where a table's next value is not above
// the highest any more, it is read again.
func (db *DB) ReadHighest(ctx context.Context, s *schema.Schema) error {
	var columns []counted
	for i := range s.Tables {
		t := &s.Tables[i]
		for j := range t.Columns {
			if c := &t.Columns[j]; c.AutoIncrement && t.StorageEngine != "" && leadsIndex(t, c.Name) {
				columns = append(columns, counted{table: t, column: c})
			}
		}
	}
	for todo := columns; len(todo) > 0; {
		n := min(highestBatch, len(todo))
		err := db.readHighest(ctx, s.Name, todo[:n])
		if isOfTable(err) {
			err = db.readHighestSingly(ctx, s.Name, todo[:n])
		}
		if err != nil {
			return fmt.Errorf("read the highest ids: %w", err)
		}
		todo = todo[n:]
	}
	if err := db.readCounters(ctx, s.Name, columns); err != nil {
		return fmt.Errorf("read the next ids again: %w", err)
	}
	return nil
}

// counted is a column that the server counts, and its table.
type counted struct {
	table  *schema.Table
	column *schema.Column
}

// leadsIndex reports whether an index that knows the order of its entries begins with the column.
func leadsIndex(t *schema.Table, column string) bool {
	for i := range t.Indexes {
		x := &t.Indexes[i]
		if len(x.Parts) > 0 && x.Parts[0].Column == column && x.Method == "btree" {
			return true
		}
	}
	return false
}

// readHighest reads the columns in one query.
func (db *DB) readHighest(ctx context.Context, database string, columns []counted) (err error) {
	selects := make([]string, len(columns))
	for i, c := range columns {
		selects[i] = fmt.Sprintf("SELECT %d AS n, CAST(MAX(%s) AS CHAR) AS highest FROM %s.%s",
			i, QuoteIdent(c.column.Name), QuoteIdent(database), QuoteIdent(c.table.Name))
	}
	rows, err := db.sql.QueryContext(ctx, strings.Join(selects, "\nUNION ALL\n"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var n int
		var text sql.NullString
		if err := rows.Scan(&n, &text); err != nil {
			return err
		}
		value, err := strconv.ParseInt(text.String, 10, 64)
		columns[n].column.HighestKnown = err == nil || !text.Valid
		if err == nil {
			columns[n].column.Highest = value
		}
	}
	return rows.Err()
}

// readHighestSingly reads table by table, and leaves out those that cannot be read.
func (db *DB) readHighestSingly(ctx context.Context, database string, columns []counted) error {
	for i := range columns {
		if err := db.readHighest(ctx, database, columns[i:i+1]); err != nil && !isOfTable(err) {
			return fmt.Errorf("table %q: %w", columns[i].table.Name, err)
		}
	}
	return nil
}

// readCounters reads the next values again that are not above the highest.
func (db *DB) readCounters(ctx context.Context, database string, columns []counted) (err error) {
	behind := map[string]*schema.Table{}
	args := []any{database}
	for _, c := range columns {
		if next := c.table.AutoIncrement; next > 0 && c.column.Highest > 0 && next <= uint64(c.column.Highest) {
			behind[c.table.Name] = c.table
			args = append(args, c.table.Name)
		}
	}
	if len(behind) == 0 {
		return nil
	}
	conn, err := db.sql.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if err := freshNumbers(ctx, conn, db.server); err != nil {
		return err
	}
	query := `
SELECT TABLE_NAME AS name, AUTO_INCREMENT AS auto_inc
FROM information_schema.TABLES
WHERE TABLE_SCHEMA = ? AND AUTO_INCREMENT IS NOT NULL AND TABLE_NAME IN (?` + strings.Repeat(", ?", len(behind)-1) + ")"
	rows, err := conn.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var name string
		var next uint64
		if err := rows.Scan(&name, &next); err != nil {
			return err
		}
		if t := behind[name]; t != nil {
			t.AutoIncrement = max(t.AutoIncrement, next)
		}
	}
	return rows.Err()
}

// isOfTable reports whether the server refuses for a reason that lies in one
// table (no right, no such table, damaged, its engine is gone, locked for long)
// and not in the session, so that other tables may be read.
func isOfTable(err error) bool {
	var e *driver.MySQLError
	if !errors.As(err, &e) {
		return false
	}
	switch e.Number {
	case 1040, 1203, 1226, // too many connections
		1044, 1045, 1053, 1094, // the user, a shutdown
		1317, 1969, 3024: // killed, took too long
		return false
	default:
		return true
	}
}
