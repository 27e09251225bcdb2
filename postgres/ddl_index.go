package postgres

import (
	"fmt"
	"strings"

	"github.com/moodledb/moodledb/schema"
)

// AddPrimaryKey adds the primary key x as a constraint of x's name.
func AddPrimaryKey(schemaName, table string, x schema.Index) string {
	return addKey(schemaName, table, x, "PRIMARY KEY")
}

// KeyByIndex splits the making of a primary key or unique constraint in two: the
// index, which can be built while others of the table are, and the statement that makes the
// constraint of it, which takes no time. The result is the same. It is false
// for an index that belongs to no constraint.
func KeyByIndex(schemaName, table string, x schema.Index) (index, attach string, ok bool) {
	kind := "UNIQUE"
	switch {
	case x.Primary:
		kind = "PRIMARY KEY"
	case !x.Constraint:
		return "", "", false
	}
	plain := x
	plain.Primary, plain.Constraint, plain.Unique = false, false, true
	return CreateIndex(schemaName, table, plain),
		fmt.Sprintf("ALTER TABLE %s ADD CONSTRAINT %s %s USING INDEX %s", qualify(schemaName, table), QuoteIdent(x.Name), kind, QuoteIdent(x.Name)), true
}

// CreateIndex makes an index of its parts. An index that belongs to a
// constraint (Primary or Constraint set) is made as that constraint.
func CreateIndex(schemaName, table string, x schema.Index) string {
	switch {
	case x.Primary:
		return AddPrimaryKey(schemaName, table, x)
	case x.Constraint:
		return addKey(schemaName, table, x, "UNIQUE")
	}
	kind := "INDEX"
	if x.Unique {
		kind = "UNIQUE INDEX"
	}
	method := x.Method
	if method == "" {
		method = "btree"
	}
	parts := make([]string, len(x.Parts))
	for i, p := range x.Parts {
		parts[i] = indexPartSQL(p)
	}
	s := fmt.Sprintf("CREATE %s %s ON %s USING %s (%s)",
		kind, QuoteIdent(x.Name), qualify(schemaName, table), method, strings.Join(parts, ", "))
	if len(x.Include) > 0 {
		s += " INCLUDE (" + quoteIdents(x.Include) + ")"
	}
	if x.NullsNotDistinct {
		s += " NULLS NOT DISTINCT"
	}
	if x.Where != "" {
		s += " WHERE " + x.Where
	}
	return s
}

func addKey(schemaName, table string, x schema.Index, kind string) string {
	if x.NullsNotDistinct {
		kind += " NULLS NOT DISTINCT"
	}
	s := fmt.Sprintf("ALTER TABLE %s ADD CONSTRAINT %s %s (%s)",
		qualify(schemaName, table), QuoteIdent(x.Name), kind, quoteIdents(x.Columns()))
	if len(x.Include) > 0 {
		s += " INCLUDE (" + quoteIdents(x.Include) + ")"
	}
	return s
}

// indexPartSQL spells one element of an index.
func indexPartSQL(p schema.IndexPart) string {
	s := QuoteIdent(p.Column)
	if p.Column == "" {
		s = "(" + p.Expression + ")"
	}
	if p.Collation != "" {
		s += " COLLATE " + quoteMaybeQualified("", p.Collation)
	}
	if p.OpClass != "" {
		s += " " + quoteMaybeQualified("", p.OpClass)
	}
	if p.Descending {
		s += " DESC"
	}
	// Nulls come first by default exactly when the order is descending.
	switch {
	case p.NullsFirst && !p.Descending:
		s += " NULLS FIRST"
	case !p.NullsFirst && p.Descending:
		s += " NULLS LAST"
	}
	return s
}

// AddForeignKey adds a foreign key.
func AddForeignKey(schemaName, table string, fk schema.ForeignKey) string {
	s := fmt.Sprintf("ALTER TABLE %s ADD CONSTRAINT %s FOREIGN KEY (%s) REFERENCES %s (%s)",
		qualify(schemaName, table), QuoteIdent(fk.Name), quoteIdents(fk.Columns),
		quoteMaybeQualified(schemaName, fk.RefTable), quoteIdents(fk.RefColumns))
	if a := actionSQL(fk.OnUpdate); a != "" {
		s += " ON UPDATE " + a
	}
	if a := actionSQL(fk.OnDelete); a != "" {
		s += " ON DELETE " + a
	}
	return s
}

// actionSQL spells the action of a foreign key; NO ACTION is the default and goes unsaid.
func actionSQL(action string) string {
	if action == "" || action == "no action" {
		return ""
	}
	return strings.ToUpper(action)
}

// AddCheck adds a CHECK constraint.
func AddCheck(schemaName, table string, c schema.Check) string {
	notEnforced := ""
	if c.NotEnforced {
		notEnforced = " NOT ENFORCED"
	}
	return fmt.Sprintf("ALTER TABLE %s ADD CONSTRAINT %s CHECK (%s)%s",
		qualify(schemaName, table), QuoteIdent(c.Name), stripParens(c.Expression), notEnforced)
}

// stripParens takes off the parentheses that enclose the whole expression.
func stripParens(expr string) string {
	for {
		expr = strings.TrimSpace(expr)
		if !strings.HasPrefix(expr, "(") || closingParen(expr) != len(expr)-1 {
			return expr
		}
		expr = expr[1 : len(expr)-1]
	}
}

// closingParen returns where the parenthesis that opens expr is closed, or -1.
// Quoted text and quoted names are skipped.
func closingParen(expr string) int {
	depth := 0
	var quote byte
	for i := 0; i < len(expr); i++ {
		c := expr[i]
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '(':
			depth++
		case c == ')':
			depth--
			if depth == 0 {
				return i
			}
		}
	}
	return -1
}
