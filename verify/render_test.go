package verify

import (
	"encoding/binary"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"pgregory.net/rapid"

	"github.com/moodledb/moodledb/convert"
)

// encode makes the binary form of a value with pgx.
func encode(t testing.TB, typ string, value any) []byte {
	t.Helper()
	oid := oidOf(typ)
	if oid == 0 {
		t.Fatalf("no type %q", typ)
	}
	out, err := pgtype.NewMap().Encode(oid, pgtype.BinaryFormatCode, value, nil)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// numeric reads a number.
func numeric(t testing.TB, text string) pgtype.Numeric {
	t.Helper()
	var n pgtype.Numeric
	if err := n.Scan(text); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestRender(t *testing.T) {
	at := time.Date(2024, 2, 29, 12, 34, 56, 789000, time.UTC)
	for _, c := range []struct {
		typ   string
		value any
		want  string
	}{
		{"smallint", int16(-7), "-7"},
		{"integer", int32(math.MinInt32), "-2147483648"},
		{"bigint", int64(math.MaxInt64), "9223372036854775807"},
		{"real", float32(0.1), "0.1"},
		{"double precision", math.Nextafter(0.3, 1), "0.30000000000000004"},
		{"double precision", math.Copysign(0, -1), "-0"},
		{"double precision", math.Inf(-1), "-Inf"},
		{"double precision", math.NaN(), "NaN"},
		{"numeric(10,5)", numeric(t, "99.50000"), "99.50000"},
		{"numeric", numeric(t, "-0.001"), "-0.001"},
		{"numeric", pgtype.Numeric{NaN: true, Valid: true}, "NaN"},
		{"numeric", pgtype.Numeric{InfinityModifier: pgtype.NegativeInfinity, Valid: true}, "-Infinity"},
		{"boolean", true, "true"},
		{"boolean", false, "false"},
		{"text", "tab\tand \"quotes\"", `"tab\tand \"quotes\""`},
		{"text", "", `""`},
		{"character varying(20)", "ends ", `"ends "`},
		{"character(5)", "ab   ", `"ab   "`},
		{`"char"`, 'x', `"x"`},
		{"json", []byte(`{"a": 1}`), `"{\"a\": 1}"`},
		{"jsonb", []byte(`[1]`), `"[1]"`},
		{"bytea", []byte{0, 1, 255}, `\x0001ff`},
		{"bytea", []byte{}, `\x`},
		{"date", at, "2024-02-29"},
		{"date", pgtype.Date{InfinityModifier: pgtype.Infinity, Valid: true}, "infinity"},
		{"timestamp without time zone", at, "2024-02-29 12:34:56.000789"},
		{"timestamp(3) without time zone", at, "2024-02-29 12:34:56.000789"},
		{"timestamp with time zone", at, "2024-02-29 12:34:56.000789Z"},
		{"time without time zone", pgtype.Time{Microseconds: 86399_000001, Valid: true}, "23:59:59.000001"},
		{"interval", pgtype.Interval{Months: 1, Days: -2, Microseconds: -3661_000000, Valid: true}, "1 mon -2 day -01:01:01"},
		{"uuid", [16]byte{0x12, 0x3e, 0x45, 0x67, 0xe8, 0x9b, 0x12, 0xd3, 0xa4, 0x56, 0x42, 0x66, 0x55, 0x44, 0, 0}, "123e4567-e89b-12d3-a456-426655440000"},
		{"inet", netip.MustParsePrefix("2001:db8::1/128"), "2001:db8::1/128"},
		{"inet", netip.MustParsePrefix("10.1.2.0/24"), "10.1.2.0/24"},
		{"bit(5)", pgtype.Bits{Bytes: []byte{0xA8}, Len: 5, Valid: true}, "10101"},
		{"bit varying", pgtype.Bits{Len: 0, Bytes: []byte{}, Valid: true}, ""},
		{"integer[]", []int32{1, 2}, "{1,2}"},
	} {
		t.Run(c.typ+" "+c.want, func(t *testing.T) {
			field := encode(t, c.typ, c.value)
			if got := Render(c.typ)(field, int64(len(field))); got != c.want {
				t.Errorf("%x is shown as %s", field, got)
			}
		})
	}
}

// TestRenderOdd: what is cut off, broken, or of an unknown type is shown as well as can be.
func TestRenderOdd(t *testing.T) {
	long := strings.Repeat("é", 300)
	digits := strings.Repeat("7", 600)
	for _, c := range []struct {
		name, typ, start string
		size             int64
		want             string
	}{
		{"a long text", "text", long[:keep], 600, `"` + long[:64] + `"... (600 bytes)`},
		{"a long jsonb", "jsonb", "\x01" + long[:keep-1], 601, `"` + long[:64] + `"... (600 bytes)`},
		{"a jsonb of another version", "jsonb", "\x02{}", 3, `\x027b7d`},
		{"long bytes", "bytea", strings.Repeat("\xFF", keep), 100 << 20, `\x` + strings.Repeat("ff", 32) + "... (104857600 bytes)"},
		{"an enum", "mood", "happy", 5, `"happy"`},
		{"an enum with a letter cut through", "mood", "happ\xC3", 700, `"happ\xc3"... (700 bytes)`},
		{"an unknown type", "geometry", "\x00\x01", 2, `\x0001`},
		{"an unknown type that is no UTF-8", "geometry", "a\xFFb", 3, `\x61ff62`},
		{"a number of the wrong size", "integer", "\x00\x01", 2, `\x0001`},
		{"a float of the wrong size", "real", "\x00", 1, `\x00`},
		{"a numeric that is cut off", "numeric", digits[:keep], 900, `\x` + strings.Repeat("37", 32) + "... (900 bytes)"},
		{"text that is not text", "text", "\x00\xFF", 2, `"\x00\xff"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Render(c.typ)([]byte(c.start), c.size); got != c.want {
				t.Errorf("%s, not %s", got, c.want)
			}
		})
	}
	field := encode(t, "numeric", numeric(t, digits[:450]))
	if got := Render("numeric")(field, int64(len(field))); got != digits[:keep]+"... (450 characters)" {
		t.Errorf("%s", got)
	}
}

// TestScaleIsShown: numerics that are equal but stored with other decimals look different.
func TestScaleIsShown(t *testing.T) {
	for text, field := range map[string][]byte{
		"1": {0, 1, 0, 0, 0, 0, 0, 0, 0, 1}, "1.00": {0, 1, 0, 0, 0, 0, 0, 2, 0, 1},
		"0": {0, 0, 0, 0, 0, 0, 0, 0}, "0.0": {0, 0, 0, 0, 0, 0, 0, 1}, "-10000.5": {0, 3, 0, 1, 0x40, 0, 0, 1, 0, 1, 0, 0, 0x13, 0x88},
	} {
		if got := Render("numeric")(field, int64(len(field))); got != text {
			t.Errorf("%s is shown as %s", text, got)
		}
	}
}

// TestRenderAgrees: what is shown of a value is what was encoded.
func TestRenderAgrees(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		whole := rapid.Int64().Draw(rt, "whole")
		float := math.Float64frombits(rapid.Uint64().Draw(rt, "bits"))
		text := rapid.String().Draw(rt, "text")
		scale := rapid.IntRange(0, 20).Draw(rt, "scale")
		digits := strconv.FormatUint(rapid.Uint64().Draw(rt, "digits"), 10) + strings.Repeat("0", scale)
		decimal := digits[:len(digits)-scale]
		if scale > 0 {
			decimal += "." + digits[len(digits)-scale:]
		}
		at := time.UnixMicro(rapid.Int64Range(-62e15, 253e15).Draw(rt, "micros")).UTC()
		address := netip.AddrFrom16([16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(rt, "address")))
		for _, c := range []struct {
			typ   string
			value any
			want  string
		}{
			{"smallint", int16(whole), strconv.Itoa(int(int16(whole)))},
			{"integer", int32(whole), strconv.Itoa(int(int32(whole)))},
			{"bigint", whole, strconv.FormatInt(whole, 10)},
			{"double precision", float, strconv.FormatFloat(float, 'g', -1, 64)},
			{"numeric", numeric(t, decimal), decimal},
			{"text", text, convert.Printable([]byte(text))},
			{"bytea", []byte(text), renderBytes([]byte(text), int64(len(text)))},
			{"timestamp without time zone", at, strings.TrimRight(strings.TrimRight(at.Format("2006-01-02 15:04:05.000000"), "0"), ".")},
			{"date", at, at.Format("2006-01-02")},
			{"inet", netip.PrefixFrom(address, 128), netip.PrefixFrom(address, 128).String()},
		} {
			field := encode(t, c.typ, c.value)
			got := Render(c.typ)(field, int64(len(field)))
			if strings.HasPrefix(c.typ, "timestamp") {
				got = strings.TrimSuffix(got, ".000000")
				if strings.Contains(got, ".") {
					got = strings.TrimRight(got, "0")
				}
			}
			if got != c.want {
				rt.Errorf("%s %v: %x is shown as %s, not %s", c.typ, c.value, field, got, c.want)
			}
		}
	})
}

// FuzzRender: no bytes make it fail, of whatever type they are said to be.
func FuzzRender(f *testing.F) {
	f.Add(binary.BigEndian.AppendUint64(nil, 1), int64(8))
	f.Add([]byte{0, 1, 0, 0, 0x40, 0, 0, 2, 0, 1}, int64(10))
	f.Add([]byte{}, int64(5))
	f.Fuzz(func(t *testing.T, start []byte, size int64) {
		if size < int64(len(start)) {
			size = int64(len(start))
		}
		for _, typ := range []string{
			"smallint", "integer", "bigint", "real", "double precision", "numeric", "boolean", "text", "character varying", `"char"`,
			"json", "jsonb", "bytea", "date", "timestamp without time zone", "timestamp with time zone", "time without time zone",
			"interval", "uuid", "inet", "bit", "bit varying", "text[]", "int4range", "tsvector", "mood",
		} {
			if got := Render(typ)(start, size); len(got) > 4*keep+100 {
				t.Errorf("%s: %d bytes", typ, len(got))
			}
		}
	})
}
