package mysql

import (
	"database/sql"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/schema"
)

func TestParseDefault(t *testing.T) {
	none := schema.Default{}
	tests := []struct {
		name   string
		kind   string
		engine schema.Engine
		text   string // "<null>" for SQL's NULL
		extra  string
		want   schema.Default
	}{
		{"MariaDB, none", "int(11)", schema.MariaDB, "<null>", "", none},
		{"MariaDB, NULL", "int(11)", schema.MariaDB, "NULL", "", none},
		{"MariaDB, number", "bigint(10)", schema.MariaDB, "0", "", schema.Literal("0")},
		{"MariaDB, negative number", "bigint(10)", schema.MariaDB, "-7", "", schema.Literal("-7")},
		{"MariaDB, zero filled", "int(10) unsigned zerofill", schema.MariaDB, "0000000012", "", schema.Literal("12")},
		{"MariaDB, decimal", "decimal(10,5)", schema.MariaDB, "0.00000", "", schema.Literal("0.00000")},
		{"MariaDB, exponent", "double", schema.MariaDB, "1e20", "", schema.Literal("1e20")},
		{"MariaDB, text", "varchar(30)", schema.MariaDB, `'it''s \\ "x" \n'`, "", schema.Literal("it's \\ \"x\" \n")},
		{"MariaDB, empty text", "varchar(30)", schema.MariaDB, `''`, "", schema.Literal("")},
		{"MariaDB, the text NULL", "varchar(30)", schema.MariaDB, `'NULL'`, "", schema.Literal("NULL")},
		{"MariaDB, time", "timestamp(3)", schema.MariaDB, "current_timestamp(3)", "", schema.Expression("CURRENT_TIMESTAMP(3)")},
		{"MariaDB, time without digits", "datetime", schema.MariaDB, "current_timestamp()", "", schema.Expression("CURRENT_TIMESTAMP")},
		{"MariaDB, function", "char(36)", schema.MariaDB, "uuid()", "", schema.Expression("uuid()")},
		{"MariaDB, function of a quoted text", "text", schema.MariaDB, "concat('a','b')", "", schema.Expression("concat('a','b')")},
		{"MariaDB, bits", "bit(5)", schema.MariaDB, "b'101'", "", schema.Literal("101")},
		{"MariaDB 10, bytes", "binary(4)", schema.MariaDB, `'ab\0\0'`, "", schema.Literal("ab")},
		{"MariaDB 11, bytes", "binary(4)", schema.MariaDB, "x'61620000'", "", schema.Literal("ab")},
		{"MySQL, none", "int", schema.MySQL, "<null>", "", none},
		{"MySQL, number", "bigint", schema.MySQL, "0", "", schema.Literal("0")},
		{"MySQL, text", "varchar(30)", schema.MySQL, "it's \\ \"x\" \n", "", schema.Literal("it's \\ \"x\" \n")},
		{"MySQL, the text NULL", "varchar(30)", schema.MySQL, "NULL", "", schema.Literal("NULL")},
		{"MySQL, a text like a time", "varchar(30)", schema.MySQL, "CURRENT_TIMESTAMP", "", schema.Literal("CURRENT_TIMESTAMP")},
		{"MySQL 5.7, time", "datetime", schema.MySQL, "CURRENT_TIMESTAMP", "", schema.Expression("CURRENT_TIMESTAMP")},
		{"MySQL, time", "datetime(3)", schema.MySQL, "CURRENT_TIMESTAMP(3)", "DEFAULT_GENERATED on update CURRENT_TIMESTAMP(3)", schema.Expression("CURRENT_TIMESTAMP(3)")},
		{"MySQL, expression with quotes", "json", schema.MySQL, `json_object(_utf8mb4\'a\',_utf8mb4\'b\\\'c\')`, "DEFAULT_GENERATED", schema.Expression(`json_object('a','b\'c')`)},
		{"MySQL, text of a long column", "text", schema.MySQL, `_utf8mb4\'de\\\'f\'`, "DEFAULT_GENERATED", schema.Literal("de'f")},
		{"MySQL, outer parentheses", "int", schema.MySQL, "((1) + (2))", "DEFAULT_GENERATED", schema.Expression("(1) + (2)")},
		{"MySQL, bits", "bit(5)", schema.MySQL, "b'101'", "", schema.Literal("101")},
		{"MySQL 8, bytes", "varbinary(4)", schema.MySQL, "0x6162", "", schema.Literal("ab")},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			kind, err := parseType(test.kind)
			if err != nil {
				t.Fatal(err)
			}
			got := parseDefault(test.engine, kind, sql.NullString{String: test.text, Valid: test.text != "<null>"}, test.extra)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("default differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNormalExpression(t *testing.T) {
	tests := []struct{ in, want string }{
		{"(`a` + 1)", "`a` + 1"},
		{"(a) + (b)", "(a) + (b)"},
		{"((a))", "a"},
		{"(a", "(a"},
		{"(')')", "')'"},
		{"concat(`_utf8mb4'`,_utf8mb4'x_utf8mb4')", "concat(`_utf8mb4'`,'x_utf8mb4')"},
		{"now()", "CURRENT_TIMESTAMP"},
		{"now(6)", "CURRENT_TIMESTAMP(6)"},
		{"NOW(6) + 1", "NOW(6) + 1"},
		{"now", "now"},
		{"CURRENT_TIMESTAMP", "CURRENT_TIMESTAMP"},
		{"", ""},
	}
	for _, test := range tests {
		t.Run(test.in, func(t *testing.T) {
			if got := normalExpression(test.in); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func FuzzNormalExpression(f *testing.F) {
	f.Add("((_utf8mb4'a\\'b' + `c``d`))")
	f.Add("now(6)")
	f.Fuzz(func(t *testing.T, s string) {
		once := normalExpression(s)
		if twice := normalExpression(once); twice != once {
			t.Errorf("%q gives %q, then %q", s, once, twice)
		}
	})
}

// MySQL 9.7 prints the bytes of an expression's UTF-8 as characters; the texts
// are what its catalogs print.
func TestUnescapeCatalog(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"plain", "concat(`a`,`b`)", "concat(`a`,`b`)"},
		{"quotes", `concat(_utf8mb4\'x\')`, `concat(_utf8mb4'x')`},
		{"two and three bytes", `_utf8mb4\'Ã¼æ` + "\u0097" + `¥\'`, `_utf8mb4'ü日'`},
		{"already right", "_utf8mb4'ü'", "_utf8mb4'ü'"},
		{"beyond one byte", "_utf8mb4'日'", "_utf8mb4'日'"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := unescapeCatalog(tc.in); got != tc.want {
				t.Errorf("unescapeCatalog(%q) = %q, want %q", tc.in, got, tc.want)
			}
		})
	}
}
