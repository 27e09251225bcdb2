//go:build integration

package recheck_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/moodledb/moodledb/recheck"
)

// paired is a copied table whose columns are read from others, of the same types.
func paired(c *recheck.Copied, from map[string]string) *recheck.Copied {
	out := *c
	out.Job.Columns = slices.Clone(c.Job.Columns)
	for i := range out.Job.Columns {
		if other, ok := from[out.Job.Columns[i].Source]; ok {
			out.Job.Columns[i].Source = other
		}
	}
	return &out
}

// TestWrongColumnsAreFound: a copy that takes columns of the same type for one another. What it sent
// and what is read back agree; what is read again does not. Where the plan itself
// pairs them so, that is refused.
func TestWrongColumnsAreFound(t *testing.T) {
	eachSource(t, func(t *testing.T, e *ends) {
		e.source.Exec(t, e.sourceURL, "CREATE TABLE twins (id BIGINT NOT NULL PRIMARY KEY, a INT, b INT, c INT) ENGINE=InnoDB",
			"INSERT INTO twins VALUES (1, 10, 20, 30), (2, 20, 10, 30), (3, NULL, 0, 30), (4, 7, 7, 7)")
		e.target.Exec(t, e.targetURL, "CREATE TABLE twins (id bigint, a integer, b integer, c integer)")
		m := e.moment(t)
		right, all := e.table(t, "twins")
		for name, from := range map[string]map[string]string{
			"swapped": {"a": "b", "b": "a"}, "read twice": {"b": "a"}, "shifted": {"a": "b", "b": "c", "c": "a"},
		} {
			t.Run(name, func(t *testing.T) {
				wrong := paired(right, from)
				sent, _ := m.copied(t, wrong, all)
				// Only the rows that the copy has sent are wrong: what its way encodes for the
				// report is right, so that the sums differ and no row does.
				_, err := m.again(t, right, sent, recheck.Options{})
				found := mismatched(t, err)
				if found.Sent == found.Again || found.Sent.Rows != 4 || found.Again.Rows != 4 {
					t.Errorf("%+v", found)
				}
				_, err = m.again(t, wrong, sent, recheck.Options{})
				var mismatch *recheck.MismatchError
				if err == nil || errors.As(err, &mismatch) || !strings.Contains(err.Error(), "columns go together by name") {
					t.Errorf("a wrong pair: %v", err)
				}
			})
		}
	})
}
