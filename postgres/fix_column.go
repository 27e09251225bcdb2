package postgres

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
	// before and after are statements, clauses those of the ALTER TABLE between them.
	before, clauses, after, notes []string
}

func (x *columnFix) raise(stage diff.Stage, note string) {
	x.stage = max(x.stage, stage)
	if note != "" {
		x.notes = append(x.notes, x.have.Name+": "+note)
	}
}

// columnFixes gathers the changes of columns that are on both sides, but for
// those of their sequences.
func columnFixes(t *tableChanges, want, have *schema.Table) []*columnFix {
	var fixes []*columnFix
	for _, c := range t.Columns(want, have, serialCodes()...) {
		fixes = append(fixes, &columnFix{have: c.Have, fixed: c.Fixed, codes: c.Codes, stage: diff.StageWiden})
	}
	return fixes
}

// columns is the pass for columns.
func (f *fixer) columns(t *tableChanges) {
	want, have := f.sides(t)
	if want == nil || have == nil {
		return
	}
	f.addColumns(t, want, have)
	byStage := map[diff.Stage]*diff.Fix{}
	clauses, after := map[diff.Stage][]string{}, map[diff.Stage][]string{}
	for _, x := range columnFixes(t, want, have) {
		if x.have.Name != x.fixed.Name {
			f.add(diff.Fix{
				Table: have.Name, Codes: []diff.Code{diff.ColumnRenamed}, Stage: diff.StageWiden,
				Statements: []string{f.alter(have.Name, "RENAME COLUMN "+QuoteIdent(x.have.Name)+" TO "+QuoteIdent(x.fixed.Name))},
			})
			settleColumn(have, x.have.Name, withName(x.have, x.fixed.Name))
			x.have.Name = x.fixed.Name
			if len(x.codes) == 1 {
				continue
			}
			x.codes = slices.DeleteFunc(x.codes, func(c diff.Code) bool { return c == diff.ColumnRenamed })
		}
		if x.have.Generated != x.fixed.Generated || x.have.Expression != x.fixed.Expression {
			f.replaceColumn(have, x)
			settleColumn(have, x.have.Name, x.fixed)
			continue
		}
		f.alterColumn(have, x)
		if typeSQL(x.have.Type) != typeSQL(x.fixed.Type) {
			f.types[columnKey(t.Table, x.fixed.Name)] = x.stage
		}
		f.dropObstacles(t, have, x)
		fix := byStage[x.stage]
		if fix == nil {
			fix = &diff.Fix{Table: have.Name, Stage: x.stage}
			byStage[x.stage] = fix
		}
		fix.Statements, fix.Codes = append(fix.Statements, x.before...), append(fix.Codes, x.codes...)
		clauses[x.stage], after[x.stage] = append(clauses[x.stage], x.clauses...), append(after[x.stage], x.after...)
		fix.Note = joinNotes(fix.Note, strings.Join(x.notes, "; "))
		settleColumn(have, x.have.Name, x.fixed)
	}
	for _, stage := range []diff.Stage{diff.StageWiden, diff.StageNarrow, diff.StageDestroy} {
		if fix := byStage[stage]; fix != nil {
			fix.Statements = append(append(fix.Statements, f.alter(have.Name, clauses[stage]...)), after[stage]...)
			f.add(*fix)
		}
	}
	f.dropCounters(t, have)
}

func withName(c schema.Column, name string) schema.Column {
	c.Name = name
	return c
}

func joinNotes(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "; " + b
}

