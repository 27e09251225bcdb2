package postgres

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

// message spells a message of the protocol.
func message(kind byte, body []byte) []byte {
	m := binary.BigEndian.AppendUint32([]byte{kind}, uint32(len(body)+4))
	return append(m, body...)
}

// randomReader gives what it has in pieces of any size.
type randomReader struct {
	t    *rapid.T
	rest []byte
}

func (r *randomReader) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:rapid.IntRange(1, len(p)).Draw(r.t, "read")], r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// What is of rows reaches the writer, everything else the driver, in whatever
// pieces both come and go; what follows the copy is the driver's as a whole.
func TestTapParts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var stream, rows, others []byte
		sizes := rapid.SampledFrom([]int{0, 1, 4, 100, tapBuffer - messageHeader - 1, tapBuffer - messageHeader, tapBuffer, 2*tapBuffer + 3})
		for range rapid.IntRange(0, 12).Draw(t, "messages") {
			kind := rapid.SampledFrom([]byte{copyData, copyData, copyData, 'N', 'S', 'C'}).Draw(t, "kind")
			body := bytes.Repeat([]byte{kind, byte(len(stream))}, sizes.Draw(t, "size"))
			m := message(kind, body)
			stream = append(stream, m...)
			if kind == copyData {
				rows = append(rows, body...)
			} else {
				others = append(others, m...)
			}
		}
		end := message('Z', []byte{'I'})
		stream, others = append(stream, end...), append(others, end...)
		after := message(copyData, []byte("not of this copy"))
		stream = append(stream, after...)

		var got bytes.Buffer
		tap := &tap{r: &randomReader{t: t, rest: stream}}
		tap.open(&got, func() { t.Error("stopped") })
		passed := make([]byte, len(others))
		if _, err := io.ReadFull(tap, passed); err != nil {
			t.Fatal(err)
		}
		if err := tap.close(); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Bytes(), rows) || !bytes.Equal(passed, others) {
			t.Errorf("%d bytes of rows, want %d; %d others, want %d", got.Len(), len(rows), len(passed), len(others))
		}
		rest, err := io.ReadAll(tap)
		if err != nil || !slices.Equal(rest, after) {
			t.Errorf("%q follows, want %q: %v", rest, after, err)
		}
	})
}

// The first error of the writer stops the statement once; rows that come after that are dropped.
func TestTapWriterFails(t *testing.T) {
	broken := errors.New("disk full")
	stream := bytes.Repeat(message(copyData, []byte("row")), 100)
	tap := &tap{r: bytes.NewReader(append(stream, message('Z', []byte{'E'})...))}
	stops := 0
	tap.open(writerFunc(func([]byte) (int, error) { return 0, broken }), func() { stops++ })
	if got, err := io.ReadAll(tap); err != nil || got[0] != 'Z' || stops != 1 {
		t.Errorf("%q, %d stops: %v", got, stops, err)
	}
	if err := tap.close(); !errors.Is(err, broken) {
		t.Error(err)
	}
}

// A connection that ends in a message, or that speaks nonsense, is an error.
func TestTapBrokenStream(t *testing.T) {
	for name, r := range map[string]io.Reader{
		"in a header":     bytes.NewReader([]byte{'d', 0, 0}),
		"in a row":        bytes.NewReader(message(copyData, []byte("row"))[:6]),
		"in another one":  bytes.NewReader(message('N', []byte("notice"))[:3]),
		"a length of 3":   bytes.NewReader([]byte{'d', 0, 0, 0, 3}),
		"an error at all": iotest.ErrReader(io.ErrClosedPipe),
	} {
		t.Run(name, func(t *testing.T) {
			tap := &tap{r: r}
			tap.open(io.Discard, func() {})
			if _, err := io.CopyN(io.Discard, tap, 1<<10); err == nil {
				t.Error("no error")
			}
		})
	}
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
