package mysql

import (
	"fmt"
	"slices"
	"strings"

	"github.com/moodledb/moodledb/diff"
	"github.com/moodledb/moodledb/schema"
)

// columnFix is what the changes of one column make of it.
type columnFix struct {
	have, fixed schema.Column
	codes       []diff.Code
	stage       diff.Stage
	notes       []string
}

// columnFixes gathers the changes of columns that are on both sides.
func columnFixes(t *tableChanges, want, have *schema.Table) []*columnFix {
	var fixes []*columnFix
	for _, c := range t.Columns(want, have) {
		x := &columnFix{have: c.Have, fixed: c.Fixed, codes: c.Codes}
		if c.Want.AutoIncrement && !c.Have.AutoIncrement && familyOf(c.Have.Type) != integers && familyOf(c.Fixed.Type) == integers {
			// What its type could not do is not reported besides the type.
			x.fixed.AutoIncrement, x.fixed.NotNull, x.fixed.Default = true, true, schema.Default{}
		}
		fixes = append(fixes, x)
	}
	return fixes
}

// judge finds the stage of a column's fix.
func (x *columnFix) judge(t *schema.Table) {
	x.stage = diff.StageWiden
	raise := func(stage diff.Stage, note string) {
		x.stage = max(x.stage, stage)
		if note != "" {
			x.notes = append(x.notes, x.have.Name+": "+note)
		}
	}
	raise(conversion(x.have.Type, x.fixed.Type))
	if x.fixed.Charset != x.have.Charset && x.fixed.Charset != "" && x.have.Charset != "" && x.fixed.Charset != "utf8mb4" {
		raise(diff.StageNarrow, "it fails on characters that "+x.fixed.Charset+" lacks")
	}
	if x.fixed.Collation != x.have.Collation && slices.ContainsFunc(t.Indexes, func(i schema.Index) bool {
		return i.Unique && slices.ContainsFunc(i.Columns(), func(c string) bool { return strings.EqualFold(c, x.have.Name) })
	}) {
		raise(diff.StageNarrow, "it fails where a unique index holds values that the new collation finds equal")
	}
	if x.fixed.NotNull && !x.have.NotNull {
		if x.fills() {
			raise(diff.StageNarrow, "NULL becomes the default")
		} else {
			raise(diff.StageNarrow, fmt.Sprintf("it fails on NULLs: SELECT * FROM %s WHERE %s IS NULL", QuoteIdent(t.Name), QuoteIdent(x.have.Name)))
		}
	}
	if x.fixed.Generated != schema.NotGenerated && x.have.Generated == schema.NotGenerated {
		raise(diff.StageDestroy, "its values are lost")
	}
}

// replaced reports whether another column must take the column's place: no
// server can make a column of values of a virtual one, or the other way round, and some
// types have no way to others at all.
func (x *columnFix) replaced() bool {
	from, to := familyOf(x.have.Type), familyOf(x.fixed.Type)
	return x.have.Generated == schema.GeneratedVirtual ||
		x.have.Generated != x.fixed.Generated && x.fixed.Generated != schema.NotGenerated ||
		from != to && (from == others || from == addresses && to != texts)
}

// fills reports whether rows with NULL get the default before NULL is refused.
func (x *columnFix) fills() bool {
	return x.fixed.NotNull && !x.have.NotNull && x.fixed.Default.Kind == schema.LiteralDefault &&
		x.have.Generated == schema.NotGenerated
}

// retyped reports whether indexes on the column may not survive its change.
func (x *columnFix) retyped(index *schema.Index) bool {
	if familyOf(x.have.Type) != familyOf(x.fixed.Type) {
		return true
	}
	return typeSQL(x.have.Type) != typeSQL(x.fixed.Type) && (index.Method == "fulltext" ||
		slices.ContainsFunc(index.Parts, func(p schema.IndexPart) bool { return p.Prefix > 0 }))
}

// definition spells a column for ALTER TABLE: with its character set and
// collation, whatever the table's defaults are.
func (f *fixer) definition(t *schema.Table, c schema.Column) string {
	text := columnSQL(schema.Table{Name: t.Name, SystemVersioned: t.SystemVersioned}, c)
	if c.Charset == "uca1400" {
		text = strings.Replace(text, " CHARACTER SET uca1400", "", 1)
	}
	return text
}

// alteration are the clauses of one ALTER TABLE.
type alteration struct {
	before, clauses, notes []string
	codes                  []diff.Code
}

