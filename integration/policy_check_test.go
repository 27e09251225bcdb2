//go:build integration

package integration

import (
	"bytes"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/copy"
	"github.com/moodledb/moodledb/integration/internal/rig"
	"github.com/moodledb/moodledb/migrate"
	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/postgres"
)

// cells are the values of a row by column; nil is NULL.
type cells map[string][]byte

// readCells reads a table by the keys of its rows, each value as the server prints it.
func readCells(t *testing.T, db *sql.DB, query string) map[string]cells {
	t.Helper()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]cells{}
	for rows.Next() {
		values, ptrs := make([][]byte, len(names)), make([]any, len(names))
		for i := range values {
			ptrs[i] = &values[i]
		}
		if err := rows.Scan(ptrs...); err != nil {
			t.Fatal(err)
		}
		row := cells{}
		for i, n := range names {
			row[n] = values[i]
		}
		all["id="+string(row["id"])] = row
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// touchedValue is an entry of the ledger about a value, rejectedRow one about a row.
type touchedValue struct {
	key, column, kind, rule string
	before, after           []byte
}

type rejectedRow struct {
	key, kind, reason string
	values            cells
}

// changesOf reads what the ledger says about the values of a table.
func changesOf(t *testing.T, p *rig.Pair, run int64, table string) map[string]touchedValue {
	t.Helper()
	rows, err := p.TargetServer.SQL(t, p.TargetURL).Query(
		"SELECT row_key, column_name, kind, rule, before_value, after_value FROM moodledb.value_change WHERE run = $1 AND table_name = $2", run, table)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	all := map[string]touchedValue{}
	for rows.Next() {
		var c touchedValue
		if err := rows.Scan(&c.key, &c.column, &c.kind, &c.rule, &c.before, &c.after); err != nil {
			t.Fatal(err)
		}
		at := c.key + " " + c.column
		if _, twice := all[at]; twice {
			t.Errorf("table %s: the value at %s is listed twice", table, at)
		}
		all[at] = c
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// rejectsOf reads what the ledger has of the rows of a table that were set aside.
func rejectsOf(t *testing.T, p *rig.Pair, run int64, table string) map[string]rejectedRow {
	t.Helper()
	rows, err := p.TargetServer.SQL(t, p.TargetURL).Query(
		"SELECT row_key, kind, reason, columns, row_values FROM moodledb.rejected_row WHERE run = $1 AND table_name = $2", run, table)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	types := pgtype.NewMap()
	all := map[string]rejectedRow{}
	for rows.Next() {
		var r rejectedRow
		var names []string
		var values [][]byte
		if err := rows.Scan(&r.key, &r.kind, &r.reason, types.SQLScanner(&names), types.SQLScanner(&values)); err != nil {
			t.Fatal(err)
		}
		if _, twice := all[r.key]; twice || len(names) != len(values) {
			t.Errorf("table %s: the row %s is set aside twice, or has %d names and %d values", table, r.key, len(names), len(values))
		}
		r.values = cells{}
		for i, n := range names {
			r.values[n] = values[i]
		}
		all[r.key] = r
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// ruleFor is what a policy does about a kind, said once more.
func ruleFor(policy copy.Policy, kind convert.ErrorKind) convert.FixRule {
	if rule := policy.Fixes[kind]; rule != "" {
		return rule
	}
	if policy.Mode == convert.QuarantineBad {
		return convert.FixQuarantine
	}
	return convert.DefaultFixes()[kind]
}

// checkBad fails the test unless the target is the source but for what the
// ledger lists, and the ledger lists what the policy is for.
func checkBad(t *testing.T, p *rig.Pair, result *migrate.Result, policy copy.Policy) {
	t.Helper()
	results := map[string]migrate.TableResult{}
	for _, table := range result.Tables {
		results[table.Name] = table
	}
	ledger := map[string]postgres.TableRecord{}
	for _, table := range p.Standing(t).Contents.Tables {
		ledger[table.Table] = table
	}
	for table := range rig.BadTables() {
		name := "mdl_" + table
		changed, rejected := checkBadTable(t, p, result.Run, table, policy)
		if r, l := results[name], ledger[name]; r.Changed != changed || r.Rejected != rejected || l.Changed != changed || l.Rejected != rejected {
			t.Errorf("table %s: %d values and %d rows are listed; the result says %d and %d, the ledger %d and %d",
				name, changed, rejected, r.Changed, r.Rejected, l.Changed, l.Rejected)
		}
		if r := results[name]; r.Rows != int64(rig.BadTables()[table])-rejected {
			t.Errorf("table %s: the result says %d rows", name, r.Rows)
		}
	}
	if n := p.Count(t, "SELECT (SELECT count(*) FROM moodledb.value_change WHERE run <> $1) + (SELECT count(*) FROM moodledb.rejected_row WHERE run <> $1)", result.Run); n != 0 {
		t.Errorf("%d entries are of other runs", n)
	}
}

// checkBadTable compares one table, and returns the numbers of entries.
func checkBadTable(t *testing.T, p *rig.Pair, run int64, table string, policy copy.Policy) (changed, rejected int64) {
	t.Helper()
	name := "mdl_" + table
	source := readCells(t, p.SourceServer.SQL(t, p.SourceURL), "SELECT * FROM "+mysql.QuoteIdent(name))
	var columns []string
	for _, c := range append(rig.BadColumns(), rig.BadColumn{Name: "id"}, rig.BadColumn{Name: "pad"}) {
		columns = append(columns, fmt.Sprintf("%s::text AS %[1]s", postgres.QuoteIdent(c.Name)))
	}
	target := readCells(t, p.TargetServer.SQL(t, p.TargetURL), "SELECT "+strings.Join(columns, ", ")+" FROM "+postgres.QuoteIdent(name))
	changes, rejects := changesOf(t, p, run, name), rejectsOf(t, p, run, name)
	if len(source) != rig.BadTables()[table] || len(target)+len(rejects) != len(source) {
		t.Errorf("table %s: %d rows at the source, %d at the target and %d set aside", name, len(source), len(target), len(rejects))
	}
	for id := 1; id <= rig.BadTables()[table]; id++ {
		key := fmt.Sprintf("id=%d", id)
		var aside []string
		for n, c := range rig.BadColumns() {
			if rig.IsBad(table, id, n) && ruleFor(policy, c.Kind) == convert.FixQuarantine {
				aside = append(aside, string(c.Kind))
			}
		}
		if r, is := rejects[key]; is || len(aside) > 0 {
			checkAside(t, name, key, r, source[key], target[key], aside)
			continue
		}
		for n, c := range rig.BadColumns() {
			at := key + " " + c.Name
			change, is := changes[at]
			if is != rig.IsBad(table, id, n) {
				t.Errorf("table %s, %s: listed %v, bad %v", name, at, is, !is)
				continue
			}
			if is {
				checkChange(t, name, c, change, source[key][c.Name], target[key][c.Name], policy)
			} else if a, b := canonical(source[key][c.Name]), canonical(target[key][c.Name]); a != b {
				t.Errorf("table %s, %s: %q at the source, %q at the target, and not listed", name, at, a, b)
			}
		}
	}
	return int64(len(changes)), int64(len(rejects))
}

// canonical is a value without the zeros that a number may end with; NULL is "NULL".
func canonical(value []byte) string {
	if value == nil {
		return "NULL"
	}
	text := string(value)
	if whole, part, ok := strings.Cut(text, "."); ok && strings.Trim(whole+part, "0123456789") == "" {
		return strings.TrimRight(text, "0")
	}
	return text
}

// checkAside checks a row that must be set aside, whole, as the source has it.
func checkAside(t *testing.T, table, key string, r rejectedRow, source, target cells, kinds []string) {
	t.Helper()
	if r.key == "" || len(kinds) == 0 || target != nil {
		t.Errorf("table %s: row %s is set aside: %v; is at the target: %v; must be for %v", table, key, r.key != "", target != nil, kinds)
		return
	}
	if !slices.Contains(kinds, strings.Split(r.kind, ",")[0]) || r.reason == "" {
		t.Errorf("table %s: row %s is set aside for %q (%s), want one of %v", table, key, r.kind, r.reason, kinds)
	}
	for column, value := range source {
		if got, ok := r.values[column]; !ok || !bytes.Equal(got, value) || (got == nil) != (value == nil) {
			t.Errorf("table %s: row %s was set aside with %q in column %s, the source has %q", table, key, got, column, value)
		}
	}
}

// checkChange checks that an entry tells what became of a value.
func checkChange(t *testing.T, table string, c rig.BadColumn, change touchedValue, source, target []byte, policy copy.Policy) {
	t.Helper()
	at := fmt.Sprintf("table %s, %s, column %s", table, change.key, c.Name)
	rule := ruleFor(policy, c.Kind)
	if change.kind != string(c.Kind) || change.rule != string(rule) {
		t.Errorf("%s: listed as %s by %s, want %s by %s", at, change.kind, change.rule, c.Kind, rule)
	}
	if !bytes.Equal(change.before, source) || (change.before == nil) != (source == nil) {
		t.Errorf("%s: before %q, the source has %q", at, change.before, source)
	}
	if canonical(change.after) != canonical(target) {
		t.Errorf("%s: after %q, the target has %q", at, change.after, target)
	}
	if rule == convert.DefaultFixes()[c.Kind] && canonical(target) != c.Fixed {
		t.Errorf("%s: %q, want %q", at, target, c.Fixed)
	}
}
