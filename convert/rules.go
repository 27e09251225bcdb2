package convert

import (
	"slices"

	"github.com/moodledb/moodledb/schema"
)

// Rule says what one type of MySQL and MariaDB becomes on PostgreSQL when no
// install.xml declares the column.
type Rule struct {
	// Source is the type as DDL spells it, such as "bigint unsigned". Aliases are
	// other words for it, which no catalog prints.
	Source  string
	Aliases []string
	// Since says which servers have the type; empty for all that moodledb reads.
	Since string
	// Target is the type on PostgreSQL, and Example a column of the source.
	Target  string
	Example schema.Type
	// Values says how values arrive, Note why the target is what it is.
	Values string
	Note   string

	// names are the bare names to which the rule applies, and when, if not nil,
	// narrows it to some columns of that name. The first rule that applies counts.
	names []string
	when  func(c *schema.Column) bool
	to    func(t schema.Type) schema.Type
	// literal turns a literal default into one of the target; false when it cannot.
	literal func(text string, t schema.Type) (string, bool)
}

// applies reports whether the rule is for the column.
func (r *Rule) applies(c *schema.Column) bool {
	return slices.Contains(r.names, c.Type.Name) && (r.when == nil || r.when(c))
}

// ruleFor finds the rule of a column; false for an unknown type.
func ruleFor(c *schema.Column) (Rule, bool) {
	for _, r := range Rules() {
		if r.applies(c) {
			return r, true
		}
	}
	return Rule{}, false
}

// Rules is the table of rules for all types of MySQL and MariaDB. [Live] and
// [LiveColumn] follow it, and docs/types.md is printed from it. A type that is
// not in it is an error, never guessed at.
func Rules() []Rule {
	return slices.Concat(integerRules(), numberRules(), textRules(), binaryRules(), timeRules(), otherRules())
}

// always returns a function that makes the plain type name.
func always(name string) func(schema.Type) schema.Type {
	return func(schema.Type) schema.Type { return plainType(name) }
}

func isUnsigned(c *schema.Column) bool { return c.Type.Unsigned || c.Type.Zerofill }

func isSigned(c *schema.Column) bool { return !isUnsigned(c) }

// integer is the rule of an integer type.
func integer(source, target, note string, unsigned bool, aliases ...string) Rule {
	example := schema.Type{Name: source, Unsigned: unsigned, Raw: source}
	r := Rule{
		Source: source, Aliases: aliases, Target: target, Example: example,
		Values: "digits, exact", Note: note,
		names: []string{source}, when: isSigned, to: always(target), literal: numberLiteral,
	}
	if source == "int" {
		r.names = append(r.names, "integer")
	}
	if unsigned {
		r.Source += " unsigned"
		r.Example.Raw = r.Source
		r.when = isUnsigned
	}
	return r
}

func integerRules() []Rule {
	bigSerial := integer("bigint", "bigint", "A sequence of PostgreSQL is a bigint at most; "+
		"a number above 2^63-1 stops the copy.", true, "serial")
	bigSerial.Source = "bigint unsigned auto_increment"
	bigSerial.when = func(c *schema.Column) bool { return isUnsigned(c) && c.AutoIncrement }
	bigUnsigned := integer("bigint", "numeric(20,0)", "No integer of PostgreSQL holds 2^64-1. "+
		"A column that refers by a foreign key to a bigint becomes a bigint as well, since PostgreSQL cannot join the two.", true)
	bigUnsigned.to = func(schema.Type) schema.Type { return numericType(20, 0) }
	return []Rule{
		integer("tinyint", "smallint", "Also tinyint(1), which is no boolean: it holds -128 to 127, and applications use that.",
			false, "bool", "boolean"),
		integer("tinyint", "smallint", "", true),
		integer("smallint", "smallint", "", false),
		integer("smallint", "integer", "The smallest type that holds 65535.", true),
		integer("mediumint", "integer", "", false),
		integer("mediumint", "integer", "", true),
		integer("int", "integer", "The display width, as in int(11), means nothing.", false, "integer"),
		integer("int", "bigint", "The smallest type that holds 4294967295.", true),
		integer("bigint", "bigint", "", false),
		bigSerial,
		bigUnsigned,
	}
}

