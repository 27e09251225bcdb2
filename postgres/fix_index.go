package postgres

import (
	"fmt"
	"slices"
	"strings"

	"github.com/moodledb/moodledb/diff"
	"github.com/moodledb/moodledb/schema"
)

// isPrimaryChange reports whether a change is about the primary key.
func (t *tableChanges) isPrimaryChange(c diff.Change, have *schema.Table) bool {
	if key := have.PrimaryKey(); t.keyName == "" && key != nil {
		t.keyName = key.Name
	}
	return c.Kind == diff.KindPrimaryKey || c.Kind == diff.KindIndex && t.keyName != "" && c.Have == t.keyName
}

// keys is the pass for primary keys.
func (f *fixer) keys(t *tableChanges) {
	want, have := f.sides(t)
	if want == nil || have == nil {
		return
	}
	var codes []diff.Code
	extra := false
	for _, c := range t.Changes {
		if t.isPrimaryChange(c, have) {
			codes = append(codes, c.Code)
			extra = extra || c.Code == diff.PrimaryKeyExtra
		}
	}
	if len(codes) == 0 {
		return
	}
	var clauses []string
	old, key := have.PrimaryKey(), want.PrimaryKey()
	if old != nil && !slices.ContainsFunc(codes, func(c diff.Code) bool { return c != diff.IndexInvalid }) {
		f.reindex(have, old, codes)
		return
	}
	if old != nil {
		clauses = append(clauses, "DROP CONSTRAINT "+QuoteIdent(old.Name))
		defer func(name string) { f.names.taken[name] = true }(old.Name) // for the rest of the script
		delete(f.names.taken, old.Name)
	}
	removePrimaryKey(have) // old points to another index now
	if extra || key == nil {
		f.add(diff.Fix{Table: have.Name, Codes: codes, Stage: diff.StageDrop, Statements: []string{f.alter(have.Name, clauses...)}})
		return
	}
	made := *key
	made.Name = f.names.index(have.Name, key)
	add := AddPrimaryKey(f.opts.Schema, have.Name, made)
	clauses = append(clauses, strings.TrimPrefix(add, f.alter(have.Name, "")))
	f.add(diff.Fix{
		Table: have.Name, Codes: codes, Stage: f.after(diff.StageNarrow, have.Name, key.Columns()...),
		Statements: []string{f.alter(have.Name, clauses...)}, Note: f.duplicates(have.Name, key),
	})
	have.Indexes = append(have.Indexes, made)
	for _, name := range key.Columns() {
		if c := have.Column(name); c != nil {
			c.NotNull = true
		}
	}
}

func removePrimaryKey(t *schema.Table) {
	t.Indexes = slices.DeleteFunc(t.Indexes, func(x schema.Index) bool { return x.Primary })
}

// duplicates is the note of a unique index that may not be made.
func (f *fixer) duplicates(table string, x *schema.Index) string {
	columns := quoteIdents(x.Columns())
	return fmt.Sprintf("it fails on duplicates: SELECT %[1]s, count(*) FROM %[2]s GROUP BY %[1]s HAVING count(*) > 1",
		columns, f.name(table))
}

// indexes is the pass for indexes. Patterns wait for the index whose name they extend.
func (f *fixer) indexes(t *tableChanges) {
	want, have := f.sides(t)
	if want == nil || have == nil {
		return
	}
	list := t.Indexes(func(c diff.Change) bool { return t.isPrimaryChange(c, have) })
	slices.SortStableFunc(list, func(a, b *diff.IndexChanges) int {
		return boolOrder(slices.Contains(a.Codes, diff.IndexPatternMissing), slices.Contains(b.Codes, diff.IndexPatternMissing))
	})
	for _, x := range list {
		expected, found := findIndex(want, x.Want), findIndex(have, x.Have)
		switch {
		case expected == nil && found != nil:
			f.dropIndex(have, found, x.Codes, diff.StageDrop)
		case expected == nil:
		case found != nil && !slices.ContainsFunc(x.Codes, func(c diff.Code) bool { return c != diff.IndexInvalid }):
			f.reindex(have, found, x.Codes)
		default:
			f.makeIndex(have, expected, found, x.Codes)
		}
	}
}

