//go:build integration

package verifying

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/moodledb/moodledb/integration/internal/rig"
	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/migrate"
)

// faultTable is a table of one kind of key, with columns v and w besides.
type faultTable struct {
	name    string // without the prefix
	columns string // the key; {text} is a text that MySQL and MariaDB compare without regard to case
	key     string // values of the key of row {n}
	where   string // finds row {n}
	shown   string // how a report shows the key of row {n}; "" for a table without one
	rekey   string // gives row {n} the key of row {m}
}

func faultTables() []faultTable {
	return []faultTable{
		{name: "number", columns: "id bigint NOT NULL, PRIMARY KEY (id)", key: "{n}", where: "id = {n}", shown: "id={n}", rekey: "id = {m}"},
		{
			name: "two", columns: "a bigint NOT NULL, b varchar(20) NOT NULL, PRIMARY KEY (a, b)", key: "7, 'b{n}'", where: "a = 7 AND b = 'b{n}'",
			shown: `a=7 b="b{n}"`, rekey: "b = 'b{m}'",
		},
		{name: "word", columns: "word {text} NOT NULL, PRIMARY KEY (word)", key: "'Wort {n}'", where: "word = 'Wort {n}'", shown: `word="Wort {n}"`, rekey: "word = 'Wort {m}'"},
		{name: "none", columns: "n bigint", key: "{n}", where: "n = {n}", rekey: "n = {m}"},
	}
}

// text is a text of the table for row n.
func (x *faultTable) text(text string, n int) string {
	return strings.NewReplacer("{t}", "mdl_"+x.name, "{n}", fmt.Sprint(n)).Replace(text)
}

// fill are the statements that make the table anew.
func (x *faultTable) fill(mysql bool) []string {
	word := "varchar(40)"
	if mysql {
		word += " CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci"
	}
	key, primary, _ := strings.Cut(x.columns, ", PRIMARY")
	columns := strings.ReplaceAll(key, "{text}", word) + ", v varchar(40), w varchar(40)"
	if primary != "" {
		columns += ", PRIMARY" + primary
	}
	rows := make([]string, 9)
	for n := range rows {
		w := []string{"NULL", "''", "'w'"}[n%3]
		rows[n] = "(" + x.text(x.key, n) + x.text(", 'value {n}', ", n) + w + ")"
	}
	return []string{x.text("DROP TABLE IF EXISTS {t}", 0), x.text("CREATE TABLE {t} (", 0) + columns + ")", x.text("INSERT INTO {t} VALUES ", 0) + strings.Join(rows, ", ")}
}

// fault is something that happens to a table. In its statements {t} is the table, {n:5} finds
// row 5, {k:5} are the values of its key, and {r:5:50} gives it that of row 50.
type fault struct {
	name       string
	statements []string
	// want are the rows that must be found: how, which one, and what columns differ.
	want []string
	// missing and extra are what must be found in a table without a key.
	missing, extra int
	// only is the one table that it can happen to; empty for all.
	only string
}

