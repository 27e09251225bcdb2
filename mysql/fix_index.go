package mysql

import (
	"fmt"
	"slices"
	"strings"

	"github.com/moodledb/moodledb/diff"
	"github.com/moodledb/moodledb/schema"
)

// isPrimaryChange reports whether a change is about the primary key.
func isPrimaryChange(c diff.Change) bool {
	return c.Kind == diff.KindPrimaryKey || c.Kind == diff.KindIndex && strings.EqualFold(c.Have, "PRIMARY")
}

// keys is the pass for primary keys, and for the columns that need them: a
// column may count by itself only in the statement that makes it a key, or later.
func (f *fixer) keys(t *tableChanges) {
	want, have := f.sides(t)
	if want == nil || have == nil {
		return
	}
	var codes []diff.Code
	extra := false
	for _, c := range t.Changes {
		if isPrimaryChange(c) {
			codes = append(codes, c.Code)
			extra = extra || c.Code == diff.PrimaryKeyExtra
		}
	}
	key := want.PrimaryKey()
	if len(codes) == 0 && len(t.keyClauses) > 0 && key != nil {
		codes = append(codes, diff.PrimaryKeyMissing)
		if slices.Contains(t.keyCodes, diff.ColumnMissing) {
			codes = nil // the key is not reported beside its column
		}
	} else if len(codes) == 0 && len(t.keyClauses) == 0 {
		return
	}
	if extra || key == nil {
		f.dropPrimaryKey(t, have, codes)
		return
	}
	fix := diff.Fix{Table: have.Name, Codes: append(codes, t.keyCodes...), Stage: diff.StageNarrow}
	var clauses []string
	old := have.PrimaryKey()
	if old != nil {
		clauses = append(clauses, "DROP PRIMARY KEY")
	} else if slices.Contains(t.keyCodes, diff.ColumnMissing) {
		fix.Stage = diff.StageAdd
	}
	clauses = append(clauses, f.uncount(t, want, have)...)
	clauses = append(clauses, t.keyClauses...)
	clauses = append(clauses, "ADD "+indexSQL(*key))
	fix.Stage = f.after(fix.Stage, have.Name, key.Columns()...)
	if fix.Stage != diff.StageAdd {
		fix.Note = duplicates(have.Name, key)
	}
	fix.Statements = keepHistory(have, f.alter(have.Name, clauses...))
	f.add(fix)
	setPrimaryKey(have, key)
}

// uncount takes AUTO_INCREMENT from other columns, when a column gets it: a
// table has one such column.
func (f *fixer) uncount(t *tableChanges, want, have *schema.Table) []string {
	var clauses []string
	for i := range have.Columns {
		c := &have.Columns[i]
		declared := want.Column(c.Name)
		if len(t.keyClauses) == 0 || !c.AutoIncrement || declared != nil && declared.AutoIncrement {
			continue
		}
		c.AutoIncrement = false
		clauses = append(clauses, "MODIFY COLUMN "+f.definition(have, *c))
	}
	return clauses
}

func (f *fixer) dropPrimaryKey(t *tableChanges, have *schema.Table, codes []diff.Code) {
	if have.PrimaryKey() == nil {
		return
	}
	f.add(diff.Fix{
		Table: have.Name, Codes: codes, Stage: diff.StageDrop,
		Statements: keepHistory(have, f.alter(have.Name, append([]string{"DROP PRIMARY KEY"}, t.keyClauses...)...)),
	})
	setPrimaryKey(have, nil)
}

// setPrimaryKey makes key the primary key of t; nil takes the key away.
func setPrimaryKey(t *schema.Table, key *schema.Index) {
	t.Indexes = slices.DeleteFunc(t.Indexes, func(x schema.Index) bool { return x.Primary })
	if key == nil {
		return
	}
	t.Indexes = append(t.Indexes, *key)
	for _, name := range key.Columns() {
		if c := t.Column(name); c != nil {
			c.NotNull = true
		}
	}
}

// duplicates is the note of a unique index that may not be made.
func duplicates(table string, x *schema.Index) string {
	columns := quoteAll(x.Columns())
	return fmt.Sprintf("it fails on duplicates: SELECT %[1]s, COUNT(*) FROM %[2]s GROUP BY %[1]s HAVING COUNT(*) > 1",
		columns, QuoteIdent(table))
}

// indexes is the pass for indexes.
func (f *fixer) indexes(t *tableChanges) {
	want, have := f.sides(t)
	if want == nil || have == nil {
		return
	}
	for _, x := range t.Indexes(isPrimaryChange) {
		expected, found := findIndex(want, x.Want), findIndex(have, x.Have)
		switch {
		case expected == nil && found != nil:
			f.dropIndex(have, found, x.Codes, diff.StageDrop)
		case expected == nil || found == nil && x.Have != "" && len(x.Codes) == 0:
		case found != nil && !slices.ContainsFunc(x.Codes, func(c diff.Code) bool { return c != diff.IndexInvisible }):
			f.showIndex(have, found, x.Codes)
		default:
			f.makeIndex(have, expected, found, x.Codes)
		}
	}
}

