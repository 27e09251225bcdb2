package postgres

import (
	"context"
	"fmt"
	"strings"
)

// HomeSchema is the schema in the target where moodledb keeps its own tables.
const HomeSchema = "moodledb"

// createJournal makes the journal of dropped indexes and constraints. A row is
// written in the transaction that drops the object and deleted in the one that
// makes it again, so that no crash can lose a definition.
const createJournal = `
CREATE TABLE IF NOT EXISTS moodledb.index_journal (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    loaded_schema text NOT NULL,
    schema_name   text NOT NULL,
    table_name    text NOT NULL,
    name          text NOT NULL,
    kind          text NOT NULL,
    definition    text NOT NULL,
    extras        text[] NOT NULL,
    tablespace    text NOT NULL,
    dropped_at    timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE moodledb.index_journal IS
    'Indexes and constraints that moodledb has dropped to load faster and will make again. definition is the statement that makes the object.'`

// JournalKind is the kind of a dropped object.
type JournalKind string

// The kinds of dropped objects, in the order in which they are made again.
const (
	JournalPrimaryKey JournalKind = "primary key"
	JournalUnique     JournalKind = "unique"
	JournalExclusion  JournalKind = "exclusion"
	JournalIndex      JournalKind = "index"
	JournalForeignKey JournalKind = "foreign key"
)

// JournalEntry is an index or constraint that was dropped and not yet made again.
type JournalEntry struct {
	ID int64
	// Schema and Table are where it belongs: of a foreign key that points into
	// the loaded schema, this may be another schema.
	Schema string
	Table  string
	Name   string
	Kind   JournalKind
	// Definition is the statement that makes it, in the server's own words.
	Definition string
	// Extras are statements to run after it: comments, clustering, replica identity.
	Extras []string
	// Tablespace is where it was, when not in the default one.
	Tablespace string
}

// selectIndexes lists what DropIndexes takes from one table. The definitions
// are what pg_dump would print.
const selectIndexes = `
SELECT CASE k.contype WHEN 'p' THEN 'primary key' WHEN 'u' THEN 'unique' WHEN 'x' THEN 'exclusion' ELSE 'index' END,
       x.relname,
       CASE WHEN k.oid IS NULL THEN pg_get_indexdef(i.indexrelid)
            ELSE format('ALTER TABLE %I.%I ADD CONSTRAINT %I %s', n.nspname, t.relname, k.conname, pg_get_constraintdef(k.oid)) END,
       array_remove(ARRAY[
           CASE WHEN obj_description(x.oid, 'pg_class') IS NOT NULL
                THEN format('COMMENT ON INDEX %I.%I IS %L', n.nspname, x.relname, obj_description(x.oid, 'pg_class')) END,
           CASE WHEN obj_description(k.oid, 'pg_constraint') IS NOT NULL
                THEN format('COMMENT ON CONSTRAINT %I ON %I.%I IS %L', k.conname, n.nspname, t.relname, obj_description(k.oid, 'pg_constraint')) END,
           CASE WHEN i.indisclustered
                THEN format('ALTER TABLE %I.%I CLUSTER ON %I', n.nspname, t.relname, x.relname) END,
           CASE WHEN i.indisreplident
                THEN format('ALTER TABLE %I.%I REPLICA IDENTITY USING INDEX %I', n.nspname, t.relname, x.relname) END
       ], NULL),
       coalesce(s.spcname, '')
FROM pg_namespace n
JOIN pg_class t ON t.relnamespace = n.oid
JOIN pg_index i ON i.indrelid = t.oid
JOIN pg_class x ON x.oid = i.indexrelid
LEFT JOIN pg_constraint k ON k.conindid = x.oid AND k.conrelid = t.oid AND k.contype IN ('p', 'u', 'x')
LEFT JOIN pg_tablespace s ON s.oid = x.reltablespace
WHERE n.nspname = $1 AND t.relname = $2
ORDER BY x.relname`

