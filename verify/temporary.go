package verify

import (
	"errors"
	"fmt"
	"os"
)

// temporary is a file that nobody else can read. It has no name any more where
// the system allows that, so that nothing is left however the process ends.
type temporary struct {
	file     *os.File
	unlinked bool
}

func newTemporary() (*temporary, error) {
	f, err := os.CreateTemp("", "moodledb-") // with the mode 0600
	if err != nil {
		return nil, fmt.Errorf("make a temporary file for what does not fit in memory: %w; name another directory in TMPDIR", err)
	}
	// Windows keeps the name of an open file; then close removes it.
	return &temporary{file: f, unlinked: os.Remove(f.Name()) == nil}, nil
}

// writeAt writes all of p.
func (t *temporary) writeAt(p []byte, off int64) error {
	if n, err := t.file.WriteAt(p, off); err != nil {
		return fmt.Errorf("write to a temporary file, at %d: %w; make room in %s, name another directory in TMPDIR, or give more memory",
			off+int64(n), err, os.TempDir())
	}
	return nil
}

// close removes the file.
func (t *temporary) close() error {
	err := t.file.Close()
	if !t.unlinked {
		err = errors.Join(err, os.Remove(t.file.Name()))
	}
	if err != nil {
		return fmt.Errorf("remove a temporary file: %w", err)
	}
	return nil
}
