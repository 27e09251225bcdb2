package postgres

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/moodledb/moodledb/diff"
	"github.com/moodledb/moodledb/schema"
)

// sequence finds a sequence of the schema; nil when there is none.
func (f *fixer) sequence(name string) *schema.Sequence {
	for i := range f.have.Sequences {
		if f.have.Sequences[i].Name == name {
			return &f.have.Sequences[i]
		}
	}
	return nil
}

func (f *fixer) dropSequence(name string) {
	f.have.Sequences = slices.DeleteFunc(f.have.Sequences, func(s schema.Sequence) bool { return s.Name == name })
}

// addSequence adds the sequence of a column to the schema, as PostgreSQL makes it.
func (f *fixer) addSequence(t *schema.Table, c *schema.Column) *schema.Sequence {
	f.names.taken[c.Sequence] = true
	most := int64(math.MaxInt64)
	switch c.Type.Name {
	case "smallint":
		most = math.MaxInt16
	case "integer":
		most = math.MaxInt32
	}
	f.have.Sequences = append(f.have.Sequences, schema.Sequence{
		Name: c.Sequence, Type: c.Type.Name, Start: 1, Increment: 1, Min: 1, Max: most, Last: 1, Owner: f.owner,
		OwnedByTable: t.Name, OwnedByColumn: c.Name,
	})
	return &f.have.Sequences[len(f.have.Sequences)-1]
}

func (f *fixer) ownSequence(name, table, column string) {
	if s := f.sequence(name); s != nil {
		s.OwnedByTable, s.OwnedByColumn = table, column
	}
}

// giveSequence gives a sequence to the owner of its table, since a column owns
// only sequences of that role. Empty when it has it, or nothing is known.
func (f *fixer) giveSequence(name, owner string) string {
	s := f.sequence(name)
	if owner == "" || s == nil || s.Owner == owner {
		return ""
	}
	s.Owner = owner
	return "ALTER SEQUENCE " + f.name(name) + " OWNER TO " + QuoteIdent(owner)
}

// serialCodes are the codes that one fix of the column's sequence undoes.
func serialCodes() []diff.Code {
	return []diff.Code{
		diff.ColumnAutoIncrementMissing, diff.ColumnIdentity, diff.SequenceMissing, diff.SequenceName,
		diff.SequenceNotOwned, diff.SequenceOptions, diff.SequenceBehind,
	}
}

// serials is the pass for columns that draw from a sequence.
func (f *fixer) serials(t *tableChanges) {
	want, have := f.sides(t)
	if want == nil || have == nil {
		return
	}
	codes := map[string][]diff.Code{}
	t.Each(func(c diff.Change) {
		if column := serialColumn(want, have, c); column != nil {
			codes[column.Name] = append(codes[column.Name], c.Code)
		}
	}, serialCodes()...)
	for i := range want.Columns {
		w := &want.Columns[i]
		if c := have.Column(w.Name); c != nil && len(codes[w.Name]) > 0 {
			f.serial(have, w, c, codes[w.Name])
		}
	}
}

// serialColumn finds the column that a change of a sequence is about.
func serialColumn(want, have *schema.Table, c diff.Change) *schema.Column {
	var only *schema.Column
	for i := range want.Columns {
		w := &want.Columns[i]
		if !w.AutoIncrement {
			continue
		}
		names := []string{w.Name, w.Sequence}
		if h := have.Column(w.Name); h != nil {
			names = append(names, h.Sequence)
		}
		for _, name := range []string{c.Want, c.Have, c.Object} {
			if name != "" && slices.Contains(names, name) {
				return w
			}
		}
		only = w
	}
	return only
}

