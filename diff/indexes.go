package diff

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/moodledb/moodledb/schema"
)

// keysAndIndexes compares the primary key, the indexes, the constraints and the
// triggers of a table that is on both sides.
func (d *differ) keysAndIndexes(want, have *schema.Table) {
	if d.unread(have.Name) {
		return
	}
	m := d.newIndexMatch(want, have)
	m.exact()
	m.shrunk()
	m.primaryKey()
	m.near()
	m.missing()
	m.extra()
	d.constraints(want, have, m.names)
}

// indexMatch pairs the indexes of a table that is on both sides.
type indexMatch struct {
	d          *differ
	want, have *schema.Table
	names      *columnNames
	wants      []*expectedIndex
	haves      []*foundIndex
	// wantKey and haveKey are the primary keys; nil where there is none.
	wantKey, haveKey *indexView
}

// expectedIndex stands for all expected indexes of one definition. Of those a
// site has one or more: a key and an index on the same columns are two in a new
// installation, but an upgrade that finds the one does not add the other.
type expectedIndex struct {
	*indexView
	definition string
	names      []string
	// optional says that it is what remains of an index whose column is missing.
	// It may be there, or not: PostgreSQL drops such an index, MySQL shortens it.
	optional bool
	found    bool
}

// foundIndex is an index of the found table.
type foundIndex struct {
	*indexView
	definition string
	taken      bool
	// twin is set when there are more indexes of a definition than expected.
	twin *foundIndex
}

func (d *differ) newIndexMatch(want, have *schema.Table) *indexMatch {
	m := &indexMatch{d: d, want: want, have: have, names: d.columnNames(want, have)}
	for i := range want.Indexes {
		v := m.names.expected(&want.Indexes[i], want)
		switch parts := v.present(); {
		case v.x.Primary:
			m.wantKey = v
		case len(parts) == len(v.parts):
			m.expect(v, v.definition(), false)
		case len(parts) > 0:
			m.expect(v, v.definitionOf(parts), true)
		}
	}
	for i := range have.Indexes {
		v := m.names.actual(&have.Indexes[i])
		if v.x.Primary {
			m.haveKey = v
			continue
		}
		m.haves = append(m.haves, &foundIndex{indexView: v, definition: v.definition()})
	}
	slices.SortFunc(m.haves, func(a, b *foundIndex) int { return strings.Compare(a.x.Name, b.x.Name) })
	return m
}

// expect adds an expected index to those of its definition.
func (m *indexMatch) expect(v *indexView, definition string, optional bool) {
	for _, w := range m.wants {
		if w.definition != definition {
			continue
		}
		if w.optional && !optional {
			w.indexView = v
		}
		w.optional = w.optional && optional
		w.names = append(w.names, v.x.Name)
		return
	}
	m.wants = append(m.wants, &expectedIndex{indexView: v, definition: definition, names: []string{v.x.Name}, optional: optional})
}

// exact pairs indexes of the same definition.
func (m *indexMatch) exact() {
	for _, w := range m.wants {
		var good, hiddenOnes, brokenOnes []*foundIndex
		for _, h := range m.haves {
			switch {
			case h.definition != w.definition:
			case broken(w.indexView, h.indexView):
				brokenOnes = append(brokenOnes, h)
			case hidden(w.indexView, h.indexView):
				hiddenOnes = append(hiddenOnes, h)
			default:
				good = append(good, h)
			}
		}
		// Those of an expected name are the last to be called superfluous.
		unnamed := func(h *foundIndex) int {
			if slices.Contains(w.names, h.x.Name) {
				return 0
			}
			return 1
		}
		slices.SortStableFunc(good, func(a, b *foundIndex) int { return cmp.Compare(unnamed(a), unnamed(b)) })
		slices.SortStableFunc(hiddenOnes, func(a, b *foundIndex) int { return cmp.Compare(unnamed(a), unnamed(b)) })
		w.found = len(good)+len(hiddenOnes)+len(brokenOnes) > 0
		for i, h := range slices.Concat(good, hiddenOnes) {
			h.taken = i < len(w.names)
			switch {
			case !h.taken:
				h.twin = slices.Concat(good, hiddenOnes)[0]
			case i >= len(good):
				m.differs(w.indexView, h, difference{code: IndexInvisible, expected: "visible", found: "invisible"})
			}
		}
		for _, h := range brokenOnes {
			h.taken = true
			m.differs(w.indexView, h, difference{code: IndexInvalid, expected: "valid", found: "invalid"})
		}
	}
}

