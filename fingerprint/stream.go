package fingerprint

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/zeebo/xxh3"
)

// signature starts a COPY BINARY; four bytes of flags and the length of an extension follow.
const signature = "PGCOPY\n\xff\r\n\x00"

// headerSize is the size of a header without extension.
const headerSize = len(signature) + 8

// Canon appends the one form of a value to dst that all values equal to it
// share: of character(n), what is left without trailing blanks. It sees the field's bytes, never NULL.
type Canon func(dst, field []byte) ([]byte, error)

// Column says how the fields of one column are looked at. The zero value is right for most.
type Column struct {
	// Key marks the columns that make up [Row.Key].
	Key bool
	// Canon, when set, stands between the field and its hash. Fields of such columns
	// are held in memory as a whole.
	Canon Canon
	// Aside marks a column that is no part of the row: it does not count in hashes
	// and sums, and is told of as a whole. It has neither Key nor Canon.
	Aside bool
}

// Field is one field of a [Row].
type Field struct {
	Null bool
	// Size is the number of bytes, before Canon.
	Size int64
	// Hash is that of the bytes, after Canon.
	Hash Hash
	// Start is how the bytes begin, at most [Stream.Keep] of them, before Canon; of a column
	// of the key, and of one that is set aside, all of them.
	Start []byte
}

// Row is one row as [Stream.Each] is told of it. It is valid until Each returns.
type Row struct {
	// Hash is that of the row, as it is added to the sum.
	Hash Hash
	// Key is the hash of the fields of the key; that of the row when no column is one.
	Key Hash
	// Fields are those of all columns.
	Fields []Field
	// Begin and End are the place of the row among the bytes of the stream.
	Begin, End int64
}

// Stream takes a COPY BINARY as an [io.Writer], in pieces of any size, and sums
// up its rows. Memory does not depend on the size of rows: a field passes
// through, but for those of the key and those with a Canon.
//
// Without a Canon a row is hashed in one go. Nothing is allocated per row.
type Stream struct {
	// Each, when set before the first Write, is called for each row; its error ends the stream.
	Each func(*Row) error
	// Keep is how many bytes [Field.Start] has at most.
	Keep int
	// KeyOnly says that Each looks at hashes and at fields of the key alone: others
	// are told of without Hash and Start, which is faster.
	KeyOnly bool

	columns []Column
	// detail says that fields are looked at one by one, plain that no column has
	// a Canon or is set aside, so that the bytes of a row are hashed as they are.
	detail bool
	plain  bool
	sum    Sum
	bytes  int64
	// place is where in the stream the bytes end that were looked at last, and
	// chunk the place where those end that are being written.
	place, chunk int64
	// count is the number of fields that count, as rows have it.
	count [2]byte

	phase phase
	// need is how many bytes the phase still waits for; head gathers those of numbers.
	need int64
	head []byte
	// field is the number of the field being read.
	field   int
	row     *xxh3.Hasher
	details details
	err     error
}

type phase int

const (
	inHeader phase = iota
	inExtension
	atRow
	atField
	inField
	atEnd
)

// NewStream returns a stream of rows with these columns, in the order of the COPY.
func NewStream(columns []Column) *Stream {
	s := &Stream{columns: columns, plain: true, phase: inHeader, need: int64(headerSize), row: xxh3.New()}
	counting := len(columns)
	for _, c := range columns {
		if c.Canon != nil || c.Aside {
			s.detail, s.plain = true, false
		}
		if c.Aside {
			counting--
		}
	}
	binary.BigEndian.PutUint16(s.count[:], uint16(counting))
	return s
}

// Sum returns the sum of the rows that have come as a whole.
func (s *Stream) Sum() Sum { return s.sum }

// Bytes returns how many bytes were written.
func (s *Stream) Bytes() int64 { return s.bytes }

// End returns an error unless the stream was complete. A stream of which
// nothing was written at all is a complete one without rows.
func (s *Stream) End() error {
	switch {
	case s.err != nil:
		return s.err
	case s.phase == atEnd, s.bytes == 0:
		return nil
	}
	return fmt.Errorf("the rows end in the middle, after %d of them", s.sum.Rows)
}

// Write takes the next bytes.
func (s *Stream) Write(p []byte) (int, error) {
	rest, err := s.feed(p)
	if err == nil && len(rest) > 0 {
		err = errors.New("something follows the end of the rows")
		s.err = err
	}
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

// feed takes the next bytes, and returns those that follow the end.
func (s *Stream) feed(p []byte) (rest []byte, err error) {
	if s.err != nil {
		return nil, s.err
	}
	if s.bytes == 0 && s.Each != nil {
		s.detail = true
	}
	s.chunk = s.bytes + int64(len(p))
	rest, s.err = s.take(p)
	s.bytes += int64(len(p) - len(rest))
	return rest, s.err
}

// take goes through p until the rows end, and returns what is left.
func (s *Stream) take(p []byte) ([]byte, error) {
	for len(p) > 0 && s.phase != atEnd {
		if s.phase == atRow && (!s.detail || s.plain) && len(s.head) == 0 {
			rest, err := s.wholeRows(p)
			if err != nil {
				return nil, err
			}
			if p = rest; len(p) == 0 {
				return nil, nil
			}
		}
		var err error
		if p, err = s.step(p); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// wholeRows sums up the rows that p holds as a whole, and returns what is left.
func (s *Stream) wholeRows(p []byte) ([]byte, error) {
	for len(p) >= 2 {
		count := binary.BigEndian.Uint16(p)
		if count == math.MaxUint16 {
			return p, nil
		}
		if err := s.counted(count); err != nil {
			return nil, err
		}
		end := rowEnd(p, count)
		if end < 0 {
			return p, nil
		}
		hash := HashOf(p[:end])
		s.sum.Add(hash)
		if s.detail {
			if err := s.tell(p[:end], int64(len(p)), hash); err != nil {
				return nil, err
			}
		}
		p = p[end:]
	}
	return p, nil
}

// rowEnd is where a row of so many fields ends with which p begins, or -1 when p holds only a part of it.
func rowEnd(p []byte, count uint16) int {
	at := 2
	for range count {
		if len(p)-at < 4 {
			return -1
		}
		size := int32(binary.BigEndian.Uint32(p[at:]))
		at += 4
		if size < 0 {
			continue
		}
		if len(p)-at < int(size) {
			return -1
		}
		at += int(size)
	}
	return at
}

// tell tells Each of a whole row. So many bytes from its beginning on are not looked at yet.
func (s *Stream) tell(row []byte, left int64, hash Hash) error {
	s.place = s.chunk - left + int64(len(s.count))
	s.details.beginRow(s)
	s.details.whole(s, row)
	s.place = s.chunk - left + int64(len(row))
	return s.Each(s.details.endRow(s, hash))
}

// counted checks the number of fields of a row.
func (s *Stream) counted(count uint16) error {
	if int(count) != len(s.columns) {
		return fmt.Errorf("row %d has %d fields where %d were asked for", s.sum.Rows+1, count, len(s.columns))
	}
	return nil
}

// step takes what the present phase waits for, as far as p has it.
func (s *Stream) step(p []byte) (rest []byte, err error) {
	switch s.phase {
	case inHeader:
		number, rest := s.gather(p, headerSize)
		if number == nil {
			return rest, nil
		}
		if string(number[:len(signature)]) != signature {
			return nil, errors.New("these are no rows of COPY (FORMAT binary)")
		}
		s.phase, s.need = inExtension, int64(binary.BigEndian.Uint32(number[len(signature)+4:]))
		if s.need == 0 {
			s.phase = atRow
		}
		return rest, nil
	case inExtension:
		n := min(s.need, int64(len(p)))
		if s.need -= n; s.need == 0 {
			s.phase = atRow
		}
		return p[n:], nil
	case atRow:
		number, rest := s.gather(p, 2)
		if number == nil {
			return rest, nil
		}
		s.place = s.chunk - int64(len(rest))
		return rest, s.beginRow(number)
	case atField:
		number, rest := s.gather(p, 4)
		if number == nil {
			return rest, nil
		}
		s.place = s.chunk - int64(len(rest))
		return rest, s.beginField(number)
	case inField:
		n := min(s.need, int64(len(p)))
		s.piece(p[:n])
		s.place = s.chunk - int64(len(p)) + n
		if s.need -= n; s.need == 0 {
			err = s.endField()
		}
		return p[n:], err
	case atEnd: // take asks no more
	}
	return p, nil
}

// gather returns the next size bytes, or nil when more must come.
func (s *Stream) gather(p []byte, size int) (number, rest []byte) {
	if len(s.head) == 0 && len(p) >= size {
		return p[:size], p[size:]
	}
	n := min(size-len(s.head), len(p))
	s.head = append(s.head, p[:n]...)
	if len(s.head) < size {
		return nil, p[n:]
	}
	number, s.head = s.head, s.head[:0]
	return number, p[n:]
}

// beginRow begins a row, or ends the stream.
func (s *Stream) beginRow(number []byte) error {
	count := binary.BigEndian.Uint16(number)
	if count == math.MaxUint16 {
		s.phase = atEnd
		return nil
	}
	if err := s.counted(count); err != nil {
		return err
	}
	s.row.Reset()
	_, _ = s.row.Write(s.count[:]) // hashers do not fail
	if s.detail {
		s.details.beginRow(s)
	}
	s.field, s.phase = 0, atField
	if count == 0 {
		return s.endRow()
	}
	return nil
}

// beginField begins a field; one that is NULL or empty ends at once.
func (s *Stream) beginField(number []byte) error {
	size := int32(binary.BigEndian.Uint32(number))
	if s.detail {
		s.details.beginField(s, size)
	}
	if !s.apart() {
		_, _ = s.row.Write(number)
	}
	s.phase, s.need = inField, int64(size)
	if size <= 0 {
		s.need = 0
		return s.endField()
	}
	return nil
}

// apart reports whether the bytes of the present field are not hashed as they
// come: those of some are hashed at its end, others not at all.
func (s *Stream) apart() bool { return s.detail && (s.details.canon || s.details.aside) }

// piece takes bytes of the present field.
func (s *Stream) piece(p []byte) {
	if !s.apart() {
		_, _ = s.row.Write(p)
	}
	if s.detail {
		s.details.piece(p)
	}
}

// endField ends a field, and the row with its last one.
func (s *Stream) endField() error {
	if s.detail {
		if err := s.details.endField(s); err != nil {
			return fmt.Errorf("row %d, field %d: %w", s.sum.Rows+1, s.field+1, err)
		}
	}
	s.field++
	s.phase = atField
	if s.field == len(s.columns) {
		return s.endRow()
	}
	return nil
}

// endRow adds the row.
func (s *Stream) endRow() error {
	sum := s.row.Sum128()
	hash := Hash{sum.Hi, sum.Lo}
	s.sum.Add(hash)
	s.phase = atRow
	if s.Each == nil {
		return nil
	}
	return s.Each(s.details.endRow(s, hash))
}
