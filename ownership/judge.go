package ownership

import (
	"fmt"
	"slices"
	"strings"

	"github.com/moodledb/moodledb/postgres"
)

// judge finds the problems of handing over before the load, when the staging
// schema is still to be made.
func judge(f *facts, o Options) []Problem {
	problems := judgeOwner(f, o)
	if o.Staging == "" {
		problems = append(problems, judgeDirect(f, o)...)
	} else {
		problems = append(problems, judgeStaging(f, o)...)
		problems = append(problems, judgeTarget(f, o)...)
	}
	return append(problems, judgeSearchPaths(f, o)...)
}

const orDirect = `, or load straight into an existing schema with --schema`

// judgeOwner checks that the role can be given everything.
func judgeOwner(f *facts, o Options) []Problem {
	switch {
	case o.Owner == "" || o.Owner == f.server.User:
		return nil
	case !f.owner.Exists:
		return []Problem{{
			Code: "owner-missing", Severity: Blocker, Object: o.Owner,
			Message: fmt.Sprintf("the role %q, which shall own everything, does not exist", o.Owner),
			Hint:    fmt.Sprintf("make it: CREATE ROLE %s LOGIN PASSWORD '...'", postgres.QuoteIdent(o.Owner)),
		}}
	case !f.owner.CanSet:
		return []Problem{{
			Code: "owner-no-member", Severity: Blocker, Object: o.Owner,
			Message: fmt.Sprintf("the role %q may not give objects to %q", f.server.User, o.Owner),
			Hint: fmt.Sprintf("let an administrator run: GRANT %s TO %s",
				postgres.QuoteIdent(o.Owner), postgres.QuoteIdent(f.server.User)),
		}}
	case !f.owner.CanLogin:
		return []Problem{{
			Code: "owner-no-login", Severity: Warning, Object: o.Owner,
			Message: fmt.Sprintf("the role %q, which shall own everything, cannot log in", o.Owner),
			Hint:    fmt.Sprintf("if Moodle is to use it: ALTER ROLE %s LOGIN", postgres.QuoteIdent(o.Owner)),
		}}
	}
	return nil
}

// judgeDirect checks a schema that is loaded without staging.
func judgeDirect(f *facts, o Options) []Problem {
	schema, user := postgres.QuoteIdent(o.Schema), postgres.QuoteIdent(f.server.User)
	switch {
	case !f.target.Exists:
		return []Problem{{
			Code: "schema-missing", Severity: Blocker, Object: o.Schema,
			Message: fmt.Sprintf("the schema %q does not exist", o.Schema),
			Hint:    fmt.Sprintf("make it: CREATE SCHEMA %s AUTHORIZATION %s", schema, user),
		}}
	case !f.target.CanUse:
		return []Problem{{
			Code: "schema-no-create", Severity: Blocker, Object: o.Schema,
			Message: fmt.Sprintf("the role %q may not create tables in the schema %q", f.server.User, o.Schema),
			Hint:    fmt.Sprintf("let its owner, %q, run: GRANT USAGE, CREATE ON SCHEMA %s TO %s", f.target.Owner, schema, user),
		}}
	case !f.target.Empty():
		return []Problem{{
			Code: "schema-not-empty", Severity: Blocker, Object: o.Schema,
			Message: fmt.Sprintf("the schema %q holds %s", o.Schema, contents(f.target)),
			Hint:    "use an empty schema, or load data only into the tables that are there",
		}}
	}
	return nil
}