// shrunk pairs what remains of expected indexes whose columns are missing with
// indexes that have columns in their place which nobody expects: those of a
// column that was replaced by another one. The columns are reported, not these.
func (m *indexMatch) shrunk() {
	for i := range m.want.Indexes {
		v := m.names.expected(&m.want.Indexes[i], m.want)
		parts := v.present()
		if v.x.Primary || len(parts) == 0 || len(parts) == len(v.parts) {
			continue
		}
		for _, h := range m.haves {
			var declared []partView
			for _, p := range h.parts {
				if m.declaredPart(p) {
					declared = append(declared, p)
				}
			}
			if !h.taken && len(h.parts) == len(v.parts) && len(declared) == len(parts) &&
				h.definitionOf(declared) == v.definitionOf(parts) {
				h.taken = true
				break
			}
		}
	}
}

// declaredPart reports whether a part of a found index is on an expected column.
func (m *indexMatch) declaredPart(p partView) bool {
	return slices.ContainsFunc(p.columns, func(c string) bool { return m.names.declared[c] })
}

// near pairs what is left with what resembles it most, and reports the
// attributes in which they differ.
func (m *indexMatch) near() {
	type pair struct {
		w     *expectedIndex
		h     *foundIndex
		like  int
		diffs []difference
	}
	var pairs []pair
	for _, w := range m.wants {
		if w.found || w.optional {
			continue
		}
		for _, h := range m.haves {
			like, parts := likeness(w.indexView, h.indexView)
			// One too many of another definition is taken only if it is on the same columns.
			if h.taken || like == notAlike || h.twin != nil && like != sameOrder {
				continue
			}
			pairs = append(pairs, pair{w, h, like, differences(w.indexView, h.indexView, like, parts)})
		}
	}
	// Indexes and found ones are in order already, and the sort keeps it.
	slices.SortStableFunc(pairs, func(a, b pair) int {
		return cmp.Or(cmp.Compare(a.like, b.like), cmp.Compare(len(a.diffs), len(b.diffs)))
	})
	for _, p := range pairs {
		if p.w.found || p.h.taken {
			continue
		}
		p.w.found, p.h.taken = true, true
		for _, f := range p.diffs {
			m.differs(p.w.indexView, p.h, f)
		}
	}
}

// missing reports expected indexes for which nothing was found.
func (m *indexMatch) missing() {
	for _, w := range m.wants {
		if w.found || w.optional || m.served(w) {
			continue
		}
		c := Change{
			Code: IndexMissing, Expected: indexText(w.x), Found: "none", Want: w.x.Name, Object: w.x.Name, Columns: columnsOf(w.indexView),
		}
		switch {
		case w.unique:
			c.Severity = Error
		case w.pattern():
			c.Code = IndexPatternMissing
		}
		m.add(c, w.indexView)
	}
}

// served reports whether a unique index, or the primary key, on the same columns
// does all that the ordinary index w would do. An upgrade of Moodle does not add an index
// where it finds one on the columns.
func (m *indexMatch) served(w *expectedIndex) bool {
	columns, ok := w.plainColumns()
	return ok && !w.unique && m.uniqueOn(columns) != ""
}

// uniqueOn returns the name of an expected unique index, or of the primary key,
// that is there and has exactly the columns.
func (m *indexMatch) uniqueOn(columns []string) string {
	if m.wantKey != nil && m.haveKey != nil {
		if key, ok := m.haveKey.plainColumns(); ok && slices.Equal(key, columns) {
			return m.haveKey.x.Name
		}
	}
	for _, h := range m.haves {
		on, ok := h.plainColumns()
		works := h.taken && !h.x.Invisible && !h.x.Invalid
		if ok && works && h.unique && slices.Equal(on, columns) && slices.ContainsFunc(m.wants, func(w *expectedIndex) bool { return w.definition == h.definition }) {
			return h.x.Name
		}
	}
	return ""
}

