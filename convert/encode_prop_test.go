package convert

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"pgregory.net/rapid"

	"github.com/moodledb/moodledb/schema"
)

// decode reads a binary field with pgx, which shares no code with the encoders.
func decode[T any](t *rapid.T, oid uint32, field []byte) T {
	t.Helper()
	var v T
	if err := pgtype.NewMap().Scan(oid, pgtype.BinaryFormatCode, field, &v); err != nil {
		t.Fatalf("pgx cannot read %x: %v", field, err)
	}
	return v
}

// try runs an encoder; the kind is empty on success.
func try(t *rapid.T, e Encoder, value string) ([]byte, ErrorKind) {
	t.Helper()
	out, err := e(nil, []byte(value))
	if err == nil {
		return out, ""
	}
	var fault *ValueError
	if !errors.As(err, &fault) {
		t.Fatalf("%q: error %v is no ValueError", value, err)
	}
	return nil, fault.Kind
}

func TestIntegersArriveExactly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Int64().Draw(t, "v")
		text := strconv.FormatInt(v, 10)
		for _, c := range []struct {
			encode Encoder
			oid    uint32
			fits   bool
		}{
			{encodeInt2, pgtype.Int2OID, v == int64(int16(v))},
			{encodeInt4, pgtype.Int4OID, v == int64(int32(v))},
			{encodeInt8, pgtype.Int8OID, true},
		} {
			field, kind := try(t, c.encode, text)
			switch {
			case !c.fits && kind != OutOfRange:
				t.Fatalf("%s: kind %q", text, kind)
			case c.fits && kind != "":
				t.Fatalf("%s: kind %q", text, kind)
			case c.fits && decode[int64](t, c.oid, field) != v:
				t.Fatalf("%s became %x", text, field)
			}
		}
	})
}

