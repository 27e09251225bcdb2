package configphp

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// readQuoted reads a string in single quotes, double quotes or backquotes.
func (l *lexer) readQuoted(quote byte) error {
	rest := l.rest()
	end := 1
	for end < len(rest) && rest[end] != quote {
		if rest[end] == '\\' {
			end++
		}
		end++
	}
	if end >= len(rest) {
		return l.fail(l.line, "string without its closing quote")
	}
	body := rest[1:end]
	switch {
	case quote == '\'':
		l.add(tokString, unescapeSingle(body))
	case quote == '`' || hasVariable(body):
		l.add(tokTemplate, "")
	default:
		l.add(tokString, unescapeDouble(body, '"'))
	}
	l.advance(end + 1)
	return nil
}

// hasVariable reports whether PHP would put the value of a variable into the body of a double-quoted string.
func hasVariable(body string) bool {
	for i := 0; i < len(body)-1; i++ {
		switch {
		case body[i] == '\\':
			i++
		case body[i] == '$' && (isNameStart(body[i+1]) || body[i+1] == '{'):
			return true
		case body[i] == '{' && body[i+1] == '$':
			return true
		}
	}
	return false
}

// unescapeSingle decodes the body of a single-quoted string, which knows \\ and \' only.
func unescapeSingle(body string) string {
	if !strings.Contains(body, `\`) {
		return body
	}
	var b strings.Builder
	for i := 0; i < len(body); i++ {
		if body[i] == '\\' && i+1 < len(body) && (body[i+1] == '\\' || body[i+1] == '\'') {
			i++
		}
		b.WriteByte(body[i])
	}
	return b.String()
}

// unescapeDouble decodes the body of a double-quoted string, or with quote 0 of
// a heredoc, in which \" is no escape. What is no escape stays as it is.
func unescapeDouble(body string, quote byte) string {
	if !strings.Contains(body, `\`) {
		return body
	}
	var b strings.Builder
	for i := 0; i < len(body); i++ {
		if body[i] != '\\' || i+1 == len(body) {
			b.WriteByte(body[i])
			continue
		}
		n := writeEscape(&b, body[i+1:], quote)
		if n == 0 {
			b.WriteByte('\\')
		}
		i += n
	}
	return b.String()
}

// writeEscape decodes the escape whose backslash stands before s and returns
// how many bytes of s it took; 0 when s begins no escape.
func writeEscape(b *strings.Builder, s string, quote byte) int {
	switch c := s[0]; {
	case c == '\\' || c == '$' || c == quote && quote != 0:
		b.WriteByte(c)
		return 1
	case strings.IndexByte("nrtvef", c) >= 0:
		b.WriteByte("\n\r\t\v\x1b\f"[strings.IndexByte("nrtvef", c)])
		return 1
	case c >= '0' && c <= '7':
		n := 1
		for n < 3 && n < len(s) && s[n] >= '0' && s[n] <= '7' {
			n++
		}
		v, _ := strconv.ParseUint(s[:n], 8, 16)
		b.WriteByte(byte(v)) // PHP drops the overflow of \400 too
		return n
	case c == 'x':
		n := 1
		for n < 3 && n < len(s) && isHex(s[n]) {
			n++
		}
		if n == 1 {
			return 0
		}
		v, _ := strconv.ParseUint(s[1:n], 16, 8)
		b.WriteByte(byte(v))
		return n
	case c == 'u' && strings.HasPrefix(s, "u{"):
		end := strings.IndexByte(s, '}')
		if end < 0 {
			return 0
		}
		v, err := strconv.ParseUint(s[2:end], 16, 32)
		if err != nil || v > utf8.MaxRune {
			return 0
		}
		b.WriteRune(rune(v))
		return end + 1
	default:
		return 0
	}
}

// isHex reports whether c is a hexadecimal digit.
func isHex(c byte) bool {
	return isDigit(c) || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

// readHeredoc reads a heredoc (<<<X, <<<"X") or a nowdoc (<<<'X').
func (l *lexer) readHeredoc() error {
	rest := l.rest()
	head := strings.TrimLeft(rest[3:], " \t")
	quote := byte(0)
	if head != "" && (head[0] == '\'' || head[0] == '"') {
		quote = head[0]
		head = head[1:]
	}
	n := nameLength(head)
	label := head[:n]
	head = head[n:]
	if quote != 0 {
		head = strings.TrimPrefix(head, string(quote))
	}
	head = strings.TrimPrefix(head, "\r")
	if n == 0 || isDigit(label[0]) || !strings.HasPrefix(head, "\n") {
		l.readOperator()
		return nil
	}
	lines, indent, length, ok := heredocLines(head[1:], label)
	if !ok {
		return l.fail(l.line, "heredoc without its closing "+label)
	}
	for i, line := range lines {
		lines[i] = trimIndent(line, indent)
	}
	body := strings.Join(lines, "\n")
	switch {
	case quote == '\'':
		l.add(tokString, body)
	case hasVariable(body):
		l.add(tokTemplate, "")
	default:
		l.add(tokString, unescapeDouble(body, 0))
	}
	l.advance(len(rest) - len(head) + 1 + length)
	return nil
}

// heredocLines cuts text into the lines before the closing label. indent is
// the white space before the label; length counts the bytes up to the label's end.
func heredocLines(text, label string) (lines []string, indent, length int, ok bool) {
	for pos := 0; pos <= len(text); {
		line, _, more := strings.Cut(text[pos:], "\n")
		trimmed := strings.TrimLeft(line, " \t")
		indent = len(line) - len(trimmed)
		if strings.HasPrefix(trimmed, label) && nameLength(trimmed) == len(label) {
			return lines, indent, pos + indent + len(label), true
		}
		if !more {
			break
		}
		lines = append(lines, strings.TrimSuffix(line, "\r"))
		pos += len(line) + 1
	}
	return nil, 0, 0, false
}

// trimIndent takes up to n blanks from the start of a line, as the indentation of the closing label asks.
func trimIndent(line string, n int) string {
	i := 0
	for i < n && i < len(line) && (line[i] == ' ' || line[i] == '\t') {
		i++
	}
	return line[i:]
}
