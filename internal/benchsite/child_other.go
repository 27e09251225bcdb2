//go:build !linux

package benchsite

import "os/exec"

// prepareChild does nothing: the benchmark needs Linux's /proc.
func prepareChild(*exec.Cmd) {}
