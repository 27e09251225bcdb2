package copy

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/moodledb/moodledb/convert"
)

// header starts every COPY BINARY: the signature, no flags, no extension.
const header = "PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00"

// trailer ends it.
const trailer = "\xff\xff"

// maxField is the largest value that PostgreSQL can hold in memory.
const maxField = 1<<30 - 1

// wholeField is the size up to which a field of a large row is read into memory
// as a whole; every key is smaller.
const wholeField = 64 << 10

// writer encodes rows into the buffers of a pipe.
type writer struct {
	job      Job
	pipe     *pipe
	progress func(rows, bytes int64)
	told     time.Time

	// buf is the buffer being filled.
	buf []byte
	// scratch holds one field of a large row; encoded holds a value on its way to several buffers.
	scratch, encoded []byte
	// count is the number of columns as each row begins with it.
	count uint16

	// guard is what a policy needs; nil when there is none.
	guard *guard

	// rows were sent; aside were read but set aside by a policy.
	rows, aside, bytes int64
}

func newWriter(job Job, p *pipe, progress func(rows, bytes int64)) *writer {
	return &writer{job: job, pipe: p, progress: progress, count: uint16(len(job.Columns)), told: time.Now()}
}

// all sends the whole stream: header, rows, trailer.
func (w *writer) all(rows Rows) error {
	var err error
	if w.buf, err = w.pipe.buffer(); err != nil {
		return err
	}
	w.buf = append(w.buf, header...)
	for {
		fields, large, err := rows.Next()
		switch {
		case err == io.EOF:
			return w.end()
		case err != nil:
			return fmt.Errorf("read row %d: %w", w.number(), err)
		case w.guard != nil:
			err = w.guarded(rows, fields, large)
		case large:
			err = w.largeRow(rows)
		default:
			err = w.row(fields)
		}
		if err == errAside {
			w.aside++
			continue
		}
		if err != nil {
			return err
		}
		w.rows++
	}
}

// number is the number of the row being written, as read.
func (w *writer) number() int64 { return w.rows + w.aside + 1 }

// end sends the trailer and what is left in the buffer.
func (w *writer) end() error {
	if err := w.write([]byte(trailer)...); err != nil {
		return err
	}
	w.bytes += int64(len(w.buf))
	w.pipe.send(w.buf)
	w.buf = nil
	return nil
}

// flush hands the buffer over and takes an empty one.
func (w *writer) flush() error {
	w.bytes += int64(len(w.buf))
	w.pipe.send(w.buf)
	w.buf = nil
	if w.progress != nil {
		if now := time.Now(); now.Sub(w.told) >= progressEvery {
			w.told = now
			w.progress(w.rows, w.bytes)
		}
	}
	var err error
	w.buf, err = w.pipe.buffer()
	return err
}

// write appends bytes, over as many buffers as it takes.
func (w *writer) write(p ...byte) error {
	for {
		n := min(len(p), cap(w.buf)-len(w.buf))
		w.buf = append(w.buf, p[:n]...)
		p = p[n:]
		if len(p) == 0 {
			return nil
		}
		if err := w.flush(); err != nil {
			return err
		}
	}
}

// row encodes a row that lies in memory as a whole.
func (w *writer) row(fields [][]byte) error {
	if len(fields) != len(w.job.Columns) {
		return w.fieldCount(fields)
	}
	bound := 2 + len(fields)*(4+convert.MaxGrowth)
	for _, f := range fields {
		bound += len(f)
	}
	if bound > cap(w.buf)-len(w.buf) {
		if err := w.flush(); err != nil {
			return err
		}
		if bound > cap(w.buf) {
			if w.guard != nil {
				return errUndecided
			}
			return w.spread(fields)
		}
	}
	buf := append(w.buf, byte(w.count>>8), byte(w.count))
	for i, f := range fields {
		rule := &w.job.Columns[i].Rule
		if f == nil {
			if rule.NotNull {
				return w.rowError(i, fields, nullError(rule))
			}
			buf = append(buf, 0xFF, 0xFF, 0xFF, 0xFF)
			continue
		}
		if rule.Raw {
			if rule.MaxChars > 0 && int64(len(f)) > rule.MaxChars {
				if err := convert.CheckChars(f, rule.MaxChars, rule.Target); err != nil {
					return w.rowError(i, fields, err)
				}
			}
			buf = binary.BigEndian.AppendUint32(buf, uint32(len(rule.Prefix)+len(f)))
			buf = append(buf, rule.Prefix...)
			buf = append(buf, f...)
			continue
		}
		at := len(buf)
		buf = append(buf, 0, 0, 0, 0)
		var err error
		if buf, err = rule.Encode(buf, f); err != nil {
			return w.rowError(i, fields, err)
		}
		binary.BigEndian.PutUint32(buf[at:], uint32(len(buf)-at-4))
	}
	w.buf = buf
	return nil
}

// spread encodes a row that may not fit one buffer, field by field.
func (w *writer) spread(fields [][]byte) error {
	if err := w.write(byte(w.count>>8), byte(w.count)); err != nil {
		return err
	}
	for i, f := range fields {
		if err := w.field(i, f); err != nil {
			if isValue(err) {
				return w.rowError(i, fields, err)
			}
			return err
		}
	}
	return nil
}

