package samplesite

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/moodledb/moodledb/xmldb"
)

var update = flag.Bool("update", false, "rewrite testdata/site/site.sql")

const (
	codeDir = "../../testdata/site/code"
	sqlFile = "../../testdata/site/site.sql"
)

func generate(t *testing.T) []byte {
	t.Helper()
	site, err := xmldb.Load(codeDir, xmldb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range site.Findings {
		if f.Severity != xmldb.Info {
			t.Errorf("the sample code has a finding: %s:%d: %s: %s", f.File, f.Line, f.Code, f.Message)
		}
	}
	var out bytes.Buffer
	if err := Write(&out, site); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestCommittedFile(t *testing.T) {
	got := generate(t)
	if *update {
		if err := os.WriteFile(sqlFile, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(sqlFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what this package writes; run this test with -update", sqlFile)
	}
}

// The file promises that it can be read by any client, whatever its character
// set, and split into statements without a parser.
func TestFileIsPlain(t *testing.T) {
	sql := string(generate(t))
	if !utf8.ValidString(sql) {
		t.Error("not valid UTF-8")
	}
	if strings.ContainsAny(sql, "\x00\r") {
		t.Error("holds NUL or CR")
	}
	if size := len(sql); size > 3<<20 {
		t.Errorf("%d bytes are too many to carry around", size)
	}
	for i, s := range strings.SplitAfter(sql, ";\n") {
		if strings.Count(strings.NewReplacer(`\\`, "", `\'`, "").Replace(withoutComments(s)), "'")%2 != 0 {
			t.Errorf("statement %d ends inside a literal: %.80q", i, s)
		}
	}
}

// withoutComments removes the lines that are comments.
func withoutComments(s string) string {
	var out strings.Builder
	for line := range strings.Lines(s) {
		if !strings.HasPrefix(line, "--") {
			out.WriteString(line)
		}
	}
	return out.String()
}

func TestLiteral(t *testing.T) {
	for _, tc := range []struct {
		name string
		in   any
		want string
	}{
		{"null", nil, "NULL"},
		{"empty string", "", "''"},
		{"quotes and backslashes", `it's \`, `'it\'s \\'`},
		{"line breaks and tabs", "a\r\n\tb\x1a", `'a\r\n\tb\Z'`},
		{"no bytes", []byte{}, "''"},
		{"bytes", []byte{0, 0xff}, "0x00FF"},
		{"double", 0.1, "1e-01"},
		{"decimal", number("-0.10"), "-0.10"},
		{"smallest integer", int64(-1 << 63), "-9223372036854775808"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := literal(tc.in)
			if err != nil || got != tc.want {
				t.Errorf("literal(%v) = %s, %v; want %s", tc.in, got, err, tc.want)
			}
		})
	}
	if _, err := literal(uint8(1)); err == nil {
		t.Error("a type without a literal is accepted")
	}
}
