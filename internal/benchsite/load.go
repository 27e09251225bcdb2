package benchsite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"strings"

	driver "github.com/go-sql-driver/mysql"
	"golang.org/x/sync/errgroup"

	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/schema"
)

// loaders is how many tables are loaded at once.
const loaders = 2

// loadSource makes the source's database and fills it.
func loadSource(ctx context.Context, s *server, tables []tableData) (err error) {
	if err := createSource(ctx, s); err != nil {
		return err
	}
	db, err := s.openSource(sourceDatabase)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(loaders)
	for i := range tables {
		group.Go(func() error {
			if err := loadTable(ctx, db, s.engine, &tables[i]); err != nil {
				return fmt.Errorf("load table %q: %w", tables[i].table.Name, err)
			}
			return nil
		})
	}
	return group.Wait()
}

func createSource(ctx context.Context, s *server) (err error) {
	db, err := s.openSource("")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	_, err = db.ExecContext(ctx, "CREATE DATABASE "+mysql.QuoteIdent(sourceDatabase)+" CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci")
	if err != nil {
		return fmt.Errorf("make the source's database: %w", err)
	}
	return nil
}

// lateIndexes is the number of rows from which secondary indexes are built
// after the load.
const lateIndexes = 10000

// loadTable makes one table and its rows.
func loadTable(ctx context.Context, db *sql.DB, engine schema.Engine, t *tableData) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	bare, late := t.table, []schema.Index(nil)
	if t.rows >= lateIndexes {
		bare.Indexes = nil
		for _, x := range t.table.Indexes {
			if x.Primary {
				bare.Indexes = append(bare.Indexes, x)
			} else {
				late = append(late, x)
			}
		}
	}
	statements := []string{"SET SESSION sql_mode = 'STRICT_ALL_TABLES', unique_checks = 0, foreign_key_checks = 0"}
	if engine == schema.MySQL {
		statements = append(statements, "SET SESSION sql_log_bin = 0")
	}
	for _, s := range append(statements, mysql.CreateTable(bare)) {
		if _, err := conn.ExecContext(ctx, s); err != nil {
			return err
		}
	}
	if t.rows == 0 {
		return nil
	}
	if err := loadRows(ctx, conn, t); err != nil {
		return err
	}
	after := []string{"ANALYZE TABLE " + mysql.QuoteIdent(t.table.Name)}
	if len(late) > 0 {
		after = append([]string{addIndexes(t.table.Name, late)}, after...)
	}
	for _, s := range after {
		if _, err := conn.ExecContext(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// addIndexes is one statement for all indexes, so that the rows are read once.
func addIndexes(table string, indexes []schema.Index) string {
	parts := make([]string, len(indexes))
	for i, x := range indexes {
		kind := "KEY"
		if x.Unique {
			kind = "UNIQUE KEY"
		}
		var columns []string
		for _, p := range x.Parts {
			column := mysql.QuoteIdent(p.Column)
			if p.Prefix > 0 {
				column += fmt.Sprintf("(%d)", p.Prefix)
			}
			columns = append(columns, column)
		}
		parts[i] = fmt.Sprintf("ADD %s %s (%s)", kind, mysql.QuoteIdent(x.Name), strings.Join(columns, ","))
	}
	return "ALTER TABLE " + mysql.QuoteIdent(table) + " " + strings.Join(parts, ", ")
}

// loadRows sends the rows by LOAD DATA, the fastest way in. The character set
// is binary since values of all kinds travel in one file.
func loadRows(ctx context.Context, conn *sql.Conn, t *tableData) error {
	source := &rowReader{rows: t.filler.rows(), left: t.rows}
	driver.RegisterReaderHandler(t.table.Name, func() io.Reader { return source })
	defer driver.DeregisterReaderHandler(t.table.Name)
	result, err := conn.ExecContext(ctx, "LOAD DATA LOCAL INFILE 'Reader::"+t.table.Name+"' INTO TABLE "+mysql.QuoteIdent(t.table.Name)+" CHARACTER SET binary")
	if err != nil {
		return err
	}
	n, err := result.RowsAffected()
	if err != nil {
		return err
	}
	if n != t.rows {
		return fmt.Errorf("the server took %d of %d rows", n, t.rows)
	}
	return nil
}

// rowReader is the rows of a table as a stream of bytes.
type rowReader struct {
	rows *rows
	left int64
	buf  []byte
	sent int // of buf
}

// Read returns the next bytes; whole rows are made as they are needed.
func (s *rowReader) Read(p []byte) (int, error) {
	if s.sent == len(s.buf) {
		s.buf, s.sent = s.buf[:0], 0
		for s.left > 0 && len(s.buf) < len(p) {
			s.buf = s.rows.next(s.buf)
			s.left--
		}
		if len(s.buf) == 0 {
			return 0, io.EOF
		}
	}
	n := copy(p, s.buf[s.sent:])
	s.sent += n
	return n, nil
}
