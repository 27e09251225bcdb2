package copy

import (
	"encoding/binary"
	"fmt"
	"io"
)

// Changes is a whole COPY BINARY of the changed values, with the columns
// run bigint, table_name text, row_key text, column_name text, kind text, rule
// text, before_value bytea, after_value bytea. It can be asked for more than once.
//
// Table and column are the target's names, row_key is the key that the row has at the
// source. before_value is what the source sent, after_value what is stored, as text; a
// value with several faults has their kinds and rules joined by commas.
func (t *Touched) Changes(run int64) io.Reader {
	return &listReader{from: &t.changes, run: run, head: changeHead, fields: changeFields, pending: []byte(header)}
}

// Rejects is a whole COPY BINARY of the rows that were set aside, with the columns
// run bigint, table_name text, row_key text, column_name text, kind text,
// reason text, columns text[], row_values bytea[]. It can be asked for more than once.
//
// The fields are the bytes that the source sent. A row with several faults has
// the column and the kind of the first; the reason tells all.
func (t *Touched) Rejects(run int64) io.Reader {
	return &listReader{from: &t.rejects, run: run, head: rejectHead, fields: rejectFields, pending: []byte(header)}
}

// listReader makes a COPY of a list.
type listReader struct {
	from   *spool
	run    int64
	head   int64
	fields uint16
	// at is the place of what is read next; left is how much of a frame is left there.
	at, left int64
	pending  []byte
	ended    bool
}

// Read implements [io.Reader].
func (r *listReader) Read(p []byte) (int, error) {
	for len(p) > 0 && len(r.pending) == 0 && r.left == 0 {
		if r.ended {
			return 0, io.EOF
		}
		if err := r.next(); err != nil {
			return 0, err
		}
	}
	if len(r.pending) > 0 {
		n := copy(p, r.pending)
		r.pending = r.pending[n:]
		return n, nil
	}
	n, err := r.from.ReadAt(p[:min(int64(len(p)), r.left)], r.at)
	r.at += int64(n)
	r.left -= int64(n)
	return n, noEOF(err)
}

// next goes to the next frame, or to the end.
func (r *listReader) next() error {
	if r.at >= r.from.size() {
		r.ended = true
		r.pending = []byte{0xFF, 0xFF}
		return nil
	}
	var size [8]byte
	if _, err := r.from.ReadAt(size[:], r.at); err != nil {
		return noEOF(err)
	}
	r.at += r.head
	r.left = int64(binary.BigEndian.Uint64(size[:]))
	r.pending = binary.BigEndian.AppendUint16(nil, r.fields)
	r.pending = binary.BigEndian.AppendUint32(r.pending, 8)
	r.pending = binary.BigEndian.AppendUint64(r.pending, uint64(r.run))
	return nil
}

// Change is a changed value as a report shows it.
type Change struct {
	Table, Key, Column string
	Kind, Rule         string
	// Before and After are printable and shortened; NULL is NULL.
	Before, After string
}

// Reject is a row that was set aside as a report shows it.
type Reject struct {
	Table, Key, Column string
	Kind, Reason       string
}

// Sample returns the first n changed values.
func (t *Touched) Sample(n int) ([]Change, error) {
	var sample []Change
	err := eachFrame(&t.changes, changeHead, n, func(f *frame) error {
		c := Change{Table: f.text(), Key: f.text(), Column: f.text(), Kind: f.text(), Rule: f.text()}
		c.Before, c.After = f.printable(), f.printable()
		sample = append(sample, c)
		return f.err
	})
	return sample, err
}

// SampleRejects returns the first n rows that were set aside.
func (t *Touched) SampleRejects(n int) ([]Reject, error) {
	var sample []Reject
	err := eachFrame(&t.rejects, rejectHead, n, func(f *frame) error {
		sample = append(sample, Reject{Table: f.text(), Key: f.text(), Column: f.text(), Kind: f.text(), Reason: f.text()})
		return f.err
	})
	return sample, err
}

// eachFrame calls visit for the first n frames of a list.
func eachFrame(s *spool, head int64, n int, visit func(*frame) error) error {
	at := int64(0)
	for range n {
		if at >= s.size() {
			return nil
		}
		var size [8]byte
		if _, err := s.ReadAt(size[:], at); err != nil {
			return fmt.Errorf("read a temporary file: %w", noEOF(err))
		}
		at += head
		if err := visit(&frame{from: s, at: at}); err != nil {
			return err
		}
		at += int64(binary.BigEndian.Uint64(size[:]))
	}
	return nil
}

// frame reads the fields of a frame one by one, until the first error.
type frame struct {
	from *spool
	at   int64
	err  error
}

// next is the next field.
func (f *frame) next() value {
	var size [4]byte
	if f.err != nil {
		return value{}
	}
	if _, err := f.from.ReadAt(size[:], f.at); err != nil {
		f.err = noEOF(err)
		return value{}
	}
	f.at += 4
	n := int32(binary.BigEndian.Uint32(size[:]))
	if n < 0 {
		return value{null: true}
	}
	v := value{size: int64(n), from: f.from, off: f.at}
	f.at += v.size
	return v
}

// text is the next field as text.
func (f *frame) text() string {
	v := f.next()
	b, err := v.head(nil, v.size)
	if f.err == nil {
		f.err = err
	}
	return string(b)
}

// printable is the next field as messages show it.
func (f *frame) printable() string {
	v := f.next()
	s, err := v.printable()
	if f.err == nil {
		f.err = err
	}
	return s
}
