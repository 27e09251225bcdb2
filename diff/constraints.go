package diff

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/moodledb/moodledb/schema"
)

// constraints compares foreign keys, checks and triggers of a table on both sides.
func (d *differ) constraints(want, have *schema.Table, names *columnNames) {
	m := constraintMatch{d: d, want: want, have: have, names: names}
	m.foreignKeys()
	m.checks()
	m.triggers()
}

// constraintMatch pairs the constraints of a table that is on both sides.
type constraintMatch struct {
	d          *differ
	want, have *schema.Table
	names      *columnNames
}

// add reports a change of the table; it is declared at origin, or else where the table is.
func (m *constraintMatch) add(c Change, origin schema.Origin) {
	c.Table, c.Origin = m.have.Name, m.want.Origin
	if origin.Declared() {
		c.Origin = origin
	}
	m.d.add(c)
}

// foreignKeyView is a foreign key as it is compared.
type foreignKeyView struct {
	fk *schema.ForeignKey
	// columns are the referring columns, references the table and columns that they refer to, in the same order.
	columns, references string
	actions             string
	// missing says that the found schema lacks a column or the table that it needs.
	missing bool
	taken   bool
}

// foreignKeys pairs foreign keys: those that are the same, then those of the
// same columns and references, then those of the same columns.
func (m *constraintMatch) foreignKeys() {
	wants, haves := m.expectedForeignKeys(), m.foundForeignKeys()
	for _, same := range []func(w, h *foreignKeyView) bool{
		func(w, h *foreignKeyView) bool {
			return w.columns == h.columns && w.references == h.references && w.actions == h.actions
		},
		func(w, h *foreignKeyView) bool { return w.columns == h.columns && w.references == h.references },
		func(w, h *foreignKeyView) bool { return w.columns == h.columns },
	} {
		for _, w := range wants {
			i := slices.IndexFunc(haves, func(h *foreignKeyView) bool { return !h.taken && same(w, h) })
			if w.taken || i < 0 {
				continue
			}
			h := haves[i]
			w.taken, h.taken = true, true
			if w.references != h.references || w.actions != h.actions {
				c := foreignKeyChange(ForeignKeyDifferent, h.fk)
				c.Expected, c.Found, c.Want, c.Have = foreignKeyText(w.fk), foreignKeyText(h.fk), w.fk.Name, h.fk.Name
				m.add(c, w.fk.Origin)
			}
		}
	}
	for _, w := range wants {
		if !w.taken && !w.missing {
			c := foreignKeyChange(ForeignKeyMissing, w.fk)
			c.Expected, c.Found, c.Want = foreignKeyText(w.fk), "none", w.fk.Name
			m.add(c, w.fk.Origin)
		}
	}
	for _, h := range haves {
		if h.taken {
			continue
		}
		c := foreignKeyChange(ForeignKeyExtra, h.fk)
		c.Expected, c.Found, c.Have = "none", foreignKeyText(h.fk), h.fk.Name
		m.add(c, schema.Origin{})
	}
}

func foreignKeyChange(code Code, fk *schema.ForeignKey) Change {
	return Change{Code: code, Object: fk.Name, Columns: fk.Columns}
}

// expectedForeignKeys views the expected foreign keys, each definition once.
func (m *constraintMatch) expectedForeignKeys() []*foreignKeyView {
	var views []*foreignKeyView
	for i := range m.want.ForeignKeys {
		fk := &m.want.ForeignKeys[i]
		v := m.foreignKey(fk, m.names.translate, func(c string) string {
			if renamed := m.d.renamedColumn(fk.RefTable, c); renamed != "" {
				c = renamed
			}
			return m.names.fold(c)
		})
		v.missing = slices.ContainsFunc(fk.Columns, m.names.missing) || m.referenceMissing(fk)
		if !slices.ContainsFunc(views, func(o *foreignKeyView) bool {
			return o.columns == v.columns && o.references == v.references && o.actions == v.actions
		}) {
			views = append(views, v)
		}
	}
	return views
}

// referenceMissing reports whether the found schema lacks what the expected
// foreign key refers to, which is reported there.
func (m *constraintMatch) referenceMissing(fk *schema.ForeignKey) bool {
	if m.d.unread(fk.RefTable) || m.d.want.Table(fk.RefTable) == nil {
		return m.d.unread(fk.RefTable)
	}
	t := m.d.have.Table(fk.RefTable)
	return t == nil || slices.ContainsFunc(fk.RefColumns, func(c string) bool {
		return t.Column(c) == nil && m.d.renamedColumn(fk.RefTable, c) == ""
	})
}

