package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/moodledb/moodledb/schema"
)

// FlawKind says what is wrong with an object that is there.
type FlawKind string

// The kinds of flaws.
const (
	// IndexInvalid: the server does not use the index, or does not keep it up to date.
	IndexInvalid FlawKind = "index-invalid"
	// ConstraintNotValid: rows that were there before were not looked at.
	ConstraintNotValid FlawKind = "constraint-not-valid"
	// NotNullNotValid: the same of a NOT NULL, which PostgreSQL 18 knows.
	NotNullNotValid FlawKind = "not-null-not-valid"
	// TriggerDisabled: a trigger, a rule, or what enforces a constraint, does not run.
	TriggerDisabled FlawKind = "trigger-disabled"
)

// Flaw is an object of a table that is there, but does not do what it is for.
type Flaw struct {
	Kind  FlawKind
	Table string
	// Name is that of the index, constraint, trigger or rule.
	Name string
	// Column is that of a NOT NULL.
	Column string
	// Found says how it was found, such as "not ready".
	Found string
	// Remedy is the statement that mends it.
	Remedy string
}

// Flaws lists, in one query, the objects of a schema's tables that do not do
// what they are for. A constraint that is declared NOT ENFORCED is none: it is told by [DB.Inspect].
func (db *DB) Flaws(ctx context.Context, schemaName string) ([]Flaw, error) {
	enforced := "true"
	if db.server.Num >= 180000 {
		enforced = "k.conenforced"
	}
	query := fmt.Sprintf(`
WITH t AS (
    SELECT t.oid, t.relname, format('%%I.%%I', n.nspname, t.relname) AS quoted, n.nspname
    FROM pg_namespace n
    JOIN pg_class t ON t.relnamespace = n.oid AND t.relkind IN ('r', 'p')
    WHERE n.nspname = $1)
SELECT 'index-invalid', t.relname, x.relname, '',
       CASE WHEN i.indisready AND i.indislive THEN 'not valid' ELSE 'not ready' END,
       format('REINDEX INDEX %%I.%%I', t.nspname, x.relname)
FROM t
JOIN pg_index i ON i.indrelid = t.oid
JOIN pg_class x ON x.oid = i.indexrelid
WHERE NOT (i.indisvalid AND i.indisready AND i.indislive)
UNION ALL
SELECT CASE k.contype WHEN 'n' THEN 'not-null-not-valid' ELSE 'constraint-not-valid' END, t.relname, k.conname,
       CASE k.contype WHEN 'n' THEN (SELECT a.attname FROM pg_attribute a WHERE a.attrelid = t.oid AND a.attnum = k.conkey[1]) ELSE '' END,
       'NOT VALID', format('ALTER TABLE %%s VALIDATE CONSTRAINT %%I', t.quoted, k.conname)
FROM t
JOIN pg_constraint k ON k.conrelid = t.oid
WHERE NOT k.convalidated AND %s
UNION
SELECT 'trigger-disabled', t.relname, coalesce(k.conname, g.tgname), '',
       CASE g.tgenabled WHEN 'D' THEN 'disabled' ELSE 'only for replication' END,
       format('ALTER TABLE %%s ENABLE TRIGGER %%s', t.quoted, CASE WHEN g.tgisinternal THEN 'ALL' ELSE quote_ident(g.tgname) END)
FROM t
JOIN pg_trigger g ON g.tgrelid = t.oid
LEFT JOIN pg_constraint k ON k.oid = g.tgconstraint
WHERE g.tgenabled IN ('D', 'R')
UNION
SELECT 'trigger-disabled', t.relname, r.rulename, '',
       CASE r.ev_enabled WHEN 'D' THEN 'disabled' ELSE 'only for replication' END,
       format('ALTER TABLE %%s ENABLE RULE %%I', t.quoted, r.rulename)
FROM t
JOIN pg_rewrite r ON r.ev_class = t.oid
WHERE r.ev_enabled IN ('D', 'R')
ORDER BY 2, 1, 3`, enforced)
	c, err := db.acquire(ctx)
	if err != nil {
		return nil, connectError(db.config, err)
	}
	defer db.release(c)
	var (
		f   Flaw
		all []Flaw
	)
	err = forEach(ctx, c, query, []any{schemaName}, []any{&f.Kind, &f.Table, &f.Name, &f.Column, &f.Found, &f.Remedy}, func() error {
		all = append(all, f)
		return nil
	})
	if err != nil {
		return nil, ended(ctx, c, canceled(ctx, stepError(err, "look at the indexes, constraints and triggers of schema %q", schemaName)))
	}
	return all, nil
}

