package diff

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/moodledb/moodledb/schema"
)

// sameDefault reports whether two defaults give the same value. Numbers are
// compared by value: MySQL pads them to the scale of their column.
func (d *differ) sameDefault(want, have schema.Default, number bool) bool {
	want, have = d.constant(want), d.constant(have)
	if want == have {
		return true
	}
	if want.Kind == schema.NoDefault || have.Kind == schema.NoDefault {
		return false
	}
	if number {
		w, ok1 := numberOf(want.Text)
		h, ok2 := numberOf(have.Text)
		if ok1 && ok2 {
			return w.Cmp(h) == 0
		}
	}
	return want.Kind == schema.ExpressionDefault && have.Kind == schema.ExpressionDefault && d.sameExpression(want.Text, have.Text)
}

// sameExpression compares expressions without what a server may add or leave out.
func (d *differ) sameExpression(want, have string) bool {
	mysql := d.have.Engine.IsMySQL()
	return parseExpression(want, mysql).spell(nil) == parseExpression(have, mysql).spell(nil)
}

// constant makes a literal of an expression that is no more than a constant
// with a cast, through which the dialect did not see.
func (d *differ) constant(v schema.Default) schema.Default {
	if v.Kind != schema.ExpressionDefault {
		return v
	}
	switch e := parseExpression(v.Text, d.have.Engine.IsMySQL()); {
	case len(e) != 1:
	case e[0].kind == tokenWord && e[0].text == "null":
		return schema.Default{}
	case e[0].kind == tokenString, e[0].kind == tokenNumber:
		return schema.Literal(e[0].text)
	}
	return v
}

// sameSortOfDefault reports whether columns of two families can have the same
// default. Texts of MySQL and MariaDB commonly have none.
func (d *differ) sameSortOfDefault(want, have family) bool {
	letters := func(f family) bool {
		return f == varchars || f == chars || f == texts && !d.have.Engine.IsMySQL()
	}
	return want.numeric() && have.numeric() || letters(want) && letters(have)
}

// numberOf reads a number, also one in parentheses or quotes. Those of an
// absurd exponent are none: their digits would not fit into memory.
func numberOf(s string) (*big.Rat, bool) {
	s = strings.Trim(strings.TrimSpace(s), "()'")
	if len(s) == 0 || len(s) > 100 || strings.ContainsAny(s, "/pPxX_") {
		return nil, false
	}
	if _, exponent, ok := strings.Cut(strings.ToLower(s), "e"); ok && len(exponent) > 4 {
		return nil, false
	}
	return new(big.Rat).SetString(s)
}

// compareDefaults reports a default that gives another value.
func (d *differ) compareDefaults(wantTable, t *schema.Table, want, have *schema.Column) {
	if d.sameDefault(want.Default, have.Default, d.ruleOf(want.Type).family.numeric()) {
		return
	}
	c := d.columnChange(t, want, have)
	c.Expected, c.Found = defaultText(want.Default), defaultText(have.Default)
	switch {
	case want.Default.Kind == schema.NoDefault:
		c.Code = ColumnDefaultExtra
		c.Message = fmt.Sprintf("there is the default %s, but none is declared", c.Found)
	case have.Default.Kind == schema.NoDefault:
		c.Code = ColumnDefaultMissing
		c.Message = fmt.Sprintf("the declared default %s is missing", c.Expected)
		if have.NotNull {
			c.Severity = Error
		}
	default:
		c.Code = ColumnDefault
		c.Message = fmt.Sprintf("the default is %s instead of %s", c.Found, c.Expected)
	}
	d.add(d.placed(c, wantTable))
}

// defaultText spells a default for people.
func defaultText(v schema.Default) string {
	switch v.Kind {
	case schema.NoDefault:
		return "none"
	case schema.LiteralDefault:
		return "'" + shorten(v.Text) + "'"
	case schema.ExpressionDefault:
		return shorten(v.Text)
	default:
		panic(fmt.Sprintf("diff: unknown kind of default %q", v.Kind))
	}
}
