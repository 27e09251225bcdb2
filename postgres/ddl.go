package postgres

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/schema"
)

// The functions of this file and of ddl_index.go return statements without a
// closing semicolon; where several are needed they are separated by ";\n",
// which the simple query protocol runs in one go. An empty schemaName leaves
// the objects unqualified.

// CreateTable makes a table: columns with NOT NULL and DEFAULT, but no keys
// and no indexes. An AutoIncrement column becomes serial or bigserial when
// PostgreSQL would give its sequence the wanted name ([schema.Column.Sequence],
// empty for PostgreSQL's choice); otherwise the sequence is made first and
// given to the column.
//
// Partitioning and inheritance are not reproduced: a partitioned table comes
// out as a plain one.
func CreateTable(schemaName string, t schema.Table) string {
	return strings.Join(createTable(schemaName, t), ";\n")
}

// createTable returns the statements of CreateTable one by one.
func createTable(schemaName string, t schema.Table) []string {
	var before, after, columns []string
	for i := range t.Columns {
		c := &t.Columns[i]
		if c.AutoIncrement && !isSerial(t.Name, c) && c.Identity == "" {
			create, own := columnSequence(schemaName, t.Name, c)
			before = append(before, create)
			if own != "" {
				after = append(after, own)
			}
		}
		columns = append(columns, "    "+columnSQL(schemaName, t.Name, c))
	}
	kind := "TABLE"
	if t.Unlogged {
		kind = "UNLOGGED TABLE"
	}
	create := fmt.Sprintf("CREATE %s %s (\n%s\n)", kind, qualify(schemaName, t.Name), strings.Join(columns, ",\n"))
	return append(append(before, create), after...)
}

// isSerial reports whether the pseudo-types serial, bigserial and smallserial
// make exactly the column c.
func isSerial(table string, c *schema.Column) bool {
	if !c.AutoIncrement || c.Identity != "" || serialType(c.Type.Name) == "" || !c.NotNull {
		return false
	}
	return c.Sequence == "" || c.SequenceOwned && c.Sequence == convert.SequenceName(table, c.Name)
}

func serialType(typeName string) string {
	switch typeName {
	case "smallint":
		return "smallserial"
	case "integer":
		return "serial"
	case "bigint":
		return "bigserial"
	}
	return ""
}

// columnSequence makes the sequence of an AutoIncrement column by hand.
func columnSequence(schemaName, table string, c *schema.Column) (create, own string) {
	name := columnSequenceName(table, c)
	owned := c.SequenceOwned || c.Sequence == ""
	create = "CREATE SEQUENCE "
	if !owned {
		// Several columns may draw from a sequence that none of them owns.
		create += "IF NOT EXISTS "
	}
	create += qualify(schemaName, name)
	if c.Type.Name == "smallint" || c.Type.Name == "integer" {
		create += " AS " + c.Type.Name
	}
	if owned {
		own = OwnSequence(schemaName, name, table, c.Name)
	}
	return create, own
}

func columnSequenceName(table string, c *schema.Column) string {
	if c.Sequence != "" {
		return c.Sequence
	}
	return convert.SequenceName(table, c.Name)
}

// columnSQL spells one column of CREATE TABLE.
func columnSQL(schemaName, table string, c *schema.Column) string {
	name := QuoteIdent(c.Name)
	if isSerial(table, c) {
		// A serial column is NOT NULL by itself.
		return name + " " + serialType(c.Type.Name)
	}
	parts := []string{name, typeSQL(c.Type)}
	if c.Collation != "" {
		parts = append(parts, "COLLATE "+quoteMaybeQualified("", c.Collation))
	}
	if c.NotNull {
		parts = append(parts, "NOT NULL")
	}
	switch {
	case c.Identity != "":
		parts = append(parts, identitySQL(schemaName, table, c))
	case c.Generated != schema.NotGenerated:
		parts = append(parts, fmt.Sprintf("GENERATED ALWAYS AS (%s) %s",
			stripParens(c.Expression), strings.ToUpper(string(c.Generated))))
	case c.AutoIncrement:
		parts = append(parts, "DEFAULT nextval("+regclass(schemaName, columnSequenceName(table, c))+")")
	default:
		if d := defaultSQL(c.Default, c.Type); d != "" {
			parts = append(parts, "DEFAULT "+d)
		}
	}
	return strings.Join(parts, " ")
}

func identitySQL(schemaName, table string, c *schema.Column) string {
	clause := "GENERATED " + strings.ToUpper(c.Identity) + " AS IDENTITY"
	if c.Sequence != "" && c.Sequence != convert.SequenceName(table, c.Name) {
		clause += " (SEQUENCE NAME " + qualify(schemaName, c.Sequence) + ")"
	}
	return clause
}

// defaultSQL spells a default; empty when there is none.
func defaultSQL(d schema.Default, t schema.Type) string {
	switch d.Kind {
	case schema.LiteralDefault:
		return literalSQL(d.Text, t)
	case schema.ExpressionDefault:
		return d.Text
	default:
		return ""
	}
}

