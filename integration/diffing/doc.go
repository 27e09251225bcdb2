// Package diffing holds the tests of differences: every kind of change is found, on every server, and nothing else.
// They have the build tag integration.
package diffing
