package ignore

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"

	"github.com/moodledb/moodledb/diff"
)

// Limits of an ignore file. A person writes it: what is larger is another file.
const (
	maxSize  = 1 << 20
	maxDepth = 20
	// maxShown is how many faults an error prints.
	maxShown = 20
)

// FileError says everything that is wrong with an ignore file.
type FileError struct {
	File   string
	Faults []Fault
}

// Fault is one thing that is wrong with an ignore file.
type Fault struct {
	// Line is 1-based.
	Line int
	// Message says what is wrong, and what to do.
	Message string
}

// Error prints a line for each fault, the first of them when they are many.
func (e *FileError) Error() string {
	var lines []string
	for i, f := range e.Faults {
		if i == maxShown {
			lines = append(lines, fmt.Sprintf("%s: and %d more", e.File, len(e.Faults)-maxShown))
			break
		}
		lines = append(lines, fmt.Sprintf("%s:%d: %s", e.File, f.Line, f.Message))
	}
	return strings.Join(lines, "\n")
}

// Load reads an ignore file. The error is a [*FileError] when the file could be
// read but is not right, and wraps fs.ErrNotExist when there is none.
func Load(file string) (Rules, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("read the ignore file: %w", err)
	}
	defer f.Close() // only read from
	data, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err != nil {
		return nil, fmt.Errorf("read the ignore file: %w", err)
	}
	return Parse(data, file)
}

// Parse reads the rules of an ignore file's text. The name of the file is for
// errors and for the rules. The error is a [*FileError] with all that is wrong.
func Parse(data []byte, file string) (Rules, error) {
	p := &parser{file: file}
	var rules Rules
	if root := p.document(data); root != nil {
		rules = p.root(root)
	}
	if len(p.faults) > 0 {
		slices.SortStableFunc(p.faults, func(a, b Fault) int { return a.Line - b.Line })
		return nil, &FileError{File: file, Faults: p.faults}
	}
	return rules, nil
}

// parser collects what is wrong with a file.
type parser struct {
	file   string
	faults []Fault
}

func (p *parser) fault(line int, format string, args ...any) {
	p.faults = append(p.faults, Fault{Line: max(line, 1), Message: fmt.Sprintf(format, args...)})
}

// document reads the only document of a file; nil when there is none.
//
// It is read as nodes: they know their lines, and an alias stays a node of its own
// that nothing expands.
func (p *parser) document(data []byte) *yaml.Node {
	if len(data) > maxSize {
		p.fault(1, "the file is larger than %d bytes; is it an ignore file?", maxSize)
		return nil
	}
	if line := notUTF8(data); line > 0 {
		p.fault(line, "not UTF-8; save the file in that encoding")
		return nil
	}
	loader, err := yaml.NewLoader(bytes.NewReader(data), yaml.WithPlugin(loaderlimits.New(loaderlimits.DepthValue(maxDepth))))
	if err != nil {
		p.fault(1, "%s", err)
		return nil
	}
	var doc, more yaml.Node
	switch err := loader.Load(&doc); {
	case errors.Is(err, io.EOF):
		p.fault(1, "the file holds nothing; begin with version: 1")
		return nil
	case err != nil:
		p.syntax(err, data)
		return nil
	case len(doc.Content) != 1:
		p.fault(1, "the file holds nothing; begin with version: 1")
		return nil
	}
	switch err := loader.Load(&more); {
	case errors.Is(err, io.EOF):
	case err != nil:
		p.syntax(err, data)
	default:
		p.fault(more.Line, "a second document begins; put all rules into the first one")
	}
	return doc.Content[0]
}

// notUTF8 returns the first line that is not UTF-8, for which the library knows
// no line; 0 when there is none. UTF-16 with its mark is left to the library.
func notUTF8(data []byte) int {
	if utf8.Valid(data) || bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return 0
	}
	for i, line := range bytes.Split(data, []byte("\n")) {
		if !utf8.Valid(line) {
			return i + 1
		}
	}
	return 1
}

