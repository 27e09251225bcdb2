package convert

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/moodledb/moodledb/schema"
)

func TestParseFix(t *testing.T) {
	for _, test := range []struct{ in, kind, rule, err string }{
		{"invalid-utf8=replacement", "invalid-utf8", "replacement", ""},
		{" zero-date = epoch ", "zero-date", "epoch", ""},
		{"refused=quarantine", "refused", "quarantine", ""},
		{"null=stop", "null", "stop", ""},
		{"zero-date", "", "", `"zero-date" is no rule for bad values: give KIND=RULE, where KIND is nul-byte, invalid-utf8, zero-date, bad-date, out-of-range, not-exact, too-long, null, bad-syntax or refused`},
		{"zero-date=", "", "", `"" is no rule for bad values of kind zero-date: give null, epoch, clamp, quarantine or stop`},
		{"zero-date=strip", "", "", `"strip" is no rule for bad values of kind zero-date: give null, epoch, clamp, quarantine or stop`},
		{"refused=null", "", "", `"null" is no rule for bad values of kind refused: give stop or quarantine`},
		{"=null", "", "", `unknown kind "" of bad values: give nul-byte, invalid-utf8, zero-date, bad-date, out-of-range, not-exact, too-long, null, bad-syntax or refused`},
	} {
		kind, rule, err := ParseFix(test.in)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if string(kind) != test.kind || string(rule) != test.rule || got != test.err {
			t.Errorf("%q: %q, %q, %q", test.in, kind, rule, got)
		}
	}
}

func TestParseBadValueMode(t *testing.T) {
	for _, mode := range BadValueModes() {
		if got, err := ParseBadValueMode(string(mode)); got != mode || err != nil {
			t.Errorf("%s: %q, %v", mode, got, err)
		}
	}
	if _, err := ParseBadValueMode(""); err == nil || err.Error() != `unknown mode "" for bad values: give stop, fix or quarantine` {
		t.Error(err)
	}
}

func TestEveryKindHasRules(t *testing.T) {
	// All kinds of errors that there are.
	kinds := []ErrorKind{OutOfRange, NotExact, ZeroDate, BadDate, BadSyntax, TooLong, NullValue, NulByte, InvalidUTF8, Refused}
	defaults := DefaultFixes()
	for _, kind := range kinds {
		rules := FixRules(kind)
		if !slices.Contains(FixKinds(), kind) || !slices.Contains(rules, FixStop) || !slices.Contains(rules, FixQuarantine) || defaults[kind] != rules[0] {
			t.Errorf("%s: %v, default %q", kind, rules, defaults[kind])
		}
	}
	if len(defaults) != len(kinds) || FixRules("other") != nil {
		t.Errorf("%v", defaults)
	}
}

// fixCase is a value with a fault and what a rule makes of it.
type fixCase struct {
	src, dst string
	value    string // "NULL" is NULL
	kind     ErrorKind
	rule     FixRule
	fixed    string // as the source would send it
	stored   string // as PostgreSQL prints it; empty when the same
}

// spelled makes a type of its spelling.
func spelled(s string) schema.Type {
	name, rest, found := strings.Cut(s, "(")
	typ := schema.Type{Name: name, Raw: s}
	if !found {
		return typ
	}
	rest, tail, _ := strings.Cut(rest, ")")
	typ.Name += tail
	first, second, two := strings.Cut(rest, ",")
	n := func(s string) int64 {
		v, negative := int64(0), strings.HasPrefix(s, "-")
		for _, c := range strings.TrimPrefix(s, "-") {
			v = v*10 + int64(c-'0')
		}
		if negative {
			return -v
		}
		return v
	}
	typ.Length = n(first)
	if two || strings.HasPrefix(name, "time") || name == "numeric" || name == "interval" {
		typ.Length, typ.Precision, typ.Scale = 0, int(n(first)), int(n(second))
	}
	return typ
}

