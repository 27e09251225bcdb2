package xmldb

import (
	"fmt"
	"strings"
)

// phpKind tells apart the tokens of PHP that matter to literals.
type phpKind int

const (
	phpEOF    phpKind = iota
	phpVar            // $name, without the dollar
	phpWord           // keyword, constant or function name
	phpNumber         // as written
	phpString         // value of a string without interpolation
	phpOpaque         // a string with interpolation, a heredoc: not a literal
	phpPunct          // operator or bracket
)

type phpToken struct {
	kind phpKind
	text string
	line int
}

func (t phpToken) is(punct string) bool { return t.kind == phpPunct && t.text == punct }

// phpLexer splits PHP source into tokens, far enough to read literals. It
// never fails: what it does not know becomes phpOpaque or single punctuation.
type phpLexer struct {
	src  string
	pos  int
	line int
	code bool // inside <?php ... ?>
}

// phpTokens returns the tokens of a PHP file; the last one is phpEOF.
func phpTokens(src string) []phpToken {
	l := &phpLexer{src: src, line: 1}
	var all []phpToken
	for {
		t := l.next()
		all = append(all, t)
		if t.kind == phpEOF {
			return all
		}
	}
}

func (l *phpLexer) rest() string { return l.src[l.pos:] }

// advance moves over n bytes and counts their lines.
func (l *phpLexer) advance(n int) string {
	s := l.src[l.pos : l.pos+n]
	l.pos += n
	l.line += strings.Count(s, "\n")
	return s
}

func (l *phpLexer) next() phpToken {
	l.skip()
	t := phpToken{line: l.line}
	if l.pos >= len(l.src) {
		return t
	}
	switch c := l.src[l.pos]; {
	case c == '\'' || c == '"':
		t.kind, t.text = l.quoted(c)
	case c == '`' || strings.HasPrefix(l.rest(), "<<<"):
		t.kind, t.text = phpOpaque, l.advance(1)
	case c == '$' && l.pos+1 < len(l.src) && isWordByte(l.src[l.pos+1]):
		l.advance(1)
		t.kind, t.text = phpVar, l.advance(wordLen(l.rest()))
	case c >= '0' && c <= '9':
		t.kind, t.text = phpNumber, l.advance(numberLen(l.rest()))
	case isWordByte(c) || c == '\\':
		t.kind, t.text = phpWord, l.advance(max(1, wordLen(l.rest())))
	default:
		t.kind, t.text = phpPunct, l.advance(punctLen(l.rest()))
	}
	return t
}

// skip moves over whitespace, comments and everything outside <?php ... ?>.
func (l *phpLexer) skip() {
	for l.pos < len(l.src) {
		s := l.rest()
		switch {
		case !l.code:
			open := strings.Index(s, "<?php")
			if open < 0 {
				l.advance(len(s))
				return
			}
			l.advance(open + len("<?php"))
			l.code = true
		case strings.HasPrefix(s, "?>"):
			l.advance(2)
			l.code = false
		case strings.HasPrefix(s, "//"), s[0] == '#' && !strings.HasPrefix(s, "#["):
			// A one-line comment also ends before a closing tag.
			end := strings.IndexByte(s, '\n')
			if end < 0 {
				end = len(s)
			}
			if tag := strings.Index(s[:end], "?>"); tag >= 0 {
				end = tag
			}
			l.advance(end)
		case strings.HasPrefix(s, "/*"):
			end := strings.Index(s[2:], "*/")
			if end < 0 {
				l.advance(len(s))
				return
			}
			l.advance(end + 4)
		case s[0] == ' ' || s[0] == '\t' || s[0] == '\r' || s[0] == '\n':
			l.advance(1)
		default:
			return
		}
	}
}

// quoted reads a string. A double-quoted one that interpolates is opaque.
func (l *phpLexer) quoted(quote byte) (phpKind, string) {
	var b strings.Builder
	kind := phpString
	l.advance(1)
	for l.pos < len(l.src) {
		c := l.src[l.pos]
		if c == quote {
			l.advance(1)
			return kind, b.String()
		}
		if c == '\\' && l.pos+1 < len(l.src) {
			b.WriteString(unescapePHP(quote, l.advance(2)))
			continue
		}
		if c == '$' && quote == '"' && l.pos+1 < len(l.src) && (isWordByte(l.src[l.pos+1]) || l.src[l.pos+1] == '{') {
			kind = phpOpaque
		}
		b.WriteString(l.advance(1))
	}
	return phpOpaque, b.String() // not closed
}

