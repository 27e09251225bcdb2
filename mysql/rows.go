package mysql

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	driver "github.com/go-sql-driver/mysql"
)

// Rows is one result set of a [Reader], unbuffered. It has the methods that
// package copy asks of rows.
type Rows struct {
	reader *Reader
	watch  watched
	// fields is reused from row to row.
	fields [][]byte
	// err is why there are no more rows; io.EOF after the last one.
	err    error
	closed bool
	// walking is set while a large row is not finished.
	walking bool
}

// start reads what precedes the rows: the number of columns and their
// definitions. A statement without a result has no columns and no rows.
func (rows *Rows) start() error {
	r := rows.reader
	p, err := r.small()
	if err != nil {
		return err
	}
	switch p[0] {
	case headOK:
		rows.err = io.EOF
		return nil
	case headError:
		return parseError(p)
	case headNull:
		// LOAD DATA LOCAL: the server asks for a file. It gets none.
		return fmt.Errorf("%w: the server asked for a local file", errPacket)
	}
	columns, n := lengthEncoded(p)
	if n != len(p) || columns == 0 || columns > 1<<16 {
		return fmt.Errorf("%w: bad number of columns", errPacket)
	}
	for range columns {
		if _, err := r.small(); err != nil {
			return err
		}
	}
	p, err = r.small()
	if err != nil {
		return err
	}
	if p[0] == headError {
		return parseError(p)
	}
	if p[0] != headEOF || len(p) >= maxEOF {
		return fmt.Errorf("%w: no end of the columns", errPacket)
	}
	rows.fields = make([][]byte, columns)
	return nil
}

// Next returns the fields of the next row: nil for NULL, not nil for an empty
// value; they are valid until the next call. When the row does not fit the
// buffer, large is true, fields is nil, and the row is to be read by NextField
// and Read. After the last row the error is [io.EOF].
func (rows *Rows) Next() (fields [][]byte, large bool, err error) {
	if rows.walking {
		rows.skipRow()
	}
	if rows.err != nil {
		return nil, false, rows.err
	}
	payload, size, fits, err := rows.reader.packet()
	if err != nil {
		return nil, false, rows.end(err)
	}
	if !fits {
		rows.walking = true
		rows.reader.large = largeRow{packetLeft: int64(size), more: size == maxPayload, columns: len(rows.fields)}
		return nil, true, nil
	}
	if size == 0 {
		return nil, false, rows.end(fmt.Errorf("%w: an empty row", errPacket))
	}
	if payload[0] == headEOF && size < maxEOF {
		return nil, false, rows.end(parseEOF(payload))
	}
	if payload[0] == headError {
		return nil, false, rows.end(parseError(payload))
	}
	if !split(payload, rows.fields) {
		return nil, false, rows.end(fmt.Errorf("%w: fields do not fill the row", errPacket))
	}
	return rows.fields, false, nil
}

// split takes a row's payload apart; false when it is malformed.
func split(p []byte, fields [][]byte) bool {
	for i := range fields {
		if len(p) == 0 {
			return false
		}
		// Most fields are short: one length byte.
		if c := p[0]; c < headNull {
			n := int(c) + 1
			if n > len(p) {
				return false
			}
			fields[i] = p[1:n:n]
			p = p[n:]
			continue
		}
		if p[0] == headNull {
			fields[i] = nil
			p = p[1:]
			continue
		}
		v, n := lengthEncoded(p)
		if n == 0 || v > uint64(len(p)-n) {
			return false
		}
		end := n + int(v)
		fields[i] = p[n:end:end]
		p = p[end:]
	}
	return len(p) == 0
}

// parseEOF returns what the packet after the last row means: io.EOF, unless the
// server announces a result that nobody asked for.
func parseEOF(p []byte) error {
	if len(p) >= 5 && binary.LittleEndian.Uint16(p[3:])&statusMoreResults != 0 {
		return fmt.Errorf("%w: a second result", errPacket)
	}
	return io.EOF
}

