//go:build integration

package recheck_test

import (
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/moodledb/moodledb/recheck"
	"github.com/moodledb/moodledb/schema"
)

// typed is a column at both ends, and its values as the source's SQL has them.
type typed struct {
	source, target string
	values         []string
	only           schema.Engine
}

// hostile are texts that something might take apart, as SQL.
func hostile() []string {
	var list []string
	for _, s := range []string{
		"", " ", "ends with blanks  ", "\\", "\t", "\n", "\r\n", `\.`, `\N`, `'"` + "`", "\U0001F468\u200D\U0001F469\u200D\U0001F467", "السلام عليكم", "漢字かな", "e\u0301\u0323",
		"\u200F\u202E", "\uFEFF", "\x01\x1f\x7f", "\U0010FFFF", "NULL", "\x1a", "A", "a",
	} {
		list = append(list, "CONVERT(X'"+hex.EncodeToString([]byte(s))+"' USING utf8mb4)")
	}
	return list
}

// allTypes are columns of every type that both servers know, and of those of one.
func allTypes() []typed {
	whole := []string{"0", "1", "-1", "127", "-128"}
	days := []string{"'9999-12-31'", "'0001-01-01'", "'2024-02-29'", "'1969-12-31'"}
	return []typed{
		{"TINYINT(1)", "smallint", whole, ""},
		{"TINYINT UNSIGNED", "smallint", []string{"255", "128", "0"}, ""},
		{"SMALLINT", "smallint", []string{"-32768", "32767"}, ""},
		{"SMALLINT UNSIGNED", "integer", []string{"65535", "32768"}, ""},
		{"MEDIUMINT", "integer", []string{"-8388608", "8388607"}, ""},
		{"MEDIUMINT UNSIGNED", "integer", []string{"16777215"}, ""},
		{"INT", "integer", []string{"-2147483648", "2147483647", "0"}, ""},
		{"INT UNSIGNED", "bigint", []string{"4294967295", "2147483648"}, ""},
		{"INT(8) UNSIGNED ZEROFILL", "bigint", []string{"42"}, ""},
		{"INT(8) UNSIGNED ZEROFILL", "text", []string{"42", "4294967295", "0"}, ""},
		{"TINYINT(3) UNSIGNED ZEROFILL", "text", []string{"7", "255"}, ""},
		{"BIGINT(20) UNSIGNED ZEROFILL", "text", []string{"7", "18446744073709551615"}, ""},
		{"BIGINT", "bigint", []string{"-9223372036854775808", "9223372036854775807"}, ""},
		{"BIGINT UNSIGNED", "bigint", []string{"9223372036854775807"}, ""},
		{"BIGINT UNSIGNED", "numeric(20,0)", []string{"18446744073709551615", "100000000000000000", "0"}, ""},
		{"BIGINT UNSIGNED", "text", []string{"18446744073709551615", "7"}, ""},
		{"BIGINT", "character varying(20)", []string{"-9223372036854775808", "0"}, ""},
		{"INT", "double precision", []string{"-2147483648", "7"}, ""},
		{"INT", "real", []string{"16777216", "-7"}, ""},
		{"TINYINT(1)", "boolean", []string{"0", "1"}, ""},
		{"YEAR", "smallint", []string{"2155", "0", "1901"}, ""},
		{"YEAR", "text", []string{"2155", "0"}, ""},

		{"DECIMAL(65,30)", "numeric(65,30)", []string{"-12345678901234567890123456789012345.123456789012345678901234567890", "0", "1e-30", "-1"}, ""},
		{"DECIMAL(10,5)", "numeric(10,5)", []string{"99999.99999", "-0.00001", "100", "0.10000", "10000"}, ""},
		{"DECIMAL(10,5)", "numeric", []string{"1.5", "-20000", "0"}, ""},
		{"DECIMAL(10,5)", "numeric(10,2)", []string{"1.5", "-1.25"}, ""},
		{"DECIMAL(10,5) UNSIGNED ZEROFILL", "numeric(10,5)", []string{"1.5", "0"}, ""},
		{"DECIMAL(5,2)", "integer", []string{"12", "-999"}, ""},
		{"DECIMAL(10,5)", "text", []string{"-1.5", "0"}, ""},
		{"DECIMAL(12,3)", "double precision", []string{"-1.5", "123456789.125"}, ""},

		{"DOUBLE", "double precision", []string{"1.7976931348623157e308", "5e-324", "2.2250738585072011e-308", "0.1e0 + 0.2e0", "123456789012345678", "-0e0", "0"}, ""},
		{"DOUBLE(20,3)", "double precision", []string{"1.5", "0.001"}, ""},
		{"DOUBLE", "numeric(12,7)", []string{"0.1", "-12345"}, ""},
		{"DOUBLE", "real", []string{"0.5", "0.1"}, ""},
		{"DOUBLE", "bigint", []string{"-4503599627370496"}, ""},
		{"FLOAT", "real", []string{"0.1", "16777215", "3.4028234e38", "1.17549435e-38", "-0e0"}, ""},
		{"FLOAT", "double precision", []string{"0.1", "16777215"}, ""},
		{"FLOAT(11,4)", "real", []string{"1234567.125"}, ""},
		{"FLOAT", "numeric(12,7)", []string{"0.1"}, ""},
		{"FLOAT", "text", []string{"0.1", "1e30", "-7"}, ""},
		{"DOUBLE UNSIGNED ZEROFILL", "double precision", []string{"1.5"}, ""},
		{"FLOAT(9,2) UNSIGNED ZEROFILL", "real", []string{"1.5"}, ""},

		{"LONGTEXT", "text", hostile(), ""},
		{"VARCHAR(40)", "character varying(40)", hostile(), ""},
		{"CHAR(40)", "character(40)", hostile(), ""},
		{"CHAR(40)", "text", hostile(), ""},
		{"VARCHAR(20) CHARACTER SET latin1", "character varying(20)", []string{"'café €'", "''"}, ""},
		{"TEXT CHARACTER SET utf16", "text", []string{"'漢字'", "''"}, ""},
		{"VARCHAR(300)", "character varying(255)", []string{"REPEAT('\U0001F600', 255)"}, ""},
		{"VARCHAR(20)", "character(20)", []string{"'a'", "''"}, ""},
		{"VARCHAR(20)", "bigint", []string{"'-17'", "'0017'"}, ""},
		{"VARCHAR(20)", "numeric(10,3)", []string{"'-17.5'", "'+1'"}, ""},
		{"VARCHAR(20)", "double precision", []string{"'-17.5'", "'1e3'"}, ""},
		{"ENUM('a','ü','')", "character varying(20)", []string{"'ü'", "'a'", "''"}, ""},
		{"SET('a','b','c')", "text", []string{"'a,c'", "''"}, ""},
		{"JSON", "jsonb", []string{`'{"b": [1, "ä"], "a": {"x": null}}'`, `'null'`, `'"x"'`, `'1e2'`, `'[]'`}, ""},
		{"JSON", "json", []string{`'{"a": 1}'`, `'[1,  2]'`}, ""},
		{"JSON", "text", []string{`'{"a": 1}'`}, ""},
		{"LONGTEXT", "jsonb", []string{`'{"b": 1, "a": 2.50, "b": 3}'`, `'"\\\\u0041"'`}, ""},
		{"JSON", "bytea", []string{`'{"a": 1}'`}, ""},

		{"LONGBLOB", "bytea", []string{"X'FF00FE'", "''", "X'00'", "REPEAT(X'00FF', 300000)"}, ""},
		{"BINARY(4)", "bytea", []string{"X'01'", "X'FFFFFFFF'"}, ""},
		{"VARBINARY(20)", "text", []string{"'plain'", "''"}, ""},
		{"BIT(1)", "boolean", []string{"b'1'", "b'0'"}, ""},
		{"BIT(12)", "bit(12)", []string{"b'101'", "X'0FFF'", "0"}, ""},
		{"BIT(64)", "bit(64)", []string{"X'8000000000000001'", "0"}, ""},
		{"BIT(64)", "bigint", []string{"X'7FFFFFFFFFFFFFFF'"}, ""},
		{"BIT(9)", "bit varying(20)", []string{"b'100000001'"}, ""},
		{"BIT(64)", "numeric(20,0)", []string{"X'FFFFFFFFFFFFFFFF'"}, ""},
		{"BIT(12)", "bytea", []string{"b'101'"}, ""},
		{"POINT", "bytea", []string{"ST_GeomFromText('POINT(1 2)')"}, ""},
		{"GEOMETRY", "bytea", []string{"ST_GeomFromText('POLYGON((0 0, 1 0, 1 1, 0 0))')"}, ""},

		{"DATE", "date", days, ""},
		{"DATE", "timestamp", days, ""},
		{"DATE", "text", append(days, "'0000-00-00'"), ""},
		{"DATETIME", "date", []string{"'2024-02-29 00:00:00'"}, ""},
		{"DATETIME", "timestamp", append(days, "'2024-02-29 23:59:59'"), ""},
		{"DATETIME(6)", "timestamp", append(days, "'1969-12-31 23:59:59.999999'", "'2024-01-01 00:00:00.000001'"), ""},
		{"DATETIME(3)", "timestamp(3)", []string{"'2024-02-29 23:59:59.123'", "'2024-02-29'"}, ""},
		{"DATETIME(6)", "text", append(days, "'1969-12-31 23:59:59.999999'", "'0000-00-00 00:00:00'"), ""},
		{"DATETIME", "text", append(days, "'0000-00-00 00:00:00'"), ""},
		{"TIMESTAMP NULL", "timestamptz", []string{"'2024-07-01 12:00:00'", "'1970-01-01 00:00:01'"}, ""},
		{"TIMESTAMP(6) NULL", "timestamp", []string{"'2024-07-01 12:00:00.5'"}, ""},
		{"TIMESTAMP(2) NULL", "text", []string{"'2024-07-01 12:00:00.5'"}, ""},
		{"TIME", "time", []string{"'23:59:59'", "'00:00:00'", "'24:00:00'"}, ""},
		{"TIME(6)", "interval", []string{"'-838:59:58.999999'", "'00:00:00'", "'100:00:00.000001'", "'-00:00:00.000001'"}, ""},
		{"TIME(6)", "text", []string{"'-838:59:58.999999'", "'00:00:00'", "'-01:02:03'"}, ""},
		{"TIME", "text", []string{"'-838:59:59'", "'100:00:00'", "'-00:00:01'", "'00:00:00'"}, ""},
		{"VARCHAR(40)", "timestamp", []string{"'2024-01-02 03:04:05.6'", "'2024-01-02T03:04:05'"}, ""},
		{"VARCHAR(40)", "time", []string{"'03:04:05.6'"}, ""},
		{"VARCHAR(40)", "date", []string{"'2024-01-02'"}, ""},

		{"BINARY(16)", "uuid", []string{"X'123e4567e89b12d3a456426655440000'"}, ""},
		{"CHAR(36)", "uuid", []string{"'123e4567-e89b-12d3-a456-426655440000'", "'123E4567E89B12D3A456426655440000'"}, ""},
		{"VARCHAR(45)", "inet", []string{"'192.0.2.1'", "'::'", "'2001:db8::ff00:42:8329'"}, ""},
		{"INET6", "inet", []string{"'2001:db8::ff00:42:8329'", "'::ffff:192.0.2.128'", "'::'"}, schema.MariaDB},
		{"INET6", "text", []string{"'::ffff:192.0.2.128'"}, schema.MariaDB},
		{"UUID", "uuid", []string{"'123e4567-e89b-12d3-a456-426655440000'"}, schema.MariaDB},
		{"UUID", "text", []string{"'123e4567-e89b-12d3-a456-426655440000'"}, schema.MariaDB},
		{"VECTOR(3)", "bytea", []string{"STRING_TO_VECTOR('[1,2,3]')"}, schema.MySQL},
	}
}

