//go:build integration

package mysql_test

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/schema"
)

// chunked is the table of these tests.
const chunked = "The `table"

// fillChunked makes a table with a key and a filler and puts rows into it. The
// values are expressions of n, which runs from 0 on; more are the table's options.
func fillChunked(t testing.TB, s *testdb.Server, url, columns, names, values, more string, rows int) {
	t.Helper()
	digits := len(strconv.Itoa(max(rows-1, 0)))
	sum, from := make([]string, digits), make([]string, digits)
	for i, factor := 0, 1; i < digits; i, factor = i+1, factor*10 {
		sum[i] = fmt.Sprintf("t%d.d * %d", i, factor)
		from[i] = fmt.Sprintf("digit t%d", i)
	}
	name := mysql.QuoteIdent(chunked)
	s.Exec(t, url,
		"SET SESSION sql_mode = '', time_zone = '+00:00', unique_checks = 0",
		"CREATE TABLE digit (d int NOT NULL PRIMARY KEY)", "INSERT INTO digit VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9)",
		"CREATE TABLE "+name+" ("+columns+", filler char(120) NOT NULL DEFAULT 'x') "+more,
		"INSERT INTO "+name+" ("+names+") SELECT "+values+" FROM (SELECT "+strings.Join(sum, " + ")+" AS n FROM "+strings.Join(from, ", ")+
			") numbers WHERE n < "+strconv.Itoa(rows)+" ORDER BY n",
		"ANALYZE TABLE "+name,
	)
}

// chunkedTable inspects the table of these tests.
func chunkedTable(t testing.TB, db *mysql.DB) *schema.Table {
	t.Helper()
	sc, err := db.Inspect(t.Context(), mysql.InspectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	table := sc.Table(chunked)
	if table == nil {
		t.Fatalf("no table %q", chunked)
	}
	return table
}

// chunkSession opens a session like those that stream rows.
func chunkSession(t testing.TB, s *testdb.Server, url string) *sql.Conn {
	t.Helper()
	conn, err := s.SQL(t, url).Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if _, err := conn.ExecContext(t.Context(), "SET SESSION sql_mode = '', time_zone = '+00:00'"); err != nil {
		t.Fatal(err)
	}
	return conn
}

// countOf reads one number.
func countOf(t testing.TB, conn *sql.Conn, query string) int64 {
	t.Helper()
	var n sql.NullInt64
	if err := conn.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatalf("%v\n%s", err, query)
	}
	return n.Int64
}

// rowsRead is how many rows the session has read by an index or otherwise.
func rowsRead(t testing.TB, conn *sql.Conn) (n int64) {
	t.Helper()
	rows, err := conn.QueryContext(t.Context(), "SHOW SESSION STATUS LIKE 'Handler_read%'")
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var name string
		var value int64
		if err := rows.Scan(&name, &value); err != nil {
			t.Fatal(err)
		}
		n += value
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		t.Fatal(err)
	}
	return n
}

// planOf returns the plan that EXPLAIN tells, by the names of its columns.
func planOf(t testing.TB, conn *sql.Conn, query string) (plan map[string]string) {
	t.Helper()
	rows, err := conn.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	plan = map[string]string{}
	for rows.Next() {
		values, dest := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range values {
			dest[i] = &values[i]
		}
		if err := rows.Scan(dest...); err != nil {
			t.Fatal(err)
		}
		for i, c := range columns {
			plan[strings.ToLower(c)] += values[i].String
		}
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		t.Fatal(err)
	}
	return plan
}

// checkPartition checks that each row of a range is in one piece of it and only one,
// that the pieces meet, and that each is read as an interval of the index, in its
// order and without sorting. It returns the number of rows of each piece.
func checkPartition(t testing.TB, engine schema.Engine, conn *sql.Conn, table *schema.Table, whole mysql.Range, pieces []mysql.Range) []int64 {
	t.Helper()
	if first, last := pieces[0], pieces[len(pieces)-1]; !slices.Equal(first.Lower, whole.Lower) || !slices.Equal(last.Upper, whole.Upper) {
		t.Fatalf("the pieces begin at %v and end at %v, their range at %v and %v", first.Lower, last.Upper, whole.Lower, whole.Upper)
	}
	for i := range pieces[1:] {
		if !slices.Equal(pieces[i].Upper, pieces[i+1].Lower) || pieces[i].Upper == nil {
			t.Fatalf("piece %d ends at %v, the next begins at %v", i, pieces[i].Upper, pieces[i+1].Lower)
		}
	}
	key, ok := mysql.ChunkKeyOf(table)
	if !ok {
		if len(pieces) != 1 {
			t.Fatalf("%d pieces without a key", len(pieces))
		}
		return []int64{countOf(t, conn, "SELECT COUNT(*) FROM "+mysql.QuoteIdent(table.Name))}
	}
	where := func(r mysql.Range) string {
		if w := key.Where(r); w != "" {
			return "(" + w + ")"
		}
		return "TRUE"
	}
	holds := make([]string, len(pieces))
	for i, r := range pieces {
		holds[i] = where(r)
	}
	wrong := fmt.Sprintf("SELECT COUNT(*) FROM %s WHERE %s <> %s", mysql.QuoteIdent(table.Name), where(whole), strings.Join(holds, " + "))
	if n := countOf(t, conn, wrong); n != 0 {
		t.Errorf("%d rows are not in exactly one piece: %s", n, shortSQL(strings.Join(holds, "\n")))
	}
	counts := make([]int64, len(pieces))
	var sum int64
	for i, r := range pieces {
		counts[i] = checkPiece(t, engine, conn, table, key, r)
		sum += counts[i]
	}
	if all := countOf(t, conn, "SELECT COUNT(*) FROM "+mysql.QuoteIdent(table.Name)+" WHERE "+where(whole)); sum != all {
		t.Errorf("the pieces have %d rows, their range has %d", sum, all)
	}
	return counts
}

// checkPiece reads a piece as it will be read, and returns the number of its rows.
func checkPiece(t testing.TB, engine schema.Engine, conn *sql.Conn, table *schema.Table, key mysql.ChunkKey, r mysql.Range) (n int64) {
	t.Helper()
	query := mysql.Select(table.Name, []string{"filler"}, key.Selection(r))
	before := rowsRead(t, conn)
	rows, err := conn.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatalf("%v\n%s", err, query)
	}
	for rows.Next() {
		n++
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		t.Fatalf("%v\n%s", err, query)
	}
	// SHOW STATUS reads some rows of its own.
	if read := rowsRead(t, conn) - before; !table.Partitioned && read > n+n/10+1200 {
		t.Errorf("%d rows were read for %d of %s", read, n, shortSQL(query))
	}
	explain := "EXPLAIN " + query
	if engine == schema.MySQL {
		explain = "EXPLAIN FORMAT=TRADITIONAL " + query
	}
	plan := planOf(t, conn, explain)
	if strings.Contains(plan["extra"], "filesort") || n > 100 && plan["key"] != key.Index {
		t.Fatalf("the plan is %v for %s", plan, shortSQL(query))
	}
	return n
}

// shortSQL cuts a text for a message.
func shortSQL(text string) string { return text[:min(len(text), 1500)] }