// end keeps and returns the error that ends the rows.
func (rows *Rows) end(err error) error {
	rows.err = rows.explain(err)
	return rows.err
}

// explain names the cause of an interrupted read. Whatever is not the regular
// end or the server's own word leaves the stream in an unknown place.
func (rows *Rows) explain(err error) error {
	if err == io.EOF {
		return err
	}
	var fromServer *driver.MySQLError
	if errors.As(err, &fromServer) {
		return err
	}
	if cause := rows.watch.cause(); cause != nil {
		err = cause
	}
	if rows.reader.broken == nil {
		rows.reader.broken = err
	}
	return err
}

// maxCollected bounds a field of a result that is read into memory as a whole.
const maxCollected = 8 << 20

// collect reads all rows of a small result into memory, NULL as "".
func (rows *Rows) collect() ([][]string, error) {
	var out [][]string
	for {
		fields, large, err := rows.Next()
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		row := make([]string, len(rows.fields))
		for i, f := range fields {
			row[i] = string(f)
		}
		if large {
			if err := rows.collectLarge(row); err != nil {
				return nil, err
			}
		}
		out = append(out, row)
	}
}

// collectLarge reads a large row into memory.
func (rows *Rows) collectLarge(row []string) error {
	for i := range row {
		size, _, err := rows.NextField()
		if err != nil {
			return err
		}
		if size > maxCollected {
			return fmt.Errorf("a field of %d bytes is not expected here", size)
		}
		value := make([]byte, size)
		if _, err := io.ReadFull(rows, value); err != nil {
			return err
		}
		row[i] = string(value)
	}
	return nil
}

// Close ends the result set. When it was not read to its end, the server is
// told to stop the query and what it had already sent is dropped; the session
// and its snapshot live on. If that cannot be done, the connection is lost, and
// Close says so. It may be called again.
func (rows *Rows) Close() error {
	if rows.closed {
		return nil
	}
	rows.closed = true
	r := rows.reader
	r.busy = false
	if rows.err == nil {
		rows.interrupt()
	}
	if !rows.watch.stop() && r.broken == nil {
		// The context ended just now: the deadline is, or will be, in the past.
		r.broken = rows.watch.cause()
	}
	if r.broken == nil {
		return nil
	}
	err := fmt.Errorf("the connection is lost: %w", r.broken)
	if rows.watch.cause() != nil {
		// Closing the socket does not stop a query that sorts or waits.
		if killErr := r.kill(rows.watch, "CONNECTION"); killErr != nil {
			err = fmt.Errorf("%w (the query may still run: %w)", err, killErr)
		}
	}
	r.fail(r.broken)
	return err
}

// erInterrupted is the server's error for a query that was killed.
const erInterrupted = 1317

// interrupt stops the running query and reads what is left of its result.
func (rows *Rows) interrupt() {
	r := rows.reader
	if rows.watch.cause() != nil {
		_ = rows.end(rows.watch.cause()) // it keeps the error for the next call
		return
	}
	if err := r.kill(rows.watch, "QUERY"); err != nil {
		_ = rows.end(fmt.Errorf("stop the query: %w", unservedError{err}))
		return
	}
	for {
		if _, _, err := rows.Next(); err != nil {
			break
		}
	}
	if r.broken != nil || rows.err != io.EOF {
		return
	}
	// The query had ended before it was killed; the server may then apply the
	// kill to the next statement. Let that be one that does nothing.
	probe := &Rows{reader: r, watch: rows.watch}
	err := r.send("DO 0")
	if err == nil {
		err = probe.start()
	}
	var e *driver.MySQLError
	if err != nil && !(errors.As(err, &e) && e.Number == erInterrupted) {
		_ = probe.end(unservedError{err})
	}
}

// unservedError hides that an error came from a server, because it did not come
// from this connection's result set.
type unservedError struct{ err error }

// Error returns the text of the hidden error.
func (e unservedError) Error() string { return e.err.Error() }