// alterColumn spells the clauses that give a column its new definition.
func (f *fixer) alterColumn(t *schema.Table, x *columnFix) {
	name := QuoteIdent(x.have.Name)
	add := func(format string, args ...any) {
		x.clauses = append(x.clauses, "ALTER COLUMN "+name+" "+fmt.Sprintf(format, args...))
	}
	retyped := typeSQL(x.have.Type) != typeSQL(x.fixed.Type)
	counted := x.have.AutoIncrement && !x.fixed.AutoIncrement
	redefault := x.have.Default != x.fixed.Default || counted && x.have.Identity == ""
	if x.have.AutoIncrement && x.have.Identity != "" && !x.fixed.AutoIncrement {
		add("DROP IDENTITY")
	}
	// The old default may have no equal in the new type.
	if x.have.Default.Kind != schema.NoDefault && (redefault || retyped) || counted && x.have.Identity == "" {
		add("DROP DEFAULT")
	}
	if retyped || x.have.Collation != x.fixed.Collation {
		how := convertColumn(name, x.have.Type, x.fixed.Type)
		x.raise(how.stage, how.note)
		if len(f.have.Views) > 0 {
			x.notes = append(x.notes, x.have.Name+": a view that uses the column must be dropped before and made again")
		}
		add("TYPE %s", typeSQL(x.fixed.Type)+collateSQL(x)+usingSQL(how.using))
	}
	if d := defaultSQL(x.fixed.Default, x.fixed.Type); d != "" && !x.fixed.AutoIncrement && (redefault || retyped) {
		add("SET DEFAULT %s", d)
	}
	switch {
	case x.have.NotNull && !x.fixed.NotNull:
		add("DROP NOT NULL")
	case !x.have.NotNull && x.fixed.NotNull && retyped && x.fixed.Default.Kind == schema.LiteralDefault:
		// The old type may not know the default, so the new one comes first.
		f.fill(t, x)
		x.before, x.after = nil, append(x.before, f.alter(t.Name, "ALTER COLUMN "+name+" SET NOT NULL"))
	case !x.have.NotNull && x.fixed.NotNull:
		f.fill(t, x)
		add("SET NOT NULL")
	}
}

// fill gives rows with NULL the default before NULL is refused.
func (f *fixer) fill(t *schema.Table, x *columnFix) {
	name := QuoteIdent(x.have.Name)
	if x.fixed.Default.Kind != schema.LiteralDefault {
		x.raise(diff.StageNarrow, "it fails on NULLs: SELECT * FROM "+f.name(t.Name)+" WHERE "+name+" IS NULL")
		return
	}
	x.raise(diff.StageNarrow, "NULL becomes the default")
	value := QuoteLiteral(x.fixed.Default.Text) // of no type, so that it suits any
	x.before = append(x.before, fmt.Sprintf("UPDATE %s SET %[2]s = %[3]s WHERE %[2]s IS NULL", f.name(t.Name), name, value))
}

func collateSQL(x *columnFix) string {
	switch {
	case x.fixed.Collation != "":
		return " COLLATE " + quoteMaybeQualified("", x.fixed.Collation)
	case x.have.Collation != "" && isLetters(x.fixed.Type):
		return ` COLLATE pg_catalog."default"`
	}
	return ""
}

func usingSQL(using string) string {
	if using == "" {
		return ""
	}
	return " USING " + using
}

// addColumns adds missing columns.
func (f *fixer) addColumns(t *tableChanges, want, have *schema.Table) {
	fix := diff.Fix{Table: have.Name, Stage: diff.StageAdd}
	var clauses, after []string
	t.Each(func(c diff.Change) {
		w := want.Column(orElse(c.Want, c.Object))
		if w == nil || have.Column(w.Name) != nil {
			return
		}
		column := *w
		fix.Codes = append(fix.Codes, c.Code)
		made := column
		switch {
		case column.AutoIncrement && column.Identity == "":
			column.Sequence, column.SequenceOwned = columnSequenceName(have.Name, w), true
			made = f.addSerial(have, column, &after)
		case column.NotNull && column.Default.Kind == schema.NoDefault && column.Generated == schema.NotGenerated:
			if filler := fillerOf(column.Type); filler != "" {
				made.Default = schema.Literal(filler)
				if filler == "-" {
					made.Default = schema.Literal("")
				}
				after = append(after, f.alter(have.Name, "ALTER COLUMN "+QuoteIdent(column.Name)+" DROP DEFAULT"))
				fix.Note = joinNotes(fix.Note, column.Name+": rows that are there get 0 or an empty text")
			}
		}
		clauses = append(clauses, "ADD COLUMN "+columnSQL(f.opts.Schema, have.Name, &made))
		have.Columns = append(have.Columns, column)
	}, diff.ColumnMissing)
	if len(clauses) > 0 {
		fix.Statements = append([]string{f.alter(have.Name, clauses...)}, after...)
		f.add(fix)
	}
}

