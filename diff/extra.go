package diff

import "github.com/moodledb/moodledb/schema"

// extraTable says what a live table is that nothing declares.
func (d *differ) extraTable(t *schema.Table) { d.add(Change{Code: TableExtra, Table: t.Name, Have: t.Name}) }
