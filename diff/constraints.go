package diff

import "github.com/moodledb/moodledb/schema"

// constraints compares foreign keys, checks and triggers of a table on both sides.
func (d *differ) constraints(want, have *schema.Table) {
	for i := range have.Triggers {
		t := &have.Triggers[i]
		d.add(Change{Code: TriggerExtra, Table: have.Name, Object: t.Name, Found: t.Event, Origin: want.Origin, Have: t.Name})
	}
}
