package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/moodledb/moodledb/schema"
)

// readIndexes reads the indexes, without their parts.
func (in *inspector) readIndexes(ctx context.Context, tx pgx.Tx) error {
	nullsNotDistinct := "false"
	if in.num >= 150000 {
		nullsNotDistinct = "i.indnullsnotdistinct"
	}
	query := fmt.Sprintf(`
SELECT i.indrelid, i.indexrelid, c.relname, m.amname,
       i.indisprimary, i.indisunique, i.indisvalid, %s,
       k.contype IS NOT NULL, coalesce(k.contype = 'x', false), coalesce(k.condeferrable, false),
       pg_get_indexdef(i.indexrelid),
       coalesce(pg_get_expr(i.indpred, i.indrelid), ''),
       coalesce(obj_description(i.indexrelid, 'pg_class'), '')
FROM pg_class t
JOIN pg_index i ON i.indrelid = t.oid
JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_am m ON m.oid = c.relam
LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u', 'x')
WHERE t.relnamespace = $1 AND t.relkind IN ('r', 'p')
ORDER BY i.indrelid, c.relname`, nullsNotDistinct)
	in.indexes = map[uint32]indexAt{}
	var (
		table, oid uint32
		valid      bool
		x          schema.Index
	)
	return forEach(ctx, tx, query, []any{in.oid}, []any{
		&table, &oid, &x.Name, &x.Method,
		&x.Primary, &x.Unique, &valid, &x.NullsNotDistinct,
		&x.Constraint, &x.Exclusion, &x.Deferrable, &x.Definition, &x.Where, &x.Comment,
	}, func() error {
		i, ok := in.tables[table]
		if !ok {
			return nil
		}
		t := &in.schema.Tables[i]
		x.Invalid = !valid
		in.indexes[oid] = indexAt{table: i, index: len(t.Indexes)}
		t.Indexes = append(t.Indexes, x)
		return nil
	})
}

// readIndexParts reads the elements of all indexes.
//
// An operator class goes without saying when CREATE INDEX would choose it:
// when it is the default of its type, and the column's type has no default of
// its own (as varchar has none and uses that of text). The type of an
// expression is that of the index's own attribute, unless the index stores
// another type than it indexes, as GIN does.
func (in *inspector) readIndexParts(ctx context.Context, tx pgx.Tx) error {
	query := fmt.Sprintf(`
SELECT i.indexrelid, n.n > i.indnkeyatts, coalesce(a.attname, ''),
       CASE WHEN a.attname IS NULL THEN pg_get_indexdef(i.indexrelid, n.n, false) ELSE '' END,
       n.n <= i.indnkeyatts AND i.indoption[n.n - 1] & 1 = 1,
       n.n <= i.indnkeyatts AND i.indoption[n.n - 1] & 2 = 2,
       CASE WHEN o.oid IS NULL OR o.opcdefault AND (
                o.opcintype = b.oid
                OR NOT EXISTS (SELECT FROM pg_opclass p
                               WHERE p.opcmethod = o.opcmethod AND p.opcdefault AND p.opcintype = b.oid))
            THEN '' ELSE %s END,
       CASE WHEN l.oid IS NULL OR l.oid = a.attcollation OR a.attname IS NULL AND l.collname = 'default'
            THEN '' ELSE %s END
FROM pg_class t
JOIN pg_index i ON i.indrelid = t.oid
CROSS JOIN LATERAL generate_series(1, i.indnatts::int) n (n)
JOIN pg_attribute x ON x.attrelid = i.indexrelid AND x.attnum = n.n
LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[n.n - 1] AND i.indkey[n.n - 1] <> 0
LEFT JOIN pg_opclass o ON n.n <= i.indnkeyatts AND o.oid = i.indclass[n.n - 1]
LEFT JOIN pg_type y ON y.oid = CASE WHEN a.attname IS NOT NULL THEN a.atttypid
                                    WHEN o.opckeytype = 0 THEN x.atttypid
                                    ELSE o.opcintype END
LEFT JOIN pg_type b ON b.oid = CASE WHEN y.typtype = 'd' THEN y.typbasetype ELSE y.oid END
LEFT JOIN pg_collation l ON n.n <= i.indnkeyatts AND l.oid = i.indcollation[n.n - 1]
WHERE t.relnamespace = $1 AND t.relkind IN ('r', 'p')
ORDER BY i.indexrelid, n.n`,
		fmt.Sprintf(qualifiedName, "o.opcnamespace", "o.opcname"),
		fmt.Sprintf(qualifiedName, "l.collnamespace", "l.collname"))
	var (
		oid     uint32
		include bool
		p       schema.IndexPart
	)
	return forEach(ctx, tx, query, []any{in.oid}, []any{
		&oid, &include, &p.Column, &p.Expression,
		&p.Descending, &p.NullsFirst, &p.OpClass, &p.Collation,
	}, func() error {
		at, ok := in.indexes[oid]
		if !ok {
			return nil
		}
		x := &in.schema.Tables[at.table].Indexes[at.index]
		if include {
			x.Include = append(x.Include, p.Column)
			return nil
		}
		p.Expression = stripParens(p.Expression)
		x.Parts = append(x.Parts, p)
		return nil
	})
}
