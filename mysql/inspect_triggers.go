package mysql

import (
	"context"

	"github.com/moodledb/moodledb/schema"
)

// readTriggers reads the triggers, as far as the user has the right to see them.
func (in *inspector) readTriggers(ctx context.Context) error {
	const query = `
SELECT TRIGGER_SCHEMA AS db, EVENT_OBJECT_TABLE AS name, TRIGGER_NAME AS trg, LOWER(CONCAT(ACTION_TIMING, ' ', EVENT_MANIPULATION)) AS event
FROM information_schema.TRIGGERS
WHERE TRIGGER_SCHEMA = ?
ORDER BY EVENT_OBJECT_TABLE, TRIGGER_NAME`
	var table string
	var g schema.Trigger
	return in.each(ctx, query, []any{&table, &g.Name, &g.Event}, func() error {
		if t := in.table(table); t != nil {
			t.Triggers = append(t.Triggers, g)
		}
		return nil
	}, in.name)
}
