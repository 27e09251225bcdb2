package verify_test

import (
	"testing"

	"github.com/moodledb/moodledb/verify"
)

// BenchmarkCompare compares tables that are the same, that differ in one row,
// and that differ everywhere, with more and with less memory than their rows need.
func BenchmarkCompare(b *testing.B) {
	const rows = 100_000
	for _, c := range []struct {
		name    string
		changed int
		memory  int64
	}{
		{"same", 0, 0},
		{"one row", 1, 0},
		{"one row, little memory", 1, 1 << 20},
		{"all rows", rows, 0},
		{"all rows, little memory", rows, 1 << 20},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			var bytes int64
			for b.Loop() {
				r := compare(b, counting{rows, 0}, counting{rows, c.changed}, verify.Options{Memory: c.memory}, users())[0]
				if r.Changed != int64(c.changed) {
					b.Fatalf("%+v", r)
				}
				bytes = r.Bytes
			}
			b.SetBytes(bytes)
		})
	}
}
