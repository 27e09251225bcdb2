package mysql

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/pingcap/tidb/pkg/parser/ast"

	"github.com/moodledb/moodledb/schema"
)

// constraints adds the keys, foreign keys and checks of b to a table.
func (p *tableBuilder) constraints(t *schema.Table, created *ast.CreateTableStmt, b *tableSource) {
	for i, k := range created.Constraints {
		if k.Tp == ast.ConstraintForeignKey {
			t.ForeignKeys = append(t.ForeignKeys, foreignKey(t, k))
			continue
		}
		t.Indexes = append(t.Indexes, p.index(t, k, b.keys[i]))
	}
	for _, c := range b.checks {
		t.Checks = append(t.Checks, p.newCheck(t, c, c.name))
	}
}

// index makes an index or the primary key.
func (p *tableBuilder) index(t *schema.Table, k *ast.Constraint, cl keyClauses) schema.Index {
	x := schema.Index{Name: k.Name, Method: cmp.Or(cl.method, p.method(t, k))}
	switch k.Tp {
	case ast.ConstraintPrimaryKey:
		x.Name, x.Primary, x.Unique = "PRIMARY", true, true
	case ast.ConstraintUniq, ast.ConstraintUniqKey, ast.ConstraintUniqIndex:
		x.Unique = true
	default: // an index like any other
	}
	if o := k.Option; o != nil {
		x.Comment, x.Invisible = o.Comment, o.Visibility == ast.IndexVisibilityInvisible
	}
	for i, key := range k.Keys {
		part := schema.IndexPart{Descending: key.Desc}
		if key.Column != nil {
			part.Column = columnName(t, key.Column.Name.O)
			if key.Length > 0 && cl.method != "spatial" {
				part.Prefix = int64(key.Length)
			}
		} else if i < len(cl.expressions) {
			part.Expression = normalExpression(cl.expressions[i])
		}
		if c := t.Column(part.Column); c != nil && x.Primary {
			c.NotNull = true
		}
		x.Parts = append(x.Parts, part)
	}
	if x.Name == "" && len(x.Parts) > 0 {
		x.Name = freeIndexName(t, cmp.Or(x.Parts[0].Column, "functional_index"))
	}
	return x
}

// columnName spells the name of a column as its definition does.
func columnName(t *schema.Table, name string) string {
	if c := t.Column(name); c != nil {
		return c.Name
	}
	return name
}

// method returns the kind of an index. MEMORY hashes unless told otherwise, and
// InnoDB and MyISAM do so for nothing but MariaDB's long unique keys.
func (p *tableBuilder) method(t *schema.Table, k *ast.Constraint) string {
	asked := ""
	if k.Option != nil && k.Option.Tp != ast.IndexTypeInvalid {
		asked = strings.ToLower(k.Option.Tp.String())
	}
	switch {
	case strings.EqualFold(t.StorageEngine, "MEMORY"), strings.EqualFold(t.StorageEngine, "NDBCLUSTER"):
		return cmp.Or(asked, "hash")
	case p.engine == schema.MySQL, asked == "":
		return "btree"
	default:
		return asked
	}
}

// freeIndexName returns the name that a server gives to an index without one.
func freeIndexName(t *schema.Table, column string) string {
	taken := map[string]bool{}
	for _, x := range t.Indexes {
		taken[strings.ToLower(x.Name)] = true
	}
	name := column
	for n := 2; taken[strings.ToLower(name)]; n++ {
		name = fmt.Sprintf("%s_%d", column, n)
	}
	return name
}

// foreignKey makes a foreign key.
func foreignKey(t *schema.Table, k *ast.Constraint) schema.ForeignKey {
	fk := schema.ForeignKey{
		Name: cmp.Or(k.Name, fmt.Sprintf("%s_ibfk_%d", t.Name, len(t.ForeignKeys)+1)), OnDelete: "restrict", OnUpdate: "restrict",
	}
	for _, key := range k.Keys {
		if key.Column != nil {
			fk.Columns = append(fk.Columns, columnName(t, key.Column.Name.O))
		}
	}
	r := k.Refer
	if r == nil {
		return fk
	}
	if r.Table != nil {
		fk.RefTable = r.Table.Name.O
		if r.Table.Schema.O != "" {
			fk.RefTable = QuoteIdent(r.Table.Schema.O) + "." + QuoteIdent(r.Table.Name.O)
		}
	}
	for _, key := range r.IndexPartSpecifications {
		if key.Column != nil {
			fk.RefColumns = append(fk.RefColumns, key.Column.Name.O)
		}
	}
	if r.OnDelete != nil {
		fk.OnDelete = referenceAction(r.OnDelete.ReferOpt)
	}
	if r.OnUpdate != nil {
		fk.OnUpdate = referenceAction(r.OnUpdate.ReferOpt)
	}
	return fk
}

// referenceAction spells the rule of a foreign key.
func referenceAction(o ast.ReferOptionType) string {
	if o == ast.ReferOptionNoOption {
		return "restrict"
	}
	return action(strings.ToUpper(o.String()))
}
