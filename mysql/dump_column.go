package mysql

import (
	"errors"
	"strings"
)

// column rewrites the definition of a column between the tokens lo and hi.
func (b *tableSource) column(lo, hi int) error {
	if lo+1 >= hi {
		return errors.New("the column " + QuoteIdent(b.name(lo)) + " has no type")
	}
	c := columnClauses{}
	i := b.columnType(lo+1, hi, &c)
	line := []string{QuoteIdent(b.name(lo)), "int"}
	if c.typeKnown {
		line[1] = c.typeText
	}
	for i < hi {
		next := b.columnClause(i, hi, &c)
		if next == i {
			line = append(line, b.emit(i))
			next++
			if b.is(i, "COMMENT") {
				line = append(line, b.emit(next))
				next++
			}
		}
		i = next
	}
	b.columns = append(b.columns, c)
	b.lines = append(b.lines, strings.Join(line, " "))
	return nil
}

// synonym reports whether word begins a type that the servers print by another
// name. Only what people write has them; the parser knows what they mean.
func synonym(word string) bool {
	switch strings.ToLower(word) {
	case "bool", "boolean", "integer", "dec", "fixed", "numeric", "real", "float4", "float8", "int1", "int2", "int3", "int4", "int8",
		"middleint", "long", "character", "nchar", "national", "nvarchar", "varcharacter", "serial":
		return true
	default:
		return false
	}
}

// columnType reads the type at token i and returns the position behind it.
func (b *tableSource) columnType(i, hi int, c *columnClauses) int {
	start := i
	c.typeKnown = synonym(b.at(i))
	for i++; i < hi && b.isAny(i, "PRECISION", "VARYING", "VARCHAR", "CHAR", "CHARACTER", "VARBINARY") && !b.is(i, "CHARACTER", "SET"); i++ {
		c.typeKnown = true // DOUBLE PRECISION, NATIONAL CHARACTER VARYING, ...
	}
	if b.is(i, "(") {
		i = b.group(i, hi)
	}
	for i < hi && b.isAny(i, "UNSIGNED", "SIGNED", "ZEROFILL") {
		i++
	}
	c.typeText = b.slice(start, i)
	return i
}

// columnClause cuts the clause at token i out, if it is one that the parser
// need not see, and returns the position behind it; else i.
func (b *tableSource) columnClause(i, hi int, c *columnClauses) int {
	switch {
	case b.is(i, "DEFAULT"):
		end := b.value(i+1, hi)
		c.value = b.slice(i+1, end)
		return end
	case b.is(i, "ON", "UPDATE"):
		end := b.value(i+2, hi)
		c.onUpdate = b.slice(i+2, end)
		return end
	case b.is(i, "GENERATED", "ALWAYS", "AS"):
		return b.generated(i+3, hi, c)
	case b.is(i, "AS", "("):
		return b.generated(i+1, hi, c)
	case b.is(i, "CHECK", "("):
		c.check = b.check(i, i)
		return b.afterCheck(b.group(i+1, hi))
	case b.is(i, "CONSTRAINT") && b.is(i+2, "CHECK", "("):
		c.check = b.check(i, i+2)
		return b.afterCheck(b.group(i+3, hi))
	case b.is(i, "CHARACTER", "SET"):
		c.charset = b.name(i + 2)
		return i + 3
	case b.is(i, "CHARSET"):
		c.charset = b.name(i + 1)
		return i + 2
	case b.is(i, "COLLATE"):
		c.collation = b.literal(i + 1)
		return i + 2
	case b.is(i, "FIRST"):
		c.first = true
		return i + 1
	case b.is(i, "AFTER"):
		c.after = b.name(i + 1)
		return i + 2
	}
	return b.attribute(i, c)
}

// attribute cuts an attribute out that says little or nothing about the schema.
func (b *tableSource) attribute(i int, c *columnClauses) int {
	switch {
	case b.is(i, "INVISIBLE"):
		c.invisible = true
		return i + 1
	case b.is(i, "VISIBLE"):
		return i + 1
	case b.is(i, "COMPRESSED"):
		c.compressed = true
		if b.is(i+1, "=") {
			return i + 3
		}
		return i + 1
	case b.is(i, "WITH", "SYSTEM", "VERSIONING"), b.is(i, "WITHOUT", "SYSTEM", "VERSIONING"):
		return i + 3
	case b.is(i, "NOT", "SECONDARY"):
		return i + 2
	case b.kind(i) != tokenPunct && b.is(i+1, "="): // of a storage engine, REF_SYSTEM_ID
		return i + 3
	case b.isAny(i, "SRID", "COLUMN_FORMAT", "STORAGE", "ENGINE_ATTRIBUTE", "SECONDARY_ENGINE_ATTRIBUTE"):
		return i + 2
	}
	return i
}

// afterCheck skips what may follow a CHECK.
func (b *tableSource) afterCheck(i int) int {
	switch {
	case b.is(i, "NOT", "ENFORCED"):
		return i + 2
	case b.is(i, "ENFORCED"):
		return i + 1
	}
	return i
}

// generated reads what follows AS of a generated column.
func (b *tableSource) generated(i, hi int, c *columnClauses) int {
	if b.is(i, "ROW", "START") || b.is(i, "ROW", "END") {
		c.expression, c.generated = strings.ToUpper(b.at(i)+" "+b.at(i+1)), "STORED"
		return i + 2
	}
	end := b.group(i, hi)
	c.expression, c.generated = b.inner(i, end), "VIRTUAL"
	if b.isAny(end, "VIRTUAL", "STORED", "PERSISTENT") {
		c.generated = strings.ToUpper(b.at(end))
		end++
	}
	return end
}
