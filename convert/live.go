package convert

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/xmldb"
)

// LiveOptions say where a converted table will live.
type LiveOptions struct {
	// Prefix is that of the site's tables; it begins the names that are made up.
	Prefix string
	// Taken reports names of the target's schema that are taken already; nil for none.
	Taken func(name string) bool
}

// Live converts a live table of MySQL or MariaDB that no install.xml declares
// to PostgreSQL, by [Rules]. Names of the table and its columns stay exactly as
// they are. An index keeps its name where it is free in the whole schema, and
// gets one like Moodle's otherwise, as does the primary key, which has none.
//
// A column whose type is unknown is left out, with a finding of severity
// [Error]. Foreign keys are taken as they are; [Target] knows which of them have
// something to refer to. The result is incomplete when [HasErrors] of the findings.
func Live(t schema.Table, opts LiveOptions) (schema.Table, []Finding) {
	c := newConverter(opts.Prefix, newNamespace(opts.Taken))
	c.reserveTable(t.Name)
	out := c.table(&t)
	c.sequences(&out)
	c.indexes(&t, &out, nil)
	out.ForeignKeys = append(out.ForeignKeys, t.ForeignKeys...)
	sortObjects(&out)
	return out, c.findings
}

// LiveColumn converts one column by [Rules]. The column is empty when its type is unknown.
func LiveColumn(column schema.Column) (schema.Column, []Finding) {
	c := newConverter("", newNamespace(nil))
	out, _ := c.column(&schema.Table{}, &column)
	return out, c.findings
}

// converter converts what is not declared, and keeps the names of one schema.
type converter struct {
	prefix   string
	names    *namespace
	namer    *xmldb.Namer
	findings []Finding
}

func newConverter(prefix string, names *namespace) *converter {
	inUse := func(name, _, _ string) bool { return names.has(name) }
	return &converter{prefix: prefix, names: names, namer: xmldb.NewNamer(prefix, xmldb.Moodle, inUse)}
}

// find records a finding.
func (c *converter) find(f Finding) { c.findings = append(c.findings, f) }

// reserveTable takes the name of a table, which is never changed.
func (c *converter) reserveTable(name string) {
	c.names.take(name)
	switch {
	case len(name) > maxIdentifier:
		c.find(Finding{
			Code: CodeNameTooLong, Severity: Error, Table: name,
			Message: fmt.Sprintf("the name of table %q has %d bytes, PostgreSQL allows %d", name, len(name), maxIdentifier),
			Hint:    "rename the table at the source, or exclude it",
		})
	case !utf8.ValidString(name):
		c.find(Finding{
			Code: CodeNameBroken, Severity: Error, Table: name,
			Message: fmt.Sprintf("the name of table %q is not valid UTF-8", name),
			Hint:    "rename the table at the source, or exclude it",
		})
	}
}

// table converts a table but for its sequences, indexes and foreign keys.
func (c *converter) table(t *schema.Table) schema.Table {
	out := schema.Table{Name: t.Name, Comment: t.Comment, Rows: -1, Bytes: -1}
	for i := range t.Columns {
		if column, ok := c.addColumn(t, &t.Columns[i], &out); ok {
			out.Columns = append(out.Columns, column)
		}
	}
	switch n := len(t.Columns); {
	case n > maxColumns:
		c.find(Finding{
			Code: CodeTooManyColumns, Severity: Error, Table: t.Name,
			Message: fmt.Sprintf("table %q has %d columns, PostgreSQL allows %d", t.Name, n, maxColumns),
			Hint:    "exclude the table",
		})
	case n == 0:
		c.find(Finding{
			Code: CodeNoColumns, Severity: Error, Table: t.Name,
			Message: fmt.Sprintf("table %q has no column that can be read", t.Name),
			Hint:    "check that the source's user may read the table, or exclude it",
		})
	}
	if t.SystemVersioned {
		c.find(Finding{
			Code: CodeHistory, Severity: Warning, Table: t.Name,
			Message: fmt.Sprintf("table %q keeps the history of its rows (SYSTEM VERSIONING); only the rows of now are copied", t.Name),
		})
	}
	if t.Partitioned {
		c.find(Finding{
			Code: CodePartitioned, Severity: Warning, Table: t.Name,
			Message: fmt.Sprintf("table %q is partitioned at the source and becomes one plain table", t.Name),
		})
	}
	c.dropChecks(t, nil)
	return out
}

// addColumn converts a column and adds its check, if any, to out.
func (c *converter) addColumn(t *schema.Table, in *schema.Column, out *schema.Table) (schema.Column, bool) {
	column, ok := c.column(t, in)
	if ok && in.Type.Name == "enum" {
		out.Checks = append(out.Checks, enumCheck(t.Name, in))
	}
	return column, ok
}

