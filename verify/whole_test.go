package verify_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/verify"
)

// everyNth are n pieces of a table, each of which has every n-th row.
func everyNth(n int) []verify.Part {
	list := make([]verify.Part, n)
	for i := range list {
		list[i].Own = fmt.Sprintf("%d of %d", i, n)
	}
	return list
}

// inPieces is the table with so many pieces on either side.
func inPieces(t verify.Table, expected, found int) verify.Table {
	t.Pieces = [2][]verify.Part{everyNth(expected), everyNth(found)}
	return t
}

// TestWhole: each side is summed up by pieces of its own, and parts are read only of what differs.
func TestWhole(t *testing.T) {
	t.Parallel()
	same, changed := someUsers(1000), someUsers(1000)
	changed[500][2] = []byte("elsewhere")
	changed = slices.Delete(changed, 7, 8)
	for _, n := range [][2]int{{1, 1}, {1, 7}, {5, 1}, {3, 4}} {
		for _, seed := range []uint64{0, 1} {
			var divided atomic.Int64
			table := inPieces(users(), n[0], n[1])
			table.Parts, table.Divide = nil, func(context.Context) ([]verify.Part, error) {
				divided.Add(1)
				return users(ranges(100, 480, 700)...).Parts, nil
			}
			r := compare(t, in(same), memory{found2(someUsers(1000)), seed}, verify.Options{}, table)[0]
			if r.State != verify.Same || r.Problem != "" || r.Expected.Rows != 1000 || r.Expected != r.Found || r.Bytes == 0 || divided.Load() != 0 {
				t.Errorf("%v: the same rows: %+v, divided %d times", n, r, divided.Load())
			}
			r = compare(t, in(same), memory{found2(changed), seed}, verify.Options{}, table)[0]
			if r.State != verify.Different || r.Problem != "" || r.Missing != 1 || r.Changed != 1 || r.DifferentParts != 2 || r.Parts != 4 || divided.Load() != 1 {
				t.Errorf("%v: other rows: %+v, divided %d times", n, r, divided.Load())
			}
			if diff := cmp.Diff([]string{"missing 8", "changed 501"}, keysOf(&r)); diff != "" {
				t.Errorf("%v: %s", n, diff)
			}
		}
	}
}

// TestWholeIsAsByParts: the fingerprints do not depend on how the rows are divided.
func TestWholeIsAsByParts(t *testing.T) {
	t.Parallel()
	rows := someUsers(300)
	whole := compare(t, in(rows), in(rows), verify.Options{}, inPieces(users(), 3, 8))[0]
	parts := compare(t, in(rows), in(rows), verify.Options{}, users(ranges(50, 51, 200)...))[0]
	if whole.Expected != parts.Expected || whole.Found != parts.Found || whole.Expected.Rows != 300 {
		t.Errorf("%+v and %+v", whole, parts)
	}
}

// scripted is a side that asks before it reads.
type scripted struct {
	memory
	before func(p verify.Part) error
}

func (s scripted) Stream(ctx context.Context, t *verify.Table, p verify.Part, w io.Writer) error {
	if err := s.before(p); err != nil {
		return err
	}
	return s.memory.Stream(ctx, t, p, w)
}

// onPiece gives an error for the piece that begins with a word, as often as n says.
func onPiece(piece string, n int64, err error) func(verify.Part) error {
	left := times(n)
	return func(p verify.Part) error {
		if strings.HasPrefix(p.Own, piece) && p.Own != "" && left.Add(-1) >= 0 {
			return err
		}
		return nil
	}
}

// TestWholeProblems: what goes wrong with a piece is a problem of its table, unless it is tried again in vain only once.
func TestWholeProblems(t *testing.T) {
	t.Parallel()
	broken := errors.New("the disk is gone")
	lost := &verify.AgainError{Err: errors.New("the connection is gone")}
	good := memory{map[string][]row{"user": someUsers(90), "other": someUsers(50)}, 0}
	other := inPieces(users(), 2, 2)
	other.Name = "other"
	for name, c := range map[string]struct {
		err     error
		times   int64
		state   verify.State
		problem string
	}{
		"an error":   {broken, 1, verify.Unknown, "a part of the rows: the found side: the disk is gone"},
		"lost once":  {lost, 1, verify.Same, ""},
		"lost twice": {lost, 2, verify.Unknown, "a part of the rows: the found side: the connection is gone; it was lost for the second time here: compare again when the connection holds"},
	} {
		var compared sync.Map
		o := verify.Options{Events: func(e verify.Event) {
			if e, ok := e.(verify.TableCompared); ok {
				compared.Store(e.Result.Name, e.Result.State)
			}
		}}
		results := compare(t, good, scripted{good, onPiece("2 of 3", c.times, c.err)}, o, inPieces(users(), 2, 3), other)
		if len(results) != 2 || results[0].State != verify.Same {
			t.Fatalf("%s: %+v", name, results)
		}
		if r := results[1]; r.State != c.state || r.Problem != c.problem {
			t.Errorf("%s: %s, %q; want %s, %q", name, r.State, r.Problem, c.state, c.problem)
		}
		if state, _ := compared.Load("user"); state != c.state {
			t.Errorf("%s: an event says %v", name, state)
		}
	}
}

// TestWholeThenParts: sums that differ are a difference, also where the rows could not be
// found; rows that are not the same each time are none.
func TestWholeThenParts(t *testing.T) {
	t.Parallel()
	good, bad := in(someUsers(90)), in(someUsers(89))
	onParts := func(err error) func(verify.Part) error {
		return func(p verify.Part) error {
			if p.Own == "" {
				return err
			}
			return nil
		}
	}
	broken := errors.New("the disk is gone")
	table := inPieces(users(ranges(10, 80)...), 2, 3)
	r := compare(t, good, scripted{bad, onParts(broken)}, verify.Options{}, table)[0]
	if r.State != verify.Different || !strings.Contains(r.Problem, "the found side: the disk is gone") {
		t.Errorf("parts that cannot be read: %+v", r)
	}

	undivided := inPieces(users(), 2, 3)
	undivided.Parts, undivided.Divide = nil, func(context.Context) ([]verify.Part, error) { return nil, broken }
	told := false
	o := verify.Options{Events: func(e verify.Event) { _, ok := e.(verify.TableCompared); told = told || ok }}
	r = compare(t, good, bad, o, undivided)[0]
	if r.State != verify.Different || r.Expected.Rows != 90 || r.Found.Rows != 89 || !told ||
		r.Problem != "the two sides differ here, but it was not found where: the disk is gone" {
		t.Errorf("no parts: %+v, told %v", r, told)
	}

	r = compare(t, good, apart{bad, good}, verify.Options{}, table)[0]
	if r.State != verify.Unknown || !strings.Contains(r.Problem, "the found side: the rows changed while they were read") {
		t.Errorf("rows that change: %+v", r)
	}
}

// apart gives other rows by pieces than by parts.
type apart struct{ pieces, parts memory }

func (c apart) Stream(ctx context.Context, t *verify.Table, p verify.Part, w io.Writer) error {
	if p.Own != "" {
		return c.pieces.Stream(ctx, t, p, w)
	}
	return c.parts.Stream(ctx, t, p, w)
}

// TestWholeCanceled: the end of the context ends the summing up.
func TestWholeCanceled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	side := scripted{in(someUsers(90)), func(verify.Part) error { cancel(); return nil }}
	_, err := verify.Compare(ctx, side, side, []verify.Table{inPieces(users(), 4, 4)}, verify.Options{})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
