package postgres

import (
	"slices"
	"strings"
	"testing"
)

func TestQuote(t *testing.T) {
	for _, tt := range []struct{ in, ident, literal string }{
		{"plain", `"plain"`, `'plain'`},
		{"With Space", `"With Space"`, `'With Space'`},
		{`quo"te`, `"quo""te"`, `'quo"te'`},
		{"it's", `"it's"`, `'it''s'`},
		{`back\slash`, `"back\slash"`, `E'back\\slash'`},
		{`\'`, `"\'"`, `E'\\'''`},
		{"", `""`, `''`},
		{"select", `"select"`, `'select'`},
	} {
		if got := QuoteIdent(tt.in); got != tt.ident {
			t.Errorf("QuoteIdent(%q) = %s, want %s", tt.in, got, tt.ident)
		}
		if got := QuoteLiteral(tt.in); got != tt.literal {
			t.Errorf("QuoteLiteral(%q) = %s, want %s", tt.in, got, tt.literal)
		}
	}
}

// The long names are what PostgreSQL 15 made of them.
func TestSequenceName(t *testing.T) {
	for _, tt := range []struct{ table, column, want string }{
		{"mdl_config", "id", "mdl_config_id_seq"},
		{strings.Repeat("t", 56), "id", strings.Repeat("t", 56) + "_id_seq"},
		{strings.Repeat("t", 57), "id", strings.Repeat("t", 56) + "_id_seq"},
		{strings.Repeat("t", 63), "id", strings.Repeat("t", 56) + "_id_seq"},
		{
			"averyveryverylongtablename_with_fiftythree_characters_xx", "id_of_the_longest_kind_that_is_allowed",
			"averyveryverylongtablename_wi_id_of_the_longest_kind_that_i_seq",
		},
		{strings.Repeat("ä", 31), "id", strings.Repeat("ä", 28) + "_id_seq"},
		{strings.Repeat("ä", 31), "i", strings.Repeat("ä", 28) + "_i_seq"},
	} {
		got := SequenceName(tt.table, tt.column)
		if got != tt.want {
			t.Errorf("SequenceName(%q, %q) = %q, want %q", tt.table, tt.column, got, tt.want)
		}
		if len(got) > MaxIdentifier {
			t.Errorf("%q has %d bytes", got, len(got))
		}
	}
}

func TestSplitIdents(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want []string
	}{
		{`"$user", public`, []string{"$user", "public"}},
		{`public`, []string{"public"}},
		{`Public,"Public" ,  "a,b"`, []string{"public", "Public", "a,b"}},
		{`"quo""te"`, []string{`quo"te`}},
		{`""`, []string{""}},
		{``, nil},
	} {
		if got := splitIdents(tt.in); !slices.Equal(got, tt.want) {
			t.Errorf("splitIdents(%s) = %q, want %q", tt.in, got, tt.want)
		}
	}
}
