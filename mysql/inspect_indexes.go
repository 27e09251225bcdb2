package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/moodledb/moodledb/schema"
)

// readIndexes reads primary keys and indexes of all tables.
func (in *inspector) readIndexes(ctx context.Context) error {
	expression, hidden := "NULL", "'NO'"
	if in.catalog["statistics.expression"] { // MySQL 8.0.13
		expression = "EXPRESSION"
	}
	switch {
	case in.catalog["statistics.is_visible"]: // MySQL 8
		hidden = "IF(IS_VISIBLE = 'NO', 'YES', 'NO')"
	case in.catalog["statistics.ignored"]: // MariaDB 10.6
		hidden = "IGNORED"
	}
	query := fmt.Sprintf(`
SELECT TABLE_SCHEMA AS db, TABLE_NAME AS name, INDEX_NAME AS idx, NON_UNIQUE AS non_unique, COLUMN_NAME AS col,
       COLLATION AS direction, SUB_PART AS prefix, INDEX_TYPE AS method, INDEX_COMMENT AS comment,
       %s AS expression, %s AS hidden
FROM information_schema.STATISTICS
WHERE TABLE_SCHEMA = ?
ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX`, expression, hidden)
	var r indexRow
	dest := []any{
		&r.table, &r.name, &r.nonUnique, &r.column,
		&r.direction, &r.prefix, &r.method, &r.comment, &r.expression, &r.hidden,
	}
	return in.each(ctx, query, dest, func() error {
		t := in.table(r.table)
		if t == nil {
			return nil
		}
		if n := len(t.Indexes); n == 0 || t.Indexes[n-1].Name != r.name {
			t.Indexes = append(t.Indexes, r.index())
		}
		x := &t.Indexes[len(t.Indexes)-1]
		x.Parts = append(x.Parts, r.part(in.server.Engine))
		return nil
	}, in.name)
}

// indexRow is one row of information_schema.STATISTICS: one part of one index.
type indexRow struct {
	table, name, method, comment, hidden string
	nonUnique                            bool
	column, direction, expression        sql.NullString
	prefix                               sql.NullInt64
}

// index makes an index without its parts.
func (r indexRow) index() schema.Index {
	return schema.Index{
		Name:      r.name,
		Primary:   r.name == "PRIMARY",
		Unique:    !r.nonUnique,
		Method:    strings.ToLower(r.method),
		Invisible: r.hidden == "YES",
		Comment:   r.comment,
	}
}

// part makes the part of the index that the row is about.
func (r indexRow) part(engine schema.Engine) schema.IndexPart {
	p := schema.IndexPart{
		Column:     r.column.String,
		Prefix:     r.prefix.Int64,
		Descending: r.direction.String == "D",
	}
	if r.method == "SPATIAL" {
		p.Prefix = 0 // always 32, the size of a bounding box
	}
	if !r.column.Valid {
		p.Expression = catalogExpression(engine, r.expression.String)
	}
	return p
}

// readForeignKeys reads the foreign keys of all tables: their rules, then their columns.
func (in *inspector) readForeignKeys(ctx context.Context) error {
	const rules = `
SELECT CONSTRAINT_SCHEMA AS db, TABLE_NAME AS name, CONSTRAINT_NAME AS fk, DELETE_RULE AS on_delete, UPDATE_RULE AS on_update
FROM information_schema.REFERENTIAL_CONSTRAINTS
WHERE CONSTRAINT_SCHEMA = ?
ORDER BY TABLE_NAME, CONSTRAINT_NAME`
	type key struct{ table, name string }
	keys := map[key]int{}
	var table string
	var fk schema.ForeignKey
	err := in.each(ctx, rules, []any{&table, &fk.Name, &fk.OnDelete, &fk.OnUpdate}, func() error {
		t := in.table(table)
		if t == nil {
			return fmt.Errorf("foreign key %q belongs to %q, which is no table", fk.Name, table)
		}
		fk.OnDelete, fk.OnUpdate = action(fk.OnDelete), action(fk.OnUpdate)
		keys[key{table, fk.Name}] = len(t.ForeignKeys)
		t.ForeignKeys = append(t.ForeignKeys, fk)
		return nil
	}, in.name)
	if err != nil || len(keys) == 0 {
		return err
	}
	const columns = `
SELECT TABLE_SCHEMA AS db, TABLE_NAME AS name, CONSTRAINT_NAME AS fk, COLUMN_NAME AS col,
       REFERENCED_TABLE_SCHEMA AS ref_db, REFERENCED_TABLE_NAME AS ref_table, REFERENCED_COLUMN_NAME AS ref_col
FROM information_schema.KEY_COLUMN_USAGE
WHERE TABLE_SCHEMA = ? AND REFERENCED_TABLE_NAME IS NOT NULL
ORDER BY TABLE_NAME, CONSTRAINT_NAME, ORDINAL_POSITION`
	var name, column, refDatabase, refTable, refColumn string
	dest := []any{&table, &name, &column, &refDatabase, &refTable, &refColumn}
	return in.each(ctx, columns, dest, func() error {
		i, ok := keys[key{table, name}]
		if !ok {
			return nil // made since the first query
		}
		fk := &in.table(table).ForeignKeys[i]
		fk.RefTable = refTable
		if refDatabase != in.schema.Name {
			fk.RefTable = QuoteIdent(refDatabase) + "." + QuoteIdent(refTable)
		}
		fk.Columns = append(fk.Columns, column)
		fk.RefColumns = append(fk.RefColumns, refColumn)
		return nil
	}, in.name)
}

