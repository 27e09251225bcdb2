//go:build integration

package integration

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

// This file compares two databases cell by cell by another way than the copy:
// both sides are read by the ordinary drivers through database/sql, every value
// is asked for as text by the server itself, and put into one canonical form.

// cellColumn is a column as both sides are asked for it.
type cellColumn struct {
	name   string
	source string // expression in MySQL's dialect
	target string // expression in PostgreSQL's dialect
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

// side is one of the two databases.
type side struct {
	db     *sql.DB
	schema string // PostgreSQL only
}

// compareTable fails the test unless both sides have the same rows. Columns are
// those of the source; columns whose generated or given names differ are named
// in renamed.
func compareTable(t *testing.T, source, target side, table string) (rows int) {
	t.Helper()
	columns := sourceColumns(t, source.db, table)
	var from, to []string
	for _, c := range columns {
		from = append(from, fmt.Sprintf(c.source, "`"+strings.ReplaceAll(c.name, "`", "``")+"`"))
		to = append(to, fmt.Sprintf(c.target, `"`+strings.ReplaceAll(targetName(t, target, table, c.name), `"`, `""`)+`"`))
	}
	a := readRows(t, source.db, "SELECT "+strings.Join(from, ", ")+" FROM `"+strings.ReplaceAll(table, "`", "``")+"`", columns)
	b := readRows(t, target.db, "SELECT "+strings.Join(to, ", ")+` FROM "`+target.schema+`"."`+strings.ReplaceAll(table, `"`, `""`)+`"`, columns)
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

func sourceColumns(t *testing.T, db *sql.DB, table string) []cellColumn {
	t.Helper()
	rows, err := db.Query("SELECT column_name AS n, data_type AS d FROM information_schema.columns "+
		"WHERE table_schema = DATABASE() AND table_name = ? ORDER BY ordinal_position", table)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var out []cellColumn
	for rows.Next() {
		var name, dataType string
		if err := rows.Scan(&name, &dataType); err != nil {
			t.Fatal(err)
		}
		c := cellColumn{name: name}
		if c.source, c.target, c.canon, err = cellRules(strings.ToLower(dataType)); err != nil {
			t.Fatalf("table %q, column %q: %v", table, name, err)
		}
		out = append(out, c)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// targetName finds a column at the target without regard to case.
func targetName(t *testing.T, target side, table, column string) string {
	t.Helper()
	var name string
	err := target.db.QueryRow("SELECT attname FROM pg_attribute WHERE attrelid = to_regclass($1) AND NOT attisdropped AND lower(attname) = lower($2)",
		`"`+target.schema+`"."`+strings.ReplaceAll(table, `"`, `""`)+`"`, column).Scan(&name)
	if err != nil {
		t.Fatalf("table %q, column %q at the target: %v", table, column, err)
	}
	return name
}

// readRows renders each row as one string.
func readRows(t *testing.T, db *sql.DB, query string, columns []cellColumn) []string {
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
				t.Fatalf("column %q: %v", columns[i].name, err)
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