func (m *constraintMatch) foundForeignKeys() []*foreignKeyView {
	views := make([]*foreignKeyView, len(m.have.ForeignKeys))
	for i := range m.have.ForeignKeys {
		views[i] = m.foreignKey(&m.have.ForeignKeys[i], m.names.fold, m.names.fold)
	}
	slices.SortStableFunc(views, func(a, b *foreignKeyView) int { return strings.Compare(a.fk.Name, b.fk.Name) })
	return views
}

// foreignKey views a foreign key; the functions give the names of its columns
// and of those that it refers to. Pairs of columns have no order.
func (m *constraintMatch) foreignKey(fk *schema.ForeignKey, column, reference func(string) string) *foreignKeyView {
	pairs := make([][2]string, len(fk.Columns))
	for i, c := range fk.Columns {
		pairs[i][0] = column(c)
		if i < len(fk.RefColumns) {
			pairs[i][1] = reference(fk.RefColumns[i])
		}
	}
	slices.SortFunc(pairs, func(a, b [2]string) int { return cmp.Or(strings.Compare(a[0], b[0]), strings.Compare(a[1], b[1])) })
	var columns, references []string
	for _, p := range pairs {
		columns, references = append(columns, p[0]), append(references, p[1])
	}
	return &foreignKeyView{
		fk: fk, columns: strings.Join(columns, ","),
		references: m.names.fold(fk.RefTable) + "(" + strings.Join(references, ",") + ")",
		actions:    action(fk.OnDelete) + "," + action(fk.OnUpdate),
	}
}

// action gives one name to the actions that do the same. NO ACTION waits until
// the end of the statement on PostgreSQL, which makes no difference to Moodle.
func action(name string) string {
	if name == "" || name == "no action" {
		return "restrict"
	}
	return name
}

func foreignKeyText(fk *schema.ForeignKey) string {
	text := fmt.Sprintf("(%s) to %s (%s)", strings.Join(fk.Columns, ", "), fk.RefTable, strings.Join(fk.RefColumns, ", "))
	if a := action(fk.OnDelete); a != "restrict" {
		text += ", on delete " + a
	}
	if a := action(fk.OnUpdate); a != "restrict" {
		text += ", on update " + a
	}
	return text
}

// checkView is a CHECK as it is compared.
type checkView struct {
	check *schema.Check
	// text is the whole expression, columns those that it mentions.
	text    string
	columns []string
	// values are those that its only column may have; listed says that it says nothing else.
	values map[string]bool
	listed bool
	taken  bool
	// missing says that the found table lacks a column that it mentions.
	missing bool
}

// checks pairs the CHECK constraints: those that are the same, or list the same values, then
// those of the same columns.
func (m *constraintMatch) checks() {
	wants, haves := m.expectedChecks(), m.foundChecks()
	for _, same := range []func(w, h *checkView) bool{
		func(w, h *checkView) bool { return w.allowsSame(h) && w.check.NotEnforced == h.check.NotEnforced },
		func(w, h *checkView) bool { return w.allowsSame(h) },
		func(w, h *checkView) bool { return len(w.columns) > 0 && slices.Equal(w.columns, h.columns) },
	} {
		for _, w := range wants {
			i := slices.IndexFunc(haves, func(h *checkView) bool { return !h.taken && same(w, h) })
			if w.taken || i < 0 {
				continue
			}
			h := haves[i]
			w.taken, h.taken = true, true
			if w.allowsSame(h) && w.check.NotEnforced == h.check.NotEnforced {
				continue
			}
			m.add(Change{
				Code: CheckDifferent, Object: h.check.Name, Columns: h.columns, Want: w.check.Name, Have: h.check.Name,
				Expected: checkText(w.check), Found: checkText(h.check),
			}, w.check.Origin)
		}
	}
	for _, w := range wants {
		if !w.taken && !w.missing && m.keepsChecks() {
			m.add(Change{
				Code: CheckMissing, Object: w.check.Name, Columns: w.columns, Want: w.check.Name,
				Expected: checkText(w.check), Found: "none",
			}, w.check.Origin)
		}
	}
	for _, h := range haves {
		if h.taken || m.belongsToColumn(h) {
			continue
		}
		m.add(Change{
			Code: CheckExtra, Object: h.check.Name, Columns: h.columns, Have: h.check.Name, Expected: "none", Found: checkText(h.check),
		}, schema.Origin{})
	}
}

