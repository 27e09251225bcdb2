//go:build !linux && !darwin

package benchsite

import "errors"

// freeDisk is not known: the benchmark needs Linux's /proc.
func freeDisk(string) (int64, error) {
	return 0, errors.New("the free space of a disk is only known on Linux and macOS")
}
