package diff

import (
	"fmt"
	"slices"
	"strings"

	"github.com/moodledb/moodledb/schema"
)

// tables compares all tables.
func (d *differ) tables() {
	if d.opts.Declared {
		d.definitions()
	}
	pairs, extra := d.pairTables()
	for _, p := range pairs {
		if p.have != nil {
			d.findRenamed(p.want, p.have)
		}
	}
	owner := d.owner(pairs)
	for _, p := range pairs {
		switch {
		case d.unread(p.want.Name):
		case p.have == nil, p.have.Name != p.want.Name:
			d.tableMissing(p.want, p.have)
		default:
			d.compareTable(p.want, p.have, owner)
		}
	}
	for _, t := range extra {
		if !partOf(t, pairs) {
			d.extraTable(t)
		}
	}
}

// partOf reports whether a table is a partition of a table that is reported as
// partitioned. The catalogs do not tell of which, but a part has the columns of the whole.
func partOf(t *schema.Table, pairs []tablePair) bool {
	return t.Inherited && slices.ContainsFunc(pairs, func(p tablePair) bool {
		return p.have != nil && p.have.Partitioned && len(p.have.Columns) == len(t.Columns) &&
			!slices.ContainsFunc(t.Columns, func(c schema.Column) bool { return p.have.Column(c.Name) == nil })
	})
}

// tablePair is an expected table and the found one; have is nil when there is none.
type tablePair struct{ want, have *schema.Table }

// pairTables finds the table of each expected one: that of the same name, or
// the only one whose name differs in case alone. The others are extra. Tables of
// another prefix are not looked at.
func (d *differ) pairTables() (pairs []tablePair, extra []*schema.Table) {
	taken := map[string]bool{}
	folded := map[string][]*schema.Table{}
	names := map[string]*schema.Table{}
	for i := range d.have.Tables {
		t := &d.have.Tables[i]
		names[t.Name] = t
		folded[strings.ToLower(t.Name)] = append(folded[strings.ToLower(t.Name)], t)
	}
	for i := range d.want.Tables {
		p := tablePair{want: &d.want.Tables[i]}
		p.have = names[p.want.Name]
		if p.have == nil {
			if same := folded[strings.ToLower(p.want.Name)]; len(same) == 1 && d.want.Table(same[0].Name) == nil {
				p.have = same[0]
			}
		}
		if p.have != nil {
			taken[p.have.Name] = true
		}
		if strings.HasPrefix(p.want.Name, d.opts.Prefix) {
			pairs = append(pairs, p)
		}
	}
	for i := range d.have.Tables {
		if t := &d.have.Tables[i]; !taken[t.Name] {
			extra = append(extra, t)
		}
	}
	return pairs, extra
}

// tableMissing reports an expected table that was not found, or found as
// something else or elsewhere, or as one whose name differs in case (like).
func (d *differ) tableMissing(t, like *schema.Table) {
	c := Change{Code: TableMissing, Table: t.Name, Want: t.Name, Expected: "a table", Found: "none", Origin: t.Origin}
	component := t.Origin.Component
	_, installed := d.opts.Installed[component]
	for i := range d.have.Views {
		if v := &d.have.Views[i]; v.Name == t.Name {
			c.Code, c.Have, c.Found = TableIsView, v.Name, viewText(v)
			d.add(c)
			return
		}
	}
	if like != nil {
		c.Have, c.Found = like.Name, like.Name
		c.Message = fmt.Sprintf("a declared table is missing: only %s is there, whose name differs in case", like.Name)
		d.add(c)
		return
	}
	for _, e := range d.have.Elsewhere {
		if e.Name == t.Name {
			c.Found = fmt.Sprintf("one in the schema %s", e.Schema)
			c.Message = fmt.Sprintf("a declared table is missing from its schema; queries find one in the schema %s", e.Schema)
			break
		}
	}
	if d.opts.Declared && d.opts.Installed != nil && component != "" && component != "core" && !installed {
		c.Code = TableNotInstalled
		c.Message = fmt.Sprintf("the code of %s is there, but the plugin is not installed", component)
	}
	d.add(c)
}

func viewText(v *schema.View) string {
	switch {
	case v.Foreign:
		return "a foreign table"
	case v.Materialized:
		return "a materialized view"
	default:
		return "a view"
	}
}

