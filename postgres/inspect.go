package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/moodledb/moodledb/schema"
)

// ErrNoSchema is wrapped by errors about a schema that does not exist.
var ErrNoSchema = errors.New("there is no such schema")

// notOfExtension is a condition of the catalog queries: what belongs to an
// extension is the extension's business. %s is the alias of pg_class.
const notOfExtension = `NOT EXISTS (SELECT FROM pg_depend e
                   WHERE e.classid = 'pg_class'::regclass AND e.objid = %s.oid AND e.deptype = 'e')`

// Inspect reads everything that the schema schemaName holds, but for what
// belongs to an extension, as of one moment. The number of queries does not
// depend on the number of objects, but for the positions of sequences, which
// are read some hundred at a time.
//
// Names in other schemas (a collation, an operator class or a referenced
// table) come in the form "schema"."name". Of foreign tables and views only
// names, owners and definitions are read.
func (db *DB) Inspect(ctx context.Context, schemaName string) (schema.Schema, error) {
	c, err := db.acquire(ctx)
	if err != nil {
		return schema.Schema{}, connectError(db.config, err)
	}
	defer db.release(c)
	in := inspector{
		num:    db.server.Num,
		name:   schemaName,
		schema: schema.Schema{Engine: schema.Postgres, Version: db.server.Version, Name: schemaName},
	}
	path, err := searchPath(ctx, c)
	if err != nil {
		return schema.Schema{}, canceled(ctx, stepError(err, "inspect schema %q", schemaName))
	}
	in.path = path
	err = pgx.BeginTxFunc(ctx, c, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly},
		func(tx pgx.Tx) error { return in.read(ctx, tx) })
	if err == nil {
		// Outside of the transaction: each batch gives its locks back at once.
		err = in.readPositions(ctx, c)
	}
	if err != nil {
		return schema.Schema{}, canceled(ctx, stepError(err, "inspect schema %q", schemaName))
	}
	in.schema.Sort()
	return in.schema, nil
}

// inspector fills a schema from the catalogs. Objects are found by their oid
// while it runs, since names alone say little across catalogs.
type inspector struct {
	num    int
	name   string
	oid    uint32
	path   []string // the search path of the role
	schema schema.Schema

	tables    map[uint32]int // oid to position in schema.Tables
	indexes   map[uint32]indexAt
	sequences map[uint32]int // oid to position in schema.Sequences
	readable  []uint32       // the sequences that the role may read
}

// indexAt is where an index stands: the position of its table, and its own.
type indexAt struct{ table, index int }

func (in *inspector) read(ctx context.Context, tx pgx.Tx) error {
	err := tx.QueryRow(ctx, "SELECT oid FROM pg_namespace WHERE nspname = $1", in.name).Scan(&in.oid)
	if errors.Is(err, pgx.ErrNoRows) {
		return ErrNoSchema
	}
	if err != nil {
		return err
	}
	for _, step := range []struct {
		what string
		read func(context.Context, pgx.Tx) error
	}{
		{"tables and views", in.readRelations},
		{"columns", in.readColumns},
		{"indexes", in.readIndexes},
		{"index parts", in.readIndexParts},
		{"foreign keys", in.readForeignKeys},
		{"checks", in.readChecks},
		{"triggers", in.readTriggers},
		{"sequences", in.readSequences},
		{"other schemas", in.readElsewhere},
	} {
		if err := step.read(ctx, tx); err != nil {
			return fmt.Errorf("read %s: %w", step.what, err)
		}
	}
	return nil
}

// readRelations reads tables, views, materialized views and foreign tables.
func (in *inspector) readRelations(ctx context.Context, tx pgx.Tx) error {
	query := fmt.Sprintf(`
SELECT c.oid, c.relname, c.relkind::text, pg_get_userbyid(c.relowner),
       coalesce(obj_description(c.oid, 'pg_class'), ''),
       c.relpersistence = 'u',
       EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = c.oid),
       c.relrowsecurity,
       c.reltuples::float8,
       CASE WHEN c.relkind = 'r' THEN pg_table_size(c.oid) ELSE -1 END,
       CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) ELSE '' END
FROM pg_class c
WHERE c.relnamespace = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND %s
ORDER BY c.relname`, fmt.Sprintf(notOfExtension, "c"))
	in.tables = map[uint32]int{}
	var (
		oid        uint32
		kind       string
		definition string
		rows       float64
		size       *int64 // NULL when the table was dropped meanwhile
		t          schema.Table
	)
	return forEach(ctx, tx, query, []any{in.oid}, []any{
		&oid, &t.Name, &kind, &t.Owner, &t.Comment,
		&t.Unlogged, &t.Inherited, &t.RowSecurity, &rows, &size, &definition,
	}, func() error {
		switch kind {
		case "v", "m", "f":
			in.schema.Views = append(in.schema.Views, schema.View{
				Name: t.Name, Owner: t.Owner, Definition: definition, Materialized: kind == "m", Foreign: kind == "f",
			})
		case "r", "p":
			t.Partitioned = kind == "p"
			t.Rows, t.Bytes = int64(rows), -1
			if size != nil {
				t.Bytes = *size
			}
			in.tables[oid] = len(in.schema.Tables)
			in.schema.Tables = append(in.schema.Tables, t)
		default:
			return fmt.Errorf("relation %q is of the unknown kind %q", t.Name, kind)
		}
		return nil
	})
}

// forEach runs a query and calls row after each row was scanned into dest.
func forEach(ctx context.Context, q querier, query string, args, dest []any, row func() error) error {
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	_, err = pgx.ForEachRow(rows, dest, row)
	return err
}

// querier is a session or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}