func dropIndexClause(x *schema.Index) string {
	if x.Primary {
		return "DROP PRIMARY KEY"
	}
	return "DROP INDEX " + QuoteIdent(x.Name)
}

func (f *fixer) dropIndex(t *schema.Table, x *schema.Index, codes []diff.Code, stage diff.Stage) {
	f.add(diff.Fix{
		Table: t.Name, Codes: codes, Stage: stage,
		Statements: keepHistory(t, f.alter(t.Name, dropIndexClause(x))),
	})
	removeIndex(t, x.Name)
}

func removeIndex(t *schema.Table, name string) {
	t.Indexes = slices.DeleteFunc(t.Indexes, func(x schema.Index) bool { return x.Name == name })
}

func (f *fixer) showIndex(t *schema.Table, x *schema.Index, codes []diff.Code) {
	word := "VISIBLE"
	if f.engine == schema.MariaDB {
		word = "NOT IGNORED"
	}
	f.add(diff.Fix{
		Table: t.Name, Codes: codes, Stage: diff.StageIndex,
		Statements: keepHistory(t, f.alter(t.Name, "ALTER INDEX "+QuoteIdent(x.Name)+" "+word)),
	})
	x.Invisible = false
}

// makeIndex makes an index, in place of a found one where there is one.
func (f *fixer) makeIndex(t *schema.Table, want, found *schema.Index, codes []diff.Code) {
	var clauses []string
	if found != nil {
		clauses = append(clauses, dropIndexClause(found))
		f.names.freeIndex(t.Name, found.Name)
	}
	index := *want
	index.Name = ""
	if found != nil && f.conformant(found.Name, want) && !f.names.indexTaken(t.Name, found.Name) {
		index.Name = found.Name
		f.names.takeIndex(t.Name, index.Name)
	} else {
		index.Name = f.names.index(t.Name, want)
	}
	clauses = append(clauses, "ADD "+indexSQL(index))
	fix := diff.Fix{Table: t.Name, Codes: codes, Stage: diff.StageIndex}
	if want.Unique {
		fix.Stage, fix.Note = diff.StageNarrow, duplicates(t.Name, want)
	}
	fix.Stage = f.after(fix.Stage, t.Name, want.Columns()...)
	fix.Statements = keepHistory(t, f.alter(t.Name, clauses...))
	f.add(fix)
	if found != nil {
		removeIndex(t, found.Name)
	}
	t.Indexes = append(t.Indexes, index)
}

// conformant reports whether an index may keep its name when it becomes another one.
func (f *fixer) conformant(name string, want *schema.Index) bool {
	const most = 30 // of Moodle's names
	return len(name) <= most && strings.HasPrefix(name, f.opts.Prefix) && strings.HasSuffix(name, "_"+suffix(want))
}

// dropObstacles drops indexes that are to be changed or to go anyway, and
// foreign keys, before the type of their column changes: the server would refuse that.
// Foreign keys are added again at the end.
func (f *fixer) dropObstacles(t *tableChanges, have *schema.Table, x *columnFix) {
	for _, changed := range t.Indexes(isPrimaryChange) {
		found := findIndex(have, changed.Have)
		if found == nil || changed.Have == "" || !x.retyped(found) ||
			!slices.ContainsFunc(found.Columns(), func(c string) bool { return strings.EqualFold(c, x.have.Name) }) {
			continue
		}
		f.dropIndex(have, found, changed.Codes, x.stage)
	}
	sameText := x.have.Charset == x.fixed.Charset && x.have.Collation == x.fixed.Collation
	if sameText && typeSQL(x.have.Type) == typeSQL(x.fixed.Type) {
		return
	}
	for i := range f.have.Tables {
		child := &f.have.Tables[i]
		for _, fk := range slices.Clone(child.ForeignKeys) {
			own := child == have && containsFold(fk.Columns, x.have.Name)
			referred := strings.EqualFold(fk.RefTable, have.Name) && containsFold(fk.RefColumns, x.have.Name)
			if own || referred {
				f.setAside(child, fk, x)
			}
		}
	}
}

// setAside drops a foreign key while a column changes.
func (f *fixer) setAside(child *schema.Table, fk schema.ForeignKey, x *columnFix) {
	key := asideKey(child.Name, fk.Name)
	aside, seen := f.aside[key]
	if !seen {
		aside = &setAsideKey{table: child.Name, fk: fk}
		f.aside[key] = aside
		f.asideOrder = append(f.asideOrder, key)
		f.add(diff.Fix{
			Table: child.Name, Codes: x.codes, Stage: x.stage, Note: "the foreign key is added again below",
			Statements: keepHistory(child, f.alter(child.Name, "DROP FOREIGN KEY "+QuoteIdent(fk.Name))),
		})
	}
	aside.stage = max(aside.stage, x.stage, diff.StageNarrow)
	aside.codes = append(aside.codes, x.codes...)
}

func containsFold(list []string, name string) bool {
	return slices.ContainsFunc(list, func(s string) bool { return strings.EqualFold(s, name) })
}