// allowsSame reports whether two checks allow the same.
func (w *checkView) allowsSame(h *checkView) bool {
	if w.text == h.text {
		return true
	}
	if !w.listed || !h.listed || !slices.Equal(w.columns, h.columns) || len(w.values) != len(h.values) {
		return false
	}
	for v := range w.values {
		if !h.values[v] {
			return false
		}
	}
	return true
}

func (m *constraintMatch) expectedChecks() []*checkView {
	views := make([]*checkView, len(m.want.Checks))
	for i := range m.want.Checks {
		e := parseExpression(m.want.Checks[i].Expression, m.names.mysql)
		v := m.check(&m.want.Checks[i], e, m.names.translate, m.names.expectedName)
		v.missing = slices.ContainsFunc(e, func(t token) bool { return t.isName() && m.names.missing(t.text) })
		views[i] = v
	}
	return views
}

func (m *constraintMatch) foundChecks() []*checkView {
	views := make([]*checkView, len(m.have.Checks))
	for i := range m.have.Checks {
		e := parseExpression(m.have.Checks[i].Expression, m.names.mysql)
		views[i] = m.check(&m.have.Checks[i], e, m.names.fold, m.names.foundName)
	}
	slices.SortStableFunc(views, func(a, b *checkView) int { return strings.Compare(a.check.Name, b.check.Name) })
	return views
}

// check views a check; the functions give the names of columns in it.
func (m *constraintMatch) check(
	check *schema.Check, e expression, name func(string) string, known func(string) (string, bool),
) *checkView {
	v := &checkView{check: check, text: e.spell(name), columns: e.names(known)}
	slices.Sort(v.columns)
	if len(v.columns) == 1 {
		v.values, v.listed = e.valueList(func(s string) bool {
			column, ok := known(s)
			return ok && column == v.columns[0]
		})
	}
	return v
}

func checkText(c *schema.Check) string {
	if c.NotEnforced {
		return c.Expression + ", not enforced"
	}
	return c.Expression
}

// keepsChecks reports whether the server keeps CHECK constraints at all. MySQL before
// 8.0.16 and MariaDB before 10.2.1 read them and forget them.
func (m *constraintMatch) keepsChecks() bool {
	switch m.d.have.Engine {
	case schema.MySQL:
		return !olderThan(m.d.have.Version, 8, 0, 16)
	case schema.MariaDB:
		return !olderThan(m.d.have.Version, 10, 2, 1)
	default:
		return true
	}
}

// olderThan compares the version that a server prints. What cannot be read is not older.
func olderThan(version string, limit ...int) bool {
	var major, minor, patch int
	if n, _ := fmt.Sscanf(version, "%d.%d.%d", &major, &minor, &patch); n < 2 {
		return false
	}
	return slices.Compare([]int{major, minor, patch}, limit) < 0
}

// belongsToColumn reports whether a check says something about columns of which
// something is said already: none of them is expected, or the check is the one of MariaDB's JSON.
func (m *constraintMatch) belongsToColumn(h *checkView) bool {
	if len(h.columns) == 0 {
		return false
	}
	if len(h.columns) == 1 && h.text == "json_valid "+h.columns[0] {
		return m.names.columns[h.columns[0]].Type.Name == "json"
	}
	return !slices.ContainsFunc(h.columns, func(c string) bool { return m.names.declared[c] })
}

// triggers reports triggers and rules that are not expected.
func (m *constraintMatch) triggers() {
	for i := range m.have.Triggers {
		t := &m.have.Triggers[i]
		if slices.ContainsFunc(m.want.Triggers, func(w schema.Trigger) bool { return w.Name == t.Name && w.Event == t.Event }) {
			continue
		}
		found := t.Event
		if t.Rule {
			found = "a rule " + t.Event
		}
		m.add(Change{Code: TriggerExtra, Object: t.Name, Expected: "none", Found: strings.TrimSpace(found), Have: t.Name}, schema.Origin{})
	}
}
