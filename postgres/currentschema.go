package postgres

import (
	"context"
	"errors"
)

// CurrentSchema returns the schema in which the connected role finds and makes
// objects whose names it does not qualify: the first on its search path that
// exists. Moodle looks for its tables there.
func (db *DB) CurrentSchema(ctx context.Context) (string, error) {
	c, err := db.acquire(ctx)
	if err != nil {
		return "", connectError(db.config, err)
	}
	defer db.release(c)
	var name *string
	if err := c.QueryRow(ctx, "SELECT current_schema()").Scan(&name); err != nil {
		return "", canceled(ctx, stepError(err, "ask for the current schema"))
	}
	if name == nil {
		return "", errors.New("no schema of the search path exists: name the schema of the site")
	}
	return *name, nil
}