// field writes one field that lies in memory, nil for NULL.
func (w *writer) field(i int, f []byte) error {
	rule := &w.job.Columns[i].Rule
	if f == nil {
		if rule.NotNull {
			return nullError(rule)
		}
		return w.write(0xFF, 0xFF, 0xFF, 0xFF)
	}
	value := f
	if rule.Raw {
		if rule.MaxChars > 0 {
			if err := convert.CheckChars(f, rule.MaxChars, rule.Target); err != nil {
				return err
			}
		}
	} else {
		var err error
		if w.encoded, err = rule.Encode(w.encoded[:0], f); err != nil {
			return err
		}
		value = w.encoded
	}
	if err := w.length(len(rule.Prefix) + len(value)); err != nil {
		return err
	}
	if err := w.write(rule.Prefix...); err != nil {
		return err
	}
	return w.write(value...)
}

// fieldCount is the error of a row with another number of fields than columns.
func (w *writer) fieldCount(fields [][]byte) error {
	return fmt.Errorf("row %d has %d fields where %d were asked for", w.number(), len(fields), len(w.job.Columns))
}

// length writes the size in front of a field.
func (w *writer) length(n int) error {
	return w.write(byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
}

// largeRow walks a row that does not fit the reader's buffer. Keys and other
// short fields are read as a whole; long ones pass through.
func (w *writer) largeRow(rows Rows) error {
	if err := w.write(byte(w.count>>8), byte(w.count)); err != nil {
		return err
	}
	keys := newKeys(w.job.Columns)
	for i := range w.job.Columns {
		err := w.largeField(rows, i, keys)
		if err == nil {
			continue
		}
		if !isValue(err) {
			return fmt.Errorf("row %d, column %q: %w", w.number(), w.job.Columns[i].Source, err)
		}
		// The key may come later in the row.
		if restErr := keys.rest(rows, i+1); restErr != nil {
			return fmt.Errorf("row %d: %w", w.number(), restErr)
		}
		return w.faulty(i, keys.String(), err)
	}
	return w.lastField(rows)
}

// lastField makes sure that a large row has no further field.
func (w *writer) lastField(rows Rows) error {
	if _, _, err := rows.NextField(); err != io.EOF {
		return fmt.Errorf("row %d has more fields than were asked for: %w", w.number(), err)
	}
	return nil
}

// largeField writes the next field of a large row.
func (w *writer) largeField(rows Rows, i int, keys *keys) error {
	size, null, err := rows.NextField()
	switch {
	case err == io.EOF:
		return errors.New("the row ends before it")
	case err != nil:
		return err
	case null:
		return w.field(i, nil)
	}
	rule := &w.job.Columns[i].Rule
	if size <= wholeField || (!rule.Raw && size <= convert.MaxEncoded) {
		if w.scratch, err = readField(rows, w.scratch, size); err != nil {
			return err
		}
		keys.see(i, w.scratch)
		return w.field(i, w.scratch)
	}
	if !rule.Raw || size+int64(len(rule.Prefix)) > maxField {
		if w.scratch, err = readField(rows, w.scratch, shownBytes); err != nil {
			return err
		}
		return tooLong(rule, w.scratch, size, "")
	}
	if err := w.length(len(rule.Prefix) + int(size)); err != nil {
		return err
	}
	if err := w.write(rule.Prefix...); err != nil {
		return err
	}
	return w.stream(rows, size, rule)
}

// stream passes the bytes of a field straight from the source into the buffers.
func (w *writer) stream(from io.Reader, size int64, rule *convert.ValueRule) error {
	var chars int64
	total := size
	w.scratch = w.scratch[:0]
	for size > 0 {
		if len(w.buf) == cap(w.buf) {
			if err := w.flush(); err != nil {
				return err
			}
		}
		room := w.buf[len(w.buf):cap(w.buf)]
		n, err := from.Read(room[:min(int64(len(room)), size)])
		if rule.MaxChars > 0 {
			if len(w.scratch) == 0 {
				w.scratch = append(w.scratch, room[:min(n, shownBytes)]...)
			}
			if chars += convert.CountChars(room[:n]); chars > rule.MaxChars {
				return tooLong(rule, w.scratch, total, fmt.Sprintf("more than %d characters", rule.MaxChars))
			}
		}
		w.buf = w.buf[:len(w.buf)+n]
		size -= int64(n)
		if err == io.EOF && size > 0 {
			return io.ErrUnexpectedEOF
		}
		if err != nil && err != io.EOF {
			return err
		}
	}
	return nil
}

// shownBytes is how much of a long value an error shows.
const shownBytes = 64

// tooLong makes the error of a value of size bytes that begins with start.
func tooLong(rule *convert.ValueRule, start []byte, size int64, detail string) error {
	return &convert.ValueError{
		Kind: convert.TooLong, Target: rule.Target, Detail: detail,
		Value: fmt.Sprintf("%s... (%d bytes)", convert.Printable(start), size),
	}
}

// readField reads size bytes of the current field into buf, grown as needed.
func readField(rows Rows, buf []byte, size int64) ([]byte, error) {
	if int64(cap(buf)) < size {
		buf = make([]byte, size)
	}
	buf = buf[:size]
	if _, err := io.ReadFull(rows, buf); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return buf, err
	}
	return buf, nil
}
