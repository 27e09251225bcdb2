package recheck

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/copy"
	"github.com/moodledb/moodledb/fingerprint"
	"github.com/moodledb/moodledb/verify"
)

// mostDifferences is how many rows that differ are listed.
const mostDifferences = 5

// MismatchError says that rows of the source, read and encoded by the second
// way, are not what the copy sent: one of the two ways errs.
type MismatchError struct {
	Table string
	// Where is the predicate of the rows; empty for the whole table.
	Where string
	// Sent is the fingerprint of what the copy sent or encodes, Again that of the second way; both are
	// zero when a value was refused.
	Sent, Again fingerprint.Sum
	// Missing, Extra and Changed count the rows, from the copy's point of view: an extra
	// row was only read by the second way. All are zero when both ways agree by now.
	Missing, Extra, Changed int64
	// Differences are the first of the rows: Expected is what the copy encodes, Found the second way's.
	Differences []verify.Difference
	// Refused is a value for which the second way has no form; nil when there is none.
	Refused error
}

// Error names table, rows and columns, and what to do.
func (e *MismatchError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "table %q", e.Table)
	if e.Where != "" {
		fmt.Fprintf(&b, " (rows where %s)", e.Where)
	}
	b.WriteString(": rows that were read again by another client and encoded by other code are not what the copy sent")
	switch {
	case e.Refused != nil:
		fmt.Fprintf(&b, ": %v", e.Refused)
	case e.Missing+e.Extra+e.Changed == 0:
		fmt.Fprintf(&b, ": it sent %s, but both ways give %s now, so that they saw other rows then, or the record of what was sent is wrong: copy the table again", e.Sent, e.Again)
		return b.String()
	default:
		fmt.Fprintf(&b, " (%s, not %s): %d changed, %d missing, %d extra", e.Again, e.Sent, e.Changed, e.Missing, e.Extra)
		for i := range e.Differences {
			b.WriteString("; " + describe(&e.Differences[i]))
		}
	}
	b.WriteString("; one of the two ways has an error: do not use what was copied, and report this with the table's definition and the row")
	return b.String()
}

// describe says how a row differs.
func describe(d *verify.Difference) string {
	var key, columns []string
	for _, k := range d.Key {
		key = append(key, k.Column+"="+k.Value.Text)
	}
	for _, c := range d.Columns {
		columns = append(columns, fmt.Sprintf("column %q is %s in the copy and %s read again", c.Column, shown(c.Expected), shown(c.Found)))
	}
	row := "a row"
	if len(key) > 0 {
		row = "row with " + strings.Join(key, " AND ")
	}
	return row + ": " + strings.Join(columns, ", ")
}

// shown is a value of one side.
func shown(v *verify.Value) string {
	switch {
	case v == nil:
		return "not there"
	case v.Null:
		return "NULL"
	}
	return v.Text
}

// mismatch makes the error.
func (c *comparison) mismatch(refused error, found *verify.TableResult) *MismatchError {
	m := &MismatchError{Table: c.table.Job.Table, Where: c.rows.Selection.Where, Refused: refused}
	if found != nil {
		m.Missing, m.Extra, m.Changed, m.Differences = found.Missing, found.Extra, found.Changed, found.Differences
	}
	return m
}

// compare reads the rows by both ways, and finds those that differ.
func (c *comparison) compare(ctx context.Context) (*verify.TableResult, error) {
	lenient := c.rows.Touched
	sent := &side{write: func(ctx context.Context, w io.Writer) error {
		if lenient {
			return c.encodeLenient(ctx, w)
		}
		_, err := copy.Encode(ctx, c.main, c.mainJob(), w, copy.Options{})
		return err
	}}
	again := &side{write: func(ctx context.Context, w io.Writer) error {
		r := c.reading(lenient)
		err := r.writeTo(ctx, w)
		c.result.Aside = r.aside
		return err
	}}
	t := verify.Table{Name: c.table.Job.Table, Columns: c.compared(), Parts: []verify.Part{{}}}
	results, err := verify.Compare(ctx, sent, again, []verify.Table{t}, verify.Options{Jobs: 1, MaxDifferences: mostDifferences, Memory: c.o.Memory})
	if err != nil {
		return nil, err
	}
	found := results[0]
	// What the search says of an error is text; the sides know the error itself.
	for _, s := range []*side{again, sent} {
		if err := s.failed(); err != nil {
			return nil, err
		}
	}
	if found.State == verify.Unknown {
		return nil, errors.New(found.Problem)
	}
	return &found, nil
}

