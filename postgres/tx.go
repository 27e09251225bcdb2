package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
)

// Tx is a transaction that changes whole schemas and reads the facts for it.
// Its commit waits for the disk, unlike that of a load session: with it,
// everything that was loaded before is safe too.
type Tx struct {
	tx     pgx.Tx
	server Server
}

// Transact runs f in one transaction: committed when f returns nil, rolled back otherwise.
func (db *DB) Transact(ctx context.Context, f func(tx *Tx) error) error {
	c, err := db.acquire(ctx)
	if err != nil {
		return connectError(db.config, err)
	}
	defer db.release(c)
	err = pgx.BeginFunc(ctx, c, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, CommitDurably); err != nil {
			return err
		}
		return f(&Tx{tx: tx, server: db.server})
	})
	return ended(ctx, c, canceled(ctx, err))
}

// Exec runs one or more statements, separated by semicolons.
func (tx *Tx) Exec(ctx context.Context, sql string) error {
	if _, err := tx.tx.Conn().PgConn().Exec(ctx, sql).ReadAll(); err != nil {
		return canceled(ctx, err)
	}
	return nil
}

// Role is a role as the connected role sees it.
type Role struct {
	Name      string
	Exists    bool
	Superuser bool
	CanLogin  bool
	// CanSet says that the connected role may hand objects to the role (SET ROLE to it).
	CanSet bool
	// CanCreate says that the role may create schemas in the database.
	CanCreate bool
}

// Role looks a role up; one that does not exist is no error.
func (tx *Tx) Role(ctx context.Context, name string) (Role, error) {
	// PostgreSQL 16 tells membership from the right to become a role.
	right := "MEMBER"
	if tx.server.Num >= 160000 {
		right = "SET"
	}
	const query = `
SELECT rolsuper, rolcanlogin, pg_has_role(oid, $2), has_database_privilege(oid, current_database(), 'CREATE')
FROM pg_roles
WHERE rolname = $1`
	r := Role{Name: name, Exists: true}
	err := tx.tx.QueryRow(ctx, query, name, right).Scan(&r.Superuser, &r.CanLogin, &r.CanSet, &r.CanCreate)
	if errors.Is(err, pgx.ErrNoRows) {
		return Role{Name: name}, nil
	}
	if err != nil {
		return Role{}, stepError(err, "look up role %q", name)
	}
	return r, nil
}

// MayCreate reports whether a role may create objects in a schema.
func (tx *Tx) MayCreate(ctx context.Context, role, schemaName string) (bool, error) {
	var may bool
	err := tx.tx.QueryRow(ctx, "SELECT has_schema_privilege($1::name, $2::text, 'CREATE')", role, schemaName).Scan(&may)
	return may, stepError(err, "look at the rights of role %q in schema %q", role, schemaName)
}

// SearchPath is a search_path that sessions get without asking for it.
type SearchPath struct {
	// Database and Role say for whom it is set; empty means for all. Both are
	// empty for the server's configuration, which is seen only through the
	// connected role's own sessions.
	Database string
	Role     string
	// Schemas are its elements in order, unquoted; "$user" stands for the role's name.
	Schemas []string
}

// SearchPaths lists the settings of search_path that are made for this
// database or for roles, and what the connected role gets when none applies.
func (tx *Tx) SearchPaths(ctx context.Context) ([]SearchPath, error) {
	const settings = `
SELECT coalesce(d.datname, ''), coalesce(r.rolname, ''), substr(c.setting, length('search_path=') + 1)
FROM pg_db_role_setting s
CROSS JOIN LATERAL unnest(s.setconfig) c (setting)
LEFT JOIN pg_database d ON d.oid = s.setdatabase
LEFT JOIN pg_roles r ON r.oid = s.setrole
WHERE c.setting LIKE 'search_path=%' AND (s.setdatabase = 0 OR d.datname = current_database())
ORDER BY 1, 2`
	var (
		p     SearchPath
		value string
		all   []SearchPath
		known = map[string]bool{}
	)
	err := forEach(ctx, tx.tx, settings, nil, []any{&p.Database, &p.Role, &value}, func() error {
		p.Schemas = splitIdents(value)
		known[value] = true
		all = append(all, p)
		return nil
	})
	if err != nil {
		return nil, stepError(err, "read the settings of search_path")
	}
	const reset = "SELECT reset_val FROM pg_settings WHERE name = 'search_path'"
	if err := tx.tx.QueryRow(ctx, reset).Scan(&value); err != nil {
		return nil, stepError(err, "read the server's search_path")
	}
	if !known[value] {
		all = append(all, SearchPath{Schemas: splitIdents(value)})
	}
	return all, nil
}