// column converts one column; false when its type is unknown.
func (c *converter) column(t *schema.Table, in *schema.Column) (schema.Column, bool) {
	at := func(code string, severity Severity, hint, format string, args ...any) {
		c.find(Finding{
			Code: code, Severity: severity, Table: t.Name, Column: in.Name,
			Message: fmt.Sprintf("column %q ", in.Name) + fmt.Sprintf(format, args...), Hint: hint,
		})
	}
	rule, ok := ruleFor(in)
	if !ok {
		at(CodeUnknownType, Error, "change the type at the source, or exclude the table",
			"has the type %s, for which there is no rule", typeText(in.Type))
		return schema.Column{}, false
	}
	if len(in.Name) > maxIdentifier {
		at(CodeNameTooLong, Error, "rename the column at the source, or exclude the table",
			"has a name of %d bytes, PostgreSQL allows %d", len(in.Name), maxIdentifier)
	}
	out := schema.Column{
		Name: in.Name, Type: rule.to(in.Type), NotNull: in.NotNull, AutoIncrement: in.AutoIncrement, Comment: in.Comment,
	}
	if in.Generated != schema.NotGenerated {
		// The application never writes the column, so it must be allowed to stay empty.
		out.NotNull = false
		at(CodeGeneratedColumn, Warning, "write the expression anew for PostgreSQL if the site needs it",
			"is computed as %s; its values are copied, later rows will have none", in.Expression)
	} else if out.Default, ok = rule.defaultOf(in, out.Type); !ok {
		at(CodeDefaultDropped, Warning, "set a default on PostgreSQL if the site needs it",
			"has the default %s, for which PostgreSQL has no equal; it is dropped", in.Default.Text)
		out.Default = schema.Default{}
	}
	if in.AutoIncrement {
		out.NotNull = true
		out.Default = schema.Default{}
	}
	for _, lost := range lostAttributes(in) {
		at(lost.Code, lost.Severity, lost.Hint, "%s", lost.Message)
	}
	return out, true
}

// lostAttributes are findings, without their place, about what a column loses.
func lostAttributes(in *schema.Column) []Finding {
	var lost []Finding
	if in.OnUpdate != "" {
		lost = append(lost, Finding{
			Code: CodeOnUpdateDropped, Severity: Warning, Hint: "make a trigger on PostgreSQL if the site needs it",
			Message: "is set to " + in.OnUpdate + " by every UPDATE; PostgreSQL has no such clause",
		})
	}
	switch {
	case in.Type.Zerofill:
		lost = append(lost, Finding{
			Code: CodeZerofill, Severity: Info,
			Message: "is printed with zeros before it (ZEROFILL); its numbers are the same without",
		})
	case in.Type.Unsigned && !in.AutoIncrement:
		lost = append(lost, Finding{
			Code: CodeUnsigned, Severity: Info,
			Message: "is unsigned; PostgreSQL will not refuse a negative number",
		})
	}
	if in.Type.Name == "set" {
		lost = append(lost, Finding{
			Code: CodeSetMembers, Severity: Info, Message: "is a set; PostgreSQL will not refuse what is no member",
		})
	}
	if in.Invisible {
		lost = append(lost, Finding{
			Code: CodeInvisibleColumn, Severity: Info, Message: "is invisible to SELECT *; on PostgreSQL it is an ordinary column",
		})
	}
	return lost
}

// enumCheck keeps a column to the members of its enum. NULL passes a CHECK.
func enumCheck(table string, in *schema.Column) schema.Check {
	values := make([]string, 0, len(in.Type.Values)+1)
	empty := false
	for _, v := range in.Type.Values {
		values = append(values, quoteLiteral(v))
		empty = empty || v == ""
	}
	if !empty {
		values = append(values, "''")
	}
	return schema.Check{
		Name:       objectName(table, in.Name, "check"),
		Expression: fmt.Sprintf("%s IN (%s)", quoteIdent(in.Name), strings.Join(values, ", ")),
	}
}

// jsonCheck matches the check by which MariaDB makes a JSON column of a longtext.
var jsonCheck = regexp.MustCompile("(?i)^json_valid\\s*\\(`?[^`()]+`?\\)$")

// dropChecks tells of the checks of a source table: their expressions are
// MySQL's. Checks that keep names are declared, and made anew.
func (c *converter) dropChecks(t *schema.Table, keep map[string]bool) {
	for _, x := range t.Checks {
		if keep[x.Name] || x.NotEnforced {
			continue
		}
		f := Finding{
			Code: CodeCheckDropped, Severity: Warning, Table: t.Name, Constraint: x.Name,
			Message: fmt.Sprintf("check %q is not carried over: %s", x.Name, x.Expression),
			Hint:    "write the check anew for PostgreSQL if the site needs it",
		}
		if jsonCheck.MatchString(strings.TrimSpace(x.Expression)) {
			f.Severity, f.Hint = Info, ""
			f.Message = fmt.Sprintf("check %q, which makes a JSON column of a longtext, is not carried over; the text is", x.Name)
		}
		c.find(f)
	}
}

// sequences names the sequences of the serial columns of out.
func (c *converter) sequences(out *schema.Table) {
	for i := range out.Columns {
		if column := &out.Columns[i]; column.AutoIncrement && column.Sequence == "" {
			column.Sequence = c.names.object(out.Name, column.Name, "seq")
			column.SequenceOwned = true
		}
	}
}
