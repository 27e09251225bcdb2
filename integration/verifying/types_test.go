//go:build integration

package verifying

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/moodledb/moodledb/integration/internal/rig"
	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/migrate"
)

// faulty is a column of the test of types: its type at the source, the one that it becomes, a
// value in the words of the source, and another one in those of PostgreSQL.
type faulty struct {
	from, to, value, other string
	only                   string // the product that has the type, or the value; empty for both
}

// faultyColumns are a column of every kind of source type in every type that it can become.
func faultyColumns() []faulty {
	numbers := []faulty{
		{from: "tinyint", to: "smallint", value: "-128", other: "127"},
		{from: "varchar(9)", to: "smallint", value: "'42'", other: "43"},
		{from: "decimal(4,0)", to: "smallint", value: "9999", other: "9998"},
		{from: "bit(8)", to: "smallint", value: "b'101'", other: "6"},
		{from: "double", to: "smallint", value: "7", other: "8"},
		{from: "mediumint unsigned", to: "integer", value: "16777215", other: "16777214"},
		{from: "year", to: "integer", value: "2024", other: "2025"},
		{from: "decimal(9,0)", to: "integer", value: "-5", other: "5"},
		{from: "bit(16)", to: "integer", value: "b'1'", other: "0"},
		{from: "float", to: "integer", value: "16777216", other: "16777215"},
		{from: "bigint", to: "bigint", value: "-9223372036854775808", other: "-9223372036854775807"},
		{from: "decimal(18,0)", to: "bigint", value: "999999999999999999", other: "999999999999999998"},
		{from: "bit(40)", to: "bigint", value: "b'1111'", other: "14"},
		{from: "double", to: "bigint", value: "9007199254740992", other: "9007199254740993"},
		{from: "tinyint(1)", to: "boolean", value: "1", other: "false"},
		{from: "bit(1)", to: "boolean", value: "b'0'", other: "true"},
		{from: "double", to: "double precision", value: "0.1", other: "0.10000000000000002"},
		{from: "double", to: "double precision", value: "-0e0", other: "0", only: "mysql"},
		{from: "float", to: "double precision", value: "0.1", other: "0.1"}, // the float is 0.10000000149011612
		{from: "int", to: "double precision", value: "1", other: "1.0000000000000002"},
		{from: "decimal(10,5)", to: "double precision", value: "1.5", other: "1.50001"},
		{from: "float", to: "real", value: "0.1", other: "0.10000001"},
		{from: "double", to: "real", value: "0.5", other: "0.25"},
		{from: "smallint", to: "real", value: "1", other: "-1"},
		{from: "varchar(9)", to: "real", value: "'2.5'", other: "2.25"},
		{from: "decimal(10,5)", to: "numeric(10,5)", value: "12345.1", other: "12345.10001"},
		{from: "decimal(38,10)", to: "numeric", value: "-1234567890123456789012345678.0123456789", other: "-1234567890123456789012345678.0123456788"},
		{from: "bigint unsigned", to: "numeric(20,0)", value: "18446744073709551615", other: "18446744073709551614"},
		{from: "varchar(9)", to: "numeric(10,2)", value: "'1.50'", other: "1.51"},
		{from: "double", to: "numeric(10,2)", value: "1.25", other: "1.26"},
		{from: "float", to: "numeric(10,3)", value: "1.125", other: "-1.125"},
		{from: "bit(40)", to: "numeric(20,0)", value: "b'11'", other: "2"},
	}
	return append(numbers, append(faultyTexts(), faultyOthers()...)...)
}

// faultyTexts are the columns that become text, with what hides well.
func faultyTexts() []faulty {
	return []faulty{
		{from: "varchar(20)", to: "character varying(20)", value: "NULL", other: "''"},
		{from: "varchar(20)", to: "character varying(20)", value: "''", other: "NULL"},
		{from: "varchar(20)", to: "text", value: "'blank'", other: "'blank '"},
		{from: "varchar(20)", to: "text", value: "'blank '", other: "'blank'"},
		{from: "varchar(20)", to: "text", value: "'Case'", other: "'case'"},
		{from: "varchar(20)", to: "text", value: "'Straße'", other: "'Strasse'"},
		{from: "varchar(20)", to: "text", value: "'é'", other: "U&'e\\0301'"},
		{from: "varchar(20)", to: "text", value: "'a\\r\\nb'", other: "E'a\\nb'"},
		{from: "longtext", to: "text", value: "REPEAT('long ', 400)", other: "repeat('long ', 399) || 'Long '"},
		{from: "json", to: "text", value: "'{\"a\": 1}'", other: "'{\"a\": 2}'"},
		{from: "int(5) unsigned", to: "character varying(11)", value: "42", other: "'042'"},
		{from: "year", to: "text", value: "2024", other: "'24'"},
		{from: "decimal(5,2)", to: "text", value: "1.5", other: "'1.5'"},
		{from: "varbinary(20)", to: "text", value: "'raw'", other: "'Raw'"},
		{from: "date", to: "text", value: "'2024-02-29'", other: "'2024-2-29'"},
		{from: "datetime(3)", to: "text", value: "'2024-02-29 01:02:03.5'", other: "'2024-02-29 01:02:03.5'"}, // the source says .500
		{from: "time", to: "text", value: "'-12:34:56'", other: "'12:34:56'"},
		{from: "double", to: "text", value: "0.1", other: "'0.10'"},
		{from: "float", to: "text", value: "0.1", other: "'0.1 '"},
		{from: "enum('a','A b')", to: "character varying(5) CHECK ({} IN ('a', 'A b', ''))", value: "'A b'", other: "'a'"},
		{from: "set('a','b')", to: "character varying(5)", value: "'a,b'", other: "'b,a'"},
		{from: "char(10)", to: "character(10)", value: "'abc'", other: "'Abc'"},
		{from: "varchar(10)", to: "character(10)", value: "'abc'", other: "NULL"},
	}
}

