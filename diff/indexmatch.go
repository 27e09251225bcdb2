package diff

import (
	"fmt"
	"slices"
	"strings"

	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/xmldb"
)

// columnNames translates names of columns of a table that is on both sides, so
// that they can be compared: MySQL and MariaDB do not regard case, and a column
// may have been renamed.
type columnNames struct {
	mysql bool
	// anyLanguage says that a site chooses the language of its text search, as
	// those of Totara do (dboptions, ftslanguage).
	anyLanguage bool
	// found has, by the name of an expected column, that of the found one; empty
	// for a column that is missing.
	found map[string]string
	// declared are the found columns that are expected, by any name.
	declared map[string]bool
	// columns are all found columns.
	columns map[string]*schema.Column
}

func (d *differ) columnNames(want, have *schema.Table) *columnNames {
	n := &columnNames{
		mysql: d.have.Engine.IsMySQL(), anyLanguage: d.opts.Declared && d.opts.Product == xmldb.Totara, found: map[string]string{},
		declared: map[string]bool{}, columns: map[string]*schema.Column{},
	}
	for i := range have.Columns {
		n.columns[n.fold(have.Columns[i].Name)] = &have.Columns[i]
	}
	for i := range want.Columns {
		name := n.fold(want.Columns[i].Name)
		as := name
		if renamed := d.renamedColumn(want.Name, want.Columns[i].Name); renamed != "" {
			as = n.fold(renamed)
		}
		if n.columns[as] == nil {
			as = ""
		}
		n.found[name] = as
		n.declared[as] = as != ""
	}
	return n
}

// fold spells a name for comparisons.
func (n *columnNames) fold(name string) string {
	if n.mysql {
		return strings.ToLower(name)
	}
	return name
}

// translate gives the found name of an expected column, the name itself for anything else.
func (n *columnNames) translate(name string) string {
	if found := n.found[n.fold(name)]; found != "" {
		return found
	}
	return n.fold(name)
}

// missing reports whether an expected column was not found.
func (n *columnNames) missing(name string) bool {
	found, expected := n.found[n.fold(name)]
	return expected && found == ""
}

// expectedName is for [expression.names]: the columns that are expected, by their found names.
func (n *columnNames) expectedName(name string) (string, bool) {
	_, ok := n.found[n.fold(name)]
	return n.translate(name), ok
}

// foundName is for [expression.names]: the columns that were found.
func (n *columnNames) foundName(name string) (string, bool) {
	name = n.fold(name)
	return name, n.columns[name] != nil
}

// indexView is an index as it is compared: without its name, and without what
// makes no difference.
type indexView struct {
	x       *schema.Index
	parts   []partView
	unique  bool
	method  string
	where   string
	include []string
	// nullsEqual says that two NULLs are doubles. Where none can be stored it is never set.
	nullsEqual bool
}

// partView is one element of an index as it is compared.
type partView struct {
	column string
	// expression is what is indexed instead of a column; columns are those that it mentions.
	expression string
	columns    []string
	prefix     int64
	descending bool
	nulls      bool // NULLs are not where they are by default
	opClass    string
	collation  string
	// missing says that the found table lacks an expected column that the part needs.
	missing bool
}

// expected views an index of the expected table, in the names of the found one.
func (n *columnNames) expected(x *schema.Index, t *schema.Table) *indexView {
	v := n.view(x, n.translate)
	for i, p := range x.Parts {
		q := &v.parts[i]
		if p.Expression == "" {
			q.column, q.missing = n.translate(p.Column), n.missing(p.Column)
			q.columns = []string{q.column}
		} else {
			e := parseExpression(p.Expression, n.mysql)
			q.expression = n.spell(e, n.translate)
			q.columns = e.names(n.expectedName)
			q.missing = slices.ContainsFunc(e, func(t token) bool { return t.isName() && n.missing(t.text) })
		}
	}
	n.simplify(v, func(p *schema.IndexPart) *schema.Column { return t.Column(p.Column) })
	return v
}

// actual views an index of the found table.
func (n *columnNames) actual(x *schema.Index) *indexView {
	v := n.view(x, n.fold)
	for i, p := range x.Parts {
		q := &v.parts[i]
		if p.Expression == "" {
			q.column = n.fold(p.Column)
			q.columns = []string{q.column}
		} else {
			e := parseExpression(p.Expression, n.mysql)
			q.expression = n.spell(e, n.fold)
			q.columns = e.names(n.foundName)
		}
	}
	n.simplify(v, func(p *schema.IndexPart) *schema.Column { return n.columns[n.fold(p.Column)] })
	return v
}

