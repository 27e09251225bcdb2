package recheck

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgtype"
	"pgregory.net/rapid"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/copy"
	"github.com/moodledb/moodledb/schema"
)

// sources are types of the source: of every name, and of some parameters.
func sources() []schema.Type {
	var list []schema.Type
	for name := range kinds() {
		if name != "char" { // which always has a length
			list = append(list, schema.Type{Name: name})
		}
	}
	list = append(list,
		schema.Type{Name: "bigint", Unsigned: true}, schema.Type{Name: "int", Unsigned: true, Zerofill: true, Width: 8},
		schema.Type{Name: "int", Unsigned: true, Zerofill: true}, schema.Type{Name: "decimal", Zerofill: true},
		schema.Type{Name: "char", Length: 3}, schema.Type{Name: "char", Length: 40}, schema.Type{Name: "varchar", Length: 300},
		schema.Type{Name: "bit", Length: 7}, schema.Type{Name: "bit", Length: 12}, schema.Type{Name: "bit", Length: 64},
	)
	slices.SortFunc(list, func(a, b schema.Type) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return list
}

// targets are types of the target, with and without parameters.
func targets() []schema.Type {
	list := []schema.Type{
		{Name: "character varying", Length: 5},
		{Name: "character", Length: 4},
		{Name: "character", Raw: "bpchar"},
		{Name: "numeric", Precision: 10, Scale: 2},
		{Name: "numeric", Precision: 65, Scale: 30},
		{Name: "numeric", Precision: 5, Scale: -2},
		{Name: "numeric", Precision: 2, Scale: 4},
		{Name: "timestamp without time zone", Raw: "timestamp(3) without time zone"},
		{Name: "timestamp with time zone", Precision: 1},
		{Name: "time without time zone", Raw: "time(0) without time zone"},
		{Name: "interval", Raw: "interval(2)"},
		{Name: "bit", Length: 7},
		{Name: "bit", Length: 12},
		{Name: "bit", Length: 64},
		{Name: "bit varying", Length: 64},
		{Name: "xml"},
		{Name: "money"},
		{Name: "point"},
		{Name: "cidr"},
		{Name: "bigint[]"},
		{Name: "time with time zone"},
	}
	for _, name := range []string{
		"smallint", "integer", "bigint", "boolean", "double precision", "real", "numeric", "text", "character varying", "character", "json", "jsonb", "bytea",
		"date", "timestamp without time zone", "timestamp with time zone", "time without time zone", "interval", "uuid", "inet", "bit", "bit varying",
	} {
		list = append(list, schema.Type{Name: name})
	}
	return list
}

// eachPair calls f for every two types of which values of the one are copied into the other.
func eachPair(f func(src, dst schema.Column, rule convert.ValueRule)) {
	for _, from := range sources() {
		for _, to := range targets() {
			src, dst := schema.Column{Name: "c", Type: from}, schema.Column{Name: "c", Type: to}
			if rule, err := convert.Value(src, dst); err == nil {
				f(src, dst, rule)
			}
		}
	}
}

// TestEveryPairHasASecondWay: whatever is copied is read again, but for what is named here.
func TestEveryPairHasASecondWay(t *testing.T) {
	allowed := []string{"DOUBLE is the server's own spelling", "ZEROFILL"}
	n := 0
	eachPair(func(src, dst schema.Column, rule convert.ValueRule) {
		n++
		reason := Reason(src, dst)
		if reason != "" && !slices.ContainsFunc(allowed, func(a string) bool { return strings.Contains(reason, a) }) {
			t.Errorf("%s (%+v to %+v): %s", rule.Name, src.Type, dst.Type, reason)
		}
	})
	if n < 500 {
		t.Errorf("only %d pairs", n)
	}
	for _, src := range sources() {
		for _, dst := range targets() {
			_, err := convert.Value(schema.Column{Type: src}, schema.Column{Type: dst})
			if known := Reason(schema.Column{Type: src}, schema.Column{Type: dst}) == ""; known && err != nil && !strings.HasPrefix(dst.Name, "bit") {
				t.Errorf("%+v to %+v is read again, but not copied", src, dst)
			}
		}
	}
}

// sample is a value as the text protocol gives it to the copy, and as the driver gives it from the binary one.
type sample struct {
	text   []byte
	driver any
}

// both is a sample of bytes that are the same in both protocols.
func both(s string) sample { return sample{[]byte(s), []byte(s)} }

// draw makes a value of a type; many are hostile, and some are none that the server would store.
func draw(t *rapid.T, src schema.Type) sample {
	switch kinds()[src.Name] {
	case wholeKind:
		return drawWhole(t, src)
	case yearKind:
		n := rapid.OneOf(rapid.Just(0), rapid.IntRange(1901, 2155)).Draw(t, "year")
		return sample{fmt.Appendf(nil, "%04d", n), int64(n)}
	case decimalKind:
		return both(rapid.StringMatching(`-?[0-9]{1,40}(\.[0-9]{1,30})?|-?0\.0{0,9}[0-9]{1,3}|[1-9]0{0,20}|-?[0-9]{1,3}\.0{1,4}`).Draw(t, "decimal"))
	case floatKind:
		f := rapid.OneOf(rapid.Float32(), rapid.Map(rapid.IntRange(-70000, 70000), func(n int) float32 { return float32(n) }), rapid.SampledFrom([]float32{0, 0.1, math.MaxFloat32, math.SmallestNonzeroFloat32, 16777216})).Draw(t, "float")
		return sample{strconv.AppendFloat(nil, float64(f), 'g', -1, 64), f}
	case doubleKind:
		f := rapid.OneOf(rapid.Float64(), rapid.Map(rapid.IntRange(-70000, 70000), func(n int) float64 { return float64(n) / 4 }), rapid.SampledFrom([]float64{0, math.Copysign(0, -1), 0.1, 1e22, 1 << 63, -1 << 63, math.MaxFloat64, math.SmallestNonzeroFloat64})).Draw(t, "double")
		return sample{strconv.AppendFloat(nil, f, 'g', -1, 64), f}
	case bitKind:
		size := (max(src.Length, 1) + 7) / 8
		b := rapid.SliceOfN(rapid.Byte(), int(size), int(size)).Draw(t, "bits")
		if rapid.Bool().Draw(t, "small") {
			clear(b[:size-1])
			b[size-1] &= 1
		}
		if rest := src.Length % 8; rest > 0 || src.Length == 0 {
			b[0] &= 1<<max(rest, 1) - 1
		}
		return sample{b, slices.Clone(b)}
	case binaryKind, geometryKind:
		return both(string(rapid.OneOf(rapid.SliceOfN(rapid.Byte(), 0, 40), rapid.SliceOfN(rapid.Byte(), 16, 16), rapid.Map(rapid.StringN(0, 8, 20), func(s string) []byte { return []byte(s) })).Draw(t, "bytes")))
	case jsonKind:
		return both(rapid.SampledFrom([]string{`{"a": [1, 2.50, "ä"], "a": 3}`, `null`, `"x"`, `[]`, `{"b": 1e2, "aa": -0.0}`, `[1, {"z": "\u0041", "y": true}]`, "1"}).Draw(t, "json"))
	case dateKind:
		return both(drawDate(t))
	case datetimeKind, timestampKind:
		return both(drawDate(t) + " " + drawClock(t))
	case timeKind:
		return both(rapid.SampledFrom([]string{"", "-"}).Draw(t, "sign")+rapid.SampledFrom([]string{"", "24:00:00", "838:59:59.000000", "00:00:00", "100:00:00.5"}).Draw(t, "odd")+drawClock(t)).or(t, drawClock(t))
	case uuidKind:
		return both(drawUUID(t))
	case inetKind:
		return both(drawInet(t))
	case textKind:
		return drawStored(t, src)
	case unknownKind:
	}
	t.Fatalf("no values of type %q", src.Name)
	return sample{}
}

// drawStored makes a text as the server keeps it.
func drawStored(t *rapid.T, src schema.Type) sample {
	v := drawText(t)
	if src.Name != "char" {
		return v
	}
	// The server keeps no more characters, and gives no blanks at the end.
	chars := []rune(strings.ToValidUTF8(string(v.text), "?"))
	return both(strings.TrimRight(string(chars[:min(len(chars), int(src.Length))]), " "))
}

// or is another value, half of the time.
func (s sample) or(t *rapid.T, text string) sample {
	if rapid.Bool().Draw(t, "other") {
		return both(text)
	}
	return s
}

// drawWhole makes a whole number.
func drawWhole(t *rapid.T, src schema.Type) sample {
	var digits string
	var v any
	if src.Unsigned {
		n := rapid.OneOf(rapid.Uint64(), rapid.SampledFrom([]uint64{0, 1, math.MaxInt64, math.MaxInt64 + 1, math.MaxUint64, 1 << 53, 1<<53 + 1})).Draw(t, "n")
		digits, v = strconv.FormatUint(n, 10), int64(n)
		if n > math.MaxInt64 {
			v = []byte(digits)
		}
	} else {
		n := rapid.OneOf(rapid.Int64(), rapid.Int64Range(-40000, 40000), rapid.SampledFrom([]int64{0, 1, math.MinInt64, math.MaxInt64, math.MaxInt32, math.MinInt16, 1<<24 + 1})).Draw(t, "n")
		digits, v = strconv.FormatInt(n, 10), n
	}
	if src.Zerofill && len(digits) < src.Width {
		digits = strings.Repeat("0", src.Width-len(digits)) + digits
	}
	return sample{[]byte(digits), v}
}

func drawDate(t *rapid.T) string {
	return rapid.OneOf(
		rapid.StringMatching(`[0-9]{4}-(0[0-9]|1[0-3])-([0-2][0-9]|3[0-2])`),
		rapid.SampledFrom([]string{"0000-00-00", "0000-01-01", "0001-01-01", "9999-12-31", "2024-02-29", "2023-02-29", "1900-02-29", "2000-02-29", "1969-12-31", "2024-00-10"}),
	).Draw(t, "date")
}

func drawClock(t *rapid.T) string {
	return rapid.OneOf(
		rapid.StringMatching(`([01][0-9]|2[0-5]):[0-6][0-9]:[0-6][0-9](\.[0-9]{1,7})?`), rapid.SampledFrom([]string{"00:00:00", "23:59:59.999999", "24:00:00", "00:00:00.000000", "12:34:56.100"}),
	).Draw(t, "clock")
}

func drawUUID(t *rapid.T) string {
	return rapid.StringMatching(`[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|[0-9a-f]{32}|[0-9a-f-]{36}`).Draw(t, "uuid")
}

func drawInet(t *rapid.T) string {
	return rapid.OneOf(rapid.StringMatching(`[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}`), rapid.StringMatching(`([0-9a-f]{1,4}:){7}[0-9a-f]{1,4}`),
		rapid.SampledFrom([]string{"::", "::1", "::ffff:192.0.2.128", "2001:db8::ff00:42:8329", "127.0.0.1", "fe80::1%eth0", "10.0.0.0/8", "1.2.3", ""})).Draw(t, "inet")
}

// drawText makes text that may look like anything.
func drawText(t *rapid.T) sample {
	switch rapid.IntRange(0, 8).Draw(t, "looks like") {
	case 0:
		return both(rapid.StringMatching(`[-+]?0{0,3}[0-9]{0,21}`).Draw(t, "digits"))
	case 1:
		return both(rapid.StringMatching(`[-+]?[0-9]{0,9}\.?[0-9]{0,9}(e[-+]?[0-9]{1,3})?`).Draw(t, "number"))
	case 2:
		return both(drawDate(t))
	case 3:
		return both(drawDate(t) + rapid.SampledFrom([]string{" ", "T", "  ", ","}).Draw(t, "gap") + drawClock(t))
	case 4:
		return both(drawUUID(t))
	case 5:
		return both(drawInet(t))
	case 6:
		return both(drawClock(t))
	case 7:
		return both(string(rapid.SliceOfN(rapid.Byte(), 0, 12).Draw(t, "bytes")))
	}
	return both(rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", " ", "ab ", "abc", "\x00", "é€\U0001F600", "NaN", "Infinity", "1_000", "0x10", "1e400", "1e-400", "0e999999999", "1e-999999999", "inf"})).Draw(t, "text"))
}

// canonical is a field as it is summed up.
func canonical(t *rapid.T, dst schema.Type, field []byte) []byte {
	c := convert.Canonical(dst)
	if c == nil {
		return field
	}
	out, err := c(nil, field)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestBothWaysAgree: whatever the value is, either both ways refuse it, or both make the same bytes of it.
func TestBothWaysAgree(t *testing.T) {
	types := pgtype.NewMap()
	eachPair(func(src, dst schema.Column, rule convert.ValueRule) {
		if Reason(src, dst) != "" {
			return
		}
		t.Run(fmt.Sprintf("%s %d to %s %d,%d", src.Type.Name, src.Type.Length, rule.Target, dst.Type.Precision, dst.Type.Scale), func(t *testing.T) {
			e, err := newEncoder(types, &Column{Source: src, Target: dst})
			if err != nil {
				t.Fatal(err)
			}
			taken := 0
			rapid.Check(t, func(t *rapid.T) {
				v := draw(t, src.Type)
				row, mainErr := appendRow(nil, []copy.Column{{Source: "c", Target: "c", Rule: rule}}, [][]byte{v.text})
				field, err := e.field([]byte("before"), v.driver)
				var no refusal
				if err != nil && !errors.As(err, &no) {
					t.Fatal(err)
				}
				if (err != nil) != (mainErr != nil) {
					t.Fatalf("%q: the copy says %v, the second way %v", v.text, mainErr, err)
				}
				if err != nil {
					return
				}
				taken++
				want, got := canonical(t, dst.Type, row[6:]), canonical(t, dst.Type, bytes.TrimPrefix(field, []byte("before")))
				if !bytes.Equal(want, got) {
					t.Fatalf("%q: the copy makes %x, the second way %x", v.text, want, got)
				}
			})
			plain := src.Type.Length != 3 && dst.Type.Length == 0 && dst.Type.Precision == 0 && dst.Type.Raw == "" && dst.Type.Name != "character"
			if taken == 0 && plain {
				t.Error("all values were refused")
			}
		})
	})
}

// TestNumericIsShort: a numeric has the form that PostgreSQL keeps, however many zeros pgx sends.
func TestNumericIsShort(t *testing.T) {
	types := pgtype.NewMap()
	for _, tc := range []struct {
		n    pgtype.Numeric
		want string
	}{
		{pgtype.Numeric{Int: big.NewInt(100), Exp: -2, Valid: true}, "0001000000000002" + "0001"},
		{pgtype.Numeric{Int: big.NewInt(1), Exp: 8, Valid: true}, "0001000200000000" + "0001"},
		{pgtype.Numeric{Int: big.NewInt(-1), Exp: -8, Valid: true}, "0001fffe40000008" + "0001"},
		{pgtype.Numeric{Int: big.NewInt(0), Exp: -5, Valid: true}, "0000000000000005"},
	} {
		out, err := types.Encode(pgtype.NumericOID, pgtype.BinaryFormatCode, tc.n, []byte("x"))
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%x", shortNumeric(out, 1)[1:]); got != tc.want {
			t.Errorf("%v: %s, want %s", tc.n, got, tc.want)
		}
	}
}
