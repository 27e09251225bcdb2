package mysql

import "testing"

func TestQuoteIdent(t *testing.T) {
	tests := []struct{ in, want string }{
		{"mdl_user", "`mdl_user`"},
		{"mdl_Old-Copy 2", "`mdl_Old-Copy 2`"},
		{"a`b", "`a``b`"},
		{`a\'"`, "`a\\'\"`"},
	}
	for _, test := range tests {
		t.Run(test.in, func(t *testing.T) {
			if got := QuoteIdent(test.in); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestQuoteString(t *testing.T) {
	tests := []struct{ in, want string }{
		{"", `''`},
		{"it's", `'it''s'`},
		{`a\b`, `'a\\b'`},
		{"a\x00\n\r\x1a\t\"", "'a\\0\\n\\r\\Z\t\"'"},
		{"é😀", "'é😀'"},
	}
	for _, test := range tests {
		t.Run(test.in, func(t *testing.T) {
			if got := QuoteString(test.in); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func FuzzQuoteString(f *testing.F) {
	f.Add("it's \\ a \x00 \x1a \n test")
	f.Fuzz(func(t *testing.T, s string) {
		got, rest, ok := unquote(QuoteString(s) + "rest")
		if got != s || rest != "rest" || !ok {
			t.Errorf("%q is %s, which is read as %q, %q, %t", s, QuoteString(s), got, rest, ok)
		}
	})
}
