package throwaway

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// lockName is the file in a server's directory that its owner holds a lock on.
const lockName = "owner.lock"

// dirPrefix begins the name of every directory of a server.
const dirPrefix = "moodledb-server-"

// staleAge is how old a directory without an owner must be to be removed: one
// that is being made has no lock yet.
const staleAge = 2 * time.Minute

// makeDir makes the directory of a server below parent and locks it for as
// long as this process lives or until release is called.
func makeDir(parent string, kind Kind) (dir string, release func() error, err error) {
	if parent == "" {
		parent = os.TempDir()
	}
	// Absolute, since the server's working directory is another one.
	if parent, err = filepath.Abs(parent); err != nil {
		return "", nil, fmt.Errorf("make its directory: %w", err)
	}
	if err := removeStale(parent); err != nil {
		return "", nil, err
	}
	dir, err = os.MkdirTemp(parent, dirPrefix+string(kind)+"-")
	if err != nil {
		return "", nil, fmt.Errorf("make its directory: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", nil, errors.Join(fmt.Errorf("lock its directory: %w", err), os.RemoveAll(dir))
	}
	if _, err := lock(f); err != nil {
		return "", nil, errors.Join(fmt.Errorf("lock its directory: %w", err), f.Close(), os.RemoveAll(dir))
	}
	return dir, f.Close, nil
}

// removeStale removes the directories below parent that killed processes left:
// those that nobody holds a lock on.
func removeStale(parent string) error {
	dirs, err := filepath.Glob(filepath.Join(parent, dirPrefix+"*"))
	if err != nil {
		return fmt.Errorf("look for directories of former servers: %w", err)
	}
	for _, dir := range dirs {
		if isStale(dir) {
			if err := os.RemoveAll(dir); err != nil {
				return fmt.Errorf("remove the directory of a former server: %w", err)
			}
		}
	}
	return nil
}

// isStale reports whether nobody owns a directory any more. What cannot be
// told, such as whether another user's directory is in use, is no.
func isStale(dir string) bool {
	path := filepath.Join(dir, lockName)
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() || time.Since(info.ModTime()) < staleAge {
		return false
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return false
	}
	defer f.Close()
	free, err := lock(f)
	return err == nil && free
}
