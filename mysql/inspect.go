package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/moodledb/moodledb/schema"
)

// ErrNoDatabase is wrapped by errors about a database that does not exist or
// that the user may not see.
var ErrNoDatabase = errors.New("there is no such database, or this user has no right on it")

// InspectOptions says what to read.
type InspectOptions struct {
	// Database is the database to read; empty means the one of the DSN.
	Database string
}

// Inspect reads everything that a database holds: tables, columns, indexes,
// foreign keys, checks, triggers, views and MariaDB's sequences. The number of queries does not
// depend on how many there are.
//
// What both servers spell differently is spelt alike: defaults, expressions,
// character sets. A JSON column of MariaDB, which is a LONGTEXT with a check, has
// the type "json" and Raw "longtext". Numbers of rows and bytes are the
// server's estimates. A table that the server cannot open has no
// StorageEngine, and the server's reason as its Comment. A foreign key's table in
// another database comes as `database`.`table`, quoted.
//
// The catalogs do not show what the user has no right on: see [DB.Access].
func (db *DB) Inspect(ctx context.Context, opts InspectOptions) (schema.Schema, error) {
	name := opts.Database
	if name == "" {
		name = db.dsn.Database
	}
	if name == "" {
		return schema.Schema{}, fmt.Errorf("inspect %s: the place names no database: write it behind the host, as in mysql://user@host/DATABASE", db.dsn)
	}
	in := inspector{
		server: db.server,
		name:   name,
		schema: schema.Schema{Engine: db.server.Engine, Version: db.server.Version},
		tables: map[string]int{},
	}
	if err := in.run(ctx, db.sql); err != nil {
		return schema.Schema{}, fmt.Errorf("inspect database %q: %w", name, err)
	}
	in.schema.Sort()
	return in.schema, nil
}

// inspector fills a schema from information_schema.
type inspector struct {
	conn   *sql.Conn
	server Server
	name   string
	schema schema.Schema
	// tables maps names to positions in schema.Tables.
	tables map[string]int
	// sequences are the names of MariaDB's sequences.
	sequences []string
	// catalog holds "table.column" of the catalogs that not every version has.
	catalog map[string]bool
}

// run reads the catalogs over one connection.
func (in *inspector) run(ctx context.Context, db *sql.DB) (err error) {
	in.conn, err = db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.conn.Close()) }()
	if err := freshNumbers(ctx, in.conn, in.server); err != nil {
		return err
	}
	for _, step := range []struct {
		what string
		read func(context.Context) error
	}{
		{"the database", in.readDatabase},
		{"the catalogs' columns", in.readCatalog},
		{"tables", in.readTables},
		{"partitions", in.readPartitions},
		{"columns", in.readColumns},
		{"indexes", in.readIndexes},
		{"foreign keys", in.readForeignKeys},
		{"checks", in.readChecks},
		{"triggers", in.readTriggers},
		{"views", in.readViews},
		{"sequences", in.readSequences},
	} {
		if err := step.read(ctx); err != nil {
			return fmt.Errorf("read %s: %w", step.what, err)
		}
	}
	return nil
}

// freshNumbers makes the session see AUTO_INCREMENT and numbers of rows as they
// are: MySQL's may be a day old.
func freshNumbers(ctx context.Context, conn *sql.Conn, server Server) error {
	if server.Engine != schema.MySQL || !server.AtLeast(8, 0, 0) {
		return nil
	}
	_, err := conn.ExecContext(ctx, "SET SESSION information_schema_stats_expiry = 0")
	return err
}

// each runs a query whose first column is a database name and calls row for
// each of its rows. The columns of a query are aliased because MySQL prints
// their names in upper case; here only their order counts.
//
// MariaDB compares names in information_schema without regard to case. Where
// the case of names counts, rows of a database of another case are not ours.
func (in *inspector) each(ctx context.Context, query string, dest []any, row func() error, args ...any) (err error) {
	rows, err := in.conn.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var database string
	all := append([]any{&database}, dest...)
	for rows.Next() {
		if err := rows.Scan(all...); err != nil {
			return err
		}
		if database != in.name && in.server.LowerCaseTableNames == 0 {
			continue
		}
		if err := row(); err != nil {
			return err
		}
	}
	return rows.Err()
}

// readDatabase reads the defaults of the database itself.
func (in *inspector) readDatabase(ctx context.Context) error {
	const query = `
SELECT SCHEMA_NAME AS db, SCHEMA_NAME AS name, DEFAULT_CHARACTER_SET_NAME AS charset, DEFAULT_COLLATION_NAME AS collation
FROM information_schema.SCHEMATA
WHERE SCHEMA_NAME = ?`
	s := &in.schema
	err := in.each(ctx, query, []any{&s.Name, &s.Charset, &s.Collation}, func() error { return nil }, in.name)
	if err != nil {
		return err
	}
	if s.Name == "" {
		return ErrNoDatabase
	}
	s.Charset, s.Collation = normalCharset(s.Charset), normalCharset(s.Collation)
	return nil
}

