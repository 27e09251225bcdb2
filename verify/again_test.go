package verify_test

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"testing"

	"github.com/moodledb/moodledb/verify"
)

// losing is a side that loses its connection in the middle of so many readings.
type losing struct {
	verify.Side
	left atomic.Int64
}

func (l *losing) Stream(ctx context.Context, t *verify.Table, p verify.Part, w io.Writer) error {
	if l.left.Add(-1) < 0 {
		return l.Side.Stream(ctx, t, p, w)
	}
	if _, err := w.Write([]byte(header + "\x00\x03\x00")); err != nil {
		return err
	}
	return &verify.AgainError{Err: errors.New("the connection is lost")}
}

// A part whose reading broke off is read once more; what came before does not count.
func TestReadAgain(t *testing.T) {
	rows := map[string][]row{"user": {{number(1), []byte("a"), []byte("b")}, {number(2), []byte("c"), nil}}}
	for losses, want := range map[int64]verify.State{0: verify.Same, 1: verify.Same, 2: verify.Unknown} {
		side := &losing{Side: memory{tables: rows}}
		side.left.Store(losses)
		results, err := verify.Compare(t.Context(), memory{tables: rows}, side, []verify.Table{users()}, verify.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := results[0]; got.State != want || want == verify.Same && got.Found.Rows != 2 || (want == verify.Unknown) != (got.Problem != "") {
			t.Errorf("%d losses: %s, %d rows, %q", losses, got.State, got.Found.Rows, got.Problem)
		}
	}
}