// columns is the pass for columns.
func (f *fixer) columns(t *tableChanges) {
	want, have := f.sides(t)
	if want == nil || have == nil {
		return
	}
	f.addColumns(t, want, have)
	byStage := map[diff.Stage]*alteration{}
	for _, x := range columnFixes(t, want, have) {
		x.judge(have)
		if typeSQL(x.have.Type) != typeSQL(x.fixed.Type) {
			f.types[columnKey(t.Table, x.fixed.Name)] = x.stage
		}
		f.dropObstacles(t, have, x)
		switch {
		case x.replaced():
			f.replaceColumn(have, x)
		case x.fixed.AutoIncrement && !x.have.AutoIncrement && !leads(have, x.have.Name):
			// It must be a key before, or in the same statement.
			t.keyClauses = append(t.keyClauses, f.changeClause(have, x))
			t.keyCodes = append(t.keyCodes, x.codes...)
		default:
			a := byStage[x.stage]
			if a == nil {
				a = &alteration{}
				byStage[x.stage] = a
			}
			if x.fills() {
				a.before = append(a.before, fmt.Sprintf("UPDATE %s SET %[2]s =%[3]s WHERE %[2]s IS NULL",
					QuoteIdent(have.Name), QuoteIdent(x.have.Name), strings.TrimPrefix(defaultSQL(x.fixed), " DEFAULT")))
			}
			a.clauses = append(a.clauses, f.changeClause(have, x))
			a.codes = append(a.codes, x.codes...)
			a.notes = append(a.notes, x.notes...)
		}
		settleColumn(have, x.have.Name, x.fixed)
	}
	for _, stage := range []diff.Stage{diff.StageWiden, diff.StageNarrow, diff.StageDestroy} {
		if a := byStage[stage]; a != nil {
			f.add(diff.Fix{
				Table: have.Name, Codes: a.codes, Stage: stage, Note: strings.Join(a.notes, "; "),
				Statements: keepHistory(have, append(a.before, f.alter(have.Name, a.clauses...))...),
			})
		}
	}
}

// changeClause gives a column its new definition, and its new name where it has one.
func (f *fixer) changeClause(t *schema.Table, x *columnFix) string {
	if x.fixed.Name != x.have.Name {
		return "CHANGE COLUMN " + QuoteIdent(x.have.Name) + " " + f.definition(t, x.fixed)
	}
	clause := "MODIFY COLUMN " + f.definition(t, x.fixed)
	if f.engine != schema.MariaDB {
		return clause
	}
	// MariaDB keeps a check that was written behind the column only if it is said again.
	for _, c := range t.Checks {
		if strings.EqualFold(c.Name, x.have.Name) {
			return clause + " CHECK (" + c.Expression + ")"
		}
	}
	return clause
}

// leads reports whether some index begins with the column, as AUTO_INCREMENT asks for.
func leads(t *schema.Table, column string) bool {
	return slices.ContainsFunc(t.Indexes, func(x schema.Index) bool {
		return len(x.Parts) > 0 && strings.EqualFold(x.Parts[0].Column, column) && x.Method == "btree"
	})
}

// addColumns adds missing columns. One that counts by itself waits for its key.
func (f *fixer) addColumns(t *tableChanges, want, have *schema.Table) {
	var clauses, notes []string
	var codes []diff.Code
	t.Each(func(c diff.Change) {
		column := want.Column(orElse(c.Want, c.Object))
		if column == nil || have.Column(column.Name) != nil {
			return
		}
		clause := "ADD COLUMN " + f.definition(have, *column)
		if column.AutoIncrement {
			t.keyClauses, t.keyCodes = append(t.keyClauses, clause), append(t.keyCodes, c.Code)
		} else {
			clauses, codes = append(clauses, clause), append(codes, c.Code)
			if column.NotNull && column.Default.Kind == schema.NoDefault && column.Generated == schema.NotGenerated {
				notes = append(notes, column.Name+": rows that are there get 0 or an empty text")
			}
		}
		have.Columns = append(have.Columns, *column)
	}, diff.ColumnMissing)
	if len(clauses) > 0 {
		f.add(diff.Fix{
			Table: have.Name, Codes: codes, Stage: diff.StageAdd, Note: strings.Join(notes, "; "),
			Statements: keepHistory(have, f.alter(have.Name, clauses...)),
		})
	}
}

