package diff

import (
	"slices"
	"strings"

	"github.com/moodledb/moodledb/schema"
)

// differ is the state of one comparison.
type differ struct {
	want, have *schema.Schema
	opts       Options
	changes    []Change
	// renamed holds, by the name of a table and of an expected column, the name
	// under which the column was found.
	renamed map[string]map[string]string
	// types has the rules of the engine's types by their names.
	types map[string]typeRule
}

func newDiffer(want, have *schema.Schema, opts Options) *differ {
	return &differ{want: want, have: have, opts: opts, renamed: map[string]map[string]string{}, types: rules(have.Engine)}
}

// add completes a change and keeps it.
func (d *differ) add(c Change) {
	if c.Short == "" {
		c.Short = d.short(c.Table)
	}
	d.changes = append(d.changes, Complete(c))
}

// short is a table's name without the site's prefix.
func (d *differ) short(name string) string {
	if short, ok := strings.CutPrefix(name, d.opts.Prefix); ok && short != "" {
		return short
	}
	return name
}

// renamedColumn is the name under which an expected column of a table was
// found; empty when it was not renamed.
func (d *differ) renamedColumn(table, wantColumn string) string { return d.renamed[table][wantColumn] }

// unread reports whether a table may be there although it was not read.
func (d *differ) unread(name string) bool { return slices.Contains(d.opts.Unread, name) }
