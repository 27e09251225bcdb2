package configphp

import "slices"

// assignOps lists the assignment operators.
func assignOps() []string {
	return []string{"=", ".=", "??=", "+=", "-=", "*=", "/=", "%=", "**=", "&=", "|=", "^=", "<<=", ">>="}
}

// assign reads the assignment that may follow a place, and returns the place's value.
func (p *parser) assign(at place) value {
	t := p.cur()
	switch {
	case t.is("=") && p.peek(1).is("&"):
		p.take()
		p.take()
		p.expr()
		v := unknown{t.line, "it is a reference"}
		p.store(at, v)
		return v
	case t.is("++"), t.is("--"):
		p.take()
		v := unknown{t.line, "it is computed"}
		p.store(at, v)
		return v
	case t.kind != tokPunct || !slices.Contains(assignOps(), t.text):
		return p.load(at)
	}
	p.take()
	var v value
	if t.is("=") {
		v = p.assignment()
	} else {
		old := p.load(at)
		if t.is("??=") {
			p.maybe(func() { v = p.assignment() })
			if m, isMissing := old.(missing); old != nil && (!isMissing || !m.null) {
				v = old
			}
		} else {
			v = operate(old, p.assignment(), token{kind: tokPunct, text: t.text[:len(t.text)-1], line: t.line})
		}
	}
	if p.conditional > 0 {
		v = unknown{at.line, "it is set inside a condition, a loop or a function"}
	}
	if a, ok := v.(*array); ok {
		v = a.clone()
	}
	p.store(at, v)
	return v
}

// setting returns the $CFG setting that a place belongs to. whole says that
// the place is $CFG itself; dynamic that the setting's name is not known.
func (at place) setting() (name string, whole, dynamic, ok bool) {
	steps := at.steps
	switch at.root {
	case "CFG":
	case "GLOBALS":
		if len(steps) == 0 || steps[0].key != value("CFG") {
			return "", false, false, false
		}
		steps = steps[1:]
	default:
		return "", false, false, false
	}
	if len(steps) == 0 {
		return "", true, false, true
	}
	name, isName := steps[0].key.(string)
	return name, false, !isName || !steps[0].property, true
}

// path returns the steps below the setting or variable.
func (at place) path() []step {
	switch {
	case at.root == "CFG":
		return at.steps[1:]
	case at.root == "GLOBALS":
		return at.steps[2:]
	default:
		return at.steps
	}
}

// load returns the value at a place.
func (p *parser) load(at place) value {
	if at.root == "_ENV" || at.root == "_SERVER" {
		if len(at.steps) == 1 {
			if name, ok := at.steps[0].key.(string); ok {
				return p.env(name, at.line, true)
			}
		}
		return unknown{at.line, "it is read from $" + at.root}
	}
	name, whole, dynamic, isCFG := at.setting()
	var v value
	switch {
	case isCFG && whole:
		p.taintAll(at.line, "$CFG is handed on as a whole, so it may be set elsewhere")
		return unknown{at.line, "it is $CFG itself"}
	case isCFG && dynamic:
		return unknown{at.line, "the name of the setting is in a variable"}
	case isCFG:
		v = p.settings[name].value
	default:
		known, ok := p.variables[at.root]
		if !ok {
			return unknown{at.line, "it is read from the variable $" + at.root}
		}
		v = known
	}
	for _, s := range at.path() {
		if o, ok := v.(object); ok && s.property {
			v = o.properties
		}
		if v = element(v, s.key, at.line); v == nil {
			break
		}
	}
	return v
}

// store assigns a value to a place.
func (p *parser) store(at place, v value) {
	name, whole, dynamic, isCFG := at.setting()
	switch {
	case isCFG && whole:
		p.storeAll(v, at.line)
	case isCFG && dynamic:
		p.taintAll(at.line, "the name of the setting is in a variable")
	case isCFG:
		p.settings[name] = setting{put(p.settings[name].value, at.path(), v, at.line), at.line}
	default:
		p.variables[at.root] = put(p.variables[at.root], at.path(), v, at.line)
	}
}

// storeAll assigns to $CFG itself.
func (p *parser) storeAll(v value, line int) {
	o, ok := v.(object)
	if !ok {
		p.taintAll(line, "$CFG is set as a whole by something other than new stdClass")
		return
	}
	clear(p.settings)
	for name, v := range o.properties.values {
		p.settings[name] = setting{v, line}
	}
}

// put returns old with v at a path below it.
func put(old value, path []step, v value, line int) value {
	if len(path) == 0 {
		return v
	}
	if u, ok := old.(unknown); ok {
		return u
	}
	a, ok := old.(*array)
	if o, isObject := old.(object); isObject {
		a, ok = o.properties, true
	}
	if !ok {
		a = newArray()
	}
	a = a.clone()
	s := path[0]
	if s.append {
		a.push(put(nil, path[1:], v, line))
		return a
	}
	key, known := keyOf(s.key)
	if !known {
		return unknown{line, "one of its elements has a key that is not a literal"}
	}
	a.set(key, put(a.values[key], path[1:], v, line))
	return a
}

// unset reads what follows "unset".
func (p *parser) unset() {
	start := p.pos
	if p.conditional > 0 {
		p.skipBalanced("it is unset inside a condition")
		for i := start; i < p.pos-2; i++ {
			if p.toks[i].kind == tokVariable && p.toks[i].text == "CFG" && p.toks[i+1].is("->") {
				name := p.toks[i+2].text
				p.settings[name] = setting{unknown{p.toks[i].line, "it is unset inside a condition"}, p.toks[i].line}
			}
		}
		p.endStatement()
		return
	}
	p.expect("(")
	for p.cur().kind == tokVariable {
		at := place{root: p.cur().text, line: p.cur().line}
		p.take()
		for p.cur().is("[") || p.cur().is("->") {
			if p.take().is("->") {
				at.steps = append(at.steps, step{property: true, key: p.member()})
				continue
			}
			at.steps = append(at.steps, step{key: p.expr()})
			p.expect("]")
		}
		p.remove(at)
		if !p.cur().is(",") {
			break
		}
		p.take()
	}
	p.expect(")")
	p.endStatement()
}

// remove unsets a place.
func (p *parser) remove(at place) {
	name, whole, dynamic, isCFG := at.setting()
	switch {
	case isCFG && whole:
		clear(p.settings)
	case isCFG && dynamic:
		p.taintAll(at.line, "the name of the setting is in a variable")
	case isCFG && len(at.path()) == 0:
		delete(p.settings, name)
	case isCFG:
		p.store(at, nil)
	case len(at.steps) == 0:
		delete(p.variables, at.root)
	default:
		p.store(at, nil)
	}
}

// taint makes unknown every setting that the tokens from start to end assign
// to: they are in code that may run or not, or that is not understood.
func (p *parser) taint(start, end int, why string) {
	if why == "" {
		return
	}
	for i := start; i < end && i < len(p.toks); i++ {
		t := p.toks[i]
		if t.kind != tokVariable {
			continue
		}
		if t.text != "CFG" {
			if p.assigns(i+1, end) {
				p.variables[t.text] = unknown{t.line, why}
			}
			continue
		}
		if !p.toks[i+1].is("->") {
			if p.assigns(i+1, end) {
				p.taintAll(t.line, why)
			}
			continue
		}
		name := p.toks[min(i+2, len(p.toks)-1)]
		if name.kind != tokName {
			if p.assigns(i+2, end) {
				p.taintAll(t.line, "the name of the setting is in a variable")
			}
			continue
		}
		if p.assigns(i+3, end) {
			p.settings[name.text] = setting{unknown{t.line, why}, t.line}
		}
	}
}

// taintLoop makes unknown the variables that "foreach (... as $key => $value)" sets.
func (p *parser) taintLoop(start, end int) {
	seenAs := false
	for i := start; i < end; i++ {
		t := p.toks[i]
		switch {
		case t.isName("as"):
			seenAs = true
		case !seenAs || t.kind != tokVariable:
		case t.text == "CFG":
			p.taintAll(t.line, "it is set by a loop")
		default:
			p.variables[t.text] = unknown{t.line, "it is set by a loop"}
		}
	}
}

// assigns reports whether an assignment operator follows the elements ("[...]",
// "{...}", "->name") that begin at token i.
func (p *parser) assigns(i, end int) bool {
	level := 0
	for ; i < end && i < len(p.toks); i++ {
		t := p.toks[i]
		switch {
		case t.is("["), t.is("{"):
			level++
		case t.is("]"), t.is("}"):
			level--
		case level > 0, t.kind == tokVariable:
		case t.is("->"):
			i++ // the name
		case t.is("++"), t.is("--"):
			return true
		default:
			return t.kind == tokPunct && slices.Contains(assignOps(), t.text)
		}
		if level < 0 {
			return false
		}
	}
	return false
}

// taintAll makes every setting unknown.
func (p *parser) taintAll(line int, why string) {
	for _, name := range needed() {
		p.settings[name] = setting{unknown{line, why}, line}
	}
}
