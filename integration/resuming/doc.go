// Package resuming holds the tests of runs that stopped: what they are, how they go on and how they are taken back.
// They have the build tag integration.
package resuming
