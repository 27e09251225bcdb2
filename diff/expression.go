package diff

import "strings"

// Servers print expressions in their own words: with other parentheses, quotes,
// casts and letter case than they were written in. An expression is therefore
// compared as a list of tokens, without what a server may add or leave out.

// tokenKind is the sort of a token.
type tokenKind int

const (
	tokenWord   tokenKind = iota // a name or a keyword, in lower case
	tokenName                    // a name in quotes
	tokenString                  // a literal, without its quotes
	tokenNumber
	tokenSymbol
)

// token is one element of an expression.
type token struct {
	kind tokenKind
	text string
	// call says that a parenthesis follows: a word is then a function or a keyword.
	call bool
}

// expression is an expression of SQL without parentheses, casts and introducers.
type expression []token

// parseExpression reads an expression in the dialect of MySQL or PostgreSQL.
// It refuses nothing: what it does not know is a symbol.
func parseExpression(text string, mysql bool) expression {
	s := scanner{text: text, mysql: mysql}
	var out expression
	for {
		t, ok := s.next()
		if !ok {
			return out.signed()
		}
		switch {
		case t.kind == tokenSymbol && t.text == "(":
			if n := len(out); n > 0 {
				out[n-1].call = true
			}
		case t.kind == tokenSymbol && t.text == ")":
		case t.kind == tokenSymbol && t.text == "::":
			s.skipType()
		default:
			out = append(out, t)
		}
	}
}

// signed joins a minus sign and the number that it belongs to: -1, -(1) and
// '-1'::integer are the same.
func (e expression) signed() expression {
	var out expression
	for i := 0; i < len(e); i++ {
		if e[i].text == "-" && e[i].kind == tokenSymbol && i+1 < len(e) && e[i+1].kind == tokenNumber && !out.endsOperand() {
			out = append(out, token{kind: tokenNumber, text: "-" + e[i+1].text})
			i++
			continue
		}
		out = append(out, e[i])
	}
	return out
}

// endsOperand reports whether a sign after e would be an operator.
func (e expression) endsOperand() bool {
	if len(e) == 0 {
		return false
	}
	last := e[len(e)-1]
	switch last.kind {
	case tokenSymbol:
		return last.text == "]"
	case tokenWord:
		return !last.call && !isKeyword(last.text)
	default:
		return true
	}
}

func isKeyword(word string) bool {
	switch word {
	case "in", "or", "and", "not", "any", "all", "array", "between", "case", "when", "then", "else", "is", "like":
		return true
	}
	return false
}

// spell spells the expression for comparisons; translate, when not nil, gives
// the names of columns as they are compared.
func (e expression) spell(translate func(string) string) string {
	words := make([]string, len(e))
	for i, t := range e {
		switch {
		case t.kind == tokenString:
			words[i] = "'" + t.text + "'"
		case t.isName() && translate != nil:
			words[i] = translate(t.text)
		default:
			words[i] = t.text
		}
	}
	return strings.Join(words, " ")
}

// isName reports whether the token may name a column.
func (t token) isName() bool { return t.kind == tokenName || t.kind == tokenWord && !t.call }

