package verify_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"

	"github.com/moodledb/moodledb/verify"
)

const header = "PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00"

// row is a row's fields; nil is NULL.
type row [][]byte

// appendRow appends a row as COPY BINARY has it.
func appendRow(out []byte, r row) []byte {
	out = binary.BigEndian.AppendUint16(out, uint16(len(r)))
	for _, f := range r {
		if f == nil {
			out = append(out, 0xFF, 0xFF, 0xFF, 0xFF)
			continue
		}
		out = binary.BigEndian.AppendUint32(out, uint32(len(f)))
		out = append(out, f...)
	}
	return out
}

// number is a bigint.
func number(n int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }

// memory is a side whose rows are in memory. Parts are ranges of the first column, a bigint.
type memory struct {
	tables map[string][]row
	// seed, when not 0, has rows come in another order each time.
	seed uint64
}

// Stream implements [verify.Side].
func (m memory) Stream(ctx context.Context, t *verify.Table, p verify.Part, w io.Writer) error {
	rows := m.tables[t.Name]
	order := rand.New(rand.NewPCG(m.seed, rand.Uint64())).Perm(len(rows))
	buf := []byte(header)
	for i := range rows {
		r := rows[i]
		if m.seed != 0 {
			r = rows[order[i]]
		}
		at := i
		if m.seed != 0 {
			at = order[i]
		}
		if !within(p, r) || !ownPiece(p, at) {
			continue
		}
		if buf = appendRow(buf, r); len(buf) >= 4096 {
			if err := ctx.Err(); err != nil {
				return err
			}
			if _, err := w.Write(buf); err != nil {
				return err
			}
			buf = buf[:0]
		}
	}
	_, err := w.Write(append(buf, 0xFF, 0xFF))
	return err
}

// ownPiece reports whether the i-th row is in a piece such as "2 of 7".
func ownPiece(p verify.Part, i int) bool {
	var piece, n int
	if _, err := fmt.Sscanf(p.Own, "%d of %d", &piece, &n); err != nil {
		return p.Own == ""
	}
	return i%n == piece
}

// within reports whether a row is in a part.
func within(p verify.Part, r row) bool {
	if p.Lower == "" && p.Upper == "" {
		return true
	}
	if len(r[0]) != 8 { // NULL is in no range; the sides give it with the last one
		return p.Upper == ""
	}
	id := int64(binary.BigEndian.Uint64(r[0]))
	return (p.Lower == "" || id >= parse(p.Lower)) && (p.Upper == "" || id < parse(p.Upper))
}

func parse(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		panic(err)
	}
	return n
}

// ranges cuts a table into parts at these numbers.
func ranges(cuts ...int64) []verify.Part {
	parts := []verify.Part{{}}
	for _, c := range cuts {
		text := strconv.FormatInt(c, 10)
		parts[len(parts)-1].Upper = text
		parts = append(parts, verify.Part{Lower: text})
	}
	return parts
}

// users is a small table of real shape.
func users(parts ...verify.Part) verify.Table {
	if len(parts) == 0 {
		parts = []verify.Part{{}}
	}
	return verify.Table{
		Name: "user",
		Columns: []verify.Column{
			{Name: "id", Type: "bigint", Key: true, Render: verify.Render("bigint")},
			{Name: "username", Type: "text", Render: verify.Render("text")},
			{Name: "email", Type: "character varying(100)", Render: verify.Render("character varying(100)")},
		},
		Parts: parts,
	}
}

// user is a row of users.
func user(id int64, name, email string) row { return row{number(id), []byte(name), []byte(email)} }

// someUsers are n users with ids from 1 on.
func someUsers(n int) []row {
	rows := make([]row, n)
	for i := range rows {
		rows[i] = user(int64(i+1), "user"+strconv.Itoa(i+1), "u"+strconv.Itoa(i+1)+"@example.org")
	}
	return rows
}
