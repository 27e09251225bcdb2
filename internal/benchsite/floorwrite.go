package benchsite

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/moodledb/moodledb/postgres"
)

// modelDatabase has the tables that a first migration made; the floor is
// measured with tables of the same columns and indexes.
const modelDatabase = "model"

// floorSchema holds the tables that the floor is written into.
const floorSchema = "floor"

// fileChunk is a chunk and the server's file that has its rows.
type fileChunk struct {
	chunk
	file string
}

// exportModel writes the rows of the model's tables into files of COPY BINARY, and
// empties the tables: their definitions are still needed.
func exportModel(ctx context.Context, s *server, chunks []chunk, streams int) ([]fileChunk, error) {
	files := make([]fileChunk, len(chunks))
	for i, c := range chunks {
		files[i] = fileChunk{chunk: c, file: filepath.Join(s.Dir, fmt.Sprintf("floor-%d.copy", i))}
	}
	err := eachOn(ctx, s, modelDatabase, files, streams, func(ctx context.Context, conn *pgx.Conn, f fileChunk) error {
		where := strings.ReplaceAll(f.where, "`", `"`)
		_, err := conn.Exec(ctx, "COPY (SELECT * FROM "+tableName("public", f.table)+where+") TO "+postgres.QuoteLiteral(f.file)+" (FORMAT binary)")
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("write the files of the floor: %w", err)
	}
	seen := map[string]bool{}
	for _, c := range chunks {
		if seen[c.table] {
			continue
		}
		seen[c.table] = true
		if err := s.execute(ctx, modelDatabase, "TRUNCATE "+tableName("public", c.table)); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// makeFloor makes the empty tables of the floor, without indexes.
func makeFloor(ctx context.Context, s *server, files []fileChunk) error {
	statements := []string{"DROP SCHEMA IF EXISTS " + floorSchema + " CASCADE", "CREATE SCHEMA " + floorSchema}
	seen := map[string]bool{}
	for _, f := range files {
		if !seen[f.table] {
			seen[f.table] = true
			statements = append(statements, fmt.Sprintf("CREATE TABLE %s (LIKE %s)", tableName(floorSchema, f.table), tableName("public", f.table)))
		}
	}
	return s.execute(ctx, modelDatabase, statements...)
}

// writeAll loads all files by p sessions, as cheaply as PostgreSQL can.
func writeAll(ctx context.Context, s *server, files []fileChunk, streams int) error {
	err := eachOn(ctx, s, modelDatabase, files, streams, func(ctx context.Context, conn *pgx.Conn, f fileChunk) error {
		table := tableName(floorSchema, f.table)
		load := "COPY " + table + " FROM " + postgres.QuoteLiteral(f.file) + " (FORMAT binary"
		if f.split {
			_, err := conn.Exec(ctx, load+")")
			return err
		}
		// Only the transaction that emptied a table may load it frozen.
		_, err := conn.Exec(ctx, "BEGIN; TRUNCATE "+table+"; "+load+", FREEZE); COMMIT")
		return err
	})
	if err != nil {
		return fmt.Errorf("write the floor: %w", err)
	}
	return nil
}

// indexStatements are the statements that build the model's indexes on the
// tables of the floor, those of the largest tables first.
func indexStatements(ctx context.Context, s *server, files []fileChunk) ([]string, error) {
	conn, err := s.connect(ctx, modelDatabase)
	if err != nil {
		return nil, err
	}
	defer closeConn(ctx, conn)
	var all []string
	seen := map[string]bool{}
	for _, f := range files {
		if seen[f.table] {
			continue
		}
		seen[f.table] = true
		rows, err := conn.Query(ctx, "SELECT indexdef FROM pg_catalog.pg_indexes WHERE schemaname = 'public' AND tablename = $1 ORDER BY indexname", f.table)
		if err != nil {
			return nil, fmt.Errorf("read the indexes of table %q: %w", f.table, err)
		}
		list, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return nil, fmt.Errorf("read the indexes of table %q: %w", f.table, err)
		}
		for _, definition := range list {
			all = append(all, strings.Replace(definition, " ON public.", " ON "+floorSchema+".", 1))
		}
	}
	return all, nil
}

// buildAll runs the index statements by a number of sessions.
func buildAll(ctx context.Context, s *server, statements []string, sessions int) error {
	err := eachOn(ctx, s, modelDatabase, statements, sessions, func(ctx context.Context, conn *pgx.Conn, statement string) error {
		_, err := conn.Exec(ctx, statement)
		return err
	})
	if err != nil {
		return fmt.Errorf("build the indexes of the floor: %w", err)
	}
	return nil
}

// loadSettings are the settings of a session that loads or builds as cheaply
// as possible. A server that was built without lz4 keeps its own compression.
const loadSettings = `
SELECT pg_catalog.set_config(v.name, v.value, false)
FROM (VALUES
    ('synchronous_commit', 'off'),
    ('maintenance_work_mem', '256MB'),
    ('max_parallel_maintenance_workers', '0'),
    ('default_toast_compression', 'lz4')
) AS v (name, value)
JOIN pg_catalog.pg_settings s ON s.name = v.name
WHERE s.enumvals IS NULL OR v.value = ANY (s.enumvals) OR s.vartype <> 'enum'`

// eachOn does the work of a list by a number of sessions of a database.
func eachOn[T any](ctx context.Context, s *server, database string, list []T, sessions int, do func(context.Context, *pgx.Conn, T) error) error {
	queue := queueOf(list)
	group, ctx := errgroup.WithContext(ctx)
	for range sessions {
		group.Go(func() error {
			conn, err := s.connect(ctx, database)
			if err != nil {
				return err
			}
			defer closeConn(ctx, conn)
			if _, err := conn.Exec(ctx, loadSettings); err != nil {
				return fmt.Errorf("set up a session: %w", err)
			}
			for x := range queue {
				if err := do(ctx, conn, x); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}
