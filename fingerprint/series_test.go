package fingerprint_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/moodledb/moodledb/fingerprint"
)

// TestSeries: streams one after the other have the sums that they have alone.
func TestSeries(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var streams []*fingerprint.Stream
		var want []fingerprint.Sum
		var bytes []byte
		for range rapid.IntRange(1, 5).Draw(t, "streams") {
			rows, columns := generate(t)
			stream := encode(rows...)
			want = append(want, sum(t, fingerprint.NewStream(make([]fingerprint.Column, columns)), stream, len(stream)))
			streams = append(streams, fingerprint.NewStream(make([]fingerprint.Column, columns)))
			bytes = append(bytes, stream...)
		}
		s := fingerprint.NewSeries(streams...)
		size := rapid.IntRange(1, 900).Draw(t, "size")
		for p := range slices.Chunk(bytes, size) {
			if n, err := s.Write(p); err != nil || n != len(p) {
				t.Fatalf("%d bytes taken of %d: %v", n, len(p), err)
			}
		}
		if err := s.End(); err != nil {
			t.Fatal(err)
		}
		for i, x := range streams {
			if x.Sum() != want[i] {
				t.Errorf("stream %d has the sum %s, want %s", i, x.Sum(), want[i])
			}
		}
		if _, err := s.Write([]byte{0}); err == nil {
			t.Error("a byte too many is taken")
		}
		cut := fingerprint.NewSeries(streams...)
		if cut.End() == nil {
			t.Error("a series of which nothing came is complete")
		}
	})
}