// action spells the rule of a foreign key. NO ACTION is another word for
// RESTRICT on both servers; MySQL prints the one and MariaDB the other for a rule that was not given.
func action(rule string) string {
	if rule == "NO ACTION" {
		return "restrict"
	}
	return strings.ToLower(rule)
}

// readChecks reads the CHECK constraints. MariaDB names their table; MySQL's
// names are unique in the database, and another catalog has the tables.
func (in *inspector) readChecks(ctx context.Context) error {
	level := "''"
	if in.catalog["check_constraints.level"] { // MariaDB 10.5.10
		level = "LEVEL"
	}
	var query string
	switch {
	case in.catalog["check_constraints.table_name"]:
		query = `
SELECT CONSTRAINT_SCHEMA AS db, TABLE_NAME AS name, CONSTRAINT_NAME AS ck, CHECK_CLAUSE AS clause, 'YES' AS enforced, ` + level + ` AS level
FROM information_schema.CHECK_CONSTRAINTS
WHERE CONSTRAINT_SCHEMA = ?
ORDER BY TABLE_NAME, CONSTRAINT_NAME`
	case in.catalog["check_constraints.check_clause"]:
		query = `
SELECT c.CONSTRAINT_SCHEMA AS db, t.TABLE_NAME AS name, c.CONSTRAINT_NAME AS ck, c.CHECK_CLAUSE AS clause, t.ENFORCED AS enforced, 'Table' AS level
FROM information_schema.CHECK_CONSTRAINTS c
JOIN information_schema.TABLE_CONSTRAINTS t
  ON t.CONSTRAINT_SCHEMA = c.CONSTRAINT_SCHEMA AND t.CONSTRAINT_NAME = c.CONSTRAINT_NAME AND t.CONSTRAINT_TYPE = 'CHECK'
WHERE c.CONSTRAINT_SCHEMA = ?
ORDER BY t.TABLE_NAME, c.CONSTRAINT_NAME`
	default:
		return nil // the server is older than CHECK constraints, or than their catalog
	}
	var table, enforced, where string
	var check schema.Check
	return in.each(ctx, query, []any{&table, &check.Name, &check.Expression, &enforced, &where}, func() error {
		t := in.table(table)
		if t == nil {
			return errors.New("check " + QuoteIdent(check.Name) + " belongs to " + QuoteIdent(table) + ", which is no table")
		}
		check.Expression = catalogExpression(in.server.Engine, check.Expression)
		check.NotEnforced = enforced == "NO"
		// A column that was renamed leaves its old name to its check.
		name := check.Name
		if where == "Column" {
			name = checkedColumn(check.Expression)
		}
		if in.server.Engine == schema.MariaDB && markJSON(t, name, check) {
			return nil
		}
		t.Checks = append(t.Checks, check)
		return nil
	}, in.name)
}

// checkedColumn is the column that a check like that of a JSON column is about.
func checkedColumn(expression string) string {
	name, ok := strings.CutPrefix(expression, "json_valid(`")
	if !ok {
		return ""
	}
	return strings.ReplaceAll(strings.TrimSuffix(name, "`)"), "``", "`")
}

// markJSON gives the type json to the named column, if its JSON alias made the
// check: MariaDB stores JSON as LONGTEXT, with a check of the column's own name.
func markJSON(t *schema.Table, name string, check schema.Check) bool {
	c := t.Column(name)
	if c == nil || c.Type.Name != "longtext" || c.Collation != "utf8mb4_bin" {
		return false
	}
	if check.Expression != "json_valid("+QuoteIdent(c.Name)+")" {
		return false
	}
	c.Type.Name = "json"
	c.Charset, c.Collation = "", ""
	return true
}