func fixCases() []fixCase {
	const (
		ts = "timestamp without time zone"
		tz = "timestamp with time zone"
		ti = "time without time zone"
		vc = "character varying"
	)
	return []fixCase{
		{"bigint", "smallint", "40000", OutOfRange, FixClamp, "32767", ""},
		{"bigint", "smallint", "-40000", OutOfRange, FixClamp, "-32768", ""},
		{"bigint", "integer", "2147483648", OutOfRange, FixClamp, "2147483647", ""},
		{"bigint", "bigint", "18446744073709551615", OutOfRange, FixClamp, "9223372036854775807", ""},
		{"decimal", "bigint", "-99999999999999999999", OutOfRange, FixClamp, "-9223372036854775808", ""},
		{"double", "bigint", "1e300", OutOfRange, FixClamp, "9223372036854774784", ""},
		{"double", "bigint", "-1e300", OutOfRange, FixClamp, "-9223372036854775808", ""},
		{"float", "smallint", "1e30", OutOfRange, FixClamp, "32767", ""},
		{"bit(64)", "bigint", "\xff\xff\xff\xff\xff\xff\xff\xff", OutOfRange, FixClamp, "\x7f\xff\xff\xff\xff\xff\xff\xff", "9223372036854775807"},
		{"bit(20)", "smallint", "\x0f\xff\xff", OutOfRange, FixClamp, "\x00\x00\x00\x00\x00\x00\x7f\xff", "32767"},
		{"tinyint", "boolean", "2", OutOfRange, FixClamp, "1", "true"},
		{"tinyint", "boolean", "-1", OutOfRange, FixClamp, "1", "true"},
		{"bit(2)", "boolean", "\x02", OutOfRange, FixClamp, "\x01", "true"},
		{"varchar(500)", "double precision", "-1e400", OutOfRange, FixClamp, "-1.7976931348623157e+308", ""},
		{"double", "real", "1e39", OutOfRange, FixClamp, "3.4028235e+38", ""},
		{"decimal", "numeric(5,2)", "1000.00", OutOfRange, FixClamp, "999.99", ""},
		{"decimal", "numeric(5,2)", "-1000.00", OutOfRange, FixClamp, "-999.99", ""},
		{"decimal", "numeric(2,4)", "0.1", OutOfRange, FixClamp, "0.0099", ""},
		{"decimal", "numeric(3,-2)", "1000000", OutOfRange, FixClamp, "99900", ""},
		{"double", "numeric(5,2)", "-1e10", OutOfRange, FixClamp, "-999.99", ""},
		{"double", "numeric(20,2)", "1e30", OutOfRange, FixClamp, "9.999999999999999e+17", "999999999999999900.00"},
		{"float", "numeric(10,5)", "1.0000000150474662e+30", OutOfRange, FixClamp, "99999.9921875", "99999.99000"},
		{"bit(64)", "numeric(5,2)", "\xff\xff", OutOfRange, FixClamp, "\x00\x00\x00\x00\x00\x00\x03\xe7", "999.00"},
		{"time", ti, "-00:00:01", OutOfRange, FixClamp, "00:00:00", ""},
		{"time", ti, "24:00:01", OutOfRange, FixClamp, "24:00:00", ""},
		{"bigint", "smallint", "40000", OutOfRange, FixNull, "NULL", ""},

		{"decimal", "integer", "1.5", NotExact, FixRound, "2", ""},
		{"decimal", "integer", "-1.5", NotExact, FixRound, "-2", ""},
		{"decimal", "integer", "-0.4", NotExact, FixRound, "0", ""},
		{"decimal", "integer", "9.50", NotExact, FixRound, "10", ""},
		{"double", "integer", "2.5", NotExact, FixRound, "3", ""},
		{"double", "integer", "-0.4", NotExact, FixRound, "0", ""},
		{"double", "integer", "-0", NotExact, FixRound, "0", ""},
		{"decimal", "numeric(10,2)", "1.005", NotExact, FixRound, "1.01", ""},
		{"decimal", "numeric(10,2)", "-0.004", NotExact, FixRound, "0.00", ""},
		{"decimal", "numeric(10,2)", "9.999", NotExact, FixRound, "10.00", ""},
		{"decimal", "numeric(5,0)", "0.5", NotExact, FixRound, "1", ""},
		{"decimal", "numeric(5,-2)", "150", NotExact, FixRound, "200", ""},
		{"decimal", "numeric(5,-2)", "49", NotExact, FixRound, "0", ""},
		{"decimal", "numeric(5,-2)", "50", NotExact, FixRound, "100", ""},
		{"decimal", "numeric(5,-3)", "50", NotExact, FixRound, "0", ""},
		{"double", "numeric(10,2)", "0.125", NotExact, FixRound, "0.13", ""},
		{"float", "numeric(10,2)", "0.12345678359270096", NotExact, FixRound, "0.11999999731779099", "0.12"},
		{"float", "numeric", "0.1", NotExact, FixRound, "0.10000000149011612", "0.1"},
		{"float", "real", "0.1", NotExact, FixRound, "0.10000000149011612", "0.1"},
		{"float", "real", "1e39", NotExact, FixRound, "3.4028234663852886e+38", "3.4028235e+38"},
		{"float", "text", "0.1", NotExact, FixRound, "0.10000000149011612", "0.1"},
		{"bigint", "double precision", "9007199254740993", NotExact, FixRound, "9007199254740992", "9.007199254740992e+15"},
		{"bigint", "double precision", "18446744073709551615", NotExact, FixRound, "18446744073709549568", "1.844674407370955e+19"},
		{"bigint", "real", "-16777217", NotExact, FixRound, "-16777216", "-1.6777216e+07"},
		{"bigint", "real", "18446744073709551615", NotExact, FixRound, "18446742974197923840", "1.8446743e+19"},
		{"decimal", "double precision", "0.1234567890123456789", NotExact, FixRound, "0.12345678901234568", ""},
		{"double", "real", "0.1234567890123", NotExact, FixRound, "0.12345679", ""},
		{"double", "real", "1e-60", NotExact, FixRound, "0", ""},
		{"datetime", "date", "2024-02-29 23:59:59", NotExact, FixRound, "2024-02-29", ""},
		{"datetime", "timestamp(0) without time zone", "2024-12-31 23:59:59.500000", NotExact, FixRound, "2025-01-01 00:00:00", ""},
		{"datetime", "timestamp(3) without time zone", "1969-12-31 23:59:59.9994", NotExact, FixRound, "1969-12-31 23:59:59.999", ""},
		{"datetime", "timestamp(0) without time zone", "9999-12-31 23:59:59.5", NotExact, FixRound, "9999-12-31 23:59:59", ""},
		{"timestamp", "timestamp(0) with time zone", "2024-12-31 12:00:00.4", NotExact, FixRound, "2024-12-31 12:00:00", "2024-12-31 12:00:00+00"},
		{"time", "time(0) without time zone", "23:59:59.6", NotExact, FixRound, "24:00:00", ""},
		{"time", "interval(0)", "-838:59:58.6", NotExact, FixRound, "-838:59:59", ""},
		{"time", "interval(2)", "00:00:00.125", NotExact, FixRound, "00:00:00.13", ""},
		{"varchar(10)", "character(5)", "ab  ", NotExact, FixRound, "ab", ""},
		{"varchar(10)", "character(5)", "  ", NotExact, FixRound, "", "-"},
		{"decimal", "integer", "1.5", NotExact, FixNull, "NULL", ""},

		{"date", "date", "0000-00-00", ZeroDate, FixNull, "NULL", ""},
		{"date", "date", "0000-00-00", ZeroDate, FixEpoch, "1970-01-01", ""},
		{"date", "date", "0000-00-00", ZeroDate, FixClamp, "0001-01-01", ""},
		{"date", "date", "2024-05-00", ZeroDate, FixClamp, "2024-05-01", ""},
		{"date", "date", "2024-00-00", ZeroDate, FixClamp, "2024-01-01", ""},
		{"datetime", ts, "0000-00-00 00:00:00", ZeroDate, FixEpoch, "1970-01-01", "1970-01-01 00:00:00"},
		{"datetime", ts, "2024-00-31 12:34:56.7", ZeroDate, FixClamp, "2024-01-31 12:34:56.7", ""},
		{"timestamp", tz, "0000-00-00 00:00:00", ZeroDate, FixEpoch, "1970-01-01", "1970-01-01 00:00:00+00"},
		{"date", "date", "2023-02-31", BadDate, FixClamp, "2023-02-28", ""},
		{"date", "date", "2023-02-31", BadDate, FixNull, "NULL", ""},
		{"date", "date", "2023-02-31", BadDate, FixEpoch, "1970-01-01", ""},
		{"varchar(30)", ts, "2023-13-31 25:00:00", BadDate, FixClamp, "2023-12-31 23:59:59", ""},

		{"varchar(30)", "bigint", "", BadSyntax, FixNull, "NULL", ""},
		{"varchar(30)", "bigint", "abc", BadSyntax, FixEmpty, "0", ""},
		{"varchar(30)", ti, "noon", BadSyntax, FixEmpty, "00:00:00", ""},
		{"varchar(30)", "uuid", "x", BadSyntax, FixNull, "NULL", ""},

		{"varchar(30)", vc + "(30)", "NULL", NullValue, FixEmpty, "", "-"},
		{"longblob", "bytea", "NULL", NullValue, FixEmpty, "", "-"},
		{"varchar(30)", "character(3)", "NULL", NullValue, FixEmpty, "", "-"},
		{"int", vc + "(30)", "NULL", NullValue, FixEmpty, "0", ""},
		{"int", "integer", "NULL", NullValue, FixEmpty, "0", ""},
		{"tinyint", "boolean", "NULL", NullValue, FixEmpty, "0", "false"},
		{"bit(1)", "boolean", "NULL", NullValue, FixEmpty, "\x00", "false"},
		{"bit(12)", "bit(12)", "NULL", NullValue, FixEmpty, "\x00\x00", "000000000000"},
		{"bit(12)", "integer", "NULL", NullValue, FixEmpty, "\x00", "0"},
		{"decimal", "numeric(10,5)", "NULL", NullValue, FixEmpty, "0", "0.00000"},
		{"double", "double precision", "NULL", NullValue, FixEmpty, "0", ""},
		{"float", "text", "NULL", NullValue, FixEmpty, "0", ""},
		{"time", ti, "NULL", NullValue, FixEmpty, "00:00:00", ""},
		{"time", "interval", "NULL", NullValue, FixEmpty, "00:00:00", ""},
		{"datetime", ts, "NULL", NullValue, FixEpoch, "1970-01-01", "1970-01-01 00:00:00"},
	}
}

