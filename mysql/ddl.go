package mysql

import (
	"fmt"
	"strings"

	"github.com/moodledb/moodledb/schema"
)

// CreateTable spells the statement that makes a table, without a semicolon: one
// CREATE TABLE with keys and indexes inlined, as Moodle's installer sends it.
// MySQL and MariaDB both execute it, as long as both know the types.
//
// What only one of them knows stands in comments that the other skips. The
// partitions of a partitioned table are not part of a schema.Table and so not of
// the statement.
func CreateTable(t schema.Table) string {
	lines := make([]string, 0, len(t.Columns)+len(t.Indexes)+len(t.ForeignKeys)+len(t.Checks))
	for _, c := range t.Columns {
		lines = append(lines, columnSQL(t, c))
	}
	for _, x := range t.Indexes {
		lines = append(lines, indexSQL(x))
	}
	for _, fk := range t.ForeignKeys {
		lines = append(lines, foreignKeySQL(fk))
	}
	for _, c := range t.Checks {
		lines = append(lines, checkSQL(c))
	}
	if start, end := rowColumn(t, rowStart), rowColumn(t, rowEnd); start != "" && end != "" {
		lines = append(lines, "PERIOD FOR SYSTEM_TIME ("+quoteAll([]string{start, end})+")")
	}
	return fmt.Sprintf("CREATE TABLE %s (\n  %s\n)%s", QuoteIdent(t.Name), strings.Join(lines, ",\n  "), tableOptions(t))
}

// The expressions of the columns that bound a row's life in a system-versioned table of MariaDB.
const (
	rowStart = "ROW START"
	rowEnd   = "ROW END"
)

// rowColumn returns the name of the column with such an expression; "" when there is none.
func rowColumn(t schema.Table, expression string) string {
	for _, c := range t.Columns {
		if t.SystemVersioned && c.Expression == expression {
			return c.Name
		}
	}
	return ""
}

// tableOptions spells what follows the closing parenthesis.
func tableOptions(t schema.Table) string {
	var b strings.Builder
	if t.StorageEngine != "" {
		b.WriteString(" ENGINE=" + t.StorageEngine)
	}
	if t.AutoIncrement > 1 {
		fmt.Fprintf(&b, " AUTO_INCREMENT=%d", t.AutoIncrement)
	}
	if t.Charset != "" {
		b.WriteString(" DEFAULT CHARSET=" + t.Charset)
	}
	if t.Collation != "" {
		b.WriteString(" COLLATE=" + t.Collation)
	}
	if t.RowFormat != "" {
		b.WriteString(" ROW_FORMAT=" + t.RowFormat)
	}
	if t.Comment != "" {
		b.WriteString(" COMMENT=" + QuoteString(t.Comment))
	}
	if t.SystemVersioned {
		b.WriteString(" /*M!100300 WITH SYSTEM VERSIONING */")
	}
	return b.String()
}

// columnSQL spells one column of a table.
func columnSQL(t schema.Table, c schema.Column) string {
	var b strings.Builder
	b.WriteString(QuoteIdent(c.Name) + " " + typeSQL(c.Type))
	if c.Charset != "" && c.Charset != t.Charset {
		b.WriteString(" CHARACTER SET " + c.Charset)
	}
	if c.Collation != "" && c.Collation != t.Collation {
		b.WriteString(" COLLATE " + c.Collation)
	}
	if c.Expression == rowStart || c.Expression == rowEnd {
		b.WriteString(" GENERATED ALWAYS AS " + c.Expression)
		return b.String()
	}
	if c.Generated != schema.NotGenerated {
		fmt.Fprintf(&b, " GENERATED ALWAYS AS (%s) %s", c.Expression, strings.ToUpper(string(c.Generated)))
	}
	switch {
	case c.NotNull:
		b.WriteString(" NOT NULL")
	case c.Type.Name == "timestamp":
		b.WriteString(" NULL") // older servers make a timestamp NOT NULL otherwise
	}
	b.WriteString(defaultSQL(c))
	if c.OnUpdate != "" {
		b.WriteString(" ON UPDATE " + c.OnUpdate)
	}
	if c.AutoIncrement {
		b.WriteString(" AUTO_INCREMENT")
	}
	if c.Invisible {
		b.WriteString(" INVISIBLE")
	}
	if c.Comment != "" {
		b.WriteString(" COMMENT " + QuoteString(c.Comment))
	}
	return b.String()
}

