package verify

import (
	"encoding/binary"
	"errors"
	"slices"
	"sort"
)

// placed finds the rows of one side that differ, whatever their number: what does
// not fit a small buffer lies in a temporary file, in the order of entries within each
// group of buckets. The memory that it takes is a page of the file for each
// entry of a cache, and an entry for each page.
type placed struct {
	slots held
	// groups are the places of each group's slots, fences the first entries of pages.
	groups []slotRange
	fences []entry
	// last is the slot that was added last, which may still grow.
	last slot
	open bool
	n    int64
	// rows is how many rows there are, left how many were not taken in this pass.
	rows, left int64
	pass       uint64
	cache      []page
	scratch    []byte
}

// slot has rows that are alike: the number of the first of them, and how many they are.
type slot struct {
	entry
	first, n int64
	// used is how many of them were taken in the pass.
	used, pass uint64
}

// slotRange is the slots of a group, and the number of its first page.
type slotRange struct {
	begin, end int64
	fence      int
}

// page is one that was read: which it is, from 1 on, and its slots.
type page struct {
	number int
	slots  []slot
	begin  int64
}

const (
	slotBytes = 48
	// pageSlots is how many slots a page has: 12 KiB of a file.
	pageSlots = 256
	// A cache has a few pages at least: rows that come in the order of keys need one for each group.
	leastPages, mostPages = 4, 1024
)

func newPlaced(memory int64) *placed {
	return &placed{cache: make([]page, min(max(memory/(pageSlots*slotBytes), leastPages), mostPages))}
}

// add adds rows, which come in the order of groups and of entries.
func (p *placed) add(group int, e entry, first, times int64) error {
	p.rows += times
	if p.open && p.last.entry == e && group == len(p.groups)-1 {
		p.last.n += times
		return nil
	}
	if err := p.flush(); err != nil {
		return err
	}
	for group >= len(p.groups) {
		p.groups = append(p.groups, slotRange{begin: p.n, end: p.n, fence: len(p.fences)})
	}
	p.last, p.open = slot{entry: e, first: first, n: times}, true
	return nil
}

// flush writes the slot that was added last.
func (p *placed) flush() error {
	if !p.open {
		return nil
	}
	p.open = false
	g := &p.groups[len(p.groups)-1]
	if (g.end-g.begin)%pageSlots == 0 {
		p.fences = append(p.fences, p.last.entry)
	}
	g.end++
	p.n++
	p.scratch = p.last.append(p.scratch[:0])
	return p.slots.write(p.scratch)
}

func (s *slot) append(b []byte) []byte {
	for _, v := range [...]uint64{s.key, s.row, uint64(s.first), uint64(s.n), s.used, s.pass} {
		b = binary.BigEndian.AppendUint64(b, v)
	}
	return b
}

func (s *slot) read(b []byte) {
	v := func(i int) uint64 { return binary.BigEndian.Uint64(b[8*i:]) }
	*s = slot{entry{v(0), v(1)}, int64(v(2)), int64(v(3)), v(4), v(5)}
}

// begin begins a pass, in which each row can be taken once.
func (p *placed) begin() {
	p.pass++
	p.left = p.rows
}

// take returns the number of a row of a group if it is there, and was not taken in this pass.
func (p *placed) take(group int, e entry) (number int64, ok bool, err error) {
	pg, i, err := p.find(group, e)
	if err != nil || pg == nil || i == len(pg.slots) || pg.slots[i].entry != e {
		return 0, false, err
	}
	s := &pg.slots[i]
	if s.pass != p.pass {
		s.pass, s.used = p.pass, 0
	}
	if s.used == uint64(s.n) {
		return 0, false, nil
	}
	number = s.first + int64(s.used)
	s.used++
	p.left--
	if s.n == 1 {
		return number, true, nil // one that comes twice is told by the sum of all rows
	}
	p.scratch = s.append(p.scratch[:0])
	return number, true, p.slots.change(p.scratch, (pg.begin+int64(i))*slotBytes)
}

// withKey returns the numbers of the first rows of a group that have a key.
func (p *placed) withKey(group int, key uint64, most int) (numbers []int64, err error) {
	pg, i, err := p.find(group, entry{key: key})
	if err != nil || pg == nil {
		return nil, err
	}
	at := pg.begin + int64(i)
	var b [slotBytes]byte
	var s slot
	for ; at < p.groups[group].end && len(numbers) < most; at++ {
		if err := p.slots.readAt(b[:], at*slotBytes); err != nil {
			return nil, err
		}
		if s.read(b[:]); s.key != key {
			break
		}
		for n := range min(s.n, int64(most-len(numbers))) {
			numbers = append(numbers, s.first+n)
		}
	}
	return numbers, nil
}

// find returns the page in which an entry of a group is, or would be, and its place there.
func (p *placed) find(group int, e entry) (*page, int, error) {
	if group >= len(p.groups) || p.groups[group].begin == p.groups[group].end {
		return nil, 0, nil
	}
	if p.open {
		return nil, 0, errors.New("a row was looked for before all were added")
	}
	g := p.groups[group]
	pages := int((g.end - g.begin + pageSlots - 1) / pageSlots)
	fences := p.fences[g.fence : g.fence+pages]
	// The last page that begins with the entry or before it.
	n := max(sort.Search(pages, func(i int) bool { return compareEntries(fences[i], e) > 0 })-1, 0)
	pg, err := p.load(g, n)
	if err != nil {
		return nil, 0, err
	}
	return pg, sort.Search(len(pg.slots), func(i int) bool { return compareEntries(pg.slots[i].entry, e) >= 0 }), nil
}

// load returns the n-th page of a group.
func (p *placed) load(g slotRange, n int) (*page, error) {
	number := g.fence + n + 1
	pg := &p.cache[number%len(p.cache)]
	if pg.number == number {
		return pg, nil
	}
	pg.number, pg.begin = 0, g.begin+int64(n)*pageSlots
	count := min(pageSlots, g.end-pg.begin)
	p.scratch = slices.Grow(p.scratch[:0], int(count*slotBytes))
	b := p.scratch[:count*slotBytes]
	if err := p.slots.readAt(b, pg.begin*slotBytes); err != nil {
		return nil, err
	}
	pg.slots = pg.slots[:0]
	for len(b) > 0 {
		var s slot
		s.read(b)
		pg.slots, b = append(pg.slots, s), b[slotBytes:]
	}
	pg.number = number
	return pg, nil
}
