package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
)

// SchemaState is what a schema is and holds, as a whole.
type SchemaState struct {
	Name    string
	Exists  bool
	Owner   string
	Comment string
	// Owned says that the connected role may rename, drop and give away the schema.
	Owned bool
	// CanUse says that the connected role may create objects in it.
	CanUse bool
	// Grants are the schema's privileges in the order that the server keeps;
	// HasGrants is false for a schema with nothing but the defaults.
	Grants    []Grant
	HasGrants bool
	// DefaultGrants are what ALTER DEFAULT PRIVILEGES has set for the schema.
	DefaultGrants []DefaultGrant
	// Staging is what the marker of a staging schema says; nil for any other schema.
	Staging *Staging
	// Held says that a running moodledb works in it; see [DB.HoldSchema].
	Held bool
	// Tables, Views, Sequences, Functions, Types and Others count the objects
	// that belong to no extension. Materialized views are Views, foreign tables are Tables.
	Tables, Views, Sequences, Functions, Types, Others int
	// Extensions are those that have objects in the schema.
	Extensions []Extension
}

// Empty reports whether the schema holds nothing but objects of extensions.
func (s SchemaState) Empty() bool {
	return s.Tables+s.Views+s.Sequences+s.Functions+s.Types+s.Others == 0
}

// Grant is a privilege on a schema.
type Grant struct {
	Grantee   string // empty means PUBLIC
	Privilege string // USAGE or CREATE
	Grantable bool
}

// DefaultGrant is a privilege that objects get when Role makes them in the schema.
type DefaultGrant struct {
	Role      string
	Objects   string // TABLES, SEQUENCES, FUNCTIONS or TYPES
	Grantee   string // empty means PUBLIC
	Privilege string
	Grantable bool
}

// Extension is an extension that has objects in a schema.
type Extension struct {
	Name string
	// Relocatable says that all its objects can be moved to another schema.
	Relocatable bool
	// Owned says that the connected role may move it.
	Owned bool
}

// SchemaState looks at a schema; one that does not exist is no error.
func (tx *Tx) SchemaState(ctx context.Context, name string) (SchemaState, error) {
	s := SchemaState{Name: name}
	const query = `
SELECT n.oid, pg_get_userbyid(n.nspowner), coalesce(obj_description(n.oid, 'pg_namespace'), ''),
       pg_has_role(n.nspowner, 'USAGE'), has_schema_privilege(n.oid, 'CREATE'), n.nspacl IS NOT NULL,
       EXISTS (SELECT FROM pg_locks l
               WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
                 AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                 AND l.classid = $2 AND l.objid = (n.oid::bigint % 2147483647)::oid)
FROM pg_namespace n
WHERE n.nspname = $1`
	var oid uint32
	err := tx.tx.QueryRow(ctx, query, name, uint32(holdClass)).
		Scan(&oid, &s.Owner, &s.Comment, &s.Owned, &s.CanUse, &s.HasGrants, &s.Held)
	if errors.Is(err, pgx.ErrNoRows) {
		return s, nil
	}
	if err != nil {
		return s, stepError(err, "look at schema %q", name)
	}
	s.Exists = true
	s.Staging = parseMarker(s.Comment)
	for _, read := range []func(context.Context, uint32, *SchemaState) error{
		tx.readGrants, tx.readDefaultGrants, tx.countObjects, tx.readExtensions,
	} {
		if err := read(ctx, oid, &s); err != nil {
			return s, stepError(err, "look at schema %q", name)
		}
	}
	return s, nil
}

func (tx *Tx) readGrants(ctx context.Context, oid uint32, s *SchemaState) error {
	const query = `
SELECT CASE WHEN a.grantee = 0 THEN '' ELSE pg_get_userbyid(a.grantee) END, a.privilege_type, a.is_grantable
FROM pg_namespace n
CROSS JOIN LATERAL aclexplode(n.nspacl) WITH ORDINALITY a (grantor, grantee, privilege_type, is_grantable, n)
WHERE n.oid = $1
ORDER BY a.n`
	var g Grant
	return forEach(ctx, tx.tx, query, []any{oid}, []any{&g.Grantee, &g.Privilege, &g.Grantable}, func() error {
		s.Grants = append(s.Grants, g)
		return nil
	})
}

