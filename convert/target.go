package convert

import (
	"fmt"
	"slices"
	"strings"

	"github.com/moodledb/moodledb/schema"
)

// TargetOptions say what becomes part of a target.
type TargetOptions struct {
	// Prefix is that of the site's tables, such as "mdl_".
	Prefix string
	// Include says which tables of the source, and which declared tables that it
	// lacks, take part, by their full names; nil for all. Nothing is said about the others.
	Include func(table string) bool
	// Create says whether a declared table that the source lacks is made; nil for
	// all. A plugin that is on the disk but not installed must not find its tables there.
	Create func(declared schema.Table) bool
	// OtherPrefix takes tables that do not begin with Prefix, which are another
	// application's, or another site's.
	OtherPrefix bool
}

// Target computes the schema that a migration makes of the declared schema for
// PostgreSQL and the live one of MySQL or MariaDB, and pairs their columns.
//
// A declared table is made as declared, whatever the source's looks like. What
// the source has beyond it is converted by [Rules]: extra columns are appended,
// extra indexes (by their definition, never by name) and foreign keys are added,
// extra tables are made. Every difference and every loss is a finding.
//
// Names of indexes and sequences are unique in the whole schema. Declared names
// come first; but no name is taken from a table.
func Target(declared, live schema.Schema, opts TargetOptions) (Plan, []Finding) {
	p := newPlanner(opts.Prefix, &live, nil)
	names := make([]string, len(declared.Tables))
	for i := range declared.Tables {
		names[i] = declared.Tables[i].Name
	}
	found, rest := p.match(names)
	extras := p.extras(rest, opts.Include, opts.OtherPrefix)
	var chosen []*schema.Table
	for i := range declared.Tables {
		if p.chooses(&declared.Tables[i], found[names[i]], opts) {
			chosen = append(chosen, &declared.Tables[i])
			p.names.take(names[i])
		}
	}
	for _, t := range extras {
		p.reserveTable(t.Name)
	}
	var merged []*TablePlan
	for _, d := range chosen {
		merged = append(merged, p.addDeclared(d, found[d.Name]))
	}
	p.reserveDeclared(merged)
	for _, t := range merged {
		p.mergeColumns(t)
		p.mergeIndexes(t)
	}
	for _, source := range extras {
		t := p.addExtra(source)
		p.converter.sequences(&t.Target)
		p.indexes(source, &t.Target, nil)
	}
	p.foreignKeys()
	p.leftOut(opts.Include)
	return p.finish()
}

// chooses reports whether a declared table becomes part of the target.
func (p *planner) chooses(d, source *schema.Table, opts TargetOptions) bool {
	name := d.Name
	if source != nil {
		name = source.Name
	}
	if opts.Include != nil && !opts.Include(name) {
		return false
	}
	if source != nil {
		return true
	}
	create := opts.Create == nil || opts.Create(*d)
	f := Finding{Code: CodeTableAbsent, Severity: Info, Table: d.Name}
	f.Message = fmt.Sprintf("the source has no table %q, which %s declares; ", d.Name, d.Origin.Component)
	if create {
		f.Severity = Warning
		f.Message += "it is made and stays empty"
	} else {
		f.Message += "it is not made"
	}
	p.find(f)
	return create
}

// addDeclared plans a declared table. The declared schema itself is not changed.
func (p *planner) addDeclared(d, source *schema.Table) *TablePlan {
	target := *d
	target.Columns = slices.Clone(d.Columns)
	target.Indexes = slices.Clone(d.Indexes)
	target.ForeignKeys = slices.Clone(d.ForeignKeys)
	target.Checks = slices.Clone(d.Checks)
	t := p.add(source, target)
	t.Create, t.Declared = true, true
	return t
}

// reserveDeclared takes the names of all declared sequences, then of all
// declared indexes. Only a table of the source that nothing declares can have
// one of them already.
func (p *planner) reserveDeclared(merged []*TablePlan) {
	for _, t := range merged {
		for i := range t.Target.Columns {
			c := &t.Target.Columns[i]
			if c.Sequence == "" || p.names.take(c.Sequence) {
				continue
			}
			name := p.names.object(t.Target.Name, c.Name, "seq")
			p.find(Finding{
				Code: CodeSequenceRenamed, Severity: Warning, Table: t.Target.Name, Column: c.Name,
				Message: fmt.Sprintf("a table of the source has the name of the sequence %q, which Moodle looks for by that name; it is called %q",
					c.Sequence, name),
				Hint: "rename or exclude the table " + c.Sequence,
			})
			c.Sequence = name
		}
	}
	for _, t := range merged {
		for i := range t.Target.Indexes {
			x := &t.Target.Indexes[i]
			if p.names.take(x.Name) {
				continue
			}
			old := *x
			x.Name = p.indexName(&t.Target, &schema.Index{Name: old.Name, Parts: old.Parts}, x)
		}
	}
}

// mergeColumns pairs the columns of a declared table with the source's, and
// appends what the source has beyond them.
func (p *planner) mergeColumns(t *TablePlan) {
	if t.Source == nil {
		return
	}
	declared := map[string]bool{} // columns of the source that have a pair
	for i := range t.Target.Columns {
		c := &t.Target.Columns[i]
		source := t.Source.Column(c.Name)
		if source == nil {
			p.columnAbsent(t, c)
			continue
		}
		p.pair(t, c.Name, source)
		declared[source.Name] = true
	}
	for i := range t.Source.Columns {
		in := &t.Source.Columns[i]
		if declared[in.Name] {
			continue
		}
		column, ok := p.addColumn(t.Source, in, &t.Target)
		if !ok {
			continue
		}
		t.Target.Columns = append(t.Target.Columns, column)
		p.pair(t, column.Name, in)
		p.find(Finding{
			Code: CodeColumnExtra, Severity: Info, Table: t.Source.Name, Column: in.Name,
			Message: fmt.Sprintf("no install.xml declares column %q; it becomes %s", in.Name, typeText(column.Type)),
		})
	}
	p.converter.sequences(&t.Target)
	checks := map[string]bool{}
	for _, x := range t.Target.Checks {
		checks[x.Name] = true
	}
	p.dropChecks(t.Source, checks)
}

