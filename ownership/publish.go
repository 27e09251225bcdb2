package ownership

import (
	"context"
	"fmt"

	"github.com/moodledb/moodledb/postgres"
)

// Plan is what publishing would do, and what stands against it.
type Plan struct {
	// Problems come blockers first.
	Problems []Problem
	// Statements are those of the publishing transaction; empty when the schema is loaded directly.
	Statements []string
	// Kept is the name that a replaced schema gets; empty when none is replaced.
	Kept string
}

// Check looks at the database before anything starts: whether the staging
// schema can be made, whether it can be published and given to the owner, and
// whether Moodle would find its tables then. It changes nothing. What it finds
// is in the Plan; the error tells that it could not look.
func Check(ctx context.Context, db DB, o Options) (Plan, error) {
	o = o.withDefaults()
	var plan Plan
	err := db.Transact(ctx, func(tx *postgres.Tx) error {
		f, err := gather(ctx, tx, db.Server(), o)
		if err != nil {
			return err
		}
		plan.Problems = blockersFirst(judge(&f, o))
		if o.Staging != "" {
			plan.Statements = statements(&f, o)
			if f.target.Exists && !f.target.Empty() {
				plan.Kept = o.kept()
			}
		}
		return nil
	})
	if err != nil {
		return Plan{}, fmt.Errorf("check schema %q: %w", o.Schema, err)
	}
	return plan, nil
}

func blockersFirst(problems []Problem) []Problem {
	var blockers, others []Problem
	for _, p := range problems {
		if p.Severity == Blocker {
			blockers = append(blockers, p)
		} else {
			others = append(others, p)
		}
	}
	return append(blockers, others...)
}

// Published says what Publish did.
type Published struct {
	Schema string
	Owner  string
	// Kept is the name of the schema that stood there before; empty when it was empty or missing.
	Kept string
	// Objects counts what was found in the published schema, all of it the owner's.
	Objects int
	// Extensions are those that moved along.
	Extensions []string
	Statements []string
	Warnings   []Problem
}

// Publish renames the staging schema to o.Schema in one transaction. The
// schema that stands there makes way when it is empty, and is renamed when it
// is not and o.Replace is set; its comment, privileges, default privileges and
// the extensions in it stay with the name. Everything in the staging schema
// must belong to the owner already; see [SetOwner]. Before the commit the result is looked at: an
// object of another owner, or a default that draws from a sequence elsewhere,
// undoes all of it. A refusal is a *[BlockedError].
func Publish(ctx context.Context, db DB, o Options) (Published, error) {
	o = o.withDefaults()
	var done Published
	err := db.Transact(ctx, func(tx *postgres.Tx) error {
		f, err := gather(ctx, tx, db.Server(), o)
		if err != nil {
			return err
		}
		problems := append(judgeOwner(&f, o), judgeLoaded(&f, o)...)
		problems = append(append(problems, judgeTarget(&f, o)...), judgeSearchPaths(&f, o)...)
		if err := blocked(fmt.Sprintf("publish schema %q", o.Staging), problems); err != nil {
			return err
		}
		done = Published{
			Schema: o.Schema, Owner: f.objectOwner(o),
			Statements: statements(&f, o), Warnings: problems,
		}
		if f.target.Exists && !f.target.Empty() {
			done.Kept = o.kept()
		}
		for _, x := range f.target.Extensions {
			done.Extensions = append(done.Extensions, x.Name)
		}
		for _, s := range done.Statements {
			if err := tx.Exec(ctx, s); err != nil {
				return fmt.Errorf("%s: %w", s, err)
			}
		}
		if done.Objects, err = prove(ctx, tx, &f, o); err == nil && o.Along != nil {
			err = o.Along(ctx, tx)
		}
		return err
	})
	if err != nil {
		return Published{}, publishError(err, o)
	}
	return done, nil
}

// publishError says that nothing has changed, which is what everyone asks first.
func publishError(err error, o Options) error {
	hint, ok := postgres.Hint(err)
	if ok {
		hint = "; " + hint
	}
	return fmt.Errorf("publish schema %q as %q (undone, nothing has changed): %w%s", o.Staging, o.Schema, err, hint)
}

