package copy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/moodledb/moodledb/convert"
)

// refusal returns the error by which PostgreSQL refused a row; false when err
// is something else, such as a full disk or a lost connection.
func refusal(err error) (*pgconn.PgError, bool) {
	var e *pgconn.PgError
	if !errors.As(err, &e) || len(e.Code) != 5 {
		return nil, false
	}
	switch e.Code[:2] {
	case "22", // data exception
		"23", // integrity constraint violation
		"54", // program limit exceeded, such as a row that is too big
		"P0": // raised by a trigger
		return e, true
	}
	return nil, false
}

// said completes PostgreSQL's message by its detail and hint; other errors stay as they are.
func said(err error) error {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return err
	}
	err = fmt.Errorf("PostgreSQL: %w", e)
	if e.Detail != "" {
		err = fmt.Errorf("%w: %s", err, e.Detail)
	}
	if e.Hint != "" {
		err = fmt.Errorf("%w; %s", err, e.Hint)
	}
	return err
}

// locate finds the row that PostgreSQL refused, which is number row as read, by
// reading the source again up to it, and looks into its values for the fault.
func (job Job) locate(ctx context.Context, src Source, refused *pgconn.PgError, row int64, column int) *RowError {
	out := &RowError{Table: job.Table, Row: row, Err: said(refused)}
	if column >= 0 {
		out.Column = job.Columns[column].Source
	}
	seen, err := job.lookUp(ctx, src, row, column)
	switch {
	case err != nil:
		out.Note = fmt.Sprintf("the row could not be looked up again: %v", err)
	case seen.fault != nil:
		out.Key, out.Err = seen.key, seen.fault
		out.Column = job.Columns[seen.column].Source
	case job.KeyOrdered:
		out.Key = seen.key
	default:
		out.Note = "the table has no key to read it by, so the row cannot be named for sure"
	}
	return out
}

// place reads row and column out of PostgreSQL's context line, which is
// "COPY table, line 3, column name", translated or not. A column of -1 is unknown.
func (job Job) place(e *pgconn.PgError) (line int64, column int) {
	column = -1
	// Types such as json put a line of their own in front.
	rest, found := "", false
	for where := range strings.Lines(e.Where) {
		if rest, found = strings.CutPrefix(strings.TrimSpace(where), "COPY "); found {
			break
		}
	}
	if !found {
		return 0, -1
	}
	// The name stands there unquoted, and may hold a comma itself.
	if after, ok := strings.CutPrefix(rest, job.Table+", "); ok {
		rest = after
	} else if _, rest, ok = strings.Cut(rest, ", "); !ok {
		return 0, -1
	}
	place, tail, _ := strings.Cut(rest, ",")
	for _, word := range strings.Fields(place) {
		if n, err := strconv.ParseInt(word, 10, 64); err == nil && n > 0 {
			line = n
			break
		}
	}
	for i, c := range job.Columns {
		// A violated NOT NULL names its column apart.
		if c.Target == e.ColumnName {
			return line, i
		}
		// A longer name may end like a shorter one.
		if strings.HasSuffix(tail, " "+c.Target) && (column < 0 || len(c.Target) > len(job.Columns[column].Target)) {
			column = i
		}
	}
	return line, column
}

// sighting is what was found in a row.
type sighting struct {
	key    string
	column int
	fault  error
}

// lookUp runs the query again and examines row number line. When column is
// known only that one is examined, else all.
func (job Job) lookUp(ctx context.Context, src Source, line int64, column int) (seen sighting, err error) {
	rows, err := src.Query(ctx, job.Query)
	if err != nil {
		return seen, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var fields [][]byte
	var large bool
	for range line {
		fields, large, err = rows.Next()
		if err == io.EOF {
			return seen, errors.New("the source has fewer rows now")
		}
		if err != nil {
			return seen, err
		}
	}
	keys := newKeys(job.Columns)
	for i, c := range job.Columns {
		var value io.Reader
		switch {
		case large:
			size, null, err := rows.NextField()
			if err != nil {
				return seen, err
			}
			if value = rows; null {
				value = nil
			} else if c.Key && size <= wholeField {
				whole, err := readField(rows, nil, size)
				if err != nil {
					return seen, err
				}
				keys.see(i, whole)
				value = bytes.NewReader(whole)
			}
		case fields[i] != nil:
			keys.see(i, fields[i])
			value = bytes.NewReader(fields[i])
		}
		if seen.fault != nil || (column >= 0 && column != i) {
			continue
		}
		seen.column = i
		rule := c.Rule
		// Texts were looked at already, and what was sent is not what is read here.
		rule.Text = rule.Text && (job.Repair == nil || !job.Repair.scan)
		if seen.fault, err = examine(value, &rule); err != nil {
			return seen, err
		}
	}
	seen.key = keys.String()
	return seen, nil
}

// examine looks for what PostgreSQL refuses in a value; nil means NULL. Memory
// does not depend on the value's size.
func examine(value io.Reader, rule *convert.ValueRule) (fault, err error) {
	if value == nil {
		if rule.NotNull {
			return nullError(rule), nil
		}
		return nil, nil
	}
	if !rule.Text {
		return nil, nil
	}
	var s convert.TextScanner
	buf := make([]byte, 32<<10)
	for {
		n, err := value.Read(buf)
		if fault := s.Scan(buf[:n], rule.Target); fault != nil {
			return fault, nil
		}
		if err == io.EOF {
			if fault := s.End(rule.Target); fault != nil {
				return fault, nil
			}
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
	}
}
