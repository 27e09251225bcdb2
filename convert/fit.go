package convert

import (
	"fmt"
	"strings"

	"github.com/moodledb/moodledb/schema"
)

// FitOptions say what is to be fitted.
type FitOptions struct {
	// Prefix is that of the site's tables, such as "mdl_".
	Prefix string
	// Include says which tables of the source, and which tables of the target
	// that it lacks, take part, by their full names; nil for all.
	Include func(table string) bool
	// OtherPrefix takes tables of the source that do not begin with Prefix.
	OtherPrefix bool
}

// Fit pairs the tables and columns of a live source with those of a target that
// exists, made by Moodle's own installer for example. Target is PostgreSQL's
// schema, live that of MySQL or MariaDB.
//
// A table that the target lacks, such as one that Totara makes while it runs, is
// converted by [Rules] and marked Create. A column that the target lacks is an
// [Error], as is one that the source lacks and the target wants, and one whose
// values cannot be the target's.
func Fit(target, live schema.Schema, opts FitOptions) (Plan, []Finding) {
	p := newPlanner(opts.Prefix, &live, nil)
	names := make([]string, len(target.Tables))
	for i := range target.Tables {
		t := &target.Tables[i]
		names[i] = t.Name
		p.names.take(t.Name)
		for _, x := range t.Indexes {
			p.names.take(x.Name)
		}
	}
	for _, v := range target.Views {
		p.names.take(v.Name)
	}
	for _, s := range target.Sequences {
		p.names.take(s.Name)
	}
	found, rest := p.match(names)
	for i := range target.Tables {
		p.fitTable(&target.Tables[i], found[names[i]], opts)
	}
	extras := p.extras(rest, opts.Include, opts.OtherPrefix)
	for _, t := range extras {
		if p.names.has(t.Name) {
			p.find(Finding{
				Code: CodeTableAmbiguous, Severity: Error, Table: t.Name,
				Message: fmt.Sprintf("the target has no table %q, but a view, sequence or index of that name", t.Name),
				Hint:    "rename one of the two, or exclude the table",
			})
		}
		p.reserveTable(t.Name)
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

// fitTable pairs one table of the target with that of the source, if it has one.
func (p *planner) fitTable(target, source *schema.Table, opts FitOptions) {
	name := target.Name
	if source != nil {
		name = source.Name
	}
	if opts.Include != nil && !opts.Include(name) {
		return
	}
	if source == nil {
		if hasPrefix(name, opts.Prefix) {
			p.find(Finding{
				Code: CodeTableAbsent, Severity: Warning, Table: name,
				Message: fmt.Sprintf("the source has no table %q; the target's stays as it is", name),
			})
		}
		return
	}
	t := p.add(source, *target)
	t.Declared = target.Origin.Declared()
	paired := map[string]bool{}
	for i := range target.Columns {
		c := &target.Columns[i]
		in := source.Column(c.Name)
		switch {
		case in == nil:
			p.columnAbsent(t, c)
		case c.Generated != schema.NotGenerated:
			paired[in.Name] = true
			p.find(Finding{
				Code: CodeGeneratedColumn, Severity: Info, Table: target.Name, Column: c.Name,
				Message: fmt.Sprintf("column %q is computed by the target; the source's values are not copied", c.Name),
			})
		default:
			paired[in.Name] = true
			p.pair(t, c.Name, in)
		}
	}
	for i := range source.Columns {
		if in := &source.Columns[i]; !paired[in.Name] {
			p.columnMissing(target, in)
		}
	}
}

// columnMissing tells of a column of the source that the target lacks: its values would be lost.
func (p *planner) columnMissing(target *schema.Table, in *schema.Column) {
	f := Finding{
		Code: CodeColumnMissing, Severity: Error, Table: target.Name, Column: in.Name,
		Message: fmt.Sprintf("the target has no column %q, which is %s at the source; its values would be lost", in.Name, typeText(in.Type)),
		Hint:    "drop the column at the source if the site does not need it",
	}
	if rule, ok := ruleFor(in); ok {
		column := rule.to(in.Type)
		spelled := []string{"ALTER TABLE", quoteIdent(target.Name), "ADD COLUMN", quoteIdent(in.Name), typeText(column)}
		f.Hint = strings.Join(spelled, " ")
	}
	p.find(f)
}