// CreateSequence makes a sequence that belongs to no serial column. Its
// position is set with [SetSequence], its owner column with [OwnSequence].
func CreateSequence(schemaName string, s schema.Sequence) string {
	parts := []string{"CREATE SEQUENCE " + qualify(schemaName, s.Name)}
	if s.Type != "" && s.Type != "bigint" {
		parts = append(parts, "AS "+s.Type)
	}
	if s.Increment != 0 {
		parts = append(parts, "INCREMENT BY "+strconv.FormatInt(s.Increment, 10))
	}
	if s.Min != 0 || s.Max != 0 {
		parts = append(parts,
			"MINVALUE "+strconv.FormatInt(s.Min, 10),
			"MAXVALUE "+strconv.FormatInt(s.Max, 10),
			"START WITH "+strconv.FormatInt(s.Start, 10))
	} else if s.Start != 0 {
		parts = append(parts, "START WITH "+strconv.FormatInt(s.Start, 10))
	}
	if s.Cycle {
		parts = append(parts, "CYCLE")
	}
	return strings.Join(parts, " ")
}

// OwnSequence gives a sequence to a column, so that it is dropped with it.
func OwnSequence(schemaName, sequence, table, column string) string {
	return fmt.Sprintf("ALTER SEQUENCE %s OWNED BY %s.%s",
		qualify(schemaName, sequence), qualify(schemaName, table), QuoteIdent(column))
}

// SetSequence makes next the value that the sequence gives out next.
func SetSequence(schemaName, sequence string, next int64) string {
	return fmt.Sprintf("SELECT pg_catalog.setval(%s, %d, false)", regclass(schemaName, sequence), next)
}

// CommentTable sets the comment of a table; an empty one removes it.
func CommentTable(schemaName, table, comment string) string {
	return "COMMENT ON TABLE " + qualify(schemaName, table) + " IS " + commentSQL(comment)
}

// CommentColumn sets the comment of a column; an empty one removes it.
func CommentColumn(schemaName, table, column, comment string) string {
	return fmt.Sprintf("COMMENT ON COLUMN %s.%s IS %s",
		qualify(schemaName, table), QuoteIdent(column), commentSQL(comment))
}

// CommentIndex sets the comment of an index; an empty one removes it.
func CommentIndex(schemaName, index, comment string) string {
	return "COMMENT ON INDEX " + qualify(schemaName, index) + " IS " + commentSQL(comment)
}

func commentSQL(comment string) string {
	if comment == "" {
		return "NULL"
	}
	return QuoteLiteral(comment)
}

// CreateView makes a view or a materialized view of its definition. The
// definition stands as the server printed it and may name its own schema.
func CreateView(schemaName string, v schema.View) string {
	kind := "VIEW"
	if v.Materialized {
		kind = "MATERIALIZED VIEW"
	}
	return fmt.Sprintf("CREATE %s %s AS\n%s", kind, qualify(schemaName, v.Name),
		strings.TrimSuffix(strings.TrimSpace(v.Definition), ";"))
}

// CopyStatement loads rows in binary format into the columns, in their order.
func CopyStatement(schemaName, table string, columns []string) string {
	return fmt.Sprintf("COPY %s (%s) FROM STDIN (FORMAT binary)", qualify(schemaName, table), quoteIdents(columns))
}

// FreezeStatement is [CopyStatement] for a table that the same transaction has
// made or emptied: its rows are written as visible to all, for good.
func FreezeStatement(schemaName, table string, columns []string) string {
	return fmt.Sprintf("COPY %s (%s) FROM STDIN (FORMAT binary, FREEZE)", qualify(schemaName, table), quoteIdents(columns))
}

// SetVacuum switches autovacuum off for a table while it is loaded, or gives it
// back to the server's settings.
func SetVacuum(schemaName, table string, off bool) string {
	if off {
		return "ALTER TABLE " + qualify(schemaName, table) + " SET (autovacuum_enabled = off, toast.autovacuum_enabled = off)"
	}
	return "ALTER TABLE " + qualify(schemaName, table) + " RESET (autovacuum_enabled, toast.autovacuum_enabled)"
}

// TruncateTables empties all the tables at once. Sequences stay as they are.
func TruncateTables(schemaName string, tables []string) string {
	return "TRUNCATE TABLE " + qualifyAll(schemaName, tables)
}

// DropTables drops all the tables at once, with whatever depends on them.
func DropTables(schemaName string, tables []string) string {
	return "DROP TABLE " + qualifyAll(schemaName, tables) + " CASCADE"
}

// DropTablesIfExist drops those of the tables that are there.
func DropTablesIfExist(schemaName string, tables []string) string {
	return "DROP TABLE IF EXISTS " + qualifyAll(schemaName, tables) + " CASCADE"
}

// Analyze collects the planner's statistics of a table.
func Analyze(schemaName, table string) string {
	return "ANALYZE " + qualify(schemaName, table)
}

func qualifyAll(schemaName string, names []string) string {
	all := make([]string, len(names))
	for i, n := range names {
		all[i] = qualify(schemaName, n)
	}
	return strings.Join(all, ", ")
}
