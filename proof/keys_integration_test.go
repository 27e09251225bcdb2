//go:build integration

package proof

import (
	"fmt"
	"strings"
	"testing"

	"github.com/moodledb/moodledb/verify"
)

// keyKind is a table with one kind of key. {text} is a text that is compared without
// regard to case where the engine can, {n} is replaced by the number of a row.
type keyKind struct {
	table   string
	columns string
	// row are the values of row n, value its column that changes.
	row string
	// where finds row n.
	where string
	keyed bool
}

func keyKinds() []keyKind {
	return []keyKind{
		{table: "mdl_number", columns: "id bigint NOT NULL PRIMARY KEY, v varchar(50)", row: "{n}, 'value {n}'", where: "id = {n}", keyed: true},
		{table: "mdl_two", columns: "a int NOT NULL, b varchar(20) NOT NULL, v varchar(50), PRIMARY KEY (b, a)", row: "{n}, 'b{n}', 'value {n}'", where: "a = {n} AND b = 'b{n}'", keyed: true},
		{table: "mdl_word", columns: "w {text} NOT NULL PRIMARY KEY, v varchar(50)", row: "'Wörd {n}', 'value {n}'", where: "w = 'Wörd {n}'", keyed: true},
		{table: "mdl_unique", columns: "u int NOT NULL UNIQUE, v varchar(50)", row: "{n}, 'value {n}'", where: "u = {n}", keyed: true},
		{table: "mdl_none", columns: "a int, v varchar(50)", row: "{n}, 'value {n}'", where: "a = {n}"},
	}
}

// of is a text of the table in the words of a place, for row n.
func (k keyKind) of(p place, text string, n int) string {
	word := "varchar(50)"
	if p.mysql {
		word = "varchar(50) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci"
	}
	return strings.NewReplacer("{text}", word, "{n}", fmt.Sprint(n)).Replace(text)
}

// makeKeys makes a table of each kind with the same rows.
func makeKeys(t *testing.T, p place, rows int) {
	t.Helper()
	for _, k := range keyKinds() {
		p.exec(t, "DROP TABLE IF EXISTS "+k.table, "CREATE TABLE "+k.table+" ("+k.of(p, k.columns, 0)+")")
		values := make([]string, rows)
		for n := range values {
			values[n] = "(" + k.of(p, k.row, n) + ")"
		}
		p.exec(t, "INSERT INTO "+k.table+" VALUES "+strings.Join(values, ", "))
	}
}

// spoilKey makes one fault of each kind in a table, and returns what must be found: the
// key of each row that differs, and how. Rows 3 and 4 swap their values, so that a sum of single values would not change.
func spoilKey(p place, k keyKind) (statements []string, want map[string]verify.DifferenceKind) {
	update := func(n int, value string) string {
		return "UPDATE " + k.table + " SET v = " + value + " WHERE " + k.of(p, k.where, n)
	}
	remove := func(n int) string { return "DELETE FROM " + k.table + " WHERE " + k.of(p, k.where, n) }
	insert := func(n int) string { return "INSERT INTO " + k.table + " VALUES (" + k.of(p, k.row, n) + ")" }
	statements = []string{
		update(7, "'value 7 '"), update(8, "NULL"), update(9, "'VALUE 9'"), update(3, "'value 4'"), update(4, "'value 3'"),
		remove(0), remove(11), insert(999),
	}
	return statements, map[string]verify.DifferenceKind{
		"7": verify.ChangedRow, "8": verify.ChangedRow, "9": verify.ChangedRow, "3": verify.ChangedRow, "4": verify.ChangedRow,
		"0": verify.MissingRow, "11": verify.MissingRow, "999": verify.ExtraRow,
	}
}

// Every fault in a table of every kind of key is found, told apart, and shown by its key.
func TestEveryKey(t *testing.T) {
	const rows = 50
	for name, pair := range enginePairs(t) {
		t.Run(name, func(t *testing.T) {
			expected, found := newPlace(t, pair[0]), newPlace(t, pair[1])
			makeKeys(t, expected, rows)
			makeKeys(t, found, rows)
			for _, k := range keyKinds() {
				statements, _ := spoilKey(found, k)
				found.exec(t, statements...)
			}
			// Twice the same row more: an exclusive or would not see it.
			for _, p := range []place{expected, found} {
				p.exec(t, "DROP TABLE IF EXISTS mdl_twice", "CREATE TABLE mdl_twice (a int)", "INSERT INTO mdl_twice VALUES (5), (6)")
			}
			found.exec(t, "INSERT INTO mdl_twice VALUES (5), (5)")

			r := compared(t, expected, found, Options{})
			for _, k := range keyKinds() {
				checkSpoiled(t, tableOf(t, r, k.table), found, k)
			}
			twice := tableOf(t, r, "mdl_twice")
			if twice.State != verify.Different || twice.Extra != 2 || len(twice.Differences) != 1 || twice.Differences[0].Times != 2 {
				t.Errorf("doubled rows: %+v", twice)
			}
			if r.State != verify.Different {
				t.Errorf("all in all it is %s", r.State)
			}
		})
	}
}

func checkSpoiled(t *testing.T, got *verify.TableResult, found place, k keyKind) {
	t.Helper()
	_, want := spoilKey(found, k)
	if got.State != verify.Different || got.Problem != "" {
		t.Errorf("%s: %s %s", k.table, got.State, got.Problem)
	}
	if !k.keyed {
		// A changed row is one that is missing and one that is extra.
		if got.Missing != 7 || got.Extra != 6 || got.Changed != 0 {
			t.Errorf("%s: %d missing, %d extra, %d changed", k.table, got.Missing, got.Extra, got.Changed)
		}
		return
	}
	if len(got.Differences) != len(want) || got.Missing != 2 || got.Extra != 1 || got.Changed != 5 {
		t.Errorf("%s: %d listed, %d missing, %d extra, %d changed", k.table, len(got.Differences), got.Missing, got.Extra, got.Changed)
	}
	for _, d := range got.Differences {
		number := ""
		for _, key := range d.Key {
			if number == "" || len(key.Value.Text) < len(number) {
				number = key.Value.Text
			}
		}
		number = strings.Trim(number, `Wörd" `)
		if want[number] != d.Kind || len(d.Columns) != 1 || d.Columns[0].Column != "v" {
			t.Errorf("%s: %s, want %s", k.table, describe(d), want[number])
		}
		delete(want, number)
	}
}