// addSerial is how a column that draws from a sequence is added: as a serial one,
// unless a sequence of that name is there already.
func (f *fixer) addSerial(t *schema.Table, column schema.Column, after *[]string) schema.Column {
	if f.sequence(column.Sequence) == nil {
		f.addSequence(t, &column)
		return column
	}
	made := column
	made.AutoIncrement, made.Default = false, schema.Expression("nextval("+regclass(f.opts.Schema, column.Sequence)+")")
	if give := f.giveSequence(column.Sequence, t.Owner); give != "" {
		*after = append(*after, give)
	}
	*after = append(*after, OwnSequence(f.opts.Schema, column.Sequence, t.Name, column.Name))
	f.ownSequence(column.Sequence, t.Name, column.Name)
	return made
}

// fillerOf is what Moodle's other servers put in rows for a new column without
// a default; empty for types of which no value is like nothing, "-" for an empty text.
func fillerOf(t schema.Type) string {
	switch {
	case isLetters(t), t.Name == "bytea":
		return "-"
	case isNumeric(t.Name):
		return "0"
	}
	return ""
}

// replaceColumn puts another column in a column's place: one of values for a
// generated one, or the other way round. Values are copied where the new one
// holds any, and its indexes are made again.
func (f *fixer) replaceColumn(t *schema.Table, x *columnFix) {
	fix := diff.Fix{Table: t.Name, Codes: x.codes, Stage: diff.StageWiden}
	name := QuoteIdent(x.have.Name)
	again := f.indexesOn(t, x.have.Name)
	switch {
	case x.fixed.Generated == schema.NotGenerated && x.have.Generated == schema.GeneratedStored:
		fix.Statements = []string{f.alter(t.Name, "ALTER COLUMN "+name+" DROP EXPRESSION")}
		plain := x.have
		plain.Generated, plain.Expression = schema.NotGenerated, ""
		rest := &columnFix{have: plain, fixed: x.fixed, codes: x.codes, stage: diff.StageWiden}
		f.alterColumn(t, rest)
		if len(rest.clauses) > 0 {
			fix.Statements = append(append(append(fix.Statements, rest.before...), f.alter(t.Name, rest.clauses...)), rest.after...)
			fix.Stage, fix.Note = rest.stage, strings.Join(rest.notes, "; ")
		}
	case x.fixed.Generated == schema.NotGenerated:
		plain := x.fixed
		plain.Name, plain.NotNull, plain.AutoIncrement = freeColumn(t, x.have.Name+"_plain"), false, false
		value := name
		if how := convertColumn(name, x.have.Type, x.fixed.Type); how.using != "" {
			value, fix.Stage = how.using, how.stage
		}
		fix.Statements = []string{
			f.alter(t.Name, "ADD COLUMN "+columnSQL(f.opts.Schema, t.Name, &plain)),
			fmt.Sprintf("UPDATE %s SET %s = %s", f.name(t.Name), QuoteIdent(plain.Name), value),
			f.alter(t.Name, "DROP COLUMN "+name),
			f.alter(t.Name, "RENAME COLUMN "+QuoteIdent(plain.Name)+" TO "+name),
		}
		if x.fixed.NotNull {
			fix.Statements = append(fix.Statements, f.alter(t.Name, "ALTER COLUMN "+name+" SET NOT NULL"))
		}
		fix.Statements = append(fix.Statements, again...)
		fix.Note = x.have.Name + ": its values are copied to a column that takes its place"
	default:
		if x.have.Generated == schema.NotGenerated {
			fix.Stage, fix.Note = diff.StageDestroy, x.have.Name+": its values are lost"
		}
		fix.Statements = append([]string{
			f.alter(t.Name, "DROP COLUMN "+name, "ADD COLUMN "+columnSQL(f.opts.Schema, t.Name, &x.fixed)),
		}, again...)
	}
	f.add(fix)
}