// faultyOthers are the columns of bytes, times and the like.
func faultyOthers() []faulty {
	return []faulty{
		{from: "json", to: "json", value: "'{\"a\": [1, 2]}'", other: "'{\"a\": [2, 1]}'"},
		{from: "longtext", to: "jsonb", value: "'{\"b\": 1, \"a\": null}'", other: "'{\"b\": 1}'"},
		{from: "json", to: "jsonb", value: "'[1.5]'", other: "'[\"1.5\"]'"},
		{from: "longblob", to: "bytea", value: "X'00FF0A'", other: `'\x00FF0A00'`},
		{from: "varbinary(20)", to: "bytea", value: "X''", other: "NULL"},
		{from: "bit(10)", to: "bytea", value: "b'1010101010'", other: `'\x02AB'`},
		{from: "longtext", to: "bytea", value: "'é'", other: `'\xE9'`},
		{from: "point", to: "bytea", value: "ST_GeomFromText('POINT(1 2)')", other: `'\x00'`},
		{from: "date", to: "date", value: "'2024-02-29'", other: "'2024-03-01'"},
		{from: "datetime", to: "date", value: "'2024-02-29 00:00:00'", other: "'2023-02-28'"},
		{from: "varchar(10)", to: "date", value: "'0001-01-01'", other: "'0001-01-01 BC'"},
		{from: "datetime", to: "timestamp(0)", value: "'1999-12-31 23:59:59'", other: "'2000-01-01 00:00:00'"},
		{from: "datetime(6)", to: "timestamp", value: "'1999-12-31 23:59:59.999999'", other: "'1999-12-31 23:59:59.999998'"},
		{from: "date", to: "timestamp", value: "'1999-12-31'", other: "'1999-12-31 01:00:00'"},
		{from: "timestamp(3) NULL", to: "timestamp(3)", value: "'2024-06-01 12:00:00.125'", other: "'2024-06-01 14:00:00.125'"},
		{from: "timestamp NULL", to: "timestamptz", value: "'2024-06-01 12:00:00'", other: "'2024-06-01 12:00:00+02'"},
		{from: "time", to: "time", value: "'12:34:56'", other: "'00:34:56'"},
		{from: "time(3)", to: "interval", value: "'-100:00:00.5'", other: "'100:00:00.5'"},
		{from: "varchar(36)", to: "uuid", value: "'6ccd780c-baba-1026-9564-5b8c656024db'", other: "'6ccd780c-baba-1026-9564-5b8c656024dc'"},
		{from: "binary(16)", to: "uuid", value: "X'6ccd780cbaba102695645b8c656024db'", other: "'db246065-8c5b-6495-2610-baba0c78cd6c'"},
		{from: "varchar(40)", to: "inet", value: "'192.168.0.1'", other: "'192.168.0.1/24'"},
		{from: "bit(10)", to: "bit(10)", value: "b'1010101010'", other: "B'0101010101'"},
		{from: "bit(10)", to: "bit varying(12)", value: "b'1010101010'", other: "B'10101010100'"},
		{from: "uuid", to: "uuid", value: "'6ccd780c-baba-1026-9564-5b8c656024db'", other: "'6ccd780c-baba-1026-9564-5b8c656024dc'", only: "mariadb"},
		{from: "inet6", to: "inet", value: "'2001:db8::ff00:42:8329'", other: "'2001:db8::ff00:42:832a'", only: "mariadb"},
	}
}

// compared is what the tests read of the JSON of a comparison.
type compared struct {
	State  string
	Tables []struct {
		Name, State, Problem string
		Missing              int `json:"missing_rows"`
		Extra                int `json:"extra_rows"`
		Changed              int `json:"changed_rows"`
		Differences          []struct {
			Kind  string
			Times int
			Key   []struct {
				Column string
				Value  struct{ Text string }
			}
			Columns []struct {
				Column          string
				Expected, Found *struct{ Kind, Text string }
			}
		}
	}
	Left []struct{ Table, Column, State, Reason string } `json:"not_compared"`
}