// compared are the columns in the words of package verify.
func (c *comparison) compared() []verify.Column {
	columns := make([]verify.Column, len(c.columns))
	prints := prints(c.columns)
	keyed := len(c.result.LeftOut) == 0 // what is left of a key may not be unique
	for i, col := range c.columns {
		target := col.Target
		columns[i] = verify.Column{
			Name: target.Name, Type: target.Type.Name, Key: col.Key && keyed, Canon: prints[i].Canon,
			Render: verify.Render(target.Type.Name), Piece: verify.RenderPiece(target.Type.Name),
		}
	}
	return columns
}

// side is one of the two ways.
type side struct {
	write func(ctx context.Context, w io.Writer) error
	mu    sync.Mutex
	err   error
}

// Stream implements [verify.Side].
func (s *side) Stream(ctx context.Context, _ *verify.Table, _ verify.Part, w io.Writer) error {
	err := s.write(ctx, w)
	if err != nil && ctx.Err() == nil {
		s.mu.Lock()
		s.err = err
		s.mu.Unlock()
	}
	return err
}

// failed returns what went wrong.
func (s *side) failed() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// encodeLenient is the copy's way without the rows that it would refuse: those
// with which a policy deals. It uses the copy's reader and encoders, row by row.
func (c *comparison) encodeLenient(ctx context.Context, w io.Writer) (err error) {
	job := c.mainJob()
	rows, err := c.main.Query(ctx, job.Query)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	buf := []byte(header)
	for {
		fields, large, err := rows.Next()
		if err == io.EOF {
			_, err = w.Write(append(buf, trailer...))
			return err
		}
		if err == nil && large {
			fields, err = largeFields(rows, len(job.Columns))
		}
		if err != nil {
			return err
		}
		start := len(buf)
		if buf, err = appendRow(buf, job.Columns, fields); err != nil {
			var value *convert.ValueError
			if !errors.As(err, &value) {
				return err
			}
			buf = buf[:start]
		}
		if len(buf) >= flushAt {
			if _, err := w.Write(buf); err != nil {
				return err
			}
			buf = buf[:0]
		}
	}
}

// largeFields reads a row that does not fit the reader's buffer. It is not larger than [Options].MaxRow.
func largeFields(rows copy.Rows, columns int) ([][]byte, error) {
	fields := make([][]byte, columns)
	for i := range fields {
		size, null, err := rows.NextField()
		if err != nil {
			return nil, err
		}
		if null {
			continue
		}
		fields[i] = make([]byte, size)
		if _, err := io.ReadFull(rows, fields[i]); err != nil {
			return nil, err
		}
	}
	if _, _, err := rows.NextField(); err != io.EOF {
		return nil, errors.Join(errors.New("the row has more fields than were asked for"), err)
	}
	return fields, nil
}

// appendRow encodes a row by the copy's rules. A [*convert.ValueError] is a value that they refuse.
func appendRow(buf []byte, columns []copy.Column, fields [][]byte) ([]byte, error) {
	buf = binary.BigEndian.AppendUint16(buf, uint16(len(fields)))
	for i, f := range fields {
		rule := &columns[i].Rule
		if f == nil {
			if rule.NotNull {
				return buf, &convert.ValueError{Kind: convert.NullValue, Value: "NULL", Target: rule.Target}
			}
			buf = append(buf, 0xFF, 0xFF, 0xFF, 0xFF)
			continue
		}
		if err := checkText(rule, f); err != nil {
			return buf, err
		}
		at := len(buf)
		buf = append(buf, 0, 0, 0, 0)
		if rule.Raw {
			buf = append(append(buf, rule.Prefix...), f...)
		} else {
			var err error
			if buf, err = rule.Encode(buf, f); err != nil {
				return buf, err
			}
		}
		binary.BigEndian.PutUint32(buf[at:], uint32(len(buf)-at-4))
	}
	return buf, nil
}

// checkText looks for what a rule does not look for itself.
func checkText(rule *convert.ValueRule, f []byte) error {
	if rule.Text {
		var s convert.TextScanner
		if err := errors.Join(s.Scan(f, rule.Target), s.End(rule.Target)); err != nil {
			return err
		}
	}
	if rule.Raw && rule.MaxChars > 0 {
		return convert.CheckChars(f, rule.MaxChars, rule.Target)
	}
	return nil
}