// compareTable compares a table that is on both sides.
func (d *differ) compareTable(want, have *schema.Table, owner string) {
	if strings.TrimSpace(have.StorageEngine) == "" && d.have.Engine.IsMySQL() && want.StorageEngine != "" {
		// Its columns may be known, but not its indexes.
		d.tableChange(want, have, Change{
			Code: TableEngine, Expected: want.StorageEngine, Found: "a table that the server cannot open",
			Message: "the server cannot open the table: " + noneOr(have.Comment),
		})
		return
	}
	d.tableOptions(want, have)
	d.tableServer(want, have, owner)
	d.collations(want, have)
	d.columns(want, have)
	d.keysAndIndexes(want, have)
}

// tableChange reports a change of a table as a whole.
func (d *differ) tableChange(want, have *schema.Table, c Change) {
	c.Table, c.Want, c.Have, c.Origin = have.Name, want.Name, have.Name, want.Origin
	d.add(c)
}

// tableOptions compares storage engine, row format, partitioning and versioning.
func (d *differ) tableOptions(want, have *schema.Table) {
	if want.StorageEngine != "" && have.StorageEngine != "" && !strings.EqualFold(want.StorageEngine, have.StorageEngine) {
		d.tableChange(want, have, Change{
			Code: TableEngine, Expected: want.StorageEngine, Found: have.StorageEngine,
			Message: fmt.Sprintf("the storage engine is %s instead of %s", have.StorageEngine, want.StorageEngine),
		})
	} else if !strings.EqualFold(want.RowFormat, have.RowFormat) && oldRowFormat(have.RowFormat) && !oldRowFormat(want.RowFormat) {
		// Another engine has row formats of its own.
		d.tableChange(want, have, Change{
			Code: TableRowFormat, Expected: "Dynamic or Compressed", Found: have.RowFormat,
			Message: fmt.Sprintf("the row format is %s", have.RowFormat),
		})
	}
	if have.Partitioned && !want.Partitioned {
		c := Change{Code: TablePartitioned, Expected: "a plain table", Found: "a partitioned table"}
		if d.have.Engine.IsMySQL() {
			c.Severity = Warning
		}
		d.tableChange(want, have, c)
	}
	for _, is := range []struct {
		code       Code
		want, have bool
		found      string
	}{
		{TableInherited, want.Inherited, have.Inherited, "a child or a partition of another table"},
		{TableVersioned, want.SystemVersioned, have.SystemVersioned, "a system-versioned table"},
		{TableUnlogged, want.Unlogged, have.Unlogged, "an unlogged table"},
		{TableRowSecurity, want.RowSecurity, have.RowSecurity, "row level security"},
	} {
		if is.have && !is.want {
			d.tableChange(want, have, Change{Code: is.code, Expected: "a plain table", Found: is.found})
		}
	}
}

// oldRowFormat reports whether InnoDB had the row format before Barracuda.
func oldRowFormat(format string) bool {
	return strings.EqualFold(format, "Compact") || strings.EqualFold(format, "Redundant")
}

// tableServer compares the owner, and looks for relations that hide the table.
func (d *differ) tableServer(want, have *schema.Table, owner string) {
	if owner != "" && have.Owner != "" && have.Owner != owner && have.Owner != want.Owner {
		d.tableChange(want, have, Change{
			Code: TableOwner, Expected: owner, Found: have.Owner,
			Message: fmt.Sprintf("the table belongs to %s, not to %s as the site's tables do", have.Owner, owner),
		})
	}
	for _, e := range d.have.Elsewhere {
		if e.Name != have.Name || slices.ContainsFunc(d.want.Elsewhere, func(w schema.Elsewhere) bool {
			return w.Name == e.Name && w.First == e.First
		}) {
			continue
		}
		c := Change{Code: TableShadowed, Object: e.Schema, Expected: "no other", Found: "one in the schema " + e.Schema}
		c.Message = fmt.Sprintf("the schema %s, which the search path names first, has a relation of that name", e.Schema)
		if !e.First {
			c.Severity = Warning
			c.Message = fmt.Sprintf("the schema %s, which is on the search path too, has a relation of that name", e.Schema)
		}
		d.tableChange(want, have, c)
	}
}

