package verify

import (
	"encoding/binary"
	"io"

	"github.com/moodledb/moodledb/fingerprint"
)

// picker passes some of the rows of a COPY BINARY on, with a number before
// their columns. Whether a row is passed on is known at its end only, so that
// rows are held until then, large ones in a temporary file.
type picker struct {
	w      io.Writer
	stream *fingerprint.Stream
	// held are the bytes from place from on that came before chunk, which begins at base.
	held       held
	from, base int64
	chunk      []byte
	// done is where the row ends that was seen last.
	done int64
	// failed is the error of w or of held.
	failed error
}

// copyHeader begins a COPY BINARY, and copyTrailer ends it.
const (
	copyHeader  = "PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	copyTrailer = "\xff\xff"
)

func (p *picker) begin() error {
	_, err := io.WriteString(p.w, copyHeader)
	return err
}

func (p *picker) end() error {
	_, err := io.WriteString(p.w, copyTrailer)
	return err
}

// Write takes the next bytes of all rows.
func (p *picker) Write(b []byte) (int, error) {
	p.base, p.chunk = p.stream.Bytes(), b
	if _, err := p.stream.Write(b); err != nil {
		return 0, err
	}
	// What follows the last whole row is held.
	if p.done > p.base {
		p.held.reset()
		p.from = p.done
		b = b[p.done-p.base:]
	}
	if err := p.held.write(b); err != nil {
		p.failed = err
		return 0, err
	}
	return len(p.chunk), nil
}

// row passes a row on.
func (p *picker) row(r *fingerprint.Row, number int64) error {
	var head [2 + 4 + 8]byte
	binary.BigEndian.PutUint16(head[:], uint16(len(r.Fields)+1))
	binary.BigEndian.PutUint32(head[2:], 8)
	binary.BigEndian.PutUint64(head[6:], uint64(number))
	if _, p.failed = p.w.Write(head[:]); p.failed != nil {
		return p.failed
	}
	begin := r.Begin + 2 // the number of fields
	if begin < p.base {
		if p.failed = p.held.copyTo(p.w, begin-p.from, min(r.End, p.base)-p.from); p.failed != nil {
			return p.failed
		}
		begin = p.base
	}
	if begin < r.End {
		_, p.failed = p.w.Write(p.chunk[begin-p.base : r.End-p.base])
	}
	return p.failed
}
