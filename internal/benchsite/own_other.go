//go:build !linux

package benchsite

import (
	"errors"
	"time"
)

// ownCPU is not read: the benchmark needs Linux's /proc.
func ownCPU() (time.Duration, error) {
	return 0, errors.New("the benchmark needs Linux")
}