// spell spells an indexed expression for comparisons.
func (n *columnNames) spell(e expression, name func(string) string) string {
	if n.anyLanguage && len(e) > 1 && e[0].text == "to_tsvector" && e[1].kind == tokenString {
		e = slices.Clone(e)
		e[1].text = ""
	}
	return e.spell(name)
}

// view is what both sides have in common.
func (n *columnNames) view(x *schema.Index, name func(string) string) *indexView {
	v := &indexView{x: x, unique: x.Unique || x.Primary, method: x.Method, parts: make([]partView, len(x.Parts))}
	if v.method == "" {
		v.method = "btree"
	}
	if x.Where != "" {
		v.where = parseExpression(x.Where, n.mysql).spell(name)
	}
	for _, c := range x.Include {
		v.include = append(v.include, name(c))
	}
	slices.Sort(v.include) // the order of columns that are only stored says nothing
	return v
}

// simplify fills in what depends on columns, and leaves out what says nothing
// with the method of the index.
func (n *columnNames) simplify(v *indexView, column func(*schema.IndexPart) *schema.Column) {
	nullable := false
	for i := range v.x.Parts {
		p, q := &v.x.Parts[i], &v.parts[i]
		c := column(p)
		nullable = nullable || c == nil || !c.NotNull
		if c == nil || c.Type.Length == 0 || p.Prefix < c.Type.Length {
			q.prefix = p.Prefix
		}
		if v.method == "btree" {
			q.descending = p.Descending
			q.nulls = !n.mysql && p.NullsFirst != p.Descending
		}
		q.opClass = opClass(p.OpClass)
		q.collation = p.Collation
	}
	v.nullsEqual = v.x.NullsNotDistinct && v.unique && nullable
	if v.method == "fulltext" {
		// The words of all columns are one set.
		slices.SortFunc(v.parts, func(a, b partView) int { return strings.Compare(a.column, b.column) })
	}
}

// opClass gives classes that do the same one name. Those of varchar are those
// of text by another name.
func opClass(name string) string {
	switch name {
	case "varchar_ops", "text_ops":
		return ""
	case "varchar_pattern_ops":
		return "text_pattern_ops"
	}
	return name
}

// pattern reports whether v is the index for LIKE that Moodle adds on PostgreSQL.
func (v *indexView) pattern() bool {
	return len(v.parts) == 1 && v.parts[0].opClass == "text_pattern_ops"
}

// definition spells the index for comparisons: indexes of the same definition do the same.
func (v *indexView) definition() string { return v.definitionOf(v.parts) }

func (v *indexView) definitionOf(parts []partView) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%t|%s|%s|%q|%t|%t|%t", v.unique, v.method, v.where, v.include, v.nullsEqual, v.x.Deferrable, v.x.Exclusion)
	for _, p := range parts {
		fmt.Fprintf(&b, "|%s|%s|%d|%t|%t|%s|%s", p.column, p.expression, p.prefix, p.descending, p.nulls, p.opClass, p.collation)
	}
	return b.String()
}

// present are the parts whose columns the found table has.
func (v *indexView) present() []partView {
	var parts []partView
	for _, p := range v.parts {
		if !p.missing {
			parts = append(parts, p)
		}
	}
	return parts
}

// plainColumns reports whether the index is an ordinary one on whole columns,
// and which these are.
func (v *indexView) plainColumns() (columns []string, ok bool) {
	if v.method != "btree" || v.where != "" || v.x.Exclusion {
		return nil, false
	}
	for _, p := range v.parts {
		if p.column == "" || p.prefix != 0 || p.descending || p.nulls || p.opClass != "" || p.collation != "" {
			return nil, false
		}
		columns = append(columns, p.column)
	}
	return columns, true
}

// The ways in which a found index resembles an expected one, the closest first.
const (
	sameOrder = iota
	sameSet
	sameExpressions
	notAlike
)

// likeness compares what two indexes are on, and returns the parts of h in the
// order of those of w.
func likeness(w, h *indexView) (int, []partView) {
	n := len(w.parts)
	if n != len(h.parts) || h.x.Exclusion != w.x.Exclusion {
		return notAlike, nil
	}
	result := sameOrder
	for i, p := range w.parts {
		q := h.parts[i]
		switch {
		case p.column == q.column && p.expression == q.expression:
		case q.expression != "" && slices.Contains(q.columns, p.column),
			q.expression != "" && p.expression != "" && len(p.columns) > 0 && slices.Equal(p.columns, q.columns):
			result = sameExpressions
		default:
			return likeSet(w, h)
		}
	}
	return result, h.parts
}

// likeSet tells whether h is on the columns of w in another order.
func likeSet(w, h *indexView) (int, []partView) {
	var parts []partView
	for _, p := range w.parts {
		i := slices.IndexFunc(h.parts, func(q partView) bool { return q.column != "" && q.column == p.column })
		if i < 0 {
			return notAlike, nil
		}
		parts = append(parts, h.parts[i])
	}
	return sameSet, parts
}

// difference is one attribute in which a found index differs from the expected one.
type difference struct {
	code     Code
	severity Severity // empty for that of the code
	// expected and found are phrases; where they are empty, the whole definitions say it.
	expected, found string
}

// differences lists the attributes in which h differs from w, on which it is as like says.
func differences(w, h *indexView, like int, parts []partView) []difference {
	worse := func(severity Severity) Severity {
		if w.unique {
			return Error
		}
		return severity
	}
	var out []difference
	find := func(differs bool, f difference) {
		if differs {
			out = append(out, f)
		}
	}
	find(w.unique && !h.unique, difference{code: IndexUniquenessLost})
	find(!w.unique && h.unique, difference{code: IndexUniquenessAdded})
	// The words of a full-text index have no order.
	find(like == sameSet && w.method != "fulltext" && h.method != "fulltext", difference{code: IndexColumnOrder})
	find(like == sameExpressions, difference{code: IndexExpression, severity: worse("")})
	find(w.method != h.method, difference{code: IndexMethod})
	find(w.where != h.where, difference{code: IndexPartial, severity: worse("")})
	find(!slices.Equal(w.include, h.include), difference{code: IndexInclude})
	find(w.nullsEqual != h.nullsEqual, difference{code: IndexNulls})
	find(w.x.Deferrable != h.x.Deferrable, difference{code: IndexDeferrable, expected: yesNo(w.x.Deferrable, "deferrable"), found: yesNo(h.x.Deferrable, "deferrable")})
	find(hidden(w, h), difference{code: IndexInvisible, expected: "visible", found: "invisible"})
	find(broken(w, h), difference{code: IndexInvalid, expected: "valid", found: "invalid"})
	if w.method != h.method {
		return out // another method has other parts: prefixes, orders and operator classes follow from it
	}
	differs := func(f func(p, q partView) bool) bool {
		for i := range parts {
			if f(w.parts[i], parts[i]) {
				return true
			}
		}
		return false
	}
	find(differs(func(p, q partView) bool { return p.prefix != q.prefix }), difference{code: IndexPrefix, severity: worse("")})
	find(differs(func(p, q partView) bool { return p.descending != q.descending || p.nulls != q.nulls }), difference{code: IndexDescending})
	same := func(p, q partView) bool { return p.expression == q.expression }
	find(differs(func(p, q partView) bool { return same(p, q) && p.opClass != q.opClass }), difference{code: IndexOperatorClass})
	find(differs(func(p, q partView) bool { return same(p, q) && p.collation != q.collation }), difference{code: IndexCollation})
	return out
}

// hidden and broken report whether h does not work where w does.
func hidden(w, h *indexView) bool { return h.x.Invisible && !w.x.Invisible }
func broken(w, h *indexView) bool { return h.x.Invalid && !w.x.Invalid }

func yesNo(is bool, what string) string {
	if is {
		return what
	}
	return "not " + what
}

// indexText spells an index for people: what it is on, and what is special about it.
func indexText(x *schema.Index) string {
	var b strings.Builder
	if x.Unique && !x.Primary {
		b.WriteString("unique ")
	}
	if x.Method != "" && x.Method != "btree" {
		b.WriteString(x.Method + " ")
	}
	parts := make([]string, len(x.Parts))
	for i, p := range x.Parts {
		parts[i] = partText(p)
	}
	b.WriteString("(" + strings.Join(parts, ", ") + ")")
	if len(x.Include) > 0 {
		b.WriteString(" INCLUDE (" + strings.Join(x.Include, ", ") + ")")
	}
	if x.NullsNotDistinct {
		b.WriteString(" NULLS NOT DISTINCT")
	}
	if x.Where != "" {
		b.WriteString(" WHERE " + x.Where)
	}
	return b.String()
}

func partText(p schema.IndexPart) string {
	text := p.Column + p.Expression
	if p.Prefix > 0 {
		text += fmt.Sprintf("(%d)", p.Prefix)
	}
	if p.Collation != "" {
		text += " COLLATE " + p.Collation
	}
	if p.OpClass != "" {
		text += " " + p.OpClass
	}
	if p.Descending {
		text += " DESC"
	}
	if p.NullsFirst && !p.Descending {
		text += " NULLS FIRST"
	}
	return text
}
