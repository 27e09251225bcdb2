package mysql

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/moodledb/moodledb/schema"
)

// maxStatement bounds the memory of reading: no definition of a table comes
// near it, and the rows of a dump are not kept at all.
const maxStatement = 16 << 20

// statement is one statement of a dump, without its comments and delimiter.
// What stands in version comments is part of it.
type statement struct {
	text string
	line int
	// problem says why the text is not whole; empty when it is.
	problem string
}

// splitter cuts a dump into statements as the mysql client does. It holds no
// more than one statement, and of statements about rows nothing.
type splitter struct {
	r    *bufio.Reader
	line int
	// delimiter ends a statement; DELIMITER changes it.
	delimiter string
	// engine says which version comments hold code; told says that the dump
	// itself has named it.
	engine schema.Engine
	told   bool
	// comment is told every comment of one line, cut to some length.
	comment func(text string)

	text      []byte
	start     int  // line on which the statement begins
	skip      bool // the statement is about rows
	inVersion bool // within a version comment whose text counts
	tooLong   bool
}

func newSplitter(r io.Reader, comment func(string)) *splitter {
	return &splitter{
		r: bufio.NewReaderSize(r, 128<<10), line: 1, delimiter: ";", engine: schema.MySQL, comment: comment,
	}
}

// errUTF16 is about a dump that went through a shell which changes what it passes on.
var errUTF16 = errors.New("the file is UTF-16, as PowerShell's > writes it; make the dump again with the option --result-file=FILE")

// begin looks at the first bytes of the file.
func (s *splitter) begin() error {
	head, err := s.r.Peek(3)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	switch {
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}), bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		return errUTF16
	case bytes.Equal(head, []byte{0xef, 0xbb, 0xbf}):
		s.drop(len(head))
	}
	return nil
}

// next returns the next statement; io.EOF after the last one. Statements about
// rows come with an empty text and without a problem.
func (s *splitter) next() (statement, error) {
	s.text, s.skip, s.tooLong, s.start = s.text[:0], false, false, 0
	for {
		window, err := s.window()
		if errors.Is(err, io.EOF) {
			return s.last()
		}
		if err != nil {
			return statement{}, err
		}
		if s.skip {
			if n := rowsLength(window, s.delimiter[0]); n > 0 {
				s.drop(n)
				continue
			}
		}
		if n := plainLength(window, s.delimiter[0]); n > 0 {
			s.take(n)
			continue
		}
		done, problem, err := s.special(window[0])
		switch {
		case err != nil:
			return statement{}, err
		case problem != "":
			return s.finish(problem), nil
		case done:
			return s.finish(""), nil
		}
	}
}

// window returns what is buffered, at least one byte.
func (s *splitter) window() ([]byte, error) {
	if s.r.Buffered() == 0 {
		if _, err := s.r.Peek(1); err != nil {
			return nil, err
		}
	}
	return s.r.Peek(s.r.Buffered())
}

// plainLength returns how many bytes at the start of b mean nothing to the splitter.
func plainLength(b []byte, delimiter byte) int {
	for i, c := range b {
		switch c {
		case '\'', '"', '`', '-', '#', '/', '*', delimiter:
			return i
		}
	}
	return len(b)
}

// rowsLength returns how much of b, which begins outside of quotes, can be
// skipped at once: up to a quoted text that ends behind b, or to what may be a
// comment or a delimiter. Most of a dump with rows is skipped here.
func rowsLength(b []byte, delimiter byte) int {
	for i := 0; i < len(b); i++ {
		switch c := b[i]; c {
		case delimiter, '#', '*', '-', '/':
			if c == '-' && i+1 < len(b) && b[i+1] != '-' && delimiter != '-' {
				continue // a negative number
			}
			return i
		case '\'', '"', '`':
			start := i
			for i++; i < len(b) && b[i] != c; i++ {
				if b[i] == '\\' && c != '`' {
					i++
				}
			}
			if i >= len(b) {
				return start
			}
		}
	}
	return len(b)
}

// has reports whether the next bytes are text.
func (s *splitter) has(text string) bool {
	b, _ := s.r.Peek(len(text)) // an error comes again at the next window
	return string(b) == text
}

// drop discards n buffered bytes.
func (s *splitter) drop(n int) {
	b, _ := s.r.Peek(n) // they are buffered
	s.line += bytes.Count(b, []byte{'\n'})
	_, _ = s.r.Discard(len(b))
}

// take moves n buffered bytes into the statement. White space in front of it is dropped.
func (s *splitter) take(n int) {
	b, _ := s.r.Peek(n)
	if s.start == 0 {
		rest := bytes.TrimLeft(b, " \t\r\n\f\v")
		s.drop(len(b) - len(rest))
		if len(rest) == 0 {
			return
		}
		s.begins()
		if s.command() {
			return
		}
		b, _ = s.r.Peek(len(rest))
	}
	switch {
	case s.skip:
	case len(s.text)+len(b) > maxStatement:
		s.tooLong = true
	default:
		s.text = append(s.text, b...)
	}
	s.drop(len(b))
}

// begins notes where a statement begins, and whether it is about rows.
func (s *splitter) begins() {
	s.start = s.line
	head, _ := s.r.Peek(8)
	word := string(head)
	if i := strings.IndexFunc(word, func(r rune) bool { return !isWordRune(r) }); i >= 0 {
		word = word[:i]
	}
	switch strings.ToUpper(word) {
	case "INSERT", "REPLACE", "LOCK", "UNLOCK":
		s.skip = true
	}
}

