package postgres

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// CopyTo runs a COPY ... TO STDOUT statement and writes what it gives to w, in
// pieces: a row of any size is never held as a whole. An error of w is returned
// as it is; the statement is canceled then, and so is the transaction that it
// stands in. The session can be used again, unless it was lost.
//
// w is used only while CopyTo runs.
func (c *Conn) CopyTo(ctx context.Context, copySQL string, w io.Writer) error {
	t, ok := c.conn.PgConn().CustomData()[tapKey].(*tap)
	if !ok {
		return errors.New("the session cannot give rows: it was not opened by this package")
	}
	if err := settle(ctx, c.conn.PgConn()); err != nil {
		return lost(ctx, canceled(ctx, err))
	}
	inner, stop := context.WithCancel(ctx)
	defer stop()
	t.open(w, stop)
	_, err := c.conn.PgConn().CopyTo(inner, io.Discard, copySQL)
	if failed := t.close(); failed != nil {
		return failed
	}
	if err != nil {
		return lost(ctx, canceled(ctx, err))
	}
	return nil
}

// settle makes the driver use up what the server has sent unasked, such as a
// changed setting, so that the next byte begins a message.
func settle(ctx context.Context, c *pgconn.PgConn) error {
	const attempts = 10
	for range attempts {
		if c.Frontend().ReadBufferLen() == 0 {
			return nil
		}
		if err := c.Ping(ctx); err != nil {
			return err
		}
	}
	return errors.New("the server does not stop sending messages that nobody asked for")
}

// connectTapped connects with a [tap] between the connection and the driver.
func connectTapped(ctx context.Context, config *pgx.ConnConfig) (*pgx.Conn, error) {
	var last *tap // of the attempt that succeeded
	config.BuildFrontend = func(r io.Reader, w io.Writer) *pgproto3.Frontend {
		last = &tap{r: r}
		return pgproto3.NewFrontend(last, w)
	}
	c, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	c.PgConn().CustomData()[tapKey] = last
	return c, nil
}

// tapKey is where a session keeps its tap.
const tapKey = "moodledb.tap"

const (
	// tapBuffer is what a tap reads at once, in bytes.
	tapBuffer = 64 << 10
	// messageHeader is the size of a message's type and length.
	messageHeader = 5
	// copyData is the type of the messages that hold the rows of a COPY.
	copyData = 'd'
)

// tap passes on what a server sends. While it is open it takes the rows of a
// COPY out of that, and gives them to a writer: the driver would hold each message
// as a whole, and a message is a row. All other messages go the driver's way, so
// that errors, the end of a context and the state of the session are its business.
type tap struct {
	r io.Reader

	// w takes rows while the tap is open; it is nil while it is not.
	w io.Writer
	// err is the first error of w, after which rows are dropped; stop cancels the statement.
	err  error
	stop func()

	// buf[from:to] was received and not yet used.
	buf      []byte
	from, to int
	// left is how much of the present message is still to come, rows says that it is one of rows.
	left int64
	rows bool
}

// open lets rows go to w from now on. The next byte must begin a message.
func (t *tap) open(w io.Writer, stop func()) {
	if t.buf == nil {
		t.buf = make([]byte, tapBuffer)
	}
	t.w, t.stop, t.err, t.left, t.rows = w, stop, nil, 0, false
}

// close ends that, and returns the error of the writer.
func (t *tap) close() error {
	err := t.err
	t.w, t.stop, t.err = nil, nil, nil
	return err
}

// Read gives the driver what is not for the writer.
func (t *tap) Read(p []byte) (int, error) {
	if t.w == nil {
		if t.from == t.to {
			return t.r.Read(p)
		}
		n := copy(p, t.buf[t.from:t.to])
		t.from += n
		return n, nil
	}
	for t.left == 0 || t.rows {
		if t.left == 0 {
			if err := t.begin(); err != nil {
				return 0, err
			}
			continue
		}
		if err := t.need(1); err != nil {
			return 0, err
		}
		t.give(t.take())
	}
	if err := t.need(1); err != nil {
		return 0, err
	}
	n := copy(p, t.buf[t.from:min(int64(t.to), int64(t.from)+t.left)])
	t.from, t.left = t.from+n, t.left-int64(n)
	return n, nil
}

// begin looks at the header of the next message, which is the driver's unless the message has rows.
func (t *tap) begin() error {
	if err := t.need(messageHeader); err != nil {
		return err
	}
	header := t.buf[t.from : t.from+messageHeader]
	size := int64(binary.BigEndian.Uint32(header[1:])) + 1 // the type is not counted
	if size < messageHeader {
		return fmt.Errorf("the server sent a message of the impossible length %d", size-1)
	}
	t.left, t.rows = size, header[0] == copyData
	if t.rows {
		t.from, t.left = t.from+messageHeader, size-messageHeader
	}
	return nil
}

// take uses up what has come of the present message.
func (t *tap) take() []byte {
	n := int(min(int64(t.to-t.from), t.left))
	piece := t.buf[t.from : t.from+n]
	t.from, t.left = t.from+n, t.left-int64(n)
	return piece
}

// give hands rows to the writer.
func (t *tap) give(rows []byte) {
	if t.err != nil {
		return
	}
	if _, t.err = t.w.Write(rows); t.err != nil {
		t.stop()
	}
}

// need waits until n bytes are in the buffer.
func (t *tap) need(n int) error {
	if t.to-t.from >= n {
		return nil
	}
	t.to = copy(t.buf, t.buf[t.from:t.to])
	t.from = 0
	for t.to < n {
		m, err := t.r.Read(t.buf[t.to:])
		t.to += m
		if err != nil && t.to < n {
			return err
		}
	}
	return nil
}
