package convert

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// fixText fixes a text in pieces of size bytes.
func fixText(text string, nul, invalid FixRule, size int) string {
	f := TextFixer{Nul: nul, Invalid: invalid}
	var out []byte
	for ; len(text) > size; text = text[size:] {
		out = f.Append(out, []byte(text[:size]))
	}
	out = f.Append(out, []byte(text))
	return string(f.End(out))
}

func TestTextFixer(t *testing.T) {
	for _, c := range []struct{ name, text, cp1252, replacement, strip string }{
		{"right already", "aä€\U0001F600\uFFFD", "aä€\U0001F600\uFFFD", "aä€\U0001F600\uFFFD", "aä€\U0001F600\uFFFD"},
		{"empty", "", "", "", ""},
		{"a latin1 letter", "caf\xe9 noir", "café noir", "caf\uFFFD noir", "caf noir"},
		{"windows quotes", "\x93a\x94 \x80\x85", "“a” €…", "\uFFFDa\uFFFD \uFFFD\uFFFD", "a "},
		{"bytes that windows lacks", "\x81\x8d\x8f\x90\x9d", strings.Repeat("\uFFFD", 5), strings.Repeat("\uFFFD", 5), ""},
		{"nul", "a\x00b\x00", "a\uFFFDb\uFFFD", "a\uFFFDb\uFFFD", "ab"},
		{"nul after invalid", "\xe9\x00\xe9", "é\uFFFDé", "\uFFFD\uFFFD\uFFFD", ""},
		{"nul within a character", "\xe2\x82\x00\xac", "â‚\uFFFD¬", "\uFFFD\uFFFD\uFFFD\uFFFD", ""},
		{"surrogate", "\xed\xa0\x80", "í\u00a0€", "\uFFFD\uFFFD\uFFFD", ""},
		{"overlong", "\xc0\x80\xc1\xbf\xe0\x80\xaf", "À€Á¿à€¯", strings.Repeat("\uFFFD", 7), ""},
		{"above unicode", "\xf4\x90\x80\x80\xf5", "ô\uFFFD€€õ", strings.Repeat("\uFFFD", 5), ""},
		{"cut at the end", "x\xf0\x9f\x98", "xðŸ˜", "x\uFFFD\uFFFD\uFFFD", "x"},
		{"cut before a letter", "\xe2\x82A", "â‚A", "\uFFFD\uFFFDA", "A"},
		{"cut before a character", "\xe2\x82€", "â‚€", "\uFFFD\uFFFD€", "€"},
		{"stray continuation", "\x80\xbf", "€¿", "\uFFFD\uFFFD", ""},
	} {
		for size := 1; size <= len(c.text)+1; size++ {
			for rule, want := range map[FixRule]string{FixCP1252: c.cp1252, FixReplacement: c.replacement, FixStrip: c.strip} {
				nul := FixReplacement
				if rule == FixStrip {
					nul = FixStrip
				}
				if got := fixText(c.text, nul, rule, size); got != want {
					t.Errorf("%s, %s, pieces of %d: got %q, want %q", c.name, rule, size, got, want)
				}
			}
		}
	}
}

// hostile draws text that is right only by chance.
func hostile() *rapid.Generator[string] {
	part := rapid.OneOf(
		rapid.String(),
		rapid.SampledFrom([]string{"\x00", "\xe9", "\x93", "\x81", "\xed\xa0\x80", "\xc0\x80", "\xf0\x9f", "\xe2\x82", "€", "\U0001F600", "\uFFFD"}),
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 4), func(b []byte) string { return string(b) }),
	)
	return rapid.Map(rapid.SliceOfN(part, 0, 12), func(parts []string) string { return strings.Join(parts, "") })
}

func TestFixedTextIsValidInPiecesOfAnySize(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := hostile().Draw(t, "text")
		nul := rapid.SampledFrom([]FixRule{FixStrip, FixReplacement}).Draw(t, "nul")
		invalid := rapid.SampledFrom([]FixRule{FixStrip, FixReplacement, FixCP1252}).Draw(t, "invalid")
		size := rapid.IntRange(1, 9).Draw(t, "size")
		checkFixed(t, text, nul, invalid, size)
	})
}

func FuzzTextFixer(f *testing.F) {
	for _, s := range []string{"", "a\x00b", "caf\xe9", "\xed\xa0\x80", "\xf0\x9f\x98", "\xe2\x82\x00\xac", "\xc0\x80"} {
		f.Add(s, 1)
	}
	f.Fuzz(func(t *testing.T, text string, size int) {
		text = text[:min(len(text), 4096)]
		for _, nul := range []FixRule{FixStrip, FixReplacement} {
			for _, invalid := range []FixRule{FixStrip, FixReplacement, FixCP1252} {
				checkFixed(t, text, nul, invalid, max(size, 1))
			}
		}
	})
}

// checkFixed holds what is true of every fixed text.
func checkFixed(t rapid.TB, text string, nul, invalid FixRule, size int) {
	fixed := fixText(text, nul, invalid, size)
	switch {
	case !ValidText([]byte(fixed)):
		t.Fatalf("%q became %q", text, fixed)
	case ValidText([]byte(text)) && fixed != text:
		t.Fatalf("%q was right, and became %q", text, fixed)
	case len(fixed) > 3*len(text):
		t.Fatalf("%q grew to %q", text, fixed)
	case fixText(fixed, nul, invalid, size) != fixed:
		t.Fatalf("%q becomes another text the second time", text)
	}
	// Another way to the same: what one whole decoding says, byte by byte.
	var want strings.Builder
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		rule := invalid
		if r == 0 {
			rule = nul
		}
		switch {
		case r != 0 && (r != utf8.RuneError || n > 1):
			want.WriteString(text[i : i+n])
		case rule == FixReplacement:
			want.WriteRune(utf8.RuneError)
		case rule == FixCP1252:
			want.WriteRune(fromCP1252(text[i]))
		}
		i += n
	}
	if fixed != want.String() {
		t.Fatalf("%q became %q in pieces of %d, and %q as a whole", text, fixed, size, want.String())
	}
}

func TestScannerFindsEachKind(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := []byte(hostile().Draw(t, "text"))
		size := rapid.IntRange(1, 9).Draw(t, "size")
		for ignore, want := range map[ErrorKind]bool{
			"":          !ValidText(text),
			InvalidUTF8: strings.ContainsRune(string(text), 0),
			NulByte:     !utf8.Valid(text),
		} {
			s := TextScanner{Ignore: ignore}
			var err error
			for rest := text; len(rest) > 0 && err == nil; rest = rest[min(size, len(rest)):] {
				err = s.Scan(rest[:min(size, len(rest))], "text")
			}
			if err == nil {
				err = s.End("text")
			}
			if (err != nil) != want || err != nil && kindOfError(err) == ignore {
				t.Fatalf("%q without %q: %v", text, ignore, err)
			}
		}
	})
}

func TestCutChars(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := []byte(rapid.String().Draw(t, "text"))
		most := rapid.Int64Range(0, 20).Draw(t, "most")
		size := rapid.IntRange(1, 9).Draw(t, "size")
		want := []rune(string(text))
		want = want[:min(int64(len(want)), most)]
		var got []byte
		for rest, left := text, most; len(rest) > 0; rest = rest[min(size, len(rest)):] {
			piece := rest[:min(size, len(rest))]
			start, chars := CutChars(piece, left)
			got = append(got, start...)
			if left -= chars; len(start) < len(piece) {
				break
			}
		}
		if string(got) != string(want) {
			t.Fatalf("%d characters of %q: %q", most, text, got)
		}
	})
}
