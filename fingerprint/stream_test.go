package fingerprint_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/moodledb/moodledb/fingerprint"
)

const header = "PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00"

// encode makes a COPY BINARY; a nil field is NULL.
func encode(rows ...[][]byte) []byte {
	out := []byte(header)
	for _, fields := range rows {
		out = binary.BigEndian.AppendUint16(out, uint16(len(fields)))
		for _, f := range fields {
			if f == nil {
				out = append(out, 0xFF, 0xFF, 0xFF, 0xFF)
				continue
			}
			out = binary.BigEndian.AppendUint32(out, uint32(len(f)))
			out = append(out, f...)
		}
	}
	return append(out, 0xFF, 0xFF)
}

// row makes a row of texts.
func row(fields ...string) [][]byte {
	out := make([][]byte, len(fields))
	for i, f := range fields {
		out[i] = []byte(f)
	}
	return out
}

// sum is the sum of a stream that is written in pieces of size bytes.
func sum(t rapid.TB, s *fingerprint.Stream, stream []byte, size int) fingerprint.Sum {
	t.Helper()
	for p := range slices.Chunk(stream, max(size, 1)) {
		if n, err := s.Write(p); err != nil || n != len(p) {
			t.Fatalf("%d bytes taken of %d: %v", n, len(p), err)
		}
	}
	if err := s.End(); err != nil {
		t.Fatal(err)
	}
	return s.Sum()
}

func sumOf(t rapid.TB, rows ...[][]byte) fingerprint.Sum {
	t.Helper()
	columns := 0
	if len(rows) > 0 {
		columns = len(rows[0])
	}
	return sum(t, fingerprint.NewStream(make([]fingerprint.Column, columns)), encode(rows...), 1<<20)
}

// TestSumTellsRowsApart: what differs has another sum, in whatever way it differs.
func TestSumTellsRowsApart(t *testing.T) {
	base := [][][]byte{row("1", "a"), row("2", "b")}
	for name, other := range map[string][][][]byte{
		"a changed cell":      {row("1", "a"), row("2", "c")},
		"a trailing space":    {row("1", "a "), row("2", "b")},
		"case":                {row("1", "A"), row("2", "b")},
		"swapped values":      {row("1", "b"), row("2", "a")},
		"NULL":                {row("1", "a"), {[]byte("2"), nil}},
		"empty":               {row("1", "a"), row("2", "")},
		"a missing row":       {row("1", "a")},
		"an extra row":        {row("1", "a"), row("2", "b"), row("3", "c")},
		"a doubled row":       {row("1", "a"), row("2", "b"), row("2", "b")},
		"doubled twice":       {row("1", "a"), row("2", "b"), row("3", "c"), row("3", "c")},
		"one for another":     {row("1", "a"), row("1", "a")},
		"shifted field edges": {row("1a", ""), row("2", "b")},
	} {
		if sumOf(t, base...) == sumOf(t, other...) {
			t.Errorf("%s: the same sum", name)
		}
	}
	if sumOf(t, base[0], base[1]) != sumOf(t, base[1], base[0]) {
		t.Error("the order counts")
	}
	if sumOf(t, row("1", ""), row("2", "")) == sumOf(t, [][]byte{[]byte("1"), nil}, [][]byte{[]byte("2"), nil}) {
		t.Error("NULL is the empty text")
	}
}

// generate draws rows.
func generate(t *rapid.T) (rows [][][]byte, columns int) {
	columns = rapid.IntRange(1, 4).Draw(t, "columns")
	field := rapid.OneOf(rapid.Just([]byte(nil)), rapid.SliceOfN(rapid.Byte(), 0, 400))
	rows = rapid.SliceOfN(rapid.SliceOfN(field, columns, columns), 0, 12).Draw(t, "rows")
	return rows, columns
}

