//go:build integration

package proof

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/moodledb/moodledb/dsn"
	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/verify"
)

// place is a database of a test.
type place struct {
	server *testdb.Server
	url    string
	mysql  bool
}

func newPlace(t testing.TB, flavour string) place {
	t.Helper()
	s := testdb.Get(t, flavour)
	return place{server: s, url: s.Database(t), mysql: !strings.HasPrefix(flavour, "postgres")}
}

func (p place) exec(t *testing.T, statements ...string) {
	t.Helper()
	p.server.Exec(t, p.url, statements...)
}

// source is the place for Compare, with the prefix of the tests' tables.
func (p place) source(t testing.TB) Source {
	t.Helper()
	d, err := dsn.Parse(p.url, dsn.Options{})
	if err != nil {
		t.Fatal(err)
	}
	prefix := "mdl_"
	return Source{DSN: d, Prefix: &prefix}
}

// compared compares two places, which must be possible.
func compared(t *testing.T, expected, found place, o Options) *Result {
	t.Helper()
	if o.Jobs == 0 {
		o.Jobs = 2
	}
	r, err := Compare(t.Context(), expected.source(t), found.source(t), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// tableOf is the result of a table.
func tableOf(t *testing.T, r *Result, name string) *verify.TableResult {
	t.Helper()
	i := slices.IndexFunc(r.Tables, func(x verify.TableResult) bool { return x.Name == name })
	if i < 0 {
		t.Fatalf("table %q was not compared: %+v", name, r.Left)
	}
	return &r.Tables[i]
}

// spelling is what one kind of engine calls a type, a value of it and another value.
type spelling struct{ typ, value, other string }

// typed is a column of the test of types.
type typed struct {
	name    string
	my, pg  spelling
	mariadb bool // MariaDB's alone
}

// both is a type whose values are spelled alike.
func both(name, my, pg, value, other string) typed {
	return typed{name: name, my: spelling{my, value, other}, pg: spelling{pg, value, other}}
}

// types are those of which every pair is compared. The text has what hides well: a trailing blank, case, an accent.
func types() []typed {
	return []typed{
		both("tiny", "tinyint", "smallint", "-128", "127"),
		both("small", "smallint unsigned", "integer", "65535", "65534"),
		both("medium", "mediumint", "integer", "-8388608", "0"),
		both("normal", "int(10)", "bigint", "2147483647", "2147483646"),
		both("large", "bigint", "bigint", "-9223372036854775808", "-9223372036854775807"),
		both("huge", "bigint unsigned", "numeric(20,0)", "18446744073709551615", "18446744073709551614"),
		both("filled", "int(8) unsigned zerofill", "bigint", "42", "43"),
		both("anno", "year", "smallint", "2024", "2025"),
		both("deci", "decimal(10,5)", "numeric(10,5)", "12345.10000", "12345.10001"),
		both("wide", "decimal(38,10)", "numeric(38,10)", "-1234567890123456789012345678.0123456789", "-1234567890123456789012345678.0123456788"),
		both("free", "decimal(12,3)", "numeric", "1.500", "1.501"),
		both("single", "float", "real", "0.1", "0.2"),
		both("twice", "double", "double precision", "0.1", "0.30000000000000004"),
		both("fewer", "float", "double precision", "0.5", "0.25"),
		both("fixed", "char(10)", "character(10)", "'abc'", "'abd'"),
		both("vari", "varchar(255)", "varchar(255)", "'Straße'", "'Strasse'"),
		both("blank", "varchar(255)", "varchar(255)", "'x'", "'x '"),
		both("cased", "varchar(255)", "varchar(255)", "'Case'", "'case'"),
		both("void", "varchar(255)", "varchar(255)", "NULL", "''"),
		both("long1", "longtext", "text", "'line one\nline two 🎓'", "'line one\nline two'"),
		both("tiny1", "tinytext", "text", "'a'", "'á'"),
		both("choice", "enum('a','b')", "varchar(5)", "'a'", "'b'"),
		both("subset", "set('a','b')", "varchar(5)", "'a,b'", "'a'"),
		{name: "raw", my: spelling{"longblob", "X'00FF0A'", "X'00FF'"}, pg: spelling{"bytea", `'\x00FF0A'`, `'\x00FF'`}},
		{name: "raw1", my: spelling{"varbinary(20)", "X''", "X'00'"}, pg: spelling{"bytea", `'\x'`, `'\x00'`}},
		{name: "bits", my: spelling{"bit(10)", "b'1010101010'", "b'1010101011'"}, pg: spelling{"bit(10)", "B'1010101010'", "B'1010101011'"}},
		both("day", "date", "date", "'2024-02-29'", "'2024-03-01'"),
		both("moment", "datetime", "timestamp(0)", "'1999-12-31 23:59:59'", "'2000-01-01 00:00:00'"),
		both("micro", "datetime(6)", "timestamp", "'1999-12-31 23:59:59.999999'", "'1999-12-31 23:59:59.999998'"),
		both("instant", "timestamp(3) NULL", "timestamptz", "'2024-06-01 12:00:00.125'", "'2024-06-01 12:00:00.126'"),
		both("clock", "time", "time", "'12:34:56'", "'12:34:57'"),
		both("span", "time(3)", "interval", "'-100:00:00.5'", "'100:00:00.5'"),
		{
			name: "doc", my: spelling{"json", `'{"b": 1.50, "a": [true, null, "é"]}'`, `'{"b": 1.51, "a": [true, null, "é"]}'`},
			pg: spelling{"jsonb", `'{"a": [true, null, "\u00e9"], "b": 1.5}'`, `'{"a": [true, null, "\u00e9"], "b": 1.51}'`},
		},
		{
			name: "uid", mariadb: true, my: spelling{"uuid", "'6ccd780c-baba-1026-9564-5b8c656024db'", "'6ccd780c-baba-1026-9564-5b8c656024dc'"},
			pg: spelling{"uuid", "'6ccd780c-baba-1026-9564-5b8c656024db'", "'6ccd780c-baba-1026-9564-5b8c656024dc'"},
		},
		{name: "host", mariadb: true, my: spelling{"inet6", "'2001:db8::ff00:42:8329'", "'::1'"}, pg: spelling{"inet", "'2001:db8::ff00:42:8329'", "'::1'"}},
	}
}

// spelled is the column in the words of a place.
func (c typed) spelled(p place) spelling {
	if p.mysql {
		return c.my
	}
	return c.pg
}

// makeTypes makes a table of all types, with as many rows. In spoiled ones, row i has another value in column i.
func makeTypes(t *testing.T, p place, columns []typed, spoiled bool) {
	t.Helper()
	statements := []string{"DROP TABLE IF EXISTS mdl_types"}
	definitions, names := []string{"id bigint NOT NULL PRIMARY KEY"}, []string{"id"}
	for _, c := range columns {
		definitions, names = append(definitions, c.name+" "+c.spelled(p).typ), append(names, c.name)
	}
	create := "CREATE TABLE mdl_types (" + strings.Join(definitions, ", ") + ")"
	if p.mysql {
		create += " DEFAULT CHARSET utf8mb4"
	}
	statements = append(statements, create)
	for i := range columns {
		values := []string{fmt.Sprint(i)}
		for j, c := range columns {
			v := c.spelled(p).value
			if spoiled && i == j {
				v = c.spelled(p).other
			}
			values = append(values, v)
		}
		statements = append(statements, "INSERT INTO mdl_types ("+strings.Join(names, ", ")+") VALUES ("+strings.Join(values, ", ")+")")
	}
	p.exec(t, statements...)
}

// enginePairs are the pairs of engines.
func enginePairs(t *testing.T) map[string][2]string {
	t.Helper()
	pairs := map[string][2]string{}
	target := testdb.Targets()[0]
	for _, s := range testdb.Sources() {
		pairs[s+" to "+target] = [2]string{s, target}
	}
	if len(testdb.Targets()) > 1 {
		last := testdb.Targets()[len(testdb.Targets())-1]
		pairs[target+" to "+last] = [2]string{target, last}
	} else {
		pairs[target+" to itself"] = [2]string{target, target}
	}
	source := testdb.Sources()[0]
	last := testdb.Sources()[len(testdb.Sources())-1]
	pairs[source+" to "+last] = [2]string{source, last}
	pairs[target+" to "+source] = [2]string{target, source}
	return pairs
}

// Equal values of every type are the same on every pair of engines, and one other value is found by its key and column.
func TestEveryType(t *testing.T) {
	for name, pair := range enginePairs(t) {
		t.Run(name, func(t *testing.T) {
			expected, found := newPlace(t, pair[0]), newPlace(t, pair[1])
			columns := slices.DeleteFunc(types(), func(c typed) bool {
				return c.mariadb && (strings.HasPrefix(pair[0], "mysql") || strings.HasPrefix(pair[1], "mysql"))
			})
			makeTypes(t, expected, columns, false)
			makeTypes(t, found, columns, false)
			r := compared(t, expected, found, Options{})
			same := tableOf(t, r, "mdl_types")
			if same.State != verify.Same || same.Expected.Rows != int64(len(columns)) {
				t.Errorf("equal tables: %s, %d rows, problem %q", same.State, same.Expected.Rows, same.Problem)
				for _, d := range same.Differences {
					t.Logf("%+v", describe(d))
				}
			}
			for _, l := range r.Left {
				t.Errorf("left out: %+v", l)
			}

			makeTypes(t, found, columns, true)
			spoiled := tableOf(t, compared(t, expected, found, Options{MaxDifferences: 100}), "mdl_types")
			if spoiled.State != verify.Different || spoiled.Changed != int64(len(columns)) || len(spoiled.Differences) != len(columns) {
				t.Errorf("%s, %d changed, %d listed, want %d; problem %q", spoiled.State, spoiled.Changed, len(spoiled.Differences), len(columns), spoiled.Problem)
			}
			for i, d := range spoiled.Differences {
				if d.Kind != verify.ChangedRow || len(d.Columns) != 1 || d.Columns[0].Column != columns[i].name || len(d.Key) != 1 || d.Key[0].Value.Text != fmt.Sprint(i) {
					t.Errorf("row %d, column %s: %s", i, columns[i].name, describe(d))
				}
			}
		})
	}
}

// describe shows a difference in a message.
func describe(d verify.Difference) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s", d.Kind)
	for _, k := range d.Key {
		fmt.Fprintf(&b, " %s=%s", k.Column, k.Value.Text)
	}
	for _, c := range d.Columns {
		fmt.Fprintf(&b, " %s: %+v / %+v", c.Column, c.Expected, c.Found)
	}
	return b.String()
}
