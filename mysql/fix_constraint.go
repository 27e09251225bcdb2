package mysql

import (
	"slices"
	"strings"

	"github.com/moodledb/moodledb/diff"
	"github.com/moodledb/moodledb/schema"
)

// asideKey is the key of fixer.aside.
func asideKey(table, foreignKey string) string { return strings.ToLower(table + "\x00" + foreignKey) }

// setAsideKey is a foreign key that is dropped while the type of its column changes.
type setAsideKey struct {
	table string
	fk    schema.ForeignKey
	stage diff.Stage
	codes []diff.Code
}

// dropConstraints is the pass for constraints that refuse what is expected. They
// go first: dropping one makes room, and it may stand in the way of other fixes.
func (f *fixer) dropConstraints(t *tableChanges) {
	have := findTable(f.have, t.Table)
	if have == nil {
		return
	}
	t.Each(func(c diff.Change) {
		fk := findForeignKey(have, c.Have)
		if fk == nil {
			return
		}
		clauses := []string{"DROP FOREIGN KEY " + QuoteIdent(fk.Name)}
		have.ForeignKeys = slices.DeleteFunc(have.ForeignKeys, func(k schema.ForeignKey) bool { return k.Name == c.Have })
		f.add(diff.Fix{
			Table: have.Name, Codes: []diff.Code{c.Code}, Stage: diff.StageWiden,
			Statements: keepHistory(have, f.alter(have.Name, clauses...)),
		})
	}, diff.ForeignKeyExtra)
	t.Each(func(c diff.Change) {
		check := findCheck(have, c.Have)
		if check == nil {
			return
		}
		f.add(diff.Fix{
			Table: have.Name, Codes: []diff.Code{c.Code}, Stage: diff.StageWiden,
			Statements: keepHistory(have, f.alter(have.Name, f.dropCheck(have, check)...)),
		})
		have.Checks = slices.DeleteFunc(have.Checks, func(k schema.Check) bool { return k.Name == c.Have })
	}, diff.CheckExtra)
}

// dropCheck spells the clauses that drop a check. One that MariaDB was told
// behind its column has the column's name, and goes when the column is said again without it.
func (f *fixer) dropCheck(t *schema.Table, check *schema.Check) []string {
	column := t.Column(check.Name)
	if f.engine != schema.MariaDB || column == nil {
		return []string{f.dropCheckClause(check.Name)}
	}
	return []string{
		"DROP CONSTRAINT IF EXISTS " + QuoteIdent(check.Name),
		"MODIFY COLUMN " + f.definition(t, *column),
	}
}

func (f *fixer) dropCheckClause(name string) string {
	if f.engine == schema.MariaDB {
		return "DROP CONSTRAINT " + QuoteIdent(name)
	}
	return "DROP CHECK " + QuoteIdent(name) // older than MySQL's DROP CONSTRAINT
}

// addConstraints is the pass for constraints that are missing or different.
func (f *fixer) addConstraints(t *tableChanges) {
	want, have := f.sides(t)
	if want == nil || have == nil {
		return
	}
	t.Each(func(c diff.Change) {
		expected := findForeignKey(want, c.Want)
		if expected == nil {
			return
		}
		var clauses []string
		if found := findForeignKey(have, c.Have); found != nil {
			if key := asideKey(have.Name, found.Name); f.aside[key] != nil {
				delete(f.aside, key) // it is dropped already, and not to come back
			} else {
				clauses = append(clauses, "DROP FOREIGN KEY "+QuoteIdent(found.Name))
			}
			have.ForeignKeys = slices.DeleteFunc(have.ForeignKeys, func(k schema.ForeignKey) bool { return k.Name == c.Have })
		}
		fk := *expected
		fk.Name = f.names.constraint(fk.Name)
		clauses = append(clauses, "ADD "+foreignKeySQL(fk))
		stage := max(f.after(diff.StageNarrow, have.Name, fk.Columns...), f.after(diff.StageNarrow, fk.RefTable, fk.RefColumns...))
		// Two statements in one fix: MariaDB cannot drop a key and add one of the same columns at once.
		statements := make([]string, len(clauses))
		for i, clause := range clauses {
			statements[i] = f.alter(have.Name, clause)
		}
		f.add(diff.Fix{
			Table: have.Name, Codes: []diff.Code{c.Code}, Stage: stage, Note: "it fails on rows that point nowhere",
			Statements: keepHistory(have, statements...),
		})
		have.ForeignKeys = append(have.ForeignKeys, fk)
	}, diff.ForeignKeyMissing, diff.ForeignKeyDifferent)
	t.Each(func(c diff.Change) { f.addCheck(c, want, have) }, diff.CheckMissing, diff.CheckDifferent)
}

func (f *fixer) addCheck(c diff.Change, want, have *schema.Table) {
	expected := findCheck(want, c.Want)
	if expected == nil {
		return
	}
	var clauses []string
	if found := findCheck(have, c.Have); found != nil {
		clauses = f.dropCheck(have, found)
		have.Checks = slices.DeleteFunc(have.Checks, func(k schema.Check) bool { return k.Name == c.Have })
	}
	check := *expected
	check.Name = f.names.constraint(check.Name)
	clauses = append(clauses, "ADD "+checkSQL(check))
	f.add(diff.Fix{
		Table: have.Name, Codes: []diff.Code{c.Code}, Stage: f.after(diff.StageNarrow, have.Name, c.Columns...),
		Statements: keepHistory(have, f.alter(have.Name, clauses...)),
		Note:       "it fails on rows with other values",
	})
	have.Checks = append(have.Checks, check)
}

// restoreForeignKeys adds the foreign keys again that were set aside.
func (f *fixer) restoreForeignKeys() {
	for _, key := range f.asideOrder {
		a := f.aside[key]
		if a == nil {
			continue
		}
		f.add(diff.Fix{
			Table: a.table, Codes: a.codes, Stage: a.stage, Note: "it fails where the types of the columns differ",
			Statements: []string{AddForeignKey(a.table, a.fk)},
		})
	}
	f.aside, f.asideOrder = map[string]*setAsideKey{}, nil
}

func findForeignKey(t *schema.Table, name string) *schema.ForeignKey {
	for i := range t.ForeignKeys {
		if name != "" && strings.EqualFold(t.ForeignKeys[i].Name, name) {
			return &t.ForeignKeys[i]
		}
	}
	return nil
}

func findCheck(t *schema.Table, name string) *schema.Check {
	for i := range t.Checks {
		if name != "" && strings.EqualFold(t.Checks[i].Name, name) {
			return &t.Checks[i]
		}
	}
	return nil
}
