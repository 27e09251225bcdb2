package postgres

import (
	"cmp"
	"fmt"
	"strings"

	pgtree "github.com/pganalyze/pg_query_go/v6"

	"github.com/moodledb/moodledb/schema"
)

// addConstraint adds a constraint to a table.
func (d *dumpReader) addConstraint(t *schema.Table, r relation, text string, k *pgtree.Constraint) error {
	at := int(k.GetLocation())
	if at < 0 || at > len(text) {
		return fmt.Errorf("constraint %q: the parser lost its place", k.GetConname())
	}
	switch k.GetContype() {
	case pgtree.ConstrType_CONSTR_CHECK:
		inner, _ := group(text, max(at, keywordAt(text, at, "CHECK")))
		t.Checks = append(t.Checks, schema.Check{Name: k.GetConname(), Expression: stripParens(inner)})
	case pgtree.ConstrType_CONSTR_FOREIGN:
		fk, err := d.foreignKey(r, k)
		if err != nil {
			return err
		}
		t.ForeignKeys = append(t.ForeignKeys, fk)
	case pgtree.ConstrType_CONSTR_PRIMARY, pgtree.ConstrType_CONSTR_UNIQUE, pgtree.ConstrType_CONSTR_EXCLUSION:
		if k.GetIndexname() != "" {
			return fmt.Errorf("constraint %q: it takes the index %q over", k.GetConname(), k.GetIndexname())
		}
		t.Indexes = append(t.Indexes, d.constraintIndex(t, r, text[at:], k))
	case pgtree.ConstrType_CONSTR_NOTNULL:
		for _, name := range namesOf(k.GetKeys()) {
			if c := t.Column(name); c != nil {
				c.NotNull = true
			}
		}
	default:
		return fmt.Errorf("constraint %q: unknown kind %s", k.GetConname(), k.GetContype())
	}
	return nil
}

// foreignKey makes a foreign key.
func (d *dumpReader) foreignKey(r relation, k *pgtree.Constraint) (schema.ForeignKey, error) {
	fk := schema.ForeignKey{
		Name: k.GetConname(), Columns: namesOf(k.GetFkAttrs()), RefColumns: namesOf(k.GetPkAttrs()),
		RefTable: k.GetPktable().GetRelname(),
	}
	if other := cmp.Or(k.GetPktable().GetSchemaname(), d.searchPath); other != cmp.Or(r.schema, d.searchPath) {
		fk.RefTable = qualify(other, fk.RefTable)
	}
	var err error
	if fk.OnDelete, err = action(cmp.Or(k.GetFkDelAction(), "a")); err == nil {
		fk.OnUpdate, err = action(cmp.Or(k.GetFkUpdAction(), "a"))
	}
	return fk, err
}

// constraintIndex makes the index behind a primary key, a unique or an exclusion
// constraint; source begins with the constraint. pg_dump prints no CREATE INDEX
// for these, so Definition is put together of what it does print.
func (d *dumpReader) constraintIndex(t *schema.Table, r relation, source string, k *pgtree.Constraint) schema.Index {
	x := schema.Index{
		Name: k.GetConname(), Method: cmp.Or(k.GetAccessMethod(), "btree"), Constraint: true,
		Primary:    k.GetContype() == pgtree.ConstrType_CONSTR_PRIMARY,
		Exclusion:  k.GetContype() == pgtree.ConstrType_CONSTR_EXCLUSION,
		Deferrable: k.GetDeferrable(), NullsNotDistinct: k.GetNullsNotDistinct(),
		Include: namesOf(k.GetIncluding()),
	}
	x.Unique = !x.Exclusion
	if len(x.Include) == 0 {
		x.Include = nil
	}
	for _, name := range namesOf(k.GetKeys()) {
		x.Parts = append(x.Parts, schema.IndexPart{Column: name})
		if c := t.Column(name); c != nil && x.Primary {
			c.NotNull = true
		}
	}
	inner, end := group(source, 0)
	if x.Exclusion {
		parts := elements(inner)
		for i, e := range k.GetExclusions() {
			if items := e.GetList().GetItems(); len(items) > 0 && i < len(parts) {
				x.Parts = append(x.Parts, indexPart(t, parts[i], items[0].GetIndexElem(), x.Method))
			}
		}
		if k.GetWhereClause() != nil {
			x.Where, _ = group(source, max(end, keywordAt(source, end, "WHERE")))
			x.Where = "(" + stripOnce(x.Where) + ")"
		}
		return x
	}
	name := QuoteIdent(x.Name)
	if i := keywordAt(source, 0, "CONSTRAINT"); i == 0 {
		start := tokenEnd(source, len("CONSTRAINT"))
		name = source[start:tokenEnd(source, start)]
	}
	on := " ON "
	if t.Partitioned {
		on = " ON ONLY "
	}
	x.Definition = "CREATE UNIQUE INDEX " + name + on + d.spell(r) + " USING btree (" + inner + ")"
	if len(x.Include) > 0 {
		include, _ := group(source, end)
		x.Definition += " INCLUDE (" + include + ")"
	}
	if x.NullsNotDistinct {
		x.Definition += " NULLS NOT DISTINCT"
	}
	return x
}