// syntax adds what the YAML library says.
func (p *parser) syntax(err error, data []byte) {
	line, message := 1, err.Error()
	if loadErr, ok := errors.AsType[*yaml.LoadError](err); ok {
		line, message = loadErr.Mark.Line, loadErr.Message
	}
	hint := ""
	if lines := bytes.Split(data, []byte("\n")); line >= 1 && line <= len(lines) && bytes.ContainsAny(lines[line-1], "*?[{&!") {
		hint = "; put globs in quotes"
	}
	p.fault(line, "not YAML: %s%s", message, hint)
}

// root reads the mapping that the file is.
func (p *parser) root(n *yaml.Node) Rules {
	fields, ok := p.mapping(n, "the file", []string{"version", "ignore"})
	if !ok {
		return nil
	}
	switch version := fields["version"]; {
	case version == nil:
		p.fault(n.Line, "version is missing; begin with version: 1")
	case version.Kind != yaml.ScalarNode || version.ShortTag() != "!!int":
		p.fault(version.Line, "version must be the number 1")
	case version.Value != "1":
		p.fault(version.Line, "version %q is not known; write version: 1, or use a later moodledb", version.Value)
	}
	list := fields["ignore"]
	switch {
	case list == nil:
		p.fault(n.Line, "ignore is missing; it is the list of rules")
		return nil
	case isNull(list):
		return nil
	case list.Kind != yaml.SequenceNode:
		p.fault(list.Line, "ignore must be a list of rules, each with a - before its first line")
		return nil
	}
	var rules Rules
	for _, item := range list.Content {
		if rule, ok := p.rule(item); ok {
			rules = append(rules, rule)
		}
	}
	return rules
}

// rule reads one rule.
func (p *parser) rule(n *yaml.Node) (Rule, bool) {
	before := len(p.faults)
	fields, ok := p.mapping(n, "a rule", []string{"code", "table", "object", "component", "reason", "expires"})
	if !ok {
		return Rule{}, false
	}
	r := Rule{
		Code: p.globs(fields, "code"), Table: p.globs(fields, "table"),
		Object: p.globs(fields, "object"), Component: p.globs(fields, "component"),
		File: p.file, Line: n.Line,
	}
	for i := range r.Object {
		r.Object[i] = columnList(r.Object[i])
	}
	if reason := fields["reason"]; reason == nil {
		p.fault(n.Line, "the rule has no reason; say why the difference is accepted")
	} else {
		r.Reason, _ = p.text(reason, "reason")
	}
	if expires := fields["expires"]; expires != nil {
		r.Expires = p.date(expires)
	}
	if len(p.faults) > before {
		return Rule{}, false
	}
	switch {
	case len(r.Code)+len(r.Table)+len(r.Object)+len(r.Component) == 0:
		p.fault(n.Line, "the rule names nothing; give it a code, a table, an object or a component")
	case allCodes(r.Code) && matchAll(r.Table) && matchAll(r.Object) && matchAll(r.Component):
		p.fault(n.Line, "the rule would ignore everything; name what is accepted: a code, a table, an object or a component")
	}
	return r, len(p.faults) == before
}

// code checks a code, or a glob over codes.
func (p *parser) code(line int, glob string) {
	var known []string
	for _, s := range diff.Codes() {
		known = append(known, string(s.Code))
	}
	if slices.ContainsFunc(known, func(code string) bool { return matches(glob, code) }) {
		return
	}
	near := nearest(glob, known)
	switch {
	case isGlob(glob):
		p.fault(line, "no code matches %q; docs/drift.md lists them all", glob)
	case near != "":
		p.fault(line, "unknown code %q; did you mean %s?", glob, near)
	default:
		p.fault(line, "unknown code %q; docs/drift.md lists them all", glob)
	}
}

