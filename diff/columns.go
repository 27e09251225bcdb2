package diff

import (
	"fmt"
	"strings"

	"github.com/moodledb/moodledb/schema"
)

// columns compares the columns of a table that is on both sides. The order of
// columns is no difference.
func (d *differ) columns(want, have *schema.Table) {
	for i := range want.Columns {
		w := &want.Columns[i]
		name := w.Name
		if renamed := d.renamedColumn(want.Name, w.Name); renamed != "" {
			name = renamed
		}
		h := d.column(have, name)
		switch {
		case h == nil:
			d.columnMissing(want, have, w)
			continue
		case name != w.Name:
			c := d.columnChange(have, w, h)
			c.Code, c.Expected, c.Found = ColumnRenamed, w.Name, h.Name
			c.Message = fmt.Sprintf("the declared column %s is missing, but %s has its type and may be it", w.Name, h.Name)
			if strings.EqualFold(name, w.Name) {
				c.Message = fmt.Sprintf("the declared column %s is called %s", w.Name, h.Name)
			}
			d.add(d.placed(c, want))
		}
		d.compareColumn(want, have, w, h)
	}
	for _, h := range d.extraColumns(want, have) {
		d.columnExtra(want, have, h)
	}
}

// column finds a column by name: MySQL and MariaDB do not regard case.
func (d *differ) column(t *schema.Table, name string) *schema.Column {
	if d.have.Engine.IsMySQL() {
		return t.Column(name)
	}
	for i := range t.Columns {
		if t.Columns[i].Name == name {
			return &t.Columns[i]
		}
	}
	return nil
}

// extraColumns are the columns of have that want has not, under any name.
func (d *differ) extraColumns(want, have *schema.Table) []*schema.Column {
	taken := map[string]bool{}
	for _, as := range d.renamed[want.Name] {
		taken[as] = true
	}
	var extra []*schema.Column
	for i := range have.Columns {
		h := &have.Columns[i]
		if !taken[h.Name] && d.column(want, h.Name) == nil {
			extra = append(extra, h)
		}
	}
	return extra
}

// columnChange is a change of a column, not yet saying which.
func (d *differ) columnChange(t *schema.Table, want, have *schema.Column) Change {
	c := Change{Table: t.Name}
	if want != nil {
		c.Object, c.Want, c.Origin = want.Name, want.Name, want.Origin
	}
	if have != nil {
		c.Object, c.Have = have.Name, have.Name
	}
	return c
}

// placed gives a change the origin of the table where it has none of its own.
func (d *differ) placed(c Change, want *schema.Table) Change {
	if !c.Origin.Declared() {
		c.Origin = want.Origin
	}
	return c
}

func (d *differ) columnMissing(want, have *schema.Table, w *schema.Column) {
	c := d.columnChange(have, w, nil)
	c.Code, c.Expected, c.Found = ColumnMissing, columnText(w), "none"
	d.add(d.placed(c, want))
}

func (d *differ) columnExtra(want, have *schema.Table, h *schema.Column) {
	if d.allowedColumn(d.short(want.Name), h.Name) || keepsHistory(have, h) {
		return
	}
	c := d.columnChange(have, nil, h)
	c.Code, c.Expected, c.Found = ColumnExtra, "none", columnText(h)
	// MariaDB's JSON is a LONGTEXT to whoever reads it.
	unknown := d.ruleOf(h.Type).family == others && !(d.have.Engine == schema.MariaDB && h.Type.Name == "json")
	switch {
	case h.NotNull && h.Default.Kind == schema.NoDefault && !h.AutoIncrement && h.Generated == schema.NotGenerated:
		c.Severity = Error
		c.Message = "the column is not declared, and inserts fail without a value for it"
	case unknown && d.have.Engine.IsMySQL():
		c.Severity = Error
		c.Message = "the column is not declared, and Moodle cannot read tables with a column of its type"
	}
	d.add(d.placed(c, want))
}

// keepsHistory reports whether a column is one of the two that a system-versioned
// table of MariaDB may show; the history is reported.
func keepsHistory(t *schema.Table, c *schema.Column) bool {
	return t.SystemVersioned && (c.Expression == "ROW START" || c.Expression == "ROW END")
}

