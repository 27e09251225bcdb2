package convert

import (
	"fmt"
	"slices"
	"strings"

	"github.com/moodledb/moodledb/schema"
)

// Plan pairs the tables of a source with those of a target.
type Plan struct {
	// Tables are sorted by the name of their target.
	Tables []TablePlan
}

// TablePlan is one table of the target, and where its rows come from.
type TablePlan struct {
	// Source is the table at the source; nil when there is none, and Target stays empty.
	Source *schema.Table
	// Target is the whole table on PostgreSQL, with all that is to be made of it.
	Target schema.Table
	// Create says that the table is to be made; otherwise it exists.
	Create bool
	// Declared says that an install.xml declares the table.
	Declared bool
	// Columns are the columns to copy, in the order of the target's.
	Columns []ColumnPair
}

// ColumnPair is a column of the source and the column that gets its values.
type ColumnPair struct {
	Source schema.Column
	Target schema.Column
	Rule   ValueRule
}

// Schema is the schema of the plan's targets.
func (p *Plan) Schema() schema.Schema {
	s := schema.Schema{Engine: schema.Postgres}
	for i := range p.Tables {
		s.Tables = append(s.Tables, p.Tables[i].Target)
	}
	s.Sequences = sequencesOf(s.Tables)
	s.Sort()
	return s
}

// Table finds the plan of a target by its name; nil when there is none.
func (p *Plan) Table(target string) *TablePlan {
	for i := range p.Tables {
		if p.Tables[i].Target.Name == target {
			return &p.Tables[i]
		}
	}
	return nil
}

// planner joins a target and a source.
type planner struct {
	*converter
	live   *schema.Schema
	tables []*TablePlan
	// byName finds the target of a table of the source.
	byName map[string]*TablePlan
	// mapped has, for each target, the source column of each of its columns.
	mapped map[*TablePlan]map[string]*schema.Column
}

func newPlanner(prefix string, live *schema.Schema, taken func(string) bool) *planner {
	return &planner{
		converter: newConverter(prefix, newNamespace(taken)), live: live,
		byName: map[string]*TablePlan{}, mapped: map[*TablePlan]map[string]*schema.Column{},
	}
}

// add starts the plan of a table.
func (p *planner) add(source *schema.Table, target schema.Table) *TablePlan {
	t := &TablePlan{Source: source, Target: target}
	p.tables = append(p.tables, t)
	p.mapped[t] = map[string]*schema.Column{}
	if source != nil {
		p.byName[source.Name] = t
	}
	return t
}

// pair says that values of source go to the target's column name.
func (p *planner) pair(t *TablePlan, name string, source *schema.Column) { p.mapped[t][name] = source }

// match finds for each wanted name the table of the source: the one of exactly
// that name, or the only one that differs in case alone. The second result are
// the tables of the source that no name matches.
func (p *planner) match(names []string) (map[string]*schema.Table, []*schema.Table) {
	found := map[string]*schema.Table{}
	used := map[string]bool{}
	for _, name := range names {
		if t := p.live.Table(name); t != nil {
			found[name] = t
			used[name] = true
		}
	}
	folded := map[string][]*schema.Table{}
	for i := range p.live.Tables {
		if t := &p.live.Tables[i]; !used[t.Name] {
			key := strings.ToLower(t.Name)
			folded[key] = append(folded[key], t)
		}
	}
	for _, name := range names {
		if found[name] != nil {
			continue
		}
		switch same := folded[strings.ToLower(name)]; len(same) {
		case 0:
		case 1:
			found[name] = same[0]
			used[same[0].Name] = true
		default:
			p.find(Finding{
				Code: CodeTableAmbiguous, Severity: Error, Table: name,
				Message: fmt.Sprintf("%d tables of the source are called %q but for case: %s", len(same), name, tableNames(same)),
				Hint:    "rename all but one of them at the source",
			})
		}
	}
	var rest []*schema.Table
	for i := range p.live.Tables {
		if t := &p.live.Tables[i]; !used[t.Name] {
			rest = append(rest, t)
		}
	}
	return found, rest
}

func tableNames(tables []*schema.Table) string {
	names := make([]string, len(tables))
	for i, t := range tables {
		names[i] = fmt.Sprintf("%q", t.Name)
	}
	return strings.Join(names, ", ")
}

