package postgres

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	pgtree "github.com/pganalyze/pg_query_go/v6"

	"github.com/moodledb/moodledb/schema"
)

// alterTable carries out ALTER TABLE, and ALTER SEQUENCE, VIEW and INDEX as far
// as the parser takes them for the same.
func (d *dumpReader) alterTable(text string, r relation, n *pgtree.AlterTableStmt) error {
	s := d.schema(r.schema)
	t := s.table(r.name)
	for _, node := range n.GetCmds() {
		cmd := node.GetAlterTableCmd()
		switch {
		case cmd.GetSubtype() == pgtree.AlterTableType_AT_ChangeOwner:
			s.own(r.name, cmd.GetNewowner().GetRolename())
		case cmd.GetSubtype() == pgtree.AlterTableType_AT_AttachPartition:
			part := relationOf(cmd.GetDef().GetPartitionCmd().GetName())
			if p := d.schema(part.schema).table(part.name); p != nil {
				p.Inherited = true
			}
		case t == nil:
			// Of views and sequences nothing else counts, and pg_dump --clean
			// begins with what it drops of tables that are not there yet.
			if !s.isView(r.name) && !s.isSequence(r.name) && n.GetObjtype() == pgtree.ObjectType_OBJECT_TABLE && !drops(cmd) {
				return fmt.Errorf("it changes %q: %w", r.name, errNoTable)
			}
		default:
			if err := d.alter(t, r, text, cmd); err != nil {
				return err
			}
		}
	}
	return nil
}

// drops reports whether a command takes something away.
func drops(cmd *pgtree.AlterTableCmd) bool {
	switch cmd.GetSubtype() {
	case pgtree.AlterTableType_AT_DropColumn, pgtree.AlterTableType_AT_DropConstraint, pgtree.AlterTableType_AT_DropIdentity,
		pgtree.AlterTableType_AT_DropNotNull, pgtree.AlterTableType_AT_DetachPartition:
		return true
	case pgtree.AlterTableType_AT_ColumnDefault:
		return cmd.GetDef() == nil
	default:
		return false
	}
}

// alter carries out one command of ALTER TABLE.
func (d *dumpReader) alter(t *schema.Table, r relation, text string, cmd *pgtree.AlterTableCmd) error {
	switch cmd.GetSubtype() {
	case pgtree.AlterTableType_AT_AddConstraint:
		return d.addConstraint(t, r, text, cmd.GetDef().GetConstraint())
	case pgtree.AlterTableType_AT_AddColumn:
		return d.addColumn(t, r.schema, text, cmd.GetDef().GetColumnDef())
	case pgtree.AlterTableType_AT_EnableRowSecurity:
		t.RowSecurity = true
	case pgtree.AlterTableType_AT_DisableRowSecurity:
		t.RowSecurity = false
	case pgtree.AlterTableType_AT_AddInherit:
		t.Inherited = true
	case pgtree.AlterTableType_AT_SetUnLogged, pgtree.AlterTableType_AT_SetLogged:
		t.Unlogged = cmd.GetSubtype() == pgtree.AlterTableType_AT_SetUnLogged
	case pgtree.AlterTableType_AT_ColumnDefault, pgtree.AlterTableType_AT_AddIdentity, pgtree.AlterTableType_AT_SetNotNull, pgtree.AlterTableType_AT_DropNotNull:
		c := t.Column(cmd.GetName())
		if c == nil {
			return fmt.Errorf("it changes the column %q, which the table has not", cmd.GetName())
		}
		return d.alterColumn(t, c, r, text, cmd)
	case pgtree.AlterTableType_AT_DropConstraint:
		name := cmd.GetName()
		t.Indexes = slices.DeleteFunc(t.Indexes, func(x schema.Index) bool { return x.Constraint && x.Name == name })
		t.ForeignKeys = slices.DeleteFunc(t.ForeignKeys, func(k schema.ForeignKey) bool { return k.Name == name })
		t.Checks = slices.DeleteFunc(t.Checks, func(k schema.Check) bool { return k.Name == name })
	case pgtree.AlterTableType_AT_DropColumn, pgtree.AlterTableType_AT_AlterColumnType, pgtree.AlterTableType_AT_DropIdentity,
		pgtree.AlterTableType_AT_DropInherit, pgtree.AlterTableType_AT_DetachPartition, pgtree.AlterTableType_AT_SetExpression,
		pgtree.AlterTableType_AT_DropExpression, pgtree.AlterTableType_AT_SetIdentity, pgtree.AlterTableType_AT_AddOf:
		return fmt.Errorf("it does what pg_dump never writes: %s", strings.TrimPrefix(cmd.GetSubtype().String(), "AT_"))
	default: // statistics, storage, triggers that are off: nothing that Inspect reads
	}
	return nil
}