// indexesOn makes the indexes on a column again, after it was replaced.
func (f *fixer) indexesOn(t *schema.Table, column string) []string {
	var statements []string
	for _, x := range t.Indexes {
		if slices.Contains(x.Columns(), column) {
			statements = append(statements, CreateIndex(f.opts.Schema, t.Name, x))
		}
	}
	return statements
}

// settleColumn makes a column's fix in the schema, with the indexes and constraints on the column.
func settleColumn(t *schema.Table, from string, fixed schema.Column) {
	for i := range t.Columns {
		if t.Columns[i].Name == from {
			t.Columns[i] = fixed
		}
	}
	if from == fixed.Name {
		return
	}
	for i := range t.Indexes {
		for j := range t.Indexes[i].Parts {
			if t.Indexes[i].Parts[j].Column == from {
				t.Indexes[i].Parts[j].Column = fixed.Name
			}
		}
	}
	for i := range t.ForeignKeys {
		for j := range t.ForeignKeys[i].Columns {
			if t.ForeignKeys[i].Columns[j] == from {
				t.ForeignKeys[i].Columns[j] = fixed.Name
			}
		}
	}
	for i := range t.Checks {
		t.Checks[i].Expression = strings.ReplaceAll(t.Checks[i].Expression, from, fixed.Name)
	}
}

// dropCounters drops the sequences of columns that count no longer.
func (f *fixer) dropCounters(t *tableChanges, have *schema.Table) {
	t.Each(func(c diff.Change) {
		for _, s := range slices.Clone(f.have.Sequences) {
			if s.OwnedByTable != have.Name || s.OwnedByColumn != c.FoundName() {
				continue
			}
			if column := have.Column(s.OwnedByColumn); column != nil && !column.AutoIncrement {
				f.add(diff.Fix{
					Table: have.Name, Codes: []diff.Code{c.Code}, Stage: diff.StageDrop,
					// An identity's has gone with it.
					Statements: []string{"DROP SEQUENCE IF EXISTS " + f.name(s.Name)},
				})
				f.dropSequence(s.Name)
			}
		}
	}, diff.ColumnAutoIncrementExtra)
}

// dropColumns drops columns that nobody expects; generated ones first, which
// may be computed from others.
func (f *fixer) dropColumns(t *tableChanges) {
	have := f.have.Table(t.Table)
	if have == nil {
		return
	}
	var generated, plain []string
	var codes []diff.Code
	t.Each(func(c diff.Change) {
		column := have.Column(c.FoundName())
		if column == nil {
			return
		}
		codes = append(codes, c.Code)
		clause := "DROP COLUMN " + QuoteIdent(column.Name)
		if column.Generated != schema.NotGenerated {
			generated = append(generated, clause)
		} else {
			plain = append(plain, clause)
		}
		f.have.Sequences = slices.DeleteFunc(f.have.Sequences, func(s schema.Sequence) bool {
			return s.OwnedByTable == have.Name && s.OwnedByColumn == column.Name
		})
		loseColumn(have, column.Name)
	}, diff.ColumnExtra)
	if len(codes) > 0 {
		f.add(diff.Fix{
			Table: have.Name, Codes: codes, Stage: diff.StageDestroy, Note: "the values of the columns are lost",
			Statements: []string{f.alter(have.Name, append(generated, plain...)...)},
		})
	}
}

// loseColumn takes a column out of a table, as PostgreSQL does: with the
// indexes and constraints that name it.
func loseColumn(t *schema.Table, name string) {
	t.Columns = slices.DeleteFunc(t.Columns, func(c schema.Column) bool { return c.Name == name })
	t.Indexes = slices.DeleteFunc(t.Indexes, func(x schema.Index) bool {
		return slices.Contains(x.Columns(), name) || slices.Contains(x.Include, name)
	})
	t.ForeignKeys = slices.DeleteFunc(t.ForeignKeys, func(fk schema.ForeignKey) bool { return slices.Contains(fk.Columns, name) })
}