// defaultSQL spells the DEFAULT clause of a column; "" when there is none.
func defaultSQL(c schema.Column) string {
	switch c.Default.Kind {
	case schema.NoDefault:
		return ""
	case schema.ExpressionDefault:
		if strings.HasPrefix(c.Default.Text, "CURRENT_TIMESTAMP") {
			return " DEFAULT " + c.Default.Text
		}
		return " DEFAULT (" + c.Default.Text + ")"
	case schema.LiteralDefault:
		switch {
		case c.Type.Name == "bit":
			return " DEFAULT b" + QuoteString(c.Default.Text)
		case isNumeric(c.Type.Name) && isNumber(c.Default.Text):
			return " DEFAULT " + c.Default.Text
		case isLOB(c.Type.Name):
			return " DEFAULT (" + QuoteString(c.Default.Text) + ")"
		default:
			return " DEFAULT " + QuoteString(c.Default.Text)
		}
	default:
		// DDL that says something else than the schema must not run.
		return fmt.Sprintf(" DEFAULT <unknown kind %q>", c.Default.Kind)
	}
}

// indexSQL spells an index or the primary key.
func indexSQL(x schema.Index) string {
	var b strings.Builder
	switch {
	case x.Primary:
		b.WriteString("PRIMARY KEY")
	case x.Method == "fulltext", x.Method == "spatial", x.Method == "vector":
		b.WriteString(strings.ToUpper(x.Method) + " KEY " + QuoteIdent(x.Name))
	case x.Unique:
		b.WriteString("UNIQUE KEY " + QuoteIdent(x.Name))
	default:
		b.WriteString("KEY " + QuoteIdent(x.Name))
	}
	parts := make([]string, len(x.Parts))
	for i, p := range x.Parts {
		parts[i] = partSQL(p)
	}
	b.WriteString(" (" + strings.Join(parts, ",") + ")")
	if x.Method == "hash" {
		b.WriteString(" USING HASH")
	}
	if x.Comment != "" {
		b.WriteString(" COMMENT " + QuoteString(x.Comment))
	}
	if x.Invisible {
		b.WriteString(" /*!80000 INVISIBLE */ /*M!100600 IGNORED */")
	}
	return b.String()
}

// partSQL spells one part of an index.
func partSQL(p schema.IndexPart) string {
	text := QuoteIdent(p.Column)
	switch {
	case p.Expression != "":
		text = "(" + p.Expression + ")"
	case p.Prefix > 0:
		text += fmt.Sprintf("(%d)", p.Prefix)
	}
	if p.Descending {
		text += " DESC"
	}
	return text
}

// AddForeignKey returns the statement that adds a foreign key to a table, for
// tables that refer to each other or to later ones.
func AddForeignKey(table string, fk schema.ForeignKey) string {
	return "ALTER TABLE " + QuoteIdent(table) + " ADD " + foreignKeySQL(fk)
}

// foreignKeySQL spells a foreign key. RESTRICT and NO ACTION, which are the
// same and the default, are left out.
func foreignKeySQL(fk schema.ForeignKey) string {
	text := fmt.Sprintf("CONSTRAINT %s FOREIGN KEY (%s) REFERENCES %s (%s)",
		QuoteIdent(fk.Name), quoteAll(fk.Columns), quoteTable(fk.RefTable), quoteAll(fk.RefColumns))
	for _, rule := range []struct{ event, action string }{{"DELETE", fk.OnDelete}, {"UPDATE", fk.OnUpdate}} {
		switch rule.action {
		case "", "restrict", "no action":
		default:
			text += " ON " + rule.event + " " + strings.ToUpper(rule.action)
		}
	}
	return text
}

// checkSQL spells a CHECK constraint.
func checkSQL(c schema.Check) string {
	text := "CONSTRAINT " + QuoteIdent(c.Name) + " CHECK (" + c.Expression + ")"
	if c.NotEnforced {
		text += " /*!80016 NOT ENFORCED */"
	}
	return text
}

// quoteAll quotes a list of columns.
func quoteAll(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = QuoteIdent(n)
	}
	return strings.Join(quoted, ",")
}

// quoteTable quotes the name of a referenced table. One of another database comes as `database`.`table` already.
func quoteTable(name string) string {
	if strings.HasPrefix(name, "`") {
		return name
	}
	return QuoteIdent(name)
}
