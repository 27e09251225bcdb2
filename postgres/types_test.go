package postgres

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/schema"
)

func TestTypes(t *testing.T) {
	tests := []struct {
		name, raw string // as format_type prints them
		want      schema.Type
		sql       string // made of the parts alone
	}{
		{"bigint", "bigint", schema.Type{}, "bigint"},
		{"character varying", "character varying(255)", schema.Type{Length: 255}, "character varying(255)"},
		{"character varying", "character varying", schema.Type{}, "character varying"},
		{"character", "character(3)", schema.Type{Length: 3}, "character(3)"},
		{"bit varying", "bit varying(8)", schema.Type{Length: 8}, "bit varying(8)"},
		{"numeric", "numeric(10,5)", schema.Type{Precision: 10, Scale: 5}, "numeric(10,5)"},
		{"numeric", "numeric(10,-2)", schema.Type{Precision: 10, Scale: -2}, "numeric(10,-2)"},
		{"numeric", "numeric", schema.Type{}, "numeric"},
		{"timestamp without time zone", "timestamp(3) without time zone", schema.Type{Precision: 3}, "timestamp(3) without time zone"},
		{"time with time zone", "time(1) with time zone", schema.Type{Precision: 1}, "time(1) with time zone"},
		{"interval", "interval(3)", schema.Type{Precision: 3}, "interval(3)"},
		{"public.geometry", "public.geometry(Point,4326)", schema.Type{}, "public.geometry"},
		{"character varying[]", "character varying(20)[]", schema.Type{}, "character varying[]"},
	}
	for _, tt := range tests {
		t.Run(tt.raw, func(t *testing.T) {
			tt.want.Name, tt.want.Raw = tt.name, tt.raw
			got := newType(tt.name, tt.raw)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("newType (-want +got):\n%s", diff)
			}
			if s := typeSQL(got); s != tt.raw {
				t.Errorf("typeSQL = %q, want %q", s, tt.raw)
			}
			got.Raw = ""
			if s := typeSQL(got); s != tt.sql {
				t.Errorf("typeSQL without Raw = %q, want %q", s, tt.sql)
			}
		})
	}
}

