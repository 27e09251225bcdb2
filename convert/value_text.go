package convert

import (
	"fmt"
	"unicode/utf8"
)

// around is how many bytes of a text are shown before and after a fault in it.
const around = 24

// TextScanner looks for what PostgreSQL refuses in text: zero bytes and bytes
// that are not UTF-8. Text comes in pieces of any size. The zero value is ready.
type TextScanner struct {
	// Ignore is a kind of faults that is passed over; empty for none.
	Ignore ErrorKind
	// offset is the place in the text of the first byte of tail.
	offset int64
	// tail is the end of what came before; its last open bytes are the start
	// of a character that was not complete.
	tail []byte
	open int
	// text is the buffer in which tail and a piece are put together.
	text []byte
}

// Scan looks at the next piece. It returns nil or a [*ValueError] that says
// where the first fault is.
func (s *TextScanner) Scan(piece []byte, target string) error { return s.scan(piece, false, target) }

// End says that the text is complete.
func (s *TextScanner) End(target string) error { return s.scan(nil, true, target) }

func (s *TextScanner) scan(piece []byte, last bool, target string) error {
	s.text = append(append(s.text[:0], s.tail...), piece...)
	text := s.text
	at := len(s.tail) - s.open
	for at < len(text) {
		if text[at] == 0 && s.Ignore != NulByte {
			return s.fault(NulByte, text, at, target)
		}
		if text[at] < utf8.RuneSelf {
			at++
			continue
		}
		r, size := utf8.DecodeRune(text[at:])
		if r == utf8.RuneError && size <= 1 {
			if !last && !utf8.FullRune(text[at:]) {
				break
			}
			if s.Ignore != InvalidUTF8 {
				return s.fault(InvalidUTF8, text, at, target)
			}
		}
		at += size
	}
	keep := max(0, at-around)
	s.open = len(text) - at
	s.offset += int64(keep)
	s.tail = append(s.tail[:0], text[keep:]...)
	return nil
}

// fault describes the byte at text[at] and shows its surroundings.
func (s *TextScanner) fault(kind ErrorKind, text []byte, at int, target string) error {
	from, to := max(0, at-around), min(len(text), at+around)
	for from > 0 && from < at && !utf8.RuneStart(text[from]) {
		from++
	}
	shown := fmt.Sprintf("%q", text[from:to])
	if s.offset+int64(from) > 0 {
		shown = "..." + shown
	}
	if to < len(text) {
		shown += "..."
	}
	detail := fmt.Sprintf("at byte %d", s.offset+int64(at)+1)
	if kind == InvalidUTF8 {
		bad := text[at:min(len(text), at+4)]
		for i, c := range bad {
			if i > 0 && c < utf8.RuneSelf {
				bad = bad[:i]
				break
			}
		}
		detail = fmt.Sprintf("0x%x %s", bad, detail)
	}
	return &ValueError{Kind: kind, Value: shown, Target: target, Detail: detail}
}
