package convert

import (
	"bytes"
	"unicode/utf8"
)

// ValidText reports whether PostgreSQL takes text: UTF-8 without zero bytes.
func ValidText(text []byte) bool { return bytes.IndexByte(text, 0) < 0 && utf8.Valid(text) }

// TextFixer makes text that PostgreSQL takes: UTF-8 without zero bytes. What is
// right already stays as it is. Text comes in pieces of any size; every piece
// gives at most three times its bytes, and a character more.
//
// A byte is at fault when no valid character begins with it. So each byte of an
// overlong form, of a surrogate and of an incomplete character is a fault of its own.
type TextFixer struct {
	// Nul is what is done about zero bytes: [FixStrip] or [FixReplacement],
	// which is also what empty means.
	Nul FixRule
	// Invalid is what is done about bytes that are not UTF-8: [FixStrip],
	// [FixCP1252] or [FixReplacement], which is also what empty means.
	Invalid FixRule
	// open is the start of a character that was not complete.
	open []byte
	// joined is the buffer in which open and a piece are put together.
	joined []byte
}

// Append appends the next piece to dst.
func (f *TextFixer) Append(dst, piece []byte) []byte { return f.fix(dst, piece, false) }

// End appends what is left when the text is complete.
func (f *TextFixer) End(dst []byte) []byte { return f.fix(dst, nil, true) }

func (f *TextFixer) fix(dst, piece []byte, last bool) []byte {
	text := piece
	if len(f.open) > 0 {
		f.joined = append(append(f.joined[:0], f.open...), piece...)
		text, f.open = f.joined, f.open[:0]
	}
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		switch {
		case r == 0:
			dst = fixByte(dst, 0, f.Nul)
		case r != utf8.RuneError || size > 1:
			dst = append(dst, text[:size]...)
		case !last && !utf8.FullRune(text):
			f.open = append(f.open[:0], text...)
			return dst
		default:
			dst = fixByte(dst, text[0], f.Invalid)
		}
		text = text[size:]
	}
	return dst
}

// fixByte appends what a rule makes of one byte that is at fault.
func fixByte(dst []byte, b byte, rule FixRule) []byte {
	switch rule {
	case FixStrip:
		return dst
	case FixCP1252:
		return utf8.AppendRune(dst, fromCP1252(b))
	default:
		return utf8.AppendRune(dst, utf8.RuneError)
	}
}

// fromCP1252 reads a byte as Windows-1252, which is latin1 but for 0x80 to 0x9F.
// See https://www.unicode.org/Public/MAPPINGS/VENDORS/MICSFT/WINDOWS/CP1252.TXT.
func fromCP1252(b byte) rune {
	if b < 0x80 || b > 0x9F {
		return rune(b)
	}
	const bad = utf8.RuneError
	return [...]rune{
		'€', bad, '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', bad, 'Ž', bad,
		bad, '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', bad, 'ž', 'Ÿ',
	}[b-0x80]
}

// CutChars returns the start of text that has at most most characters, and how
// many it has. Pieces of a text can be cut one after another.
func CutChars(text []byte, most int64) (start []byte, chars int64) {
	for i, c := range text {
		if c >= utf8.RuneSelf && c < 0xC0 {
			continue
		}
		if chars == most {
			return text[:i], chars
		}
		chars++
	}
	return text, chars
}
