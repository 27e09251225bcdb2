package convert

import (
	"fmt"
	"slices"
	"strings"

	"github.com/moodledb/moodledb/schema"
)

// foreignKeys gives every table that is made its foreign keys: the declared
// ones and the source's, as far as they have something to refer to.
func (p *planner) foreignKeys() {
	for _, t := range p.tables {
		if t.Create && t.Source != nil {
			p.addForeignKeys(t)
		}
	}
	p.alignTypes()
	for _, t := range p.tables {
		if !t.Create {
			continue
		}
		t.Target.ForeignKeys = slices.DeleteFunc(t.Target.ForeignKeys, func(fk schema.ForeignKey) bool {
			why := p.impossible(t, &fk)
			if why != "" {
				p.find(Finding{
					Code: CodeForeignKeyDropped, Severity: Warning, Table: t.Target.Name, Constraint: fk.Name,
					Message: fmt.Sprintf("foreign key %q is left out: %s", fk.Name, why),
					Hint:    "make it on PostgreSQL if the site needs it",
				})
			}
			return why != ""
		})
	}
}

// addForeignKeys adds the source's foreign keys that are not declared.
func (p *planner) addForeignKeys(t *TablePlan) {
	for _, in := range t.Source.ForeignKeys {
		fk := schema.ForeignKey{Name: in.Name, OnDelete: in.OnDelete, OnUpdate: in.OnUpdate, RefTable: in.RefTable}
		fk.Columns = p.targetNames(&t.Target, in.Columns)
		fk.RefColumns = in.RefColumns
		if ref := p.targetOf(in.RefTable); ref != nil {
			fk.RefTable = ref.Target.Name
			fk.RefColumns = p.targetNames(&ref.Target, in.RefColumns)
		}
		if slices.ContainsFunc(t.Target.ForeignKeys, func(d schema.ForeignKey) bool {
			return d.RefTable == fk.RefTable && slices.Equal(d.Columns, fk.Columns) && slices.Equal(d.RefColumns, fk.RefColumns)
		}) {
			continue
		}
		fk.Name = foreignKeyName(&t.Target, &fk)
		t.Target.ForeignKeys = append(t.Target.ForeignKeys, fk)
	}
}

// targetOf finds the plan of a table of the source, as a foreign key names it:
// lower_case_table_names may make the catalog spell it in another case.
func (p *planner) targetOf(source string) *TablePlan {
	if t := p.byName[source]; t != nil {
		return t
	}
	for _, t := range p.tables {
		if t.Source != nil && strings.EqualFold(t.Source.Name, source) {
			return t
		}
	}
	return nil
}

// targetNames spells columns of the source as the target does.
func (p *planner) targetNames(target *schema.Table, columns []string) []string {
	names := slices.Clone(columns)
	for i := range names {
		if c := target.Column(names[i]); c != nil {
			names[i] = c.Name
		}
	}
	return names
}

// foreignKeyName keeps the source's name, which must be free in the table alone.
func foreignKeyName(t *schema.Table, fk *schema.ForeignKey) string {
	used := map[string]bool{}
	for _, x := range t.Checks {
		used[x.Name] = true
	}
	for _, x := range t.ForeignKeys {
		used[x.Name] = true
	}
	for _, x := range t.Indexes {
		used[x.Name] = true
	}
	if fk.Name != "" && len(fk.Name) <= maxIdentifier && !used[fk.Name] {
		return fk.Name
	}
	return newNamespace(func(name string) bool { return used[name] }).object(t.Name, strings.Join(fk.Columns, "_"), "fkey")
}

// alignTypes makes a column that refers to a bigint a bigint as well. By the
// rules a bigint unsigned is a numeric, unless it counts by itself, and
// PostgreSQL cannot join the two. Keys may refer to columns that refer
// themselves, so it goes on until nothing changes.
func (p *planner) alignTypes() {
	for changed := true; changed; {
		changed = false
		for _, t := range p.tables {
			if !t.Create {
				continue
			}
			for _, fk := range t.Target.ForeignKeys {
				if p.alignKey(t, &fk) {
					changed = true
				}
			}
		}
	}
}

func (p *planner) alignKey(t *TablePlan, fk *schema.ForeignKey) bool {
	ref := p.tableNamed(fk.RefTable)
	if ref == nil || len(fk.Columns) != len(fk.RefColumns) {
		return false
	}
	changed := false
	for i := range fk.Columns {
		c, to := t.Target.Column(fk.Columns[i]), ref.Column(fk.RefColumns[i])
		if c == nil || to == nil || c.Type.Name != "numeric" || intBits(to.Type.Name) == 0 || c.Origin.Declared() {
			continue
		}
		p.find(Finding{
			Code: CodeForeignKeyType, Severity: Info, Table: t.Target.Name, Column: c.Name,
			Message: fmt.Sprintf("column %q becomes %s and not %s, like column %q of %q, to which it refers",
				c.Name, to.Type.Name, typeText(c.Type), to.Name, ref.Name),
		})
		c.Type = to.Type
		changed = true
	}
	return changed
}

// tableNamed finds a table of the target.
func (p *planner) tableNamed(name string) *schema.Table {
	for _, t := range p.tables {
		if t.Target.Name == name {
			return &t.Target
		}
	}
	return nil
}

// impossible says why PostgreSQL would not take a foreign key; empty when it would.
func (p *planner) impossible(t *TablePlan, fk *schema.ForeignKey) string {
	ref := p.tableNamed(fk.RefTable)
	if ref == nil {
		return fmt.Sprintf("table %q, to which it refers, is not migrated", fk.RefTable)
	}
	if len(fk.Columns) == 0 || len(fk.Columns) != len(fk.RefColumns) {
		return "its columns do not match those to which it refers"
	}
	for i := range fk.Columns {
		c, to := t.Target.Column(fk.Columns[i]), ref.Column(fk.RefColumns[i])
		switch {
		case c == nil:
			return fmt.Sprintf("there is no column %q", fk.Columns[i])
		case to == nil:
			return fmt.Sprintf("table %q has no column %q", ref.Name, fk.RefColumns[i])
		case !joinable(c.Type.Name, to.Type.Name):
			return fmt.Sprintf("column %q is %s, and column %q of %q is %s", c.Name, typeText(c.Type), to.Name, ref.Name, typeText(to.Type))
		}
	}
	if !isKey(ref, fk.RefColumns) {
		return fmt.Sprintf("(%s) of table %q is not unique, which PostgreSQL wants", strings.Join(fk.RefColumns, ", "), ref.Name)
	}
	for _, action := range []string{fk.OnDelete, fk.OnUpdate} {
		switch action {
		case "", "no action", "restrict", "cascade", "set null", "set default":
		default:
			return fmt.Sprintf("there is no rule for the action %q", action)
		}
	}
	return ""
}

// joinable reports whether a column may refer to one of another type.
func joinable(from, to string) bool {
	text := func(name string) bool { return name == "text" || name == "character varying" }
	switch {
	case from == to, text(from) && text(to):
		return true
	case intBits(from) > 0:
		return intBits(to) > 0 || to == "numeric"
	}
	return false
}

// isKey reports whether an index keeps the columns unique, in whatever order.
func isKey(t *schema.Table, columns []string) bool {
	return slices.ContainsFunc(t.Indexes, func(x schema.Index) bool {
		names := x.Columns()
		return (x.Unique || x.Primary) && x.Where == "" && len(names) == len(columns) &&
			!slices.ContainsFunc(columns, func(c string) bool { return !slices.Contains(names, c) })
	})
}
