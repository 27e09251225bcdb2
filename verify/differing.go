package verify

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/moodledb/moodledb/fingerprint"
)

// Differing are the rows of a part that differ, so that they can be picked out
// of it. Each has a number; the two rows of a changed one have the same. However
// many they are, they take a bounded amount of memory: the rest lies in temporary files until Close.
type Differing struct {
	// Missing, Extra and Changed are how many there are, without those that were left out.
	Missing, Extra, Changed int64
	// Numbers is how many numbers are in use: they begin with First, for the caller to set.
	Numbers, First int64

	search *search
	sides  [2]*placed
	// out has a bit for each number that is left out.
	out   []uint64
	noted *noted
}

// FindRows finds all rows of a part that differ. Options.Memory bounds what is
// held; Jobs, MaxDifferences and Events do not matter. The caller closes what is found.
func FindRows(ctx context.Context, expected, found Side, t *Table, p Part, o Options) (_ *Differing, err error) {
	o.Jobs, o.Events = 1, nil
	o = o.withDefaults()
	c := &comparison{sides: [2]Side{expected, found}, o: o}
	// A group's list of rows stands beside its tally.
	c.o.Memory /= 2
	d := &Differing{search: c.newSearch(t, &p, 0), sides: [2]*placed{newPlaced(o.Memory / 16), newPlaced(o.Memory / 16)}}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.Close())
		}
	}()
	d.search.keep = d.add
	if err := d.search.run(ctx); err != nil {
		return nil, err
	}
	for _, side := range d.sides {
		if err := side.flush(); err != nil {
			return nil, err
		}
	}
	n := d.search.counts
	d.Missing, d.Extra, d.Changed = n.missing, n.extra, n.changed
	return d, nil
}

// Found is the fingerprint of all rows that the found side has in the part.
func (d *Differing) Found() fingerprint.Sum { return d.search.sums[1] }

// Close removes the temporary files.
func (d *Differing) Close() error {
	var errs []error
	for _, side := range d.sides {
		errs = append(errs, side.slots.close())
	}
	if d.noted != nil {
		errs = append(errs, d.noted.close())
	}
	return errors.Join(errs...)
}

// add gives rows their numbers. Those of one key follow each other, and so do those of them that are alike.
func (d *Differing) add(group int, c candidate) error {
	for side, rows := range d.sides {
		if e, ok := c.on(side); ok {
			if err := rows.add(group, e, d.Numbers, c.times); err != nil {
				return err
			}
		}
	}
	d.Numbers += c.times
	return nil
}

// LeaveOut leaves a row out that is of a kind: it is not picked, and not counted any more.
func (d *Differing) LeaveOut(number int64, kind DifferenceKind) {
	if d.out == nil {
		d.out = make([]uint64, (d.Numbers+63)/64)
	}
	d.out[number/64] |= 1 << (number % 64)
	switch kind {
	case MissingRow:
		d.Missing--
	case ExtraRow:
		d.Extra--
	case ChangedRow:
		d.Changed--
	}
}

// IsOut reports whether a row is left out.
func (d *Differing) IsOut(number int64) bool {
	return d.out != nil && d.out[number/64]&(1<<(number%64)) != 0
}

// group is the group of buckets of a row; false when no row of that group differs.
func (d *Differing) group(r *fingerprint.Row) (int, bool) {
	if d.search.of == nil {
		return 0, true
	}
	group := d.search.of[d.search.bucket(r)]
	return int(group), group >= 0
}

// take returns the number of a row if it is one of those that differ. Each is taken once.
func (d *Differing) take(side int, r *fingerprint.Row) (number int64, ok bool, err error) {
	group, ok := d.group(r)
	if !ok {
		return 0, false, nil
	}
	return d.sides[side].take(group, d.search.keys.entry(r))
}