// selectForeignKeys lists the foreign keys from and to the tables $2, wherever
// the table on the other side is.
const selectForeignKeys = `
SELECT kn.nspname, kt.relname, 'foreign key', k.conname,
       format('ALTER TABLE %I.%I ADD CONSTRAINT %I %s', kn.nspname, kt.relname, k.conname, pg_get_constraintdef(k.oid)),
       array_remove(ARRAY[
           CASE WHEN obj_description(k.oid, 'pg_constraint') IS NOT NULL
                THEN format('COMMENT ON CONSTRAINT %I ON %I.%I IS %L', k.conname, kn.nspname, kt.relname, obj_description(k.oid, 'pg_constraint')) END
       ], NULL),
       ''
FROM pg_constraint k
JOIN pg_class kt ON kt.oid = k.conrelid
JOIN pg_namespace kn ON kn.oid = kt.relnamespace
WHERE k.contype = 'f' AND k.conparentid = 0 AND EXISTS (
    SELECT FROM pg_class t
    JOIN pg_namespace n ON n.oid = t.relnamespace
    WHERE n.nspname = $1 AND t.relname = ANY ($2) AND t.oid IN (k.conrelid, k.confrelid))
ORDER BY kn.nspname, kt.relname, k.conname`

// DropIndexes drops all indexes, keys and foreign keys of the tables, and the
// foreign keys that point to them, for a faster load. Their exact definitions
// are in the journal by the time they are gone. What an earlier, interrupted call has dropped
// stays journaled; calling again goes on.
func (db *DB) DropIndexes(ctx context.Context, schemaName string, tables []string) error {
	err := db.Transact(ctx, func(tx *Tx) error {
		if err := tx.home(ctx); err != nil {
			return err
		}
		return tx.Exec(ctx, createJournal)
	})
	if err != nil {
		return db.homeError(err, "the journal of dropped indexes")
	}
	err = db.Transact(ctx, func(tx *Tx) error {
		entries, err := tx.foreignKeys(ctx, schemaName, tables)
		if err != nil {
			return err
		}
		return tx.drop(ctx, schemaName, entries)
	})
	if err != nil {
		return stepError(err, "drop the foreign keys of schema %q", schemaName)
	}
	for _, table := range tables {
		err := db.Transact(ctx, func(tx *Tx) error {
			entries, err := tx.indexes(ctx, schemaName, table)
			if err != nil {
				return err
			}
			return tx.drop(ctx, schemaName, entries)
		})
		if err != nil {
			return stepError(err, "drop the indexes of table %q", table)
		}
	}
	return nil
}

func (tx *Tx) foreignKeys(ctx context.Context, schemaName string, tables []string) ([]JournalEntry, error) {
	var (
		e   JournalEntry
		all []JournalEntry
	)
	err := forEach(ctx, tx.tx, selectForeignKeys, []any{schemaName, tables}, []any{
		&e.Schema, &e.Table, &e.Kind, &e.Name, &e.Definition, &e.Extras, &e.Tablespace,
	}, func() error {
		all = append(all, e)
		e.Extras = nil
		return nil
	})
	return all, err
}

func (tx *Tx) indexes(ctx context.Context, schemaName, table string) ([]JournalEntry, error) {
	e := JournalEntry{Schema: schemaName, Table: table}
	var all []JournalEntry
	err := forEach(ctx, tx.tx, selectIndexes, []any{schemaName, table}, []any{
		&e.Kind, &e.Name, &e.Definition, &e.Extras, &e.Tablespace,
	}, func() error {
		all = append(all, e)
		e.Extras = nil
		return nil
	})
	return all, err
}

