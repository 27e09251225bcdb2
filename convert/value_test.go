package convert

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/schema"
)

// pair makes two columns of the given types.
func pair(src, dst schema.Type) (schema.Column, schema.Column) {
	return schema.Column{Name: "c", Type: src}, schema.Column{Name: "c", Type: dst}
}

func typ(name string) schema.Type { return schema.Type{Name: name} }

func sized(name string, n int64) schema.Type { return schema.Type{Name: name, Length: n} }

func number2(name string, p, s int) schema.Type {
	return schema.Type{Name: name, Precision: p, Scale: s}
}

// encode runs the rule of a pair over one value, as the copy does.
func encode(t testing.TB, src, dst schema.Type, value string) ([]byte, error) {
	t.Helper()
	rule, err := Value(pair(src, dst))
	if err != nil {
		t.Fatal(err)
	}
	if rule.Raw {
		if rule.MaxChars > 0 {
			if err := CheckChars([]byte(value), rule.MaxChars, rule.Target); err != nil {
				return nil, err
			}
		}
		return append(append([]byte{}, rule.Prefix...), value...), nil
	}
	const before = "before"
	out, err := rule.Encode([]byte(before), []byte(value))
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(string(out), before) {
		t.Fatalf("the encoder changed what it should append to: %q", out)
	}
	out = out[len(before):]
	if len(out) > len(value)+MaxGrowth {
		t.Fatalf("%d bytes became %d", len(value), len(out))
	}
	return out, nil
}

