package verify

import (
	"cmp"
	"slices"
	"sync"
)

// entry is a row that may differ; see [keying.entry].
type entry struct{ key, row uint64 }

func compareEntries(a, b entry) int {
	return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.row, b.row))
}

// tally counts entries: up for rows of the expected side, down for the other's.
// What both sides have takes no room.
type tally struct {
	mu     sync.Mutex
	counts map[entry]int64
	// limit is how many entries there may be; 0 for any number.
	limit int
	// full says that there were more, and that the tally is worth nothing.
	full bool
}

func newTally(limit int) *tally { return &tally{counts: map[entry]int64{}, limit: limit} }

// add counts the entries of a side.
func (t *tally) add(side int, entries []entry) {
	by := int64(1 - 2*side)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.full {
		return
	}
	for _, e := range entries {
		if n := t.counts[e] + by; n != 0 {
			t.counts[e] = n
		} else {
			delete(t.counts, e)
		}
	}
	if t.limit > 0 && len(t.counts) > t.limit {
		t.full, t.counts = true, nil
	}
}

// batch gathers entries of a side, so that the two sides do not wait for each other for each row.
type batch struct{ entries []entry }

// batchEntries is small beside any limit that matters.
const batchEntries = 256

func (b *batch) add(t *tally, side int, e entry) {
	if b.entries = append(b.entries, e); len(b.entries) == batchEntries {
		b.flush(t, side)
	}
}

func (b *batch) flush(t *tally, side int) {
	t.add(side, b.entries)
	b.entries = b.entries[:0]
}

// counts are how many rows differ.
type counts struct{ missing, extra, changed int64 }

// add counts rows of a kind in.
func (n *counts) add(kind DifferenceKind, rows int64) {
	switch kind {
	case MissingRow:
		n.missing += rows
	case ExtraRow:
		n.extra += rows
	default:
		n.changed += rows
	}
}

// candidate is a row that differs, or several that do so in the same way.
type candidate struct {
	kind DifferenceKind
	key  uint64
	// rows are the row's hashes on each side that has it.
	rows  [2]uint64
	times int64
}

// counted is an entry that one side has so many times more than the other;
// less than none when the found side has more.
type counted struct {
	entry
	n int64
}

// differences adds what is left to the counts, and returns the first most of
// the candidates given and its own. It empties the tally.
func (t *tally) differences(into *counts, candidates []candidate, most int) []candidate {
	own := 0
	t.each(func(c candidate) {
		into.add(c.kind, c.times)
		if own < most { // they come in order
			own++
			candidates = append(candidates, c)
		}
	})
	return firstOf(candidates, most)
}

// each tells of all that is left, in the order of keys. It empties the tally.
func (t *tally) each(emit func(candidate)) {
	list := make([]counted, 0, len(t.counts))
	for e, n := range t.counts {
		list = append(list, counted{e, n})
	}
	t.counts = nil
	slices.SortFunc(list, func(a, b counted) int { return compareEntries(a.entry, b.entry) })
	for len(list) > 0 {
		n := 1
		for n < len(list) && list[n].key == list[0].key {
			n++
		}
		pairUp(list[:n], emit)
		list = list[n:]
	}
}

// firstOf are the first most of candidates, by their keys.
func firstOf(candidates []candidate, most int) []candidate {
	slices.SortStableFunc(candidates, func(a, b candidate) int { return cmp.Compare(a.key, b.key) })
	return candidates[:min(len(candidates), most)]
}

// pairUp makes candidates of the rows of one key. A key is that of several rows of
// a side where nothing forbids it; then rows are paired in the order of their hashes.
func pairUp(rows []counted, emit func(candidate)) {
	var of [2][]counted
	for _, r := range rows {
		if r.n > 0 {
			of[0] = append(of[0], r)
		} else {
			r.n = -r.n
			of[1] = append(of[1], r)
		}
	}
	e, f := of[0], of[1]
	for len(e) > 0 && len(f) > 0 {
		times := min(e[0].n, f[0].n)
		emit(candidate{kind: ChangedRow, key: e[0].key, rows: [2]uint64{e[0].row, f[0].row}, times: times})
		if e[0].n -= times; e[0].n == 0 {
			e = e[1:]
		}
		if f[0].n -= times; f[0].n == 0 {
			f = f[1:]
		}
	}
	for _, r := range e {
		emit(candidate{kind: MissingRow, key: r.key, rows: [2]uint64{r.row, 0}, times: r.n})
	}
	for _, r := range f {
		emit(candidate{kind: ExtraRow, key: r.key, rows: [2]uint64{0, r.row}, times: r.n})
	}
}
