package xmldb

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/beevik/etree"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// maxFileSize bounds what is read of one file. The largest install.xml that
// Moodle ships, that of core, has half a megabyte.
const maxFileSize = 16 << 20

// maxXMLDepth bounds the nesting of elements; an install.xml needs five levels.
const maxXMLDepth = 64

// xmlTree is a parsed file whose elements know their line.
type xmlTree struct {
	root  *etree.Element
	lines map[*etree.Element]int
	// statements is the line of a legacy STATEMENTS section, 0 when there is none.
	statements int
}

func (t *xmlTree) line(e *etree.Element) int { return t.lines[e] }

// xmlError is why a file is not the XML that Moodle can load.
type xmlError struct {
	code string
	line int
	msg  string
}

func (e *xmlError) Error() string { return fmt.Sprintf("line %d: %s", e.line, e.msg) }

// parseXML reads a file the way Moodle does: a legacy STATEMENTS section is cut
// out, anything that is not well-formed is refused. Entities of a DTD are never
// expanded, so that a small file cannot become a large one.
//
// etree keeps no positions. So the same bytes are first walked with
// encoding/xml, which yields the line of each start tag; the two walks visit
// the elements in the same order.
func parseXML(src []byte) (*xmlTree, error) {
	src, err := toUTF8(src)
	if err != nil {
		return nil, err
	}
	tree := &xmlTree{}
	src, tree.statements = cutStatements(src)
	lines, err := walkXML(src)
	if err != nil {
		return nil, err
	}
	doc := etree.NewDocument()
	doc.ReadSettings.CharsetReader = passThrough
	doc.ReadSettings.MaxDepth = maxXMLDepth
	if _, err := doc.ReadFrom(bytes.NewReader(src)); err != nil {
		return nil, &xmlError{"xml-syntax", 1, err.Error()}
	}
	tree.root = doc.Root()
	if tree.root == nil {
		return nil, &xmlError{"xml-syntax", 1, "the file has no element"}
	}
	tree.lines = make(map[*etree.Element]int, len(lines))
	tree.number(tree.root, &lines)
	return tree, nil
}

// number gives e and everything below it the next lines.
func (t *xmlTree) number(e *etree.Element, lines *[]int) {
	if len(*lines) == 0 {
		return
	}
	t.lines[e] = (*lines)[0]
	*lines = (*lines)[1:]
	for _, c := range e.ChildElements() {
		t.number(c, lines)
	}
}

func passThrough(_ string, r io.Reader) (io.Reader, error) { return r, nil }

// xmlWalk checks what encoding/xml lets through and libxml, which Moodle uses,
// does not: text and elements beside the root, an attribute given twice, a
// namespace prefix that nobody declared.
type xmlWalk struct {
	src   []byte
	dec   *xml.Decoder
	depth int
	roots int
	lines []int
	// counted is how far into src newlines were counted; line is 1-based there.
	counted int64
	line    int
}

// walkXML returns the line of each start tag in document order.
func walkXML(src []byte) ([]int, error) {
	w := &xmlWalk{src: src, dec: xml.NewDecoder(bytes.NewReader(src)), line: 1}
	w.dec.CharsetReader = passThrough
	for {
		start := w.dec.InputOffset()
		tok, err := w.dec.Token()
		line := w.lineAt(start)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, syntaxError(err, line)
		}
		if err := w.token(tok, line, start); err != nil {
			return nil, err
		}
	}
	if w.roots == 0 {
		return nil, &xmlError{"xml-syntax", w.lineAt(int64(len(src))), "the file has no element"}
	}
	return w.lines, nil
}

// lineAt returns the line of an offset; offsets must not go back.
func (w *xmlWalk) lineAt(offset int64) int {
	w.line += bytes.Count(w.src[w.counted:offset], []byte("\n"))
	w.counted = offset
	return w.line
}

func (w *xmlWalk) token(tok xml.Token, line int, start int64) error {
	switch t := tok.(type) {
	case xml.StartElement:
		w.lines = append(w.lines, line)
		if w.depth == 0 {
			if w.roots++; w.roots > 1 {
				return &xmlError{"xml-syntax", line, fmt.Sprintf("a second root element %s", t.Name.Local)}
			}
		}
		if w.depth++; w.depth > maxXMLDepth {
			return &xmlError{"xml-syntax", line, fmt.Sprintf("elements are nested deeper than %d levels", maxXMLDepth)}
		}
		return checkAttributes(t, line)
	case xml.EndElement:
		w.depth--
	case xml.CharData:
		if text := bytes.TrimLeft(t, " \t\r\n"); w.depth == 0 && len(text) > 0 {
			line += bytes.Count(t[:len(t)-len(text)], []byte("\n"))
			return &xmlError{"xml-syntax", line, "text outside of the root element"}
		}
	case xml.ProcInst:
		if t.Target == "xml" && start != 0 {
			return &xmlError{"xml-syntax", line, "the XML declaration is not at the very start of the file"}
		}
	case xml.Comment, xml.Directive:
	}
	return nil
}

