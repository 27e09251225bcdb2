package copy_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/copy"
)

func TestRefusedRowsAreSetAside(t *testing.T) {
	check := func(line int) *pgconn.PgError {
		return &pgconn.PgError{Severity: "ERROR", Code: "23514", Message: "new row violates check", Detail: "Failing row.", Where: fmt.Sprintf("COPY mdl_t, line %d, column body", line)}
	}
	const reason = "PostgreSQL: ERROR: new row violates check (SQLSTATE 23514): Failing row."
	// The second row is set aside by our own rules, so that PostgreSQL's third line is the fourth row.
	rows := [][]any{nothing(1), with(nothing(2), 1, "40000"), nothing(3), nothing(4), with(nothing(5), 4, "\x00"), nothing(6)}
	for way, w := range ways() {
		t.Run(way, func(t *testing.T) {
			src := &table{rows: rows, largeFrom: w.largeFrom}
			got, err := run(t, src, policyJob(t, copy.Policy{Mode: convert.QuarantineBad}), []*pgconn.PgError{check(3), badBytes(), check(1), check(1)}, w.opts)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([][]any{binaryRow(t, rows[5])}, got.rows); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			want := [][]any{
				slices.Concat([]any{"id=1", "body", "refused", reason}, rows[0]),
				slices.Concat([]any{"id=2", "n", "out-of-range", `"40000" is out of range for smallint`}, rows[1]),
				slices.Concat([]any{"id=3", "body", "refused", reason}, rows[2]),
				slices.Concat([]any{"id=4", "body", "refused", reason}, rows[3]),
				slices.Concat([]any{"id=5", "body", "nul-byte", `"\x00" holds a zero byte, which text cannot store: at byte 1`}, rows[4]),
			}
			if diff := cmp.Diff(want, got.rejects); diff != "" {
				t.Errorf("set aside (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRefusalsThatNoPolicyMends(t *testing.T) {
	refused := func(code, where string) *pgconn.PgError {
		return &pgconn.PgError{Severity: "ERROR", Code: code, Message: "no", Where: where}
	}
	const line3 = "COPY mdl_t, line 3"
	quarantine := copy.Policy{Mode: convert.QuarantineBad}
	many := make([]*pgconn.PgError, 200)
	for i := range many {
		many[i] = refused("23514", "COPY mdl_t, line 1")
	}
	tests := []struct {
		name      string
		policy    copy.Policy
		unordered bool
		refusals  []*pgconn.PgError
		want      string
	}{
		{"no place", quarantine, false, []*pgconn.PgError{refused("23503", "")}, `table "mdl_t": PostgreSQL: ERROR: no (SQLSTATE 23503)`},
		{"not about a row", quarantine, false, []*pgconn.PgError{refused("53100", line3)}, `table "mdl_t": PostgreSQL: ERROR: no (SQLSTATE 53100)`},
		{
			"no order", quarantine, true,
			[]*pgconn.PgError{refused("23514", line3)},
			`table "mdl_t", row number 3 as read: PostgreSQL: ERROR: no (SQLSTATE 23514) (the table has no key to read it by, so the row cannot be named for sure); ` +
				`the policy cannot set it aside: without a key, the rows may come in another order the next time`,
		},
		{
			"our own fault", quarantine, false,
			[]*pgconn.PgError{refused("22P03", line3)},
			`table "mdl_t", row with id=3: PostgreSQL: ERROR: no (SQLSTATE 22P03); the policy cannot set it aside: the fault does not lie in the row`,
		},
		{
			"fixing is not enough",
			copy.Policy{Mode: convert.FixBad},
			false,
			[]*pgconn.PgError{refused("23514", line3)},
			`table "mdl_t", row with id=3: PostgreSQL: ERROR: no (SQLSTATE 23514); a rule for values of kind refused could be: quarantine, which sets the row aside`,
		},
		{
			"too many", quarantine, false, many,
			`table "mdl_t", row with id=101: PostgreSQL: ERROR: no (SQLSTATE 23514); ` +
				`the policy sets no more rows of this table aside: 100 were refused by PostgreSQL one by one already, and each costs another copy`,
		},
		{
			"bytes refused again", quarantine, false,
			[]*pgconn.PgError{badBytes(), badBytes(), badBytes()},
			``,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			src := &table{}
			for id := range 150 {
				src.rows = append(src.rows, nothing(id+1))
			}
			j := policyJob(t, test.policy)
			j.KeyOrdered = !test.unordered
			_, err := run(t, src, j, test.refusals, copy.Options{})
			if test.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil {
				t.Fatal("no error")
			}
			if diff := cmp.Diff(test.want, err.Error()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			var again *copy.RetryError
			if errors.As(err, &again) {
				t.Error("it wants another attempt")
			}
		})
	}
}
