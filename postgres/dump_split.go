package postgres

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// maxStatement bounds the memory of reading: no definition of a table comes
// near it, and the rows of a dump are not kept at all.
const maxStatement = 8 << 20

// statement is one statement of a dump, without its comments and semicolon.
type statement struct {
	text string
	line int
	// problem says why the text is not whole; empty when it is.
	problem string
}

// splitter cuts a dump into statements as psql does. It holds no more than one
// statement, and of rows nothing.
type splitter struct {
	r    *bufio.Reader
	line int
	// comment is told every comment of one line, and command every line that is for psql.
	comment, command func(text string)

	text    []byte
	start   int     // line on which the statement begins
	skip    bool    // the statement is about rows
	level   int     // open parentheses
	last    [2]byte // that were taken outside of comments
	atomic  bool    // the body of a function stands in the statement, without quotes
	tooLong bool
}

func newSplitter(r io.Reader, comment, command func(string)) *splitter {
	return &splitter{r: bufio.NewReaderSize(r, 128<<10), line: 1, comment: comment, command: command}
}

// errUTF16 is about a dump that went through a shell which changes what it passes on.
var errUTF16 = errors.New("the file is UTF-16, as PowerShell's > writes it; make the dump again with the option --file=FILE")

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

// next returns the next statement; io.EOF after the last one. INSERT comes with an empty text.
func (s *splitter) next() (statement, error) {
	s.text, s.skip, s.tooLong, s.atomic, s.start, s.level = s.text[:0], false, false, false, 0, 0
	for {
		window, err := s.window()
		if errors.Is(err, io.EOF) {
			return s.final()
		}
		if err != nil {
			return statement{}, err
		}
		if n := plainLength(window, s.start == 0); n > 0 {
			s.take(n)
			continue
		}
		done, problem, err := s.special(window[0])
		switch {
		case err != nil:
			return statement{}, err
		case done || problem != "":
			return s.finish(problem)
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

// plainLength returns how many bytes at the start of b mean nothing to the
// splitter. A backslash does at the beginning of a statement.
func plainLength(b []byte, beginning bool) int {
	for i, c := range b {
		switch c {
		case '\'', '"', '$', '-', '/', ';', '(', ')':
			return i
		case '\\':
			if beginning {
				return i
			}
		}
	}
	return len(b)
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
		s.start = s.line
		head, _ := s.r.Peek(7)
		s.skip = strings.EqualFold(string(head), "INSERT ")
		b, _ = s.r.Peek(len(rest))
	}
	if k := len(b); k > 0 {
		if k > 1 {
			s.last[0] = b[k-2]
		} else {
			s.last[0] = s.last[1]
		}
		s.last[1] = b[k-1]
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

// has reports whether the next bytes are text.
func (s *splitter) has(text string) bool {
	b, _ := s.r.Peek(len(text)) // an error comes again at the next window
	return string(b) == text
}

// special handles what begins with the byte c, which may mean something.
func (s *splitter) special(c byte) (done bool, problem string, err error) {
	switch {
	case c == '\'':
		escapes := (s.last[1]|0x20) == 'e' && !isNameByte(s.last[0])
		return s.quoted(c, escapes)
	case c == '"':
		return s.quoted(c, false)
	case c == '$':
		return s.dollar()
	case c == '-' && s.has("--"):
		s.comment(s.restOfLine())
		return false, "", nil
	case c == '/' && s.has("/*"):
		return s.block()
	case c == '\\':
		s.command(s.restOfLine())
		return false, "", nil
	case c == ';':
		if s.start == 0 {
			s.drop(1)
			return false, "", nil
		}
		if s.level <= 0 && !s.withinBody() {
			s.drop(1)
			return true, "", nil
		}
	case c == '(':
		s.level++
	case c == ')':
		s.level--
	}
	s.take(1)
	return false, "", nil
}

// isNameByte reports whether c can stand in a bare name.
func isNameByte(c byte) bool {
	return c == '_' || c == '$' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// beginAtomic finds the body of a function that stands there without quotes.
var beginAtomic = regexp.MustCompile(`(?is)^CREATE\s+(?:OR\s+REPLACE\s+)?(?:FUNCTION|PROCEDURE)\s.*\sBEGIN\s+ATOMIC\s`)

// withinBody reports whether a semicolon stands in the body of a function. pg_dump
// prints the END of one on a line of its own.
func (s *splitter) withinBody() bool {
	if !s.atomic && beginAtomic.Match(s.text) {
		s.atomic = true
	}
	const end = "\nEND"
	text := bytes.TrimRight(s.text, " \t\r\n")
	return s.atomic && !strings.EqualFold(string(text[max(0, len(text)-len(end)):]), end)
}

// quoted takes a quoted text or name. A doubled quote is the end of one and the start of another.
func (s *splitter) quoted(quote byte, escapes bool) (done bool, problem string, err error) {
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
		for n < len(window) && window[n] != quote && (window[n] != '\\' || !escapes) {
			n++
		}
		switch {
		case n > 0:
			s.take(n)
		case window[0] == '\\' && escapes:
			b, _ := s.r.Peek(2) // one at the end of the file
			s.take(len(b))
		default:
			s.take(1)
			// What follows without a space is the same text after a doubled quote.
			if next, _ := s.r.Peek(1); !escapes || len(next) == 0 || next[0] != quote {
				return false, "", nil
			}
			s.take(1)
		}
	}
}

// dollarTag finds the beginning of a text in dollars.
var dollarTag = regexp.MustCompile(`^\$(?:[A-Za-z_\x{80}-\x{10FFFF}][A-Za-z0-9_\x{80}-\x{10FFFF}]*)?\$`)

// dollar takes a text between dollars, such as $$text$$ or $body$text$body$.
func (s *splitter) dollar() (done bool, problem string, err error) {
	head, _ := s.r.Peek(MaxIdentifier + 2)
	tag := string(dollarTag.Find(head))
	if tag == "" || isNameByte(s.last[1]) && s.start > 0 {
		s.take(1)
		return false, "", nil
	}
	s.take(len(tag))
	for {
		window, err := s.window()
		if errors.Is(err, io.EOF) {
			return true, "the file ends inside a quoted text", nil
		}
		if err != nil {
			return false, "", err
		}
		n := bytes.IndexByte(window, '$')
		switch {
		case n < 0:
			s.take(len(window))
		case n > 0:
			s.take(n)
		case s.has(tag):
			s.take(len(tag))
			return false, "", nil
		default:
			s.take(1)
		}
	}
}

// block drops a comment between /* and */, which may hold others.
func (s *splitter) block() (done bool, problem string, err error) {
	level := 0
	for {
		window, err := s.window()
		if errors.Is(err, io.EOF) {
			return true, "the file ends inside a comment", nil
		}
		if err != nil {
			return false, "", err
		}
		n := bytes.IndexAny(window, "*/")
		switch {
		case n < 0:
			s.drop(len(window))
		case n > 0:
			s.drop(n)
		case s.has("/*"):
			level++
			s.drop(2)
		case s.has("*/"):
			s.drop(2)
			if level--; level == 0 {
				s.space()
				return false, "", nil
			}
		default:
			s.drop(1)
		}
	}
}

// space separates what a comment stood between.
func (s *splitter) space() {
	s.last = [2]byte{s.last[1], ' '}
	if s.start > 0 && !s.skip && len(s.text) < maxStatement {
		s.text = append(s.text, ' ')
	}
}

// maxLine is how much of a line is looked at.
const maxLine = 400

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
		if room := maxLine - len(text); room > 0 {
			text = append(text, window[:min(n, room)]...)
		}
		s.drop(n)
		if end >= 0 {
			break
		}
	}
	return strings.TrimRight(strings.ToValidUTF8(string(text), "\uFFFD"), "\r")
}

// copyRows matches the statement that rows follow.
var copyRows = regexp.MustCompile(`(?is)^COPY\s.*\sFROM\s+stdin\b`)

// finish returns the statement that was read. The rows behind COPY are dropped with it.
func (s *splitter) finish(problem string) (statement, error) {
	st := statement{text: string(bytes.TrimSpace(s.text)), line: s.start, problem: problem}
	if st.line == 0 {
		st.line = s.line
	}
	if s.tooLong && problem == "" {
		st.problem = fmt.Sprintf("it is longer than %d MiB", maxStatement>>20)
	}
	if problem == "" && len(st.text) < 1<<20 && copyRows.MatchString(st.text) {
		if err := s.rows(); errors.Is(err, io.EOF) {
			st.problem = "the file ends inside its rows: the dump is not complete"
		} else if err != nil {
			return st, err
		}
	}
	return st, nil
}

// rows drops what follows COPY FROM stdin, up to a line of \.
func (s *splitter) rows() error {
	s.restOfLine()
	for atStart := false; ; {
		line, err := s.r.ReadSlice('\n')
		s.line += bytes.Count(line, []byte{'\n'})
		if end := bytes.TrimRight(line, "\r\n"); atStart && string(end) == `\.` {
			return nil
		}
		// The first piece is the end of the statement's own line.
		atStart = bytes.HasSuffix(line, []byte{'\n'})
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
}

// final returns what stands behind the last semicolon.
func (s *splitter) final() (statement, error) {
	switch {
	case s.start == 0 || !s.skip && len(bytes.TrimSpace(s.text)) == 0:
		return statement{}, io.EOF
	case s.skip || s.level > 0:
		return s.finish("the file ends inside it: the dump is not complete")
	}
	return s.finish("")
}