func faults() []fault {
	return []fault{
		{name: "a changed cell", statements: []string{"UPDATE {t} SET v = 'other' WHERE {n:5}"}, want: []string{"changed 5 v"}, missing: 1, extra: 1},
		{name: "NULL becomes empty", statements: []string{"UPDATE {t} SET w = '' WHERE {n:3}"}, want: []string{"changed 3 w"}, missing: 1, extra: 1},
		{name: "empty becomes NULL", statements: []string{"UPDATE {t} SET w = NULL WHERE {n:4}"}, want: []string{"changed 4 w"}, missing: 1, extra: 1},
		{name: "a blank at the end", statements: []string{"UPDATE {t} SET v = 'value 5 ' WHERE {n:5}"}, want: []string{"changed 5 v"}, missing: 1, extra: 1},
		{name: "case", statements: []string{"UPDATE {t} SET v = 'Value 5' WHERE {n:5}"}, want: []string{"changed 5 v"}, missing: 1, extra: 1},
		{
			name: "values of two rows swapped", statements: []string{"UPDATE {t} SET v = 'value 6' WHERE {n:5}", "UPDATE {t} SET v = 'value 5' WHERE {n:6}"},
			want: []string{"changed 5 v", "changed 6 v"}, missing: 2, extra: 2,
		},
		{
			name: "two columns swapped", statements: []string{"UPDATE {t} SET v = 'w', w = 'value 5' WHERE {n:5}"},
			want: []string{"changed 5 v w"}, missing: 1, extra: 1,
		},
		{
			name: "two rows exchanged", statements: []string{"UPDATE {t} SET {r:2:50} WHERE {n:2}", "UPDATE {t} SET {r:5:2} WHERE {n:5}", "UPDATE {t} SET {r:50:5} WHERE {n:50}"},
			want: []string{"changed 2 v", "changed 5 v"}, missing: 2, extra: 2,
		},
		{
			name: "the rows of one column shifted by one", statements: []string{"UPDATE {t} SET v = CASE v WHEN 'value 6' THEN 'value 7' WHEN 'value 7' THEN 'value 8' ELSE 'value 6' END WHERE v IN ('value 6', 'value 7', 'value 8')"},
			want: []string{"changed 6 v", "changed 7 v", "changed 8 v"}, missing: 3, extra: 3,
		},
		{name: "an added row", statements: []string{"INSERT INTO {t} VALUES ({k:50}, 'value 5', 'w')"}, want: []string{"extra 50 v w"}, extra: 1},
		{name: "a removed row", statements: []string{"DELETE FROM {t} WHERE {n:5}"}, want: []string{"missing 5 v w"}, missing: 1},
		{name: "another key", statements: []string{"UPDATE {t} SET {r:5:50} WHERE {n:5}"}, want: []string{"extra 50 v w", "missing 5 v w"}, missing: 1, extra: 1},
		{name: "another case of the key", only: "word", statements: []string{"UPDATE {t} SET word = 'wort 5' WHERE {n:5}"}, want: []string{`extra word="wort 5" v w`, "missing 5 v w"}},
		{name: "a doubled row", only: "none", statements: []string{"INSERT INTO {t} VALUES (5, 'value 5', 'w')"}, extra: 1},
		{name: "the same row twice more", only: "none", statements: []string{"INSERT INTO {t} VALUES (9, 'x', NULL), (9, 'x', NULL)"}, extra: 2},
		{name: "one row twice, another not at all", only: "none", statements: []string{"DELETE FROM {t} WHERE n = 4", "INSERT INTO {t} VALUES (5, 'value 5', 'w')"}, missing: 1, extra: 1},
		{name: "all rows removed", statements: []string{"DELETE FROM {t}"}, want: all("missing"), missing: 9},
	}
}

// all are the rows of a table.
func all(kind string) (want []string) {
	for n := range 9 {
		want = append(want, fmt.Sprintf("%s %d v w", kind, n))
	}
	return want
}

// on are the statements for a table; none when it cannot happen to that one.
func (f *fault) on(x *faultTable) []string {
	if f.only != "" && f.only != x.name {
		return nil
	}
	var rows []string
	for n := range 51 {
		rows = append(rows, fmt.Sprintf("{n:%d}", n), x.text(x.where, n), fmt.Sprintf("{k:%d}", n), x.text(x.key, n))
		for m := range 51 {
			rows = append(rows, fmt.Sprintf("{r:%d:%d}", n, m), strings.ReplaceAll(x.rekey, "{m}", fmt.Sprint(m)))
		}
	}
	replacer := strings.NewReplacer(append(rows, "{t}", "mdl_"+x.name)...)
	out := make([]string, len(f.statements))
	for i, s := range f.statements {
		out[i] = replacer.Replace(s)
	}
	return out
}

// wanted are the differences that must be found in a table with a key, sorted.
func (f *fault) wanted(x *faultTable) []string {
	var out []string
	for _, w := range f.want {
		kind, rest, _ := strings.Cut(w, " ")
		row, columns, _ := strings.Cut(rest, " ")
		n := 0
		if _, err := fmt.Sscan(row, &n); err != nil {
			out = append(out, w) // spelled as it is shown
			continue
		}
		out = append(out, kind+" "+x.text(x.shown, n)+" "+columns)
	}
	slices.Sort(out)
	return out
}

// differences are those of a table as wanted spells them, sorted.
func (c *compared) differences(name string) (out []string, missing, extra int) {
	for _, x := range c.Tables {
		if x.Name != "mdl_"+name {
			continue
		}
		for _, d := range x.Differences {
			parts := []string{d.Kind}
			for _, k := range d.Key {
				parts = append(parts, k.Column+"="+k.Value.Text)
			}
			for _, column := range d.Columns {
				parts = append(parts, column.Column)
			}
			out = append(out, strings.Join(parts, " "))
		}
		missing, extra = x.Missing, x.Extra
	}
	slices.Sort(out)
	return out, missing, extra
}

