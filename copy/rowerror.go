package copy

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/moodledb/moodledb/convert"
)

// RowError is an error that lies in one row.
type RowError struct {
	Table string
	// Column is the source's column; empty when it is not known.
	Column string
	// Key names the row, such as `id=42`; empty when the table has no primary
	// key or the row could not be found.
	Key string
	// Row counts from 1 in the order in which the rows were read.
	Row int64
	// Note says more about how sure the key is; may be empty.
	Note string
	// Advice tells what the job's policy could do about the fault, or why its rule
	// cannot be applied; empty without a policy.
	Advice string
	// Err is a [*convert.ValueError], or what PostgreSQL said.
	Err error
}

// Error names table, column, key and row, then the fault, then what to do.
func (e *RowError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "table %q", e.Table)
	if e.Column != "" {
		fmt.Fprintf(&b, ", column %q", e.Column)
	}
	if e.Key != "" {
		fmt.Fprintf(&b, ", row with %s", e.Key)
	} else {
		fmt.Fprintf(&b, ", row number %d as read", e.Row)
	}
	fmt.Fprintf(&b, ": %v", e.Err)
	if e.Note != "" {
		fmt.Fprintf(&b, " (%s)", e.Note)
	}
	var value *convert.ValueError
	if errors.As(e.Err, &value) {
		b.WriteString("; " + value.Hint())
	}
	if e.Advice != "" {
		b.WriteString("; " + e.Advice)
	}
	return b.String()
}

// Kind is the kind of the fault, for which a [Policy] can have a rule.
func (e *RowError) Kind() convert.ErrorKind {
	var value *convert.ValueError
	if errors.As(e.Err, &value) {
		return value.Kind
	}
	return convert.Refused
}

// Unwrap returns the fault.
func (e *RowError) Unwrap() error { return e.Err }

// isValue reports whether err lies in a value.
func isValue(err error) bool {
	var value *convert.ValueError
	return errors.As(err, &value)
}

// nullError is the error of NULL in a column that forbids it.
func nullError(rule *convert.ValueRule) error {
	return &convert.ValueError{
		Kind: convert.NullValue, Value: "NULL", Target: rule.Target,
		Detail: "the target's column is NOT NULL",
	}
}

// rowError makes the error of the row being written, which lies in memory.
func (w *writer) rowError(column int, fields [][]byte, err error) error {
	return w.faulty(column, keyOf(w.job.Columns, fields), err)
}

// faulty makes the error of the row being written.
func (w *writer) faulty(column int, key string, err error) error {
	return &RowError{Table: w.job.Table, Column: w.job.Columns[column].Source, Key: key, Row: w.number(), Err: err}
}

// keyOf names a row by the values of its key columns.
func keyOf(columns []Column, fields [][]byte) string {
	k := newKeys(columns)
	for i, f := range fields {
		k.see(i, f)
	}
	return k.String()
}

// keys collects the key of a row while the row passes by.
type keys struct {
	columns []Column
	parts   []string
	// whole says that no value is shortened.
	whole bool
}

func newKeys(columns []Column) *keys { return &keys{columns: columns} }

// see takes the value of column i.
func (k *keys) see(i int, value []byte) {
	if k.columns[i].Key {
		k.parts = append(k.parts, k.columns[i].Source+"="+showKey(value, k.whole))
	}
}

// rest walks a large row from field next on, for the keys there.
func (k *keys) rest(rows Rows, next int) error {
	for i := next; i < len(k.columns); i++ {
		size, null, err := rows.NextField()
		if err != nil {
			return err
		}
		if !k.columns[i].Key || null || size > wholeField {
			continue
		}
		value := make([]byte, size)
		if _, err := io.ReadFull(rows, value); err != nil {
			return err
		}
		k.see(i, value)
	}
	return nil
}

// String joins the parts as SQL would ask for them.
func (k *keys) String() string { return strings.Join(k.parts, " AND ") }

// KeyPart spells one column of a key as the lists of [Touched] have it, whole; it is empty for a
// value that is too large for them.
func KeyPart(column string, value []byte) string {
	if len(value) > wholeField {
		return ""
	}
	return column + "=" + showKey(value, true)
}

// showKey renders a key value: numbers as they are, text quoted, other bytes in
// hexadecimal. What is long is shortened unless it is wanted whole.
func showKey(value []byte, whole bool) string {
	most := 64
	if whole {
		most = 2 * len(value)
	}
	switch {
	case value == nil:
		return "NULL"
	case isNumber(value):
		return string(value)
	case !utf8.Valid(value):
		if len(value) > most/2 {
			return fmt.Sprintf("0x%x...", value[:most/2])
		}
		return fmt.Sprintf("0x%x", value)
	case whole:
		return fmt.Sprintf("%q", value)
	}
	return convert.Printable(value)
}

// isNumber reports whether value is a plain decimal number.
func isNumber(value []byte) bool {
	digits := 0
	for i, c := range value {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c == '-' && i == 0, c == '.' && digits > 0:
		default:
			return false
		}
	}
	return digits > 0 && digits < 40
}