func boolOrder(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// dropIndexSQL drops an index, or the constraint that it belongs to.
func (f *fixer) dropIndexSQL(t *schema.Table, x *schema.Index) string {
	if x.Constraint || x.Primary || x.Exclusion {
		return f.alter(t.Name, "DROP CONSTRAINT "+QuoteIdent(x.Name))
	}
	return "DROP INDEX " + f.name(x.Name)
}

func (f *fixer) dropIndex(t *schema.Table, x *schema.Index, codes []diff.Code, stage diff.Stage) {
	f.add(diff.Fix{Table: t.Name, Codes: codes, Stage: stage, Statements: []string{f.dropIndexSQL(t, x)}})
	removeIndex(t, x.Name)
}

func removeIndex(t *schema.Table, name string) {
	t.Indexes = slices.DeleteFunc(t.Indexes, func(x schema.Index) bool { return x.Name == name })
}

// reindex makes an invalid index valid.
func (f *fixer) reindex(t *schema.Table, x *schema.Index, codes []diff.Code) {
	fix := diff.Fix{
		Table: t.Name, Codes: codes, Stage: f.after(diff.StageIndex, t.Name, x.Columns()...),
		Statements: []string{"REINDEX INDEX " + f.name(x.Name)},
	}
	if x.Unique {
		fix.Stage, fix.Note = max(fix.Stage, diff.StageNarrow), f.duplicates(t.Name, x)
	}
	f.add(fix)
	x.Invalid = false
}

// makeIndex makes an index, in place of a found one where there is one. A
// unique one is made before the found one goes, since it may fail on duplicates.
func (f *fixer) makeIndex(t *schema.Table, want, found *schema.Index, codes []diff.Code) {
	fix := diff.Fix{Table: t.Name, Codes: codes, Stage: diff.StageIndex}
	index := *want
	switch {
	case found == nil:
		index.Name = f.newIndexName(t, want)
	case want.Unique:
		index.Name = f.newIndexName(t, want)
	default:
		fix.Statements = append(fix.Statements, f.dropIndexSQL(t, found))
		index.Name = found.Name
		if !f.conformant(found.Name, want) {
			index.Name = f.newIndexName(t, want)
		}
	}
	fix.Statements = append(fix.Statements, CreateIndex(f.opts.Schema, t.Name, index))
	if want.Unique {
		fix.Stage, fix.Note = diff.StageNarrow, f.duplicates(t.Name, want)
		if found != nil {
			fix.Statements = append(fix.Statements, f.dropIndexSQL(t, found))
		}
	}
	columns := slices.Clone(want.Columns())
	for i := range t.Columns { // those in expressions
		for _, p := range want.Parts {
			if p.Column == "" && strings.Contains(p.Expression, t.Columns[i].Name) {
				columns = append(columns, t.Columns[i].Name)
			}
		}
	}
	fix.Stage = f.after(fix.Stage, t.Name, columns...)
	f.add(fix)
	if found != nil {
		removeIndex(t, found.Name)
	}
	t.Indexes = append(t.Indexes, index)
}

// newIndexName names an index. One for patterns is called after the ordinary
// one on its column.
func (f *fixer) newIndexName(t *schema.Table, want *schema.Index) string {
	const pattern = "_pattern"
	if !strings.HasSuffix(want.Name, pattern) || len(want.Parts) != 1 {
		return f.names.index(t.Name, want)
	}
	for _, x := range t.Indexes {
		plain := len(x.Parts) == 1 && x.Parts[0].Column == want.Parts[0].Column && x.Parts[0].OpClass == ""
		if name := x.Name + pattern; plain && !x.Primary && !f.names.taken[name] && len(name) <= MaxIdentifier {
			f.names.taken[name] = true
			return name
		}
	}
	return f.names.index(t.Name, want)
}

// conformant reports whether an index may keep its name when it becomes another one.
func (f *fixer) conformant(name string, want *schema.Index) bool {
	const most = 30 // of Moodle's names
	if name == want.Name {
		return true
	}
	return len(name) <= most && strings.HasPrefix(name, f.opts.Prefix) && strings.HasSuffix(name, "_"+suffix(want))
}

// dropObstacles drops indexes that are to be changed or to go anyway, before
// the type of their column changes: PostgreSQL would make them for the new type, and may fail.
func (f *fixer) dropObstacles(t *tableChanges, have *schema.Table, x *columnFix) {
	if typeSQL(x.have.Type) == typeSQL(x.fixed.Type) || isLetters(x.have.Type) && isLetters(x.fixed.Type) ||
		isNumeric(x.have.Type.Name) && isNumeric(x.fixed.Type.Name) {
		return
	}
	for _, changed := range t.Indexes(func(c diff.Change) bool { return t.isPrimaryChange(c, have) }) {
		found := findIndex(have, changed.Have)
		if found == nil || slices.Equal(changed.Codes, []diff.Code{diff.IndexInvalid}) {
			continue
		}
		if slices.Contains(found.Columns(), x.have.Name) || strings.Contains(found.Definition, x.have.Name) {
			f.dropIndex(have, found, changed.Codes, x.stage)
		}
	}
}
