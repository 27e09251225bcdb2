package configphp

import (
	"fmt"
	"strings"
)

// maxDepth bounds the nesting of a file that no person wrote.
const maxDepth = 500

// setting is the present value of one $CFG->name, and where it was given.
type setting struct {
	value value
	line  int
}

// parser walks over the statements of a config.php and keeps the values of $CFG.
type parser struct {
	toks        []token
	pos         int
	file        string
	getenv      func(string) string
	levels      [][]string
	settings    map[string]setting
	variables   map[string]value
	constants   map[string]value
	includes    []Include
	conditional int // how many conditions, loops and functions enclose this place
	depth       int
	done        bool // lib/setup.php was reached
}

// bail carries a syntax error up to the parser's entry.
type bail struct{ err *Error }

// fail stops the parser at a line.
func (p *parser) fail(line int, message string) {
	panic(bail{&Error{File: p.file, Line: line, Message: message}})
}

// run reads all statements up to lib/setup.php.
func (p *parser) run() error {
	err := p.try(func() {
		for p.cur().kind != tokEOF && !p.done {
			p.statement()
		}
	})
	if err != nil {
		return err
	}
	return nil
}

// cur is the token at the parser's place.
func (p *parser) cur() token { return p.toks[p.pos] }

// peek is the token n places on.
func (p *parser) peek(n int) token { return p.toks[min(p.pos+n, len(p.toks)-1)] }

// take returns the present token and moves on; it stays at the end of the file.
func (p *parser) take() token {
	t := p.cur()
	if t.kind != tokEOF {
		p.pos++
	}
	return t
}

// expect takes an operator that must be there.
func (p *parser) expect(text string) {
	if !p.cur().is(text) {
		p.fail(p.cur().line, "unexpected "+describe(p.cur())+" where "+text+" should be")
	}
	p.take()
}

// describe names a token for a message, without the text of strings, which may be passwords.
func describe(t token) string {
	switch t.kind {
	case tokEOF:
		return "end of file"
	case tokVariable:
		return "$" + t.text
	case tokString, tokTemplate:
		return "string"
	case tokInt, tokFloat:
		return "number"
	default:
		return `"` + t.text + `"`
	}
}

// maybe runs f, whose code may or may not run in PHP.
func (p *parser) maybe(f func()) {
	p.conditional++
	f()
	p.conditional--
}

// statement reads one statement.
func (p *parser) statement() {
	if p.depth++; p.depth > maxDepth {
		p.fail(p.cur().line, "nested too deeply")
	}
	defer func() { p.depth-- }()
	t := p.cur()
	switch {
	case t.is(";"):
		p.take()
	case t.is("{"):
		p.block()
	case t.is("#") && p.peek(1).is("["):
		p.take()
		p.skipBalanced("")
	case t.kind == tokName && !p.peek(1).is("::"):
		p.word(t)
	default:
		p.expressionStatement()
	}
}

// block reads "{ statements }".
func (p *parser) block() {
	open := p.take()
	for !p.cur().is("}") && !p.done {
		if p.cur().kind == tokEOF {
			p.fail(open.line, `"{" without its "}"`)
		}
		p.statement()
	}
	p.take()
}

// word reads a statement that begins with a name.
func (p *parser) word(t token) {
	switch strings.ToLower(t.text) {
	case "if", "while", "for", "foreach", "switch", "declare",
		"elseif", "else", "do", "try", "catch", "finally":
		// Those that follow a block ("else", "catch") are read like those that begin one.
		p.take()
		p.controlled(strings.ToLower(t.text))
	case "function":
		if p.peek(1).kind != tokName && !p.peek(1).is("&") {
			p.expressionStatement() // a closure
			return
		}
		p.skipTo("{")
		p.skipBalanced("it is set inside a function")
	case "class", "interface", "trait", "abstract", "final", "readonly", "enum":
		p.skipTo("{")
		p.skipBalanced("it is set inside a class")
	case "namespace", "use", "goto", "break", "continue", "global":
		p.skipStatement("")
	case "static":
		p.skipStatement("it is set where PHP has to run")
	case "unset":
		p.take()
		p.unset()
	case "const":
		p.take()
		p.constant()
	case "return", "exit", "die", "__halt_compiler":
		p.take()
		p.skipStatement("it is set where PHP has to run")
		if p.conditional == 0 {
			p.done = true
		}
	case "echo":
		p.take()
		p.skipStatement("it is set where PHP has to run")
	case "case", "default":
		p.caseLabel()
	case "endif", "endwhile", "endfor", "endforeach", "endswitch", "enddeclare":
		p.fail(t.line, t.text+" without its beginning")
	default:
		p.expressionStatement()
	}
}

