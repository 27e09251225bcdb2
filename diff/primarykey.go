package diff

import "slices"

// primaryKey compares the primary keys. An index that stands in for the key
// belongs to what is said about the key.
func (m *indexMatch) primaryKey() {
	w, h := m.wantKey, m.haveKey
	switch {
	case w == nil && h == nil:
	case w == nil:
		m.primaryKeyExtra()
	case len(w.present()) < len(w.parts):
		// The missing column is reported.
	case h == nil:
		c := Change{Code: PrimaryKeyMissing, Expected: indexText(w.x), Found: "none", Want: w.x.Name, Object: w.x.Name, Columns: w.x.Columns()}
		if stand := m.standIn(); stand != nil {
			c.Found = "the index " + stand.x.Name + " " + indexText(stand.x)
		}
		m.add(c, w)
	default:
		like, parts := likeness(w, h)
		if like != sameOrder || !slices.EqualFunc(w.parts, h.parts, samePrefix) {
			c := Change{
				Code: PrimaryKeyDifferent, Expected: indexText(w.x), Found: indexText(h.x), Want: w.x.Name, Have: h.x.Name,
				Object: h.x.Name, Columns: h.x.Columns(),
			}
			if stand := m.standIn(); stand != nil {
				c.Found += ", and the index " + stand.x.Name + " " + indexText(stand.x)
			}
			m.add(c, w)
			return
		}
		found := &foundIndex{indexView: h}
		for _, f := range differences(w, h, like, parts) {
			m.differs(w, found, f)
		}
	}
}

// primaryKeyExtra reports a primary key where none is expected, unless it
// belongs to columns that nobody expects. An expected unique index on its
// columns is not missed.
func (m *indexMatch) primaryKeyExtra() {
	h := m.haveKey
	for _, w := range m.wants {
		if like, _ := likeness(w.indexView, h); w.unique && like == sameOrder {
			w.found = true
		}
	}
	if slices.ContainsFunc(h.parts, m.declaredPart) {
		m.add(Change{
			Code: PrimaryKeyExtra, Expected: "none", Found: indexText(h.x), Have: h.x.Name, Object: h.x.Name, Columns: h.x.Columns(),
		}, nil)
	}
}

// standIn takes an index on exactly the columns of the expected primary key,
// rather a unique one than another; nil when there is none to spare.
func (m *indexMatch) standIn() *foundIndex {
	for _, unique := range []bool{true, false} {
		for _, h := range m.haves {
			like, _ := likeness(m.wantKey, h.indexView)
			if !h.taken && h.unique == unique && h.method == "btree" && h.where == "" && like == sameOrder {
				h.taken = true
				return h
			}
		}
	}
	return nil
}

func samePrefix(p, q partView) bool { return p.prefix == q.prefix }
