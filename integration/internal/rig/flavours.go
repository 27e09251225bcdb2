//go:build integration

package rig

import (
	"os"

	"github.com/moodledb/moodledb/internal/testdb"
)

// Pairs are the sources and targets of whole migrations: as few as have every
// server in them, or all with all when TEST_MATRIX is "full".
func Pairs() [][2]string {
	sources, targets := testdb.Sources(), testdb.Targets()
	var out [][2]string
	if os.Getenv("TEST_MATRIX") != "full" {
		for i := range max(len(sources), len(targets)) {
			out = append(out, [2]string{sources[i%len(sources)], targets[i%len(targets)]})
		}
		return out
	}
	for _, s := range sources {
		for _, t := range targets {
			out = append(out, [2]string{s, t})
		}
	}
	return out
}

// Matrix is the first of the flavours, for tests that take minutes and of which
// one server tells most; all of them with TEST_MATRIX=full.
func Matrix[T any](flavours []T) []T {
	if os.Getenv("TEST_MATRIX") != "full" {
		return flavours[:1]
	}
	return flavours
}

// FirstSource is the source where one pair of servers is enough.
func FirstSource() string { return testdb.Sources()[0] }

// FirstTarget is its target.
func FirstTarget() string { return testdb.Targets()[0] }