func TestIntegersAgreeWithBig(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[-+]?0{0,30}[0-9]{0,25}`).Draw(t, "text")
		want, ok := new(big.Int).SetString(strings.TrimPrefix(text, "+"), 10)
		field, kind := try(t, encodeInt8, text)
		switch {
		case !ok && kind != BadSyntax,
			ok && want.IsInt64() && kind != "",
			ok && !want.IsInt64() && kind != OutOfRange:
			t.Fatalf("%q: kind %q", text, kind)
		case kind == "" && decode[int64](t, pgtype.Int8OID, field) != want.Int64():
			t.Fatalf("%q became %x", text, field)
		}
	})
}

// rat is the exact value of a decimal literal.
func rat(t *rapid.T, text string) *big.Rat {
	t.Helper()
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		t.Fatalf("%q is no number", text)
	}
	return r
}

// numericRat is the exact value of a numeric field, as pgx reads it.
func numericRat(t *rapid.T, field []byte) *big.Rat {
	t.Helper()
	n := decode[pgtype.Numeric](t, pgtype.NumericOID, field)
	r := new(big.Rat).SetInt(n.Int)
	power := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(n.Exp, -n.Exp))), nil)
	if n.Exp < 0 {
		return r.Quo(r, new(big.Rat).SetInt(power))
	}
	return r.Mul(r, new(big.Rat).SetInt(power))
}

func TestNumericsArriveExactly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`-?0{0,9}[0-9]{1,35}(\.[0-9]{1,30})?`).Draw(t, "text")
		precision := rapid.IntRange(0, 65).Draw(t, "precision")
		scale := 0
		if precision > 0 {
			scale = rapid.IntRange(0, min(30, precision)).Draw(t, "scale")
		}
		want := rat(t, text)
		field, kind := try(t, encodeNumeric(precision, scale), text)

		// The oracle: multiplied by 10^scale it is whole, and below 10^precision.
		shifted := new(big.Rat).Mul(want, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)))
		limit := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(precision)), nil))
		switch {
		case precision > 0 && !shifted.IsInt():
			if kind != NotExact {
				t.Fatalf("%s in numeric(%d,%d): kind %q", text, precision, scale, kind)
			}
			return
		case precision > 0 && new(big.Rat).Abs(shifted).Cmp(limit) >= 0:
			if kind != OutOfRange {
				t.Fatalf("%s in numeric(%d,%d): kind %q", text, precision, scale, kind)
			}
			return
		case kind != "":
			t.Fatalf("%s in numeric(%d,%d): kind %q", text, precision, scale, kind)
		}
		if got := numericRat(t, field); got.Cmp(want) != 0 {
			t.Fatalf("%s became %s (%x)", text, got, field)
		}
		display := int(binary.BigEndian.Uint16(field[6:]))
		if _, fraction, _ := strings.Cut(text, "."); precision == 0 && display != len(fraction) {
			t.Fatalf("%s: %d digits after the point", text, display)
		}
		if precision > 0 && display != scale {
			t.Fatalf("%s in numeric(%d,%d): %d digits after the point", text, precision, scale, display)
		}
		checkCanonical(t, field)
	})
}

// checkCanonical checks that a numeric field has the one form that PostgreSQL itself sends.
func checkCanonical(t *rapid.T, field []byte) {
	t.Helper()
	count := int(binary.BigEndian.Uint16(field))
	digits := field[8:]
	if len(digits) != 2*count {
		t.Fatalf("%d digits announced in %x", count, field)
	}
	if count == 0 {
		if binary.BigEndian.Uint32(field[2:]) != 0 {
			t.Fatalf("zero with weight or sign: %x", field)
		}
		return
	}
	if binary.BigEndian.Uint16(digits) == 0 || binary.BigEndian.Uint16(digits[2*count-2:]) == 0 {
		t.Fatalf("zeros at an end: %x", field)
	}
}

func TestFloatsArriveBitForBit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bits := rapid.Uint64().Draw(t, "bits")
		v := math.Float64frombits(bits)
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return
		}
		text := strconv.FormatFloat(v, 'g', -1, 64)
		field, kind := try(t, encodeFloat8, text)
		if kind != "" || math.Float64bits(decode[float64](t, pgtype.Float8OID, field)) != bits {
			t.Fatalf("%s: kind %q, field %x", text, kind, field)
		}
		// As decimals they agree as well, in whatever notation.
		if field, kind = try(t, decimalFloat8, strconv.FormatFloat(v, 'f', -1, 64)); len(text) < maxFloatText && kind == "" &&
			decode[float64](t, pgtype.Float8OID, field) != v {
			t.Fatalf("%s: kind %q, field %x", text, kind, field)
		}
		if field, kind = try(t, doubleNumeric(0, 0), text); kind != "" {
			t.Fatalf("%s as numeric: kind %q", text, kind)
		}
		if numericRat(t, field).Cmp(rat(t, text)) != 0 {
			t.Fatalf("%s became %s", text, numericRat(t, field))
		}

		narrow := rapid.Uint32().Draw(t, "narrow")
		f := math.Float32frombits(narrow)
		if f != f || math.IsInf(float64(f), 0) {
			return
		}
		// This is how MySQL prints FLOAT * 1e0.
		text = strconv.FormatFloat(float64(f), 'g', -1, 64)
		if field, kind = try(t, encodeFloat4, text); kind != "" || math.Float32bits(decode[float32](t, pgtype.Float4OID, field)) != narrow {
			t.Fatalf("%s: kind %q, field %x", text, kind, field)
		}
		if field, kind = try(t, floatNumeric(0, 0), text); kind != "" {
			t.Fatalf("%s as numeric: kind %q", text, kind)
		}
		if back, _ := numericRat(t, field).Float32(); back != f {
			t.Fatalf("%s became %s", text, numericRat(t, field))
		}
	})
}

func TestDecimalsAsFloatsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`-?[0-9]{1,12}(\.[0-9]{1,12})?`).Draw(t, "text")
		field, kind := try(t, decimalFloat8, text)
		v, _ := strconv.ParseFloat(text, 64)
		short := rat(t, strconv.FormatFloat(v, 'f', -1, 64))
		if same := short.Cmp(rat(t, text)) == 0; same != (kind == "") {
			t.Fatalf("%s: kind %q, shortest %s", text, kind, short)
		}
		if kind == "" && decode[float64](t, pgtype.Float8OID, field) != v {
			t.Fatalf("%s became %x", text, field)
		}
	})
}

func TestDatesArriveExactly(t *testing.T) {
	first := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	last := time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC).Unix()
	rapid.Check(t, func(t *rapid.T) {
		at := time.Unix(rapid.Int64Range(first, last).Draw(t, "second"), 0).UTC()
		at = at.Add(time.Duration(rapid.IntRange(0, 999999).Draw(t, "micro")) * time.Microsecond)

		field, kind := try(t, encodeDate, at.Format("2006-01-02"))
		if got := decode[time.Time](t, pgtype.DateOID, field); kind != "" || !got.Equal(at.Truncate(24*time.Hour)) {
			t.Fatalf("%s became %s (%s)", at, got, kind)
		}
		for digits := 0; digits <= 6; digits++ {
			layout := "2006-01-02 15:04:05"
			if digits > 0 {
				layout += "." + strings.Repeat("0", digits)
			}
			short := at.Truncate(time.Duration(fractionUnit(digits)) * time.Microsecond)
			field, kind := try(t, encodeTimestamp(digits), at.Format(layout))
			if got := decode[time.Time](t, pgtype.TimestamptzOID, field); kind != "" || !got.Equal(short) {
				t.Fatalf("%s became %s (%s)", short, got, kind)
			}
			if _, kind := try(t, encodeTimestamp(digits), at.Format("2006-01-02 15:04:05.000000")); (kind == "") != short.Equal(at) {
				t.Fatalf("%s in %d digits: %q", at, digits, kind)
			}
		}
	})
}

func TestCalendarAgreesWithTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		y, m, d := rapid.IntRange(0, 9999).Draw(t, "y"), rapid.IntRange(0, 13).Draw(t, "m"), rapid.IntRange(0, 32).Draw(t, "d")
		text := fmt.Sprintf("%04d-%02d-%02d", y, m, d)
		_, kind := try(t, encodeDate, text)
		_, err := time.Parse("2006-01-02", text)
		want := ErrorKind("")
		switch {
		case y == 0 || m == 0 || d == 0:
			want = ZeroDate
		case err != nil:
			want = BadDate
		}
		if kind != want {
			t.Fatalf("%s: kind %q, want %q", text, kind, want)
		}
	})
}

func TestSpansArriveExactly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		span := rapid.Int64Range(-(838*hour+59*minute+59*second), 838*hour+59*minute+59*second).Draw(t, "span")
		abs, sign := span, ""
		if span < 0 {
			abs, sign = -span, "-"
		}
		text := fmt.Sprintf("%s%02d:%02d:%02d.%06d", sign, abs/hour, abs/minute%60, abs/second%60, abs%second)
		field, kind := try(t, encodeInterval(6), text)
		got := decode[pgtype.Interval](t, pgtype.IntervalOID, field)
		if kind != "" || got.Microseconds != span || got.Days != 0 || got.Months != 0 {
			t.Fatalf("%s became %+v (%s)", text, got, kind)
		}
		if field, kind = try(t, encodeTime(6), text); (kind == "") != (span >= 0 && span <= day) {
			t.Fatalf("%s as time: %q", text, kind)
		}
		if kind == "" && decode[pgtype.Time](t, pgtype.TimeOID, field).Microseconds != span {
			t.Fatalf("%s became %x", text, field)
		}
	})
}

func TestBitsArriveExactly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.IntRange(1, 64).Draw(t, "width")
		v := rapid.Uint64().Draw(t, "v") >> (64 - width)
		src := binary.BigEndian.AppendUint64(nil, v)[8-(width+7)/8:]
		field, kind := try(t, encodeBits(width, "bit"), string(src))
		if kind != "" {
			t.Fatal(kind)
		}
		// PostgreSQL prints the bits from the left.
		bits := decode[pgtype.Bits](t, pgtype.BitOID, field)
		var text strings.Builder
		for i := range int(bits.Len) {
			text.WriteByte('0' + bits.Bytes[i/8]>>(7-i%8)&1)
		}
		if want := fmt.Sprintf("%0*b", width, v); text.String() != want {
			t.Fatalf("%s became %s", want, text.String())
		}
	})
}

func FuzzEncoders(f *testing.F) {
	for _, s := range []string{
		"", "0", "-1", "1.50", "1e308", "-838:59:59.000001", "2024-02-29 23:59:59.999999", "0000-00-00",
		"123e4567-e89b-12d3-a456-426655440000", "::ffff:1.2.3.4", "\x00", "\xff\xff", "9223372036854775808", ".5", "-.", strings.Repeat("9", 400),
	} {
		f.Add([]byte(s))
	}
	rules := allRules(f)
	f.Fuzz(func(t *testing.T, src []byte) {
		if len(src) > MaxEncoded {
			return
		}
		for _, rule := range rules {
			const before = "\x01\x02"
			out, err := rule.Encode([]byte(before), src)
			var fault *ValueError
			switch {
			case err != nil && !errors.As(err, &fault):
				t.Fatalf("%s: %v", rule.Name, err)
			case err == nil && (!strings.HasPrefix(string(out), before) || len(out)-len(before) > len(src)+MaxGrowth):
				t.Fatalf("%s: %x became %x", rule.Name, src, out)
			}
		}
	})
}

// allRules makes every encoding rule there is.
func allRules(t testing.TB) []ValueRule {
	t.Helper()
	names := []string{
		"tinyint", "year", "decimal", "float", "double", "varchar", "json", "longblob", "point", "bit",
		"date", "datetime", "timestamp", "time", "uuid", "inet6",
	}
	targets := map[string]bool{}
	var rules []ValueRule
	for _, p := range pairings() {
		for _, to := range p.to {
			if targets[to] {
				continue
			}
			targets[to] = true
			for _, from := range names {
				for _, length := range []int64{0, 4} {
					src, dst := pair(sized(from, length), schema.Type{Name: to, Length: length, Precision: 6, Scale: 2})
					if rule, err := Value(src, dst); err == nil && rule.Encode != nil {
						rules = append(rules, rule)
					}
				}
			}
		}
	}
	if len(rules) < 40 {
		t.Fatalf("only %d encoding rules", len(rules))
	}
	return rules
}

func TestEncodersDoNotAllocate(t *testing.T) {
	samples := []string{
		"1", "-127", "12345.67890", "0.30000000000000004", "1.7976931348623157e308", "2024-02-29", "2024-02-29 23:59:59.500000",
		"2024-02-29 00:00:00", "12:34:56.500000", "123e4567-e89b-12d3-a456-426655440000", "2001:db8::ff", "10.0.0.1", "\x01", "\x00\x00\x00\x07", "0123456789abcdef", "abc",
	}
	used := map[string]bool{}
	for _, rule := range allRules(t) {
		buf := make([]byte, 0, 1024)
		for _, s := range samples {
			src := []byte(s)
			if _, err := rule.Encode(buf, src); err != nil {
				continue
			}
			used[rule.Name] = true
			if n := testing.AllocsPerRun(20, func() { _, _ = rule.Encode(buf, src) }); n > 0 {
				t.Errorf("%s of %q: %.0f allocations", rule.Name, s, n)
			}
		}
		if !used[rule.Name] {
			t.Logf("%s accepts none of the samples", rule.Name)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	for _, c := range []struct {
		name, value string
		encode      Encoder
	}{
		{"bigint", "1700000000", encodeInt8},
		{"numeric", "12345.67890", encodeNumeric(10, 5)},
		{"double", "0.30000000000000004", encodeFloat8},
		{"datetime", "2024-02-29 23:59:59", encodeTimestamp(6)},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			buf, src := make([]byte, 0, 256), []byte(c.value)
			for b.Loop() {
				if _, err := c.encode(buf, src); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
