package verify

import (
	"context"
	"encoding/binary"
	"math/bits"

	"github.com/moodledb/moodledb/fingerprint"
)

// A search finds the rows of a part that differ, in at most two readings of
// both sides, whatever their number and order:
//
//  1. Rows go into buckets by the hash of their key, each with a sum for each
//     side. At the same time every row is entered in a tally, where rows
//     that both sides have cancel out. Where both sides send rows in about the
//     same order, and few differ, little is in the tally at any time, and it tells all.
//  2. If the tally became too large it was thrown away, and the rows of buckets
//     whose sums differ are read again. If they are too many for one tally they go through a
//     temporary file, sorted by groups of buckets, and there is a tally for each group.
type search struct {
	c *comparison
	t *Table
	p *Part
	// sums are those of all rows; known says that they were read before.
	sums  [2]fingerprint.Sum
	known bool
	keys  keying
	// buckets is their number, a power of two; limit is how many entries a tally may have.
	buckets int
	limit   int
	// list is how many candidates are kept.
	list int

	counts counts
	// candidates are the first rows that differ.
	candidates []candidate
	// keep, when set, is given all of them instead, group by group of buckets; of is the
	// group of each bucket, nil while there is one of all.
	keep func(group int, c candidate) error
	of   []int32
}

// What things take of the memory of a search.
const (
	// bucketSize is what a bucket takes: a sum for each side.
	bucketSize = 2 * 24
	// entrySize is what an entry of a tally takes at most: in a map that has just
	// grown, and in the sorted list that is made of it.
	entrySize = 96
	// leastBuckets and leastEntries are what a search needs to get anywhere.
	leastBuckets, leastEntries = 16, 16
	mostBuckets                = 1 << 20
)

// newSearch prepares to look for what differs in a part, and to keep so many candidates.
func (c *comparison) newSearch(t *Table, p *Part, list int) *search {
	memory := c.o.Memory / int64(c.o.Jobs)
	buckets := min(max(memory/4/bucketSize, leastBuckets), mostBuckets)
	return &search{
		c: c, t: t, p: p, keys: newKeying(t), list: list,
		buckets: 1 << (bits.Len64(uint64(buckets)) - 1),
		limit:   int(max(memory/4*3/entrySize, leastEntries)),
	}
}

// run finds what differs.
func (s *search) run(ctx context.Context) error {
	sums, all, err := s.sumUp(ctx)
	if err != nil {
		return err
	}
	if !all.full {
		return s.take(0, all)
	}
	g := s.group(sums)
	s.of = g.of
	return s.searchGroups(ctx, g)
}

// streamsOf makes streams that give rows to each, with their keys only.
func (s *search) streamsOf(each func(side int, r *fingerprint.Row)) streams {
	into := newStreams(s.t)
	for side, stream := range into {
		stream.KeyOnly = true
		stream.Each = func(r *fingerprint.Row) error {
			each(side, r)
			return nil
		}
	}
	return into
}

// bucket is the number of the bucket of a row. It uses another half of the hash than entries do.
func (s *search) bucket(r *fingerprint.Row) int { return int(r.Key[0] & uint64(s.buckets-1)) }

// sumUp is the first reading.
func (s *search) sumUp(ctx context.Context) ([2][]fingerprint.Sum, *tally, error) {
	var (
		sums    [2][]fingerprint.Sum
		all     *tally
		batches [2]batch
	)
	begin := func() streams {
		all, batches = newTally(s.limit), [2]batch{}
		for side := range sums {
			sums[side] = make([]fingerprint.Sum, s.buckets)
		}
		return s.streamsOf(func(side int, r *fingerprint.Row) {
			sums[side][s.bucket(r)].Add(r.Hash)
			batches[side].add(all, side, s.keys.entry(r))
		})
	}
	if !s.known {
		into, err := s.c.readWhole(ctx, s.t, s.p, begin, false)
		if err != nil {
			return sums, nil, err
		}
		s.sums, s.known = into.sums(), true
	} else if err := s.c.readAgain(ctx, s.t, s.p, begin, s.sums); err != nil {
		return sums, nil, err
	}
	for side := range batches {
		batches[side].flush(all, side)
	}
	return sums, all, nil
}

// take counts the rows that are left in the tally of a group.
func (s *search) take(group int, t *tally) (err error) {
	if s.keep == nil {
		s.candidates = t.differences(&s.counts, s.candidates, s.list)
		return nil
	}
	t.each(func(c candidate) {
		s.counts.add(c.kind, c.times)
		if err == nil {
			err = s.keep(group, c)
		}
	})
	return err
}

