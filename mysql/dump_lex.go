package mysql

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// tokenKind tells the kinds of a token apart.
type tokenKind uint8

const (
	tokenWord   tokenKind = iota // a keyword, a bare name or a number
	tokenIdent                   // a quoted name
	tokenString                  // a text in quotes
	tokenPunct                   // one byte of anything else
)

// token is a piece of a statement.
type token struct {
	kind       tokenKind
	start, end int
}

// source is a statement cut into tokens.
type source struct {
	text   string
	tokens []token
}

// maxTokens bounds the memory of a statement; a table has no more than some thousand columns.
const maxTokens = 1 << 20

var errTooManyTokens = errors.New("it has more than a million words")

// isWordRune reports whether r can stand in a bare name.
func isWordRune(r rune) bool {
	return r == '_' || r == '$' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= utf8.RuneSelf
}

// lex cuts a statement without comments into tokens. With ansi, names stand in double quotes.
func lex(text string, ansi bool) (source, error) {
	s := source{text: text}
	for i := 0; i < len(text); {
		c := text[i]
		if c == ' ' || c >= '\t' && c <= '\r' {
			i++
			continue
		}
		if len(s.tokens) == maxTokens {
			return s, errTooManyTokens
		}
		t := token{kind: tokenPunct, start: i, end: i + 1}
		switch {
		case c == '`', c == '"' && ansi:
			t.kind, t.end = tokenIdent, i+quotedLength(text[i:])
		case c == '\'' || c == '"':
			t.kind, t.end = tokenString, i+quotedLength(text[i:])
		case isWordRune(rune(c)), c == '.' && i+1 < len(text) && text[i+1] >= '0' && text[i+1] <= '9' && !s.endsInName():
			t.kind, t.end = tokenWord, i+wordLength(text[i:])
		}
		s.tokens = append(s.tokens, t)
		i = t.end
	}
	return s, nil
}

// endsInName reports whether a dot that follows separates names.
func (s *source) endsInName() bool {
	n := len(s.tokens)
	return n > 0 && (s.tokens[n-1].kind == tokenIdent || s.tokens[n-1].kind == tokenWord)
}

// wordLength returns the length of the word or number at the start of text.
func wordLength(text string) int {
	number := text[0] == '.' || text[0] >= '0' && text[0] <= '9'
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case isWordRune(rune(c)), number && c == '.':
		case number && (c == '+' || c == '-') && i > 0 && (text[i-1] == 'e' || text[i-1] == 'E'):
		default:
			return i
		}
	}
	return len(text)
}

// at returns the text of token i; "" behind the last one.
func (s *source) at(i int) string {
	if i < 0 || i >= len(s.tokens) {
		return ""
	}
	return s.text[s.tokens[i].start:s.tokens[i].end]
}

// kind returns the kind of token i.
func (s *source) kind(i int) tokenKind {
	if i < 0 || i >= len(s.tokens) {
		return tokenPunct
	}
	return s.tokens[i].kind
}

// is reports whether the tokens from i on are these words or signs.
func (s *source) is(i int, words ...string) bool {
	for k, w := range words {
		if kind := s.kind(i + k); kind != tokenWord && kind != tokenPunct || !strings.EqualFold(s.at(i+k), w) {
			return false
		}
	}
	return true
}

// isAny reports whether token i is one of the words.
func (s *source) isAny(i int, words ...string) bool {
	for _, w := range words {
		if s.is(i, w) {
			return true
		}
	}
	return false
}

// slice returns the source of the tokens from lo up to hi.
func (s *source) slice(lo, hi int) string {
	hi = min(hi, len(s.tokens))
	if lo >= hi {
		return ""
	}
	return s.text[s.tokens[lo].start:s.tokens[hi-1].end]
}

// group returns the position behind the parenthesis that closes the one at i, at most hi.
func (s *source) group(i, hi int) int {
	level := 0
	for ; i < hi; i++ {
		switch {
		case s.is(i, "("):
			level++
		case s.is(i, ")"):
			level--
			if level <= 0 {
				return i + 1
			}
		}
	}
	return hi
}

// balanced reports whether all parentheses are closed.
func (s *source) balanced() bool {
	level := 0
	for i := range s.tokens {
		switch {
		case s.is(i, "("):
			level++
		case s.is(i, ")"):
			level--
		}
		if level < 0 {
			return false
		}
	}
	return level == 0
}

// inner returns the source within the parentheses that begin at lo and end before hi.
func (s *source) inner(lo, hi int) string {
	if hi-1 <= lo || !s.is(hi-1, ")") {
		return s.slice(lo+1, hi)
	}
	return s.slice(lo+1, hi-1)
}

// name reads the name at token i.
func (s *source) name(i int) string {
	text := s.at(i)
	if s.kind(i) != tokenIdent || len(text) < 2 {
		return text
	}
	quote := text[:1]
	return strings.ReplaceAll(strings.TrimSuffix(text[1:], quote), quote+quote, quote)
}

// qualifiedName reads a name that may have a database in front, and returns the position behind it.
func (s *source) qualifiedName(i int) (database, name string, next int) {
	if s.is(i+1, ".") {
		return s.name(i), s.name(i + 2), i + 3
	}
	return "", s.name(i), i + 1
}

// list cuts the tokens between lo and hi at the commas outside of parentheses.
func (s *source) list(lo, hi int) [][2]int {
	var parts [][2]int
	for start := lo; start < hi; {
		end := start
		for end < hi && !s.is(end, ",") {
			if s.is(end, "(") {
				end = s.group(end, hi)
				continue
			}
			end++
		}
		if end > start {
			parts = append(parts, [2]int{start, end})
		}
		start = end + 1
	}
	return parts
}

// value returns the position behind the expression at i, as SHOW CREATE TABLE
// spells defaults: a literal, a call, a word, or anything in parentheses.
func (s *source) value(i, hi int) int {
	for s.isAny(i, "+", "-") {
		i++
	}
	switch {
	case i >= hi:
		return hi
	case s.is(i, "("):
		return s.group(i, hi)
	case s.is(i, "NEXT", "VALUE", "FOR"):
		_, _, next := s.qualifiedName(i + 3)
		return min(next, hi)
	case s.kind(i) == tokenString:
		return i + 1
	case s.kind(i+1) == tokenString && i+1 < hi && s.tokens[i+1].start == s.tokens[i].end:
		return i + 2 // b'1', x'ff', _utf8mb4'text'
	}
	for i++; s.is(i, ".") && i+1 < hi; i += 2 {
		continue
	}
	if s.is(i, "(") && i < hi {
		return s.group(i, hi)
	}
	return i
}