// mapping reads the fields of a mapping whose keys are known.
func (p *parser) mapping(n *yaml.Node, what string, known []string) (map[string]*yaml.Node, bool) {
	if n.Kind != yaml.MappingNode {
		p.fault(n.Line, "%s must have the form key: value, with the keys %s", what, strings.Join(known, ", "))
		return nil, false
	}
	fields := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		name := key.Value
		first, twice := fields[name]
		switch {
		case key.Kind != yaml.ScalarNode:
			p.fault(key.Line, "a key of %s is no word; its keys are %s", what, strings.Join(known, ", "))
		case !slices.Contains(known, name):
			p.unknownKey(key.Line, name, what, known)
		case twice:
			p.fault(key.Line, "%s is there twice, first on line %d; remove one, or make a list", name, first.Line)
		case value.Kind == yaml.AliasNode:
			p.alias(value)
			fields[name] = value
		default:
			fields[name] = value
		}
	}
	return fields, true
}

func (p *parser) unknownKey(line int, name, what string, known []string) {
	if near := nearest(name, known); near != "" {
		p.fault(line, "unknown key %q; did you mean %s?", name, near)
		return
	}
	p.fault(line, "unknown key %q; the keys of %s are %s", name, what, strings.Join(known, ", "))
}

// alias refuses an alias: each rule is to be read by itself, and "table: *x"
// is nearly always a glob that lacks its quotes.
func (p *parser) alias(n *yaml.Node) {
	p.fault(n.Line, "the alias %q is not followed; write its text, or put it in quotes when it is a glob", "*"+n.Value)
}

// globs reads a text or a list of texts.
func (p *parser) globs(fields map[string]*yaml.Node, key string) []string {
	n := fields[key]
	if n == nil {
		return nil
	}
	items := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		items = n.Content
		if len(items) == 0 {
			p.fault(n.Line, "%s is an empty list; fill it, or leave it out", key)
		}
	}
	var globs []string
	for _, item := range items {
		if item.Kind == yaml.AliasNode && item != n {
			p.alias(item)
			continue
		}
		glob, ok := p.text(item, key)
		switch {
		case !ok:
		case !checkGlob(glob):
			p.fault(item.Line, "%s has a bad glob %q; close each [, and write \\[ for the character itself", key, glob)
		default:
			globs = append(globs, glob)
			if key == "code" {
				p.code(item.Line, glob)
			}
		}
	}
	return globs
}

// text reads one line of text. An alias was refused before.
func (p *parser) text(n *yaml.Node, key string) (string, bool) {
	switch {
	case n.Kind == yaml.AliasNode:
		return "", false
	case isNull(n):
		p.fault(n.Line, "%s is empty", key)
		return "", false
	case n.Kind != yaml.ScalarNode:
		p.fault(n.Line, "%s must be text", key)
		return "", false
	case n.ShortTag() != "!!str":
		p.fault(n.Line, "%s must be text; put %q in quotes", key, n.Value)
		return "", false
	}
	text := strings.Join(strings.Fields(n.Value), " ")
	switch {
	case text == "":
		p.fault(n.Line, "%s is empty", key)
	case strings.ContainsFunc(text, unicode.IsControl):
		p.fault(n.Line, "%s has a control character; remove it", key)
	default:
		return text, true
	}
	return "", false
}

// date reads a day, in quotes or without.
func (p *parser) date(n *yaml.Node) time.Time {
	if n.Kind == yaml.AliasNode {
		return time.Time{}
	}
	if n.Kind == yaml.ScalarNode && !isNull(n) {
		if day, err := time.Parse(time.DateOnly, n.Value); err == nil && !day.IsZero() {
			return day
		}
	}
	value := ""
	if n.Kind == yaml.ScalarNode && n.Value != "" {
		value = fmt.Sprintf(", not %q", n.Value)
	}
	p.fault(n.Line, "expires must be a day such as 2027-01-31%s", value)
	return time.Time{}
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// columnList takes the blanks out of "userid, courseid".
func columnList(glob string) string {
	parts := strings.Split(glob, ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return strings.Join(parts, ",")
}
