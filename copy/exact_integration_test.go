//go:build integration

package copy_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/copy"
	"github.com/moodledb/moodledb/schema"
)

// cell is one value on its way: a column of the source, how the value is
// written there, the column of the target, and how PostgreSQL prints it there.
type cell struct {
	source, value, target, want string
	only                        schema.Engine
}

// inText makes a cell of hostile text, for which both types allow enough.
func inText(s string) cell {
	return cell{"LONGTEXT", "CONVERT(X'" + hex.EncodeToString([]byte(s)) + "' USING utf8mb4)", "text", s, ""}
}

// inBlob makes a cell of bytes.
func inBlob(s string) cell {
	return cell{"LONGBLOB", "X'" + hex.EncodeToString([]byte(s)) + "'", "bytea", `\x` + hex.EncodeToString([]byte(s)), ""}
}

// cells are the values that must arrive exactly.
func cells() []cell {
	list := []cell{
		{"TINYINT(1)", "-128", "smallint", "-128", ""},
		{"TINYINT(1)", "127", "smallint", "127", ""},
		{"TINYINT(1)", "2", "smallint", "2", ""},
		{"TINYINT UNSIGNED", "255", "smallint", "255", ""},
		{"SMALLINT", "-32768", "smallint", "-32768", ""},
		{"SMALLINT UNSIGNED", "65535", "integer", "65535", ""},
		{"MEDIUMINT", "-8388608", "integer", "-8388608", ""},
		{"INT", "-2147483648", "integer", "-2147483648", ""},
		{"INT", "2147483647", "integer", "2147483647", ""},
		{"INT UNSIGNED", "4294967295", "bigint", "4294967295", ""},
		{"INT(8) UNSIGNED ZEROFILL", "42", "bigint", "42", ""},
		{"BIGINT", "-9223372036854775808", "bigint", "-9223372036854775808", ""},
		{"BIGINT", "9223372036854775807", "bigint", "9223372036854775807", ""},
		{"BIGINT UNSIGNED", "9223372036854775807", "bigint", "9223372036854775807", ""},
		{"BIGINT UNSIGNED", "18446744073709551615", "numeric(20,0)", "18446744073709551615", ""},
		{"YEAR", "2155", "smallint", "2155", ""},
		{"YEAR", "0", "smallint", "0", ""},
		{"TINYINT(1)", "1", "boolean", "true", ""},

		{"DECIMAL(65,30)", "-12345678901234567890123456789012345.123456789012345678901234567890", "numeric(65,30)", "-12345678901234567890123456789012345.123456789012345678901234567890", ""},
		{"DECIMAL(10,5)", "99999.99999", "numeric(10,5)", "99999.99999", ""},
		{"DECIMAL(10,5)", "-0.00001", "numeric(10,5)", "-0.00001", ""},
		{"DECIMAL(10,5)", "100", "numeric(10,5)", "100.00000", ""},
		{"DECIMAL(10,5)", "1.5", "numeric", "1.50000", ""},
		{"DECIMAL(10,5)", "1.5", "numeric(10,2)", "1.50", ""},
		{"DECIMAL(10,5) UNSIGNED ZEROFILL", "1.5", "numeric(10,5)", "1.50000", ""},
		{"DECIMAL(20,0)", "100000000000000000", "numeric(20,0)", "100000000000000000", ""},
		{"DECIMAL(5,2)", "12", "integer", "12", ""},

		{"DOUBLE", "1.7976931348623157e308", "double precision", "1.7976931348623157e+308", ""},
		{"DOUBLE", "5e-324", "double precision", "5e-324", ""},
		{"DOUBLE", "2.2250738585072011e-308", "double precision", "2.225073858507201e-308", ""},
		{"DOUBLE", "0.1 + 0.2e0", "double precision", "0.30000000000000004", ""},
		{"DOUBLE", "123456789012345678", "double precision", "1.2345678901234568e+17", ""},
		{"DOUBLE", "-0e0", "double precision", "-0", schema.MySQL},
		{"DOUBLE(20,3)", "1.5", "double precision", "1.5", ""},
		{"FLOAT", "16777215", "double precision", "16777215", ""},
		{"FLOAT", "0.1", "real", "0.1", ""},
		{"FLOAT", "16777215", "real", "1.6777215e+07", ""},
		{"FLOAT", "3.4028234e38", "real", "3.4028235e+38", ""},
		{"FLOAT", "1.17549435e-38", "real", "1.1754944e-38", ""},
		{"FLOAT(11,4)", "1234567.125", "real", "1.2345671e+06", ""},
		{"FLOAT", "0.1", "numeric(12,7)", "0.1000000", ""},
		{"DOUBLE", "0.1", "numeric(12,7)", "0.1000000", ""},
		{"FLOAT", "0.1", "text", "0.1", ""},

		{"VARCHAR(20)", "''", "character varying(20)", "", ""},
		{"VARCHAR(20)", "NULL", "character varying(20)", "<null>", ""},
		{"VARCHAR(20) CHARACTER SET latin1", "'caf\u00e9 \u20ac'", "character varying(20)", "café €", ""},
		{"VARCHAR(300)", "REPEAT('\U0001F600', 255)", "character varying(255)", strings.Repeat("\U0001F600", 255), ""},
		{"CHAR(10)", "'ab'", "text", "ab", ""},
		{"VARCHAR(20)", "'ends with blanks  '", "character varying(20)", "ends with blanks  ", ""},
		{"VARCHAR(20)", "'-17'", "bigint", "-17", ""},
		{"INT", "17", "character varying(20)", "17", ""},
		{"ENUM('a','ü')", "'ü'", "character varying(20)", "ü", ""},
		{"SET('a','b','c')", "'a,c'", "text", "a,c", ""},
		{"JSON", `'{"a": [1, 2.50, "ä"]}'`, "jsonb", `{"a": [1, 2.50, "ä"]}`, schema.MariaDB},
		{"JSON", `'{"a": [1, "ä"]}'`, "jsonb", `{"a": [1, "ä"]}`, ""},
		{"JSON", `'{"a": 1}'`, "json", `{"a": 1}`, ""},

		{"VARBINARY(20)", "X'FF00FE'", "bytea", `\xff00fe`, ""},
		{"BINARY(4)", "X'01'", "bytea", `\x01000000`, ""},
		{"BLOB", "'plain'", "text", "plain", ""},
		{"BIT(12)", "b'101'", "bit(12)", "000000000101", ""},
		{"BIT(64)", "X'8000000000000001'", "bit(64)", "1" + strings.Repeat("0", 62) + "1", ""},
		{"BIT(64)", "X'7FFFFFFFFFFFFFFF'", "bigint", "9223372036854775807", ""},
		{"BIT(1)", "b'1'", "boolean", "true", ""},
		{"POINT", "ST_GeomFromText('POINT(1 2)')", "bytea", `\x000000000101000000000000000000f03f0000000000000040`, ""},

		{"DATE", "'9999-12-31'", "date", "9999-12-31", ""},
		{"DATE", "'0001-01-01'", "date", "0001-01-01", ""},
		{"DATETIME", "'2024-02-29 23:59:59'", "timestamp", "2024-02-29 23:59:59", ""},
		{"DATETIME(6)", "'1969-12-31 23:59:59.999999'", "timestamp", "1969-12-31 23:59:59.999999", ""},
		{"DATETIME(3)", "'2024-02-29 23:59:59.123'", "timestamp(3)", "2024-02-29 23:59:59.123", ""},
		{"TIMESTAMP NULL", "'2024-07-01 12:00:00'", "timestamptz", "2024-07-01 12:00:00+00", ""},
		{"TIME", "'23:59:59'", "time", "23:59:59", ""},
		{"TIME(6)", "'-838:59:58.999999'", "interval", "-838:59:58.999999", ""},
		{"VARCHAR(40)", "'2024-01-02 03:04:05.6'", "timestamp", "2024-01-02 03:04:05.6", ""},

		{"UUID", "'123e4567-e89b-12d3-a456-426655440000'", "uuid", "123e4567-e89b-12d3-a456-426655440000", schema.MariaDB},
		{"BINARY(16)", "X'123e4567e89b12d3a456426655440000'", "uuid", "123e4567-e89b-12d3-a456-426655440000", ""},
		{"INET6", "'2001:db8::ff00:42:8329'", "inet", "2001:db8::ff00:42:8329/128", schema.MariaDB},
		{"INET6", "'::ffff:192.0.2.128'", "inet", "::ffff:192.0.2.128/128", schema.MariaDB},
		{"VARCHAR(45)", "'192.0.2.1'", "inet", "192.0.2.1/32", ""},
	}
	for _, s := range []string{
		"\\", "\t", "\n", "\r", "\r\n", `\.`, `\N`, "\\.\n", `'"` + "`", "\U0001F468\u200D\U0001F469\u200D\U0001F467", "السلام عليكم", "漢字かな", "e\u0301\u0323 vs \u1eb9\u0301",
		"\u200F\u202E", "\uFEFF", "\x01\x1f\x7f", "\U0010FFFF", " ", "NULL", "\x1a",
	} {
		list = append(list, inText(s))
	}
	list = append(list, inBlob("\xff"), inBlob(""), inBlob("\x00"), inBlob("\xff\xfe\x00\x01\\\t\n\r'\"\x80"), inBlob(allBytes()))
	return list
}

