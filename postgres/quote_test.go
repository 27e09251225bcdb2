package postgres

import (
	"slices"
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
