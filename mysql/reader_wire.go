package mysql

import (
	"encoding/binary"
	"errors"
	"fmt"

	driver "github.com/go-sql-driver/mysql"
)

// Bytes of the protocol; see "MySQL Client/Server Protocol" in the server's source documentation.
const (
	comQuit  = 0x01
	comQuery = 0x03

	headOK    = 0x00
	headNull  = 0xFB
	headEOF   = 0xFE
	headError = 0xFF

	// maxPayload is the payload of a packet that continues in the next one.
	maxPayload = 1<<24 - 1
	// maxEOF is longer than every packet that ends a result set; a row that
	// starts with the same byte has a field of 16 MiB or more.
	maxEOF = 9

	statusMoreResults = 0x0008
)

// errPacket is a packet that is not what the protocol says.
var errPacket = errors.New("malformed packet from the server")

// send starts a command with a query.
func (r *Reader) send(query string) error {
	if len(query)+1 >= maxPayload {
		return fmt.Errorf("a query of %d bytes is too long", len(query))
	}
	if r.r != r.w {
		return fmt.Errorf("%w: bytes before the question", errPacket)
	}
	r.r, r.w, r.sequence = 0, 0, 0
	packet := make([]byte, 5, 5+len(query))
	putLength(packet, len(query)+1)
	packet[4] = comQuery
	_, err := r.conn.Write(append(packet, query...))
	r.sequence++
	return err
}

// putLength writes the three length bytes of a packet's header.
func putLength(head []byte, n int) {
	head[0], head[1], head[2] = byte(n), byte(n>>8), byte(n>>16)
}

// fill makes at least n bytes available at buf[r:]; n is at most len(buf).
func (r *Reader) fill(n int) error {
	if r.w-r.r >= n {
		return nil
	}
	if r.r == r.w {
		r.r, r.w = 0, 0
	} else if len(r.buf)-r.r < n {
		r.w = copy(r.buf, r.buf[r.r:r.w])
		r.r = 0
	}
	for r.w-r.r < n {
		k, err := r.conn.Read(r.buf[r.w:])
		r.w += k
		if err != nil && r.w-r.r < n {
			return eof(err)
		}
	}
	return nil
}

// header takes the header of the next packet and returns the size of its payload.
func (r *Reader) header() (int, error) {
	if err := r.fill(4); err != nil {
		return 0, err
	}
	h := r.buf[r.r : r.r+4]
	if h[3] != r.sequence {
		return 0, fmt.Errorf("%w: number %d instead of %d", errPacket, h[3], r.sequence)
	}
	r.sequence++
	r.r += 4
	return int(h[0]) | int(h[1])<<8 | int(h[2])<<16, nil
}

// packet returns the payload of the next packet, in the buffer and valid until
// the next read. When it does not fit there, fits is false, and the payload's
// size bytes are still to be taken.
func (r *Reader) packet() (payload []byte, size int, fits bool, err error) {
	size, err = r.header()
	if err != nil || size == maxPayload || size > len(r.buf) {
		return nil, size, false, err
	}
	if err := r.fill(size); err != nil {
		return nil, size, false, err
	}
	payload = r.buf[r.r : r.r+size]
	r.r += size
	return payload, size, true, nil
}

// small returns a packet that has no reason to be large.
func (r *Reader) small() ([]byte, error) {
	payload, size, fits, err := r.packet()
	switch {
	case err != nil:
		return nil, err
	case !fits || size == 0:
		return nil, fmt.Errorf("%w: %d bytes", errPacket, size)
	}
	return payload, nil
}

// lengthEncoded reads a length-encoded integer; n is the number of its bytes, 0
// when it is incomplete or the mark of NULL or of an error.
func lengthEncoded(b []byte) (v uint64, n int) {
	if len(b) == 0 {
		return 0, 0
	}
	switch c := b[0]; {
	case c < headNull:
		return uint64(c), 1
	case c == 0xFC && len(b) >= 3:
		return uint64(b[1]) | uint64(b[2])<<8, 3
	case c == 0xFD && len(b) >= 4:
		return uint64(b[1]) | uint64(b[2])<<8 | uint64(b[3])<<16, 4
	case c == 0xFE && len(b) >= 9:
		return binary.LittleEndian.Uint64(b[1:]), 9
	}
	return 0, 0
}

// parseError reads an error packet.
func parseError(p []byte) error {
	if len(p) < 3 {
		return errPacket
	}
	e := &driver.MySQLError{Number: binary.LittleEndian.Uint16(p[1:])}
	rest := p[3:]
	if len(rest) >= 6 && rest[0] == '#' {
		e.SQLState = [5]byte(rest[1:6])
		rest = rest[6:]
	}
	e.Message = string(rest)
	return e
}