// groups are the buckets that differ, in groups of which each has room in a tally.
type groups struct {
	// of is the group of each bucket; -1 for buckets that do not differ.
	of []int32
	// rows is how many rows of each side are in each group.
	rows [][2]int64
}

// group forms groups.
func (s *search) group(sums [2][]fingerprint.Sum) groups {
	g := groups{of: make([]int32, s.buckets)}
	var room int64
	for b := range g.of {
		e, f := sums[0][b], sums[1][b]
		if e == f {
			g.of[b] = -1
			continue
		}
		if room -= e.Rows + f.Rows; room < 0 || len(g.rows) == 0 {
			g.rows = append(g.rows, [2]int64{})
			room = int64(s.limit) - e.Rows - f.Rows
		}
		last := len(g.rows) - 1
		g.of[b] = int32(last)
		g.rows[last][0] += e.Rows
		g.rows[last][1] += f.Rows
	}
	return g
}

// searchGroups is the second reading.
func (s *search) searchGroups(ctx context.Context, g groups) error {
	if len(g.rows) > 1 {
		return s.searchSpilled(ctx, g)
	}
	var (
		only    *tally
		batches [2]batch
	)
	err := s.c.readAgain(ctx, s.t, s.p, func() streams {
		only, batches = newTally(0), [2]batch{}
		return s.streamsOf(func(side int, r *fingerprint.Row) {
			if g.of[s.bucket(r)] >= 0 {
				batches[side].add(only, side, s.keys.entry(r))
			}
		})
	}, s.sums)
	if err != nil {
		return err
	}
	for side := range batches {
		batches[side].flush(only, side)
	}
	return s.take(0, only)
}

// searchSpilled is the second reading when there are several groups.
func (s *search) searchSpilled(ctx context.Context, g groups) (err error) {
	f, err := newSpill(g.rows, int64(s.limit)*entrySize)
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := f.file.close(); err == nil {
			err = closeErr
		}
	}()
	err = s.c.readAgain(ctx, s.t, s.p, func() streams {
		f.begin()
		return s.streamsOf(func(side int, r *fingerprint.Row) {
			if group := g.of[s.bucket(r)]; group >= 0 {
				f.add(side, int(group), s.keys.entry(r))
			}
		})
	}, s.sums)
	if err != nil {
		return err
	}
	if err := f.flush(); err != nil {
		return err
	}
	for group := range g.rows {
		if err := ctx.Err(); err != nil {
			return err
		}
		t := newTally(0)
		if err := f.read(group, t); err != nil {
			return err
		}
		if err := s.take(group, t); err != nil {
			return err
		}
	}
	return nil
}

// keying tells what identifies a row.
type keying struct {
	// whole is the number of the only column of the key when its values are whole numbers; else -1.
	whole int
}

func newKeying(t *Table) keying {
	k := keying{whole: -1}
	keys := 0
	for i, c := range t.Columns {
		if !c.Key {
			continue
		}
		keys++
		if k.whole = i; c.Canon != nil || !isWhole(c.Type) {
			k.whole = -1
		}
	}
	if keys != 1 {
		k.whole = -1
	}
	return k
}

// isWhole reports whether a type's values are whole numbers of fixed size.
func isWhole(typ string) bool { return typ == "smallint" || typ == "integer" || typ == "bigint" }

// entry is a row in a tally: its key, and half of its hash, by which only rows
// with the same key are compared. The key is the number itself, so that entries
// are in the order of keys, or half of the key's hash: the chance that a tally
// of a million rows takes two keys for one is less than one in ten million, and
// then a row that is missing and one that is extra would be told as one that is changed.
func (k keying) entry(r *fingerprint.Row) entry {
	e := entry{key: r.Key[1], row: r.Hash[1]}
	if k.whole < 0 {
		return e
	}
	f := &r.Fields[k.whole]
	var number int64
	switch {
	case f.Null:
		return e
	case f.Size == 8:
		number = int64(binary.BigEndian.Uint64(f.Start))
	case f.Size == 4:
		number = int64(int32(binary.BigEndian.Uint32(f.Start)))
	case f.Size == 2:
		number = int64(int16(binary.BigEndian.Uint16(f.Start)))
	default:
		return e
	}
	e.key = uint64(number) ^ 1<<63 // negative numbers first
	return e
}