// extras chooses the tables that are migrated although nothing declares them.
func (p *planner) extras(rest []*schema.Table, include func(string) bool, otherPrefix bool) []*schema.Table {
	var chosen []*schema.Table
	for _, t := range rest {
		switch {
		case include != nil && !include(t.Name):
		case !otherPrefix && !hasPrefix(t.Name, p.prefix):
			p.find(Finding{
				Code: CodeOtherPrefix, Severity: Warning, Table: t.Name,
				Message: fmt.Sprintf("table %q does not begin with %q, so it is not this site's; it is left out", t.Name, p.prefix),
			})
		default:
			chosen = append(chosen, t)
		}
	}
	return chosen
}

// hasPrefix is strings.HasPrefix without regard to the case of ASCII letters.
func hasPrefix(name, prefix string) bool {
	return len(name) >= len(prefix) && strings.EqualFold(name[:len(prefix)], prefix)
}

// addExtra plans a table that nothing declares; its names come later.
func (p *planner) addExtra(source *schema.Table) *TablePlan {
	t := p.add(source, p.table(source))
	t.Create = true
	for i := range source.Columns {
		in := &source.Columns[i]
		if slices.ContainsFunc(t.Target.Columns, func(c schema.Column) bool { return c.Name == in.Name }) {
			p.pair(t, in.Name, in)
		}
	}
	p.find(Finding{
		Code: CodeTableExtra, Severity: Info, Table: source.Name,
		Message: fmt.Sprintf("no install.xml declares table %q; it is made as the source has it", source.Name),
	})
	return t
}

// leftOut tells of the views and sequences of the source, which are not migrated.
func (p *planner) leftOut(include func(string) bool) {
	for _, v := range p.live.Views {
		if include != nil && !include(v.Name) {
			continue
		}
		p.find(Finding{
			Code: CodeView, Severity: Warning, Table: v.Name,
			Message: fmt.Sprintf("%q is a view; views are not migrated, since their SQL is MySQL's", v.Name),
			Hint:    "make the view anew on PostgreSQL if the site needs it",
		})
	}
	for _, s := range p.live.Sequences {
		if include != nil && !include(s.Name) {
			continue
		}
		p.find(Finding{
			Code: CodeSequence, Severity: Warning, Table: s.Name,
			Message: fmt.Sprintf("%q is a sequence of MariaDB; those are not migrated", s.Name),
			Hint:    "make the sequence anew on PostgreSQL if the site needs it",
		})
	}
}

// finish computes the value rules and returns the plan.
func (p *planner) finish() (Plan, []Finding) {
	var plan Plan
	for _, t := range p.tables {
		p.rules(t)
		plan.Tables = append(plan.Tables, *t)
	}
	slices.SortFunc(plan.Tables, func(a, b TablePlan) int { return strings.Compare(a.Target.Name, b.Target.Name) })
	for i := range plan.Tables {
		sortObjects(&plan.Tables[i].Target)
	}
	sortFindings(p.findings)
	return plan, p.findings
}

// sortObjects puts indexes, keys and checks in the order of [schema.Schema.Sort].
func sortObjects(t *schema.Table) {
	one := schema.Schema{Tables: []schema.Table{*t}}
	one.Sort()
	*t = one.Tables[0]
}

// rules pairs the columns of a table, in the order of the target's.
func (p *planner) rules(t *TablePlan) {
	for _, target := range t.Target.Columns {
		source := p.mapped[t][target.Name]
		if source == nil {
			continue
		}
		rule, err := Value(*source, target)
		if err != nil {
			p.find(Finding{
				Code: CodeColumnType, Severity: Error, Table: t.Target.Name, Column: target.Name,
				Message: err.Error(),
				Hint:    "change the column's type at the source to what install.xml says, or exclude the table",
			})
			continue
		}
		if rule.NotNull && !target.AutoIncrement {
			p.find(Finding{
				Code: CodeColumnNullable, Severity: Warning, Table: t.Target.Name, Column: target.Name,
				Message: fmt.Sprintf("column %q may be NULL at the source and not at the target: a NULL would stop the copy", target.Name),
			})
		}
		if how := narrower(source.Type, target.Type); how != "" {
			severity := Warning
			if source.AutoIncrement {
				// No table counts that far, and BIGINT UNSIGNED was Moodle's own choice before 2.3.
				severity = Info
			}
			p.find(Finding{
				Code: CodeColumnNarrower, Severity: severity, Table: t.Target.Name, Column: target.Name,
				Message: fmt.Sprintf("column %q is %s at the source and %s at the target: %s would stop the copy",
					target.Name, typeText(source.Type), typeText(target.Type), how),
			})
		}
		t.Columns = append(t.Columns, ColumnPair{Source: *source, Target: target, Rule: rule})
	}
}