// judgeStaging checks that the staging schema can be made.
func judgeStaging(f *facts, o Options) []Problem {
	s := f.staging
	p := Problem{Severity: Blocker, Object: o.Staging}
	drop := "DROP SCHEMA " + postgres.QuoteIdent(o.Staging) + " CASCADE"
	switch {
	case o.Staging == o.Schema:
		p.Code = "staging-is-target"
		p.Message = fmt.Sprintf("the schema %q cannot be staging schema and published schema at once", o.Schema)
		p.Hint = "load straight into it with --schema"
	case !s.Exists && !f.server.CanCreate:
		p.Code, p.Object = "database-no-create", f.server.Database
		p.Message = fmt.Sprintf("the role %q may not create schemas in the database %q, and loading needs a staging schema",
			f.server.User, f.server.Database)
		p.Hint = fmt.Sprintf("let the owner, %q, run: GRANT CREATE ON DATABASE %s TO %s",
			f.server.DatabaseOwner, postgres.QuoteIdent(f.server.Database), postgres.QuoteIdent(f.server.User)) + orDirect
	case !s.Exists:
		return nil
	case s.Staging == nil:
		p.Code = "staging-taken"
		p.Message = fmt.Sprintf("the schema %q, which would be the staging schema, exists and was not made by moodledb", o.Staging)
		p.Hint = "rename or drop it if nobody needs it" + orDirect
	case s.Held:
		p.Code = "staging-in-use"
		p.Message = fmt.Sprintf("another run of moodledb is loading into the staging schema %q", o.Staging)
		p.Hint = "wait until it has ended"
	case !s.Owned:
		p.Code = "staging-not-owned"
		p.Message = fmt.Sprintf("the staging schema %q of an earlier run belongs to %q", o.Staging, s.Owner)
		p.Hint = "connect as that role, or let it run: " + drop
	case !o.Replace:
		p.Code = "staging-left-over"
		p.Message = leftover(s)
		p.Hint = "give --replace to drop it, or run: " + drop
	default:
		p.Code, p.Severity = "staging-left-over", Warning
		p.Message = leftover(s)
		p.Hint = "it will be dropped first"
	}
	return []Problem{p}
}

func leftover(s postgres.SchemaState) string {
	return fmt.Sprintf("the staging schema %q of a run that did not end well is still there (source %s, started %s, %s)",
		s.Name, s.Staging.Source, s.Staging.Started.UTC().Format("2006-01-02 15:04:05 UTC"), contents(s))
}

// judgeTarget checks that the schema to publish as can be renamed away or dropped.
func judgeTarget(f *facts, o Options) []Problem {
	if !f.target.Exists {
		return nil
	}
	var problems []Problem
	if !f.target.Empty() && !o.Replace {
		problems = append(problems, Problem{
			Code: "schema-not-empty", Severity: Blocker, Object: o.Schema,
			Message: fmt.Sprintf("the schema %q holds %s", o.Schema, contents(f.target)),
			Hint:    fmt.Sprintf("give --replace to keep it as %s and publish in its place, or use another database", o.kept()),
		})
	}
	if !f.target.Owned {
		problems = append(problems, notOwned(f, o))
	}
	problems = append(problems, judgeExtensions(f)...)
	if o.Replace && !f.target.Empty() && len(f.dependents) > 0 {
		problems = append(problems, Problem{
			Code: "schema-dependents", Severity: Warning, Object: o.Schema,
			Message: fmt.Sprintf("other schemas use tables of %q and will go on to use the replaced ones: %s", o.Schema, some(f.dependents)),
			Hint:    "make these views and foreign keys again afterwards",
		})
	}
	for _, g := range f.target.DefaultGrants {
		if !f.defaultRoles[g.Role].CanSet {
			problems = append(problems, Problem{
				Code: "default-privileges", Severity: Warning, Object: g.Role,
				Message: fmt.Sprintf("the default privileges of role %q in schema %q cannot be kept, since %q may not act for it", g.Role, o.Schema, f.server.User),
				Hint:    "set them again afterwards with ALTER DEFAULT PRIVILEGES",
			})
		}
	}
	return slices.Compact(problems)
}

// notOwned tells who could let the target go. Before PostgreSQL 15, public
// belongs to the superuser; since then to whoever owns the database.
func notOwned(f *facts, o Options) Problem {
	p := Problem{
		Code: "schema-not-owned", Severity: Blocker, Object: o.Schema,
		Message: fmt.Sprintf("the schema %q belongs to %q, so %q cannot replace it", o.Schema, f.target.Owner, f.server.User),
		Hint: fmt.Sprintf("let a superuser run: ALTER SCHEMA %s OWNER TO %s",
			postgres.QuoteIdent(o.Schema), postgres.QuoteIdent(f.server.User)),
	}
	switch {
	case f.target.Owner == "pg_database_owner" && f.server.DatabaseOwner == f.server.User:
		p.Hint = fmt.Sprintf("the role owns the database but does not inherit the rights of that: ALTER ROLE %s INHERIT",
			postgres.QuoteIdent(f.server.User))
	case f.target.Owner == "pg_database_owner":
		p.Hint = fmt.Sprintf("connect as the owner of the database, %q", f.server.DatabaseOwner)
	}
	p.Hint += orDirect
	return p
}