// serial makes the column c draw from the sequence that Moodle expects: one
// that it owns, of the right name and options, above the highest id.
func (f *fixer) serial(t *schema.Table, want, c *schema.Column, codes []diff.Code) {
	name := columnSequenceName(t.Name, want)
	has := func(list ...diff.Code) bool {
		return slices.ContainsFunc(list, func(code diff.Code) bool { return slices.Contains(codes, code) })
	}
	old := c.Sequence
	if !has(diff.SequenceName) && old != "" && c.Identity == "" {
		name = old
	}
	next := f.nextOf(old)
	var statements []string
	stage := diff.StageAdd
	if f.given[t.Name] {
		stage = diff.StageWiden // only then the table has the owner that the sequence gets
	}
	if c.Identity != "" {
		statements = append(statements, f.alter(t.Name, "ALTER COLUMN "+QuoteIdent(c.Name)+" DROP IDENTITY"))
		f.dropSequence(old)
		old, stage = "", diff.StageWiden
	}
	restart := has(diff.SequenceBehind)
	exists := f.sequence(name) != nil
	switch {
	case !exists && old != "" && f.sequence(old) != nil:
		statements = append(statements, fmt.Sprintf("ALTER SEQUENCE %s RENAME TO %s", f.name(old), QuoteIdent(name)))
		f.sequence(old).Name = name
		f.names.taken[name], old, stage = true, name, diff.StageWiden
	case !exists:
		create := "CREATE SEQUENCE " + f.name(name)
		if want.Type.Name == "smallint" || want.Type.Name == "integer" {
			create += " AS " + want.Type.Name
		}
		statements = append(statements, create)
		made := *want
		made.Sequence = name
		f.addSequence(t, &made).Owner = ""
		restart = true
	case old != name:
		restart = true
		next = max(next, f.nextOf(name))
	}
	statements = append(statements, f.sequenceOptions(name, want, codes)...)
	s := f.sequence(name)
	if give := f.giveSequence(name, t.Owner); give != "" {
		statements = append(statements, give)
	}
	if !exists || s.OwnedByTable != t.Name || s.OwnedByColumn != c.Name {
		statements = append(statements, OwnSequence(f.opts.Schema, name, t.Name, c.Name))
	}
	if restart {
		statements = append(statements, f.restart(t.Name, c.Name, name, next))
		s.Last, s.Called = math.MaxInt32, false
		if c.HighestKnown {
			s.Last = max(c.Highest+1, next, 1)
		}
	}
	if old != name || !c.AutoIncrement {
		statements = append(statements, f.alter(t.Name, "ALTER COLUMN "+QuoteIdent(c.Name)+" SET DEFAULT nextval("+regclass(f.opts.Schema, name)+")"))
	}
	if old != "" && old != name && c.SequenceOwned {
		statements = append(statements, "DROP SEQUENCE "+f.name(old))
		f.dropSequence(old)
	}
	s = f.sequence(name)
	s.OwnedByTable, s.OwnedByColumn = t.Name, c.Name
	c.AutoIncrement, c.Identity, c.Sequence, c.SequenceOwned, c.Default = true, "", name, true, schema.Default{}
	f.add(diff.Fix{Table: t.Name, Codes: codes, Statements: statements, Stage: f.after(stage, t.Name, c.Name)})
}

// nextOf is the next value of a sequence; 0 when there is no such sequence.
func (f *fixer) nextOf(name string) int64 {
	s := f.sequence(name)
	switch {
	case name == "" || s == nil:
		return 0
	case s.Called && s.Last < math.MaxInt64:
		return s.Last + 1
	}
	return s.Last
}

// restart sets a sequence above the highest id, and not below next: ids that
// were given out and deleted are not given out again.
func (f *fixer) restart(table, column, sequence string, next int64) string {
	return fmt.Sprintf("SELECT pg_catalog.setval(%s, greatest((SELECT coalesce(max(%s), 0) + 1 FROM %s), %d), false)",
		regclass(f.opts.Schema, sequence), QuoteIdent(column), f.name(table), max(next, 1))
}

// sequenceOptions gives a sequence the options that a serial column's has.
func (f *fixer) sequenceOptions(name string, want *schema.Column, codes []diff.Code) []string {
	if !slices.Contains(codes, diff.SequenceOptions) {
		return nil
	}
	expected := schema.Sequence{Type: want.Type.Name, Increment: 1, Min: 1, Start: 1}
	for _, s := range f.want.Sequences {
		if s.Name == want.Sequence {
			expected = s
		}
	}
	cycle := "NO CYCLE"
	if expected.Cycle {
		cycle = "CYCLE"
	}
	options := fmt.Sprintf("ALTER SEQUENCE %s AS %s INCREMENT BY %d MINVALUE %d", f.name(name), expected.Type, expected.Increment, expected.Min)
	if expected.Max != 0 {
		options += " MAXVALUE " + strconv.FormatInt(expected.Max, 10)
	} else {
		options += " NO MAXVALUE"
	}
	if s := f.sequence(name); s != nil {
		s.Type, s.Increment, s.Min, s.Cycle = expected.Type, expected.Increment, expected.Min, expected.Cycle
		s.Start = expected.Start
		if expected.Max != 0 {
			s.Max = expected.Max
		}
	}
	return []string{options + " START WITH " + strconv.FormatInt(expected.Start, 10) + " " + cycle}
}