// allBytes is every byte once.
func allBytes() string {
	var b []byte
	for i := range 256 {
		b = append(b, byte(i))
	}
	return string(b)
}

// wide makes a table with one column a cell, with a row of the values and a row of NULL.
func wide(t testing.TB, e *ends, list []cell) {
	t.Helper()
	var source, target, values []string
	for i, c := range list {
		source = append(source, name(i)+" "+c.source)
		target = append(target, name(i)+" "+c.target)
		values = append(values, c.value)
	}
	e.source.Exec(t, e.sourceURL, "SET NAMES utf8mb4", "SET SESSION time_zone = '+00:00'",
		"CREATE TABLE wide (id INT PRIMARY KEY, "+strings.Join(source, ", ")+") CHARACTER SET utf8mb4 ROW_FORMAT=DYNAMIC",
		"INSERT INTO wide VALUES (1, "+strings.Join(values, ", ")+")",
		"INSERT INTO wide (id) VALUES (2)")
	e.target.Exec(t, e.targetURL, "CREATE TABLE wide (id integer NOT NULL, "+strings.Join(target, ", ")+")")
}

// suitable leaves out what the source's engine does not have.
func suitable(e *ends) []cell {
	var list []cell
	for _, c := range cells() {
		if c.only == "" || c.only == e.source.Engine {
			list = append(list, c)
		}
	}
	return list
}