// owner is the role that should own the tables: the owner of the table config,
// unless that was given away alone, or else of most tables.
func (d *differ) owner(pairs []tablePair) string {
	if d.opts.Owner != "" {
		return d.opts.Owner
	}
	count := map[string]int{}
	best := ""
	for _, p := range pairs {
		if p.have == nil || p.have.Owner == "" {
			continue
		}
		o := p.have.Owner
		count[o]++
		if best == "" || count[o] > count[best] || count[o] == count[best] && o < best {
			best = o
		}
	}
	if t := d.have.Table(d.opts.Prefix + "config"); t != nil && t.Owner != "" && (count[t.Owner] > 1 || count[best] == 1) {
		return t.Owner
	}
	return best
}

// collations compares character sets and collations of a table and its columns.
// Columns that are all as the table is belong to the change of the table.
func (d *differ) collations(want, have *schema.Table) {
	shared, apart := 0, 0
	type pair struct{ w, h *schema.Column }
	var differ []pair
	differs := want.Collation != "" && have.Collation != "" && !sameCollation(want.Collation, have.Collation)
	for i := range want.Columns {
		w := &want.Columns[i]
		name := w.Name
		if renamed := d.renamedColumn(want.Name, name); renamed != "" {
			name = renamed
		}
		h := d.column(have, name)
		if h == nil || !d.ruleOf(w.Type).family.character() || !d.ruleOf(h.Type).family.character() {
			continue
		}
		if sameCollation(w.Collation, h.Collation) || d.have.Engine.IsMySQL() && (w.Collation == "" || h.Collation == "") {
			apart++
			continue
		}
		if sameCollation(h.Collation, have.Collation) {
			shared++
		} else {
			apart++
		}
		differ = append(differ, pair{w, h})
	}
	whole := differs && shared > 0 && apart == 0
	if differs {
		c := Change{Code: TableCollation, Expected: want.Collation, Found: have.Collation}
		c.Message = fmt.Sprintf("the table's default collation is %s instead of %s", have.Collation, want.Collation)
		if whole {
			c.Message = fmt.Sprintf("the table and its text columns (%d) have the collation %s instead of %s", shared, have.Collation, want.Collation)
		}
		d.tableChange(want, have, c)
	}
	if whole {
		return
	}
	for _, p := range differ {
		c := d.columnChange(have, p.w, p.h)
		c.Code, c.Expected, c.Found = ColumnCollation, noneOr(p.w.Collation), noneOr(p.h.Collation)
		if charsetName(p.w.Charset) != charsetName(p.h.Charset) && p.h.Charset != "" {
			c.Code = ColumnCharset
		}
		c.Message = fmt.Sprintf("the collation is %s instead of %s", c.Found, c.Expected)
		d.add(d.placed(c, want))
	}
}

// sameCollation compares collations by what they are.
func sameCollation(a, b string) bool {
	charsetA, restA, _ := strings.Cut(a, "_")
	charsetB, restB, _ := strings.Cut(b, "_")
	return charsetName(charsetA) == charsetName(charsetB) && restA == restB
}

// charsetName is what servers of today call a character set.
func charsetName(name string) string {
	if name == "utf8" {
		return "utf8mb3"
	}
	return name
}

// views reports views and foreign tables that stand for no expected table.
func (d *differ) views() {
	expected := map[string]bool{}
	for i := range d.want.Views {
		v := &d.want.Views[i]
		expected[v.Name] = true
		if d.unread(v.Name) || d.hasView(v.Name) || d.have.Table(v.Name) != nil || !strings.HasPrefix(v.Name, d.opts.Prefix) {
			continue
		}
		d.add(Change{
			Code: TableMissing, Kind: KindView, Table: v.Name, Want: v.Name, Expected: viewText(v), Found: "none", Message: "a view is missing",
		})
	}
	for i := range d.have.Views {
		v := &d.have.Views[i]
		if !strings.HasPrefix(v.Name, d.opts.Prefix) || expected[v.Name] || d.unread(v.Name) || d.want.Table(v.Name) != nil {
			continue
		}
		d.add(Change{Code: ViewExtra, Table: v.Name, Have: v.Name, Expected: "none", Found: viewText(v)})
	}
}

func (d *differ) hasView(name string) bool {
	for i := range d.have.Views {
		if d.have.Views[i].Name == name {
			return true
		}
	}
	return false
}
