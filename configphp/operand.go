package configphp

import (
	"path/filepath"
	"strings"
)

// postfix reads an operand with what follows it: [key], ->name, (arguments), an assignment.
func (p *parser) postfix() value {
	t := p.cur()
	if t.kind == tokVariable {
		return p.variable()
	}
	start := p.pos
	v := p.primary()
	for {
		switch {
		case p.cur().is("["):
			p.take()
			if !p.cur().is("]") {
				v = element(v, p.expr(), t.line)
			}
			p.expect("]")
		case p.cur().is("->"), p.cur().is("?->"), p.cur().is("::"):
			p.take()
			if p.cur().is("{") {
				p.skipBalanced("it is set where PHP has to run")
			} else {
				p.take()
			}
			v = unknown{t.line, "it is read from an object or a class"}
		case p.cur().is("("):
			p.arguments()
			v = unknown{t.line, "it is the result of a function"}
		case p.cur().is("++"), p.cur().is("--"):
			p.take()
			v = unknown{t.line, "it is computed"}
		case p.cur().is("="):
			return p.destructure(start)
		default:
			return v
		}
	}
}

// destructure reads "= value" behind "[$a, $b]" or "list($a, $b)", which begins at token start.
func (p *parser) destructure(start int) value {
	end := p.pos
	p.take()
	v := p.assignment()
	for i := start; i < end; i++ {
		switch name := p.toks[i]; {
		case name.kind != tokVariable:
		case name.text == "CFG":
			p.taintAll(name.line, "it is set by list()")
		default:
			p.variables[name.text] = unknown{name.line, "it is set by list()"}
		}
	}
	return v
}

// element reads v[key].
func element(v, key value, line int) value {
	if u, is := why(v); is {
		return u
	}
	a, isArray := v.(*array)
	k, ok := keyOf(key)
	if !isArray || !ok {
		return unknown{line, "it is an element of something unknown"}
	}
	return a.values[k]
}

// variable reads a variable with its steps, and the assignment that may follow.
func (p *parser) variable() value {
	at := place{root: p.cur().text, line: p.cur().line}
	p.take()
	for {
		switch t := p.cur(); {
		case t.is("["):
			p.take()
			s := step{append: true}
			if !p.cur().is("]") {
				s = step{key: p.expr()}
			}
			p.expect("]")
			at.steps = append(at.steps, s)
		case t.is("->") || t.is("?->"):
			p.take()
			at.steps = append(at.steps, step{property: true, key: p.member()})
		case t.is("(") || t.is("::"):
			return p.callOn(at)
		default:
			return p.assign(at)
		}
	}
}

// member reads the name after "->": a word, or an expression whose value is the name.
func (p *parser) member() value {
	switch t := p.cur(); {
	case t.kind == tokName:
		return p.take().text
	case t.kind == tokVariable:
		p.take()
		return unknown{t.line, "the name of the setting is in a variable"}
	case t.is("{"):
		p.take()
		v := p.expr()
		p.expect("}")
		return v
	default:
		p.fail(t.line, "a name must follow ->")
		return nil
	}
}

// callOn reads a call on a variable or one of its methods, with all that follows. Its result is unknown.
func (p *parser) callOn(at place) value {
	for {
		switch t := p.cur(); {
		case t.is("("):
			p.arguments()
		case t.is("::"), t.is("->"), t.is("?->"):
			p.take()
			if p.cur().is("{") {
				p.skipBalanced("it is set where PHP has to run")
			} else {
				p.take()
			}
		case t.is("["):
			p.skipBalanced("it is set where PHP has to run")
		default:
			return unknown{at.line, "it is the result of a function"}
		}
	}
}

// arguments reads "(...)" and returns the values within.
func (p *parser) arguments() []value {
	p.expect("(")
	var args []value
	for !p.cur().is(")") && p.cur().kind != tokEOF {
		if p.cur().kind == tokName && p.peek(1).is(":") {
			p.take() // a named argument
			p.take()
		}
		if p.cur().is("...") && p.peek(1).is(")") {
			p.take()
			break
		}
		args = append(args, p.expr())
		if !p.cur().is(",") {
			break
		}
		p.take()
	}
	p.expect(")")
	return args
}

// primary reads an operand that is no variable.
func (p *parser) primary() value {
	t := p.cur()
	switch {
	case t.kind == tokString:
		p.take()
		return t.text
	case t.kind == tokTemplate:
		p.take()
		return unknown{t.line, "it is a string with variables in it, or a shell command"}
	case t.kind == tokInt:
		p.take()
		if n, ok := parseInt(t.text); ok {
			return n
		}
		return unknown{t.line, "its number does not fit 64 bits"}
	case t.kind == tokFloat:
		p.take()
		return unknown{t.line, "it is a number with a fraction"}
	case t.is("("):
		p.take()
		v := p.expr()
		p.expect(")")
		return v
	case t.is("["):
		return p.arrayLiteral("]")
	case t.is("$"):
		p.take()
		if p.cur().is("{") {
			p.skipBalanced("it is set where PHP has to run")
		} else {
			p.expr()
		}
		p.taintAll(t.line, "the name of a variable is in a variable")
		return unknown{t.line, "the name of a variable is in a variable"}
	case t.kind == tokName:
		return p.named()
	default:
		p.fail(t.line, "unexpected "+describe(t))
		return nil
	}
}

// arrayLiteral reads array(...) or [...] from its opening bracket.
func (p *parser) arrayLiteral(closing string) value {
	p.take()
	a := newArray()
	for !p.cur().is(closing) {
		if p.cur().is(",") {
			p.take() // list() may leave out elements
			continue
		}
		v := p.expr()
		if p.cur().is("=>") {
			p.take()
			element := p.expr()
			if key, ok := keyOf(v); ok {
				a.set(key, element)
			} else {
				return p.restOfArray(closing)
			}
		} else {
			a.push(v)
		}
		if !p.cur().is(",") {
			break
		}
		p.take()
	}
	p.expect(closing)
	return a
}

// restOfArray gives up an array with a key that cannot be known.
func (p *parser) restOfArray(closing string) value {
	line := p.cur().line
	for !p.cur().is(closing) && p.cur().kind != tokEOF {
		switch {
		case p.cur().is(","), p.cur().is("=>"):
			p.take()
		default:
			p.expr()
		}
	}
	p.expect(closing)
	return unknown{line, "it is an array with keys that are not literals"}
}

// named reads a constant, a language construct or a call.
func (p *parser) named() value {
	t := p.take()
	lower := strings.ToLower(t.text)
	switch lower {
	case "true":
		return true
	case "false":
		return false
	case "null":
		return nil
	case "__dir__":
		return filepath.Dir(p.file)
	case "__file__":
		return p.file
	case "__line__":
		return int64(t.line)
	case "directory_separator":
		return "/"
	case "array":
		if p.cur().is("(") {
			return p.arrayLiteral(")")
		}
	case "new":
		return p.newObject(t.line)
	case "isset", "empty", "is_object", "is_null":
		p.skipBalanced("") // may name $CFG without touching it
		return unknown{t.line, "it is the result of a comparison"}
	case "function", "fn", "static", "match", "class":
		return p.closure(t)
	case "include", "include_once", "require", "require_once":
		p.include(t.line)
		return unknown{t.line, "it is the result of another file"}
	case "exit", "die":
		if p.cur().is("(") {
			p.arguments()
		}
		return unknown{t.line, "the program ends there"}
	case "print", "clone", "throw", "yield":
		p.expr()
		return unknown{t.line, "it is the result of " + lower}
	}
	if p.cur().is("(") {
		return p.call(t)
	}
	if v, ok := p.constants[t.text]; ok {
		return v
	}
	return unknown{t.line, "it is the constant " + t.text}
}

// newObject reads what follows "new".
func (p *parser) newObject(line int) value {
	t := p.take()
	if p.cur().is("(") {
		p.arguments()
	}
	if t.isName("stdClass") {
		return object{newArray()}
	}
	if t.isName("class") {
		p.skipTo("{")
		p.skipBalanced("it is set inside a class")
	}
	return unknown{line, "it is a new object"}
}

// closure skips an anonymous function, an arrow function or a match.
func (p *parser) closure(t token) value {
	if t.isName("match") {
		p.skipBalanced("it is set inside a condition")
		p.skipBalanced("it is set inside a condition")
		return unknown{t.line, "it depends on a condition"}
	}
	if p.cur().isName("fn") || p.cur().isName("function") {
		t = p.take()
	}
	if p.cur().is("&") {
		p.take()
	}
	if p.cur().is("(") {
		p.skipBalanced("it is set inside a function")
	}
	if t.isName("fn") {
		p.skipTo("=>")
		p.take()
		p.maybe(func() { p.assignment() })
		return unknown{t.line, "it is a function"}
	}
	p.skipTo("{")
	p.skipBalanced("it is set inside a function")
	return unknown{t.line, "it is a function"}
}

// call evaluates the few functions that need no PHP; the others have no known result.
func (p *parser) call(t token) value {
	args := p.arguments()
	switch strings.ToLower(t.text) {
	case "getenv":
		if name, ok := firstText(args); ok {
			return p.env(name, t.line, false)
		}
	case "dirname":
		if path, ok := firstText(args); ok {
			levels := int64(1)
			if len(args) > 1 {
				levels, ok = args[1].(int64)
			}
			for ; ok && levels > 0 && path != "/" && path != "."; levels-- {
				path = filepath.Dir(path)
			}
			if ok {
				return path
			}
		}
	case "define":
		if name, ok := firstText(args); ok && len(args) > 1 && p.conditional == 0 {
			p.constants[name] = args[1]
		}
		return true
	}
	for _, a := range args {
		// That a variable is not set says more than that a function is called.
		if m, ok := a.(missing); ok {
			return m.unknown()
		}
	}
	return unknown{t.line, "it is the result of the function " + t.text}
}

// firstText returns the first argument when it is a string.
func firstText(args []value) (string, bool) {
	if len(args) == 0 {
		return "", false
	}
	s, ok := args[0].(string)
	return s, ok
}

// env looks up an environment variable.
func (p *parser) env(name string, line int, null bool) value {
	if v := p.getenv(name); v != "" {
		return v
	}
	return missing{line: line, name: name, null: null}
}
