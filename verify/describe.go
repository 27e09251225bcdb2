package verify

import (
	"context"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/fingerprint"
)

const (
	// keep is how many characters of a value are shown at most: more than [convert.PrintableStart] shows.
	keep = 256
	// mostKept is how many bytes of a value are held at most while a row is described,
	// to find the place where two long ones part.
	mostKept = 4096
)

// shownField is a field of a row that is listed.
type shownField struct {
	null  bool
	size  int64
	hash  fingerprint.Hash
	start []byte
}

// shownFieldSize is what a shownField takes.
const shownFieldSize = 64 + keep

// describe reads the rows of candidates with their columns, as many at once as fit in memory.
func (c *comparison) describe(ctx context.Context, t *Table, p *Part, sums [2]fingerprint.Sum, list []candidate) ([]Difference, error) {
	var out []Difference
	for len(list) > 0 {
		n := min(c.describedAtOnce(t), len(list))
		some, err := c.describeSome(ctx, t, p, sums, list[:n])
		if err != nil {
			return nil, err
		}
		out, list = append(out, some...), list[n:]
	}
	return out, nil
}

// describedAtOnce is how many candidates are described by one reading.
func (c *comparison) describedAtOnce(t *Table) int {
	row := int64(2 * shownFieldSize * max(len(t.Columns), 1))
	return int(max(c.o.Memory/int64(c.o.Jobs)/row, 1))
}

// kept is how many bytes of each value are held while so many candidates are described.
func (c *comparison) kept(t *Table, candidates int) int {
	fields := int64(2 * candidates * max(len(t.Columns), 1))
	return int(min(max(c.o.Memory/int64(c.o.Jobs)/fields-shownFieldSize+keep, keep), mostKept))
}

func (c *comparison) describeSome(ctx context.Context, t *Table, p *Part, sums [2]fingerprint.Sum, list []candidate) ([]Difference, error) {
	var rows [2]map[entry][]shownField
	keys, kept := newKeying(t), c.kept(t, len(list))
	err := c.readAgain(ctx, t, p, func() streams {
		into := newStreams(t)
		for side, stream := range into {
			rows[side] = wanted(list, side)
			stream.Keep = kept
			stream.Each = func(r *fingerprint.Row) error {
				e := keys.entry(r)
				if seen, is := rows[side][e]; is && seen == nil {
					rows[side][e] = keepRow(r, kept)
				}
				return nil
			}
		}
		return into
	}, sums)
	if err != nil {
		return nil, err
	}
	out := make([]Difference, len(list))
	for i := range list {
		var both [2][]shownField
		for side := range both {
			e, ok := list[i].on(side)
			if !ok {
				continue
			}
			if both[side] = rows[side][e]; both[side] == nil {
				return nil, &unstableError{side}
			}
		}
		out[i] = difference(t, &list[i], both)
	}
	return out, nil
}

// wanted has room for the rows of a side that are listed.
func wanted(list []candidate, side int) map[entry][]shownField {
	rows := map[entry][]shownField{}
	for i := range list {
		if e, ok := list[i].on(side); ok {
			rows[e] = nil
		}
	}
	return rows
}

// on is the entry of a candidate on a side, if it has a row there.
func (c *candidate) on(side int) (e entry, ok bool) {
	if side == 0 && c.kind == ExtraRow || side == 1 && c.kind == MissingRow {
		return entry{}, false
	}
	return entry{c.key, c.rows[side]}, true
}

// keepRow copies what is told of a row, so many bytes of each value.
func keepRow(r *fingerprint.Row, kept int) []shownField {
	out := make([]shownField, len(r.Fields))
	for i := range r.Fields {
		f := &r.Fields[i]
		out[i] = shownField{null: f.Null, size: f.Size, hash: f.Hash, start: append([]byte(nil), f.Start[:min(len(f.Start), kept)]...)}
	}
	return out
}

// difference words a difference; a side that has no such row is nil.
func difference(t *Table, c *candidate, both [2][]shownField) Difference {
	d := Difference{Kind: c.kind, Times: c.times}
	of := both[0]
	if c.kind == ExtraRow {
		of = both[1]
	}
	for i := range t.Columns {
		k := &t.Columns[i]
		if k.Key {
			d.Key = append(d.Key, NamedValue{k.Name, k.value(&of[i])})
		}
		switch {
		case c.kind == ChangedRow && both[0][i].null == both[1][i].null && both[0][i].hash == both[1][i].hash,
			c.kind != ChangedRow && k.Key:
			continue
		}
		cd := ColumnDifference{Column: k.Name}
		if both[0] != nil {
			v := k.value(&both[0][i])
			cd.Expected = &v
		}
		if both[1] != nil {
			v := k.value(&both[1][i])
			cd.Found = &v
		}
		if c.kind == ChangedRow {
			k.part(&cd, &both[0][i], &both[1][i])
		}
		d.Columns = append(d.Columns, cd)
	}
	return d
}

// value renders a field.
func (c *Column) value(f *shownField) Value {
	switch {
	case f.null:
		return Value{Null: true}
	case c.Render != nil:
		return Value{Text: c.Render(f.start, f.size), Size: f.size}
	}
	return Value{Text: convert.PrintableStart(f.start, f.size), Size: f.size}
}
