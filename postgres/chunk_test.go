package postgres

import (
	"math"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

// The ranges of any points cover everything, each begins where the one before it ends, and none is empty.
func TestDivideKeyCovers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		points := rapid.SliceOfDistinct(rapid.OneOf(rapid.Int64(), rapid.Int64Range(-3, 100)), func(v int64) int64 { return v }).Draw(t, "points")
		var least, greatest int64 = math.MaxInt64, math.MinInt64
		for _, p := range points {
			least, greatest = min(least, p), max(greatest, p)
		}
		n := rapid.IntRange(1, 40).Draw(t, "n")
		if len(points) > 0 {
			points = extend(sortedInts(points), least, greatest)
		}
		parts := divideKey(KeyRange{Rows: 1000, Bytes: 1 << 30}, points, n)
		if len(parts) > n || parts[0].Lower != "" || parts[len(parts)-1].Upper != "" {
			t.Fatalf("%d parts from %q to %q", len(parts), parts[0].Lower, parts[len(parts)-1].Upper)
		}
		last := int64(math.MinInt64)
		for i := 1; i < len(parts); i++ {
			lower, err := strconv.ParseInt(parts[i].Lower, 10, 64)
			if err != nil || parts[i-1].Upper != parts[i].Lower || lower <= last || lower > greatest || lower <= least {
				t.Fatalf("part %d: %+v after %+v, %v", i, parts[i], parts[i-1], err)
			}
			last = lower
		}
	})
}

func sortedInts(list []int64) []int64 {
	for i := range list {
		for j := i; j > 0 && list[j] < list[j-1]; j-- {
			list[j], list[j-1] = list[j-1], list[j]
		}
	}
	return list
}

func TestExtend(t *testing.T) {
	tests := []struct {
		name            string
		points          []int64
		least, greatest int64
		parts           int
		want            []string
	}{
		{"no statistics", nil, 1, 1001, 4, []string{"251", "501", "751"}},
		{"one value", nil, 7, 7, 4, nil},
		{"a log that has doubled", []int64{1, 101, 201}, 1, 401, 4, []string{"101", "201", "301"}},
		{"rows lie unevenly", []int64{1, 2, 3, 1000}, 1, 1000, 3, []string{"2", "3"}},
		{"a number far away", []int64{1, 101, 201}, 1, math.MaxInt64, 3, []string{"101", "201"}},
		{"all numbers", nil, math.MinInt64, math.MaxInt64, 2, []string{"0"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			parts := divideKey(KeyRange{}, extend(tt.points, tt.least, tt.greatest), tt.parts)
			var got []string
			for _, p := range parts[1:] {
				got = append(got, p.Lower)
			}
			if len(got) != len(tt.want) {
				t.Fatalf("%v, want %v", got, tt.want)
			}
			for i := range got {
				if got[i] != tt.want[i] {
					t.Errorf("%v, want %v", got, tt.want)
				}
			}
		})
	}
}
