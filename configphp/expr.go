package configphp

import (
	"slices"
	"strings"
)

// step is one step from a variable to a part of it: ->name or [key].
type step struct {
	property bool
	append   bool  // []
	key      value // of a property: its name
}

// place is a variable or a part of one.
type place struct {
	root  string // the variable's name
	steps []step
	line  int
}

// expr reads an expression with every operator, the weak words "and", "or" and "xor" included.
func (p *parser) expr() value {
	v := p.assignment()
	for p.cur().isName("and") || p.cur().isName("or") || p.cur().isName("xor") {
		line := p.take().line
		p.maybe(func() { p.assignment() })
		v = unknown{line, "it is the result of a comparison"}
	}
	return v
}

// assignment reads an expression without the weak words.
func (p *parser) assignment() value {
	if p.depth++; p.depth > maxDepth {
		p.fail(p.cur().line, "nested too deeply")
	}
	defer func() { p.depth-- }()
	v := p.coalesce()
	if !p.cur().is("?") {
		return v
	}
	line := p.take().line
	if p.cur().is(":") {
		p.take()
		var other value
		p.maybe(func() { other = p.assignment() })
		if t, ok := truth(v); ok {
			if t {
				return v
			}
			return other
		}
		return v // the reason for which v is unknown
	}
	var yes, no value
	p.maybe(func() {
		yes = p.assignment()
		p.expect(":")
		no = p.assignment()
	})
	switch t, ok := truth(v); {
	case !ok:
		return unknown{line, "it depends on a condition"}
	case t:
		return yes
	default:
		return no
	}
}

// coalesce reads a ?? b, which groups from the right.
func (p *parser) coalesce() value {
	v := p.binary(0)
	if !p.cur().is("??") {
		return v
	}
	p.take()
	var other value
	p.maybe(func() { other = p.coalesce() })
	switch m := v.(type) {
	case nil:
		return other
	case missing:
		if m.null {
			return other
		}
	}
	return v
}

// levels lists the binary operators by precedence, the weakest first.
func levels() [][]string {
	return [][]string{
		{"||"},
		{"&&"},
		{"|"},
		{"^"},
		{"&"},
		{"==", "!=", "<>", "===", "!==", "<=>"},
		{"<", "<=", ">", ">="},
		{"."},
		{"<<", ">>"},
		{"+", "-"},
		{"*", "/", "%", "**"},
	}
}

// binary reads the binary operators of a level and of all stronger ones.
func (p *parser) binary(level int) value {
	if level == len(p.levels) {
		return p.unary()
	}
	v := p.binary(level + 1)
	for p.cur().kind == tokPunct && slices.Contains(p.levels[level], p.cur().text) {
		op := p.take()
		var right value
		if op.text == "||" || op.text == "&&" {
			p.maybe(func() { p.binary(level + 1) })
			v = unknown{op.line, "it is the result of a comparison"}
			continue
		}
		right = p.binary(level + 1)
		v = operate(v, right, op)
	}
	if p.cur().isName("instanceof") && level == len(p.levels)-1 {
		line := p.take().line
		p.unary()
		v = unknown{line, "it is the result of a comparison"}
	}
	return v
}

// operate computes a . b; other operators have no known result.
func operate(a, b value, op token) value {
	for _, v := range []value{a, b} {
		if u, is := why(v); is {
			return u
		}
	}
	if op.text == "." {
		left, ok1 := text(a)
		right, ok2 := text(b)
		if ok1 && ok2 {
			return left + right
		}
	}
	return unknown{op.line, "it is computed with the operator " + op.text}
}

// castOf returns the type that a cast of that name gives; "" when there is no such cast.
func castOf(name string) string {
	switch strings.ToLower(name) {
	case "string", "binary":
		return "string"
	case "int", "integer":
		return "int"
	case "bool", "boolean":
		return "bool"
	case "array":
		return "array"
	case "object":
		return "object"
	case "float", "double", "real":
		return "float"
	default:
		return ""
	}
}

// unary reads prefix operators and casts.
func (p *parser) unary() value {
	if p.depth++; p.depth > maxDepth {
		p.fail(p.cur().line, "nested too deeply")
	}
	defer func() { p.depth-- }()
	t := p.cur()
	switch {
	case t.is("!"):
		p.take()
		if b, ok := truth(p.unary()); ok {
			return !b
		}
		return unknown{t.line, "it is the result of a comparison"}
	case t.is("-") || t.is("+"):
		p.take()
		n, ok := p.unary().(int64)
		if !ok {
			return unknown{t.line, "it is computed"}
		}
		if t.is("-") {
			n = -n
		}
		return n
	case t.is("@"):
		p.take()
		return p.unary()
	case t.is("&"), t.is("..."), t.is("~"), t.is("++"), t.is("--"):
		p.take()
		p.taint(p.pos, p.pos+2, "it is changed in place or by reference")
		p.unary()
		return unknown{t.line, "it is computed"}
	case t.is("(") && p.peek(1).kind == tokName && p.peek(2).is(")") && castOf(p.peek(1).text) != "":
		p.take()
		name := castOf(p.take().text)
		p.take()
		return cast(name, p.unary(), t.line)
	default:
		return p.postfix()
	}
}

// cast converts v as PHP's cast to a type does.
func cast(to string, v value, line int) value {
	if u, is := why(v); is {
		return u
	}
	switch to {
	case "string":
		if s, ok := text(v); ok {
			return s
		}
	case "bool":
		if b, ok := truth(v); ok {
			return b
		}
	case "int":
		if n, ok := v.(int64); ok {
			return n
		}
		if s, ok := text(v); ok {
			if n, ok := parseInt(strings.TrimSpace(s)); ok && !strings.HasPrefix(s, "0") {
				return n
			}
			if s == "" || s == "0" {
				return int64(0)
			}
		}
	case "object":
		if a, ok := v.(*array); ok {
			return object{a.clone()}
		}
	case "array":
		switch v := v.(type) {
		case *array:
			return v
		case object:
			return v.properties.clone()
		}
	}
	return unknown{line, "it is converted to " + to}
}