// comparedBy runs verify with --format json, and wants an exit code.
func comparedBy(t *testing.T, bin string, exit int, args ...string) *compared {
	t.Helper()
	o := rig.RunBinary(t, bin, append([]string{"verify", "--format", "json", "--progress", "none"}, args...)...)
	if o.Code != exit {
		t.Fatalf("exit %d, want %d\n%s%s", o.Code, exit, o.Stdout, o.Stderr)
	}
	c := &compared{}
	if err := json.Unmarshal([]byte(o.Stdout), c); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestVerifyFindsACellOfEveryType: a cell that is another one is found by its table, key and
// column, of whatever type it is on the two sides; and mended by --repair.
func TestVerifyFindsACellOfEveryType(t *testing.T) {
	bin := rig.Binary(t)
	for _, source := range rig.Matrix(testdb.Sources()) {
		t.Run(source, func(t *testing.T) {
			columns := slices.DeleteFunc(faultyColumns(), func(x faulty) bool { return !strings.HasPrefix(source, x.only) })
			p := migratedTypes(t, source, columns)
			args := []string{"--from", p.SourceURL, "--to", p.TargetURL, "--tables", "types", "--max-differences", "1000"}
			if c := comparedBy(t, bin, 0, args...); len(c.Tables) != 1 || len(c.Left) != 4 { // the two of every site, on each side
				t.Fatalf("%+v", c)
			}
			var spoil []string
			for i, x := range columns {
				spoil = append(spoil, fmt.Sprintf("UPDATE mdl_types SET c%d = %s WHERE id = %d", i, x.other, i))
			}
			p.TargetServer.Exec(t, p.TargetURL, spoil...)
			c := comparedBy(t, bin, 1, args...)
			got := c.Tables[0]
			if got.Name != "mdl_types" || got.Changed != len(columns) || got.Missing+got.Extra != 0 || got.Problem != "" || len(got.Differences) != len(columns) {
				t.Errorf("%s: %d changed, %d missing, %d extra, %d listed, want %d changed; %s", got.Name, got.Changed, got.Missing, got.Extra, len(got.Differences), len(columns), got.Problem)
			}
			found := map[string]string{}
			for _, d := range got.Differences {
				if len(d.Key) == 1 && len(d.Columns) == 1 && d.Kind == "changed" {
					found[d.Key[0].Value.Text] = d.Columns[0].Column
				}
				if e, f := d.Columns[0].Expected, d.Columns[0].Found; e.Kind == f.Kind && e.Text == f.Text {
					t.Errorf("%s of row %s: both sides are shown as %s", d.Columns[0].Column, d.Key[0].Value.Text, e.Text)
				}
			}
			for i, x := range columns {
				if found[fmt.Sprint(i)] != fmt.Sprintf("c%d", i) {
					t.Errorf("%s as %s: %s at the source, %s at the target, is not found by row and column", x.from, x.to, x.value, x.other)
				}
			}
			comparedBy(t, bin, 0, append(args, "--repair", "--yes")...)
			if n := p.Count(t, "SELECT count(DISTINCT t::text) FROM (SELECT to_jsonb(x) - 'id' AS t FROM mdl_types x) y"); n != 1 {
				t.Errorf("%d rows are not alike after the repair", n)
			}
		})
	}
}

// migratedTypes copies a table of the columns, with as many rows, into one that
// was made before, without looking at what arrives.
func migratedTypes(t *testing.T, source string, columns []faulty) *rig.Pair {
	t.Helper()
	from, to, values := []string{"id bigint NOT NULL PRIMARY KEY"}, []string{"id bigint NOT NULL PRIMARY KEY"}, []string{}
	for i, x := range columns {
		from, to = append(from, fmt.Sprintf("c%d %s", i, x.from)), append(to, fmt.Sprintf("c%d %s", i, strings.ReplaceAll(x.to, "{}", fmt.Sprintf("c%d", i))))
		values = append(values, x.value)
	}
	statements := []string{"CREATE TABLE mdl_types (" + strings.Join(from, ", ") + ") DEFAULT CHARSET utf8mb4"}
	rows := make([]string, len(columns))
	for i := range columns {
		rows[i] = fmt.Sprintf("(%d, %s)", i, strings.Join(values, ", "))
	}
	statements = append(statements, "INSERT INTO mdl_types VALUES "+strings.Join(rows, ", "))
	p := rig.Tiny(t, source, rig.FirstTarget(), statements...)
	p.Migrate(t, migrate.Options{Site: rig.TinyCode(t), Exclude: []string{"types"}, Verify: migrate.VerifyNone})
	p.TargetServer.Exec(t, p.TargetURL, "CREATE TABLE mdl_types ("+strings.Join(to, ", ")+")")
	p.Migrate(t, migrate.Options{DataOnly: true, Include: []string{"types"}, Verify: migrate.VerifyNone})
	return p
}