// columnAbsent tells of a column of the target that the source lacks.
func (p *planner) columnAbsent(t *TablePlan, c *schema.Column) {
	f := Finding{Code: CodeColumnAbsent, Severity: Warning, Table: t.Target.Name, Column: c.Name}
	f.Message = fmt.Sprintf("the source has no column %q", c.Name)
	switch {
	case c.AutoIncrement:
		f.Message += "; the rows are numbered anew"
	case c.Default.Kind != schema.NoDefault:
		f.Message += fmt.Sprintf("; every row gets its default %s", quoteLiteral(c.Default.Text))
	case !c.NotNull || c.Generated != schema.NotGenerated:
		f.Message += "; it stays empty"
	default:
		f.Severity = Error
		f.Message += ", and the target wants a value in every row"
		f.Hint = "finish the upgrade of the site at the source, or add the column there"
	}
	p.find(f)
}

// mergeIndexes compares the indexes of a declared table with the source's, and
// adds what the source has beyond them.
func (p *planner) mergeIndexes(t *TablePlan) {
	if t.Source == nil {
		return
	}
	declared := slices.Clone(t.Target.Indexes)
	for i := range declared {
		p.indexAbsent(t, &declared[i])
	}
	had := len(t.Target.Indexes)
	p.indexes(t.Source, &t.Target, func(x *schema.Index) bool {
		return coversWords(declared, x) || slices.ContainsFunc(declared, func(d schema.Index) bool { return covers(&d, x) })
	})
	for i := range t.Target.Indexes[had:] {
		x := &t.Target.Indexes[had+i]
		p.find(Finding{
			Code: CodeIndexExtra, Severity: Info, Table: t.Source.Name, Index: x.Name,
			Message: fmt.Sprintf("no install.xml declares index %q on %s; it is made as the source has it", x.Name, partsText(x)),
		})
	}
}

// covers reports whether the declared index d serves as the source's index x
// does: the same columns in the same order, and unique if x is.
func covers(d, x *schema.Index) bool {
	if d.Method != "btree" || x.Method == "fulltext" || len(d.Parts) != len(x.Parts) {
		return false
	}
	unique := x.Unique || x.Primary
	if unique && !d.Unique && !d.Primary {
		return false
	}
	for i, p := range x.Parts {
		q := d.Parts[i]
		if p.Column == "" || !strings.EqualFold(p.Column, q.Column) || p.Descending != q.Descending || q.OpClass != "" {
			return false
		}
		if unique && p.Prefix > 0 {
			// The beginnings are unique, which is more than the values being so.
			return false
		}
	}
	return true
}

// coversWords reports whether declared text search indexes serve as the source's
// FULLTEXT index x does: each of its columns has one.
func coversWords(declared []schema.Index, x *schema.Index) bool {
	if x.Method != "fulltext" {
		return false
	}
	for _, p := range x.Parts {
		if !slices.ContainsFunc(declared, func(d schema.Index) bool { return isWordsOf(&d, p.Column) }) {
			return false
		}
	}
	return true
}

// isWordsOf reports whether d is a declared text search index on the column.
func isWordsOf(d *schema.Index, column string) bool {
	return d.Method == "gin" && len(d.Parts) == 1 &&
		strings.HasPrefix(d.Parts[0].Expression, "to_tsvector(") && strings.HasSuffix(d.Parts[0].Expression, ", "+strings.ToLower(column)+")")
}

// indexAbsent tells of a declared index that the source lacks.
func (p *planner) indexAbsent(t *TablePlan, d *schema.Index) {
	if d.Parts[0].OpClass != "" {
		// The pattern index is PostgreSQL's alone.
		return
	}
	for i := range t.Source.Indexes {
		x := &t.Source.Indexes[i]
		switch {
		case d.Method == "gin":
			if x.Method == "fulltext" && slices.ContainsFunc(x.Parts, func(q schema.IndexPart) bool { return isWordsOf(d, q.Column) }) {
				return
			}
		case sameColumns(d, x) && (x.Unique || x.Primary || !d.Unique):
			return
		}
	}
	f := Finding{Code: CodeIndexAbsent, Severity: Info, Table: t.Target.Name, Index: d.Name}
	what := "index"
	switch {
	case d.Primary:
		what = "primary key"
	case d.Unique: // the source may have one that allows doubles
		what = "unique index"
	}
	f.Message = fmt.Sprintf("the source has no %s on %s; it is made", what, partsText(d))
	if d.Unique || d.Primary {
		f.Severity = Warning
		f.Message += ", which fails if values are there twice"
		f.Hint = "look for doubles at the source, and make the index there first"
	}
	p.find(f)
}

// sameColumns reports whether x of the source is an index on the columns of d.
func sameColumns(d, x *schema.Index) bool {
	return x.Method != "fulltext" && slices.EqualFunc(d.Parts, x.Parts, func(a, b schema.IndexPart) bool {
		return b.Column != "" && strings.EqualFold(a.Column, b.Column)
	})
}

// partsText spells what an index is on, for people.
func partsText(x *schema.Index) string {
	parts := make([]string, len(x.Parts))
	for i, p := range x.Parts {
		parts[i] = p.Column + p.Expression
	}
	return "(" + strings.Join(parts, ", ") + ")"
}