// valueRule makes the rule of the columns of a case.
func (c fixCase) valueRule(t testing.TB, notNull bool) ValueRule {
	t.Helper()
	src, dst := schema.Column{Type: spelled(c.src)}, schema.Column{Type: spelled(c.dst), NotNull: notNull}
	rule, err := Value(src, dst)
	if err != nil {
		t.Fatal(err)
	}
	return rule
}

func TestFix(t *testing.T) {
	for _, c := range fixCases() {
		t.Run(strings.Join([]string{c.src, c.dst, c.value, string(c.rule)}, " "), func(t *testing.T) {
			rule := c.valueRule(t, c.kind == NullValue)
			var value []byte
			if c.value != "NULL" {
				value = []byte(c.value)
				// The fault is what the encoder sees.
				if _, err := rule.Encode(nil, value); kindOfError(err) != c.kind {
					t.Fatalf("the encoder says %v", err)
				}
			}
			fixed, err := rule.Fix(c.kind, c.rule, value)
			if err != nil {
				t.Fatal(err)
			}
			if c.fixed == "NULL" {
				if fixed != nil {
					t.Errorf("got %q", fixed)
				}
				return
			}
			if fixed == nil || string(fixed) != c.fixed {
				t.Fatalf("got %q, want %q", fixed, c.fixed)
			}
			field := fixed
			if !rule.Raw {
				if field, err = rule.Encode(nil, fixed); err != nil {
					t.Fatalf("the encoder refuses it: %v", err)
				}
			}
			want := c.stored
			switch want {
			case "":
				want = c.fixed
			case "-":
				want = ""
			}
			if got := string(rule.StoredText(field)); got != want {
				t.Errorf("stored as %q, want %q", got, want)
			}
		})
	}
}

