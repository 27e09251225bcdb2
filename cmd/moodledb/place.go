package main

import (
	"context"
	"fmt"

	"github.com/moodledb/moodledb/dsn"
	"github.com/moodledb/moodledb/postgres"
)

// place reads the value of a flag that names a database, a URL or the path of
// a config.php, and asks for its password when that is wanted.
func place(t *terminal, flag, value, env string, ask bool) (dsn.DSN, error) {
	d, err := dsn.Parse(value, dsn.Options{PasswordEnv: env})
	if err != nil {
		return d, usageError{fmt.Errorf("%s: %w", flag, err)}
	}
	if ask {
		secret, err := t.password(fmt.Sprintf("Password of %s: ", d))
		if err != nil {
			return d, usageError{fmt.Errorf("%s: %w: set %s instead", flag, err, env)}
		}
		d.Password = dsn.Secret(secret)
	}
	return d, nil
}

// openTarget opens the database that runs are loaded into.
func openTarget(ctx context.Context, t *terminal, value string, ask bool, open func(context.Context, dsn.DSN) (*postgres.DB, error)) (*postgres.DB, string, error) {
	if value == "" {
		return nil, "", usageError{fmt.Errorf("--to is missing: a URL or the path of a config.php")}
	}
	d, err := place(t, "--to", value, toPasswordEnv, ask)
	if err != nil {
		return nil, "", err
	}
	if d.Engine.IsMySQL() {
		return nil, "", usageError{fmt.Errorf("--to is a %s place; runs are recorded in their target, a PostgreSQL", d.Engine)}
	}
	db, err := open(ctx, d)
	if err != nil {
		return nil, "", fmt.Errorf("target: %w", err)
	}
	return db, d.Address(), nil
}