// TestEveryTypeIsTheSameReadAgain: what is read and encoded by the second way is what was sent, for every type.
func TestEveryTypeIsTheSameReadAgain(t *testing.T) {
	eachSource(t, func(t *testing.T, e *ends) {
		var source, target []string
		var list []typed
		for _, c := range allTypes() {
			if c.only == "" || c.only == e.source.Engine {
				source = append(source, fmt.Sprintf("c%d %s", len(list), c.source))
				target = append(target, fmt.Sprintf("c%d %s", len(list), c.target))
				list = append(list, c)
			}
		}
		statements := []string{
			"SET NAMES utf8mb4", "SET SESSION time_zone = '+00:00', sql_mode = ''",
			"CREATE TABLE wide (id INT PRIMARY KEY, " + strings.Join(source, ", ") + ") CHARACTER SET utf8mb4 ROW_FORMAT=DYNAMIC",
			"INSERT INTO wide (id) VALUES (0)",
		}
		const rows = 24
		for id := 1; id < rows; id++ {
			values := []string{strconv.Itoa(id)}
			for _, c := range list {
				values = append(values, c.values[id%len(c.values)])
			}
			statements = append(statements, "INSERT INTO wide VALUES ("+strings.Join(values, ", ")+")")
		}
		e.source.Exec(t, e.sourceURL, statements...)
		e.target.Exec(t, e.targetURL, "CREATE TABLE wide (id integer NOT NULL, "+strings.Join(target, ", ")+")")
		m := e.moment(t)
		table, all := e.table(t, "wide")
		copied, _ := m.copied(t, table, all)
		for name, sent := range map[string]recheck.Rows{"with what was sent": copied, "with what is encoded": {Selection: all}, "leniently": {Selection: all, Touched: true}} {
			t.Run(name, func(t *testing.T) {
				got, err := m.again(t, table, sent, recheck.Options{})
				if err != nil {
					t.Fatal(err)
				}
				against := recheck.Encoded
				if sent.Sum != nil {
					against = recheck.Sent
				}
				if got.Rows != rows || got.Against != against || len(got.LeftOut) > 0 || got.Large != 0 || got.Aside != 0 || got.Skipped != "" || got.Bytes < rows*1000 {
					t.Errorf("%+v", got)
				}
			})
		}
	})
}

