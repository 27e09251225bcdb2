package verify

import (
	"context"
	"encoding/binary"
	"errors"
	"io"

	"github.com/moodledb/moodledb/fingerprint"
)

// DifferingRow is a row that differs, with its fields: of the columns of the key whole, of
// others how they begin. A side that has no such row has none.
type DifferingRow struct {
	Number          int64
	Expected, Found []fingerprint.Field
}

// Kind tells how it differs.
func (r *DifferingRow) Kind() DifferenceKind {
	switch {
	case r.Found == nil:
		return MissingRow
	case r.Expected == nil:
		return ExtraRow
	}
	return ChangedRow
}

// noted keeps the fields of rows that differ.
type noted struct {
	// rows has the fields of each side's rows, places where they begin, by number, counted from 1; 0 is none.
	rows, places [2]held
}

// notedStart is how many bytes of a value are kept.
const notedStart = 128

func (n *noted) close() error {
	return errors.Join(n.rows[0].close(), n.rows[1].close(), n.places[0].close(), n.places[1].close())
}

// Note reads both sides again, and keeps the fields of the rows that differ. It is
// called before Row and EachRow.
func (d *Differing) Note(ctx context.Context) error {
	if d.noted == nil {
		d.noted = &noted{}
	}
	s := d.search
	var failed [2]error
	err := s.c.readAgain(ctx, s.t, s.p, func() streams {
		into := newStreams(s.t)
		for side, stream := range into {
			d.sides[side].begin()
			d.noted.rows[side].reset()
			d.noted.places[side].reset()
			failed[side] = d.noted.places[side].zeros(8 * d.Numbers)
			stream.Keep = notedStart
			var buf []byte
			stream.Each = func(r *fingerprint.Row) error {
				number, ok, err := d.take(side, r)
				if err != nil || !ok || failed[side] != nil {
					return errors.Join(err, failed[side])
				}
				buf = appendFields(buf[:0], r.Fields)
				return d.noted.add(side, number, buf)
			}
		}
		return into
	}, s.sums)
	for side, rows := range d.sides {
		if err == nil && rows.left != 0 {
			err = &unstableError{side}
		}
	}
	return err
}

// add keeps a row.
func (n *noted) add(side int, number int64, row []byte) error {
	rows := &n.rows[side]
	var place [8]byte
	binary.BigEndian.PutUint64(place[:], uint64(rows.size()+1))
	if err := n.places[side].change(place[:], 8*number); err != nil {
		return err
	}
	return rows.write(row)
}

// appendFields appends the fields of a row with their size.
func appendFields(b []byte, fields []fingerprint.Field) []byte {
	b = append(b, 0, 0, 0, 0)
	for i := range fields {
		f := &fields[i]
		if f.Null {
			b = append(b, 1)
			continue
		}
		b = append(b, 0)
		b = binary.BigEndian.AppendUint64(b, uint64(f.Size))
		b = binary.BigEndian.AppendUint64(b, f.Hash[0])
		b = binary.BigEndian.AppendUint64(b, f.Hash[1])
		b = binary.BigEndian.AppendUint32(b, uint32(len(f.Start)))
		b = append(b, f.Start...)
	}
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	return b
}

// parseFields reads what appendFields wrote, without the size.
func parseFields(b []byte, columns int) []fingerprint.Field {
	fields := make([]fingerprint.Field, columns)
	for i := range fields {
		f := &fields[i]
		f.Null, b = b[0] == 1, b[1:]
		if f.Null {
			continue
		}
		f.Size = int64(binary.BigEndian.Uint64(b))
		f.Hash = fingerprint.Hash{binary.BigEndian.Uint64(b[8:]), binary.BigEndian.Uint64(b[16:])}
		n := 28 + binary.BigEndian.Uint32(b[24:])
		f.Start, b = append([]byte{}, b[28:n]...), b[n:]
	}
	return fields
}

