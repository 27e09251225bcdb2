package postgres

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/moodledb/moodledb/schema"
)

// The bits of pg_trigger.tgtype, from the server's src/include/catalog/pg_trigger.h.
const (
	triggerBefore   = 1 << 1
	triggerInsert   = 1 << 2
	triggerDelete   = 1 << 3
	triggerUpdate   = 1 << 4
	triggerTruncate = 1 << 5
	triggerInstead  = 1 << 6
)

// readTriggers reads the triggers that users made, and the rules of the
// rewriter. Those that a foreign key or a partitioned table brings with it are internal.
func (in *inspector) readTriggers(ctx context.Context, tx pgx.Tx) error {
	const query = `
SELECT g.tgrelid, g.tgname, false, g.tgtype::int, ''
FROM pg_class t
JOIN pg_trigger g ON g.tgrelid = t.oid AND NOT g.tgisinternal
WHERE t.relnamespace = $1 AND t.relkind IN ('r', 'p')
UNION ALL
SELECT r.ev_class, r.rulename, true, 0,
       CASE r.ev_type WHEN '1' THEN 'select' WHEN '2' THEN 'update' WHEN '3' THEN 'insert' ELSE 'delete' END
FROM pg_class t
JOIN pg_rewrite r ON r.ev_class = t.oid
WHERE t.relnamespace = $1 AND t.relkind IN ('r', 'p')
ORDER BY 1, 2`
	var (
		table uint32
		g     schema.Trigger
		bits  int
		event string
	)
	return forEach(ctx, tx, query, []any{in.oid}, []any{&table, &g.Name, &g.Rule, &bits, &event}, func() error {
		i, ok := in.tables[table]
		if !ok {
			return nil
		}
		g.Event = "on " + event
		if !g.Rule {
			g.Event = triggerEvent(bits)
		}
		in.schema.Tables[i].Triggers = append(in.schema.Tables[i].Triggers, g)
		return nil
	})
}

// triggerEvent spells when a trigger runs, such as "before insert or update".
func triggerEvent(bits int) string {
	when := "after "
	switch {
	case bits&triggerBefore != 0:
		when = "before "
	case bits&triggerInstead != 0:
		when = "instead of "
	}
	var events []string
	for _, e := range []struct {
		bit  int
		name string
	}{{triggerInsert, "insert"}, {triggerUpdate, "update"}, {triggerDelete, "delete"}, {triggerTruncate, "truncate"}} {
		if bits&e.bit != 0 {
			events = append(events, e.name)
		}
	}
	return when + strings.Join(events, " or ")
}

// readElsewhere reads the names of relations in the other schemas of the search
// path. Where the schema is not on the path itself, the site sets a path of its own.
func (in *inspector) readElsewhere(ctx context.Context, tx pgx.Tx) error {
	const query = `
SELECT n.nspname, c.relname, array_position($2::text[], n.nspname::text) < array_position($2::text[], $1::text)
FROM pg_namespace n
JOIN pg_class c ON c.relnamespace = n.oid
WHERE $1 = ANY ($2::text[]) AND n.nspname = ANY ($2::text[]) AND n.nspname <> $1 AND n.nspname NOT LIKE 'pg\_%'
  AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND NOT EXISTS (SELECT FROM pg_depend e
                  WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')
ORDER BY n.nspname, c.relname`
	var e schema.Elsewhere
	return forEach(ctx, tx, query, []any{in.name, in.path}, []any{&e.Schema, &e.Name, &e.First}, func() error {
		in.schema.Elsewhere = append(in.schema.Elsewhere, e)
		return nil
	})
}