// judgeExtensions checks that what extensions have in the target can move along.
func judgeExtensions(f *facts) []Problem {
	var problems []Problem
	for _, x := range f.target.Extensions {
		name := postgres.QuoteIdent(x.Name)
		p := Problem{Severity: Blocker, Object: x.Name}
		switch {
		case !x.Relocatable:
			p.Code = "extension-fixed"
			p.Message = fmt.Sprintf("the extension %q has its objects in schema %q and cannot be moved", x.Name, f.target.Name)
			p.Hint = fmt.Sprintf("if nothing uses it: DROP EXTENSION %s, and after the migration CREATE EXTENSION %s", name, name) + orDirect
		case !x.Owned:
			p.Code = "extension-not-owned"
			p.Message = fmt.Sprintf("the extension %q has its objects in schema %q and %q may not move all of them", x.Name, f.target.Name, f.server.User)
			p.Hint = fmt.Sprintf("connect as a superuser, or DROP EXTENSION %s before the migration and CREATE EXTENSION %s after it", name, name) + orDirect
		default:
			continue
		}
		problems = append(problems, p)
	}
	return problems
}

// judgeSearchPaths warns where Moodle, which names no schema, would not find its tables.
func judgeSearchPaths(f *facts, o Options) []Problem {
	var problems []Problem
	user := f.objectOwner(o)
	for _, p := range f.searchPaths {
		if p.Role != "" && p.Role != user {
			continue
		}
		hides := slices.IndexFunc(p.Schemas, func(s string) bool { return s == o.Schema || s == "$user" && o.Schema == user })
		namesake := slices.IndexFunc(p.Schemas, func(s string) bool { return s == "$user" || s == user })
		switch {
		case hides < 0:
			problems = append(problems, Problem{
				Code: "search-path", Severity: Warning, Object: o.Schema,
				Message: fmt.Sprintf("the search_path of %s is %s and does not hold the schema %q, so Moodle would not find its tables",
					whose(p, f), strings.Join(p.Schemas, ", "), o.Schema),
				Hint: fmt.Sprintf("run: ALTER ROLE %s IN DATABASE %s SET search_path = %s; or set dbschema in $CFG->dboptions of config.php",
					postgres.QuoteIdent(user), postgres.QuoteIdent(f.server.Database), postgres.QuoteIdent(o.Schema)),
			})
		case namesake >= 0 && namesake < hides && f.namesake.Tables > 0 && f.namesake.Name != o.Staging:
			problems = append(problems, Problem{
				Code: "search-path-shadow", Severity: Warning, Object: f.namesake.Name,
				Message: fmt.Sprintf("the schema %q stands before %q in the search_path of role %q and holds %s",
					f.namesake.Name, o.Schema, user, contents(f.namesake)),
				Hint: "rename or drop it if these are tables of an older copy of the site",
			})
		}
	}
	return slices.Compact(problems)
}

// whose says for whom a search_path is set.
func whose(p postgres.SearchPath, f *facts) string {
	switch {
	case p.Role != "" && p.Database != "":
		return fmt.Sprintf("role %q in database %q", p.Role, p.Database)
	case p.Role != "":
		return fmt.Sprintf("role %q", p.Role)
	case p.Database != "":
		return fmt.Sprintf("database %q", p.Database)
	}
	return fmt.Sprintf("the server, as role %q gets it,", f.server.User)
}

// contents counts what a schema holds.
func contents(s postgres.SchemaState) string {
	var parts []string
	for _, c := range []struct {
		n    int
		what string
	}{
		{s.Tables, "tables"},
		{s.Views, "views"},
		{s.Sequences, "sequences"},
		{s.Functions, "functions"},
		{s.Types, "types"},
		{s.Others, "other objects"},
	} {
		if c.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", c.n, c.what))
		}
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, ", ")
}

// some lists the first few of many names.
func some(names []string) string {
	const most = 5
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
