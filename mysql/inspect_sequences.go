package mysql

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/moodledb/moodledb/schema"
)

// readSequences reads MariaDB's sequences, all in one query: each is a table of one row.
func (in *inspector) readSequences(ctx context.Context) error {
	if len(in.sequences) == 0 {
		return nil
	}
	selects := make([]string, len(in.sequences))
	args := make([]any, 0, 2*len(in.sequences))
	for i, name := range in.sequences {
		selects[i] = fmt.Sprintf(`
SELECT ? AS db, ? AS name, start_value, increment, minimum_value, maximum_value, cycle_option, next_not_cached_value
FROM %s.%s`, QuoteIdent(in.schema.Name), QuoteIdent(name))
		args = append(args, in.schema.Name, name)
	}
	var (
		s                        schema.Sequence
		start, least, most, next saturated
	)
	dest := []any{&s.Name, &start, &s.Increment, &least, &most, &s.Cycle, &next}
	return in.each(ctx, strings.Join(selects, "\nUNION ALL"), dest, func() error {
		s.Type = "bigint"
		s.Start, s.Min, s.Max = int64(start), int64(least), int64(most)
		s.Called = next != start
		s.Last = s.Start
		if s.Called {
			s.Last = int64(next) - s.Increment
		}
		in.schema.Sequences = append(in.schema.Sequences, s)
		return nil
	}, args...)
}

// saturated is a number of a sequence. Since MariaDB 11.5 a sequence may be an
// unsigned bigint: what is too large becomes the largest int64.
type saturated int64

// Scan takes the number as the driver has it.
func (n *saturated) Scan(value any) error {
	var text string
	switch v := value.(type) {
	case int64:
		*n = saturated(v)
		return nil
	case []byte:
		text = string(v)
	default:
		text = fmt.Sprint(v)
	}
	i, err := strconv.ParseInt(text, 10, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return err
	}
	*n = saturated(i) // out of range, it is the nearest one
	return nil
}
