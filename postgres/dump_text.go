package postgres

import "strings"

// The parser says where a clause begins, not where it ends, and prints
// expressions in its own way. So expressions are cut out of the source, which is
// the server's own spelling of them. These functions find their ends; they know
// quotes and parentheses and nothing else.

// tokenEnd returns the end of the token, the text in quotes or the white space at i.
func tokenEnd(text string, i int) int {
	switch c := text[i]; {
	case c == '\'':
		escapes := i > 0 && (text[i-1]|0x20) == 'e' && (i == 1 || !isNameByte(text[i-2]))
		return quotedEnd(text, i, escapes)
	case c == '"':
		return quotedEnd(text, i, false)
	case c == '$' && (i == 0 || !isNameByte(text[i-1])):
		tag := dollarTag.FindString(text[i:min(len(text), i+MaxIdentifier+2)])
		if tag == "" {
			return i + 1
		}
		if end := strings.Index(text[i+len(tag):], tag); end >= 0 {
			return i + end + 2*len(tag)
		}
		return len(text)
	case isNameByte(c):
		for i < len(text) && isNameByte(text[i]) {
			i++
		}
		return i
	case isSpace(c):
		for i < len(text) && isSpace(text[i]) {
			i++
		}
		return i
	}
	return i + 1
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// quotedEnd returns the end of the quoted text at i.
func quotedEnd(text string, i int, escapes bool) int {
	quote := text[i]
	for i++; i < len(text); i++ {
		switch {
		case text[i] == '\\' && escapes:
			i++
		case text[i] != quote:
		case i+1 < len(text) && text[i+1] == quote:
			i++
		default:
			return i + 1
		}
	}
	return len(text)
}

// elementEnd returns where the element of a list that begins at i ends: at a
// comma or parenthesis that is not its own.
func elementEnd(text string, i int) int {
	for level := 0; i < len(text); i = tokenEnd(text, i) {
		switch text[i] {
		case '(', '[':
			level++
		case ')', ']':
			if level == 0 {
				return i
			}
			level--
		case ',':
			if level == 0 {
				return i
			}
		}
	}
	return len(text)
}

// group returns what stands in the first parentheses at or behind i, and the
// position behind them. Without parentheses, end is the end of the text.
func group(text string, i int) (inner string, end int) {
	for i < len(text) && text[i] != '(' {
		i = tokenEnd(text, i)
	}
	if i >= len(text) {
		return "", len(text)
	}
	start := i + 1
	end = start
	for end < len(text) {
		at := elementEnd(text, end)
		if at < len(text) && text[at] != ',' {
			return text[start:at], at + 1
		}
		end = at + 1
	}
	return text[start:], len(text)
}

// elements cuts a list at its commas.
func elements(list string) []string {
	var all []string
	for i := 0; i < len(list); {
		end := elementEnd(list, i)
		all = append(all, strings.TrimSpace(list[i:end]))
		i = end + 1
	}
	return all
}

// keywordAt returns the position of a word outside of quotes and parentheses,
// at or behind i; -1 when it is not there.
func keywordAt(text string, i int, word string) int {
	level := 0
	for i < len(text) {
		end := tokenEnd(text, i)
		switch {
		case text[i] == '(':
			level++
		case text[i] == ')':
			level--
		case level == 0 && strings.EqualFold(text[i:end], word):
			return i
		}
		i = end
	}
	return -1
}

// depth is a bound on how deep the parser's tree of a text gets: how many tokens
// stand between two commas, and in parentheses within them.
func depth(text string) int {
	type frame struct {
		direct, nested int // of the element that is being read
		most           int // of the elements before
	}
	all := []frame{{}}
	closeElement := func(f *frame) {
		f.most = max(f.most, f.direct+f.nested)
		f.direct, f.nested = 0, 0
	}
	for i := 0; i < len(text); i = tokenEnd(text, i) {
		top := &all[len(all)-1]
		switch c := text[i]; {
		case isSpace(c):
		case c == '(' || c == '[':
			top.direct++
			all = append(all, frame{})
		case c == ')' || c == ']':
			closeElement(top)
			if len(all) == 1 {
				continue
			}
			inner := top.most
			all = all[:len(all)-1]
			top = &all[len(all)-1]
			top.nested = max(top.nested, inner)
		case c == ',':
			closeElement(top)
		default:
			top.direct++
		}
	}
	total := 0
	for i := range all {
		closeElement(&all[i])
		total += all[i].most
	}
	return total
}