func TestValuesArriveExactly(t *testing.T) {
	eachPair(t, func(t *testing.T, e *ends) {
		list := suitable(e)
		wide(t, e, list)
		result, err := e.copyTable(t, "wide")
		if err != nil {
			t.Fatal(err)
		}
		if result.Rows != 2 {
			t.Errorf("%d rows", result.Rows)
		}
		e.target.Exec(t, e.targetURL, "ALTER DATABASE "+parse(t, e.targetURL).Database+" SET timezone = 'UTC'")
		db := e.target.SQL(t, e.targetURL)
		for i, c := range list {
			t.Run(fmt.Sprintf("%s to %s %.30q", c.source, c.target, c.want), func(t *testing.T) {
				if got := text(t, db, fmt.Sprintf("SELECT %s::text FROM wide WHERE id = 1", name(i))); got != c.want {
					t.Errorf("got  %q\nwant %q", got, c.want)
				}
				if got := text(t, db, fmt.Sprintf("SELECT %s::text FROM wide WHERE id = 2", name(i))); got != "<null>" {
					t.Errorf("NULL became %q", got)
				}
			})
		}
	})
}

// kept is a target that keeps the bytes that it is sent.
type kept struct{ bytes.Buffer }

func (k *kept) CopyFrom(_ context.Context, _ string, r io.Reader) (int64, error) {
	if _, err := k.ReadFrom(r); err != nil {
		return 0, err
	}
	rows, err := decode(k.Bytes())
	return int64(len(rows)), err
}