// checkFault looks whether a comparison has found a fault in all tables, and nothing else.
func (c *compared) checkFault(t *testing.T, f *fault) {
	t.Helper()
	for _, x := range faultTables() {
		got, missing, extra := c.differences(x.name)
		switch {
		case f.on(&x) == nil:
			if len(got) > 0 {
				t.Errorf("%s: %q, and nothing was done to it", x.name, got)
			}
		case x.shown == "":
			if missing != f.missing || extra != f.extra {
				t.Errorf("%s: %d rows missing, %d extra, want %d and %d", x.name, missing, extra, f.missing, f.extra)
			}
		case !slices.Equal(got, f.wanted(&x)):
			t.Errorf("%s: found %q, want %q", x.name, got, f.wanted(&x))
		}
	}
}

// injure makes a fault in all tables.
func (f *fault) injure(t *testing.T, server *testdb.Server, url string) {
	t.Helper()
	var statements []string
	for _, x := range faultTables() {
		statements = append(statements, f.on(&x)...)
	}
	server.Exec(t, url, statements...)
}

// TestVerifyFindsEveryFault: after a migration that did not look at what arrived, one
// fault after the other is made in tables of every kind of key. The command finds each
// with table, key and column, and nothing else; --repair makes the tables the same again.
func TestVerifyFindsEveryFault(t *testing.T) {
	bin := rig.Binary(t)
	for _, source := range rig.Matrix(testdb.Sources()) {
		t.Run(source, func(t *testing.T) {
			var fill []string
			for _, x := range faultTables() {
				fill = append(fill, x.fill(true)...)
			}
			p := rig.Tiny(t, source, rig.FirstTarget(), fill...)
			p.Migrate(t, migrate.Options{Site: rig.TinyCode(t), Verify: migrate.VerifyNone})
			args := []string{"--from", p.SourceURL, "--to", p.TargetURL, "--max-differences", "100"}
			comparedBy(t, bin, 0, args...)
			for _, f := range faults() {
				t.Run(f.name, func(t *testing.T) {
					f.injure(t, p.TargetServer, p.TargetURL)
					comparedBy(t, bin, 1, args...).checkFault(t, &f)
					comparedBy(t, bin, 0, append(args, "--repair", "--yes")...)
				})
			}
		})
	}
}

// TestVerifyFindsFaultsInACopy: the same of two databases of one engine. What was found
// in PostgreSQL is repaired; what was found in MySQL cannot be.
func TestVerifyFindsFaultsInACopy(t *testing.T) {
	bin := rig.Binary(t)
	some := faults()[:3]
	if os.Getenv("TEST_MATRIX") == "full" {
		some = faults()
	}
	for name, servers := range map[string][2]string{
		"postgres": {rig.FirstTarget(), testdb.Targets()[len(testdb.Targets())-1]},
		"mysql":    {rig.FirstSource(), testdb.Sources()[len(testdb.Sources())-1]},
	} {
		t.Run(name, func(t *testing.T) {
			mysql := name == "mysql"
			var fill []string
			for _, x := range faultTables() {
				fill = append(fill, x.fill(mysql)...)
			}
			var urls [2]string
			for i, s := range servers {
				server := testdb.Get(t, s)
				urls[i] = server.Database(t)
				site := rig.TinyTables()[:2]
				if !mysql {
					site = []string{
						"CREATE TABLE mdl_config (id bigserial PRIMARY KEY, name varchar(255) NOT NULL, value text NOT NULL)",
						"CREATE TABLE mdl_config_plugins (id bigserial PRIMARY KEY, plugin varchar(100) NOT NULL, name varchar(100) NOT NULL, value text NOT NULL)",
					}
				}
				server.Exec(t, urls[i], append(site, fill...)...)
			}
			args := []string{"--from", urls[0], "--to", urls[1], "--max-differences", "100"}
			comparedBy(t, bin, 0, args...)
			for _, f := range some {
				t.Run(f.name, func(t *testing.T) {
					found := testdb.Get(t, servers[1])
					f.injure(t, found, urls[1])
					comparedBy(t, bin, 1, args...).checkFault(t, &f)
					if mysql {
						found.Exec(t, urls[1], fill...)
						return
					}
					comparedBy(t, bin, 0, append(args, "--repair", "--yes")...)
				})
			}
		})
	}
}
