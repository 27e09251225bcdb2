package diff

import (
	"slices"

	"github.com/moodledb/moodledb/schema"
)

// TableChanges are the changes of one table, as fixes are made of them.
type TableChanges struct {
	Table   string
	Changes []Change
}

// ByTable groups changes, in their order.
func ByTable(changes []Change) []TableChanges {
	var tables []TableChanges
	at := map[string]int{}
	for _, c := range changes {
		i, ok := at[c.Table]
		if !ok {
			i = len(tables)
			at[c.Table] = i
			tables = append(tables, TableChanges{Table: c.Table})
		}
		tables[i].Changes = append(tables[i].Changes, c)
	}
	return tables
}

// Each calls do for the changes with one of the codes.
func (t *TableChanges) Each(do func(Change), codes ...Code) {
	for _, c := range t.Changes {
		if slices.Contains(codes, c.Code) {
			do(c)
		}
	}
}

// FoundName is the name under which the object of a change was found, or else
// under which it is known.
func (c Change) FoundName() string {
	switch {
	case c.Have != "":
		return c.Have
	case c.Object != "":
		return c.Object
	}
	return c.Table
}

// ColumnChanges are the changes of one column that is on both sides.
type ColumnChanges struct {
	Want, Have schema.Column
	// Fixed is Have with that of Want which the changes are about.
	Fixed schema.Column
	Codes []Code
}

// Columns gathers the changes of columns that are on both sides, in the order of
// the found ones. Changes with one of the codes of except belong to something else.
func (t *TableChanges) Columns(want, have *schema.Table, except ...Code) []ColumnChanges {
	expected := map[string]*schema.Column{}
	codes := map[string][]Code{}
	for _, c := range t.Changes {
		if c.Kind != KindColumn || c.Code == ColumnMissing || c.Code == ColumnExtra || slices.Contains(except, c.Code) {
			continue
		}
		h := have.Column(c.FoundName())
		name := c.Want
		if name == "" {
			name = c.FoundName()
		}
		w := want.Column(name)
		if h == nil || w == nil {
			continue
		}
		if expected[h.Name] == nil {
			expected[h.Name] = w
		}
		codes[h.Name] = append(codes[h.Name], c.Code)
	}
	var list []ColumnChanges
	for _, h := range have.Columns {
		if w := expected[h.Name]; w != nil {
			list = append(list, ColumnChanges{Want: *w, Have: h, Fixed: FixedColumn(*w, h, codes[h.Name]), Codes: codes[h.Name]})
		}
	}
	return list
}

// IndexChanges are the changes of one index.
type IndexChanges struct {
	// Want and Have are its names; empty where there is none.
	Want, Have string
	Codes      []Code
}

// Indexes gathers the changes of indexes, but for those that are about the primary key.
func (t *TableChanges) Indexes(primary func(Change) bool) []*IndexChanges {
	var list []*IndexChanges
	for _, c := range t.Changes {
		if c.Kind != KindIndex || primary(c) {
			continue
		}
		i := slices.IndexFunc(list, func(x *IndexChanges) bool { return x.Want == c.Want && x.Have == c.Have })
		if i < 0 {
			i = len(list)
			list = append(list, &IndexChanges{Want: c.Want, Have: c.Have})
		}
		list[i].Codes = append(list[i].Codes, c.Code)
	}
	return list
}
