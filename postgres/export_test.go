package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// Stale is how long a session may lie idle before it is tried out.
const Stale = stale

// Trace tells t of every query from now on, in sessions that are new.
func Trace(db *DB, t pgx.QueryTracer) {
	db.config.Tracer = t
	for {
		c, ok := db.takeIdle()
		if !ok {
			return
		}
		closeConn(context.Background(), c.conn)
	}
}
