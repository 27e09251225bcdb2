package mysql

import (
	"context"
	"database/sql"
	"strings"

	"github.com/moodledb/moodledb/schema"
)

// readColumns reads the columns of all tables.
func (in *inspector) readColumns(ctx context.Context) error {
	const query = `
SELECT TABLE_SCHEMA AS db, TABLE_NAME AS name, COLUMN_NAME AS col, COLUMN_TYPE AS type, IS_NULLABLE AS nullable,
       COLUMN_DEFAULT AS value, EXTRA AS extra, GENERATION_EXPRESSION AS expression,
       CHARACTER_SET_NAME AS charset, COLLATION_NAME AS collation, COLUMN_COMMENT AS comment
FROM information_schema.COLUMNS
WHERE TABLE_SCHEMA = ?
ORDER BY TABLE_NAME, ORDINAL_POSITION`
	var (
		r    columnRow
		dest = []any{
			&r.table, &r.name, &r.kind, &r.nullable,
			&r.value, &r.extra, &r.expression, &r.charset, &r.collation, &r.comment,
		}
	)
	err := in.each(ctx, query, dest, func() error {
		t := in.table(r.table)
		if t == nil {
			return nil // a view or a sequence
		}
		t.Columns = append(t.Columns, r.column(in.server.Engine))
		return nil
	}, in.name)
	if err != nil {
		return err
	}
	for i := range in.schema.Tables {
		dropMeaninglessCounter(&in.schema.Tables[i])
	}
	return nil
}

// dropMeaninglessCounter forgets the AUTO_INCREMENT that MySQL prints even of
// tables without such a column.
func dropMeaninglessCounter(t *schema.Table) {
	for _, c := range t.Columns {
		if c.AutoIncrement {
			return
		}
	}
	t.AutoIncrement = 0
}

// columnRow is one row of information_schema.COLUMNS.
type columnRow struct {
	table, name, kind, nullable, extra, comment string
	value, expression, charset, collation       sql.NullString
}

// column makes a column of a row.
func (r columnRow) column(engine schema.Engine) schema.Column {
	t, err := parseType(r.kind)
	if err != nil {
		// A type of a newer server: its whole text is a name that nobody knows.
		t = schema.Type{Name: strings.ToLower(r.kind), Raw: r.kind}
	}
	extra := strings.ToLower(r.extra)
	c := schema.Column{
		Name:          r.name,
		Type:          t,
		NotNull:       r.nullable == "NO",
		AutoIncrement: strings.Contains(extra, "auto_increment"),
		OnUpdate:      onUpdate(r.extra),
		Invisible:     strings.Contains(extra, "invisible"),
		Charset:       normalCharset(r.charset.String),
		Collation:     normalCharset(r.collation.String),
		Comment:       r.comment,
	}
	switch {
	case strings.Contains(extra, "stored generated"), strings.Contains(extra, "persistent"):
		c.Generated = schema.GeneratedStored
	case strings.Contains(extra, "virtual"):
		c.Generated = schema.GeneratedVirtual
	default:
		c.Default = parseDefault(engine, t, r.value, r.extra)
		return c
	}
	c.Expression = catalogExpression(engine, r.expression.String)
	return c
}

// catalogExpression normalises an expression of the catalogs; only MySQL escapes it there.
func catalogExpression(engine schema.Engine, s string) string {
	if engine == schema.MySQL {
		s = unescapeCatalog(s)
	}
	return normalExpression(s)
}

// onUpdate finds the clause in EXTRA, such as "DEFAULT_GENERATED on update CURRENT_TIMESTAMP(3)".
func onUpdate(extra string) string {
	const clause = "on update "
	i := strings.Index(strings.ToLower(extra), clause)
	if i < 0 {
		return ""
	}
	value := extra[i+len(clause):]
	if end := strings.IndexAny(value, " ,"); end >= 0 {
		value = value[:end]
	}
	return normalExpression(value)
}
