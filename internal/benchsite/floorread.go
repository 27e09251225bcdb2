package benchsite

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strconv"

	"github.com/go-mysql-org/go-mysql/client"
	gomysql "github.com/go-mysql-org/go-mysql/mysql"
	"golang.org/x/sync/errgroup"
)

// chunk is a range of rows of one table that one stream reads or writes.
type chunk struct {
	table string
	// where restricts the rows by the primary key; "" for all.
	where string
	// split says that other chunks have the rest of the table.
	split bool
	bytes int64
}

// readAll reads all chunks by p streams, packets only: nothing is decoded. It
// returns the bytes of the rows.
func readAll(ctx context.Context, s *server, chunks []chunk, streams int) (int64, error) {
	queue := queueOf(chunks)
	totals := make([]int64, streams)
	group, ctx := errgroup.WithContext(ctx)
	for i := range streams {
		group.Go(func() error {
			w, err := openWalker(ctx, s)
			if err != nil {
				return err
			}
			defer w.close()
			for c := range queue {
				n, err := w.read("SELECT * FROM `" + c.table + "`" + c.where)
				totals[i] += n
				if err != nil {
					if ctx.Err() != nil {
						err = context.Cause(ctx)
					}
					return fmt.Errorf("read table %q: %w", c.table, err)
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

// queueOf is a closed channel that holds the list.
func queueOf[T any](list []T) <-chan T {
	queue := make(chan T, len(list))
	for _, x := range list {
		queue <- x
	}
	close(queue)
	return queue
}

// walker is a connection whose results are walked from packet to packet.
type walker struct {
	conn net.Conn
	in   *bufio.Reader
	// stop ends the watch over the context.
	stop func() bool
}

// openWalker logs in by go-mysql and takes over the bare connection.
func openWalker(ctx context.Context, s *server) (*walker, error) {
	c, err := client.ConnectWithContext(ctx, net.JoinHostPort(s.Host, strconv.Itoa(s.Port)), s.User, s.Password, sourceDatabase, 0,
		func(c *client.Conn) error {
			c.UnsetCapability(gomysql.CLIENT_DEPRECATE_EOF)
			c.UnsetCapability(gomysql.CLIENT_QUERY_ATTRIBUTES)
			return c.SetCharset("utf8mb4")
		})
	if err != nil {
		return nil, fmt.Errorf("connect to the source: %w", err)
	}
	conn := c.Conn.Conn
	w := &walker{conn: conn, in: bufio.NewReaderSize(conn, 256<<10)}
	w.stop = context.AfterFunc(ctx, func() { _ = conn.Close() })
	return w, nil
}

// close ends the connection.
func (w *walker) close() {
	w.stop()
	_ = w.conn.Close() // only read from
}

// Bytes of MySQL's protocol.
const (
	comQuery   = 0x03
	markEOF    = 0xfe
	markError  = 0xff
	maxPayload = 1<<24 - 1
	maxEOF     = 9
)

// read sends a query and returns the size of its rows.
func (w *walker) read(query string) (int64, error) {
	packet := make([]byte, 5, 5+len(query))
	packet[0], packet[1], packet[2] = byte(len(query)+1), byte((len(query)+1)>>8), byte((len(query)+1)>>16)
	packet[4] = comQuery
	if _, err := w.conn.Write(append(packet, query...)); err != nil {
		return 0, err
	}
	total, ends, continued := int64(0), 0, false
	for {
		size, first, err := w.skip()
		if err != nil {
			return total, err
		}
		switch {
		case continued:
		case first == markError:
			return total, fmt.Errorf("%s: the source answered with an error", query)
		case first == markEOF && size < maxEOF:
			// The first one ends the columns, the second one the rows.
			if ends++; ends == 2 {
				return total, nil
			}
			continue
		}
		if ends == 1 {
			total += int64(size)
		}
		continued = size == maxPayload
	}
}

// skip goes over one packet and returns its size and its first byte.
func (w *walker) skip() (size int, first byte, err error) {
	var header [4]byte
	if _, err := io.ReadFull(w.in, header[:]); err != nil {
		return 0, 0, err
	}
	size = int(binary.LittleEndian.Uint32(header[:]) & maxPayload)
	if size == 0 {
		return 0, 0, nil
	}
	if first, err = w.in.ReadByte(); err != nil {
		return 0, 0, err
	}
	_, err = w.in.Discard(size - 1)
	return size, first, err
}
