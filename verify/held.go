package verify

import (
	"fmt"
	"io"
)

// held holds bytes: few of them in memory, more in a temporary file.
type held struct {
	buf []byte
	// file has the bytes that come before those of buf.
	file   *temporary
	inFile int64
}

// heldMemory is how much is held in memory.
const heldMemory = 256 << 10

// write appends bytes.
func (h *held) write(p []byte) (err error) {
	if len(h.buf)+len(p) <= heldMemory {
		h.buf = append(h.buf, p...)
		return nil
	}
	if h.file == nil {
		if h.file, err = newTemporary(); err != nil {
			return err
		}
	}
	for _, part := range [][]byte{h.buf, p} {
		if err := h.file.writeAt(part, h.inFile); err != nil {
			return err
		}
		h.inFile += int64(len(part))
		h.buf = h.buf[:0]
	}
	return nil
}

// copyTo writes the bytes from begin to end to w.
func (h *held) copyTo(w io.Writer, begin, end int64) error {
	if begin < h.inFile {
		n := min(end, h.inFile) - begin
		if _, err := io.Copy(w, io.NewSectionReader(h.file.file, begin, n)); err != nil {
			return err
		}
		begin += n
	}
	if begin < end {
		_, err := w.Write(h.buf[begin-h.inFile : end-h.inFile])
		return err
	}
	return nil
}

// reset forgets the bytes. The file keeps its room for the next large row.
func (h *held) reset() { h.buf, h.inFile = h.buf[:0], 0 }

// close removes the file.
func (h *held) close() error {
	if h.file == nil {
		return nil
	}
	return h.file.close()
}

// size is how many bytes are held.
func (h *held) size() int64 { return h.inFile + int64(len(h.buf)) }

// readAt fills p with the bytes from off on, which must be held.
func (h *held) readAt(p []byte, off int64) error {
	if off < h.inFile {
		n := min(int64(len(p)), h.inFile-off)
		if _, err := h.file.file.ReadAt(p[:n], off); err != nil {
			return fmt.Errorf("read a temporary file: %w", err)
		}
		p, off = p[n:], off+n
	}
	if len(p) > 0 {
		copy(p, h.buf[off-h.inFile:])
	}
	return nil
}

// change writes p over the bytes from off on, which must be held.
func (h *held) change(p []byte, off int64) error {
	if off < h.inFile {
		n := min(int64(len(p)), h.inFile-off)
		if err := h.file.writeAt(p[:n], off); err != nil {
			return err
		}
		p, off = p[n:], off+n
	}
	if len(p) > 0 {
		copy(h.buf[off-h.inFile:], p)
	}
	return nil
}

// zeros appends n bytes that are zero.
func (h *held) zeros(n int64) error {
	var some [4096]byte
	for n > 0 {
		m := min(n, int64(len(some)))
		if err := h.write(some[:m]); err != nil {
			return err
		}
		n -= m
	}
	return nil
}

// heldReader reads what is held from the beginning on.
type heldReader struct {
	held *held
	at   int64
	// buf has the bytes from place from on.
	buf  []byte
	from int64
}

// next returns the next n bytes, which must be held. They are valid until the next call.
func (r *heldReader) next(n int) ([]byte, error) {
	if r.at < r.from || r.at+int64(n) > r.from+int64(len(r.buf)) {
		size := min(max(int64(n), 64<<10), r.held.size()-r.at)
		if int64(cap(r.buf)) < size {
			r.buf = make([]byte, size)
		}
		r.from, r.buf = r.at, r.buf[:size]
		if err := r.held.readAt(r.buf, r.from); err != nil {
			return nil, err
		}
	}
	b := r.buf[r.at-r.from : r.at-r.from+int64(n)]
	r.at += int64(n)
	return b, nil
}