func numberRules() []Rule {
	return []Rule{
		{
			Source: "decimal(p,s)", Aliases: []string{"numeric", "dec", "fixed"}, Target: "numeric(p,s)",
			Example: schema.Type{Name: "decimal", Precision: 10, Scale: 5, Raw: "decimal(10,5)"},
			Values:  "digits, exact", names: []string{"decimal", "numeric"},
			to: func(t schema.Type) schema.Type {
				if t.Precision == 0 {
					return numericType(10, t.Scale)
				}
				return numericType(t.Precision, t.Scale)
			},
			literal: numberLiteral,
		},
		{
			Source: "float or double, auto_increment", Target: "bigint",
			Example: schema.Type{Name: "double", Raw: "double"},
			Values:  "whole numbers, exact", Note: "A serial column is an integer; a fraction stops the copy.",
			names: []string{"float", "double", "real"}, when: func(c *schema.Column) bool { return c.AutoIncrement },
			to: always("bigint"), literal: numberLiteral,
		},
		{
			Source: "float", Target: "real", Example: schema.Type{Name: "float", Raw: "float"},
			Values: "bit for bit", Note: "The rounding of float(p,s) to s digits when writing is not kept; float(25) and more is a double to MySQL.",
			names: []string{"float"}, to: always("real"), literal: numberLiteral,
		},
		{
			Source: "double", Aliases: []string{"double precision", "real"}, Target: "double precision",
			Example: schema.Type{Name: "double", Raw: "double"},
			Values:  "bit for bit", Note: "The rounding of double(p,s) to s digits when writing is not kept.",
			names: []string{"double", "real"}, to: always("double precision"), literal: numberLiteral,
		},
		{
			Source: "bit(n)", Target: "bit(n)", Example: schema.Type{Name: "bit", Length: 8, Raw: "bit(8)"},
			Values: "bit for bit", Note: "Also bit(1), which stays a bit string and is no boolean.",
			names:   []string{"bit"},
			to:      func(t schema.Type) schema.Type { return lengthType("bit", bitLength(t, 1)) },
			literal: bitLiteral,
		},
		{
			Source: "year", Target: "smallint", Example: schema.Type{Name: "year", Raw: "year(4)"},
			Values: "digits, exact", Note: "PostgreSQL has no such type; 0000 is 0.",
			names: []string{"year"}, to: always("smallint"), literal: numberLiteral,
		},
	}
}

// varchar makes a character varying of at least one character, which is
// PostgreSQL's least; CHAR(0) and VARCHAR(0) hold the empty text alone.
func varchar(n int64) schema.Type { return lengthType("character varying", max(n, 1)) }

func textRules() []Rule {
	const exact = "text in UTF-8, exact"
	text := func(source string) Rule {
		return Rule{
			Source: source, Target: "text", Example: schema.Type{Name: source, Raw: source}, Values: exact,
			names: []string{source}, to: always("text"), literal: sameLiteral,
		}
	}
	tiny := text("tinytext")
	tiny.Note = "The limits of the text types are bytes of the source's character set; PostgreSQL has no such limit."
	return []Rule{
		{
			Source: "char(n)", Aliases: []string{"nchar"}, Target: "character varying(n)",
			Example: schema.Type{Name: "char", Length: 10, Raw: "char(10)"}, Values: exact,
			Note: "MySQL takes trailing blanks off a CHAR, PostgreSQL's character(n) would add them; " +
				"and varchar is the only type of text with a length that Moodle knows there.",
			names: []string{"char"}, to: func(t schema.Type) schema.Type { return varchar(t.Length) }, literal: sameLiteral,
		},
		{
			Source: "varchar(n)", Aliases: []string{"nvarchar"}, Target: "character varying(n)",
			Example: schema.Type{Name: "varchar", Length: 255, Raw: "varchar(255)"}, Values: exact,
			names: []string{"varchar"}, to: func(t schema.Type) schema.Type { return varchar(t.Length) }, literal: sameLiteral,
		},
		tiny, text("text"), text("mediumtext"), text("longtext"),
		{
			Source: "enum(...)", Target: "character varying(n) with a check",
			Example: schema.Type{Name: "enum", Values: []string{"yes", "no"}, Raw: "enum('yes','no')"},
			Values:  "the member's text, exact",
			Note: "n is the length of the longest member. Moodle's own check knows varchar and no type of PostgreSQL's own making. " +
				"The CHECK keeps the promise of the enum; it also allows the empty text, which MySQL stores for what is no member outside strict mode.",
			names: []string{"enum"}, to: func(t schema.Type) schema.Type { return varchar(longest(t.Values)) }, literal: sameLiteral,
		},
		{
			Source: "set(...)", Target: "text", Example: schema.Type{Name: "set", Values: []string{"a", "b"}, Raw: "set('a','b')"},
			Values: "the members with commas between, as MySQL prints them",
			Note:   "That only members are stored is no longer enforced.",
			names:  []string{"set"}, to: always("text"), literal: sameLiteral,
		},
		{
			Source: "json", Target: "json", Example: schema.Type{Name: "json", Raw: "json"},
			Values: "the text that the server prints, exact",
			Note: "json keeps the text as it is; jsonb would order the keys anew, and refuses \\u0000. " +
				"MariaDB's JSON is a longtext with a check, and is seen as what it was declared.",
			names: []string{"json"}, to: always("json"), literal: sameLiteral,
		},
	}
}

