package postgres

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	pgtree "github.com/pganalyze/pg_query_go/v6"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/schema"
)

// maxElements is more than a table can have of columns and constraints. It bounds the time of reading nonsense.
const maxElements = 10_000

// createTable carries out CREATE TABLE.
func (d *dumpReader) createTable(text string, r relation, n *pgtree.CreateStmt) error {
	if d.full != d.database && d.full != "" {
		return fmt.Errorf("%w: %s, %s; make a dump of one of them, with pg_dump NAME", ErrSeveralDatabases, d.full, d.database)
	}
	s := d.schema(r.schema)
	t := schema.Table{
		Name: r.name, Unlogged: n.GetRelation().GetRelpersistence() == "u", Partitioned: n.GetPartspec() != nil,
		Inherited: len(n.GetInhRelations()) > 0, Rows: -1, Bytes: -1,
	}
	switch {
	case n.GetRelation().GetRelpersistence() == "t":
		return nil
	case len(n.GetTableElts()) > maxElements:
		return fmt.Errorf("it has %d columns and constraints", len(n.GetTableElts()))
	}
	for _, p := range n.GetInhRelations() {
		parent := relationOf(p.GetRangeVar())
		from := d.schema(parent.schema).table(parent.name)
		if from == nil {
			return fmt.Errorf("it inherits from %q: %w", parent.name, errNoTable)
		}
		inherit(&t, from)
	}
	for _, e := range n.GetTableElts() {
		var err error
		switch e := e.GetNode().(type) {
		case *pgtree.Node_ColumnDef:
			err = d.addColumn(&t, r.schema, text, e.ColumnDef)
		case *pgtree.Node_Constraint:
			err = d.addConstraint(&t, r, text, e.Constraint)
		default:
			err = fmt.Errorf("it is made like another table")
		}
		if err != nil {
			return err
		}
	}
	if _, ok := s.tables[r.name]; ok {
		return fmt.Errorf("the dump makes the table %q twice", r.name)
	}
	s.tables[r.name] = len(s.schema.Tables)
	s.schema.Tables = append(s.schema.Tables, t)
	if at := int(n.GetRelation().GetLocation()); at >= 0 && at < len(text) {
		s.spelled[r.name] = spelledName(text[at:])
	}
	d.full = d.database
	return nil
}

// spelledName returns the qualified name at the beginning of text.
func spelledName(text string) string {
	end := tokenEnd(text, 0)
	if strings.HasPrefix(text[end:], ".") && end+1 < len(text) {
		end = tokenEnd(text, end+1)
	}
	return text[:end]
}

// inherit gives a table what its parent has. Defaults that draw from a sequence
// come by statements of their own.
func inherit(t, parent *schema.Table) {
	for _, c := range parent.Columns {
		if t.Column(c.Name) == nil {
			t.Columns = append(t.Columns, c)
		}
	}
	t.Checks = append(t.Checks, parent.Checks...)
}

// addColumn adds a column. One that is inherited too is merged with it.
func (d *dumpReader) addColumn(t *schema.Table, schemaName, text string, n *pgtree.ColumnDef) error {
	begin := int(n.GetLocation())
	if begin < 0 || begin > len(text) {
		return fmt.Errorf("column %q: the parser lost its place", n.GetColname())
	}
	end := elementEnd(text, begin)
	c := schema.Column{Name: n.GetColname()}
	// The clauses in the order of the source; each ends where the next begins.
	places := []int{end}
	if n.GetCollClause() != nil {
		places = append(places, int(n.GetCollClause().GetLocation()))
		c.Collation = qualifyNames(namesOf(n.GetCollClause().GetCollname()))
	}
	for _, k := range n.GetConstraints() {
		places = append(places, int(k.GetConstraint().GetLocation()))
	}
	slices.Sort(places)
	clause := func(from int) string {
		to := end
		for _, p := range places {
			if p > from {
				to = min(to, p)
				break
			}
		}
		return strings.TrimSpace(text[min(from, to):to])
	}
	c.Type = dumpType(clause(int(n.GetTypeName().GetLocation())))
	if err := d.serial(t, &c, schemaName); err != nil {
		return err
	}
	for _, k := range n.GetConstraints() {
		if err := d.columnConstraint(t, &c, schemaName, clause(int(k.GetConstraint().GetLocation())), text, k.GetConstraint()); err != nil {
			return fmt.Errorf("column %q: %w", c.Name, err)
		}
	}
	if t.Inherited {
		if old := t.Column(c.Name); old != nil && old.Name == c.Name {
			c.NotNull = c.NotNull || old.NotNull
			*old = c
			return nil
		}
	}
	t.Columns = append(t.Columns, c)
	return nil
}