// controlled reads what follows a control word: the condition in parentheses
// and the statement, block or "word: ... endword;" that depends on it.
func (p *parser) controlled(word string) {
	if p.cur().is("(") {
		start := p.pos
		p.skipBalanced("it is set inside a condition")
		if word == "foreach" {
			p.taintLoop(start, p.pos)
		}
	}
	if word == "declare" && p.cur().is(";") {
		p.take()
		return
	}
	p.maybe(func() {
		if p.cur().is(":") {
			p.take()
			p.alternative(word)
			return
		}
		p.statement()
	})
}

// alternative reads the statements of "if (...): ... endif;" and its like.
func (p *parser) alternative(word string) {
	start := p.cur().line
	for {
		t := p.cur()
		switch {
		case t.kind == tokEOF:
			p.fail(start, word+" without its end"+word)
		case t.kind == tokName && strings.HasPrefix(strings.ToLower(t.text), "end") && isEnd(t.text):
			p.take()
			if p.cur().is(";") {
				p.take()
			}
			return
		case t.isName("else") && p.peek(1).is(":"):
			p.take()
			p.take()
		case t.isName("elseif"):
			p.take()
			p.skipBalanced("it is set inside a condition")
			p.expect(":")
		default:
			p.statement()
		}
	}
}

// isEnd reports whether a name closes an alternative block.
func isEnd(name string) bool {
	switch strings.ToLower(name) {
	case "endif", "endwhile", "endfor", "endforeach", "endswitch", "enddeclare":
		return true
	default:
		return false
	}
}

// caseLabel reads "case x:" or "default:".
func (p *parser) caseLabel() {
	if t := p.take(); t.isName("case") {
		p.maybe(func() { p.expr() })
	}
	if p.cur().is(":") || p.cur().is(";") {
		p.take()
	}
}

// constant reads what follows "const".
func (p *parser) constant() {
	for p.cur().kind == tokName {
		name := p.take().text
		p.expect("=")
		p.constants[name] = p.expr()
		if !p.cur().is(",") {
			break
		}
		p.take()
	}
	p.endStatement()
}

// expressionStatement reads an expression up to its semicolon. What it does not
// understand it skips: only the settings assigned there are unknown then.
func (p *parser) expressionStatement() {
	start, depth, conditional := p.pos, p.depth, p.conditional
	err := p.try(func() {
		p.expr()
		p.endStatement()
	})
	if err == nil {
		return
	}
	p.pos, p.depth, p.conditional = start, depth, conditional
	why := fmt.Sprintf("the statement is not understood: %s in line %d", err.Message, err.Line)
	p.skipStatement(why)
	if p.pos == start {
		p.take() // a stray closing bracket
	}
}

// try runs f and returns the syntax error that stopped it.
func (p *parser) try(f func()) (err *Error) {
	defer func() {
		if r := recover(); r != nil {
			b, ok := r.(bail)
			if !ok {
				panic(r)
			}
			err = b.err
		}
	}()
	f()
	return nil
}

// endStatement takes the semicolon, which the end of the file may replace.
func (p *parser) endStatement() {
	if p.cur().kind == tokEOF || p.done {
		return
	}
	p.expect(";")
}

// skipStatement moves behind the next semicolon; what is set before it is unknown for the reason why.
func (p *parser) skipStatement(why string) {
	start := p.pos
	for !p.cur().is(";") && p.cur().kind != tokEOF {
		if isOpening(p.cur()) {
			p.skipBalanced(why)
			continue
		}
		if p.cur().is("}") {
			break
		}
		p.take()
	}
	p.taint(start, p.pos, why)
	if p.cur().is(";") {
		p.take()
	}
}

// skipTo moves to an operator.
func (p *parser) skipTo(text string) {
	start := p.cur().line
	for !p.cur().is(text) {
		if p.cur().kind == tokEOF {
			p.fail(start, "end of file where "+text+" should be")
		}
		p.take()
	}
}

// isOpening reports whether t opens a bracket.
func isOpening(t token) bool { return t.is("(") || t.is("[") || t.is("{") }

// skipBalanced moves behind the bracket that closes the one here; what is set
// between them is unknown for the reason why. With "" nothing is set there.
func (p *parser) skipBalanced(why string) {
	open := p.cur()
	if !isOpening(open) {
		p.fail(open.line, "unexpected "+describe(open)+" where a bracket should be")
	}
	start, level := p.pos, 0
	for {
		t := p.take()
		switch {
		case isOpening(t):
			level++
		case t.is(")"), t.is("]"), t.is("}"):
			level--
		case t.kind == tokEOF:
			p.fail(open.line, describe(open)+" without its closing bracket")
		}
		if level == 0 {
			break
		}
	}
	p.taint(start, p.pos, why)
}

// include reads the operand of include and require.
func (p *parser) include(line int) {
	path, _ := p.expr().(string)
	if strings.HasSuffix(path, "lib/setup.php") {
		// Moodle connects to its database in there; what follows comes too late.
		if p.conditional == 0 {
			p.done = true
		}
		return
	}
	p.includes = append(p.includes, Include{Path: path, Line: line, Conditional: p.conditional > 0})
}