func (tx *Tx) readDefaultGrants(ctx context.Context, oid uint32, s *SchemaState) error {
	const query = `
SELECT pg_get_userbyid(d.defaclrole), d.defaclobjtype::text,
       CASE WHEN a.grantee = 0 THEN '' ELSE pg_get_userbyid(a.grantee) END, a.privilege_type, a.is_grantable
FROM pg_default_acl d
CROSS JOIN LATERAL aclexplode(d.defaclacl) WITH ORDINALITY a (grantor, grantee, privilege_type, is_grantable, n)
WHERE d.defaclnamespace = $1
ORDER BY 1, 2, a.n`
	var (
		g    DefaultGrant
		kind string
	)
	return forEach(ctx, tx.tx, query, []any{oid}, []any{
		&g.Role, &kind, &g.Grantee, &g.Privilege, &g.Grantable,
	}, func() error {
		switch kind {
		case "r":
			g.Objects = "TABLES"
		case "S":
			g.Objects = "SEQUENCES"
		case "f":
			g.Objects = "FUNCTIONS"
		case "T":
			g.Objects = "TYPES"
		default:
			return fmt.Errorf("default privileges for an unknown kind of object %q", kind)
		}
		s.DefaultGrants = append(s.DefaultGrants, g)
		return nil
	})
}

// inSchema finds the objects of a schema by their dependency on it, so that
// none of whatever kind is missed. Rows, indexes and TOAST depend on their
// table instead. What belongs to an extension is left out, and so are the parts
// that PostgreSQL adds to a type by itself, such as the constructors of a range.
const inSchema = `pg_depend d
WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = $1 AND d.deptype = 'n'
  AND d.classid <> 'pg_extension'::regclass
  AND NOT EXISTS (SELECT FROM pg_depend e
                  WHERE e.classid = d.classid AND e.objid = d.objid
                    AND (e.deptype = 'e' OR e.deptype = 'i' AND d.classid <> 'pg_class'::regclass))`

func (tx *Tx) countObjects(ctx context.Context, oid uint32, s *SchemaState) error {
	const query = `
SELECT CASE d.classid
         WHEN 'pg_class'::regclass THEN (SELECT c.relkind::text FROM pg_class c WHERE c.oid = d.objid)
         WHEN 'pg_proc'::regclass THEN 'function'
         WHEN 'pg_type'::regclass THEN 'type'
         ELSE 'other' END,
       count(*)
FROM ` + inSchema + `
GROUP BY 1`
	var (
		kind string
		n    int
	)
	return forEach(ctx, tx.tx, query, []any{oid}, []any{&kind, &n}, func() error {
		switch kind {
		case "r", "p", "f":
			s.Tables += n
		case "v", "m":
			s.Views += n
		case "S":
			s.Sequences += n
		case "function":
			s.Functions += n
		case "c", "type":
			s.Types += n
		default:
			s.Others += n
		}
		return nil
	})
}

// readExtensions finds the extensions. To move one, a role must own it and all
// that it consists of: what a plain role has made of a trusted extension
// consists of objects of the superuser.
func (tx *Tx) readExtensions(ctx context.Context, oid uint32, s *SchemaState) error {
	const query = `
SELECT x.extname, x.extrelocatable,
       pg_has_role(x.extowner, 'USAGE') AND NOT EXISTS (
           SELECT FROM pg_depend m
           LEFT JOIN pg_proc p ON m.classid = 'pg_proc'::regclass AND p.oid = m.objid
           LEFT JOIN pg_class c ON m.classid = 'pg_class'::regclass AND c.oid = m.objid
           LEFT JOIN pg_type t ON m.classid = 'pg_type'::regclass AND t.oid = m.objid
           LEFT JOIN pg_operator o ON m.classid = 'pg_operator'::regclass AND o.oid = m.objid
           WHERE m.refclassid = 'pg_extension'::regclass AND m.refobjid = x.oid AND m.deptype = 'e'
             AND NOT pg_has_role(coalesce(p.proowner, c.relowner, t.typowner, o.oprowner, x.extowner), 'USAGE'))
FROM pg_extension x
WHERE x.extnamespace = $1
   OR EXISTS (SELECT FROM pg_depend m
              JOIN pg_depend d ON d.classid = m.classid AND d.objid = m.objid
              WHERE m.refclassid = 'pg_extension'::regclass AND m.refobjid = x.oid AND m.deptype = 'e'
                AND d.refclassid = 'pg_namespace'::regclass AND d.refobjid = $1 AND d.deptype = 'n')
ORDER BY x.extname`
	var x Extension
	return forEach(ctx, tx.tx, query, []any{oid}, []any{&x.Name, &x.Relocatable, &x.Owned}, func() error {
		s.Extensions = append(s.Extensions, x)
		return nil
	})
}

// SchemaState looks at a schema; one that does not exist is no error.
func (db *DB) SchemaState(ctx context.Context, name string) (SchemaState, error) {
	var s SchemaState
	err := db.Transact(ctx, func(tx *Tx) error {
		var err error
		s, err = tx.SchemaState(ctx, name)
		return err
	})
	return s, err
}

// Role looks a role up; one that does not exist is no error.
func (db *DB) Role(ctx context.Context, name string) (Role, error) {
	var r Role
	err := db.Transact(ctx, func(tx *Tx) error {
		var err error
		r, err = tx.Role(ctx, name)
		return err
	})
	return r, err
}