// columnText spells a column for people.
func columnText(c *schema.Column) string {
	text := typeText(c.Type)
	if c.NotNull {
		text += " NOT NULL"
	}
	if c.Default.Kind != schema.NoDefault {
		text += " DEFAULT " + defaultText(c.Default)
	}
	return text
}

// compareColumn compares a column that is on both sides. What follows from
// another difference is not reported besides: a generated column has no default, a text
// of MySQL has none either, and so on.
func (d *differ) compareColumn(want, have *schema.Table, w, h *schema.Column) {
	report := func(c Change) { d.add(d.placed(c, want)) }
	for _, m := range d.compareTypes(w.Type, h.Type) {
		c := d.columnChange(have, w, h)
		c.Code, c.Severity, c.Message = m.code, m.severity, m.message
		c.Expected, c.Found = typeText(w.Type), typeText(h.Type)
		report(c)
	}
	wf, hf := d.ruleOf(w.Type).family, d.ruleOf(h.Type).family
	other := wf != hf && !(wf == varchars && hf == chars)
	if w.Generated != schema.NotGenerated || h.Generated != schema.NotGenerated {
		if w.Generated == h.Generated && d.sameExpression(w.Expression, h.Expression) {
			return
		}
		c := d.columnChange(have, w, h)
		c.Code, c.Expected, c.Found = ColumnGenerated, generatedText(w), generatedText(h)
		if w.Generated != schema.NotGenerated {
			c.Message = fmt.Sprintf("the column is %s instead of %s", c.Found, c.Expected)
		}
		report(c)
		return
	}
	d.compareNull(want, have, w, h)
	// Of a time where none is declared, and of what comes with it, the type is what differs.
	if w.OnUpdate != h.OnUpdate && wf == hf {
		c := d.columnChange(have, w, h)
		c.Code, c.Expected, c.Found = ColumnOnUpdate, noneOr(w.OnUpdate), noneOr(h.OnUpdate)
		report(c)
	}
	if h.Invisible != w.Invisible {
		c := d.columnChange(have, w, h)
		c.Code, c.Expected, c.Found = ColumnInvisible, yesNo(w.Invisible, "invisible"), yesNo(h.Invisible, "invisible")
		if w.Invisible {
			c.Message = "the column is visible, unlike the expected one"
		}
		report(c)
	}
	switch {
	case d.counterOf(d.want, want, w).counts || d.counterOf(d.have, have, h).counts:
		d.compareAutoIncrement(want, have, w, h)
	case !other, d.sameSortOfDefault(wf, hf):
		d.compareDefaults(want, have, w, h)
	}
}

// compareNull reports a column that allows NULL where it should not, or the
// other way round. A primary key that is missing or has other columns explains it.
func (d *differ) compareNull(want, have *schema.Table, w, h *schema.Column) {
	if w.NotNull == h.NotNull || !w.NotNull && d.forcedNotNull(have, w, h) {
		return
	}
	c := d.columnChange(have, w, h)
	c.Code, c.Expected, c.Found = ColumnNullable, "NOT NULL", "NULL"
	if h.NotNull {
		c.Code, c.Expected, c.Found = ColumnNotNull, "NULL", "NOT NULL"
	}
	d.add(d.placed(c, want))
}

// forcedNotNull reports whether something else that is reported makes the server refuse NULL.
func (d *differ) forcedNotNull(have *schema.Table, w, h *schema.Column) bool {
	mysql := d.have.Engine.IsMySQL()
	switch {
	case inPrimaryKey(have, h.Name):
		return true
	case h.AutoIncrement && !w.AutoIncrement:
		return mysql || h.Identity != ""
	}
	// Servers with explicit_defaults_for_timestamp off give a TIMESTAMP a default, and refuse NULL.
	return mysql && h.Type.Name == "timestamp" && w.Type.Name != "timestamp" && h.Default.Kind != schema.NoDefault
}

func inPrimaryKey(t *schema.Table, column string) bool {
	key := t.PrimaryKey()
	if key == nil {
		return false
	}
	for _, p := range key.Parts {
		if p.Column == column {
			return true
		}
	}
	return false
}

func generatedText(c *schema.Column) string {
	if c.Generated == schema.NotGenerated {
		return "a plain column"
	}
	return fmt.Sprintf("generated (%s) as %s", c.Generated, shorten(c.Expression))
}

func noneOr(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