// Raw yields to the parts where the two disagree: whoever changes a type
// changes its parts.
func TestTypeOfParts(t *testing.T) {
	for _, tt := range []struct {
		in   schema.Type
		want string
	}{
		{schema.Type{Name: "character varying", Length: 20, Raw: "character varying(10)"}, "character varying(20)"},
		{schema.Type{Name: "bigint", Raw: "int(10) unsigned"}, "bigint"},
		{schema.Type{Name: "text", Raw: "longtext"}, "text"},
		{schema.Type{Name: "numeric", Precision: 20}, "numeric(20,0)"},
		{schema.Type{Name: "timestamp without time zone", Raw: "timestamp(0) without time zone"}, "timestamp(0) without time zone"},
		{schema.Type{Name: "character", Raw: "bpchar"}, "bpchar"},
	} {
		if got := typeSQL(tt.in); got != tt.want {
			t.Errorf("typeSQL(%+v) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestDefaults(t *testing.T) {
	var (
		text    = newType("text", "text")
		varchar = newType("character varying", "character varying(20)")
		bigint  = newType("bigint", "bigint")
		num     = newType("numeric", "numeric(10,5)")
		double  = newType("double precision", "double precision")
		boolean = newType("boolean", "boolean")
	)
	tests := []struct {
		expr string
		typ  schema.Type
		want schema.Default
		sql  string
	}{
		{"", text, schema.Default{}, ""},
		{"NULL::character varying", varchar, schema.Default{}, ""},
		{"NULL", text, schema.Default{}, ""},
		{"''::character varying", varchar, schema.Literal(""), "''"},
		{"'it''s'::character varying", varchar, schema.Literal("it's"), "'it''s'"},
		{`'a\b'::text`, text, schema.Literal(`a\b`), `E'a\\b'`},
		{"'x::y'::text", text, schema.Literal("x::y"), "'x::y'"},
		{"''''::text", text, schema.Literal("'"), "''''"},
		{"'x'::character varying", text, schema.Literal("x"), "'x'"},
		{"'-5'::text", text, schema.Literal("-5"), "'-5'"},
		{"0", bigint, schema.Literal("0"), "0"},
		{"'-1'::integer", bigint, schema.Literal("-1"), "-1"},
		{"'-9223372036854775808'::bigint", bigint, schema.Literal("-9223372036854775808"), "-9223372036854775808"},
		{"'7'::smallint", bigint, schema.Literal("7"), "7"},
		{"(0)::numeric", num, schema.Literal("0"), "0"},
		{"(- 1)", bigint, schema.Literal("-1"), "-1"},
		{"1.0", num, schema.Literal("1.0"), "1.0"},
		{"'-2.50'::numeric", num, schema.Literal("-2.50"), "-2.50"},
		{"'NaN'::double precision", double, schema.Literal("NaN"), "'NaN'"},
		{"true", boolean, schema.Literal("true"), "'true'"},
		{"'{}'::jsonb", newType("jsonb", "jsonb"), schema.Literal("{}"), "'{}'"},
		{`B'101'::"bit"`, newType("bit", "bit(3)"), schema.Literal("101"), "'101'"},
		{"'ab'::bpchar", newType("character", "character(3)"), schema.Literal("ab"), "'ab'"},
		{"CURRENT_TIMESTAMP", newType("timestamp without time zone", "timestamp without time zone"), schema.Expression("CURRENT_TIMESTAMP"), "CURRENT_TIMESTAMP"},
		{"('a'::text || 'b'::text)", text, schema.Expression("('a'::text || 'b'::text)"), "('a'::text || 'b'::text)"},
		{"(1 + 2)", bigint, schema.Expression("(1 + 2)"), "(1 + 2)"},
		{"nextval('s'::regclass)", bigint, schema.Expression("nextval('s'::regclass)"), "nextval('s'::regclass)"},
		{"ARRAY['a'::text]", newType("text[]", "text[]"), schema.Expression("ARRAY['a'::text]"), "ARRAY['a'::text]"},
		// A constant of another type means something that its text alone does not say.
		{"'now'::date", text, schema.Expression("'now'::date"), "'now'::date"},
		{"'1'::text::bigint", bigint, schema.Expression("'1'::text::bigint"), "'1'::text::bigint"},
	}
	for _, tt := range tests {
		t.Run(tt.expr, func(t *testing.T) {
			got := parseDefault(tt.expr, tt.typ)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("parseDefault (-want +got):\n%s", diff)
			}
			if s := defaultSQL(got, tt.typ); s != tt.sql {
				t.Errorf("defaultSQL = %q, want %q", s, tt.sql)
			}
		})
	}
}

// No text that a server could print may break the reader, and what it takes
// for a constant must not lose a character.
func FuzzParseDefault(f *testing.F) {
	for _, s := range []string{"'it''s'::text", "'-1'::integer", "B'1'::\"bit\"", "(0)::numeric", "NULL::text", "'a'::x::y", "::", "'", "("} {
		f.Add(s)
	}
	typ := newType("text", "text")
	f.Fuzz(func(t *testing.T, expr string) {
		d := parseDefault(expr, typ)
		if d.Kind == schema.LiteralDefault && len(d.Text) > len(expr) {
			t.Errorf("%q became %q", expr, d.Text)
		}
		quoted := "'" + replaceQuotes(expr) + "'::text"
		if got := parseDefault(quoted, typ); got != schema.Literal(expr) {
			t.Errorf("%q read back as %+v", quoted, got)
		}
	})
}

// replaceQuotes doubles quotes the way the server prints a constant.
func replaceQuotes(s string) string {
	var out []byte
	for i := 0; i < len(s); i++ {
		if s[i] == '\'' {
			out = append(out, '\'')
		}
		out = append(out, s[i])
	}
	return string(out)
}