// command carries out DELIMITER, which is no statement but a line for the client.
func (s *splitter) command() bool {
	const word = "DELIMITER"
	head, _ := s.r.Peek(len(word) + 1)
	if len(head) != len(word)+1 || !strings.EqualFold(string(head[:len(word)]), word) || head[len(word)] > ' ' {
		return false
	}
	s.drop(len(word))
	line := s.restOfLine()
	if d, _, _ := strings.Cut(strings.TrimSpace(line), " "); d != "" {
		s.delimiter = d
	}
	s.start = 0
	return true
}

// maxComment is how much of a comment is looked at.
const maxComment = 400

// restOfLine drops what is left of the line and returns its beginning.
func (s *splitter) restOfLine() string {
	var text []byte
	for {
		window, err := s.window()
		if err != nil {
			break
		}
		end := bytes.IndexByte(window, '\n')
		n := end
		if end < 0 {
			n = len(window)
		}
		if room := maxComment - len(text); room > 0 {
			text = append(text, window[:min(n, room)]...)
		}
		s.drop(n)
		if end >= 0 {
			break
		}
	}
	return strings.ToValidUTF8(string(text), "\uFFFD")
}

// special handles what begins with the byte c, which may mean something.
func (s *splitter) special(c byte) (done bool, problem string, err error) {
	switch {
	case s.has(s.delimiter):
		s.drop(len(s.delimiter))
		return s.start > 0, "", nil
	case c == '\'' || c == '"' || c == '`':
		return s.quoted(c)
	case c == '#', c == '-' && s.dashes():
		s.comment(s.restOfLine())
		return false, "", nil
	case c == '/' && s.has("/*"):
		return s.block()
	case s.inVersion && s.has("*/"):
		s.inVersion = false
		s.drop(2)
		s.space()
		return false, "", nil
	}
	s.take(1)
	return false, "", nil
}

// dashes reports whether a comment begins here: two dashes and white space.
func (s *splitter) dashes() bool {
	b, _ := s.r.Peek(3)
	return len(b) >= 2 && b[1] == '-' && (len(b) == 2 || b[2] <= ' ')
}

// space separates what a comment stood between.
func (s *splitter) space() {
	if s.start > 0 && !s.skip && len(s.text) < maxStatement {
		s.text = append(s.text, ' ')
	}
}

// quoted takes a quoted text or name. A doubled quote is the end of one and the start of another.
func (s *splitter) quoted(quote byte) (done bool, problem string, err error) {
	s.take(1)
	for {
		window, err := s.window()
		if errors.Is(err, io.EOF) {
			return true, "the file ends inside a quoted text", nil
		}
		if err != nil {
			return false, "", err
		}
		n := 0
		for n < len(window) && window[n] != quote && (window[n] != '\\' || quote == '`') {
			n++
		}
		switch {
		case n > 0:
			s.take(n)
		case window[0] == quote:
			s.take(1)
			return false, "", nil
		default:
			b, _ := s.r.Peek(2) // one at the end of the file
			s.take(len(b))
		}
	}
}

// block handles a comment between /* and */. What a version comment holds is
// code for the servers it names.
func (s *splitter) block() (done bool, problem string, err error) {
	head, _ := s.r.Peek(20)
	if !s.told && bytes.HasPrefix(head, []byte("/*M!")) {
		s.engine = schema.MariaDB // only its dumps have these
	}
	if n, ok := s.versionComment(string(head)); ok {
		s.drop(n)
		s.inVersion = true
		s.space()
		return false, "", nil
	}
	s.drop(2)
	for {
		window, err := s.window()
		if errors.Is(err, io.EOF) {
			return true, "the file ends inside a comment", nil
		}
		if err != nil {
			return false, "", err
		}
		n := bytes.IndexByte(window, '*')
		switch {
		case n < 0:
			s.drop(len(window))
		case n > 0:
			s.drop(n)
		case s.has("*/"):
			s.drop(2)
			s.space()
			return false, "", nil
		default:
			s.drop(1)
		}
	}
}

// versionComment reports whether head begins a version comment whose text the
// server of the dump executes, and how long its beginning is.
//
// A dump holds only what its own server said; numbers matter for what is meant
// for none (999999) or for the other engine: MariaDB skips 50700 to 99999, and
// MySQL all that begin with an M.
func (s *splitter) versionComment(head string) (length int, ok bool) {
	rest, ok := strings.CutPrefix(head, "/*!")
	if !ok {
		if rest, ok = strings.CutPrefix(head, "/*M!"); !ok || s.engine != schema.MariaDB {
			return 0, false
		}
	}
	version, digits := 0, 0
	for digits < len(rest) && rest[digits] >= '0' && rest[digits] <= '9' {
		version = version*10 + int(rest[digits]-'0')
		digits++
	}
	switch {
	case version >= 999999, version >= 99990 && version <= 99999:
		return 0, false
	case s.engine == schema.MariaDB && version >= 50700 && version <= 99999:
		return 0, false
	}
	return len(head) - len(rest) + digits, true
}

// finish returns the statement that was read.
func (s *splitter) finish(problem string) statement {
	s.inVersion = false
	if s.tooLong && problem == "" {
		problem = fmt.Sprintf("it is longer than %d MiB", maxStatement>>20)
	}
	line := s.start
	if line == 0 {
		line = s.line
	}
	return statement{text: string(bytes.TrimSpace(s.text)), line: line, problem: problem}
}

// last returns what stands behind the last delimiter.
func (s *splitter) last() (statement, error) {
	if s.start == 0 || !s.skip && len(bytes.TrimSpace(s.text)) == 0 {
		return statement{}, io.EOF
	}
	problem := ""
	if s.skip {
		problem = "the file ends inside it: the dump is not complete"
	}
	return s.finish(problem), nil
}
