package proof

import (
	"errors"
	"strings"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/postgres"
)

// hidden stands for what is not shown.
const hidden = "(hidden)"

// masked words an error without the values of rows that it quotes: those of values that could not
// be read, and what servers say about data.
func masked(err error) string {
	if err == nil {
		return ""
	}
	var (
		quotes   []string
		replaced []*worded
	)
	eachError(err, func(err error) {
		if v, ok := err.(*convert.ValueError); ok && v.Value != "NULL" { //nolint:errorlint // each error of the tree comes by itself
			quotes = append(quotes, v.Value)
		}
		if w, ok := err.(*worded); ok { //nolint:errorlint // as above
			replaced = append(replaced, w)
		}
		quotes = append(append(quotes, postgres.Quotes(err)...), mysql.Quotes(err)...)
	})
	text := err.Error()
	for _, w := range replaced {
		text = strings.ReplaceAll(text, w.problem, w.masked)
	}
	for _, q := range quotes {
		if q != "" {
			text = strings.ReplaceAll(text, q, hidden)
		}
	}
	return text
}

// eachError calls f for an error and all that it wraps.
func eachError(err error, f func(error)) {
	f(err)
	switch e := err.(type) { //nolint:errorlint // it walks the tree itself
	case interface{ Unwrap() []error }:
		for _, err := range e.Unwrap() {
			eachError(err, f)
		}
	default:
		if err := errors.Unwrap(err); err != nil {
			eachError(err, f)
		}
	}
}

// worded is an error of which only the words are left, with values and without.
type worded struct{ problem, masked string }

// Error has the values.
func (w *worded) Error() string { return w.problem }
