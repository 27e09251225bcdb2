package postgres

import (
	"context"
	"fmt"
	"regexp"

	"github.com/jackc/pgx/v5"

	"github.com/moodledb/moodledb/schema"
)

// qualifiedName prints a catalog object the way Inspect names what may lie in
// another schema: bare when it is in pg_catalog, else "schema"."name". The
// arguments are the namespace and the name.
const qualifiedName = `CASE WHEN %[1]s = 'pg_catalog'::regnamespace THEN %[2]s::text
            ELSE '"' || replace((SELECT nspname FROM pg_namespace WHERE oid = %[1]s), '"', '""')
                 || '"."' || replace(%[2]s, '"', '""') || '"' END`

// columnRow is one column as the catalogs have it.
type columnRow struct {
	table      uint32
	column     schema.Column
	typeName   string
	typeRaw    string
	identity   string
	generated  string
	expression string
	// The sequence that the default or the identity draws from.
	sequence       *string
	sequenceSchema *uint32
	sequenceOwned  bool
}

// readColumns reads the columns of all tables, with defaults, sequences behind
// them, collations and comments.
//
// The sequence of a default is found through pg_depend, which knows it even
// after a rename. A sequence is owned by a column through an automatic
// dependency on it, by an identity through an internal one.
func (in *inspector) readColumns(ctx context.Context, tx pgx.Tx) error {
	query := fmt.Sprintf(`
SELECT a.attrelid, a.attname, format_type(a.atttypid, NULL), format_type(a.atttypid, a.atttypmod),
       a.attnotnull, a.attidentity::text, a.attgenerated::text,
       coalesce(pg_get_expr(d.adbin, d.adrelid), ''),
       CASE WHEN a.attcollation <> t.typcollation THEN %s ELSE '' END,
       coalesce(col_description(a.attrelid, a.attnum), ''),
       s.relname, s.relnamespace,
       s.oid IS NOT NULL AND EXISTS (
           SELECT FROM pg_depend o
           WHERE o.classid = 'pg_class'::regclass AND o.objid = s.oid
             AND o.refclassid = 'pg_class'::regclass AND o.refobjid = a.attrelid
             AND o.refobjsubid = a.attnum AND o.deptype IN ('a', 'i'))
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_collation l ON l.oid = a.attcollation
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN LATERAL (
    SELECT q.oid, q.relname, q.relnamespace
    FROM pg_depend p
    JOIN pg_class q ON q.oid = p.refobjid AND q.relkind = 'S'
    WHERE p.classid = 'pg_attrdef'::regclass AND p.objid = d.oid AND p.refclassid = 'pg_class'::regclass
    UNION ALL
    SELECT q.oid, q.relname, q.relnamespace
    FROM pg_depend p
    JOIN pg_class q ON q.oid = p.objid AND q.relkind = 'S'
    WHERE a.attidentity <> '' AND p.deptype = 'i'
      AND p.refclassid = 'pg_class'::regclass AND p.refobjid = a.attrelid AND p.refobjsubid = a.attnum
      AND p.classid = 'pg_class'::regclass
    LIMIT 1) s ON true
WHERE c.relnamespace = $1 AND c.relkind IN ('r', 'p')
ORDER BY a.attrelid, a.attnum`, fmt.Sprintf(qualifiedName, "l.collnamespace", "l.collname"))
	var r columnRow
	return forEach(ctx, tx, query, []any{in.oid}, []any{
		&r.table, &r.column.Name, &r.typeName, &r.typeRaw,
		&r.column.NotNull, &r.identity, &r.generated, &r.expression,
		&r.column.Collation, &r.column.Comment,
		&r.sequence, &r.sequenceSchema, &r.sequenceOwned,
	}, func() error {
		i, ok := in.tables[r.table]
		if !ok {
			return nil // a table of an extension
		}
		t := &in.schema.Tables[i]
		c, err := in.newColumn(r)
		if err != nil {
			return fmt.Errorf("table %q: column %q: %w", t.Name, r.column.Name, err)
		}
		t.Columns = append(t.Columns, c)
		return nil
	})
}

// isNextval matches the default of a serial column. One that looks its
// sequence up by name at run time depends on no sequence and is an expression.
var isNextval = regexp.MustCompile(`^nextval\('.*'::regclass\)$`)

func (in *inspector) newColumn(r columnRow) (schema.Column, error) {
	c := r.column
	c.Type = newType(r.typeName, r.typeRaw)
	ours := r.sequence != nil && *r.sequenceSchema == in.oid
	switch r.generated {
	case "":
	case "s":
		c.Generated, c.Expression = schema.GeneratedStored, stripParens(r.expression)
		return c, nil
	case "v":
		c.Generated, c.Expression = schema.GeneratedVirtual, stripParens(r.expression)
		return c, nil
	default:
		return c, fmt.Errorf("unknown kind of generated column %q", r.generated)
	}
	switch r.identity {
	case "":
	case "a":
		c.Identity = "always"
	case "d":
		c.Identity = "by default"
	default:
		return c, fmt.Errorf("unknown kind of identity %q", r.identity)
	}
	if ours && (c.Identity != "" || isNextval.MatchString(r.expression)) {
		c.AutoIncrement = true
		c.Sequence, c.SequenceOwned = *r.sequence, r.sequenceOwned
		return c, nil
	}
	c.Default = parseDefault(r.expression, c.Type)
	return c, nil
}
