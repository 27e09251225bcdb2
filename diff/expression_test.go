package diff

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestExpressionsAreSpeltAlike(t *testing.T) {
	for _, tc := range []struct {
		name  string
		mysql bool
		texts []string
		want  string
	}{
		{"casts, parentheses, case", false, []string{
			"to_tsvector('simple'::regconfig, title)", "to_tsvector('simple'::regconfig, (title)::text)",
			"TO_TSVECTOR('simple', \"title\")", "pg_catalog.to_tsvector('simple'::pg_catalog.regconfig, title)",
		}, "to_tsvector 'simple' , title"},
		{"types of several words", false, []string{
			"x > ('2020'::timestamp(3) without time zone)", "x > '2020'::timestamp with time zone", "(x > '2020'::character varying(20)[])",
			"x > '2020'::numeric(10,2)", "x > '2020'::double precision", "x > '2020'::\"my\".\"type\"",
		}, "x > '2020'"},
		{"introducers", true, []string{"`x` > _utf8mb4'20\\'20'", "x>_latin1 '20''20'", `x > "20'20"`}, "x > '20'20'"},
		{"signs", true, []string{"x in (-1, - 2, -(3))", "X IN (-1,-2,-3)"}, "x in -1 , -2 , -3"},
		{"a difference is no sign", false, []string{"(a - 1)", "a-1"}, "a - 1"},
		{"a difference of elements", false, []string{"a[1] - 1"}, "a [ 1 ] - 1"},
		{"escaped text", false, []string{`E'a\\b'`, `'a\b'`}, `'a\b'`},
		{"doubled quotes in names", false, []string{`"a""b" = 1`}, `a"b = 1`},
		{"quoted names keep case", false, []string{`"Name" <> NAME`}, "Name <> name"},
		{"open ends", false, []string{"'abc"}, "'abc'"},
		{"nothing", false, []string{"", "  ", "()"}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, text := range tc.texts {
				if got := parseExpression(text, tc.mysql).spell(nil); got != tc.want {
					t.Errorf("%s\ngot  %s\nwant %s", text, got, tc.want)
				}
			}
		})
	}
}

func TestValuesOfAList(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		mysql      bool
		want       []string // nil when it is no list
	}{
		{"as declared", "status IN ('a','b') OR status IS NULL", false, []string{"a", "b"}},
		{"as PostgreSQL prints it", "((status)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[])) OR (status IS NULL)", false, []string{"a", "b"}},
		{"integers of PostgreSQL", "(status = ANY (ARRAY['-1'::integer, 0, 1]))", false, []string{"-1", "0", "1"}},
		{"one value of PostgreSQL", "((status)::text = 'a'::text)", false, []string{"a"}},
		{"as MySQL prints it", "((`status` in (_utf8mb4'a',_utf8mb4'b')) or (`status` is null))", true, []string{"a", "b"}},
		{"integers of MySQL", "(`status` in (-(1),0,1))", true, []string{"-1", "0", "1"}},
		{"as MariaDB prints it", "`status` in ('a','b') or `status` is null", true, []string{"a", "b"}},
		{"alternatives", "status = 'a' OR status = 'b'", false, []string{"a", "b"}},
		{"not in", "status NOT IN ('a','b')", false, nil},
		{"greater", "status > 1", false, nil},
		{"not null", "status IN ('a') OR status IS NOT NULL", false, nil},
		{"a function", "lower(status) = 'a'", false, nil},
		{"no values", "status IS NULL", false, nil},
		{"another column", "status IN ('a') OR other = 'b'", false, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			values, ok := parseExpression(tc.text, tc.mysql).valueList(func(s string) bool { return s == "status" })
			if ok != (tc.want != nil) {
				t.Fatalf("is a list: %t", ok)
			}
			if got := slices.Sorted(maps.Keys(values)); ok && !slices.Equal(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestNamesInAnExpression(t *testing.T) {
	known := func(s string) (string, bool) { return s, strings.Contains(" a b lower ", " "+s+" ") }
	e := parseExpression(`lower(b) = 'a' AND "lower" > a OR b IS NULL`, false)
	if d := cmp.Diff([]string{"b", "lower", "a"}, e.names(known)); d != "" {
		t.Errorf("names (-want +got):\n%s", d)
	}
}

func FuzzExpression(f *testing.F) {
	f.Add("((status)::text = ANY ((ARRAY['a'::character varying])::text[]))", false)
	f.Add("(`status` in (_utf8mb4'a\\'',-(1)))", true)
	f.Add("x::", false)
	f.Add("x::a.b(1", false)
	f.Fuzz(func(t *testing.T, text string, mysql bool) {
		e := parseExpression(text, mysql)
		e.spell(strings.ToLower)
		e.valueList(func(string) bool { return true })
	})
}
