package benchsite

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"

	"golang.org/x/sync/errgroup"

	"github.com/moodledb/moodledb/postgres"
)

// copyStatements give all rows of a database of the target: whole tables, and
// those that are divided in [bench.chunks] by their pages, which costs the server no
// more than going through them once.
func (b *bench) copyStatements(ctx context.Context, database string) ([]string, error) {
	conn, err := b.target.connect(ctx, database)
	if err != nil {
		return nil, err
	}
	defer closeConn(ctx, conn)
	chunks := b.chunks()
	parts := map[string]int{}
	for _, c := range chunks {
		parts[c.table]++
	}
	var out []string
	for _, c := range chunks {
		n, table := parts[c.table], tableName("public", c.table)
		delete(parts, c.table) // all of them come at once
		switch n {
		case 0:
			continue
		case 1:
			out = append(out, "COPY "+table+" TO STDOUT (FORMAT binary)")
			continue
		}
		var pages int64
		err := conn.QueryRow(ctx, "SELECT pg_relation_size($1::text::regclass) / current_setting('block_size')::bigint", table).Scan(&pages)
		if err != nil {
			return nil, fmt.Errorf("look how large table %q is: %w", c.table, err)
		}
		for _, p := range postgres.DividePages(pages, n) {
			out = append(out, postgres.ReadBackPart("public", c.table, b.columns(c.table), p))
		}
	}
	return out, nil
}

// columns are those of a table.
func (b *bench) columns(table string) []string {
	var names []string
	for i := range b.tables {
		if t := b.tables[i].table; t.Name == table {
			for _, c := range t.Columns {
				names = append(names, c.Name)
			}
		}
	}
	return names
}

// copyAll runs COPY statements by p streams and drops what they give. It returns the number of rows.
func copyAll(ctx context.Context, s *server, database string, statements []string, streams int) (int64, error) {
	queue := queueOf(statements)
	totals := make([]int64, streams)
	group, ctx := errgroup.WithContext(ctx)
	for i := range streams {
		group.Go(func() error {
			d, err := openDropper(ctx, s, database)
			if err != nil {
				return err
			}
			defer d.close()
			for statement := range queue {
				n, err := d.read(statement)
				totals[i] += n
				if err != nil {
					if ctx.Err() != nil {
						err = context.Cause(ctx)
					}
					return fmt.Errorf("%s: %w", statement, err)
				}
			}
			return nil
		})
	}
	err := group.Wait()
	total := int64(0)
	for _, n := range totals {
		total += n
	}
	return total, err
}

// dropper is a connection of the target whose results are walked from message to message.
type dropper struct {
	conn net.Conn
	in   *bufio.Reader
	// stop ends the watch over the context.
	stop func() bool
}

// openDropper logs in by pgx and takes over the bare connection.
func openDropper(ctx context.Context, s *server, database string) (*dropper, error) {
	c, err := s.connect(ctx, database)
	if err != nil {
		return nil, err
	}
	h, err := c.PgConn().Hijack()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("take over a session of the target: %w", err), c.Close(context.WithoutCancel(ctx)))
	}
	d := &dropper{conn: h.Conn, in: bufio.NewReaderSize(h.Conn, 256<<10)}
	d.stop = context.AfterFunc(ctx, func() { _ = h.Conn.Close() })
	return d, nil
}

// close ends the session.
func (d *dropper) close() {
	d.stop()
	_, _ = d.conn.Write([]byte{'X', 0, 0, 0, 4}) // else the server writes into its log that it was left
	_ = d.conn.Close()                           // only read from
}

// read runs a COPY and returns the number of its messages but the last: the
// server sends one for each row, and the end of a binary COPY in one of its own.
func (d *dropper) read(statement string) (int64, error) {
	query := binary.BigEndian.AppendUint32([]byte{'Q'}, uint32(len(statement)+5))
	if _, err := d.conn.Write(append(append(query, statement...), 0)); err != nil {
		return 0, err
	}
	n, failed := int64(-1), false
	for {
		var header [5]byte
		if _, err := io.ReadFull(d.in, header[:]); err != nil {
			return 0, err
		}
		size := int(binary.BigEndian.Uint32(header[1:])) - 4
		if size < 0 {
			return 0, fmt.Errorf("the target sent a message of the impossible size %d", size)
		}
		if _, err := d.in.Discard(size); err != nil {
			return 0, err
		}
		switch header[0] {
		case 'd':
			n++
		case 'E':
			failed = true
		case 'Z':
			if failed {
				return 0, errors.New("the target answered with an error")
			}
			return max(n, 0), nil
		}
	}
}
