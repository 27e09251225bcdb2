package verify

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/moodledb/moodledb/fingerprint"
)

// ErrTooMany says that more rows differ than fit in memory.
var ErrTooMany = errors.New("too many rows differ")

// Differing are the rows of a part that differ, so that they can be picked out
// of it. Each has a number; the two rows of a changed one have the same.
type Differing struct {
	Missing, Extra, Changed int64
	// First is the number of the first row, for the caller to set.
	First int64

	search *search
	rows   [2]map[entry]numbers
}

// numbers are those of rows that are alike.
type numbers struct{ first, n int64 }

// differingSize is what a row of a [Differing] takes: a candidate, and its entries in two maps.
const differingSize = 256

// FindRows finds all rows of a part that differ. The error is [ErrTooMany]
// where they do not fit in Options.Memory. Jobs, MaxDifferences and Events do not matter.
func FindRows(ctx context.Context, expected, found Side, t *Table, p Part, o Options) (*Differing, error) {
	o.Jobs, o.Events = 1, nil
	o = o.withDefaults()
	c := &comparison{sides: [2]Side{expected, found}, o: o}
	list := int(max(o.Memory/2/differingSize, leastEntries))
	c.o.Memory /= 2
	s := c.newSearch(t, &p, list)
	if err := s.run(ctx); err != nil {
		return nil, err
	}
	d := &Differing{Missing: s.counts.missing, Extra: s.counts.extra, Changed: s.counts.changed, search: s}
	if n := d.number(); n < d.Missing+d.Extra+d.Changed {
		return nil, fmt.Errorf("%w: %d, in %s", ErrTooMany, d.Missing+d.Extra+d.Changed, p)
	}
	return d, nil
}

// Filter leaves out the rows for which keep returns false: they are not picked, and not counted.
// They are read with their columns for that. It can be called before any row is picked.
func (d *Differing) Filter(ctx context.Context, keep func(*Difference) bool) error {
	s := d.search
	var kept []candidate
	d.Missing, d.Extra, d.Changed = 0, 0, 0
	for list := s.candidates; len(list) > 0; {
		n := min(s.c.describedAtOnce(s.t), len(list))
		some, err := s.c.describeSome(ctx, s.t, s.p, s.sums, list[:n])
		if err != nil {
			return err
		}
		for i := range some {
			if !keep(&some[i]) {
				continue
			}
			kept = append(kept, list[i])
			switch list[i].kind {
			case MissingRow:
				d.Missing += list[i].times
			case ExtraRow:
				d.Extra += list[i].times
			default:
				d.Changed += list[i].times
			}
		}
		list = list[n:]
	}
	s.candidates = kept
	d.number()
	return nil
}

// number gives each row its number, and returns how many there are. The rows of
// one key follow each other, and so do those of them that are alike.
func (d *Differing) number() int64 {
	d.rows = [2]map[entry]numbers{{}, {}}
	var next int64
	for i := range d.search.candidates {
		c := &d.search.candidates[i]
		for side := range d.rows {
			if e, ok := c.on(side); ok {
				n, seen := d.rows[side][e]
				if !seen {
					n.first = next
				}
				n.n += c.times
				d.rows[side][e] = n
			}
		}
		next += c.times
	}
	return next
}

// take returns the number of a row if it is one of those that differ. Each is taken once.
func (d *Differing) take(side int, r *fingerprint.Row) (number int64, ok bool) {
	e := d.search.keys.entry(r)
	n, ok := d.rows[side][e]
	if !ok {
		return 0, false
	}
	number = d.First + n.first
	n.first++
	if n.n--; n.n == 0 {
		delete(d.rows[side], e)
	} else {
		d.rows[side][e] = n
	}
	return number, true
}

// taken returns an error unless the stream of a side had the rows that it had before.
func (d *Differing) taken(side int, stream *fingerprint.Stream) error {
	if err := stream.End(); err != nil {
		return fmt.Errorf("%s: %w", sideName(side), err)
	}
	if stream.Sum() != d.search.sums[side] || len(d.rows[side]) > 0 {
		return &unstableError{side}
	}
	return nil
}

// WriteExpected reads the part of the expected side again, and writes the rows
// that differ to w: as COPY (FORMAT binary) with the number as a bigint before
// the table's columns. It can be called once. An error of w is returned as it is.
func (d *Differing) WriteExpected(ctx context.Context, w io.Writer) (err error) {
	p := &picker{w: w, stream: newStreams(d.search.t)[0]}
	defer func() {
		if closeErr := p.held.close(); err == nil {
			err = closeErr
		}
	}()
	p.stream.KeyOnly = true
	p.stream.Each = func(r *fingerprint.Row) error {
		p.done = r.End
		if number, ok := d.take(0, r); ok {
			return p.row(r, number)
		}
		return nil
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

// EachFound calls each for the rows of the found side that differ. The rows are
// those that stream writes: the table's columns, and after them so many more, of which
// each is told. It can be called once.
func (d *Differing) EachFound(ctx context.Context, more int, stream func(ctx context.Context, w io.Writer) error,
	each func(number int64, more []fingerprint.Field) error,
) error {
	columns := make([]fingerprint.Column, 0, len(d.search.t.Columns)+more)
	for _, c := range d.search.t.Columns {
		columns = append(columns, fingerprint.Column{Key: c.Key, Canon: c.Canon})
	}
	for range more {
		columns = append(columns, fingerprint.Column{Aside: true})
	}
	s := fingerprint.NewStream(columns)
	s.KeyOnly = true
	s.Each = func(r *fingerprint.Row) error {
		if number, ok := d.take(1, r); ok {
			return each(number, r.Fields[len(r.Fields)-more:])
		}
		return nil
	}
	if err := stream(ctx, s); err != nil {
		return fmt.Errorf("%s: %w", sideName(1), err)
	}
	return d.taken(1, s)
}