// replaceColumn puts another column in a column's place. Values of a virtual one
// are copied, and its indexes are made again.
func (f *fixer) replaceColumn(t *schema.Table, x *columnFix) {
	var drop, add []string
	for i := range t.Indexes {
		index := &t.Indexes[i]
		if !slices.ContainsFunc(index.Columns(), func(c string) bool { return strings.EqualFold(c, x.have.Name) }) {
			continue
		}
		drop = append(drop, dropIndexClause(index))
		again := *index
		again.Parts = slices.Clone(index.Parts)
		for j := range again.Parts {
			if strings.EqualFold(again.Parts[j].Column, x.have.Name) {
				again.Parts[j].Column = x.fixed.Name
			}
		}
		add = append(add, "ADD "+indexSQL(again))
	}
	drop = append(drop, "DROP COLUMN "+QuoteIdent(x.have.Name))
	var statements []string
	if x.have.Generated != schema.NotGenerated && x.fixed.Generated == schema.NotGenerated {
		plain := x.fixed
		plain.Name = freeColumn(t, x.have.Name+"_plain")
		plain.NotNull, plain.AutoIncrement = false, false
		change := "CHANGE COLUMN " + QuoteIdent(plain.Name) + " " + f.definition(t, x.fixed)
		statements = []string{
			f.alter(t.Name, "ADD COLUMN "+f.definition(t, plain)),
			fmt.Sprintf("UPDATE %s SET %s = %s", QuoteIdent(t.Name), QuoteIdent(plain.Name), QuoteIdent(x.have.Name)),
			f.alter(t.Name, drop...),
			f.alter(t.Name, append([]string{change}, add...)...),
		}
		x.notes = append(x.notes, x.have.Name+": its values are copied to a column that takes its place")
	} else {
		statements = []string{
			f.alter(t.Name, drop...),
			f.alter(t.Name, append([]string{"ADD COLUMN " + f.definition(t, x.fixed)}, add...)...),
		}
	}
	f.add(diff.Fix{
		Table: t.Name, Codes: x.codes, Stage: x.stage, Statements: keepHistory(t, statements...), Note: strings.Join(x.notes, "; "),
	})
}

// settleColumn makes a column's fix in the schema, with the indexes and constraints on the column.
func settleColumn(t *schema.Table, from string, fixed schema.Column) {
	for i := range t.Columns {
		if strings.EqualFold(t.Columns[i].Name, from) {
			fixed.Highest, fixed.HighestKnown = t.Columns[i].Highest, t.Columns[i].HighestKnown
			t.Columns[i] = fixed
		}
	}
	if strings.EqualFold(from, fixed.Name) {
		return
	}
	for i := range t.Indexes {
		for j := range t.Indexes[i].Parts {
			if strings.EqualFold(t.Indexes[i].Parts[j].Column, from) {
				t.Indexes[i].Parts[j].Column = fixed.Name
			}
		}
	}
	for i := range t.ForeignKeys {
		for j := range t.ForeignKeys[i].Columns {
			if strings.EqualFold(t.ForeignKeys[i].Columns[j], from) {
				t.ForeignKeys[i].Columns[j] = fixed.Name
			}
		}
	}
	for i := range t.Checks {
		t.Checks[i].Expression = strings.ReplaceAll(t.Checks[i].Expression, QuoteIdent(from), QuoteIdent(fixed.Name))
	}
}

// dropColumns drops columns that nobody expects, with the checks that name them.
func (f *fixer) dropColumns(t *tableChanges) {
	have := findTable(f.have, t.Table)
	if have == nil {
		return
	}
	var clauses []string
	var codes []diff.Code
	t.Each(func(c diff.Change) {
		column := have.Column(c.FoundName())
		if column == nil {
			return
		}
		name := column.Name
		for _, check := range have.Checks {
			if strings.Contains(strings.ToLower(check.Expression), strings.ToLower(QuoteIdent(name))) && !strings.EqualFold(check.Name, name) {
				clauses = append(clauses, f.dropCheckClause(check.Name))
			}
		}
		clauses, codes = append(clauses, "DROP COLUMN "+QuoteIdent(name)), append(codes, c.Code)
		loseColumn(have, name)
	}, diff.ColumnExtra)
	if len(clauses) > 0 {
		f.add(diff.Fix{
			Table: have.Name, Codes: codes, Stage: diff.StageDestroy, Note: "the values of the columns are lost",
			Statements: keepHistory(have, f.alter(have.Name, clauses...)),
		})
	}
}

// loseColumn takes a column out of a table, as the servers do: indexes lose the
// column, and go with their last one.
func loseColumn(t *schema.Table, name string) {
	t.Columns = slices.DeleteFunc(t.Columns, func(c schema.Column) bool { return strings.EqualFold(c.Name, name) })
	for i := range t.Indexes {
		x := &t.Indexes[i]
		x.Parts = slices.DeleteFunc(x.Parts, func(p schema.IndexPart) bool { return strings.EqualFold(p.Column, name) })
	}
	t.Indexes = slices.DeleteFunc(t.Indexes, func(x schema.Index) bool { return len(x.Parts) == 0 })
	t.Checks = slices.DeleteFunc(t.Checks, func(c schema.Check) bool {
		return strings.Contains(strings.ToLower(c.Expression), strings.ToLower(QuoteIdent(name)))
	})
}