// Object is something in a schema that has an owner.
type Object struct {
	// Kind is what ALTER calls it, such as "TABLE" or "MATERIALIZED VIEW".
	Kind string
	// Identity is its qualified and quoted name, with argument types where they belong to it.
	Identity string
	Owner    string
	// Follows says that the owner is that of a table and cannot be set alone:
	// a sequence that a column owns.
	Follows bool
}

// Objects lists everything in the schema that has an owner, tables first, but
// for what belongs to an extension.
func (tx *Tx) Objects(ctx context.Context, schemaName string) ([]Object, error) {
	const query = `
SELECT i.type, i.identity,
       coalesce(pg_get_userbyid(coalesce(c.relowner, p.proowner, t.typowner, l.collowner, v.conowner,
                o.oprowner, oc.opcowner, f.opfowner, sx.stxowner, td.dictowner, tc.cfgowner)), ''),
       c.relkind IS NOT DISTINCT FROM 'S' AND EXISTS (
           SELECT FROM pg_depend w
           WHERE w.classid = 'pg_class'::regclass AND w.objid = c.oid
             AND w.refclassid = 'pg_class'::regclass AND w.deptype IN ('a', 'i'))
FROM (SELECT d.classid, d.objid FROM ` + inSchema + `) d
CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, 0) i
LEFT JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
LEFT JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid
LEFT JOIN pg_type t ON d.classid = 'pg_type'::regclass AND t.oid = d.objid
LEFT JOIN pg_collation l ON d.classid = 'pg_collation'::regclass AND l.oid = d.objid
LEFT JOIN pg_conversion v ON d.classid = 'pg_conversion'::regclass AND v.oid = d.objid
LEFT JOIN pg_operator o ON d.classid = 'pg_operator'::regclass AND o.oid = d.objid
LEFT JOIN pg_opclass oc ON d.classid = 'pg_opclass'::regclass AND oc.oid = d.objid
LEFT JOIN pg_opfamily f ON d.classid = 'pg_opfamily'::regclass AND f.oid = d.objid
LEFT JOIN pg_statistic_ext sx ON d.classid = 'pg_statistic_ext'::regclass AND sx.oid = d.objid
LEFT JOIN pg_ts_dict td ON d.classid = 'pg_ts_dict'::regclass AND td.oid = d.objid
LEFT JOIN pg_ts_config tc ON d.classid = 'pg_ts_config'::regclass AND tc.oid = d.objid
ORDER BY c.relkind IS DISTINCT FROM 'r', i.type, i.identity`
	var oid uint32
	err := tx.tx.QueryRow(ctx, "SELECT oid FROM pg_namespace WHERE nspname = $1", schemaName).Scan(&oid)
	if errors.Is(err, pgx.ErrNoRows) {
		err = ErrNoSchema
	}
	if err != nil {
		return nil, stepError(err, "list the objects of schema %q", schemaName)
	}
	var (
		kind string
		o    Object
		all  []Object
	)
	err = forEach(ctx, tx.tx, query, []any{oid}, []any{&kind, &o.Identity, &o.Owner, &o.Follows}, func() error {
		var err error
		if o.Kind, err = alterKind(kind); err != nil || o.Kind == "" {
			return err
		}
		if o.Owner == "" {
			return fmt.Errorf("the owner of %s %s is unknown", kind, o.Identity)
		}
		all = append(all, o)
		return nil
	})
	if err != nil {
		return nil, stepError(err, "list the objects of schema %q", schemaName)
	}
	return all, nil
}

// alterKind translates what pg_identify_object calls an object into what ALTER
// ... OWNER TO calls it; empty for what has no owner.
func alterKind(kind string) (string, error) {
	kinds := []struct{ identified, alter string }{
		{"table", "TABLE"},
		{"foreign table", "FOREIGN TABLE"},
		{"view", "VIEW"},
		{"materialized view", "MATERIALIZED VIEW"},
		{"sequence", "SEQUENCE"},
		{"composite type", "TYPE"},
		{"type", "TYPE"},
		{"function", "FUNCTION"},
		{"procedure", "PROCEDURE"},
		{"aggregate", "AGGREGATE"},
		{"collation", "COLLATION"},
		{"conversion", "CONVERSION"},
		{"operator", "OPERATOR"},
		{"operator class", "OPERATOR CLASS"},
		{"operator family", "OPERATOR FAMILY"},
		{"statistics object", "STATISTICS"},
		{"text search dictionary", "TEXT SEARCH DICTIONARY"},
		{"text search configuration", "TEXT SEARCH CONFIGURATION"},
		{"text search parser", ""},
		{"text search template", ""},
	}
	i := slices.IndexFunc(kinds, func(k struct{ identified, alter string }) bool { return k.identified == kind })
	if i < 0 {
		return "", fmt.Errorf("unknown kind of object %q", kind)
	}
	return kinds[i].alter, nil
}
