package copy

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// TestListsHoldWhatPostgresHolds refuses what a row of a list could not take.
func TestListsHoldWhatPostgresHolds(t *testing.T) {
	touched := newTouched(Job{Table: "t", Columns: []Column{{Target: "a"}, {Target: "b"}}})
	half := value{size: 1 << 29}
	if err := touched.addChange(change{before: half, after: half}); err != errTooLarge {
		t.Error(err)
	}
	if err := touched.addReject(reject{row: 1}, []value{half, half}); err != errTooLarge {
		t.Error(err)
	}
	if touched.Changed+touched.Rejected != 0 || touched.changes.size()+touched.rejects.size() != 0 {
		t.Errorf("something is listed: %+v", touched)
	}
}

func TestRowsAreCountedAsRead(t *testing.T) {
	touched := newTouched(Job{Table: "t"})
	for _, row := range []int64{1, 2, 5, 9} {
		if err := touched.addReject(reject{row: row, reason: strings.Repeat("x", 40000)}, nil); err != nil {
			t.Fatal(err)
		}
	}
	defer func() { _ = touched.Close() }()
	// Sent are the rows 3, 4, 6, 7, 8, 10, 11.
	for line, want := range []int64{0, 3, 4, 6, 7, 8, 10, 11} {
		if line == 0 {
			continue
		}
		if got, err := touched.rowOf(int64(line)); got != want || err != nil {
			t.Errorf("line %d: row %d, want %d (%v)", line, got, want, err)
		}
	}
	if err := iotest.TestReader(touched.Rejects(1), readAll(t, touched.Rejects(1))); err != nil {
		t.Error(err)
	}
}

func readAll(t *testing.T, r io.Reader) []byte {
	t.Helper()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestSpool writes and reads across the border between memory and file.
func TestSpool(t *testing.T) {
	var s spool
	defer func() { _ = s.close() }()
	for range 2 {
		var want []byte
		for i := range 50 {
			piece := bytes.Repeat([]byte{byte(i)}, i*i*7%9000)
			want = append(want, piece...)
			if _, err := s.Write(piece); err != nil {
				t.Fatal(err)
			}
			for off := 0; off < len(want); off += 9973 {
				n := min(len(want)-off, 70000)
				got := make([]byte, n)
				if _, err := s.ReadAt(got, int64(off)); err != nil || !bytes.Equal(got, want[off:off+n]) {
					t.Fatalf("%d bytes at %d of %d: %v", n, off, len(want), err)
				}
			}
		}
		if s.file == nil || s.inFile == 0 || len(s.buf) > spoolMemory {
			t.Errorf("%d bytes in memory, %d in the file", len(s.buf), s.inFile)
		}
		if err := iotest.TestReader(s.section(5, 100000), want[5:100005]); err != nil {
			t.Error(err)
		}
		if err := s.reset(); err != nil || s.size() != 0 {
			t.Fatal(err)
		}
	}
	if err := s.close(); err != nil {
		t.Error(err)
	}
}
