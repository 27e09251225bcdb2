package verify_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

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

// breaking is a side that loses its connection in the middle of some readings, by their numbers.
type breaking struct {
	verify.Side
	at    map[int64]bool
	calls atomic.Int64
}

func (b *breaking) Stream(ctx context.Context, t *verify.Table, p verify.Part, w io.Writer) error {
	if !b.at[b.calls.Add(1)] {
		return b.Side.Stream(ctx, t, p, w)
	}
	half := &cut{w: w, left: 200}
	if err := b.Side.Stream(ctx, t, p, half); err != nil && half.left > 0 {
		return err
	}
	return &verify.AgainError{Err: errors.New("the connection is lost")}
}

// cut passes so many bytes on.
type cut struct {
	w    io.Writer
	left int
}

func (c *cut) Write(p []byte) (int, error) {
	n, err := c.w.Write(p[:min(len(p), c.left)])
	if c.left -= n; err == nil && c.left == 0 {
		err = io.ErrShortWrite
	}
	return n, err
}

// TestSearchAgain: whatever reading breaks off, the first one of a part or one of those that look
// for what differs, it is read once more, and the result is the same. Where it breaks
// off again, the table is known to differ, and where is not told.
func TestSearchAgain(t *testing.T) {
	expected, found := someUsers(90), someUsers(90)
	for i := 0; i < 90; i += 2 {
		found[i][1] = []byte("changed")
	}
	found = append(found[5:], user(200, "extra", ""))
	for _, memory := range []int64{1, 1 << 20} {
		o := verify.Options{MaxDifferences: 100, Memory: memory, Jobs: 1}
		table := users()
		compare := func(a, b verify.Side) verify.TableResult {
			t.Helper()
			results, err := verify.Compare(t.Context(), a, b, []verify.Table{table}, o)
			if err != nil || len(results) != 1 {
				t.Fatalf("%d results, error %v", len(results), err)
			}
			return results[0]
		}
		whole := &breaking{Side: in(found)}
		want := compare(in(expected), whole)
		readings := whole.calls.Load()
		if memory == 1 && readings < 4 || memory > 1 && readings != 3 {
			t.Fatalf("%d readings", readings)
		}
		for side := range 2 {
			for n := int64(1); n <= readings; n++ {
				name := fmt.Sprintf("memory %d, reading %d of side %d", memory, n, side)
				sides := [2]verify.Side{in(expected), in(found)}
				sides[side] = &breaking{Side: sides[side], at: map[int64]bool{n: true}}
				if diff := cmp.Diff(want, compare(sides[0], sides[1])); diff != "" {
					t.Errorf("%s: %s", name, diff)
				}
				sides[side] = &breaking{Side: in([][]row{expected, found}[side]), at: map[int64]bool{n: true, n + 1: true}}
				got := compare(sides[0], sides[1])
				if !strings.Contains(got.Problem, "lost for the second time here: compare again") || (got.State == verify.Unknown) != (n == 1) {
					t.Errorf("%s, twice: %s, %q", name, got.State, got.Problem)
				}
			}
		}
	}
}
