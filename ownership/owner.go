package ownership

import (
	"context"
	"fmt"
	"strings"

	"github.com/moodledb/moodledb/postgres"
)

// batch is the number of objects that change hands in one transaction. A table
// takes its indexes, its TOAST table and its sequences along, each with a lock,
// and a server's default settings have room for 6,400 locks.
const batch = 100

// SetOwner gives everything in the schema to the role owner: tables with their
// sequences, views, functions, types and whatever else has an owner, but for
// what belongs to extensions. It works in several transactions; called again
// after an interruption, it goes on with the rest. The schema itself is given
// along when the connected role owns it, unless it is a staging schema: that
// one changes hands when it is published.
func SetOwner(ctx context.Context, db DB, schema, owner string) error {
	if err := setOwner(ctx, db, schema, owner); err != nil {
		hint, ok := postgres.Hint(err)
		if ok {
			hint = "; " + hint
		}
		return fmt.Errorf("give schema %q to role %q: %w%s", schema, owner, err, hint)
	}
	return nil
}

func setOwner(ctx context.Context, db DB, schema, owner string) error {
	var (
		state   postgres.SchemaState
		todo    []postgres.Object
		granted bool
	)
	err := db.Transact(ctx, func(tx *postgres.Tx) error {
		o := Options{Schema: schema, Owner: owner}
		f, err := gather(ctx, tx, db.Server(), o)
		if err != nil {
			return err
		}
		if err := blocked("check the role", judgeOwner(&f, o)); err != nil {
			return err
		}
		state = f.target
		if todo, err = foreignObjects(ctx, tx, schema, owner); err != nil || len(todo) == 0 {
			return err
		}
		// Who gets an object must be allowed to create one in its schema,
		// unless a superuser gives it.
		may, err := tx.MayCreate(ctx, owner, schema)
		if err != nil || may || f.server.Superuser {
			return err
		}
		granted = true
		return tx.Exec(ctx, postgres.GrantOnSchema(schema, postgres.Grant{Grantee: owner, Privilege: "USAGE, CREATE"}))
	})
	if err != nil {
		return err
	}
	for len(todo) > 0 {
		n := min(batch, len(todo))
		if err := give(ctx, db, todo[:n], owner); err != nil {
			return err
		}
		todo = todo[n:]
	}
	var last []string
	if granted {
		last = append(last, postgres.RevokeOnSchema(schema, owner))
	}
	if state.Staging == nil && state.Owned && state.Owner != owner {
		last = append(last, postgres.SetSchemaOwner(schema, owner))
	}
	return db.Transact(ctx, func(tx *postgres.Tx) error {
		if len(last) > 0 {
			if err := tx.Exec(ctx, postgres.Batch(last)); err != nil {
				return err
			}
		}
		return given(ctx, tx, schema, owner)
	})
}

// given reads again whose everything is: that a statement went well does not show what an event
// trigger, or another session, has made of it.
func given(ctx context.Context, tx *postgres.Tx, schema, owner string) error {
	left, err := foreignObjects(ctx, tx, schema, owner)
	if err != nil || len(left) == 0 {
		return err
	}
	x := left[0]
	return fmt.Errorf("of what was given, %d still belong to another role, such as %s %s to %q: an event trigger, or another session, may have given it back; see to that and resume",
		len(left), strings.ToLower(x.Kind), x.Identity, x.Owner)
}

// foreignObjects lists what can be given to owner and is not yet owner's.
func foreignObjects(ctx context.Context, tx *postgres.Tx, schema, owner string) ([]postgres.Object, error) {
	all, err := tx.Objects(ctx, schema)
	if err != nil {
		return nil, err
	}
	var foreign []postgres.Object
	for _, x := range all {
		if !x.Follows && x.Owner != owner {
			foreign = append(foreign, x)
		}
	}
	return foreign, nil
}

// give hands objects over in one transaction.
func give(ctx context.Context, db DB, objects []postgres.Object, owner string) error {
	return db.Transact(ctx, func(tx *postgres.Tx) error {
		for _, x := range objects {
			if err := tx.Exec(ctx, postgres.SetOwner(x, owner)); err != nil {
				return fmt.Errorf("%s: %w", postgres.SetOwner(x, owner), err)
			}
		}
		return nil
	})
}
