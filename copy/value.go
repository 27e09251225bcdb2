package copy

import (
	"fmt"
	"io"

	"github.com/moodledb/moodledb/convert"
)

// value is one value, in memory or in a spool.
type value struct {
	null bool
	size int64
	mem  []byte
	// from holds the value from off on when it is not in memory.
	from *spool
	off  int64
}

// inMemory makes a value of a field as a row has it.
func inMemory(field []byte) value {
	return value{null: field == nil, size: int64(len(field)), mem: field}
}

// reader reads a value that is not in memory.
func (v value) reader() io.Reader { return v.from.section(v.off, v.size) }

// head returns at most n bytes of the start; buf is used where it is large enough.
func (v value) head(buf []byte, n int64) ([]byte, error) {
	n = min(n, v.size)
	if v.from == nil {
		return v.mem[:n], nil
	}
	if int64(cap(buf)) < n {
		buf = make([]byte, n)
	}
	buf = buf[:n]
	if _, err := v.from.ReadAt(buf, v.off); err != nil {
		return nil, fmt.Errorf("read a temporary file: %w", noEOF(err))
	}
	return buf, nil
}

// pieces hands the value over piece by piece, until the first error. What is
// not in memory passes through buf.
func (v value) pieces(buf []byte, visit func(piece []byte) error) error {
	if v.from == nil {
		return visit(v.mem)
	}
	for off := int64(0); off < v.size; {
		n := min(int64(len(buf)), v.size-off)
		if _, err := v.from.ReadAt(buf[:n], v.off+off); err != nil {
			return fmt.Errorf("read a temporary file: %w", noEOF(err))
		}
		if err := visit(buf[:n]); err != nil {
			return err
		}
		off += n
	}
	return nil
}

// printable renders the value for messages, shortened.
func (v value) printable() (string, error) {
	if v.null {
		return "NULL", nil
	}
	start, err := v.head(nil, shownBytes+1)
	if err != nil {
		return "", err
	}
	return convert.PrintableStart(start, v.size), nil
}