// readCatalog learns which of the newer columns the catalogs have. Asking the
// server itself holds for forks and cloud versions too.
func (in *inspector) readCatalog(ctx context.Context) error {
	const query = `
SELECT TABLE_NAME AS name, COLUMN_NAME AS col
FROM information_schema.COLUMNS
WHERE TABLE_SCHEMA = 'information_schema'
  AND TABLE_NAME IN ('STATISTICS', 'CHECK_CONSTRAINTS', 'TABLE_CONSTRAINTS')`
	in.catalog = map[string]bool{}
	rows, err := in.conn.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	for rows.Next() {
		var table, column string
		if err := rows.Scan(&table, &column); err != nil {
			return errors.Join(err, rows.Close())
		}
		in.catalog[strings.ToLower(table+"."+column)] = true
	}
	return errors.Join(rows.Err(), rows.Close())
}

// table returns the table of that name; nil for what is no table, such as a view.
func (in *inspector) table(name string) *schema.Table {
	i, ok := in.tables[name]
	if !ok {
		return nil
	}
	return &in.schema.Tables[i]
}

// readTables reads tables, and notes views and sequences.
func (in *inspector) readTables(ctx context.Context) error {
	const query = `
SELECT TABLE_SCHEMA AS db, TABLE_NAME AS name, TABLE_TYPE AS kind, ENGINE AS engine, ROW_FORMAT AS row_format,
       TABLE_ROWS AS n_rows, DATA_LENGTH AS data_length, INDEX_LENGTH AS index_length,
       AUTO_INCREMENT AS auto_inc, TABLE_COLLATION AS collation, CREATE_OPTIONS AS options, TABLE_COMMENT AS comment
FROM information_schema.TABLES
WHERE TABLE_SCHEMA = ?
ORDER BY name`
	var (
		name, kind                                    string
		engine, rowFormat, collation, options, remark sql.NullString
		rows, data, index                             sql.Null[uint64]
		next                                          sql.Null[uint64]
	)
	dest := []any{&name, &kind, &engine, &rowFormat, &rows, &data, &index, &next, &collation, &options, &remark}
	return in.each(ctx, query, dest, func() error {
		switch kind {
		case "VIEW", "SYSTEM VIEW":
			in.schema.Views = append(in.schema.Views, schema.View{Name: name})
			return nil
		case "SEQUENCE":
			in.sequences = append(in.sequences, name)
			return nil
		case "TEMPORARY": // MariaDB 11.2 shows those of this very session
			return nil
		case "BASE TABLE", "SYSTEM VERSIONED":
		default:
			return fmt.Errorf("%q is of the unknown kind %q", name, kind)
		}
		t := schema.Table{
			Name:            name,
			Comment:         remark.String,
			StorageEngine:   engine.String,
			RowFormat:       rowFormat.String,
			Collation:       normalCharset(collation.String),
			AutoIncrement:   next.V,
			Partitioned:     strings.Contains(options.String, "partitioned"),
			SystemVersioned: kind == "SYSTEM VERSIONED",
			Rows:            estimate(rows),
			Bytes:           estimate(data),
		}
		if data.Valid && index.Valid {
			t.Bytes = estimate(sql.Null[uint64]{V: data.V + index.V, Valid: true})
		}
		t.Charset, _, _ = strings.Cut(t.Collation, "_")
		in.tables[name] = len(in.schema.Tables)
		in.schema.Tables = append(in.schema.Tables, t)
		return nil
	}, in.name)
}

// estimate turns a number of the server into schema's: -1 when there is none.
func estimate(n sql.Null[uint64]) int64 {
	if !n.Valid || int64(n.V) < 0 {
		return -1
	}
	return int64(n.V)
}

// readPartitions marks the partitioned tables that MySQL's list of tables fails to
// mark, such as those that are divided by KEY (). MariaDB's marks them all, and
// would open every table again to answer.
func (in *inspector) readPartitions(ctx context.Context) error {
	if in.server.Engine != schema.MySQL || !in.server.AtLeast(8, 0, 0) {
		return nil
	}
	const query = `
SELECT DISTINCT TABLE_SCHEMA AS db, TABLE_NAME AS name
FROM information_schema.PARTITIONS
WHERE TABLE_SCHEMA = ? AND PARTITION_NAME IS NOT NULL`
	var name string
	return in.each(ctx, query, []any{&name}, func() error {
		if t := in.table(name); t != nil {
			t.Partitioned = true
		}
		return nil
	}, in.name)
}

// readViews reads the definitions of views. A user without SHOW VIEW gets empty ones.
func (in *inspector) readViews(ctx context.Context) error {
	if len(in.schema.Views) == 0 {
		return nil
	}
	const query = `
SELECT TABLE_SCHEMA AS db, TABLE_NAME AS name, VIEW_DEFINITION AS definition, DEFINER AS definer
FROM information_schema.VIEWS
WHERE TABLE_SCHEMA = ?`
	views := map[string]int{}
	for i, v := range in.schema.Views {
		views[v.Name] = i
	}
	var name string
	var definition, definer sql.NullString
	return in.each(ctx, query, []any{&name, &definition, &definer}, func() error {
		if i, ok := views[name]; ok {
			in.schema.Views[i].Definition = definition.String
			in.schema.Views[i].Owner = definer.String
		}
		return nil
	}, in.name)
}
