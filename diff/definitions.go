package diff

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/moodledb/moodledb/schema"
)

// definitions reports what install.xml declares twice: two indexes, or an index
// and a key, on the same columns. Moodle makes both.
func (d *differ) definitions() {
	if !d.opts.Declared {
		return
	}
	for i := range d.want.Tables {
		t := &d.want.Tables[i]
		var seen []*schema.Index
		indexes := make([]*schema.Index, 0, len(t.Indexes))
		for j := range t.Indexes {
			x := &t.Indexes[j]
			plain := !slices.ContainsFunc(x.Parts, func(p schema.IndexPart) bool { return p.Column == "" || p.OpClass != "" })
			if !x.Primary && x.Method == "btree" && plain {
				indexes = append(indexes, x)
			}
		}
		slices.SortStableFunc(indexes, func(a, b *schema.Index) int { return cmp.Compare(a.Origin.Line, b.Origin.Line) })
		for _, x := range indexes {
			k := slices.IndexFunc(seen, func(y *schema.Index) bool {
				return y.Unique == x.Unique && slices.Equal(y.Columns(), x.Columns())
			})
			if k < 0 {
				seen = append(seen, x)
				continue
			}
			d.add(Change{
				Code: DefinitionDuplicate, Table: t.Name, Object: x.Name, Columns: x.Columns(), Want: x.Name, Origin: x.Origin,
				Found: fmt.Sprintf("%s, as in line %d", indexText(x), seen[k].Origin.Line),
			})
		}
	}
}