func TestValueEncodes(t *testing.T) {
	f8 := func(v float64) string {
		return hex.EncodeToString(binary.BigEndian.AppendUint64(nil, math.Float64bits(v)))
	}
	f4 := func(v float32) string {
		return hex.EncodeToString(binary.BigEndian.AppendUint32(nil, math.Float32bits(v)))
	}
	tests := []struct {
		name     string
		src, dst schema.Type
		value    string
		want     string // hex
	}{
		{"tinyint least", typ("tinyint"), typ("smallint"), "-128", "ff80"},
		{"smallint most", typ("smallint"), typ("smallint"), "32767", "7fff"},
		{"smallint least", typ("smallint"), typ("smallint"), "-32768", "8000"},
		{"int with zerofill", typ("int"), typ("integer"), "000042", "0000002a"},
		{"int least", typ("int"), typ("integer"), "-2147483648", "80000000"},
		{"bigint most", typ("bigint"), typ("bigint"), "9223372036854775807", "7fffffffffffffff"},
		{"bigint least", typ("bigint"), typ("bigint"), "-9223372036854775808", "8000000000000000"},
		{"many leading zeros", typ("bigint"), typ("bigint"), strings.Repeat("0", 100) + "7", "0000000000000007"},
		{"year", typ("year"), typ("smallint"), "0000", "0000"},
		{"text of digits", typ("varchar"), typ("bigint"), "-17", "ffffffffffffffef"},
		{"whole decimal", typ("decimal"), typ("integer"), "-12.000", "fffffff4"},
		{"whole double", typ("double"), typ("bigint"), "1e15", "00038d7ea4c68000"},
		{"bit as number", sized("bit", 12), typ("integer"), "\x01\x05", "00000105"},
		{"true", typ("tinyint"), typ("boolean"), "1", "01"},
		{"false", typ("tinyint"), typ("boolean"), "0", "00"},
		{"bit as truth", sized("bit", 1), typ("boolean"), "\x01", "01"},

		{"double", typ("double"), typ("double precision"), "0.30000000000000004", f8(0.30000000000000004)},
		{"double most", typ("double"), typ("double precision"), "1.7976931348623157e308", f8(math.MaxFloat64)},
		{"double least", typ("double"), typ("double precision"), "5e-324", f8(5e-324)},
		{"minus zero", typ("double"), typ("double precision"), "-0", f8(math.Copysign(0, -1))},
		{"float as double", typ("float"), typ("double precision"), "0.10000000149011612", f8(0.10000000149011612)},
		{"float", typ("float"), typ("real"), "0.10000000149011612", f4(0.1)},
		{"float denormal", typ("float"), typ("real"), "1.401298464324817e-45", f4(math.SmallestNonzeroFloat32)},
		{"int as double", typ("bigint"), typ("double precision"), "-9007199254740992", f8(-9007199254740992)},
		{"large even int as double", typ("bigint"), typ("double precision"), "1152921504606846976", f8(1 << 60)},
		{"decimal as double", typ("decimal"), typ("double precision"), "00012.34500", f8(12.345)},
		{"decimal as real", typ("decimal"), typ("real"), "0.00005", f4(0.00005)},
		{"double as real when it reads the same", typ("double"), typ("real"), "0.1", f4(0.1)},

		{"zero", number2("decimal", 10, 5), number2("numeric", 10, 5), "0.00000", "0000000000000005"},
		{"minus zero decimal", number2("decimal", 10, 5), number2("numeric", 10, 5), "-0.00000", "0000000000000005"},
		{"one", number2("decimal", 10, 5), number2("numeric", 10, 5), "1.00000", "00010000000000050001"},
		{"negative", number2("decimal", 10, 5), number2("numeric", 10, 5), "-12345.67891", "000400014000000500010929" + "1a85" + "03e8"},
		{"small", number2("decimal", 20, 10), number2("numeric", 20, 10), "0.0000000001", "0001fffd0000000a0064"},
		{"group of zeros inside", number2("decimal", 20, 0), number2("numeric", 20, 0), "100000000", "00010002000000000001"},
		{"shorter target scale that loses only zeros", number2("decimal", 10, 5), number2("numeric", 10, 2), "1.50000", "0002000000000002" + "0001" + "1388"},
		{"unlimited keeps digits", number2("decimal", 10, 5), typ("numeric"), "1.50000", "0002000000000005" + "0001" + "1388"},
		{"unsigned bigint", typ("bigint"), number2("numeric", 20, 0), "18446744073709551615", "00050004000000000734" + "1a58" + "02e1" + "03bb" + "064f"},
		{"double as numeric", typ("double"), typ("numeric"), "1e3", "00010000000000" + "00" + "03e8"},
		{"float as numeric", typ("float"), number2("numeric", 12, 7), "0.10000000149011612", "0001ffff00000007" + "03e8"},

		{"varchar", sized("varchar", 255), sized("character varying", 255), "a\\\t\n\r\\.", hex.EncodeToString([]byte("a\\\t\n\r\\."))},
		{"empty", typ("longtext"), typ("text"), "", ""},
		{"int as text", typ("int"), sized("character varying", 10), "-5", "2d35"},
		{"float as text", typ("float"), typ("text"), "0.10000000149011612", hex.EncodeToString([]byte("0.1"))},
		{"longer source that fits", sized("varchar", 300), sized("character varying", 3), "äöü", hex.EncodeToString([]byte("äöü"))},
		{"char", sized("char", 5), sized("character", 5), "ab", "6162"},
		{"bpchar", sized("varchar", 9), schema.Type{Name: "character", Raw: "bpchar"}, "abc", "616263"},
		{"bit without a length", sized("bit", 12), schema.Type{Name: "bit", Raw: `"bit"`}, "\x00\x05", "0000000c0050"},
		{"json", typ("json"), typ("json"), "{}", "7b7d"},
		{"jsonb", typ("longtext"), typ("jsonb"), "{}", "017b7d"},
		{"blob", typ("longblob"), typ("bytea"), "\xff\x00\\", "ff005c"},
		{"point", typ("point"), typ("bytea"), "\x00\x01", "0001"},

		{"date", typ("date"), typ("date"), "2000-01-01", "00000000"},
		{"early date", typ("date"), typ("date"), "0001-01-01", "fff4dbf9"},
		{"leap day", typ("date"), typ("date"), "2024-02-29", "00002279"},
		{"datetime", typ("datetime"), typ("timestamp without time zone"), "2000-01-01 00:00:01.5", "000000000016e360"},
		{"before the epoch", typ("datetime"), typ("timestamp without time zone"), "1999-12-31 23:59:59", "fffffffffff0bdc0"},
		{"timestamp", typ("timestamp"), typ("timestamp with time zone"), "2000-01-01 00:00:00.000001", "0000000000000001"},
		{"midnight as date", typ("datetime"), typ("date"), "2000-01-02 00:00:00", "00000001"},
		{"time", typ("time"), typ("time without time zone"), "24:00:00", "000000141dd76000"},
		{"negative span", typ("time"), typ("interval"), "-838:59:59.000000", "fffffd40c230c640" + strings.Repeat("0", 16)},
		{"tiny negative span", typ("time"), typ("interval"), "-00:00:00.000001", "ffffffffffffffff" + strings.Repeat("0", 16)},

		{"uuid", typ("uuid"), typ("uuid"), "123e4567-e89b-12d3-a456-426655440000", "123e4567e89b12d3a456426655440000"},
		{"uuid of bytes", sized("binary", 16), typ("uuid"), "0123456789abcdef", hex.EncodeToString([]byte("0123456789abcdef"))},
		{"inet4", typ("inet4"), typ("inet"), "10.1.2.3", "022000040a010203"},
		{"inet6", typ("inet6"), typ("inet"), "2001:db8::ff", "0380001020010db8" + strings.Repeat("0", 22) + "ff"},
		{"mapped inet6", typ("inet6"), typ("inet"), "::ffff:1.2.3.4", "03800010" + strings.Repeat("0", 20) + "ffff01020304"},
		{"bits", sized("bit", 12), sized("bit", 12), "\x00\x05", "0000000c0050"},
		{"64 bits", sized("bit", 64), sized("bit varying", 64), "\x80\x00\x00\x00\x00\x00\x00\x01", "000000408000000000000001"},
		{"one bit", sized("bit", 1), sized("bit", 1), "\x01", "0000000180"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := encode(t, test.src, test.dst, test.value)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, hex.EncodeToString(got)); diff != "" {
				t.Errorf("%q (-want +got):\n%s", test.value, diff)
			}
		})
	}
}

