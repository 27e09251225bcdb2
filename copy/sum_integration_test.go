//go:build integration

package copy_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/moodledb/moodledb/copy"
	"github.com/moodledb/moodledb/fingerprint"
	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/schema"
)

// readBack is the fingerprint of what PostgreSQL has of a job's table.
func readBack(t testing.TB, conn *postgres.Conn, job copy.Job) fingerprint.Sum {
	t.Helper()
	s := fingerprint.NewStream(job.Fingerprint())
	statement := strings.Replace(job.CopySQL, "FROM STDIN", "TO STDOUT", 1)
	if _, err := conn.PGX().PgConn().CopyTo(t.Context(), s, statement); err != nil {
		t.Fatal(err)
	}
	if err := s.End(); err != nil {
		t.Fatal(err)
	}
	return s.Sum()
}

// otherForms are values of which PostgreSQL could give back other bytes than it
// was sent, for every type of the target that is not among [cells].
func otherForms() []cell {
	mariadb := func(value string) cell { return cell{"JSON", value, "jsonb", "", schema.MariaDB} }
	list := []cell{
		{"CHAR(10)", "'ab'", "character(10)", "", ""},
		{"CHAR(10)", "''", "character(10)", "", ""},
		{"CHAR(10)", "'\u00e9 \U0001F600'", "character(20)", "", ""},
		{"VARCHAR(10)", "'ab'", "character(10)", "", ""},
		{"VARCHAR(10)", "'ab'", "bpchar", "", ""},
		{"INT", "-7", "character(10)", "", ""},
		{"VARCHAR(10)", "'ab  '", "character varying(10)", "", ""},
		{"VARCHAR(10)", "'ab  '", "character varying", "", ""},

		{"VARCHAR(60)", "'-0.00'", "numeric", "", ""},
		{"VARCHAR(60)", "'000123.4500'", "numeric", "", ""},
		{"VARCHAR(60)", "'+.5'", "numeric(20,10)", "", ""},
		{"VARCHAR(60)", "'0.00000000000000000000000000001'", "numeric", "", ""},
		{"VARCHAR(60)", "'10000.0001'", "numeric(30,4)", "", ""},
		{"VARCHAR(60)", "'9999999900000000'", "numeric(20,2)", "", ""},
		{"DECIMAL(10,5)", "-0.0", "numeric", "", ""},
		{"DECIMAL(10,5)", "0", "numeric(10,5)", "", ""},
		{"DOUBLE", "-1e300", "numeric", "", ""},
		{"DOUBLE", "5e-324", "numeric", "", ""},
		{"DOUBLE", "-0e0", "numeric(10,3)", "", ""},
		{"FLOAT", "-0e0", "real", "", ""},
		{"DOUBLE", "-0e0", "double precision", "", ""},
		{"FLOAT", "1e-45", "real", "", ""},
		{"BIT(33)", "b'1'", "numeric(20,0)", "", ""},
		{"BIGINT UNSIGNED", "18446744073709551615", "numeric", "", ""},
		{"YEAR", "0", "integer", "", ""},

		{"TIME", "'-00:00:01'", "interval", "", ""},
		{"TIME(6)", "'838:59:58.999999'", "interval(6)", "", ""},
		{"TIME(3)", "'-12:34:56.789'", "interval(3)", "", ""},
		{"VARCHAR(20)", "'24:00:00'", "time", "", ""},
		{"TIME(3)", "'23:59:59.999'", "time(3)", "", ""},
		{"DATETIME", "'9999-12-31 23:59:59'", "timestamp(0)", "", ""},
		{"DATE", "'0001-01-01'", "timestamp", "", ""},
		{"TIMESTAMP(6) NULL", "'1970-01-02 00:00:00.000001'", "timestamptz(6)", "", ""},
		{"DATETIME", "'2024-02-29'", "date", "", ""},

		{"BIT(13)", "b'1010101010101'", "bit varying(13)", "", ""},
		{"BIT(13)", "b'1'", "bit varying", "", ""},
		{"BIT(3)", "b'101'", "bit(3)", "", ""},
		{"BIT(13)", "b'101'", "bytea", "", ""},
		{"VARCHAR(60)", "'123E4567E89B12D3A456426655440000'", "uuid", "", ""},
		{"VARCHAR(60)", "'::1'", "inet", "", ""},
		{"LONGTEXT", `'{"b" :  1, "b":2}'`, "json", "", ""},
		{"LONGTEXT", `'{"b" :  1, "b":2, "": [1e2, -0, 0.10, 1E-3]}'`, "jsonb", "", ""},
		mariadb(`'{"zz":1, "a":{"b":[1,2,{"c":null}]}, "b" : "x\\u00e4\\n\\ud83d\\ude00", "a":{"d":1.500}}'`),
		mariadb(`'"just text\\\\ and \\"quotes\\" / \\/"'`),
		mariadb(`'-0.0'`),
		mariadb(`'123456789012345678901234567890.1234567890'`),
		mariadb(`'[true, false, null, [], {}, "", 1E+400]'`),
		{"JSON", `'{"zz": 1, "a": {"b": [1, 2, {"c": null}], "a": 1.5e10}}'`, "jsonb", "", ""},
		{"JSON", `'[1.0, -0.0, 1e-10, 18446744073709551615, "\\u0001"]'`, "jsonb", "", ""},
	}
	return list
}