func kindOfError(err error) ErrorKind {
	var fault *ValueError
	if errors.As(err, &fault) {
		return fault.Kind
	}
	return ""
}

func TestFixesThatCannotBe(t *testing.T) {
	for _, c := range []struct {
		src, dst string
		notNull  bool
		value    string
		kind     ErrorKind
		rule     FixRule
		want     string
	}{
		{"date", "date", true, "0000-00-00", ZeroDate, FixNull, `the rule "null" for zero-date cannot be applied: the target's column is NOT NULL`},
		{"datetime", "date", true, "", NullValue, FixEmpty, `the rule "empty" for null cannot be applied: it gives no value of type date`},
		{"int", "integer", true, "", NullValue, FixEpoch, `the rule "epoch" for null cannot be applied: it gives no value of type integer`},
		{"varchar(30)", "jsonb", true, "", NullValue, FixEmpty, `the rule "empty" for null cannot be applied: it gives no value of type jsonb`},
		{"varchar(40)", "uuid", false, "x", BadSyntax, FixEmpty, `the rule "empty" for bad-syntax cannot be applied: it gives no value of type uuid`},
		{"varchar(40)", "numeric", false, "x", OutOfRange, FixClamp, `the rule "clamp" for out-of-range cannot be applied: it gives no value of type numeric`},
		{"bit(8)", "numeric(5,-2)", false, "5", NotExact, FixRound, `the rule "round" for not-exact cannot be applied: it gives no value of type numeric(5,-2)`},
		{"varchar(40)", "date", false, "x", BadDate, FixClamp, `the rule "clamp" for bad-date cannot be applied: it gives no value of type date`},
		{"varchar(40)", "text", false, "x", NulByte, FixStrip, `the rule "strip" for nul-byte cannot be applied: it is no rule for such values`},
	} {
		src, dst := schema.Column{Type: spelled(c.src)}, schema.Column{Type: spelled(c.dst), NotNull: c.notNull}
		rule, err := Value(src, dst)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := rule.Fix(c.kind, c.rule, []byte(c.value)); err == nil || err.Error() != c.want {
			t.Errorf("%s: got %v", c.want, err)
		}
	}
}

