package copy

import (
	"encoding/binary"
	"errors"

	"github.com/moodledb/moodledb/convert"
)

// Touched are the values that a policy changed and the rows that it set aside.
// What does not fit a small buffer lies in temporary files until Close.
type Touched struct {
	// Changed is the number of values, Rejected that of rows.
	Changed, Rejected int64

	table string
	// names is the array of the columns' names.
	names []byte
	// Both hold frames: the length, then the fields of one row of a COPY
	// without its run. Those of rejects begin with the row's number as read.
	changes, rejects spool
	// piece is a buffer for values on their way from one spool to another, small
	// one for the fields before them.
	piece, small []byte
}

// The heads of frames: the length, and the number of a row.
const (
	changeHead = 8
	rejectHead = 16
)

// The number of fields in a row of each list, the run included.
const (
	changeFields = 8
	rejectFields = 8
)

// maxListed is the largest row of a list: PostgreSQL must hold a row in 1 GiB,
// in which some room is left for what it adds.
const maxListed = 1<<30 - 16<<20

// The types of the elements of arrays, by their fixed numbers in every PostgreSQL.
const (
	oidBytea = 17
	oidText  = 25
)

// newTouched makes the empty lists of a job.
func newTouched(job Job) *Touched {
	names := array(nil, false, oidText, len(job.Columns))
	for _, c := range job.Columns {
		names = appendFields(names, c.Target)
	}
	return &Touched{table: job.Table, names: names}
}

// Close removes the temporary files.
func (t *Touched) Close() error {
	return errors.Join(t.changes.close(), t.rejects.close())
}

// change is one changed value.
type change struct {
	key, column string
	kind        convert.ErrorKind
	rule        convert.FixRule
	// before is what the source sent, after what is stored, as text.
	before, after value
}

// addChange lists a changed value.
func (t *Touched) addChange(c change) error {
	head := appendFields(append(t.small[:0], make([]byte, changeHead)...), t.table, c.key, c.column, string(c.kind), string(c.rule))
	t.small = head
	size := int64(len(head)) - changeHead + 8 + c.before.size + c.after.size
	if size > maxListed {
		return errTooLarge
	}
	binary.BigEndian.PutUint64(head, uint64(size))
	out := list{to: &t.changes, piece: &t.piece}
	out.write(head)
	out.value(c.before)
	out.value(c.after)
	if out.err == nil {
		t.Changed++
	}
	return out.err
}

// reject is one row that is set aside.
type reject struct {
	row         int64
	key, column string
	kind        convert.ErrorKind
	reason      string
}

// addReject lists a row with all its fields.
func (t *Touched) addReject(r reject, fields []value) error {
	head := appendFields(append(t.small[:0], make([]byte, rejectHead)...), t.table, r.key, r.column, string(r.kind), r.reason)
	head = binary.BigEndian.AppendUint32(head, uint32(len(t.names)))
	head = append(head, t.names...)
	// The array of the values: its length, its head, its elements.
	lengthAt := len(head)
	nulls, elements := false, int64(4*len(fields))
	for _, f := range fields {
		nulls = nulls || f.null
		elements += f.size
	}
	head = array(append(head, 0, 0, 0, 0), nulls, oidBytea, len(fields))
	t.small = head
	size := int64(len(head)) - rejectHead + elements
	if size > maxListed {
		return errTooLarge
	}
	binary.BigEndian.PutUint64(head, uint64(size))
	binary.BigEndian.PutUint64(head[8:], uint64(r.row))
	binary.BigEndian.PutUint32(head[lengthAt:], uint32(int64(len(head)-lengthAt-4)+elements))
	out := list{to: &t.rejects, piece: &t.piece}
	out.write(head)
	for _, f := range fields {
		out.value(f)
	}
	if out.err == nil {
		t.Rejected++
	}
	return out.err
}

// errTooLarge is the error of what no row of a list can hold.
var errTooLarge = errors.New("it is too large to be listed: PostgreSQL holds no row of more than 1 GiB")

// appendFields appends texts as COPY has them.
func appendFields(dst []byte, texts ...string) []byte {
	for _, s := range texts {
		dst = binary.BigEndian.AppendUint32(dst, uint32(len(s)))
		dst = append(dst, s...)
	}
	return dst
}

// array appends the binary form of an array of one dimension, without the elements.
func array(dst []byte, nulls bool, element uint32, n int) []byte {
	flags := uint32(0)
	if nulls {
		flags = 1
	}
	for _, v := range [...]uint32{1, flags, element, uint32(n), 1} {
		dst = binary.BigEndian.AppendUint32(dst, v)
	}
	return dst
}

// list writes to a spool until the first error.
type list struct {
	to    *spool
	piece *[]byte
	err   error
}

func (l *list) write(p []byte) {
	if l.err == nil {
		_, l.err = l.to.Write(p)
	}
}

// value writes a value with its length.
func (l *list) value(v value) {
	if v.null {
		l.write([]byte{0xFF, 0xFF, 0xFF, 0xFF})
		return
	}
	l.write(binary.BigEndian.AppendUint32(nil, uint32(v.size)))
	if l.err != nil {
		return
	}
	*l.piece = sized(*l.piece)
	l.err = v.pieces(*l.piece, func(piece []byte) error {
		_, err := l.to.Write(piece)
		return err
	})
}

// rowOf returns the number, as read, of the row that was sent as number line:
// those that were set aside before it were read, but not sent.
func (t *Touched) rowOf(line int64) (int64, error) {
	var head [rejectHead]byte
	for at := int64(0); at < t.rejects.size(); {
		if _, err := t.rejects.ReadAt(head[:], at); err != nil {
			return 0, err
		}
		if int64(binary.BigEndian.Uint64(head[8:])) > line {
			break
		}
		line++
		at += rejectHead + int64(binary.BigEndian.Uint64(head[:]))
	}
	return line, nil
}
