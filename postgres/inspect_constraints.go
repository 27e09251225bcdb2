package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/moodledb/moodledb/schema"
)

// enforced is a condition of the catalog queries, of pg_constraint k. What is
// NOT VALID holds for new rows, and so is enforced.
func (in *inspector) enforced() string {
	if in.num >= 180000 {
		return "k.conenforced"
	}
	return "true"
}

// readForeignKeys reads the foreign keys that are enforced. Those that PostgreSQL
// itself adds for the partitions of a table have a parent and are left out.
func (in *inspector) readForeignKeys(ctx context.Context, tx pgx.Tx) error {
	query := fmt.Sprintf(`
SELECT k.conrelid, k.conname, r.relnamespace = t.relnamespace, n.nspname, r.relname,
       (SELECT array_agg(a.attname::text ORDER BY u.n)
        FROM unnest(k.conkey) WITH ORDINALITY u (num, n)
        JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.num),
       (SELECT array_agg(a.attname::text ORDER BY u.n)
        FROM unnest(k.confkey) WITH ORDINALITY u (num, n)
        JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.num),
       k.confdeltype::text, k.confupdtype::text
FROM pg_class t
JOIN pg_constraint k ON k.conrelid = t.oid AND k.contype = 'f' AND k.conparentid = 0
JOIN pg_class r ON r.oid = k.confrelid
JOIN pg_namespace n ON n.oid = r.relnamespace
WHERE t.relnamespace = $1 AND t.relkind IN ('r', 'p') AND %s
ORDER BY k.conrelid, k.conname`, in.enforced())
	var (
		table              uint32
		name, refSchema    string
		refTable           string
		same               bool
		columns, refs      []string
		onDelete, onUpdate string
	)
	return forEach(ctx, tx, query, []any{in.oid}, []any{
		&table, &name, &same, &refSchema, &refTable, &columns, &refs, &onDelete, &onUpdate,
	}, func() error {
		i, ok := in.tables[table]
		if !ok {
			return nil
		}
		t := &in.schema.Tables[i]
		fk := schema.ForeignKey{Name: name, Columns: columns, RefTable: refTable, RefColumns: refs}
		if !same {
			fk.RefTable = qualify(refSchema, refTable)
		}
		var err error
		if fk.OnDelete, err = action(onDelete); err == nil {
			fk.OnUpdate, err = action(onUpdate)
		}
		if err != nil {
			return fmt.Errorf("table %q: foreign key %q: %w", t.Name, name, err)
		}
		t.ForeignKeys = append(t.ForeignKeys, fk)
		columns, refs = nil, nil
		return nil
	})
}

// action translates the action codes of pg_constraint.
func action(code string) (string, error) {
	switch code {
	case "a":
		return "no action", nil
	case "r":
		return "restrict", nil
	case "c":
		return "cascade", nil
	case "n":
		return "set null", nil
	case "d":
		return "set default", nil
	}
	return "", fmt.Errorf("unknown action %q", code)
}

// readChecks reads the CHECK constraints. NOT NULL, which PostgreSQL 18 keeps
// as a constraint too, is of another type and told by the columns.
func (in *inspector) readChecks(ctx context.Context, tx pgx.Tx) error {
	query := fmt.Sprintf(`
SELECT k.conrelid, k.conname, pg_get_expr(k.conbin, k.conrelid), NOT %s
FROM pg_class t
JOIN pg_constraint k ON k.conrelid = t.oid AND k.contype = 'c'
WHERE t.relnamespace = $1 AND t.relkind IN ('r', 'p')
ORDER BY k.conrelid, k.conname`, in.enforced())
	var (
		table uint32
		c     schema.Check
	)
	return forEach(ctx, tx, query, []any{in.oid}, []any{&table, &c.Name, &c.Expression, &c.NotEnforced}, func() error {
		if i, ok := in.tables[table]; ok {
			c.Expression = stripParens(c.Expression)
			t := &in.schema.Tables[i]
			t.Checks = append(t.Checks, c)
		}
		return nil
	})
}

// readSequences reads the sequences, without their positions.
func (in *inspector) readSequences(ctx context.Context, tx pgx.Tx) error {
	query := fmt.Sprintf(`
SELECT c.oid, c.relname, s.seqtypid::regtype::text, s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcycle,
       pg_get_userbyid(c.relowner), coalesce(t.relname, ''), coalesce(a.attname, ''),
       has_schema_privilege(c.relnamespace, 'USAGE') AND has_sequence_privilege(c.oid, 'SELECT')
FROM pg_class c
JOIN pg_sequence s ON s.seqrelid = c.oid
LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.objsubid = 0
                     AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
LEFT JOIN pg_class t ON t.oid = d.refobjid
LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE c.relnamespace = $1 AND c.relkind = 'S' AND %s
ORDER BY c.relname`, fmt.Sprintf(notOfExtension, "c"))
	in.sequences = map[uint32]int{}
	var (
		oid      uint32
		readable bool
		s        schema.Sequence
	)
	return forEach(ctx, tx, query, []any{in.oid}, []any{
		&oid, &s.Name, &s.Type, &s.Start, &s.Increment, &s.Min, &s.Max, &s.Cycle,
		&s.Owner, &s.OwnedByTable, &s.OwnedByColumn, &readable,
	}, func() error {
		in.sequences[oid] = len(in.schema.Sequences)
		in.schema.Sequences = append(in.schema.Sequences, s)
		if readable {
			in.readable = append(in.readable, oid)
		}
		return nil
	})
}