// judgeLoaded checks the staging schema when it is to be published.
func judgeLoaded(f *facts, o Options) []Problem {
	p := Problem{Severity: Blocker, Object: o.Staging}
	switch {
	case !f.staging.Exists:
		p.Code = "staging-missing"
		p.Message = fmt.Sprintf("the staging schema %q does not exist", o.Staging)
		p.Hint = "run the migration again"
	case f.staging.Staging == nil:
		p.Code = "staging-taken"
		p.Message = fmt.Sprintf("the schema %q is not marked as a staging schema of moodledb", o.Staging)
		p.Hint = "its comment was changed, or it is another schema: look at it before anything else"
	case !f.staging.Owned || !f.server.CanCreate:
		p.Code = "staging-not-owned"
		p.Message = fmt.Sprintf("the role %q may not rename the schema %q", f.server.User, o.Staging)
		p.Hint = fmt.Sprintf("it needs the right to create schemas in database %q, and the schema itself", f.server.Database)
	default:
		return nil
	}
	return []Problem{p}
}

// statements are those of the publishing transaction. What needs the rights of
// the schema's owner comes before the schema is given away.
func statements(f *facts, o Options) []string {
	var out []string
	kept := o.kept()
	if f.target.Exists {
		out = append(out, postgres.RenameSchema(o.Schema, kept))
	}
	out = append(out, postgres.RenameSchema(o.Staging, o.Schema))
	if f.target.Exists {
		for _, x := range f.target.Extensions {
			out = append(out, postgres.MoveExtension(x.Name, o.Schema))
		}
		if f.target.Empty() {
			out = append(out, postgres.DropEmptySchema(kept))
		}
	}
	comment, grants := inherited(f, o)
	out = append(out, postgres.CommentSchema(o.Schema, comment))
	for _, g := range grants {
		out = append(out, postgres.GrantOnSchema(o.Schema, g))
	}
	for _, g := range f.target.DefaultGrants {
		if f.defaultRoles[g.Role].CanSet {
			out = append(out, postgres.AlterDefaultPrivileges(o.Schema, g))
		}
	}
	if owner := f.targetOwner(o); owner != f.server.User {
		out = append(out, postgres.SetSchemaOwner(o.Schema, owner))
	}
	return out
}

// inherited is what stays with the name of the published schema: its comment,
// and the privileges of all but its owners, old and new, who have all of them
// by default. A missing public gets what initdb gives it.
func inherited(f *facts, o Options) (comment string, grants []postgres.Grant) {
	if !f.target.Exists {
		if o.Schema == "public" {
			return "standard public schema", []postgres.Grant{{Privilege: "USAGE"}}
		}
		return "", nil
	}
	for _, g := range f.target.Grants {
		if g.Grantee != f.target.Owner && g.Grantee != f.targetOwner(o) {
			grants = append(grants, g)
		}
	}
	return f.target.Comment, grants
}

// prove looks at the published schema inside of the transaction and returns
// the number of objects in it.
func prove(ctx context.Context, tx *postgres.Tx, f *facts, o Options) (int, error) {
	objects, err := tx.Objects(ctx, o.Schema)
	if err != nil {
		return 0, err
	}
	owner := f.objectOwner(o)
	var foreign []string
	for _, x := range objects {
		if x.Owner != owner {
			foreign = append(foreign, fmt.Sprintf("%s (%s)", x.Identity, x.Owner))
		}
	}
	if len(foreign) > 0 {
		return 0, fmt.Errorf("%d objects would not belong to %q: %s", len(foreign), owner, some(foreign))
	}
	stray, err := tx.StraySequences(ctx, o.Schema)
	if err != nil {
		return 0, err
	}
	if len(stray) > 0 {
		return 0, fmt.Errorf("the defaults of %d columns use sequences of another schema: %s", len(stray), some(stray))
	}
	state, err := tx.SchemaState(ctx, o.Schema)
	if err != nil {
		return 0, err
	}
	if want := f.targetOwner(o); state.Owner != want {
		return 0, fmt.Errorf("the schema belongs to %q, not to %q", state.Owner, want)
	}
	if len(state.Extensions) != len(f.target.Extensions) {
		return 0, fmt.Errorf("the schema has the objects of %d extensions, not of %d", len(state.Extensions), len(f.target.Extensions))
	}
	return len(objects), nil
}
