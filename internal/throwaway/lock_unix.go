//go:build unix

package throwaway

import (
	"errors"
	"os"
	"syscall"
)

// lock tries to lock a file and reports whether it could. The lock ends when
// the file is closed, at the latest with the process.
func lock(f *os.File) (bool, error) {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}
