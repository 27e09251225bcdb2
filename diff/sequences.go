package diff

import (
	"fmt"
	"slices"
	"strings"

	"github.com/moodledb/moodledb/schema"
)

// compareAutoIncrement compares how a column gets its ids.
func (d *differ) compareAutoIncrement(want, have *schema.Table, w, h *schema.Column) {
	report := func(c Change) { d.add(d.placed(c, want)) }
	c := d.columnChange(have, w, h)
	switch {
	case !w.AutoIncrement:
		c.Code, c.Expected, c.Found = ColumnAutoIncrementExtra, "none", d.counterText(h)
		report(c)
		return
	case !h.AutoIncrement:
		c.Expected, c.Found = d.counterText(w), defaultText(h.Default)
		c.Code = ColumnAutoIncrementMissing
		if w.Sequence != "" && d.sequence(d.have, w.Sequence) == nil && h.Default.Kind == schema.NoDefault {
			c.Code = SequenceMissing
			c.Object, c.Want, c.Have, c.Expected = w.Sequence, w.Sequence, "", w.Sequence
		}
		report(c)
		return
	case h.Identity != w.Identity:
		c.Code, c.Expected, c.Found = ColumnIdentity, d.counterText(w), d.counterText(h)
		report(c)
	case w.Sequence != "":
		d.compareSequence(want, have, w, h)
	}
	d.compareCounter(want, have, w, h)
}

// counterText says where ids come from.
func (d *differ) counterText(c *schema.Column) string {
	switch {
	case c.Identity != "":
		return "GENERATED " + strings.ToUpper(c.Identity) + " AS IDENTITY"
	case c.Sequence != "":
		return "nextval of " + c.Sequence
	default:
		return "AUTO_INCREMENT"
	}
}

func (d *differ) sequence(s *schema.Schema, name string) *schema.Sequence {
	for i := range s.Sequences {
		if s.Sequences[i].Name == name {
			return &s.Sequences[i]
		}
	}
	return nil
}

// compareSequence compares the sequence from which a serial column draws.
func (d *differ) compareSequence(want, have *schema.Table, w, h *schema.Column) {
	change := func(code Code, expected, found string) {
		d.add(d.placed(Change{
			Code: code, Table: have.Name, Object: h.Sequence, Want: w.Sequence, Have: h.Sequence,
			Expected: expected, Found: found, Origin: w.Origin,
		}, want))
	}
	if w.Sequence != h.Sequence {
		change(SequenceName, w.Sequence, h.Sequence)
	}
	if w.SequenceOwned && !h.SequenceOwned {
		change(SequenceNotOwned, "owned by "+have.Name+"."+h.Name, "not owned by it")
	}
	ws, hs := d.sequence(d.want, w.Sequence), d.sequence(d.have, h.Sequence)
	if ws != nil && hs != nil && (hs.Increment != ws.Increment || hs.Max < ws.Max || hs.Min > ws.Min || hs.Cycle != ws.Cycle) {
		change(SequenceOptions, sequenceText(ws), sequenceText(hs))
	}
}

func sequenceText(s *schema.Sequence) string {
	text := fmt.Sprintf("%s, increment %d, from %d to %d", s.Type, s.Increment, s.Min, s.Max)
	if s.Cycle {
		text += ", cycle"
	}
	return text
}

// compareCounter reports a counter whose next value is a value that the column
// has, or has left behind.
func (d *differ) compareCounter(want, have *schema.Table, w, h *schema.Column) {
	if !h.HighestKnown {
		return
	}
	c := d.columnChange(have, w, h)
	c.Code = SequenceBehind
	behind := func(next string) {
		c.Expected, c.Found = fmt.Sprintf("above %d", h.Highest), next
		c.Message = fmt.Sprintf("the next id is %s, but there is %d already", next, h.Highest)
		d.add(d.placed(c, want))
	}
	if h.Sequence == "" {
		if have.AutoIncrement > 0 && h.Highest > 0 && have.AutoIncrement <= uint64(h.Highest) {
			behind(fmt.Sprint(have.AutoIncrement))
		}
		return
	}
	s := d.sequence(d.have, h.Sequence)
	if s == nil || s.Increment <= 0 || s.Last < s.Min {
		return // one that the user may not read has a Last of 0
	}
	next := s.Last
	if s.Called {
		next += s.Increment
	}
	if next <= h.Highest {
		c.Object, c.Have, c.Want = s.Name, s.Name, w.Sequence
		behind(fmt.Sprint(next))
	}
}

// sequences reports sequences of the site that no column uses.
func (d *differ) sequences() {
	used := map[string]bool{}
	tables := map[string]bool{}
	for i := range d.have.Tables {
		t := &d.have.Tables[i]
		tables[t.Name] = true
		for _, c := range t.Columns {
			if c.Sequence != "" {
				used[c.Sequence] = true
			}
		}
	}
	for i := range d.changes {
		// A default that was lost leaves its sequence behind: one change, not two.
		if c := &d.changes[i]; c.Code == ColumnAutoIncrementMissing {
			if w := d.want.Table(c.Table); w != nil {
				if column := w.Column(c.Want); column != nil {
					used[column.Sequence] = true
				}
			}
		}
	}
	for i := range d.have.Sequences {
		s := &d.have.Sequences[i]
		short, own := strings.CutPrefix(s.Name, d.opts.Prefix)
		if used[s.Name] || !own || short == "" || tables[s.OwnedByTable] || d.sequence(d.want, s.Name) != nil ||
			slices.Contains(d.opts.Unread, s.OwnedByTable) {
			continue
		}
		d.add(Change{
			Code: SequenceExtra, Table: s.OwnedByTable, Short: d.short(s.OwnedByTable), Object: s.Name, Have: s.Name,
			Expected: "none", Found: sequenceText(s),
		})
	}
}
