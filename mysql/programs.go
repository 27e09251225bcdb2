package mysql

import (
	"context"
	"fmt"
)

// Program is code that is stored in a database and runs at the server.
type Program struct {
	Name string
	// Kind is "trigger", "function", "procedure" or "event"; MariaDB also has "package" and "package body".
	Kind string
	// Table is the table of a trigger.
	Table string
}

// selectPrograms lists what the connected user may see: triggers need the
// TRIGGER privilege, events EVENT, and routines any right on them.
const selectPrograms = `
SELECT trigger_name AS name, 'trigger' AS kind, event_object_table AS tbl
FROM information_schema.triggers
WHERE trigger_schema = ?
UNION ALL
SELECT routine_name, LOWER(routine_type), ''
FROM information_schema.routines
WHERE routine_schema = ?
UNION ALL
SELECT event_name, 'event', ''
FROM information_schema.events
WHERE event_schema = ?
ORDER BY kind, name`

// Programs lists the triggers, routines and events of the DSN's database.
func (db *DB) Programs(ctx context.Context) ([]Program, error) {
	name := db.dsn.Database
	rows, err := db.sql.QueryContext(ctx, selectPrograms, name, name, name)
	if err != nil {
		return nil, fmt.Errorf("list triggers, routines and events of database %q: %w", name, err)
	}
	defer func() { _ = rows.Close() }()
	var programs []Program
	for rows.Next() {
		var p Program
		if err := rows.Scan(&p.Name, &p.Kind, &p.Table); err != nil {
			return nil, fmt.Errorf("list triggers, routines and events of database %q: %w", name, err)
		}
		programs = append(programs, p)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list triggers, routines and events of database %q: %w", name, err)
	}
	return programs, nil
}
