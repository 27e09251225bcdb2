package verify_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/moodledb/moodledb/fingerprint"
	"github.com/moodledb/moodledb/verify"
)

// rowsOf reads a COPY BINARY.
func rowsOf(t rapid.TB, stream []byte) (rows []row) {
	t.Helper()
	body, ok := bytes.CutPrefix(stream, []byte(header))
	if !ok {
		t.Fatalf("no header: %q", stream)
	}
	for {
		count := binary.BigEndian.Uint16(body)
		if body = body[2:]; count == 0xFFFF {
			break
		}
		var r row
		for range count {
			size := int32(binary.BigEndian.Uint32(body))
			if body = body[4:]; size < 0 {
				r = append(r, nil)
				continue
			}
			r = append(r, slices.Clip(body[:size:size]))
			body = body[size:]
		}
		rows = append(rows, r)
	}
	if len(body) > 0 {
		t.Fatalf("%q follows the rows", body)
	}
	return rows
}

// numbered is a found side that gives the place of each row as a further column.
func numbered(table *verify.Table, rows []row, seed uint64) func(context.Context, io.Writer) error {
	more := make([]row, len(rows))
	for i, r := range rows {
		more[i] = append(slices.Clone(r), fmt.Append(nil, i))
	}
	return func(ctx context.Context, w io.Writer) error {
		return memory{map[string][]row{table.Name: more}, seed}.Stream(ctx, table, verify.Part{}, w)
	}
}