// extra reports found indexes that nobody expects.
func (m *indexMatch) extra() {
	for _, h := range m.haves {
		switch {
		case h.taken:
		case h.twin != nil:
			m.duplicate(h, h.twin.x.Name)
		case h.x.Exclusion:
			m.add(m.unexpected(ExclusionExtra, h), nil)
		case !slices.ContainsFunc(h.parts, m.declaredPart), m.d.allowedIndex(m.have.Name, h.indexView), m.supportsForeignKey(h):
			// It belongs to a column or a foreign key that is reported, or is as it should be.
		default:
			if columns, ok := h.plainColumns(); ok {
				if same := m.uniqueOn(columns); same != "" && (!h.unique || m.haveKey != nil && same == m.haveKey.x.Name) {
					m.duplicate(h, same)
					continue
				}
			}
			c := m.unexpected(IndexExtra, h)
			if h.unique {
				c.Severity = Error
			}
			if h.x.Invalid {
				c.Found += ", invalid"
			}
			m.add(c, nil)
		}
	}
}

func (m *indexMatch) unexpected(code Code, h *foundIndex) Change {
	return Change{Code: code, Expected: "none", Found: indexText(h.x), Have: h.x.Name, Object: h.x.Name, Columns: columnsOf(h.indexView)}
}

// duplicate reports an index that does nothing which another one does not do.
func (m *indexMatch) duplicate(h *foundIndex, other string) {
	c := m.unexpected(IndexDuplicate, h)
	c.Expected = "only " + other
	m.add(c, nil)
}

// indexNumber is what MySQL appends to a name that it chooses and finds taken.
var indexNumber = regexp.MustCompile(`^_[0-9]+$`)

// supportsForeignKey reports whether MySQL or MariaDB made the index for a
// foreign key that is not expected. It has the key's columns, and the key's name or,
// where that was not given, the first column's.
func (m *indexMatch) supportsForeignKey(h *foundIndex) bool {
	if !m.names.mysql || h.unique {
		return false
	}
	columns, ok := h.plainColumns()
	if !ok || len(columns) == 0 {
		return false
	}
	for i := range m.have.ForeignKeys {
		fk := &m.have.ForeignKeys[i]
		if len(columns) != len(fk.Columns) {
			continue
		}
		on := slices.EqualFunc(columns, fk.Columns, func(a, b string) bool { return a == m.names.fold(b) })
		number, chosen := strings.CutPrefix(m.names.fold(h.x.Name), columns[0])
		if on && (strings.EqualFold(h.x.Name, fk.Name) || chosen && (number == "" || indexNumber.MatchString(number))) {
			return true
		}
	}
	return false
}

// differs reports one attribute in which a found index differs from the expected one.
func (m *indexMatch) differs(w *indexView, h *foundIndex, f difference) {
	c := Change{
		Code: f.code, Severity: f.severity, Expected: f.expected, Found: f.found, Want: w.x.Name, Have: h.x.Name,
		Object: h.x.Name, Columns: columnsOf(h.indexView),
	}
	if c.Expected == "" {
		c.Expected, c.Found = indexText(w.x), indexText(h.x)
	}
	m.add(c, w)
}

// add reports a change of the table; it is declared where w is, or else where the table is.
func (m *indexMatch) add(c Change, w *indexView) {
	c.Table, c.Origin = m.have.Name, m.want.Origin
	if w != nil && w.x.Origin.Declared() {
		c.Origin = w.x.Origin
	}
	m.d.add(c)
}

// columnsOf names the columns that an index is on, those in its expressions included.
func columnsOf(v *indexView) []string {
	var names []string
	for i, p := range v.x.Parts {
		if p.Column != "" {
			names = append(names, p.Column)
		} else {
			names = append(names, v.parts[i].columns...)
		}
	}
	return names
}
