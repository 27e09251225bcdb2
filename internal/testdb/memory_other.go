//go:build integration && !linux

package testdb

// inMemory: only on Linux do we know of a directory in memory.
func inMemory() string { return "" }