// names returns the names of e for which known gives a name, each once, in order.
func (e expression) names(known func(string) (string, bool)) []string {
	var names []string
	seen := map[string]bool{}
	for _, t := range e {
		if !t.isName() {
			continue
		}
		if name, ok := known(t.text); ok && !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	return names
}

// valueList returns the values of an expression that only lists those that a
// column may have, in any of the forms that servers print: column IN (…),
// column = ANY (ARRAY[…]), column = … OR …; with or without OR column IS NULL,
// since a CHECK lets NULL pass. It is false for any other expression.
func (e expression) valueList(isColumn func(string) bool) (values map[string]bool, ok bool) {
	values = map[string]bool{}
	for i, t := range e {
		switch t.kind {
		case tokenString, tokenNumber:
			values[t.text] = true
			continue
		case tokenSymbol:
			if strings.Contains("=,[]", t.text) {
				continue
			}
		default:
			if isColumn(t.text) || t.kind == tokenWord && (t.text == "in" || t.text == "or" || t.text == "any" || t.text == "array" || t.text == "null") {
				continue
			}
			if t.text == "is" && i+1 < len(e) && e[i+1].text == "null" {
				continue
			}
		}
		return nil, false
	}
	return values, len(values) > 0
}

// scanner cuts an expression into tokens.
type scanner struct {
	text  string
	mysql bool
}

// next returns the next token; false at the end.
func (s *scanner) next() (token, bool) {
	s.text = strings.TrimLeft(s.text, " \t\r\n")
	if s.text == "" {
		return token{}, false
	}
	c := s.text[0]
	switch {
	case c == '\'':
		return token{kind: tokenString, text: s.quoted(s.mysql)}, true
	case c == '"' && s.mysql:
		return token{kind: tokenString, text: s.quoted(true)}, true
	case c == '"' || c == '`':
		return token{kind: tokenName, text: s.quoted(false)}, true
	case isDigit(c):
		return token{kind: tokenNumber, text: s.take(s.numberEnd())}, true
	case isWordByte(c):
		return s.word(), true
	}
	return token{kind: tokenSymbol, text: s.take(s.symbolEnd())}, true
}

// word reads a word, or the literal that a character set or another letter introduces.
func (s *scanner) word() token {
	end := 1
	for end < len(s.text) && isWordByte(s.text[end]) {
		end++
	}
	word := strings.ToLower(s.take(end))
	rest := strings.TrimLeft(s.text, " ")
	if strings.HasPrefix(rest, "'") {
		switch {
		case word == "e" || word == "n":
			s.text = rest
			return token{kind: tokenString, text: s.quoted(s.mysql || word == "e")}
		case strings.HasPrefix(word, "_") && s.mysql:
			s.text = rest
			return token{kind: tokenString, text: s.quoted(true)}
		}
	}
	// pg_catalog says where a function is, which may be left out.
	if word == "pg_catalog" && strings.HasPrefix(s.text, ".") {
		s.text = s.text[1:]
		if t, ok := s.next(); ok {
			return t
		}
	}
	return token{kind: tokenWord, text: word}
}

// quoted reads what stands in quotes, and undoes doubled quotes.
func (s *scanner) quoted(backslash bool) string {
	quote := s.text[0]
	var b strings.Builder
	i := 1
	for ; i < len(s.text); i++ {
		switch {
		case backslash && s.text[i] == '\\' && i+1 < len(s.text):
			i++
			b.WriteByte(s.text[i])
		case s.text[i] != quote:
			b.WriteByte(s.text[i])
		case i+1 < len(s.text) && s.text[i+1] == quote:
			i++
			b.WriteByte(quote)
		default:
			s.text = s.text[i+1:]
			return b.String()
		}
	}
	s.text = ""
	return b.String()
}

func (s *scanner) numberEnd() int {
	end := 1
	for end < len(s.text) && (isDigit(s.text[end]) || s.text[end] == '.') {
		end++
	}
	return end
}

// symbolEnd finds the end of an operator of several characters. Signs stand
// alone, so that =-1 are two.
func (s *scanner) symbolEnd() int {
	if strings.HasPrefix(s.text, "::") {
		return 2
	}
	const several = "<>=!~|&@#"
	end := 0
	for end < len(s.text) && strings.IndexByte(several, s.text[end]) >= 0 {
		end++
	}
	return max(end, 1)
}

func (s *scanner) take(n int) string {
	taken := s.text[:n]
	s.text = s.text[n:]
	return taken
}

// skipType skips the type behind a cast: names of several words, with a
// schema, a length or an array's brackets.
func (s *scanner) skipType() {
	first, ok := s.next()
	if !ok {
		return
	}
	for strings.HasPrefix(s.text, ".") {
		s.text = s.text[1:]
		first, _ = s.next()
	}
	if first.kind == tokenWord {
		for s.skipWord("varying") || s.skipWord("precision") || s.skipWord("with") || s.skipWord("without") || s.skipWord("time") || s.skipWord("zone") {
			continue
		}
	}
	if end := strings.IndexByte(s.text, ')'); strings.HasPrefix(s.text, "(") && end > 0 && strings.Trim(s.text[1:end], "0123456789, ") == "" {
		s.text = s.text[end+1:]
		for s.skipWord("with") || s.skipWord("without") || s.skipWord("time") || s.skipWord("zone") {
			continue
		}
	}
	for strings.HasPrefix(s.text, "[]") {
		s.text = s.text[2:]
	}
}

// skipWord skips one word if it is the next.
func (s *scanner) skipWord(word string) bool {
	rest := strings.TrimLeft(s.text, " ")
	if len(rest) < len(word) || !strings.EqualFold(rest[:len(word)], word) || len(rest) > len(word) && isWordByte(rest[len(word)]) {
		return false
	}
	s.text = rest[len(word):]
	return true
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// isWordByte reports whether c may be part of a name: all of UTF-8 beyond ASCII may.
func isWordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || isDigit(c) || c == '_' || c == '$' || c >= 0x80
}
