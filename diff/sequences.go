package diff

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/moodledb/moodledb/schema"
)

// counter is how a column gets its ids from the server.
type counter struct {
	counts bool
	// sequence is the one that it draws from, with its schema if that is another
	// one; empty on MySQL and MariaDB.
	sequence string
	owned    bool
	identity string
}

// counterOf tells how a column of s counts. PostgreSQL may also look a sequence up
// by its name at each insert, or draw from one of another schema; both are
// expressions to whoever reads the catalogs.
func (d *differ) counterOf(s *schema.Schema, t *schema.Table, c *schema.Column) counter {
	if c.AutoIncrement {
		return counter{counts: true, sequence: c.Sequence, owned: c.SequenceOwned, identity: c.Identity}
	}
	if s.Engine.IsMySQL() || c.Default.Kind != schema.ExpressionDefault {
		return counter{}
	}
	e := parseExpression(c.Default.Text, false)
	if len(e) != 2 || e[0].text != "nextval" || !e[0].call || e[1].kind != tokenString {
		return counter{}
	}
	k := counter{counts: true, sequence: strings.TrimPrefix(strings.ReplaceAll(e[1].text, `"`, ""), s.Name+".")}
	q := d.sequence(s, k.sequence)
	k.owned = q != nil && q.OwnedByTable == t.Name && q.OwnedByColumn == c.Name
	return k
}

// text says where ids come from.
func (k counter) text() string {
	switch {
	case k.identity != "":
		return "GENERATED " + strings.ToUpper(k.identity) + " AS IDENTITY"
	case k.sequence != "":
		return "nextval of " + k.sequence
	default:
		return "AUTO_INCREMENT"
	}
}

// compareAutoIncrement compares how a column gets its ids.
func (d *differ) compareAutoIncrement(want, have *schema.Table, w, h *schema.Column) {
	report := func(c Change) { d.add(d.placed(c, want)) }
	wanted, found := d.counterOf(d.want, want, w), d.counterOf(d.have, have, h)
	c := d.columnChange(have, w, h)
	switch {
	case !wanted.counts:
		c.Code, c.Expected, c.Found = ColumnAutoIncrementExtra, "none", found.text()
		report(c)
		return
	case !found.counts:
		if !d.canCount(h.Type) {
			return // the type is what differs
		}
		c.Expected, c.Found = wanted.text(), defaultText(h.Default)
		c.Code = ColumnAutoIncrementMissing
		if w.Sequence != "" && d.sequence(d.have, w.Sequence) == nil && h.Default.Kind == schema.NoDefault {
			c.Code = SequenceMissing
			c.Object, c.Want, c.Have, c.Expected = w.Sequence, w.Sequence, "", w.Sequence
		}
		report(c)
		return
	case found.identity != wanted.identity:
		c.Code, c.Expected, c.Found = ColumnIdentity, wanted.text(), found.text()
		report(c)
	case wanted.sequence != "":
		d.compareSequence(want, have, w, h)
	}
	d.compareCounter(want, have, w, h)
}

// canCount reports whether a column of the type can get its values from the server at all.
func (d *differ) canCount(t schema.Type) bool {
	f := d.ruleOf(t).family
	if d.have.Engine.IsMySQL() {
		return f == integers || f == floats
	}
	return f.numeric() || f == varchars || f == texts
}

func (d *differ) sequence(s *schema.Schema, name string) *schema.Sequence {
	i, ok := slices.BinarySearchFunc(s.Sequences, name, func(q schema.Sequence, name string) int { return strings.Compare(q.Name, name) })
	if ok {
		return &s.Sequences[i]
	}
	for i := range s.Sequences { // a schema that was not sorted
		if s.Sequences[i].Name == name {
			return &s.Sequences[i]
		}
	}
	return nil
}

// compareSequence compares the sequence from which a serial column draws. One of
// another name is put right as a whole, so its owner says nothing more.
func (d *differ) compareSequence(want, have *schema.Table, w, h *schema.Column) {
	wanted, found := d.counterOf(d.want, want, w), d.counterOf(d.have, have, h)
	change := func(code Code, expected, has string) {
		d.add(d.placed(Change{
			Code: code, Table: have.Name, Object: found.sequence, Want: wanted.sequence, Have: found.sequence,
			Expected: expected, Found: has, Origin: w.Origin,
		}, want))
	}
	switch {
	case wanted.sequence != found.sequence:
		change(SequenceName, wanted.sequence, found.sequence)
	case wanted.owned && !found.owned:
		change(SequenceNotOwned, "owned by "+have.Name+"."+h.Name, "not owned by it")
	}
	ws, hs := d.sequence(d.want, wanted.sequence), d.sequence(d.have, found.sequence)
	if ws == nil || hs == nil {
		return
	}
	// A sequence need not give out more than its column holds, which is compared.
	most := ws.Max
	if r := d.ruleOf(h.Type); r.family == integers {
		most = min(most, int64(math.MaxInt64)>>(64-r.size))
	}
	if hs.Increment != ws.Increment || hs.Max < most || hs.Min > ws.Min || hs.Cycle != ws.Cycle {
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
	if !h.HighestKnown || h.Highest <= 0 {
		return
	}
	c := d.columnChange(have, w, h)
	c.Code, c.Expected = SequenceBehind, "above the highest id"
	next := have.AutoIncrement
	if name := d.counterOf(d.have, have, h).sequence; name != "" {
		s := d.sequence(d.have, name)
		if s == nil || s.Increment <= 0 || s.Last < 0 || s.Last == 0 && !s.Called {
			return // one that the user may not read has a Last of 0
		}
		// Beyond the last value of a bigint there is room in an unsigned number.
		if next = uint64(s.Last); s.Called {
			next += uint64(s.Increment)
		}
		c.Object, c.Have, c.Want = s.Name, s.Name, w.Sequence
	}
	if next == 0 || next > uint64(h.Highest) {
		return
	}
	c.Found = fmt.Sprintf("next %d, highest %d", next, h.Highest)
	c.Message = fmt.Sprintf("the next id is %d, but there is %d already", next, h.Highest)
	d.add(d.placed(c, want))
}

// sequences reports sequences of the site that no column uses.
func (d *differ) sequences() {
	used := d.usedSequences()
	for i := range d.have.Sequences {
		s := &d.have.Sequences[i]
		short, own := strings.CutPrefix(s.Name, d.opts.Prefix)
		if used[s.Name] || !own || short == "" || d.have.Table(s.OwnedByTable) != nil || d.sequence(d.want, s.Name) != nil ||
			slices.Contains(d.opts.Unread, s.OwnedByTable) {
			continue
		}
		d.add(Change{
			Code: SequenceExtra, Table: s.OwnedByTable, Short: d.short(s.OwnedByTable), Object: s.Name, Have: s.Name,
			Expected: "none", Found: sequenceText(s),
		})
	}
}

// usedSequences are the found sequences that some column draws from, by name.
func (d *differ) usedSequences() map[string]bool {
	used := map[string]bool{}
	for i := range d.have.Tables {
		t := &d.have.Tables[i]
		for j := range t.Columns {
			c := &t.Columns[j]
			used[c.Sequence] = true
			if c.Default.Kind == schema.ExpressionDefault && strings.Contains(strings.ToLower(c.Default.Text), "nextval") {
				// MariaDB names the database too: nextval(`database`.`sequence`).
				for _, t := range parseExpression(c.Default.Text, d.have.Engine.IsMySQL()) {
					used[t.text] = true
				}
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
	return used
}