func TestBothReadersGiveTheSameBytes(t *testing.T) {
	eachPair(t, func(t *testing.T, e *ends) {
		wide(t, e, suitable(e))
		job := e.job(t, "wide")
		var ours, reference kept
		if _, err := copy.Table(t.Context(), e.newReader(t), &ours, job, copy.Options{}); err != nil {
			t.Fatal(err)
		}
		if _, err := copy.Table(t.Context(), driverSource{e.my.SQL()}, &reference, job, copy.Options{}); err != nil {
			t.Fatal(err)
		}
		a, _ := decode(ours.Bytes())
		b, _ := decode(reference.Bytes())
		if diff := cmp.Diff(b, a); diff != "" {
			t.Errorf("(-driver +ours):\n%.3000s", diff)
		}
	})
}

func TestRandomFloatsArriveBitForBit(t *testing.T) {
	eachPair(t, func(t *testing.T, e *ends) {
		e.source.Exec(t, e.sourceURL, "CREATE TABLE f (id INT PRIMARY KEY, d DOUBLE, f FLOAT, g FLOAT)")
		e.target.Exec(t, e.targetURL, "CREATE TABLE f (id integer, d double precision, f real, g double precision)")
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		random := rand.New(rand.NewPCG(seed, 0))
		var rows []string
		for id := range 5000 {
			d := math.Float64frombits(random.Uint64())
			f := math.Float32frombits(random.Uint32())
			if math.IsNaN(d) || math.IsInf(d, 0) || f != f || math.IsInf(float64(f), 0) {
				continue
			}
			rows = append(rows, fmt.Sprintf("(%d, %s, %s, %[3]s)", id,
				strconv.FormatFloat(d, 'e', -1, 64), strconv.FormatFloat(float64(f), 'e', -1, 32)))
		}
		e.source.Exec(t, e.sourceURL, "INSERT INTO f VALUES "+strings.Join(rows, ", "))
		if _, err := e.copyTable(t, "f"); err != nil {
			t.Fatal(err)
		}
		// The binary protocol, which a statement with parameters uses, carries the very bits.
		type bits struct {
			d    uint64
			f, g uint32
		}
		stored, err := e.source.SQL(t, e.sourceURL).Prepare("SELECT id, d, f FROM f WHERE id >= ? ORDER BY id")
		if err != nil {
			t.Fatal(err)
		}
		defer stored.Close()
		source, err := stored.Query(0)
		if err != nil {
			t.Fatal(err)
		}
		defer source.Close()
		target, err := e.target.SQL(t, e.targetURL).Query("SELECT id, d, f, g FROM f ORDER BY id")
		if err != nil {
			t.Fatal(err)
		}
		defer target.Close()
		for n := range rows {
			var idA, idB int
			var dA, dB, gB float64
			var fA, fB float32
			if !source.Next() || !target.Next() {
				t.Fatalf("only %d rows", n)
			}
			if err := source.Scan(&idA, &dA, &fA); err != nil {
				t.Fatal(err)
			}
			if err := target.Scan(&idB, &dB, &fB, &gB); err != nil {
				t.Fatal(err)
			}
			a := bits{math.Float64bits(dA), math.Float32bits(fA), math.Float32bits(fA)}
			b := bits{math.Float64bits(dB), math.Float32bits(fB), math.Float32bits(float32(gB))}
			if idA != idB || a != b || float64(float32(gB)) != gB {
				t.Fatalf("row %d: %x became %x (%v, %v)", idA, a, b, dA, fA)
			}
		}
	})
}