// longest is the number of characters of the longest text.
func longest(values []string) int64 {
	n := int64(0)
	for _, v := range values {
		n = max(n, CountChars([]byte(v)))
	}
	return n
}

func binaryRules() []Rule {
	const exact = "bytes, exact"
	blob := func(source string, length int64, note string) Rule {
		r := Rule{
			Source: source, Target: "bytea", Example: schema.Type{Name: source, Length: length, Raw: source}, Values: exact, Note: note,
			names: []string{source}, to: always("bytea"), literal: byteLiteral,
		}
		if length > 0 {
			r.Source += "(n)"
			r.Example = lengthType(source, length)
		}
		return r
	}
	return []Rule{
		blob("binary", 16, "With the zero bytes that MySQL fills it up with; the length is no longer enforced."),
		blob("varbinary", 255, "The length is no longer enforced."),
		blob("tinyblob", 0, ""), blob("blob", 0, ""), blob("mediumblob", 0, ""), blob("longblob", 0, ""),
		{
			Source: "vector(n)", Since: "MySQL 9.0, MariaDB 11.7", Target: "bytea",
			Example: schema.Type{Name: "vector", Length: 3, Raw: "vector(3)"}, Values: "n floats of four bytes, the lowest byte first",
			Note:  "PostgreSQL itself has no such type, and an array of real would have to be printed.",
			names: []string{"vector"}, to: always("bytea"), literal: byteLiteral,
		},
	}
}

// withFraction makes a temporal type with as many digits of a second as the source's.
func withFraction(word, rest string) func(schema.Type) schema.Type {
	return func(t schema.Type) schema.Type {
		digits := schema.Type{Precision: t.Precision, Name: word + rest}
		digits.Raw = word + "(" + string(rune('0'+min(max(t.Precision, 0), 6))) + ")" + rest
		return digits
	}
}

func timeRules() []Rule {
	return []Rule{
		{
			Source: "date", Target: "date", Example: schema.Type{Name: "date", Raw: "date"},
			Values: "exact; a zero date stops the copy", names: []string{"date"}, to: always("date"), literal: dateLiteral,
		},
		{
			Source: "datetime(p)", Target: "timestamp(p) without time zone",
			Example: schema.Type{Name: "datetime", Precision: 3, Raw: "datetime(3)"},
			Values:  "exact; a zero date stops the copy",
			Note:    "Without p it is timestamp(0): both round to whole seconds.",
			names:   []string{"datetime"}, to: withFraction("timestamp", " without time zone"), literal: dateLiteral,
		},
		{
			Source: "timestamp(p)", Target: "timestamp(p) with time zone",
			Example: schema.Type{Name: "timestamp", Raw: "timestamp"},
			Values:  "the same instant; a zero date stops the copy",
			Note:    "Both store UTC and print the zone of the session.",
			names:   []string{"timestamp"}, to: withFraction("timestamp", " with time zone"), literal: instantLiteral,
		},
		{
			Source: "time(p)", Target: "interval(p)", Example: schema.Type{Name: "time", Raw: "time"},
			Values: "exact", Note: "A TIME goes from -838:59:59 to 838:59:59; PostgreSQL's time is the time of a day.",
			names: []string{"time"}, to: withFraction("interval", ""), literal: sameLiteral,
		},
	}
}

func otherRules() []Rule {
	geometry := []string{
		"geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon",
		"geometrycollection", "geomcollection",
	}
	return []Rule{
		{
			Source: "geometry", Aliases: geometry[1:], Target: "bytea", Example: schema.Type{Name: "geometry", Raw: "geometry"},
			Values: "the bytes that MySQL stores: the SRID in four bytes, the lowest first, then WKB",
			Note:   "PostgreSQL itself has no such types; with PostGIS, ST_GeomFromWKB(substring(c from 5)) reads them.",
			names:  geometry, to: always("bytea"), literal: noLiteral,
		},
		{
			Source: "uuid", Since: "MariaDB 10.7", Target: "uuid", Example: schema.Type{Name: "uuid", Raw: "uuid"},
			Values: "exact", names: []string{"uuid"}, to: always("uuid"), literal: sameLiteral,
		},
		{
			Source: "inet4", Since: "MariaDB 10.10", Target: "inet", Example: schema.Type{Name: "inet4", Raw: "inet4"},
			Values: "exact", names: []string{"inet4"}, to: always("inet"), literal: sameLiteral,
		},
		{
			Source: "inet6", Since: "MariaDB 10.5", Target: "inet", Example: schema.Type{Name: "inet6", Raw: "inet6"},
			Values: "exact", names: []string{"inet6"}, to: always("inet"), literal: sameLiteral,
		},
	}
}
