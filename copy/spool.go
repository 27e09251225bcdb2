package copy

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// spoolMemory is how much of a spool is held in memory.
const spoolMemory = 64 << 10

// spool is a sequence of bytes of any length that takes a bounded amount of
// memory: what does not fit goes to a temporary file, which has no name any
// more where the system allows that, so that nothing is left however the process ends.
type spool struct {
	file *os.File
	// unlinked says that the file has no name any more.
	unlinked bool
	// inFile is how many bytes are in the file; buf holds those that follow.
	inFile int64
	buf    []byte
}

// size is the number of bytes written.
func (s *spool) size() int64 { return s.inFile + int64(len(s.buf)) }

// Write appends bytes.
func (s *spool) Write(p []byte) (int, error) {
	if len(s.buf)+len(p) <= spoolMemory {
		s.buf = append(s.buf, p...)
		return len(p), nil
	}
	if err := s.open(); err != nil {
		return 0, err
	}
	for _, part := range [][]byte{s.buf, p} {
		n, err := s.file.WriteAt(part, s.inFile)
		if err != nil {
			return 0, fmt.Errorf("write to a temporary file, %d bytes long so far: %w; "+
				"it holds values that are too large for memory: make room in %s, or name another directory in TMPDIR", s.inFile+int64(n), err, os.TempDir())
		}
		s.inFile += int64(n)
		s.buf = s.buf[:0]
	}
	return len(p), nil
}

// open makes the file; nobody else can read it.
func (s *spool) open() error {
	if s.file != nil {
		return nil
	}
	// CreateTemp gives the mode 0600.
	f, err := os.CreateTemp("", "moodledb-")
	if err != nil {
		return fmt.Errorf("make a temporary file for values that are too large for memory: %w; name another directory in TMPDIR", err)
	}
	s.file = f
	// Windows keeps the name of an open file; then close removes it.
	s.unlinked = os.Remove(f.Name()) == nil
	return nil
}

// ReadAt implements [io.ReaderAt].
func (s *spool) ReadAt(p []byte, off int64) (int, error) {
	n := 0
	if off < s.inFile {
		most := min(int64(len(p)), s.inFile-off)
		var err error
		if n, err = s.file.ReadAt(p[:most], off); err != nil {
			return n, fmt.Errorf("read a temporary file: %w", noEOF(err))
		}
	}
	if n < len(p) && off+int64(n) < s.size() {
		n += copy(p[n:], s.buf[off+int64(n)-s.inFile:])
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// section reads size bytes from off on.
func (s *spool) section(off, size int64) *io.SectionReader { return io.NewSectionReader(s, off, size) }

// reset forgets the bytes, and gives the disk's room back.
func (s *spool) reset() error {
	s.buf = s.buf[:0]
	if s.inFile == 0 {
		return nil
	}
	s.inFile = 0
	return s.file.Truncate(0)
}

// close removes the spool.
func (s *spool) close() error {
	s.buf = nil
	if s.file == nil {
		return nil
	}
	f := s.file
	s.file, s.inFile = nil, 0
	err := f.Close()
	if !s.unlinked {
		err = errors.Join(err, os.Remove(f.Name()))
	}
	return err
}

// noEOF makes an end where none may be an error.
func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