// TestRandomRowsAreTheSameReadAgain does so with random values.
func TestRandomRowsAreTheSameReadAgain(t *testing.T) {
	eachSource(t, func(t *testing.T, e *ends) {
		e.source.Exec(t, e.sourceURL, "CREATE TABLE r (id BIGINT PRIMARY KEY, d DOUBLE, f FLOAT, n DECIMAL(40,12), t DATETIME(6), s TIME(3), b VARBINARY(200), c VARCHAR(200) CHARACTER SET utf8mb4, u BIGINT UNSIGNED, x BIT(37))")
		e.target.Exec(t, e.targetURL, "CREATE TABLE r (id bigint, d double precision, f real, n numeric(40,12), t timestamp, s interval, b bytea, c varchar(200), u numeric(20), x bit(37))")
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		random := rand.New(rand.NewPCG(seed, 0))
		var rows []string
		for range 2000 {
			d, f := math.Float64frombits(random.Uint64()), math.Float32frombits(random.Uint32())
			if math.IsNaN(d) || math.IsInf(d, 0) || f != f || math.IsInf(float64(f), 0) {
				continue
			}
			b, c := make([]byte, random.IntN(200)), make([]rune, random.IntN(100))
			for i := range b {
				b[i] = byte(random.Uint32())
			}
			for i := range c {
				c[i] = rune(1 + random.IntN(0xD7FE))
			}
			rows = append(rows, fmt.Sprintf("(%d, %s, %s, %d.%012d, '%04d-%02d-%02d %02d:%02d:%02d.%06d', '%d:%02d:%02d.%03d', X'%x', CONVERT(X'%x' USING utf8mb4), %d, %d)",
				len(rows), strconv.FormatFloat(d, 'e', -1, 64), strconv.FormatFloat(float64(f), 'e', -1, 32), random.Int64()-random.Int64(), random.Int64N(1e12),
				1+random.IntN(9999), 1+random.IntN(12), 1+random.IntN(28), random.IntN(24), random.IntN(60), random.IntN(60), random.IntN(1e6),
				random.IntN(1676)-838, random.IntN(60), random.IntN(59), random.IntN(1000), b, string(c), random.Uint64(), random.Uint64()>>27))
		}
		e.source.Exec(t, e.sourceURL, "INSERT INTO r VALUES "+strings.Join(rows, ", "))
		m := e.moment(t)
		table, all := e.table(t, "r")
		copied, _ := m.copied(t, table, all)
		got, err := m.again(t, table, copied, recheck.Options{})
		if err != nil || got.Rows != int64(len(rows)) {
			t.Errorf("%+v: %v", got, err)
		}
	})
}