// taken returns an error unless the stream of a side had the rows that it had before.
func (d *Differing) taken(side int, stream *fingerprint.Stream) error {
	if err := stream.End(); err != nil {
		return fmt.Errorf("%s: %w", sideName(side), err)
	}
	if stream.Sum() != d.search.sums[side] || d.sides[side].left != 0 {
		return &unstableError{side}
	}
	return nil
}

// WriteExpected reads the part of the expected side again, and writes the rows
// that differ to w: as COPY (FORMAT binary) with the number as a bigint before
// the table's columns. An error of w is returned as it is.
func (d *Differing) WriteExpected(ctx context.Context, w io.Writer) (err error) {
	p := &picker{w: w, stream: newStreams(d.search.t)[0]}
	defer func() {
		if closeErr := p.held.close(); err == nil {
			err = closeErr
		}
	}()
	d.sides[0].begin()
	p.stream.KeyOnly = true
	p.stream.Each = func(r *fingerprint.Row) error {
		p.done = r.End
		number, ok, err := d.take(0, r)
		if err != nil || !ok || d.IsOut(number) {
			return err
		}
		return p.row(r, d.First+number)
	}
	if err := p.begin(); err != nil {
		return err
	}
	if err := d.search.c.sides[0].Stream(ctx, d.search.t, *d.search.p, p); err != nil {
		if p.failed != nil {
			return p.failed
		}
		return fmt.Errorf("%s: %w", sideName(0), err)
	}
	if err := d.taken(0, p.stream); err != nil {
		return err
	}
	return p.end()
}

// EachFound calls each for the rows of the found side that differ, when all of
// them are read. The rows are those that stream writes: the table's columns, and
// after them so many more, of which each is told.
func (d *Differing) EachFound(ctx context.Context, more int, stream func(ctx context.Context, w io.Writer) error,
	each func(number int64, more []fingerprint.Field) error,
) (err error) {
	columns := make([]fingerprint.Column, 0, len(d.search.t.Columns)+more)
	for _, c := range d.search.t.Columns {
		columns = append(columns, fingerprint.Column{Key: c.Key, Canon: c.Canon})
	}
	for range more {
		columns = append(columns, fingerprint.Column{Aside: true})
	}
	var list asideList
	defer func() { err = errors.Join(err, list.held.close()) }()
	d.sides[1].begin()
	s := fingerprint.NewStream(columns)
	s.KeyOnly = true
	s.Each = func(r *fingerprint.Row) error {
		number, ok, err := d.take(1, r)
		if err != nil || !ok || d.IsOut(number) {
			return err
		}
		return list.add(d.First+number, r.Fields[len(r.Fields)-more:])
	}
	if err := stream(ctx, s); err != nil {
		return fmt.Errorf("%s: %w", sideName(1), err)
	}
	if err := d.taken(1, s); err != nil {
		return err
	}
	return list.each(more, each)
}

// asideList holds the columns of rows that are set aside.
type asideList struct {
	held held
	buf  []byte
}

func (l *asideList) add(number int64, fields []fingerprint.Field) error {
	l.buf = binary.BigEndian.AppendUint64(l.buf[:0], uint64(number))
	for i := range fields {
		l.buf = binary.BigEndian.AppendUint32(l.buf, uint32(len(fields[i].Start)))
		l.buf = append(l.buf, fields[i].Start...)
	}
	return l.held.write(l.buf)
}

// each tells of all rows in the order in which they came.
func (l *asideList) each(more int, each func(number int64, more []fingerprint.Field) error) error {
	fields := make([]fingerprint.Field, more)
	in := &heldReader{held: &l.held}
	for in.at < l.held.size() {
		head, err := in.next(8)
		if err != nil {
			return err
		}
		number := int64(binary.BigEndian.Uint64(head))
		for i := range fields {
			size, err := in.next(4)
			if err != nil {
				return err
			}
			start, err := in.next(int(binary.BigEndian.Uint32(size)))
			if err != nil {
				return err
			}
			fields[i].Start = append(fields[i].Start[:0], start...)
		}
		if err := each(number, fields); err != nil {
			return err
		}
	}
	return nil
}