// drop writes the entries to the journal and drops what they describe.
func (tx *Tx) drop(ctx context.Context, loaded string, entries []JournalEntry) error {
	const insert = `
INSERT INTO moodledb.index_journal (loaded_schema, schema_name, table_name, name, kind, definition, extras, tablespace)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`
	for _, e := range entries {
		drop := fmt.Sprintf("ALTER TABLE %s DROP CONSTRAINT %s", qualify(e.Schema, e.Table), QuoteIdent(e.Name))
		if e.Kind == JournalIndex {
			drop = "DROP INDEX " + qualify(e.Schema, e.Name)
		}
		_, err := tx.tx.Exec(ctx, insert,
			loaded, e.Schema, e.Table, e.Name, string(e.Kind), e.Definition, e.Extras, e.Tablespace)
		if err == nil {
			err = tx.Exec(ctx, drop)
		}
		if err != nil {
			return fmt.Errorf("%s %q of table %q: %w", e.Kind, e.Name, e.Table, err)
		}
	}
	return nil
}

// Journal lists what was dropped to load the schema's tables and not yet made
// again, foreign keys last; nothing when there is no journal.
func (db *DB) Journal(ctx context.Context, schemaName string) ([]JournalEntry, error) {
	const query = `
SELECT id, schema_name, table_name, name, kind, definition, extras, tablespace
FROM moodledb.index_journal
WHERE loaded_schema = $1
ORDER BY kind = 'foreign key', id`
	var (
		e   JournalEntry
		all []JournalEntry
	)
	err := db.Transact(ctx, func(tx *Tx) error {
		var exists bool
		err := tx.tx.QueryRow(ctx, "SELECT to_regclass('moodledb.index_journal') IS NOT NULL").Scan(&exists)
		if err != nil || !exists {
			return err
		}
		return forEach(ctx, tx.tx, query, []any{schemaName}, []any{
			&e.ID, &e.Schema, &e.Table, &e.Name, &e.Kind, &e.Definition, &e.Extras, &e.Tablespace,
		}, func() error {
			all = append(all, e)
			e.Extras = nil
			return nil
		})
	})
	if err != nil {
		return nil, stepError(err, "read the journal of dropped indexes")
	}
	return all, nil
}

// Statements make an object of the journal again and take it off the journal.
// Run as one script they are one transaction.
func (e JournalEntry) Statements() []string {
	var out []string
	if e.Tablespace != "" {
		out = append(out, "SET LOCAL default_tablespace = "+QuoteIdent(e.Tablespace))
	}
	out = append(append(out, e.Definition), e.Extras...)
	if e.Tablespace != "" {
		out = append(out, "SET LOCAL default_tablespace = DEFAULT")
	}
	return append(out, fmt.Sprintf("DELETE FROM moodledb.index_journal WHERE id = %d", e.ID))
}

// Rebuild makes an object of the journal again and takes it off the journal,
// in one transaction.
func (c *Conn) Rebuild(ctx context.Context, e JournalEntry) error {
	err := c.Exec(ctx, Batch(e.Statements()))
	return stepError(err, "make %s %q of table %q again", e.Kind, e.Name, e.Table)
}

// CloseJournal drops the journal when it is empty, and the schema that held it
// when nothing else is in there. With entries left it does nothing.
func (db *DB) CloseJournal(ctx context.Context) error {
	err := db.Transact(ctx, func(tx *Tx) error {
		home, err := tx.SchemaState(ctx, HomeSchema)
		if err != nil || home.Tables == 0 {
			return err
		}
		var exists, used bool
		err = tx.tx.QueryRow(ctx, "SELECT to_regclass('moodledb.index_journal') IS NOT NULL").Scan(&exists)
		if err != nil || !exists {
			return err
		}
		if err := tx.Exec(ctx, "LOCK TABLE moodledb.index_journal IN ACCESS EXCLUSIVE MODE"); err != nil {
			return err
		}
		err = tx.tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM moodledb.index_journal)").Scan(&used)
		if err != nil || used {
			return err
		}
		drop := []string{"DROP TABLE moodledb.index_journal"}
		if home.Tables == 1 && home.Views+home.Functions+home.Types+home.Others == 0 && home.Sequences <= 1 {
			drop = append(drop, DropEmptySchema(HomeSchema))
		}
		return tx.Exec(ctx, strings.Join(drop, ";\n"))
	})
	return stepError(err, "remove the journal of dropped indexes")
}