func TestNotNullAtBothEndsForbidsNull(t *testing.T) {
	src, dst := schema.Column{Type: spelled("date"), NotNull: true}, schema.Column{Type: spelled("date"), NotNull: true}
	rule, err := Value(src, dst)
	if err != nil {
		t.Fatal(err)
	}
	if rule.NotNull || rule.Nullable(ZeroDate) == nil {
		t.Error("NULL would reach a NOT NULL column")
	}
}

func TestTruncates(t *testing.T) {
	for _, c := range []struct {
		src, dst string
		want     int64 // 0 when it cannot be
	}{
		{"varchar(500)", "character varying(255)", 255},
		{"varchar(255)", "character varying(255)", 255},
		{"longtext", "character varying(255)", 255},
		{"longblob", "character varying(255)", 255},
		{"varchar(50)", "character(3)", 3},
		{"varchar(50)", "character", 1},
		{"longtext", "text", 0},
		{"longtext", "bytea", 0},
		{"int", "character varying(3)", 0},
		{"double", "character varying(3)", 0},
		{"float", "character varying(3)", 0},
		{"datetime", "character varying(3)", 0},
		{"uuid", "character varying(3)", 0},
	} {
		rule, err := Value(schema.Column{Type: spelled(c.src)}, schema.Column{Type: spelled(c.dst)})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := rule.Truncates(); (err != nil) != (c.want == 0) || err == nil && got != c.want {
			t.Errorf("%s to %s: %d, %v", c.src, c.dst, got, err)
		}
	}
}
