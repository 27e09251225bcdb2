package diff

import (
	"strings"

	"github.com/moodledb/moodledb/schema"
)

// findRenamed pairs expected columns that are missing with columns that nobody
// expects, where they are most likely the same ones: only the case of the name
// differs (PostgreSQL), or they are the only ones of their kind in the same place.
func (d *differ) findRenamed(want, have *schema.Table) {
	extra := d.extraColumns(want, have)
	if len(extra) == 0 {
		return
	}
	pairs := map[string]string{}
	taken := map[string]bool{}
	pair := func(w, h *schema.Column) {
		pairs[w.Name] = h.Name
		taken[h.Name] = true
	}
	var missing []*schema.Column
	for i := range want.Columns {
		w := &want.Columns[i]
		if d.column(have, w.Name) != nil {
			continue
		}
		found := false
		for _, h := range extra {
			if !taken[h.Name] && strings.EqualFold(h.Name, w.Name) {
				pair(w, h)
				found = true
				break
			}
		}
		if !found {
			missing = append(missing, w)
		}
	}
	for _, w := range missing {
		var candidates []*schema.Column
		for _, h := range extra {
			if !taken[h.Name] && d.sameColumn(w, h) && d.before(want, have, w.Name) == d.before(have, want, h.Name) {
				candidates = append(candidates, h)
			}
		}
		rivals := 0
		for _, other := range missing {
			if d.before(want, have, other.Name) == d.before(want, have, w.Name) {
				rivals++
			}
		}
		if len(candidates) == 1 && rivals == 1 && !d.allowedColumn(d.short(want.Name), candidates[0].Name) {
			pair(w, candidates[0])
		}
	}
	if len(pairs) > 0 {
		d.renamed[want.Name] = pairs
	}
}

// sameColumn reports whether two columns are the same but for their names.
func (d *differ) sameColumn(w, h *schema.Column) bool {
	return len(d.compareTypes(w.Type, h.Type)) == 0 && w.NotNull == h.NotNull && w.AutoIncrement == h.AutoIncrement &&
		w.Generated == h.Generated && d.sameDefault(w.Default, h.Default, d.ruleOf(w.Type).family.numeric())
}

// before is the name of the nearest column of t in front of the named one that
// other has too; empty when it has none.
func (d *differ) before(t, other *schema.Table, name string) string {
	last := ""
	for i := range t.Columns {
		switch c := &t.Columns[i]; {
		case c.Name == name:
			return last
		case d.column(other, c.Name) != nil:
			last = strings.ToLower(c.Name)
		}
	}
	return last
}