// TestPickedRowsRepair: taking away the found rows that are picked, and adding
// the expected ones, makes both sides the same; and no row is touched without need.
func TestPickedRowsRepair(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := drawTable(t)
		table.Parts = nil
		var expected []row
		for range rapid.SampledFrom([]int{0, 1, 5, 60}).Draw(t, "rows") {
			expected = append(expected, drawRow(t))
		}
		found := damage(t, expected)
		want := compareNaively(&table, expected, found)
		seed := rapid.Uint64Range(0, 3).Draw(t, "seed")
		side := func(rows []row) memory { return memory{map[string][]row{"t": rows}, seed} }
		d, err := verify.FindRows(t.Context(), side(expected), side(found), &table, verify.Part{}, verify.Options{Memory: rapid.SampledFrom([]int64{1, 1 << 20}).Draw(t, "memory")})
		if errors.Is(err, verify.ErrTooMany) && want.missing+want.extra+want.changed > 16 {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if d.Missing != want.missing || d.Extra != want.extra || d.Changed != want.changed {
			t.Errorf("%+v, not %+v", d, want)
		}
		if rapid.Bool().Draw(t, "filter") {
			seen := counted{}
			if err := d.Filter(t.Context(), func(d *verify.Difference) bool { return seen.add(d) }); err != nil {
				t.Fatal(err)
			}
			if seen != (counted{want.missing, want.extra, want.changed}) || d.Missing != want.missing || d.Extra != want.extra || d.Changed != want.changed {
				t.Errorf("%+v seen, %+v kept, not %+v", seen, d, want)
			}
		}
		var out bytes.Buffer
		if err := d.WriteExpected(t.Context(), &out); err != nil {
			t.Fatal(err)
		}
		added := map[uint64]row{}
		for _, r := range rowsOf(t, out.Bytes()) {
			added[binary.BigEndian.Uint64(r[0])] = r[1:]
		}
		removed := map[int]bool{}
		var pairs int64
		err = d.EachFound(t.Context(), 1, numbered(&table, found, seed), func(number int64, more []fingerprint.Field) error {
			i := int(parse(string(more[0].Start)))
			removed[i] = true
			if _, ok := added[uint64(number)]; ok {
				pairs++
				key := func(c *verify.Column) bool { return c.Key }
				if a, b := text(&table, added[uint64(number)], key), text(&table, found[i], key); a != b {
					t.Errorf("%s becomes %s", b, a)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if int64(len(added)) != want.missing+want.changed || int64(len(removed)) != want.extra+want.changed || pairs != want.changed {
			t.Errorf("%d added, %d removed, %d of them changed; not %+v", len(added), len(removed), pairs, want)
		}
		var repaired []row
		for i, r := range found {
			if !removed[i] {
				repaired = append(repaired, r)
			}
		}
		for _, r := range added {
			repaired = append(repaired, r)
		}
		if left := compareNaively(&table, expected, repaired); left.missing+left.extra+left.changed > 0 {
			t.Errorf("%+v is left", left)
		}
	})
}

// counted counts differences.
type counted struct{ missing, extra, changed int64 }

func (c *counted) add(d *verify.Difference) bool {
	switch d.Kind {
	case verify.MissingRow:
		c.missing += d.Times
	case verify.ExtraRow:
		c.extra += d.Times
	case verify.ChangedRow:
		c.changed += d.Times
	}
	return true
}

// TestFilter: rows that are filtered out are neither counted nor picked.
func TestFilter(t *testing.T) {
	expected, found := someUsers(40), someUsers(40)
	found[4][1], found[5][1] = []byte("changed"), []byte("changed")
	found = append(found[1:39], user(50, "extra", ""), user(51, "extra", ""))
	table := users()
	for _, memory := range []int64{0, 1} {
		d, err := verify.FindRows(t.Context(), in(expected), in(found), &table, verify.Part{}, verify.Options{Memory: memory})
		if err != nil {
			t.Fatal(err)
		}
		err = d.Filter(t.Context(), func(d *verify.Difference) bool {
			id := d.Key[0].Value.Text
			return id == "40" || id == "6" || id == "50"
		})
		if err != nil || d.Missing != 1 || d.Extra != 1 || d.Changed != 1 {
			t.Errorf("%+v: %v", d, err)
		}
		var out bytes.Buffer
		if err := d.WriteExpected(t.Context(), &out); err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, r := range rowsOf(t, out.Bytes()) {
			ids = append(ids, fmt.Sprint(binary.BigEndian.Uint64(r[0]), " adds ", binary.BigEndian.Uint64(r[1])))
		}
		err = d.EachFound(t.Context(), 1, numbered(&table, found, 0), func(number int64, more []fingerprint.Field) error {
			ids = append(ids, fmt.Sprint(number, " takes ", string(more[0].Start)))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(ids, []string{"0 adds 6", "1 adds 40", "0 takes 4", "2 takes 38"}) {
			t.Errorf("%q", ids)
		}
	}
}

// pieces is a side that writes pieces of one size.
type pieces struct {
	verify.Side
	size int
}

func (s pieces) Stream(ctx context.Context, t *verify.Table, p verify.Part, w io.Writer) error {
	var all bytes.Buffer
	if err := s.Side.Stream(ctx, t, p, &all); err != nil {
		return err
	}
	for chunk := range slices.Chunk(all.Bytes(), s.size) {
		if _, err := w.Write(chunk); err != nil {
			return err
		}
	}
	return nil
}

// TestPickInPieces: rows are picked whole, however the stream is cut, and however large they are.
func TestPickInPieces(t *testing.T) {
	large := bytes.Repeat([]byte("0123456789abcdef"), 80_000)
	expected := someUsers(20)
	expected[3][1], expected[4][2], expected[11][1], expected[19][2] = large, large[1:], large[2:], large[3:]
	found := someUsers(20)
	found[11][1] = large[2:]
	table := users()
	for _, size := range []int{7, 1000, 64 << 10, 256<<10 + 1, 1 << 30} {
		d, err := verify.FindRows(t.Context(), pieces{in(expected), size}, in(found), &table, verify.Part{}, verify.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := d.WriteExpected(t.Context(), &out); err != nil {
			t.Fatal(err)
		}
		rows := rowsOf(t, out.Bytes())
		if len(rows) != 3 {
			t.Fatalf("%d rows", len(rows))
		}
		for i, at := range []int{3, 4, 19} {
			if !slices.EqualFunc(rows[i][1:], expected[at], bytes.Equal) {
				t.Errorf("in pieces of %d: row %d is not what it was", size, at)
			}
		}
	}
}

// TestPickProblems: rows that change, and writers that fail, are told apart.
func TestPickProblems(t *testing.T) {
	table := users()
	find := func(expected verify.Side) *verify.Differing {
		d, err := verify.FindRows(t.Context(), expected, in(someUsers(5)), &table, verify.Part{}, verify.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	full := errors.New("the disk is full")
	if err := find(in(someUsers(9))).WriteExpected(t.Context(), failingWriter{full}); !errors.Is(err, full) || err.Error() != full.Error() {
		t.Errorf("error %v", err)
	}
	d := find(changing{in(someUsers(9)), in(someUsers(8)), times(1)})
	if err := d.WriteExpected(t.Context(), io.Discard); err == nil || err.Error() != "the expected side: the rows changed while they were read; compare again while nobody writes, or with a snapshot" {
		t.Errorf("error %v", err)
	}
	d = find(failing{in(someUsers(9)), "user", times(1), full, false})
	if err := d.WriteExpected(t.Context(), io.Discard); !errors.Is(err, full) || err.Error() == full.Error() {
		t.Errorf("error %v", err)
	}
	if _, err := verify.FindRows(t.Context(), in(someUsers(100)), in(nil), &table, verify.Part{}, verify.Options{Memory: 1}); !errors.Is(err, verify.ErrTooMany) {
		t.Errorf("error %v", err)
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }
