//go:build integration

package rig

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Column is a column as both sides are asked for it.
type Column struct {
	Name   string
	Source string // expression in MySQL's dialect
	Target string // expression in PostgreSQL's dialect
	canon  func(string) (string, error)
}

func same(s string) (string, error) { return s, nil }

// float64Text makes different spellings of one double equal, bit for bit.
func float64Text(s string) (string, error) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return "", err
	}
	return strconv.FormatUint(math.Float64bits(f), 16), nil
}

func float32Text(s string) (string, error) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return "", err
	}
	return strconv.FormatUint(uint64(math.Float32bits(float32(f))), 16), nil
}

// cellRules says for each MySQL type how both sides print it. %s is the quoted column.
func cellRules(dataType string) (source, target string, canon func(string) (string, error), err error) {
	switch dataType {
	case "tinyint", "smallint", "mediumint", "int", "bigint", "year", "decimal":
		// + 0 drops the zeros of ZEROFILL.
		return "CAST(%s + 0 AS CHAR)", "%s::text", same, nil
	case "double":
		return "%s", "%s::float8", float64Text, nil
	case "float":
		return "%s+0e0", "%s::float4", float32Text, nil
	case "char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set", "json":
		return "HEX(CONVERT(%s USING utf8mb4))", "upper(encode(convert_to(%s::text, 'UTF8'), 'hex'))", same, nil
	case "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "geometry", "point", "polygon", "linestring":
		return "HEX(%s)", "upper(encode(%s, 'hex'))", same, nil
	case "date":
		return "CAST(%s AS CHAR)", "to_char(%s, 'YYYY-MM-DD')", same, nil
	case "datetime":
		return "DATE_FORMAT(%s, '%%Y-%%m-%%d %%H:%%i:%%s.%%f')", "to_char(%s, 'YYYY-MM-DD HH24:MI:SS.US')", same, nil
	case "timestamp":
		return "DATE_FORMAT(%s, '%%Y-%%m-%%d %%H:%%i:%%s.%%f')", "to_char(%s AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')", same, nil
	case "time":
		return "CONCAT(IF(%[1]s < 0, '-', ''), FLOOR(ABS(TIME_TO_SEC(%[1]s))), '.', LPAD(MICROSECOND(%[1]s), 6, '0'))",
			"CASE WHEN %[1]s < interval '0' THEN '-' ELSE '' END || floor(abs(extract(epoch FROM %[1]s)))::bigint || '.' || " +
				"lpad((abs(extract(epoch FROM %[1]s)) * 1000000 %% 1000000)::bigint::text, 6, '0')", same, nil
	case "bit":
		return "BIN(%s+0)", "ltrim(%s::text, '0')", func(s string) (string, error) { return strings.TrimLeft(s, "0"), nil }, nil
	case "uuid", "inet6", "inet4":
		return "CAST(%s AS CHAR)", "split_part(%s::text, '/', 1)", same, nil
	default:
		return "", "", nil, fmt.Errorf("no rule to compare type %q", dataType)
	}
}

// Side is one of the two databases.
type Side struct {
	DB     *sql.DB
	Schema string // PostgreSQL only
}

