package fingerprint

import (
	"encoding/binary"

	"github.com/zeebo/xxh3"
)

// details gathers what is told of one row beyond its hash. Its buffers are used
// again for the next row.
type details struct {
	row Row
	// key and field hash the key and the present field.
	key, field *xxh3.Hasher
	keyed      bool
	// held has the bytes of a field with a Canon, canonical what that made of them.
	held, canonical []byte
	// canon is set while the present field has a Canon and is not NULL.
	canon bool
	// keep is how many bytes of the present field are kept.
	keep int
	at   *Field
	// inKey is set while the present field is one of the key.
	inKey bool
	// aside is set while the present field does not count.
	aside bool
	// hashed is set while the present field gets a hash of its own.
	hashed bool
}

func (d *details) beginRow(s *Stream) {
	if d.row.Fields == nil {
		d.row.Fields = make([]Field, len(s.columns))
		d.key, d.field = xxh3.New(), xxh3.New()
	}
	d.row.Begin = s.place - int64(len(s.count))
	d.keyed = false
	d.key.Reset()
}

func (d *details) beginField(s *Stream, size int32) {
	c := s.columns[s.field]
	d.at = &d.row.Fields[s.field]
	*d.at = Field{Null: size < 0, Size: max(int64(size), 0), Start: d.at.Start[:0]}
	d.canon = c.Canon != nil && size >= 0
	d.keep = s.Keep
	if d.inKey = c.Key; d.inKey {
		d.keyed, d.keep = true, int(size)
	}
	d.held = d.held[:0]
	d.aside = c.Aside
	d.hashed = (d.inKey || !s.KeyOnly) && !d.aside
	switch {
	case d.hashed:
		d.field.Reset()
	case d.aside:
		d.keep = int(size)
	default:
		d.keep = 0
	}
	if d.inKey && !d.canon {
		d.sizeInKey(size)
	}
}

// sizeInKey keeps fields of the key apart, and NULL from an empty one.
func (d *details) sizeInKey(size int32) {
	var number [4]byte
	binary.BigEndian.PutUint32(number[:], uint32(size))
	_, _ = d.key.Write(number[:])
}

func (d *details) piece(p []byte) {
	if room := d.keep - len(d.at.Start); room > 0 {
		d.at.Start = append(d.at.Start, p[:min(room, len(p))]...)
	}
	if d.canon {
		d.held = append(d.held, p...)
		return
	}
	d.hash(p)
}

// hash takes bytes that count.
func (d *details) hash(p []byte) {
	if d.hashed {
		_, _ = d.field.Write(p)
	}
	if d.inKey {
		_, _ = d.key.Write(p)
	}
}

// whole looks at the fields of a row of which no column has a Canon or is set aside.
func (d *details) whole(s *Stream, row []byte) {
	at := len(s.count)
	for i := range d.row.Fields {
		c, f := &s.columns[i], &d.row.Fields[i]
		begin, size := at, int32(binary.BigEndian.Uint32(row[at:]))
		at += 4
		field := row[at : at+int(max(size, 0))]
		at += len(field)
		*f = Field{Null: size < 0, Size: int64(len(field)), Start: f.Start[:0]}
		switch {
		case c.Key:
			f.Hash, f.Start = HashOf(field), append(f.Start, field...)
			_, _ = d.key.Write(row[begin:at])
			d.keyed = true
		case !s.KeyOnly:
			f.Hash, f.Start = HashOf(field), append(f.Start, field[:min(s.Keep, len(field))]...)
		}
	}
}

func (d *details) endField(s *Stream) (err error) {
	if d.canon {
		if d.canonical, err = s.columns[s.field].Canon(d.canonical[:0], d.held); err != nil {
			return err
		}
		var number [4]byte
		binary.BigEndian.PutUint32(number[:], uint32(len(d.canonical)))
		_, _ = s.row.Write(number[:])
		_, _ = s.row.Write(d.canonical)
		if d.inKey {
			d.sizeInKey(int32(len(d.canonical)))
		}
		d.hash(d.canonical)
	}
	if d.hashed {
		sum := d.field.Sum128()
		d.at.Hash = Hash{sum.Hi, sum.Lo}
	}
	return nil
}

func (d *details) endRow(s *Stream, hash Hash) *Row {
	d.row.End = s.place
	d.row.Hash, d.row.Key = hash, hash
	if d.keyed {
		sum := d.key.Sum128()
		d.row.Key = Hash{sum.Hi, sum.Lo}
	}
	return &d.row
}