// TestSumsComeBack: of every type, what is read back has the sum of what was
// sent, column by column, so that a column that has not is named.
func TestSumsComeBack(t *testing.T) {
	eachPair(t, func(t *testing.T, e *ends) {
		list := slices.DeleteFunc(slices.Concat(suitable(e), otherForms()), func(c cell) bool {
			return c.only != "" && c.only != e.source.Engine
		})
		wide(t, e, list)
		whole := e.job(t, "wide")
		reader, target := e.newReader(t), e.newTarget(t)
		result, err := copy.Table(t.Context(), reader, target, whole, copy.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := readBack(t, target, whole); got != result.Sum || got.Rows != 2 {
			t.Errorf("read back %s, sent %s", got, result.Sum)
		}
		for i, c := range list {
			job := whole
			job.Columns = whole.Columns[i+1 : i+2]
			column := job.Columns[0]
			job.Query = "SELECT " + column.Rule.Expression("`"+column.Source+"`") + " FROM wide"
			job.CopySQL = fmt.Sprintf("COPY public.wide (%s) FROM STDIN (FORMAT binary)", column.Target)
			sum := fingerprint.NewStream(job.Fingerprint())
			if _, err := copy.Encode(t.Context(), reader, job, sum, copy.Options{}); err != nil {
				t.Fatal(err)
			}
			if got := readBack(t, target, job); got != sum.Sum() {
				t.Errorf("%s to %s: %s is read back with another sum", c.source, c.target, c.value)
			}
		}
		// Nothing of it hides what is not alike.
		for i, c := range list {
			if c.value == "NULL" {
				continue
			}
			job := whole
			job.Columns = whole.Columns[i+1 : i+2]
			job.CopySQL = fmt.Sprintf("COPY (SELECT CASE WHEN id = 1 THEN NULL ELSE %[1]s END FROM public.wide) TO STDOUT (FORMAT binary)", job.Columns[0].Target)
			null := readBack(t, target, job)
			job.CopySQL = fmt.Sprintf("COPY public.wide (%s) FROM STDIN (FORMAT binary)", job.Columns[0].Target)
			if readBack(t, target, job) == null {
				t.Errorf("%s to %s: %s has the sum of NULL", c.source, c.target, c.value)
			}
		}
	})
}

// BenchmarkReadBack compares what is read back and summed up with what COPY TO STDOUT takes alone.
func BenchmarkReadBack(b *testing.B) {
	e := connect(b, testdb.Sources()[0], testdb.Targets()[0])
	for _, s := range shapes() {
		s.create(b, e)
		job := e.job(b, s.name)
		conn := e.newTarget(b)
		if _, err := copy.Table(b.Context(), e.newReader(b), conn, job, copy.Options{}); err != nil {
			b.Fatal(err)
		}
		b.Run(s.name, func(b *testing.B) {
			for b.Loop() {
				if sum := readBack(b, conn, job); sum.Rows != int64(s.rows) {
					b.Fatal(sum)
				}
			}
			b.ReportMetric(float64(s.rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