// serial resolves the pseudo-types that make a sequence too. pg_dump never
// prints them, but scripts that were written by hand or by this program do.
func (d *dumpReader) serial(t *schema.Table, c *schema.Column, schemaName string) error {
	for _, base := range []string{"smallint", "integer", "bigint"} {
		if serialType(base) != c.Type.Name {
			continue
		}
		c.Type, c.NotNull, c.AutoIncrement = newType(base, base), true, true
		c.Sequence, c.SequenceOwned = convert.SequenceName(t.Name, c.Name), true
		owned := schema.Sequence{Type: base, OwnedByTable: t.Name, OwnedByColumn: c.Name}
		return d.createSequence(relation{schemaName, c.Sequence}, nil, owned)
	}
	return nil
}

// dumpType makes a type of its spelling, which is that of format_type.
func dumpType(raw string) schema.Type {
	name := bareName(raw)
	if strings.HasPrefix(raw, `"bit"`) || strings.HasPrefix(raw, "bpchar") {
		name = bareName(strings.TrimSuffix(raw, "[]"))
		if strings.HasSuffix(raw, "[]") {
			name += "[]"
		}
	}
	return newType(name, raw)
}

// columnConstraint reads one clause of a column; source is its spelling.
func (d *dumpReader) columnConstraint(t *schema.Table, c *schema.Column, schemaName, source, text string, k *pgtree.Constraint) error {
	switch k.GetContype() {
	case pgtree.ConstrType_CONSTR_NOTNULL:
		c.NotNull = true
	case pgtree.ConstrType_CONSTR_NULL, pgtree.ConstrType_CONSTR_ATTR_NOT_DEFERRABLE, pgtree.ConstrType_CONSTR_ATTR_IMMEDIATE:
	case pgtree.ConstrType_CONSTR_DEFAULT:
		setDefault(c, cmp.Or(schemaName, d.searchPath), strings.TrimSpace(source[min(len(source), len("DEFAULT")):]))
	case pgtree.ConstrType_CONSTR_GENERATED:
		inner, end := group(source, 0)
		c.Generated, c.Expression = schema.GeneratedStored, stripParens(inner)
		if strings.HasPrefix(source[end:], virtual) {
			c.Generated = schema.GeneratedVirtual
		}
	case pgtree.ConstrType_CONSTR_IDENTITY:
		return d.setIdentity(relation{schemaName, t.Name}, t, c, k)
	case pgtree.ConstrType_CONSTR_CHECK, pgtree.ConstrType_CONSTR_PRIMARY, pgtree.ConstrType_CONSTR_UNIQUE, pgtree.ConstrType_CONSTR_FOREIGN:
		// pg_dump writes them behind the columns; people write them here.
		return d.ownConstraint(t, c, relation{schemaName, t.Name}, text, k)
	default:
		return fmt.Errorf("unknown clause %q", source)
	}
	return nil
}

// ownConstraint adds a constraint that stands with its only column.
func (d *dumpReader) ownConstraint(t *schema.Table, c *schema.Column, r relation, text string, k *pgtree.Constraint) error {
	column := []*pgtree.Node{pgtree.MakeStrNode(c.Name)}
	name := t.Name + "_" + c.Name
	switch k.GetContype() {
	case pgtree.ConstrType_CONSTR_PRIMARY:
		c.NotNull = true
		k.Keys, name = column, t.Name+"_pkey"
	case pgtree.ConstrType_CONSTR_UNIQUE:
		k.Keys = column
		name += "_key"
	case pgtree.ConstrType_CONSTR_FOREIGN:
		k.FkAttrs = column
		name += "_fkey"
	default:
		name += "_check"
	}
	k.Conname = cmp.Or(k.GetConname(), name)
	return d.addConstraint(t, r, text, k)
}

// setDefault gives a column its default, which may make it one that counts.
func setDefault(c *schema.Column, schemaName, expr string) {
	if isNextval.MatchString(expr) {
		inner, _ := group(expr, 0)
		if text, ok := unquote(strings.TrimSuffix(inner, "::regclass")); ok {
			names := splitName(text)
			if len(names) == 1 || len(names) == 2 && names[0] == schemaName {
				c.AutoIncrement, c.Sequence, c.Default = true, names[len(names)-1], schema.Default{}
				return
			}
		}
	}
	c.Default = parseDefault(expr, c.Type)
}

// qualifyNames spells the name of a catalog object as Inspect does: bare when
// it is the server's own.
func qualifyNames(names []string) string {
	switch {
	case len(names) == 0:
		return ""
	case len(names) == 1 || names[len(names)-2] == "pg_catalog":
		return names[len(names)-1]
	}
	return qualify(names[len(names)-2], names[len(names)-1])
}
