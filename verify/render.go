package verify

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/moodledb/moodledb/convert"
)

// shownHex is how many bytes of a value are shown that is no text.
const shownHex = 32

// Render returns a [Column.Render] for the values of a type, as PostgreSQL's
// DDL spells it. Values of types that it does not know are shown as text if they
// look like it (enums are), else as bytes.
func Render(typ string) func(start []byte, size int64) string { return RenderBinary(oidOf(typ)) }

// RenderBinary is [Render] for a type that is given by its OID.
// Values that are equal for PostgreSQL, but are stored in other bytes, are shown
// in different ways too: the numerics 1 and 1.00, the floats 0 and -0.
func RenderBinary(oid uint32) func(start []byte, size int64) string {
	switch oid {
	case pgtype.TextOID, pgtype.VarcharOID, pgtype.BPCharOID, pgtype.NameOID, pgtype.JSONOID, pgtype.XMLOID, pgtype.QCharOID:
		return convert.PrintableStart
	case pgtype.JSONBOID:
		return renderJSONB
	case pgtype.ByteaOID:
		return renderBytes
	}
	return func(start []byte, size int64) string {
		if int64(len(start)) == size {
			if text, ok := renderValue(oid, start); ok {
				return text
			}
		}
		if _, known := pgtype.NewMap().TypeForOID(oid); !known && looksLikeText(start) {
			return convert.PrintableStart(start, size)
		}
		return renderBytes(start, size)
	}
}

// oidOf finds the OID of a built-in type; 0 for others.
func oidOf(typ string) uint32 {
	name, rest, cut := strings.Cut(typ, "(")
	if _, after, closed := strings.Cut(rest, ")"); cut && closed {
		name += after // timestamp(3) without time zone
	}
	dimensions := ""
	name, array := strings.CutSuffix(strings.TrimSpace(name), "[]")
	if array {
		dimensions = "_"
	}
	if short, ok := shortNames[name]; ok {
		name = short
	}
	if t, ok := pgtype.NewMap().TypeForName(dimensions + strings.Trim(name, `"`)); ok {
		return t.OID
	}
	return 0
}

// shortNames are the names in the catalog of types that DDL spells in another way.
var shortNames = map[string]string{
	"smallint": "int2", "integer": "int4", "int": "int4", "bigint": "int8",
	"real": "float4", "double precision": "float8", "boolean": "bool", "decimal": "numeric",
	"character varying": "varchar", "character": "bpchar", "char": "bpchar", "bit varying": "varbit",
	"timestamp without time zone": "timestamp", "timestamp with time zone": "timestamptz",
	"time without time zone": "time", "time with time zone": "timetz",
}

// renderJSONB leaves the version out.
func renderJSONB(start []byte, size int64) string {
	if len(start) > 0 && start[0] == 1 {
		return convert.PrintableStart(start[1:], size-1)
	}
	return renderBytes(start, size)
}

// renderBytes prints bytes as PostgreSQL prints bytea.
func renderBytes(start []byte, size int64) string {
	if size <= shownHex {
		return fmt.Sprintf(`\x%x`, start)
	}
	return fmt.Sprintf(`\x%x... (%d bytes)`, start[:min(shownHex, len(start))], size)
}

func looksLikeText(p []byte) bool {
	for len(p) > 0 {
		r, n := utf8.DecodeRune(p)
		if r == utf8.RuneError && n <= 1 && utf8.FullRune(p) || r < ' ' {
			return false
		}
		p = p[n:]
	}
	return true
}

// renderValue prints a value of one of the types of numbers, times and the like.
func renderValue(oid uint32, field []byte) (text string, ok bool) {
	switch {
	case oid == pgtype.BoolOID && len(field) == 1:
		return strconv.FormatBool(field[0] != 0), true
	case oid == pgtype.Float4OID && len(field) == 4:
		return strconv.FormatFloat(float64(math.Float32frombits(binary.BigEndian.Uint32(field))), 'g', -1, 32), true
	case oid == pgtype.Float8OID && len(field) == 8:
		return strconv.FormatFloat(math.Float64frombits(binary.BigEndian.Uint64(field)), 'g', -1, 64), true
	}
	m := pgtype.NewMap() // a Map is not for several goroutines
	t, ok := m.TypeForOID(oid)
	if !ok {
		return "", false
	}
	v, err := t.Codec.DecodeValue(m, oid, pgtype.BinaryFormatCode, field)
	if err != nil || v == nil {
		return "", false
	}
	out, err := m.Encode(oid, pgtype.TextFormatCode, v, []byte{}) // nil stands for NULL
	if err != nil || out == nil {
		return "", false
	}
	text = string(out)
	if oid == pgtype.NumericOID {
		text = scaled(text, field)
	}
	if len(text) > keep {
		text = text[:keep] + fmt.Sprintf("... (%d characters)", len(text))
	}
	return text, true
}

// scaled gives a numeric the decimals that it is stored with, which pgtype
// leaves out of whole numbers: 1 and 1.00 are equal and have other bytes.
func scaled(text string, field []byte) string {
	if len(field) < 8 || strings.ContainsAny(text, "NI") { // NaN, Infinity
		return text
	}
	scale := int(binary.BigEndian.Uint16(field[6:8]) & 0x3FFF)
	_, decimals, point := strings.Cut(text, ".")
	if missing := scale - len(decimals); missing > 0 {
		if !point {
			text += "."
		}
		text += strings.Repeat("0", missing)
	}
	return text
}