// Row is the row of a number, counted from 0.
func (d *Differing) Row(number int64) (*DifferingRow, error) {
	r := &DifferingRow{Number: number}
	for side, to := range [2]*[]fingerprint.Field{&r.Expected, &r.Found} {
		var head [8]byte
		if err := d.noted.places[side].readAt(head[:], 8*number); err != nil {
			return nil, err
		}
		at := int64(binary.BigEndian.Uint64(head[:])) - 1
		if at < 0 {
			continue
		}
		if err := d.noted.rows[side].readAt(head[:4], at); err != nil {
			return nil, err
		}
		row := make([]byte, binary.BigEndian.Uint32(head[:4]))
		if err := d.noted.rows[side].readAt(row, at+4); err != nil {
			return nil, err
		}
		*to = parseFields(row, len(d.search.t.Columns))
	}
	return r, nil
}

// EachRow tells of all rows that are not left out, in the order of their numbers.
func (d *Differing) EachRow(each func(*DifferingRow) error) error {
	for number := range d.Numbers {
		if d.IsOut(number) {
			continue
		}
		r, err := d.Row(number)
		if err == nil {
			err = each(r)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// mostAlike is how many rows of one key FoundWithKey returns.
const mostAlike = 100

// FoundWithKey returns the numbers of rows of the found side that differ and have a key. It is given
// by a value for each column, in the form that is compared; only those of the key matter, and nil is NULL.
func (d *Differing) FoundWithKey(values [][]byte) (numbers []int64, err error) {
	s := newStreams(d.search.t)[1]
	s.KeyOnly = true
	s.Each = func(r *fingerprint.Row) error {
		group, ok := d.group(r)
		if !ok {
			return nil
		}
		numbers, err = d.sides[1].withKey(group, d.search.keys.entry(r).key, mostAlike)
		return err
	}
	row := binary.BigEndian.AppendUint16([]byte(copyHeader), uint16(len(values)))
	for i, v := range values {
		if v == nil || !d.search.t.Columns[i].Key {
			row = append(row, 0xFF, 0xFF, 0xFF, 0xFF)
			continue
		}
		row = binary.BigEndian.AppendUint32(row, uint32(len(v)))
		row = append(row, v...)
	}
	if _, err := io.WriteString(s, string(row)+copyTrailer); err != nil {
		return nil, err
	}
	return numbers, nil
}

// List describes the first rows that are not left out, in the order of keys.
func (d *Differing) List(ctx context.Context, most int) ([]Difference, error) {
	var list []candidate
	err := d.eachCandidate(func(c candidate) {
		if list = append(list, c); len(list) >= 2*most {
			list = firstOf(list, most)
		}
	})
	if err != nil || most == 0 {
		return nil, err
	}
	return d.search.c.describe(ctx, d.search.t, d.search.p, d.search.sums, firstOf(list, most))
}

// eachCandidate tells of all rows that are not left out, in the order of their numbers.
func (d *Differing) eachCandidate(each func(candidate)) error {
	in := [2]slotReader{newSlotReader(d.sides[0]), newSlotReader(d.sides[1])}
	for at := int64(0); at < d.Numbers; {
		c, end := candidate{}, d.Numbers
		var has [2]bool
		for side := range in {
			s, err := in[side].from(at)
			switch {
			case err != nil:
				return err
			case s == nil:
			case s.first > at:
				end = min(end, s.first)
			default:
				has[side], end = true, min(end, s.first+s.n)
				c.key, c.rows[side] = s.key, s.row
			}
		}
		switch {
		case has[0] && has[1]:
			c.kind = ChangedRow
		case has[0]:
			c.kind = MissingRow
		default:
			c.kind = ExtraRow
		}
		for ; at < end; at++ {
			if !d.IsOut(at) {
				c.times++
			}
		}
		if c.times > 0 {
			each(c)
		}
	}
	return nil
}

// slotReader goes through the slots of a side, which are in the order of numbers.
type slotReader struct {
	in   heldReader
	slot slot
}

func newSlotReader(p *placed) slotReader { return slotReader{in: heldReader{held: &p.slots}} }

// from is the slot that has a number, or else the next one; nil when there is none.
func (r *slotReader) from(number int64) (*slot, error) {
	for r.slot.first+r.slot.n <= number {
		if r.in.at == r.in.held.size() {
			return nil, nil
		}
		b, err := r.in.next(slotBytes)
		if err != nil {
			return nil, err
		}
		r.slot.read(b)
	}
	return &r.slot, nil
}