// TestPieces: neither the sizes of pieces, nor being told of each row, nor a Canon that changes nothing changes the sum.
func TestPieces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows, columns := generate(t)
		stream := encode(rows...)
		whole := sum(t, fingerprint.NewStream(make([]fingerprint.Column, columns)), stream, len(stream))
		size := rapid.IntRange(1, 700).Draw(t, "size")
		if got := sum(t, fingerprint.NewStream(make([]fingerprint.Column, columns)), stream, size); got != whole {
			t.Errorf("in pieces of %d: %s, not %s", size, got, whole)
		}
		detailed := make([]fingerprint.Column, columns)
		for i := range detailed {
			detailed[i].Key = rapid.Bool().Draw(t, "key")
			if rapid.Bool().Draw(t, "canon") {
				detailed[i].Canon = func(dst, field []byte) ([]byte, error) { return append(dst, field...), nil }
			}
		}
		s := fingerprint.NewStream(detailed)
		s.Keep = rapid.IntRange(0, 10).Draw(t, "keep")
		s.KeyOnly = rapid.Bool().Draw(t, "key only")
		var told fingerprint.Sum
		n := 0
		s.Each = func(r *fingerprint.Row) error {
			told.Add(r.Hash)
			for i, f := range r.Fields {
				want := rows[n][i]
				keep, hash := s.Keep, fingerprint.HashOf(want)
				switch {
				case detailed[i].Key:
					keep = len(want)
				case s.KeyOnly:
					keep, hash = 0, fingerprint.Hash{}
				}
				if f.Null != (want == nil) || f.Size != int64(len(want)) || !bytes.Equal(f.Start, want[:min(keep, len(want))]) || f.Hash != hash {
					t.Errorf("row %d, field %d is %+v, not %q", n, i, f, want)
				}
			}
			n++
			return nil
		}
		if got := sum(t, s, stream, size); got != whole || told != whole {
			t.Errorf("told of each row: %s and %s, not %s", got, told, whole)
		}
		parsed, err := fingerprint.Parse(whole.String())
		if err != nil || parsed != whole {
			t.Errorf("%s reads as %s: %v", whole, parsed, err)
		}
	})
}

// TestMerge: sums of parts add up.
func TestMerge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows, columns := generate(t)
		cut := rapid.IntRange(0, len(rows)).Draw(t, "cut")
		of := func(rows [][][]byte) fingerprint.Sum {
			return sum(t, fingerprint.NewStream(make([]fingerprint.Column, columns)), encode(rows...), 1<<20)
		}
		whole, a, b := of(rows), of(rows[:cut]), of(rows[cut:])
		merged := b
		merged.Merge(a)
		if merged != whole || whole.Sub(a) != b {
			t.Errorf("%s and %s are %s, not %s", a, b, merged, whole)
		}
	})
}

// TestKey: the key is that of its columns alone, whatever the others hold.
func TestKey(t *testing.T) {
	keys := func(rows ...[][]byte) (out []fingerprint.Hash) {
		s := fingerprint.NewStream([]fingerprint.Column{{Key: true}, {}, {Key: true, Canon: upper}})
		s.Each = func(r *fingerprint.Row) error {
			out = append(out, r.Key)
			return nil
		}
		sum(t, s, encode(rows...), 3)
		return out
	}
	k := keys(row("1", "x", "k"), row("1", "y", "K"), row("1k", "x", ""), row("", "x", "1k"), [][]byte{nil, nil, []byte("1k")})
	if k[0] != k[1] {
		t.Error("equal keys differ")
	}
	for i := 1; i < len(k); i++ {
		for j := range i {
			if i+j > 1 && k[i] == k[j] {
				t.Errorf("keys %d and %d are the same", i, j)
			}
		}
	}
}

// TestAside: columns that are set aside change no hash, and are told of; rows are told of with their places.
func TestAside(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows, columns := generate(t)
		described := make([]fingerprint.Column, columns)
		for i := range described {
			described[i].Key = rapid.Bool().Draw(t, "key")
		}
		type told struct{ row, key fingerprint.Hash }
		all := func(described []fingerprint.Column, rows [][][]byte) (out []told) {
			stream := encode(rows...)
			s := fingerprint.NewStream(described)
			s.KeyOnly = rapid.Bool().Draw(t, "key only")
			s.Each = func(r *fingerprint.Row) error {
				at := len(out)
				out = append(out, told{r.Hash, r.Key})
				if got := stream[r.Begin:r.End]; !bytes.Equal(got, encode(rows[at])[len(header):len(got)+len(header)]) || len(got) != len(encode(rows[at]))-len(header)-2 {
					t.Errorf("row %d is at %d to %d: %x", at, r.Begin, r.End, got)
				}
				if last := len(described) - 1; described[last].Aside && string(r.Fields[last].Start) != string(rows[at][last]) {
					t.Errorf("%q was set aside, not %q", r.Fields[last].Start, rows[at][last])
				}
				return nil
			}
			sum(t, s, stream, rapid.IntRange(1, 900).Draw(t, "size"))
			return out
		}
		plain := all(described, rows)
		more := make([][][]byte, len(rows))
		for i, r := range rows {
			more[i] = append(append([][]byte{[]byte("before")}, r...), []byte("after"), fmt.Append(nil, "aside ", i))
		}
		aside := fingerprint.Column{Aside: true}
		got := all(append(append([]fingerprint.Column{aside}, described...), aside, aside), more)
		if !slices.Equal(got, plain) {
			t.Errorf("%v, not %v", got, plain)
		}
	})
}