// stripOnce takes one pair of outer parentheses away.
func stripOnce(expr string) string {
	if strings.HasPrefix(expr, "(") && closingParen(expr) == len(expr)-1 {
		return expr[1 : len(expr)-1]
	}
	return expr
}

// spell prints the name of a table as the dump has it.
func (d *dumpReader) spell(r relation) string {
	if s := d.schema(r.schema); s.spelled[r.name] != "" {
		return s.spelled[r.name]
	}
	return qualify(r.schema, r.name)
}

// createIndex carries out CREATE INDEX.
func (d *dumpReader) createIndex(text string, r relation, n *pgtree.IndexStmt) error {
	s := d.schema(r.schema)
	t := s.table(r.name)
	if t == nil {
		if s.isView(r.name) {
			return nil
		}
		return fmt.Errorf("it is on %q: %w", r.name, errNoTable)
	}
	x := schema.Index{
		Name: n.GetIdxname(), Unique: n.GetUnique(), Method: n.GetAccessMethod(), NullsNotDistinct: n.GetNullsNotDistinct(), Definition: text,
	}
	using := max(0, keywordAt(text, 0, "ON"))
	inner, end := group(text, using)
	parts := elements(inner)
	if len(parts) != len(n.GetIndexParams()) {
		return fmt.Errorf("the parser read %d parts of the index %q", len(n.GetIndexParams()), x.Name)
	}
	for i, p := range n.GetIndexParams() {
		x.Parts = append(x.Parts, indexPart(t, parts[i], p.GetIndexElem(), x.Method))
	}
	for _, p := range n.GetIndexIncludingParams() {
		x.Include = append(x.Include, p.GetIndexElem().GetName())
	}
	if n.GetWhereClause() != nil {
		if at := keywordAt(text, end, "WHERE"); at >= 0 {
			x.Where = strings.TrimSpace(text[at+len("WHERE"):])
		}
	}
	t.Indexes = append(t.Indexes, x)
	return nil
}

// indexPart makes one part of an index; source is its spelling.
func indexPart(t *schema.Table, source string, e *pgtree.IndexElem, method string) schema.IndexPart {
	p := schema.IndexPart{Column: e.GetName(), OpClass: qualifyNames(namesOf(e.GetOpclass())), Collation: qualifyNames(namesOf(e.GetCollation()))}
	if e.GetExpr() != nil {
		_, end := group(source, 0) // a call ends there, or the expression is in parentheses
		p.Expression = stripParens(source[:end])
		p.Collation = cmp.Or(p.Collation, impliedCollation(t, e.GetExpr()))
	}
	if method == "btree" {
		p.Descending = e.GetOrdering() == pgtree.SortByDir_SORTBY_DESC
		p.NullsFirst = p.Descending
		switch e.GetNullsOrdering() {
		case pgtree.SortByNulls_SORTBY_NULLS_FIRST:
			p.NullsFirst = true
		case pgtree.SortByNulls_SORTBY_NULLS_LAST:
			p.NullsFirst = false
		default: // that of the direction
		}
	}
	return p
}

// impliedCollation returns the collation that an expression has without saying
// so behind it: its own, or that of the column whose case it changes. What other functions
// make of a collation only the server knows.
func impliedCollation(t *schema.Table, n *pgtree.Node) string {
	if c := n.GetCollateClause(); c != nil {
		return qualifyNames(namesOf(c.GetCollname()))
	}
	call := n.GetFuncCall()
	names := namesOf(call.GetFuncname())
	if len(names) == 0 || len(call.GetArgs()) != 1 {
		return ""
	}
	switch names[len(names)-1] {
	case "lower", "upper", "initcap":
	default:
		return ""
	}
	column := namesOf(call.GetArgs()[0].GetColumnRef().GetFields())
	if len(column) == 0 {
		return ""
	}
	if c := t.Column(column[len(column)-1]); c != nil {
		return c.Collation
	}
	return ""
}
