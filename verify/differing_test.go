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
		if err != nil {
			t.Fatal(err)
		}
		defer closeRows(t, d)
		if d.Missing != want.missing || d.Extra != want.extra || d.Changed != want.changed {
			t.Errorf("%+v, not %+v", d, want)
		}
		if rapid.Bool().Draw(t, "note") {
			noteAll(t, d, &table, want)
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

// closeRows removes the temporary files.
func closeRows(t rapid.TB, d *verify.Differing) {
	t.Helper()
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}

// counted counts differences.
type counted struct{ missing, extra, changed int64 }

func (c *counted) add(kind verify.DifferenceKind, times int64) {
	switch kind {
	case verify.MissingRow:
		c.missing += times
	case verify.ExtraRow:
		c.extra += times
	case verify.ChangedRow:
		c.changed += times
	}
}

// noteAll looks at all rows one by one, and as a list: both have what a comparison with maps has.
func noteAll(t *rapid.T, d *verify.Differing, table *verify.Table, want naive) {
	t.Helper()
	if err := d.Note(t.Context()); err != nil {
		t.Fatal(err)
	}
	one, listed := counted{}, counted{}
	err := d.EachRow(func(r *verify.DifferingRow) error {
		one.add(r.Kind(), 1)
		if r.Found == nil || !keyed(table) {
			return nil
		}
		values := make([][]byte, len(r.Found))
		for i := range r.Found {
			if !r.Found[i].Null {
				values[i] = r.Found[i].Start
			}
		}
		if numbers, err := d.FoundWithKey(values); err != nil || !slices.Contains(numbers, r.Number) {
			t.Errorf("row %d is not found by its key, but %v: %v", r.Number, numbers, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	list, err := d.List(t.Context(), 1000)
	if err != nil {
		t.Fatal(err)
	}
	for i := range list {
		listed.add(list[i].Kind, list[i].Times)
	}
	if all := (counted{want.missing, want.extra, want.changed}); one != all || listed != all {
		t.Errorf("%+v one by one, %+v listed, not %+v", one, listed, all)
	}
	result := verify.TableResult{Differences: list}
	if got := told(table, &result); !want.ambiguous && !slices.Equal(got, want.list) {
		t.Errorf("%q, not %q", got, want.list)
	}
}

func keyed(table *verify.Table) bool {
	return slices.ContainsFunc(table.Columns, func(c verify.Column) bool { return c.Key })
}

// TestLeaveOut: rows that are left out are neither counted nor picked nor listed.
func TestLeaveOut(t *testing.T) {
	expected, found := someUsers(40), someUsers(40)
	found[4][1], found[5][1] = []byte("changed"), []byte("changed")
	found = append(found[1:39], user(50, "extra", ""), user(51, "extra", ""))
	table := users()
	for _, memory := range []int64{0, 1} {
		d, err := verify.FindRows(t.Context(), in(expected), in(found), &table, verify.Part{}, verify.Options{Memory: memory})
		if err != nil {
			t.Fatal(err)
		}
		defer closeRows(t, d)
		if err := d.Note(t.Context()); err != nil {
			t.Fatal(err)
		}
		kept := map[int64]int64{}
		err = d.EachRow(func(r *verify.DifferingRow) error {
			of := r.Expected
			if of == nil {
				of = r.Found
			}
			if id := int64(binary.BigEndian.Uint64(of[0].Start)); id == 40 || id == 6 || id == 50 {
				kept[id] = r.Number
			} else {
				d.LeaveOut(r.Number, r.Kind())
			}
			return nil
		})
		if err != nil || d.Missing != 1 || d.Extra != 1 || d.Changed != 1 || d.Numbers != 6 {
			t.Errorf("%+v: %v", d, err)
		}
		list, err := d.List(t.Context(), 2)
		if err != nil || len(list) != 2 || list[0].Key[0].Value.Text != "6" || list[1].Key[0].Value.Text != "40" {
			t.Errorf("%+v: %v", list, err)
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
		want := []string{fmt.Sprint(kept[6], " adds 6"), fmt.Sprint(kept[40], " adds 40"), fmt.Sprint(kept[6], " takes 4"), fmt.Sprint(kept[50], " takes 38")}
		if !slices.Equal(ids, want) {
			t.Errorf("%q, not %q", ids, want)
		}
	}
}

// TestManyRows: more rows than memory holds are found, told of and picked, all of them, by files.
func TestManyRows(t *testing.T) {
	const n = 30_000
	expected, found := someUsers(n), someUsers(n)
	for i := range found {
		found[i][2] = nil
	}
	table := users()
	table.Columns[0].Key, table.Columns[1].Key = false, true // a text
	d, err := verify.FindRows(t.Context(), in(expected[7:]), in(found[:n-9]), &table, verify.Part{}, verify.Options{Memory: 200_000})
	if err != nil {
		t.Fatal(err)
	}
	defer closeRows(t, d)
	if d.Missing != 9 || d.Extra != 7 || d.Changed != n-16 || d.Numbers != n {
		t.Errorf("%+v", d)
	}
	if err := d.Note(t.Context()); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	err = d.EachRow(func(r *verify.DifferingRow) error {
		of := r.Expected
		if of == nil {
			of = r.Found
		}
		if of[1].Start == nil || r.Kind() == verify.ChangedRow && !bytes.Equal(r.Found[1].Start, of[1].Start) {
			t.Errorf("row %d is %q", r.Number, of[1].Start)
		}
		seen[string(of[1].Start)] = true
		return nil
	})
	if err != nil || len(seen) != n {
		t.Errorf("%d rows: %v", len(seen), err)
	}
	// Twice: another attempt is as good.
	for range 2 {
		var out bytes.Buffer
		if err := d.WriteExpected(t.Context(), &out); err != nil {
			t.Fatal(err)
		}
		if rows := rowsOf(t, out.Bytes()); len(rows) != n-7 {
			t.Errorf("%d rows are written", len(rows))
		}
		picked := 0
		err = d.EachFound(t.Context(), 1, numbered(&table, found[:n-9], 3), func(int64, []fingerprint.Field) error { picked++; return nil })
		if err != nil || picked != n-9 {
			t.Errorf("%d rows are picked: %v", picked, err)
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
		defer closeRows(t, d)
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
		t.Cleanup(func() { closeRows(t, d) })
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
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }
