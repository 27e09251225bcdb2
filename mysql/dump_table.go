package mysql

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// tableSource is the definition of a table, or what ALTER TABLE adds to one, on
// its way to the parser.
//
// The parser is TiDB's, and knows TiDB's dialect: not every type, character set
// and attribute of MySQL and MariaDB. What it need not understand is cut out of
// the source before and kept as it is spelt, expressions above all: the servers
// print them there as they do in their catalogs.
type tableSource struct {
	source
	lines   []string // for the parser: columns, then keys
	columns []columnClauses
	keys    []keyClauses
	checks  []checkClauses
	options tableClauses
}

// columnClauses is what was cut out of the definition of a column.
type columnClauses struct {
	typeText           string
	typeKnown          bool // the parser has read the type
	charset, collation string
	value              string // of DEFAULT
	onUpdate           string
	generated          string // VIRTUAL, STORED, PERSISTENT
	expression         string
	invisible          bool
	compressed         bool
	check              *checkClauses
	// first and after say where ALTER TABLE puts the column.
	first bool
	after string
}

// keyClauses is what was cut out of the definition of a key.
type keyClauses struct {
	method      string   // fulltext, spatial, vector
	expressions []string // of its parts, "" for a column
}

// checkClauses is a CHECK constraint.
type checkClauses struct {
	name, expression string
	notEnforced      bool
}

// tableClauses are the options of a table that count.
type tableClauses struct {
	engine, rowFormat, charset, collation, comment, autoIncrement, keyBlockSize string
	partitioned, versioned                                                      bool
}

// maxElements is more than a table can have of columns and keys. It bounds the time of reading nonsense.
const maxElements = 10_000

var errNoDefinition = errors.New("it makes a table without naming its columns")

// createTable reads CREATE TABLE from the token behind the table's name.
func (b *tableSource) createTable(i int) error {
	n := len(b.tokens)
	if !b.is(i, "(") || b.isAny(i+1, "LIKE", "SELECT") {
		return errNoDefinition
	}
	end := b.group(i, n)
	if !b.balanced() {
		return errors.New("the list of its columns has no end")
	}
	elements := b.list(i+1, end-1)
	if len(elements) > maxElements {
		return fmt.Errorf("it has %d columns and keys", len(elements))
	}
	for _, e := range elements {
		if err := b.element(e[0], e[1]); err != nil {
			return err
		}
	}
	b.tableOptions(end, n)
	return nil
}

// element reads one column, key or constraint between the tokens lo and hi.
func (b *tableSource) element(lo, hi int) error {
	if b.kind(lo) == tokenWord {
		at := lo
		if b.is(at, "CONSTRAINT") {
			if at++; !b.isAny(at, "PRIMARY", "UNIQUE", "FOREIGN", "CHECK") || b.isAny(at+1, "PRIMARY", "UNIQUE", "FOREIGN", "CHECK") {
				at++
			}
		}
		switch {
		case b.is(at, "CHECK") && b.is(at+1, "("):
			b.checks = append(b.checks, *b.check(lo, at))
			return nil
		case b.is(at, "PERIOD", "FOR"):
			return nil // the period of MariaDB's versions; its columns say the same
		case at > lo, b.isAny(at, "PRIMARY", "UNIQUE", "KEY", "INDEX", "FULLTEXT", "SPATIAL", "VECTOR", "FOREIGN") && b.startsKey(at, hi):
			return b.key(lo, at, hi)
		}
	}
	return b.column(lo, hi)
}

// startsKey tells a key from a column whose name is such a word and whose type follows.
func (b *tableSource) startsKey(at, hi int) bool {
	if b.isAny(at, "FULLTEXT", "SPATIAL", "VECTOR") {
		return b.isAny(at+1, "KEY", "INDEX") || b.kind(at+1) == tokenIdent || b.is(at+1, "(") || b.is(at+2, "(")
	}
	return at+1 < hi
}

// check reads CHECK (expression) [NOT ENFORCED] at token at; its name may stand at lo.
func (b *tableSource) check(lo, at int) *checkClauses {
	end := b.group(at+1, len(b.tokens))
	c := &checkClauses{expression: b.inner(at+1, end), notEnforced: b.is(end, "NOT", "ENFORCED")}
	if at-lo == 2 {
		c.name = b.name(lo + 1)
	}
	return c
}

// key rewrites a key, index or foreign key whose first keyword is at token at.
func (b *tableSource) key(lo, at, hi int) error {
	var k keyClauses
	var line []string
	for i := lo; i < at; i++ {
		line = append(line, b.emit(i))
	}
	if b.isAny(at, "FULLTEXT", "SPATIAL", "VECTOR") {
		k.method = strings.ToLower(b.at(at))
		line = append(line, "KEY")
		if at++; b.isAny(at, "KEY", "INDEX") {
			at++
		}
	}
	i := at
	for ; i < hi && !b.is(i, "("); i++ {
		line = append(line, b.emit(i))
	}
	end := b.group(i, hi)
	if i >= hi || !b.is(end-1, ")") {
		return fmt.Errorf("the key %q has no columns", b.slice(lo, min(hi, lo+8)))
	}
	parts := b.list(i+1, end-1)
	texts := make([]string, len(parts))
	for p, part := range parts {
		text, expression := b.keyPart(part[0], part[1])
		texts[p] = text
		k.expressions = append(k.expressions, expression)
	}
	line = append(line, "("+strings.Join(texts, ", ")+")")
	line = append(line, b.keyOptions(end, hi)...)
	b.keys = append(b.keys, k)
	b.lines = append(b.lines, strings.Join(line, " "))
	return nil
}

// keyPart rewrites one part of a key; an expression is replaced by a text.
func (b *tableSource) keyPart(lo, hi int) (text, expression string) {
	var line []string
	i := lo
	if b.is(lo, "(") {
		i = b.group(lo, hi)
		expression = b.inner(lo, i)
		line = append(line, "('x')")
	}
	for ; i < hi; i++ {
		if b.is(i, "WITHOUT", "OVERLAPS") {
			i++
			continue
		}
		line = append(line, b.emit(i))
	}
	return strings.Join(line, " "), expression
}

// keyOptions rewrites what follows the parts of a key. Attributes of storage
// engines and of indexes that the parser has never heard of say nothing here.
func (b *tableSource) keyOptions(i, hi int) (line []string) {
	for i < hi {
		switch {
		case b.is(i, "COMMENT"):
			if b.is(i+1, "=") {
				i++
			}
			line = append(line, "COMMENT", b.emit(i+1))
			i += 2
		case b.is(i, "NOT", "IGNORED"):
			i += 2
		case b.isAny(i, "IGNORED", "INVISIBLE"):
			line = append(line, "INVISIBLE")
			i++
		case b.is(i, "WITH", "PARSER"):
			i += 3
		case b.is(i+1, "="):
			i += 3
		case b.isAny(i, "KEY_BLOCK_SIZE", "ENGINE_ATTRIBUTE", "SECONDARY_ENGINE_ATTRIBUTE"):
			i += 2
		default:
			line = append(line, b.emit(i))
			i++
		}
	}
	return line
}

// emit spells token i for the parser, which takes names in backquotes only.
func (b *tableSource) emit(i int) string {
	if b.kind(i) == tokenIdent {
		return QuoteIdent(b.name(i))
	}
	return b.at(i)
}

// tableOptions reads the options of a table between the tokens i and hi. All
// others say nothing about the schema.
func (b *tableSource) tableOptions(i, hi int) {
	o := &b.options
	for i < hi {
		key := i
		switch {
		case b.is(i, "PARTITION", "BY"):
			o.partitioned = true
			return
		case b.is(i, "WITH", "SYSTEM", "VERSIONING"):
			o.versioned = true
			i += 3
			continue
		case b.is(i, "CHARACTER", "SET"):
			key++
		}
		target := b.option(key)
		if target == nil {
			i++
			continue
		}
		if i = key + 1; b.is(i, "=") {
			i++
		}
		*target = b.literal(i)
		i++
	}
}

// option returns where the option at token i goes; nil for none that counts.
func (b *tableSource) option(i int) *string {
	o := &b.options
	for name, target := range map[string]*string{
		"ENGINE": &o.engine, "ROW_FORMAT": &o.rowFormat, "CHARSET": &o.charset, "SET": &o.charset,
		"COLLATE": &o.collation, "COMMENT": &o.comment, "AUTO_INCREMENT": &o.autoIncrement, "KEY_BLOCK_SIZE": &o.keyBlockSize,
	} {
		if b.is(i, name) {
			return target
		}
	}
	return nil
}

// literal reads a name, a number or a text at token i.
func (b *tableSource) literal(i int) string {
	if b.kind(i) != tokenString {
		return b.name(i)
	}
	text := b.at(i)
	if strings.HasPrefix(text, `"`) {
		return strings.ReplaceAll(strings.Trim(text, `"`), `""`, `"`)
	}
	value, _, _ := unquote(text)
	return value
}

// definition returns a CREATE TABLE that the parser understands.
func (b *tableSource) definition() string {
	if len(b.columns) == 0 { // ALTER TABLE may only add keys
		return "CREATE TABLE t (" + strings.Join(slices.Concat([]string{"x int"}, b.lines), ",\n") + ")"
	}
	return "CREATE TABLE t (" + strings.Join(b.lines, ",\n") + ")"
}
