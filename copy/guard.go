package copy

import (
	"errors"
	"fmt"
	"io"

	"github.com/moodledb/moodledb/convert"
)

// guard is what a writer needs to apply a policy. A row goes the ordinary way
// until a fault shows; what is then decided is decided before its first byte
// is sent, since nothing can be taken back.
type guard struct {
	policy Policy
	// rules are the policy's for every kind.
	rules   convert.Fixes
	repair  *Repair
	touched *Touched
	// row holds the fields of a row that is too large for memory, fixed the
	// texts that were changed in the row being written.
	row, fixed spool
	// values are the fields of the row being written, mended what becomes of them.
	values []value
	mended []verdict
	// piece and out are buffers for parts of long texts.
	piece, out []byte
}

// pieceSize is how much of a long text is looked at at once.
const pieceSize = 32 << 10

// newGuard makes the guard of a job; nil when its policy only stops.
func newGuard(job Job) *guard {
	if !job.Policy.active() {
		return nil
	}
	repair := job.Repair
	if repair == nil {
		repair = &Repair{}
	}
	rules := convert.Fixes{}
	for _, kind := range convert.FixKinds() {
		rules[kind] = job.Policy.rule(kind)
	}
	return &guard{policy: job.Policy, rules: rules, repair: repair, touched: newTouched(job)}
}

// done ends a copy that went well, and returns what was touched: nil when nothing was.
func (g *guard) done() (*Touched, error) {
	if g == nil {
		return nil, nil
	}
	err := errors.Join(g.row.close(), g.fixed.close())
	if g.touched.Changed+g.touched.Rejected > 0 {
		return g.touched, err
	}
	return nil, err
}

// discard removes all temporary files.
func (g *guard) discard() error {
	if g == nil {
		return nil
	}
	return errors.Join(g.row.close(), g.fixed.close(), g.touched.Close())
}

// errAside says that the row was set aside, and not sent.
var errAside = errors.New("the row is set aside")

// errUndecided says that the row would take several buffers, and that a policy
// must look at it first.
var errUndecided = errors.New("the row is not looked at yet")

// guarded writes a row under a policy.
func (w *writer) guarded(rows Rows, fields [][]byte, large bool) error {
	g := w.guard
	if !large && len(fields) != len(w.job.Columns) {
		return w.fieldCount(fields)
	}
	refused, known := g.repair.refused[w.number()]
	if !large && !known && (!g.repair.scan || w.validTexts(fields)) {
		if err := w.row(fields); err == nil || err != errUndecided && !isRow(err) {
			return err
		}
	}
	if err := g.take(w, rows, fields, large); err != nil {
		return err
	}
	if known {
		return w.setAside([]fault{{refused.column, convert.Refused, errors.New(refused.reason)}})
	}
	return w.mend()
}

// isRow reports whether err lies in a row.
func isRow(err error) bool {
	var row *RowError
	return errors.As(err, &row)
}

// validTexts reports whether PostgreSQL takes all texts of a row.
func (w *writer) validTexts(fields [][]byte) bool {
	for i, f := range fields {
		if w.job.Columns[i].Rule.Text && !convert.ValidText(f) {
			return false
		}
	}
	return true
}

// take makes values of the fields of a row; those of a large one go to the spool.
func (g *guard) take(w *writer, rows Rows, fields [][]byte, large bool) error {
	g.values = g.values[:0]
	if err := errors.Join(g.row.reset(), g.fixed.reset()); err != nil {
		return err
	}
	if !large {
		for _, f := range fields {
			g.values = append(g.values, inMemory(f))
		}
		return nil
	}
	for _, c := range w.job.Columns {
		v, err := g.takeField(rows)
		if err == io.EOF {
			err = errors.New("the row ends before it")
		}
		if err != nil {
			return fmt.Errorf("row %d, column %q: %w", w.number(), c.Source, err)
		}
		g.values = append(g.values, v)
	}
	return w.lastField(rows)
}

// takeField takes the next field of a large row.
func (g *guard) takeField(rows Rows) (value, error) {
	size, null, err := rows.NextField()
	if err != nil || null {
		return value{null: true}, err
	}
	v := value{size: size, from: &g.row, off: g.row.size()}
	g.piece = sized(g.piece)
	for left := size; left > 0; {
		n, err := rows.Read(g.piece[:min(left, pieceSize)])
		if _, writeErr := g.row.Write(g.piece[:n]); writeErr != nil {
			return v, writeErr
		}
		if left -= int64(n); err != nil && (err != io.EOF || left > 0) {
			return v, noEOF(err)
		}
	}
	return v, nil
}

// whole returns all bytes of a value; they are valid until the next call.
func (w *writer) whole(v value) ([]byte, error) {
	field, err := v.head(w.scratch, v.size)
	if v.from != nil && err == nil {
		w.scratch = field
	}
	return field, err
}

// sized makes a buffer of one piece when there is none yet.
func sized(buf []byte) []byte {
	if buf == nil {
		return make([]byte, pieceSize)
	}
	return buf
}

// fault is what is wrong with a value.
type fault struct {
	// column is its number; -1 when it is not known.
	column int
	kind   convert.ErrorKind
	err    error
}

// key names the row being written: shortened for messages, or whole for lists.
func (w *writer) key(whole bool) (string, error) {
	k := newKeys(w.job.Columns)
	k.whole = whole
	for i, v := range w.guard.values {
		if !w.job.Columns[i].Key || v.size > wholeField {
			continue
		}
		field, err := v.head(nil, v.size)
		if err != nil {
			return "", err
		}
		if v.null {
			field = nil
		}
		k.see(i, field)
	}
	if key := k.String(); key != "" || !whole {
		return key, nil
	}
	return fmt.Sprintf("row number %d as read", w.number()), nil
}

// setAside lists the row being written as set aside for these faults.
func (w *writer) setAside(faults []fault) error {
	select {
	case <-w.pipe.stopped:
		// Who sends nothing would not notice that nobody reads any more.
		return errStopped
	default:
	}
	key, err := w.key(true)
	if err != nil {
		return err
	}
	first := faults[0]
	r := reject{row: w.number(), key: key, kind: first.kind}
	if first.column >= 0 {
		r.column = w.job.Columns[first.column].Target
	}
	for i, f := range faults {
		if i > 0 {
			r.reason += "; "
		}
		if len(faults) > 1 && f.column >= 0 {
			r.reason += fmt.Sprintf("column %q: ", w.job.Columns[f.column].Target)
		}
		r.reason += f.err.Error()
	}
	err = w.guard.touched.addReject(r, w.guard.values)
	if err == errTooLarge {
		return w.stopped(first, "the row cannot be set aside: "+err.Error())
	}
	if err != nil {
		return fmt.Errorf("row %d: %w", w.number(), err)
	}
	return errAside
}

// stopped makes the error of a fault in the row being written.
func (w *writer) stopped(f fault, advice string) error {
	key, err := w.key(false)
	if err != nil {
		return err
	}
	out := &RowError{Table: w.job.Table, Key: key, Row: w.number(), Err: f.err, Advice: advice}
	if f.column >= 0 {
		out.Column = w.job.Columns[f.column].Source
	}
	return out
}
