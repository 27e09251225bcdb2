package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// ledgerMark begins the comment of every layout of the ledger.
const ledgerMark = "moodledb ledger, layout "

// LedgerAccess is what the connected role may do with the ledger of runs.
type LedgerAccess struct {
	Exists bool
	// Owner is the role that made it.
	Owner string
	// Owned says that the connected role may remove runs from it, and the ledger itself.
	Owned bool
}

// LedgerAccess looks at the ledger without touching it, so that whoever may not
// read it is told which right is missing, and what is not ours is left alone.
func (db *DB) LedgerAccess(ctx context.Context) (LedgerAccess, error) {
	const query = `
SELECT pg_get_userbyid(c.relowner), pg_get_userbyid(n.nspowner), pg_has_role(c.relowner, 'USAGE'),
       coalesce(obj_description(c.oid, 'pg_class'), ''),
       has_schema_privilege(n.oid, 'USAGE') AND (
           SELECT bool_and(has_table_privilege(t.oid, 'SELECT'))
           FROM pg_class t
           WHERE t.relnamespace = n.oid AND t.relname IN ('run', 'run_table', 'run_chunk', 'run_build'))
FROM pg_namespace n
JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = 'run'
WHERE n.nspname = $1`
	var (
		a                    LedgerAccess
		schemaOwner, comment string
		readable             bool
	)
	err := db.Transact(ctx, func(tx *Tx) error {
		err := tx.tx.QueryRow(ctx, query, HomeSchema).Scan(&a.Owner, &schemaOwner, &a.Owned, &comment, &readable)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		a.Exists = err == nil
		return err
	})
	switch user := QuoteIdent(db.server.User); {
	case err != nil:
		return a, stepError(err, "look at the ledger of runs")
	case !a.Exists:
		return a, nil
	case !strings.HasPrefix(comment, ledgerMark):
		return a, fmt.Errorf("the table %s.run is not moodledb's: it lacks the comment that marks the ledger of runs; it belongs to %q, who may rename the schema or the table", HomeSchema, a.Owner)
	case comment != ledgerLayout:
		return a, fmt.Errorf("the tables in schema %q are of another version of moodledb (%q): use that version to look at its runs and to end them", HomeSchema, comment)
	case !readable:
		return a, fmt.Errorf("the role %q may not read the ledger of runs; let %q run: GRANT USAGE ON SCHEMA %s TO %s; GRANT SELECT ON ALL TABLES IN SCHEMA %s TO %s",
			db.server.User, schemaOwner, HomeSchema, user, HomeSchema, user)
	}
	return a, nil
}