// unescapePHP decodes a backslash and the byte after it. Octal and hexadecimal
// escapes do not occur in the paths and versions read here and stay as written.
func unescapePHP(quote byte, esc string) string {
	c := esc[1]
	if c == '\\' || c == quote {
		return esc[1:]
	}
	if quote == '"' {
		switch c {
		case 'n':
			return "\n"
		case 't':
			return "\t"
		case 'r':
			return "\r"
		case '$':
			return "$"
		}
	}
	return esc
}

func isWordByte(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c >= 0x80
}

func wordLen(s string) int {
	for i := range len(s) {
		if !isWordByte(s[i]) && s[i] != '\\' {
			return i
		}
	}
	return len(s)
}

func numberLen(s string) int {
	for i := range len(s) {
		if !isWordByte(s[i]) && s[i] != '.' {
			return i
		}
	}
	return len(s)
}

// punctLen returns the length of the operator at the start of s. Only those
// that must not be mistaken for an assignment or a concatenation are longer than 1.
func punctLen(s string) int {
	for _, op := range []string{"===", "!==", "=>", "->", "::", "==", "!=", "<=", ">=", ".=", "+=", "-=", "??"} {
		if strings.HasPrefix(s, op) {
			return len(op)
		}
	}
	return 1
}

// phpParser reads literals out of tokens.
type phpParser struct {
	tokens []phpToken
	pos    int
	// member gives the value of $object->property inside a concatenation, as in
	// $CFG->dirroot.'/mod'; nil when none is known.
	member func(object, property string) (string, bool)
}

func (p *phpParser) peek() phpToken { return p.at(0) }

func (p *phpParser) at(offset int) phpToken {
	if i := p.pos + offset; i < len(p.tokens) {
		return p.tokens[i]
	}
	return p.tokens[len(p.tokens)-1] // phpEOF
}

func (p *phpParser) take() phpToken {
	t := p.peek()
	if t.kind != phpEOF {
		p.pos++
	}
	return t
}

// phpError is an expression that is not the literal that was hoped for.
type phpError struct {
	line int
	msg  string
}

func (e *phpError) Error() string { return fmt.Sprintf("line %d: %s", e.line, e.msg) }

func phpErrorAt(t phpToken, want string) error {
	found := "the end of the file"
	switch t.kind {
	case phpEOF:
	case phpVar:
		found = "$" + t.text
	case phpOpaque:
		found = "a string with variables in it"
	case phpString:
		found = "a string"
	case phpWord, phpNumber, phpPunct:
		found = t.text
	}
	return &phpError{line: t.line, msg: fmt.Sprintf("found %s where %s is needed", found, want)}
}

// text reads a constant string: literals and known members joined by dots.
func (p *phpParser) text() (string, error) {
	var b strings.Builder
	for {
		t := p.take()
		switch {
		case t.kind == phpString:
			b.WriteString(t.text)
		case t.kind == phpVar && p.peek().is("->") && p.at(1).kind == phpWord && p.member != nil:
			p.take()
			value, ok := p.member(t.text, p.take().text)
			if !ok {
				return "", phpErrorAt(t, "a literal string")
			}
			b.WriteString(value)
		default:
			return "", phpErrorAt(t, "a literal string")
		}
		if !p.peek().is(".") {
			return b.String(), nil
		}
		p.take()
	}
}

// phpPair is one entry of an array literal. Null is true for the value null;
// Key is empty in a plain list.
type phpPair struct {
	Key, Value string
	Null       bool
	Line       int
}

// array reads array(...) or [...] of constant strings, with or without keys.
func (p *phpParser) array() ([]phpPair, error) {
	closer := "]"
	switch t := p.take(); {
	case t.is("["):
	case t.kind == phpWord && strings.EqualFold(t.text, "array") && p.peek().is("("):
		p.take()
		closer = ")"
	default:
		return nil, phpErrorAt(t, "a literal array")
	}
	pairs := []phpPair{}
	for {
		if p.peek().is(closer) {
			p.take()
			return pairs, nil
		}
		pair, err := p.pair()
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, pair)
		if p.peek().is(",") {
			p.take()
		} else if !p.peek().is(closer) {
			return nil, phpErrorAt(p.peek(), "a comma or "+closer)
		}
	}
}

func (p *phpParser) pair() (phpPair, error) {
	pair := phpPair{Line: p.peek().line}
	value, err := p.text()
	if err != nil {
		return pair, err
	}
	if !p.peek().is("=>") {
		pair.Value = value
		return pair, nil
	}
	p.take()
	pair.Key = value
	if t := p.peek(); t.kind == phpWord && strings.EqualFold(t.text, "null") {
		p.take()
		pair.Null = true
		return pair, nil
	}
	pair.Value, err = p.text()
	return pair, err
}
