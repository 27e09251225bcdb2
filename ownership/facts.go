package ownership

import (
	"context"

	"github.com/moodledb/moodledb/postgres"
)

// facts is what the judgement rests on, as one transaction sees it.
type facts struct {
	server  postgres.Server
	staging postgres.SchemaState
	target  postgres.SchemaState
	// owner is the role of Options.Owner, schemaOwner the present owner of the
	// target schema, namesake the schema that hides the target through "$user".
	owner       postgres.Role
	schemaOwner postgres.Role
	namesake    postgres.SchemaState
	// defaultRoles are the roles that the target's default privileges speak of.
	defaultRoles map[string]postgres.Role
	searchPaths  []postgres.SearchPath
	dependents   []string
}

// gather reads the facts. Nothing is decided here.
func gather(ctx context.Context, tx *postgres.Tx, server postgres.Server, o Options) (facts, error) {
	f := facts{server: server, defaultRoles: map[string]postgres.Role{}}
	var err error
	if o.Staging != "" {
		if f.staging, err = tx.SchemaState(ctx, o.Staging); err != nil {
			return f, err
		}
	}
	if f.target, err = tx.SchemaState(ctx, o.Schema); err != nil {
		return f, err
	}
	if o.Owner != "" {
		if f.owner, err = tx.Role(ctx, o.Owner); err != nil {
			return f, err
		}
	}
	if f.target.Exists {
		if f.schemaOwner, err = tx.Role(ctx, f.target.Owner); err != nil {
			return f, err
		}
		if f.dependents, err = tx.Dependents(ctx, o.Schema); err != nil {
			return f, err
		}
	}
	for _, g := range f.target.DefaultGrants {
		if f.defaultRoles[g.Role], err = tx.Role(ctx, g.Role); err != nil {
			return f, err
		}
	}
	if f.namesake, err = tx.SchemaState(ctx, f.objectOwner(o)); err != nil {
		return f, err
	}
	f.searchPaths, err = tx.SearchPaths(ctx)
	return f, err
}

// objectOwner is the role that owns the objects in the end.
func (f *facts) objectOwner(o Options) string {
	if o.Owner != "" {
		return o.Owner
	}
	return f.server.User
}

// targetOwner is the role that owns the published schema in the end: that of
// Options, else the one that has it now, as a native installation would leave it.
func (f *facts) targetOwner(o Options) string {
	if o.Owner != "" {
		return o.Owner
	}
	if f.target.Exists && f.schemaOwner.CanSet {
		return f.target.Owner
	}
	return f.server.User
}