// compareTable fails the test unless both sides have the same rows. Columns are
// those of the source; columns whose generated or given names differ are named
// in renamed.
func compareTable(t *testing.T, source, target Side, table string) (rows int) {
	t.Helper()
	columns := SourceColumns(t, source.DB, table)
	names := targetNames(t, target, table)
	var from, to []string
	for _, c := range columns {
		name, ok := names[strings.ToLower(c.Name)]
		if !ok {
			t.Fatalf("table %q, column %q is not at the target", table, c.Name)
		}
		from = append(from, fmt.Sprintf(c.Source, "`"+strings.ReplaceAll(c.Name, "`", "``")+"`"))
		to = append(to, fmt.Sprintf(c.Target, `"`+strings.ReplaceAll(name, `"`, `""`)+`"`))
	}
	a := readRows(t, source.DB, "SELECT "+strings.Join(from, ", ")+" FROM `"+strings.ReplaceAll(table, "`", "``")+"`", columns)
	b := readRows(t, target.DB, "SELECT "+strings.Join(to, ", ")+` FROM "`+target.Schema+`"."`+strings.ReplaceAll(table, `"`, `""`)+`"`, columns)
	slices.Sort(a)
	slices.Sort(b)
	if len(a) != len(b) {
		t.Errorf("table %q: %d rows at the source, %d at the target", table, len(a), len(b))
	}
	different := 0
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			if different == 0 {
				t.Errorf("table %q: row differs\nsource %.300q\ntarget %.300q", table, a[i], b[i])
			}
			different++
		}
	}
	if different > 1 {
		t.Errorf("table %q: %d rows differ", table, different)
	}
	return len(a)
}

// SourceColumns are the columns of a table of the source.
func SourceColumns(t *testing.T, db *sql.DB, table string) []Column {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "SELECT column_name AS n, data_type AS d FROM information_schema.columns "+
		"WHERE table_schema = DATABASE() AND table_name = ? ORDER BY ordinal_position", table)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var out []Column
	for rows.Next() {
		var name, dataType string
		if err := rows.Scan(&name, &dataType); err != nil {
			t.Fatal(err)
		}
		c := Column{Name: name}
		if c.Source, c.Target, c.canon, err = cellRules(strings.ToLower(dataType)); err != nil {
			t.Fatalf("table %q, column %q: %v", table, name, err)
		}
		out = append(out, c)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// targetNames are the columns of a table at the target, by their names in lower case.
func targetNames(t *testing.T, target Side, table string) map[string]string {
	t.Helper()
	names := map[string]string{}
	for _, name := range QueryStrings(t, target.DB, "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped",
		`"`+target.Schema+`"."`+strings.ReplaceAll(table, `"`, `""`)+`"`) {
		names[strings.ToLower(name)] = name
	}
	return names
}

// readRows renders each row as one string.
func readRows(t *testing.T, db *sql.DB, query string, columns []Column) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	var out []string
	cells := make([]sql.NullString, len(columns))
	ptrs := make([]any, len(columns))
	for i := range cells {
		ptrs[i] = &cells[i]
	}
	var line strings.Builder
	for rows.Next() {
		if err := rows.Scan(ptrs...); err != nil {
			t.Fatal(err)
		}
		line.Reset()
		for i, c := range cells {
			if !c.Valid {
				line.WriteString("NULL|")
				continue
			}
			text, err := columns[i].canon(c.String)
			if err != nil {
				t.Fatalf("column %q: %v", columns[i].Name, err)
			}
			line.WriteString("'" + text + "'|")
		}
		out = append(out, line.String())
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// CompareAll compares every base table with the prefix, cell by cell.
func (p *Pair) CompareAll(t *testing.T, schema, prefix string, except ...string) (tables, rows int) {
	t.Helper()
	from := Side{DB: p.SourceServer.SQL(t, p.SourceURL)}
	to := Side{DB: p.TargetServer.SQL(t, p.TargetURL), Schema: schema}
	if _, err := from.DB.ExecContext(t.Context(), "SET time_zone = '+00:00'"); err != nil {
		t.Fatal(err)
	}
	from.DB.SetMaxOpenConns(1)
	names, err := from.DB.QueryContext(t.Context(), "SELECT table_name AS n FROM information_schema.tables WHERE table_schema = DATABASE() "+
		"AND table_type = 'BASE TABLE' ORDER BY table_name")
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for names.Next() {
		var n string
		if err := names.Scan(&n); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(n, prefix) {
			list = append(list, n)
		}
	}
	if err := names.Err(); err != nil {
		t.Fatal(err)
	}
	_ = names.Close()
	for _, n := range list {
		if !contains(except, n) {
			rows += compareTable(t, from, to, n)
			tables++
		}
	}
	return tables, rows
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}
