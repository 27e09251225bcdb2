package postgres

import (
	"slices"
	"strings"

	"github.com/moodledb/moodledb/diff"
	"github.com/moodledb/moodledb/schema"
)

// dropConstraints is the pass for constraints that refuse what is expected. They
// go first: dropping one makes room, and it may stand in the way of other fixes.
func (f *fixer) dropConstraints(t *tableChanges) {
	have := f.have.Table(t.Table)
	if have == nil {
		return
	}
	drop := func(c diff.Change) {
		f.add(diff.Fix{
			Table: have.Name, Codes: []diff.Code{c.Code}, Stage: diff.StageWiden,
			Statements: []string{f.alter(have.Name, "DROP CONSTRAINT "+QuoteIdent(c.Have))},
		})
	}
	t.Each(func(c diff.Change) {
		if findForeignKey(have, c.Have) != nil {
			drop(c)
			have.ForeignKeys = slices.DeleteFunc(have.ForeignKeys, func(k schema.ForeignKey) bool { return k.Name == c.Have })
		}
	}, diff.ForeignKeyExtra)
	t.Each(func(c diff.Change) {
		if findCheck(have, c.Have) != nil {
			drop(c)
			have.Checks = slices.DeleteFunc(have.Checks, func(k schema.Check) bool { return k.Name == c.Have })
		}
	}, diff.CheckExtra)
	t.Each(func(c diff.Change) {
		if findIndex(have, c.Have) != nil {
			drop(c)
			removeIndex(have, c.Have)
		}
	}, diff.ExclusionExtra)
}

// addConstraints is the pass for constraints that are missing or different.
func (f *fixer) addConstraints(t *tableChanges) {
	want, have := f.sides(t)
	if want == nil || have == nil {
		return
	}
	t.Each(func(c diff.Change) { f.addForeignKey(c, want, have) }, diff.ForeignKeyMissing, diff.ForeignKeyDifferent)
	t.Each(func(c diff.Change) { f.addCheck(c, want, have) }, diff.CheckMissing, diff.CheckDifferent)
}

func (f *fixer) addForeignKey(c diff.Change, want, have *schema.Table) {
	expected := findForeignKey(want, c.Want)
	if expected == nil {
		return
	}
	var clauses []string
	if found := findForeignKey(have, c.Have); found != nil {
		clauses = append(clauses, "DROP CONSTRAINT "+QuoteIdent(found.Name))
		delete(f.names.taken, found.Name)
		have.ForeignKeys = slices.DeleteFunc(have.ForeignKeys, func(k schema.ForeignKey) bool { return k.Name == c.Have })
	}
	fk := *expected
	fk.Name = f.names.other(fk.Name)
	clauses = append(clauses, strings.TrimPrefix(AddForeignKey(f.opts.Schema, have.Name, fk), f.alter(have.Name, "")))
	f.add(diff.Fix{
		Table: have.Name, Codes: []diff.Code{c.Code},
		Stage:      max(f.after(diff.StageNarrow, have.Name, fk.Columns...), f.after(diff.StageNarrow, fk.RefTable, fk.RefColumns...)),
		Statements: []string{f.alter(have.Name, clauses...)}, Note: "it fails on rows that point nowhere",
	})
	have.ForeignKeys = append(have.ForeignKeys, fk)
}

func (f *fixer) addCheck(c diff.Change, want, have *schema.Table) {
	expected := findCheck(want, c.Want)
	if expected == nil {
		return
	}
	var clauses []string
	if found := findCheck(have, c.Have); found != nil {
		clauses = append(clauses, "DROP CONSTRAINT "+QuoteIdent(found.Name))
		delete(f.names.taken, found.Name)
		have.Checks = slices.DeleteFunc(have.Checks, func(k schema.Check) bool { return k.Name == c.Have })
	}
	check := *expected
	check.Name = f.names.other(check.Name)
	clauses = append(clauses, strings.TrimPrefix(AddCheck(f.opts.Schema, have.Name, check), f.alter(have.Name, "")))
	f.add(diff.Fix{
		Table: have.Name, Codes: []diff.Code{c.Code}, Stage: f.after(diff.StageNarrow, have.Name, c.Columns...),
		Statements: []string{f.alter(have.Name, clauses...)}, Note: "it fails on rows with other values",
	})
	have.Checks = append(have.Checks, check)
}

func findForeignKey(t *schema.Table, name string) *schema.ForeignKey {
	for i := range t.ForeignKeys {
		if name != "" && t.ForeignKeys[i].Name == name {
			return &t.ForeignKeys[i]
		}
	}
	return nil
}

func findCheck(t *schema.Table, name string) *schema.Check {
	for i := range t.Checks {
		if name != "" && t.Checks[i].Name == name {
			return &t.Checks[i]
		}
	}
	return nil
}