// alterColumn carries out one command about a column.
func (d *dumpReader) alterColumn(t *schema.Table, c *schema.Column, r relation, text string, cmd *pgtree.AlterTableCmd) error {
	switch cmd.GetSubtype() {
	case pgtree.AlterTableType_AT_AddIdentity:
		return d.setIdentity(r, t, c, cmd.GetDef().GetConstraint())
	case pgtree.AlterTableType_AT_SetNotNull, pgtree.AlterTableType_AT_DropNotNull:
		c.NotNull = cmd.GetSubtype() == pgtree.AlterTableType_AT_SetNotNull
		return nil
	default:
		c.AutoIncrement, c.Sequence, c.Default = false, "", schema.Default{}
	}
	if cmd.GetDef() == nil {
		return nil
	}
	at := keywordAt(text, 0, "DEFAULT")
	if at < 0 || keywordAt(text, at+1, "DEFAULT") >= 0 {
		return fmt.Errorf("column %q: it sets more than one default", c.Name)
	}
	at += len("DEFAULT")
	setDefault(c, cmp.Or(r.schema, d.searchPath), strings.TrimSpace(text[at:elementEnd(text, at)]))
	return nil
}

// setIdentity makes a column an identity, with the sequence behind it.
func (d *dumpReader) setIdentity(r relation, t *schema.Table, c *schema.Column, k *pgtree.Constraint) error {
	switch k.GetGeneratedWhen() {
	case "a":
		c.Identity = "always"
	case "d":
		c.Identity = "by default"
	default:
		return fmt.Errorf("unknown kind of identity %q", k.GetGeneratedWhen())
	}
	name := relation{r.schema, t.Name + "_" + c.Name + "_seq"}
	for _, o := range k.GetOptions() {
		if names := namesOf(o.GetDefElem().GetArg().GetList().GetItems()); o.GetDefElem().GetDefname() == "sequence_name" && len(names) > 0 {
			name.name = names[len(names)-1]
		}
	}
	c.AutoIncrement, c.NotNull, c.Sequence = true, true, name.name
	return d.createSequence(name, k.GetOptions(), schema.Sequence{
		Type: c.Type.Name, Owner: t.Owner, OwnedByTable: t.Name, OwnedByColumn: c.Name,
	})
}

// own notes who owns a relation, and the sequences of its identities with it.
func (s *dumpSchema) own(name, owner string) {
	if t := s.table(name); t != nil {
		t.Owner = owner
	}
	for i := range s.schema.Views {
		if s.schema.Views[i].Name == name {
			s.schema.Views[i].Owner = owner
		}
	}
	for i := range s.schema.Sequences {
		if q := &s.schema.Sequences[i]; q.Name == name {
			q.Owner = owner
		}
	}
}

func (s *dumpSchema) isView(name string) bool {
	return slices.ContainsFunc(s.schema.Views, func(v schema.View) bool { return v.Name == name })
}

func (s *dumpSchema) isSequence(name string) bool { return s.sequence(name) != nil }

// sequence finds a sequence; nil when there is none.
func (s *dumpSchema) sequence(name string) *schema.Sequence {
	for i := range s.schema.Sequences {
		if s.schema.Sequences[i].Name == name {
			return &s.schema.Sequences[i]
		}
	}
	return nil
}