func TestValueRefuses(t *testing.T) {
	timestamp3 := schema.Type{Name: "timestamp without time zone", Raw: "timestamp(3) without time zone", Precision: 3}
	timestamp0 := schema.Type{Name: "timestamp without time zone", Raw: "timestamp(0) without time zone"}
	tests := []struct {
		name     string
		src, dst schema.Type
		value    string
		want     ErrorKind
	}{
		{"smallint overflow", typ("int"), typ("smallint"), "32768", OutOfRange},
		{"smallint underflow", typ("int"), typ("smallint"), "-32769", OutOfRange},
		{"integer overflow", typ("int"), typ("integer"), "4294967295", OutOfRange},
		{"unsigned bigint", typ("bigint"), typ("bigint"), "9223372036854775808", OutOfRange},
		{"more than 64 bits", typ("decimal"), typ("bigint"), "18446744073709551617", OutOfRange},
		{"very many digits", typ("varchar"), typ("bigint"), strings.Repeat("9", 60), OutOfRange},
		{"wraps to a small number", typ("varchar"), typ("smallint"), "36893488147419103233", OutOfRange},
		{"empty text as number", typ("varchar"), typ("bigint"), "", BadSyntax},
		{"blank before a number", typ("varchar"), typ("bigint"), " 1", BadSyntax},
		{"sign alone", typ("varchar"), typ("bigint"), "-", BadSyntax},
		{"letters", typ("varchar"), typ("bigint"), "1a", BadSyntax},
		{"decimal with a fraction", typ("decimal"), typ("bigint"), "1.50", NotExact},
		{"double with a fraction", typ("double"), typ("bigint"), "1.5", NotExact},
		{"double too large", typ("double"), typ("bigint"), "9223372036854775808", OutOfRange},
		{"64-bit BIT", sized("bit", 64), typ("bigint"), "\x80\x00\x00\x00\x00\x00\x00\x00", OutOfRange},
		{"tinyint as truth", typ("tinyint"), typ("boolean"), "2", OutOfRange},
		{"minus one as truth", typ("tinyint"), typ("boolean"), "-1", OutOfRange},

		{"large odd int as double", typ("bigint"), typ("double precision"), "9007199254740993", NotExact},
		{"2^64-1 as double", typ("bigint"), typ("double precision"), "18446744073709551615", NotExact},
		{"long decimal as double", typ("decimal"), typ("double precision"), "0.1234567890123456789", NotExact},
		{"double as real", typ("double"), typ("real"), "0.123456789", NotExact},
		{"double too large for real", typ("double"), typ("real"), "1e39", OutOfRange},
		{"infinity", typ("varchar"), typ("double precision"), "inf", BadSyntax},
		{"hexadecimal", typ("varchar"), typ("double precision"), "0x1p3", BadSyntax},
		{"underscore", typ("varchar"), typ("double precision"), "1_0", BadSyntax},
		{"out of double's range", typ("varchar"), typ("double precision"), "1e999", OutOfRange},

		{"decimal rounded", number2("decimal", 10, 5), number2("numeric", 10, 2), "1.005", NotExact},
		{"decimal too wide", number2("decimal", 10, 5), number2("numeric", 5, 2), "1000.00", OutOfRange},
		{"decimal with two points", typ("varchar"), typ("numeric"), "1.2.3", BadSyntax},
		{"no digits", typ("varchar"), typ("numeric"), "-.", BadSyntax},
		{"exponent", typ("varchar"), typ("numeric"), "1e5", BadSyntax},
		{"NaN", typ("varchar"), typ("numeric"), "NaN", BadSyntax},
		{"double rounded", typ("double"), number2("numeric", 10, 2), "0.125", NotExact},
		{"scale above precision", typ("varchar"), number2("numeric", 2, 4), "0.01", OutOfRange},
		{"negative scale", typ("int"), number2("numeric", 3, -2), "12345", NotExact},

		{"text too long", sized("longtext", 1<<32-1), sized("character varying", 3), "abcd", TooLong},
		{"blanks that PostgreSQL would cut off", sized("varchar", 300), sized("character varying", 3), "abc   ", TooLong},
		{"number too long for text", typ("bigint"), sized("character varying", 3), "1234", TooLong},
		{"blanks at the end of char", sized("varchar", 5), sized("character", 5), "ab ", NotExact},

		{"zero date", typ("date"), typ("date"), "0000-00-00", ZeroDate},
		{"zero datetime", typ("datetime"), typ("timestamp without time zone"), "0000-00-00 00:00:00", ZeroDate},
		{"zero day", typ("date"), typ("date"), "2024-01-00", ZeroDate},
		{"zero month", typ("date"), typ("date"), "2024-00-10", ZeroDate},
		{"year zero", typ("date"), typ("date"), "0000-01-01", ZeroDate},
		{"invalid day", typ("date"), typ("date"), "2023-02-29", BadDate},
		{"invalid hour", typ("varchar"), typ("timestamp without time zone"), "2023-02-01 24:00:00", BadDate},
		{"datetime with a time as date", typ("datetime"), typ("date"), "2023-02-01 00:00:01", NotExact},
		{"rounded second", typ("datetime"), timestamp3, "2023-02-01 00:00:00.123456", NotExact},
		{"rounded to whole seconds", typ("datetime"), timestamp0, "2023-02-01 00:00:00.500", NotExact},
		{"date without hyphens", typ("varchar"), typ("date"), "20230201", BadSyntax},
		{"negative time", typ("time"), typ("time without time zone"), "-00:00:01", OutOfRange},
		{"long time", typ("time"), typ("time without time zone"), "24:00:01", OutOfRange},
		{"minute 60", typ("varchar"), typ("time without time zone"), "10:60:00", BadSyntax},

		{"short uuid", typ("varchar"), typ("uuid"), "123", BadSyntax},
		{"misplaced hyphen", typ("varchar"), typ("uuid"), "123e4567e-89b-12d3-a456-426655440000", BadSyntax},
		{"hyphen among digits", typ("varchar"), typ("uuid"), "-23e4567e89b12d3a456426655440000", BadSyntax},
		{"uuid of 15 bytes", sized("binary", 16), typ("uuid"), "123456789012345", BadSyntax},
		{"address with zone", typ("varchar"), typ("inet"), "fe80::1%eth0", BadSyntax},
		{"address with prefix", typ("varchar"), typ("inet"), "10.0.0.0/8", BadSyntax},
		{"more bits than declared", sized("bit", 4), sized("bit", 4), "\x10", BadSyntax},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := encode(t, test.src, test.dst, test.value)
			var value *ValueError
			if !errors.As(err, &value) {
				t.Fatalf("%q became %x, error %v", test.value, got, err)
			}
			if value.Kind != test.want {
				t.Errorf("%q: %s (%v), want %s", test.value, value.Kind, value, test.want)
			}
			if value.Hint() == "" || value.Target == "" || value.Value == "" {
				t.Errorf("incomplete error: %#v", value)
			}
		})
	}
}

