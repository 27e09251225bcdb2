package verify

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// entryBytes is the size of an entry in a file.
const entryBytes = 16

// spill keeps entries in a temporary file, by groups. How many each side has in
// each group is known before, so that each has its place. The two sides write at once.
type spill struct {
	file *temporary
	// regions are those of each side, by group.
	regions [2][]region
	// errs are the first errors of each side.
	errs [2]error
}

// region is the place of a side's entries of a group.
type region struct {
	begin, at, end int64
	buf            []byte
}

// Buffers of regions have no more than is of use, and no less.
const leastRegion, mostRegion = 16 * entryBytes, 4096 * entryBytes

// newSpill makes a file with room for so many rows of each side in each group.
// All buffers together take about memory.
func newSpill(rows [][2]int64, memory int64) (*spill, error) {
	f, err := newTemporary()
	if err != nil {
		return nil, err
	}
	s := &spill{file: f}
	size := min(max(memory/int64(2*len(rows))/entryBytes*entryBytes, leastRegion), mostRegion)
	var at int64
	for side := range s.regions {
		s.regions[side] = make([]region, len(rows))
		for g := range rows {
			r := &s.regions[side][g]
			r.begin, r.at = at, at
			at += rows[g][side] * entryBytes
			r.end = at
			r.buf = make([]byte, 0, min(size, r.end-r.begin))
		}
	}
	return s, nil
}

// begin forgets all entries.
func (s *spill) begin() {
	for side := range s.regions {
		for g := range s.regions[side] {
			r := &s.regions[side][g]
			r.at, r.buf = r.begin, r.buf[:0]
		}
	}
}

// add appends an entry. One for which there is no room is dropped: the side's sum will tell that its rows changed.
func (s *spill) add(side, group int, e entry) {
	r := &s.regions[side][group]
	if r.at+int64(len(r.buf)) == r.end {
		return
	}
	r.buf = binary.BigEndian.AppendUint64(r.buf, e.key)
	r.buf = binary.BigEndian.AppendUint64(r.buf, e.row)
	if len(r.buf)+entryBytes > cap(r.buf) {
		s.write(side, r)
	}
}

func (s *spill) write(side int, r *region) {
	if err := s.file.writeAt(r.buf, r.at); err != nil && s.errs[side] == nil {
		s.errs[side] = fmt.Errorf("so many rows differ that they do not fit in memory: %w", err)
	}
	r.at += int64(len(r.buf))
	r.buf = r.buf[:0]
}

// flush writes what is in the buffers.
func (s *spill) flush() error {
	for side := range s.regions {
		for g := range s.regions[side] {
			r := &s.regions[side][g]
			if len(r.buf) > 0 {
				s.write(side, r)
			}
			r.buf = nil
		}
	}
	return errors.Join(s.errs[:]...)
}

// read adds the entries of a group to a tally.
func (s *spill) read(group int, t *tally) error {
	for side := range s.regions {
		r := &s.regions[side][group]
		in := bufio.NewReaderSize(io.NewSectionReader(s.file.file, r.begin, r.end-r.begin), mostRegion)
		var b batch
		var e [entryBytes]byte
		for at := r.begin; at < r.end; at += entryBytes {
			if _, err := io.ReadFull(in, e[:]); err != nil {
				return fmt.Errorf("read a temporary file: %w", err)
			}
			b.add(t, side, entry{binary.BigEndian.Uint64(e[:8]), binary.BigEndian.Uint64(e[8:])})
		}
		b.flush(t, side)
	}
	return nil
}
