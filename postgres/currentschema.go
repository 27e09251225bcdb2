package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
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
	path, err := searchPath(ctx, c)
	if err != nil {
		return "", canceled(ctx, stepError(err, "ask for the current schema"))
	}
	if len(path) == 0 {
		return "", errors.New("no schema of the search path exists: name the schema of the site")
	}
	return path[0], nil
}

// searchPath returns the schemas on the search path that the server, the
// database and the role have set, without those that do not exist. The session
// itself has another one, so it is reset for a moment.
func searchPath(ctx context.Context, c *pgx.Conn) ([]string, error) {
	var path []string
	err := pgx.BeginTxFunc(ctx, c, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SET LOCAL search_path TO DEFAULT"); err != nil {
			return err
		}
		return tx.QueryRow(ctx, "SELECT pg_catalog.current_schemas(false)::text[]").Scan(&path)
	})
	return path, err
}