func TestValueNoRule(t *testing.T) {
	tests := []struct {
		name     string
		src, dst schema.Type
		want     string
	}{
		{"unknown source", typ("xmltype"), typ("text"), `column "c": unknown source type "xmltype"`},
		{"unknown target", typ("int"), typ("money"), `column "c": unknown target type "money"`},
		{"array", typ("int"), typ("integer[]"), `column "c": unknown target type "integer[]"`},
		{"a date is no number", typ("date"), typ("bigint"), `column "c": values of type date do not fit type bigint`},
		{"a datetime has no zone", typ("datetime"), typ("timestamp with time zone"), `column "c": values of type datetime do not fit type timestamp with time zone`},
		{"bits of another length", sized("bit", 8), sized("bit", 9), `column "c": values of type bit(8) do not fit type bit(9)`},
		{
			"an interval of days", typ("time"),
			schema.Type{Name: "interval", Raw: "interval day"},
			`column "c": values of type time do not fit type interval day`,
		},
		{"fewer varying bits", sized("bit", 8), sized("bit varying", 7), `column "c": values of type bit(8) do not fit type bit varying(7)`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Value(pair(test.src, test.dst))
			if err == nil || err.Error() != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

func TestValueRuleProperties(t *testing.T) {
	src, dst := pair(typ("float"), typ("real"))
	dst.NotNull = true
	rule, err := Value(src, dst)
	if err != nil {
		t.Fatal(err)
	}
	if got := rule.Expression("`c`"); got != "`c`*1e0" {
		t.Errorf("a FLOAT is selected as %s", got)
	}
	if !rule.NotNull || rule.Name != "float to real" || rule.Target != "real" {
		t.Errorf("unexpected rule: %+v", rule)
	}
	src.NotNull = true
	if rule, _ = Value(src, dst); rule.NotNull {
		t.Error("a source that has no NULL is checked for NULL")
	}
	if rule, _ = Value(pair(sized("varchar", 255), sized("character varying", 255))); rule.MaxChars != 0 || !rule.Raw || !rule.Text {
		t.Errorf("equal lengths need no check: %+v", rule)
	}
}

func TestTextScanner(t *testing.T) {
	long := strings.Repeat("ü", 50)
	tests := []struct {
		name, text, want string
	}{
		{"clean", "a\u00e4\u20ac\U0001F600", ""},
		{"nul", "ab\x00cd", `"ab\x00cd" holds a zero byte, which text cannot store: at byte 3`},
		{"latin1", "caf\xe9 noir", `"caf\xe9 noir" is not valid UTF-8, which text must be: 0xe9 at byte 4`},
		{"surrogate", "\xed\xa0\x80", `"\xed\xa0\x80" is not valid UTF-8, which text must be: 0xeda080 at byte 1`},
		{"overlong", "\xc0\x80", `"\xc0\x80" is not valid UTF-8, which text must be: 0xc080 at byte 1`},
		{"cut off at the end", "ab\xe2\x82", `"ab\xe2\x82" is not valid UTF-8, which text must be: 0xe282 at byte 3`},
		{
			"deep inside", long + "\x00" + long,
			`..."üüüüüüüüüüüü\x00üüüüüüüüüüü\xc3"... holds a zero byte, which text cannot store: at byte 101`,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			// The pieces in which a text comes make no difference.
			for size := 1; size <= len(test.text); size++ {
				var s TextScanner
				var err error
				for rest := []byte(test.text); len(rest) > 0 && err == nil; {
					n := min(size, len(rest))
					err = s.Scan(rest[:n], "text")
					rest = rest[n:]
				}
				if err == nil {
					err = s.End("text")
				}
				switch {
				case test.want == "":
					if err != nil {
						t.Fatalf("pieces of %d: %v", size, err)
					}
				case err == nil:
					t.Fatalf("pieces of %d: no fault", size)
				case size == len(test.text) && err.Error() != test.want:
					t.Errorf("got  %v\nwant %s", err, test.want)
				}
				var value *ValueError
				if errors.As(err, &value) && !strings.HasSuffix(test.want, value.Detail[strings.Index(value.Detail, "at byte"):]) {
					t.Errorf("pieces of %d: %s, want %s", size, value.Detail, test.want)
				}
			}
		})
	}
}

func TestPrintable(t *testing.T) {
	for _, test := range []struct{ name, in, want string }{
		{"short", "a'b\n", `"a'b\n"`},
		{"long", strings.Repeat("x", 100), `"` + strings.Repeat("x", 64) + `"... (100 bytes)`},
		{"cut between characters", "x" + strings.Repeat("ü", 60), `"x` + strings.Repeat("ü", 31) + `"... (121 bytes)`},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := Printable([]byte(test.in)); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}
