package recheck

import (
	"context"
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/fingerprint"
	"github.com/moodledb/moodledb/schema"
)

// Queryer is a session of database/sql that go-sql-driver has opened: a *[sql.Conn].
type Queryer interface {
	Raw(f func(driverConn any) error) error
}

// Column is a column that is read again.
type Column struct {
	Source schema.Column
	Target schema.Column
	// Key marks the columns by which errors name a row.
	Key bool
}

// Reason says why values of one column cannot be read again as those of the other; "" when they can.
func Reason(src, dst schema.Column) string {
	_, reason := find(src.Type, dst.Type)
	return reason
}

// RefusedError is a value that the second way cannot encode for the target.
type RefusedError struct {
	Table  string
	Column string
	// Key names the row, such as `id=42`; empty when the table has no key.
	Key string
	// Row counts from 1 in the order in which the rows were read.
	Row int64
	// Err says what is wrong with the value.
	Err error
}

// Error names column, row and fault.
func (e *RefusedError) Error() string {
	row := "row with " + e.Key
	if e.Key == "" {
		row = fmt.Sprintf("row number %d as read", e.Row)
	}
	return fmt.Sprintf("table %q, column %q, %s: read again, the value has no place in the target: %v", e.Table, e.Column, row, e.Err)
}

// Unwrap returns the fault.
func (e *RefusedError) Unwrap() error { return e.Err }

// Sum reads the rows of a query again, whose columns are plain ones of the source, and
// returns the fingerprint of what pgx makes of them. A value that the target does not
// have is a [*RefusedError].
func Sum(ctx context.Context, conn Queryer, query string, columns []Column) (fingerprint.Sum, error) {
	s := fingerprint.NewStream(prints(columns))
	err := (&reading{conn: conn, query: query, columns: columns}).writeTo(ctx, s)
	return s.Sum(), err
}

// prints says how the columns are summed up: as those of the copy.
func prints(columns []Column) []fingerprint.Column {
	out := make([]fingerprint.Column, len(columns))
	for i := range columns {
		out[i].Canon = convert.Canonical(columns[i].Target.Type)
	}
	return out
}

// reading is one query that is read and encoded by the second way.
type reading struct {
	conn    Queryer
	query   string
	table   string
	columns []Column
	// lenient leaves rows out with values that the target does not have, instead of failing.
	lenient bool

	encoders []*encoder
	buf      []byte
	// rows were written, aside were left out.
	rows, aside int64
}

// The frame of COPY (FORMAT binary).
const (
	header  = "PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	trailer = "\xff\xff"
)

// flushAt is the size from which on the encoded rows are handed on.
const flushAt = 64 << 10

// writeTo writes the rows to w as a COPY BINARY. An error of w is returned as it is.
func (r *reading) writeTo(ctx context.Context, w io.Writer) error {
	types := pgtype.NewMap()
	r.encoders, r.rows, r.aside, r.buf = nil, 0, 0, append(r.buf[:0], header...)
	for i := range r.columns {
		e, err := newEncoder(types, &r.columns[i])
		if err != nil {
			return err
		}
		r.encoders = append(r.encoders, e)
	}
	err := each(ctx, r.conn, r.query, len(r.columns), func(values []driver.Value) error {
		if err := r.row(values); err != nil {
			return err
		}
		if len(r.buf) < flushAt {
			return nil
		}
		return r.flush(w)
	})
	if err != nil {
		return err
	}
	r.buf = append(r.buf, trailer...)
	return r.flush(w)
}

// flush hands the encoded rows on, and lets a buffer go that one large row has made large.
func (r *reading) flush(w io.Writer) error {
	_, err := w.Write(r.buf)
	if r.buf = r.buf[:0]; cap(r.buf) > 4*flushAt {
		r.buf = nil
	}
	return err
}

// row encodes a row, as a whole or not at all.
func (r *reading) row(values []driver.Value) error {
	start := len(r.buf)
	r.buf = binary.BigEndian.AppendUint16(r.buf, uint16(len(values)))
	for i, v := range values {
		e := r.encoders[i]
		at := len(r.buf)
		if v == nil && !e.notNull {
			r.buf = append(r.buf, 0xFF, 0xFF, 0xFF, 0xFF)
			continue
		}
		r.buf = append(r.buf, 0, 0, 0, 0)
		var err error
		if v == nil {
			err = refuse("NULL is not allowed there")
		} else {
			r.buf, err = e.field(r.buf, v)
		}
		if err != nil {
			var no refusal
			if r.lenient && errors.As(err, &no) {
				r.buf = r.buf[:start]
				r.aside++
				return nil
			}
			return &RefusedError{Table: r.table, Column: r.columns[i].Source.Name, Key: keyOf(r.columns, values), Row: r.rows + r.aside + 1, Err: err}
		}
		binary.BigEndian.PutUint32(r.buf[at:], uint32(len(r.buf)-at-4))
	}
	r.rows++
	return nil
}

// keyOf names a row by its key.
func keyOf(columns []Column, values []driver.Value) string {
	var parts []string
	for i, c := range columns {
		if !c.Key {
			continue
		}
		shown := fmt.Sprint(values[i])
		if b, ok := values[i].([]byte); ok {
			shown = convert.Printable(b)
		}
		parts = append(parts, c.Source.Name+"="+shown)
	}
	return strings.Join(parts, " AND ")
}

// each runs a query as a prepared statement, whose rows come in the binary
// protocol, and hands on the values of each row. They are the driver's own, valid until take
// returns: database/sql would make copies of them, and text of the numbers.
func each(ctx context.Context, conn Queryer, query string, columns int, take func(values []driver.Value) error) error {
	err := conn.Raw(func(driverConn any) (err error) {
		preparer, ok := driverConn.(driver.ConnPrepareContext)
		if !ok {
			return fmt.Errorf("the driver's connection %T prepares no statements", driverConn)
		}
		statement, err := preparer.PrepareContext(ctx, query)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, statement.Close()) }()
		queryer, ok := statement.(driver.StmtQueryContext)
		if !ok {
			return fmt.Errorf("the driver's statement %T runs no queries", statement)
		}
		rows, err := queryer.QueryContext(ctx, nil)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, rows.Close()) }()
		if n := len(rows.Columns()); n != columns {
			return fmt.Errorf("%d columns come where %d were asked for", n, columns)
		}
		values := make([]driver.Value, columns)
		for {
			err := rows.Next(values)
			if err == io.EOF {
				return nil
			}
			if err == nil {
				err = take(values)
			}
			if err != nil {
				return err
			}
		}
	})
	if ctx.Err() != nil && err != nil {
		return context.Cause(ctx)
	}
	return err
}