func upper(dst, field []byte) ([]byte, error) { return append(dst, bytes.ToUpper(field)...), nil }

// TestCanon: values that are equal have the same hash and sum.
func TestCanon(t *testing.T) {
	of := func(text string) fingerprint.Sum {
		return sum(t, fingerprint.NewStream([]fingerprint.Column{{Canon: upper}}), encode(row(text)), 5)
	}
	if of("abc") != of("ABC") || of("abc") == of("abd") {
		t.Error("Canon is not used")
	}
	failed := errors.New("no value")
	s := fingerprint.NewStream([]fingerprint.Column{{Canon: func([]byte, []byte) ([]byte, error) { return nil, failed }}})
	if _, err := s.Write(encode(row("x"))); !errors.Is(err, failed) || !strings.Contains(err.Error(), "row 1, field 1") {
		t.Errorf("the error is %v", err)
	}
	if err := s.End(); !errors.Is(err, failed) {
		t.Errorf("at the end: %v", err)
	}
}

// TestBroken: what is no complete COPY BINARY is an error.
func TestBroken(t *testing.T) {
	good := encode(row("1", "a"), row("2", "b"))
	for n := 1; n < len(good); n++ {
		s := fingerprint.NewStream(make([]fingerprint.Column, 2))
		if _, err := s.Write(good[:n]); err != nil {
			t.Fatal(err)
		}
		if s.End() == nil {
			t.Errorf("%d of %d bytes are enough", n, len(good))
		}
	}
	for name, stream := range map[string][]byte{
		"no signature":      []byte("1\tone\n2\ttwo\n3\tthree\n"),
		"too many fields":   encode(row("1", "a", "x")),
		"too few fields":    encode(row("1")),
		"after the trailer": append(slices.Clone(good), 0),
	} {
		s := fingerprint.NewStream(make([]fingerprint.Column, 2))
		if _, err := s.Write(stream); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := fingerprint.NewStream(nil).End(); err != nil {
		t.Errorf("nothing at all: %v", err)
	}
	for _, text := range []string{"", "1", "1:", "-1:" + strings.Repeat("0", 32), "1:" + strings.Repeat("0", 30), "1:" + strings.Repeat("g", 32)} {
		if _, err := fingerprint.Parse(text); err == nil {
			t.Errorf("%q is a sum", text)
		}
	}
}

// TestNoAllocation: summing up allocates nothing per row.
func TestNoAllocation(t *testing.T) {
	rows := make([][][]byte, 1000)
	for i := range rows {
		rows[i] = row("12345678", "some text", "")
	}
	stream := encode(rows...)
	s := fingerprint.NewStream(make([]fingerprint.Column, 3))
	if _, err := s.Write(stream[:len(header)]); err != nil {
		t.Fatal(err)
	}
	body := stream[len(header) : len(stream)-2]
	if n := testing.AllocsPerRun(10, func() { _, _ = s.Write(body) }); n > 0 {
		t.Errorf("%g allocations in 1,000 rows", n)
	}
}

// logRows are rows of the shape of Moodle's log.
func logRows() []byte {
	rows := make([][][]byte, 1000)
	for i := range rows {
		rows[i] = row("12345678", "1234", "\\core\\event\\course_viewed", "core", "viewed", "course", "", "12345678", "r", "2", "12345678", "50", "1", "N;", "web", "10.0.0.1")
	}
	return encode(rows...)
}

// BenchmarkStream sums rows up: without looking at them, with their keys, and with all fields.
func BenchmarkStream(b *testing.B) {
	stream := logRows()
	body := stream[len(header) : len(stream)-2]
	for _, name := range []string{"rows", "keys", "fields"} {
		b.Run(name, func(b *testing.B) {
			columns := make([]fingerprint.Column, 16)
			columns[0].Key = true
			s := fingerprint.NewStream(columns)
			if name != "rows" {
				s.Each = func(*fingerprint.Row) error { return nil }
				s.Keep, s.KeyOnly = 100, name == "keys"
			}
			if _, err := s.Write(stream[:len(header)]); err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Write(body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