func checkAttributes(e xml.StartElement, line int) error {
	seen := make(map[xml.Name]bool, len(e.Attr))
	for _, a := range e.Attr {
		if seen[a.Name] {
			return &xmlError{"xml-syntax", line, fmt.Sprintf("attribute %s of %s is given twice", a.Name.Local, e.Name.Local)}
		}
		seen[a.Name] = true
		// The decoder puts the address of a namespace for its prefix; a name that
		// is still no address is a prefix without declaration.
		if s := a.Name.Space; s != "" && s != "xmlns" && s != "xml" && !strings.ContainsAny(s, ":/") {
			return &xmlError{"xml-syntax", line, fmt.Sprintf("namespace prefix %s of attribute %s is not declared", s, a.Name.Local)}
		}
	}
	return nil
}

// syntaxError strips the decoder's own prefix, whose line we say ourselves.
func syntaxError(err error, line int) error {
	var syntax *xml.SyntaxError
	if errors.As(err, &syntax) {
		return &xmlError{"xml-syntax", syntax.Line, syntax.Msg}
	}
	return &xmlError{"xml-syntax", line, strings.TrimPrefix(err.Error(), "xml: ")}
}

// cutStatements blanks what Moodle cuts out with a greedy pattern: everything
// from the first <STATEMENTS> to the last </STATEMENTS>. Newlines stay, so that
// the lines below keep their number.
func cutStatements(src []byte) ([]byte, int) {
	start := bytes.Index(src, []byte("<STATEMENTS>"))
	end := bytes.LastIndex(src, []byte("</STATEMENTS>"))
	if start <= 0 || end < start {
		return src, 0
	}
	end += len("</STATEMENTS>")
	cut := bytes.Repeat([]byte("\n"), bytes.Count(src[start:end], []byte("\n")))
	line := 1 + bytes.Count(src[:start], []byte("\n"))
	return append(append(bytes.Clone(src[:start]), cut...), src[end:]...), line
}

// xmlEncoding finds the encoding of an XML declaration at the start.
func xmlEncoding(src []byte) string {
	m := xmlDeclaration.FindSubmatch(src[:min(len(src), 256)])
	if m == nil {
		return ""
	}
	return strings.ToLower(string(m[1]))
}

var xmlDeclaration = regexp.MustCompile(`^<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z0-9._-]+)["']`)

// toUTF8 removes a byte order mark and converts the encodings that occur.
func toUTF8(src []byte) ([]byte, error) {
	bom := []byte("\xef\xbb\xbf")
	if bytes.HasPrefix(src, []byte("\xff\xfe")) || bytes.HasPrefix(src, []byte("\xfe\xff")) {
		out, err := unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewDecoder().Bytes(src)
		if err != nil {
			return nil, &xmlError{"xml-encoding", 1, "the file is not the UTF-16 that it begins as"}
		}
		return out, nil
	}
	src = bytes.TrimPrefix(src, bom)
	name := xmlEncoding(src)
	var table encoding.Encoding
	switch name {
	case "", "utf-8", "utf8", "us-ascii", "ascii":
		return checkUTF8(src)
	case "iso-8859-1", "latin1":
		table = charmap.ISO8859_1
	case "iso-8859-15":
		table = charmap.ISO8859_15
	case "windows-1252":
		table = charmap.Windows1252
	case "iso-8859-2":
		table = charmap.ISO8859_2
	case "windows-1251":
		table = charmap.Windows1251
	default:
		return nil, &xmlError{"xml-encoding", 1, fmt.Sprintf("the encoding %q is not one that moodledb reads", name)}
	}
	out, err := table.NewDecoder().Bytes(src)
	if err != nil {
		return nil, &xmlError{"xml-encoding", 1, fmt.Sprintf("the file is not in its encoding %q: %v", name, err)}
	}
	return out, nil
}

func checkUTF8(src []byte) ([]byte, error) {
	if utf8.Valid(src) {
		return src, nil
	}
	line := 1
	for rest := src; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		if r == utf8.RuneError && size == 1 {
			break
		}
		if r == '\n' {
			line++
		}
		rest = rest[size:]
	}
	return nil, &xmlError{"xml-encoding", line, "a byte sequence that is not UTF-8, which is the encoding of the file"}
}
