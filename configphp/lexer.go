package configphp

import (
	"strings"
)

// kind is the kind of a token.
type kind int

const (
	tokEOF      kind = iota
	tokVariable      // text: the name without "$"
	tokName          // text: keyword, constant or function name as written
	tokInt           // text: digits as written
	tokFloat         // text: digits as written
	tokString        // text: the decoded value
	tokTemplate      // a string whose value depends on variables, or a shell command
	tokPunct         // text: an operator
)

// token is one element of the source. Comments, white space and text outside
// of PHP are gone; "?>" has become ";", as PHP has it.
type token struct {
	kind kind
	text string
	line int
}

// is reports whether t is the operator text.
func (t token) is(text string) bool { return t.kind == tokPunct && t.text == text }

// isName reports whether t is the name text, in any case, as PHP compares keywords and functions.
func (t token) isName(text string) bool { return t.kind == tokName && strings.EqualFold(t.text, text) }

// operators lists PHP's operators of more than one character, longest first.
func operators() []string {
	return []string{
		"<<<", "===", "!==", "<=>", "**=", "...", "<<=", ">>=", "??=", "?->",
		"==", "!=", "<>", "<=", ">=", "&&", "||", "??", "++", "--", "+=", "-=", "*=", "/=", ".=", "%=", "&=", "|=", "^=",
		"->", "=>", "::", "<<", ">>", "**",
	}
}

// lexer cuts a PHP file into tokens.
type lexer struct {
	src  string
	pos  int
	line int
	ops  []string
	toks []token
	file string
}

// lex returns the tokens of src; the last one is tokEOF.
func lex(src, file string) ([]token, error) {
	l := &lexer{src: src, line: 1, ops: operators(), file: file}
	l.skipHTML()
	for l.pos < len(l.src) {
		if err := l.next(); err != nil {
			return nil, err
		}
	}
	l.add(tokEOF, "")
	return l.toks, nil
}

// fail makes an error at a line.
func (l *lexer) fail(line int, message string) error {
	return &Error{File: l.file, Line: line, Message: message}
}

// add appends a token that starts at the present line.
func (l *lexer) add(k kind, text string) {
	l.toks = append(l.toks, token{kind: k, text: text, line: l.line})
}

// advance moves on by n bytes and counts the lines.
func (l *lexer) advance(n int) {
	l.line += strings.Count(l.src[l.pos:l.pos+n], "\n")
	l.pos += n
}

// rest is what is still to be read.
func (l *lexer) rest() string { return l.src[l.pos:] }

// skipHTML moves behind the next "<?php" or "<?=".
func (l *lexer) skipHTML() {
	for {
		i := strings.Index(l.rest(), "<?")
		if i < 0 {
			l.advance(len(l.rest()))
			return
		}
		l.advance(i)
		switch {
		case len(l.rest()) >= 5 && strings.EqualFold(l.rest()[:5], "<?php"):
			l.advance(5)
			return
		case strings.HasPrefix(l.rest(), "<?="):
			l.advance(3)
			l.add(tokName, "echo")
			return
		default:
			l.advance(2) // "<?xml" and the like are text
		}
	}
}

// next reads one token, comment or run of white space.
func (l *lexer) next() error {
	rest := l.rest()
	c := rest[0]
	switch {
	case strings.IndexByte(" \t\r\n\v\f", c) >= 0:
		l.advance(1)
	case strings.HasPrefix(rest, "?>"):
		l.add(tokPunct, ";")
		l.advance(2)
		l.skipHTML()
	case strings.HasPrefix(rest, "//"), c == '#' && !strings.HasPrefix(rest, "#["):
		l.skipLineComment()
	case strings.HasPrefix(rest, "/*"):
		end := strings.Index(rest[2:], "*/")
		if end < 0 {
			return l.fail(l.line, "comment without its end */")
		}
		l.advance(end + 4)
	case c == '$' && len(rest) > 1 && isNameStart(rest[1]):
		n := 1 + nameLength(rest[1:])
		l.add(tokVariable, rest[1:n])
		l.advance(n)
	case isNameStart(c), c == '\\' && len(rest) > 1 && isNameStart(rest[1]):
		l.readName()
	case isDigit(c), c == '.' && len(rest) > 1 && isDigit(rest[1]):
		l.readNumber()
	case c == '\'' || c == '"' || c == '`':
		return l.readQuoted(c)
	case strings.HasPrefix(rest, "<<<"):
		return l.readHeredoc()
	default:
		l.readOperator()
	}
	return nil
}

// skipLineComment moves to the end of the line or to "?>", whichever is first.
func (l *lexer) skipLineComment() {
	rest := l.rest()
	end := strings.IndexByte(rest, '\n')
	if end < 0 {
		end = len(rest)
	}
	if i := strings.Index(rest[:end], "?>"); i >= 0 {
		end = i
	}
	l.advance(end)
}

// readName reads a name with its namespace.
func (l *lexer) readName() {
	rest := l.rest()
	n := 0
	for n < len(rest) && (isNamePart(rest[n]) || rest[n] == '\\' && n+1 < len(rest) && isNameStart(rest[n+1])) {
		n++
	}
	l.add(tokName, strings.TrimPrefix(rest[:n], `\`))
	l.advance(n)
}

// readNumber reads an integer or a float, as written.
func (l *lexer) readNumber() {
	rest := l.rest()
	n := 0
	k := tokInt
	if len(rest) > 1 && rest[0] == '0' && strings.IndexByte("xXbBoO", rest[1]) >= 0 {
		n = 2
		for n < len(rest) && isNamePart(rest[n]) {
			n++
		}
	} else {
		for n < len(rest) {
			c := rest[n]
			exponent := (c == '+' || c == '-') && n > 0 && (rest[n-1] == 'e' || rest[n-1] == 'E')
			if !isDigit(c) && c != '_' && c != '.' && c != 'e' && c != 'E' && !exponent {
				break
			}
			if c == '.' || c == 'e' || c == 'E' {
				k = tokFloat
			}
			n++
		}
	}
	l.add(k, rest[:n])
	l.advance(n)
}

// readOperator reads the longest operator, or any single byte.
func (l *lexer) readOperator() {
	rest := l.rest()
	text := rest[:1]
	for _, op := range l.ops {
		if strings.HasPrefix(rest, op) {
			text = op
			break
		}
	}
	l.add(tokPunct, text)
	l.advance(len(text))
}

// isNameStart reports whether a name may begin with c; PHP counts every byte above ASCII as a letter.
func isNameStart(c byte) bool {
	return c == '_' || c >= 0x80 || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// isNamePart reports whether a name may hold c.
func isNamePart(c byte) bool { return isNameStart(c) || isDigit(c) }

// isDigit reports whether c is a decimal digit.
func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// nameLength counts the bytes of the name at the start of s.
func nameLength(s string) int {
	n := 0
	for n < len(s) && isNamePart(s[n]) {
		n++
	}
	return n
}