// splitIdents splits a list of identifiers as PostgreSQL keeps it in settings:
// separated by commas, folded to lower case unless quoted.
func splitIdents(list string) []string {
	var (
		idents []string
		ident  []byte
		quoted bool
		closed bool // a quoted identifier has ended: blanks do not count
	)
	flush := func() {
		if len(ident) > 0 || closed {
			idents = append(idents, string(ident))
		}
		ident, closed = ident[:0], false
	}
	for i := 0; i < len(list); i++ {
		c := list[i]
		switch {
		case c == '"' && quoted && i+1 < len(list) && list[i+1] == '"':
			ident = append(ident, c)
			i++
		case c == '"':
			closed, quoted = quoted, !quoted
		case quoted:
			ident = append(ident, c)
		case c == ',':
			flush()
		case c == ' ':
		case 'A' <= c && c <= 'Z':
			ident = append(ident, c-'A'+'a')
		default:
			ident = append(ident, c)
		}
	}
	flush()
	return idents
}

// Dependents lists what lies in other schemas and hangs on tables of this one:
// views, and tables with foreign keys. After a rename they still mean the same
// tables, under their new schema. The names are qualified.
func (tx *Tx) Dependents(ctx context.Context, schemaName string) ([]string, error) {
	const query = `
SELECT DISTINCT v.oid::regclass::text
FROM pg_namespace n
JOIN pg_class t ON t.relnamespace = n.oid
JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = t.oid
                AND d.classid = 'pg_rewrite'::regclass
JOIN pg_rewrite w ON w.oid = d.objid
JOIN pg_class v ON v.oid = w.ev_class
WHERE n.nspname = $1 AND v.relnamespace <> n.oid
UNION
SELECT DISTINCT k.conrelid::regclass::text
FROM pg_namespace n
JOIN pg_class t ON t.relnamespace = n.oid
JOIN pg_constraint k ON k.confrelid = t.oid
JOIN pg_class v ON v.oid = k.conrelid
WHERE n.nspname = $1 AND v.relnamespace <> n.oid
ORDER BY 1`
	rows, err := tx.tx.Query(ctx, query, schemaName)
	if err == nil {
		var names []string
		if names, err = pgx.CollectRows(rows, pgx.RowTo[string]); err == nil {
			return names, nil
		}
	}
	return nil, stepError(err, "look for what depends on schema %q", schemaName)
}

// StraySequences lists columns of the schema, as "table.column", whose
// default draws from a sequence of another schema.
func (tx *Tx) StraySequences(ctx context.Context, schemaName string) ([]string, error) {
	const query = `
SELECT t.relname || '.' || a.attname
FROM pg_namespace n
JOIN pg_class t ON t.relnamespace = n.oid AND t.relkind IN ('r', 'p')
JOIN pg_attrdef f ON f.adrelid = t.oid
JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = f.adnum
JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = f.oid AND d.refclassid = 'pg_class'::regclass
JOIN pg_class s ON s.oid = d.refobjid AND s.relkind = 'S'
WHERE n.nspname = $1 AND s.relnamespace <> n.oid
ORDER BY 1`
	rows, err := tx.tx.Query(ctx, query, schemaName)
	if err == nil {
		var names []string
		if names, err = pgx.CollectRows(rows, pgx.RowTo[string]); err == nil {
			return names, nil
		}
	}
	return nil, stepError(err, "look for sequences outside of schema %q", schemaName)
}
