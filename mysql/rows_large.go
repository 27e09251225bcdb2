package mysql

import (
	"fmt"
	"io"
)

// largeRow is where the walk through a row stands that does not fit the buffer.
type largeRow struct {
	// packetLeft is what is left of the current packet's payload.
	packetLeft int64
	// more says that the row goes on in another packet.
	more bool
	// fieldLeft is what is left of the current field.
	fieldLeft int64
	// field is the number of fields begun; columns is how many there are.
	field, columns int
	// head holds the length in front of a field while it is read; on the stack
	// it would escape to the connection's Read.
	head [9]byte
}

// NextField goes to the next field of a large row and tells its size in bytes.
// What was not read of the field before is skipped. After the last field the
// error is [io.EOF].
func (rows *Rows) NextField() (size int64, null bool, err error) {
	if rows.err != nil {
		return 0, false, rows.err
	}
	if !rows.walking {
		return 0, false, io.EOF
	}
	large := &rows.reader.large
	if err := rows.reader.skip(large.fieldLeft); err != nil {
		return 0, false, rows.end(err)
	}
	large.fieldLeft = 0
	if large.field == large.columns {
		if err := rows.reader.finishRow(); err != nil {
			return 0, false, rows.end(err)
		}
		rows.walking = false
		return 0, false, io.EOF
	}
	large.field++
	size, null, err = rows.reader.fieldSize()
	if err != nil {
		return 0, false, rows.end(err)
	}
	large.fieldLeft = size
	return size, null, nil
}

// Read reads bytes of the current field of a large row; [io.EOF] at its end.
func (rows *Rows) Read(p []byte) (int, error) {
	if rows.err != nil {
		return 0, rows.err
	}
	large := &rows.reader.large
	if !rows.walking || large.fieldLeft == 0 {
		return 0, io.EOF
	}
	if int64(len(p)) > large.fieldLeft {
		p = p[:large.fieldLeft]
	}
	n, err := rows.reader.readPayload(p)
	large.fieldLeft -= int64(n)
	if err != nil {
		return n, rows.end(err)
	}
	return n, nil
}

// skipRow walks over what is left of a large row. An error stays in rows.err.
func (rows *Rows) skipRow() {
	for rows.walking {
		if _, _, err := rows.NextField(); err != nil {
			return
		}
	}
}

// nextPacket goes to the packet that continues a row.
func (r *Reader) nextPacket() error {
	if !r.large.more {
		return fmt.Errorf("%w: a field reaches beyond its row", errPacket)
	}
	size, err := r.header()
	if err != nil {
		return err
	}
	r.large.packetLeft, r.large.more = int64(size), size == maxPayload
	return nil
}

// finishRow checks that a large row ends where its last field does. A row whose
// length is a multiple of the largest packet ends with an empty one.
func (r *Reader) finishRow() error {
	for r.large.packetLeft == 0 && r.large.more {
		if err := r.nextPacket(); err != nil {
			return err
		}
	}
	if r.large.packetLeft != 0 {
		return fmt.Errorf("%w: fields do not fill the row", errPacket)
	}
	return nil
}

// readPayload reads some bytes of the row into p, at least one.
func (r *Reader) readPayload(p []byte) (int, error) {
	for r.large.packetLeft == 0 {
		if err := r.nextPacket(); err != nil {
			return 0, err
		}
	}
	if int64(len(p)) > r.large.packetLeft {
		p = p[:r.large.packetLeft]
	}
	var n int
	if r.r == r.w && len(p) >= len(r.buf)/4 {
		// Past the buffer: nothing is in it and the caller has room.
		k, err := r.conn.Read(p)
		if k == 0 && err != nil {
			return 0, eof(err)
		}
		n = k
	} else {
		if err := r.fill(1); err != nil {
			return 0, err
		}
		n = copy(p, r.buf[r.r:r.w])
		r.r += n
	}
	r.large.packetLeft -= int64(n)
	return n, nil
}

// skip drops n bytes of the row.
func (r *Reader) skip(n int64) error {
	for n > 0 {
		for r.large.packetLeft == 0 {
			if err := r.nextPacket(); err != nil {
				return err
			}
		}
		if err := r.fill(1); err != nil {
			return err
		}
		k := min(n, r.large.packetLeft, int64(r.w-r.r))
		r.r += int(k)
		r.large.packetLeft -= k
		n -= k
	}
	return nil
}

// fieldSize reads the length in front of a field. It may straddle two packets.
func (r *Reader) fieldSize() (size int64, null bool, err error) {
	head := &r.large.head
	need := 1
	for got := 0; got < need; got++ {
		if _, err := r.readPayload(head[got : got+1]); err != nil {
			return 0, false, err
		}
		if got > 0 {
			continue
		}
		switch head[0] {
		case headNull:
			return 0, true, nil
		case headError:
			return 0, false, fmt.Errorf("%w: bad length of a field", errPacket)
		case 0xFC:
			need = 3
		case 0xFD:
			need = 4
		case 0xFE:
			need = 9
		}
	}
	v, n := lengthEncoded(head[:need])
	if n == 0 || v > 1<<40 {
		return 0, false, fmt.Errorf("%w: bad length of a field", errPacket)
	}
	return int64(v), false, nil
}