// CountNulls counts the rows of a table in which each of the columns is NULL.
// The rows are read: what the column is declared to be does not count.
func (db *DB) CountNulls(ctx context.Context, schemaName, table string, columns []string) ([]int64, error) {
	counts := make([]int64, len(columns))
	dest := make([]any, len(columns))
	selects := make([]string, len(columns))
	for i, c := range columns {
		dest[i] = &counts[i]
		// IS NULL would be taken to be false where the column is declared NOT NULL.
		selects[i] = "count(*) - count(" + QuoteIdent(c) + ")"
	}
	query := "SELECT " + strings.Join(selects, ", ") + " FROM " + qualify(schemaName, table)
	if err := db.one(ctx, query, dest...); err != nil {
		return nil, stepError(err, "count the NULLs of table %q", table)
	}
	return counts, nil
}

// ReadHighestOf fills in the highest value of one column that draws from a
// sequence, as [DB.ReadHighest] does, but by reading the table where no index
// has it. Where the role may not read all of the table, the value stays unknown.
func (db *DB) ReadHighestOf(ctx context.Context, schemaName string, t *schema.Table, c *schema.Column) error {
	if t.RowSecurity || !isInteger(c.Type.Name) {
		return nil
	}
	var highest *int64
	query := fmt.Sprintf("SELECT max(%s)::bigint FROM %s", QuoteIdent(c.Name), qualify(schemaName, t.Name))
	err := db.one(ctx, query, &highest)
	if isOfTable(err) {
		return nil
	}
	if err != nil {
		return stepError(err, "read the highest value of column %q of table %q", c.Name, t.Name)
	}
	c.HighestKnown = true
	if highest != nil {
		c.Highest = *highest
	}
	return nil
}

// SchemaRights is whose a schema is, and what a role may do there.
type SchemaRights struct {
	// Owner is the role that owns the schema: of pg_database_owner, the owner of the database.
	Owner string
	// OwnerSuper says that Owner is a superuser.
	OwnerSuper bool
	// Use says that the role that was asked for may use the objects in the
	// schema, Create that it may make some.
	Use, Create bool
}

// SchemaRights looks whose a schema is, and what a role may do there.
func (db *DB) SchemaRights(ctx context.Context, schemaName, role string) (SchemaRights, error) {
	const query = `
SELECT o.rolname, o.rolsuper,
       has_schema_privilege($2::name, n.oid, 'USAGE'), has_schema_privilege($2::name, n.oid, 'CREATE')
FROM pg_namespace n
JOIN pg_database d ON d.datname = current_database()
JOIN pg_roles o ON o.oid = CASE WHEN pg_get_userbyid(n.nspowner) = 'pg_database_owner' THEN d.datdba ELSE n.nspowner END
WHERE n.nspname = $1`
	c, err := db.acquire(ctx)
	if err != nil {
		return SchemaRights{}, connectError(db.config, err)
	}
	defer db.release(c)
	var r SchemaRights
	err = c.QueryRow(ctx, query, schemaName, role).Scan(&r.Owner, &r.OwnerSuper, &r.Use, &r.Create)
	if errors.Is(err, pgx.ErrNoRows) {
		err = ErrNoSchema
	}
	return r, ended(ctx, c, canceled(ctx, stepError(err, "look at the rights of role %q in schema %q", role, schemaName)))
}

// one runs a query of one row that is not worth keeping prepared.
func (db *DB) one(ctx context.Context, query string, dest ...any) error {
	c, err := db.acquire(ctx)
	if err != nil {
		return connectError(db.config, err)
	}
	defer db.release(c)
	return ended(ctx, c, canceled(ctx, c.QueryRow(ctx, query, pgx.QueryExecModeExec).Scan(dest...)))
}

// AlterOwner is the statement that gives a table, with what belongs to it, to a role.
func AlterOwner(schemaName, table, owner string) string {
	return SetOwner(Object{Kind: "TABLE", Identity: qualify(schemaName, table)}, owner)
}
