package proof

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/verify"
)

// readHighest reads the highest ids of the found side. Where no index has them,
// the table is read for it, as its rows are.
func (l *objectLook) readHighest(ctx context.Context) error {
	if l.found.mysql != nil {
		return l.found.mysql.ReadHighest(ctx, l.found.schema)
	}
	if err := l.found.postgres.ReadHighest(ctx, l.found.schema); err != nil {
		return err
	}
	for i := range l.found.schema.Tables {
		t := &l.found.schema.Tables[i]
		for j := range t.Columns {
			c := &t.Columns[j]
			if !c.AutoIncrement || c.HighestKnown {
				continue
			}
			if err := l.found.postgres.ReadHighestOf(ctx, l.found.schema.Name, t, c); err != nil {
				return err
			}
		}
	}
	return nil
}

// counters compares the next ids of both sides: what the expected side has
// given out, deleted rows included, must not be given out again.
func (l *objectLook) counters() {
	var unreadExpected, unreadFound []string
	for i := range l.expected.schema.Tables {
		e := &l.expected.schema.Tables[i]
		f := l.found.schema.Table(l.pairs[e.Name])
		if f == nil {
			continue
		}
		for j := range f.Columns {
			c := &f.Columns[j]
			w := e.Column(c.Name)
			if w == nil || !w.AutoIncrement || !c.AutoIncrement {
				continue
			}
			least, known := nextID(l.expected.schema, e, w)
			if !known {
				unreadExpected = append(unreadExpected, e.Name)
			}
			next, ok := nextID(l.found.schema, f, c)
			if !ok || !c.HighestKnown && counts(f, c) {
				unreadFound = append(unreadFound, f.Name)
			}
			if known && ok && next < least && !l.behind[f.Name] {
				l.below(f, c, next, least)
			}
		}
	}
	l.unread(l.expected, "whether the next ids of %s are above those that were given out", unreadExpected)
	l.unread(l.found, "whether the next ids of %s are free", unreadFound)
}

// counts reports whether a column counts for the whole table: MyISAM may count
// anew for each value of the columns before it in an index.
func counts(t *schema.Table, c *schema.Column) bool {
	return t.StorageEngine == "" || slices.ContainsFunc(t.Indexes, func(x schema.Index) bool {
		return len(x.Parts) > 0 && x.Parts[0].Column == c.Name
	})
}

// nextID is the next value that a column would get; false when that could not
// be read. MySQL and MariaDB give no number for a table that never had a row.
func nextID(s *schema.Schema, t *schema.Table, c *schema.Column) (uint64, bool) {
	if s.Engine.IsMySQL() {
		return max(t.AutoIncrement, 1), t.AutoIncrement > 0 || t.Rows <= 0
	}
	i := slices.IndexFunc(s.Sequences, func(q schema.Sequence) bool { return q.Name == c.Sequence })
	if i < 0 {
		return 0, false
	}
	q := &s.Sequences[i]
	switch {
	case q.Last == 0 && !q.Called && q.Min > 0: // one that the role may not read
		return 0, false
	case q.Last < 0 || q.Increment <= 0: // one that counts down is none of Moodle's
		return math.MaxUint64, true
	case q.Called:
		return uint64(q.Last) + uint64(q.Increment), true
	default:
		return uint64(q.Last), true
	}
}

// below reports a counter that would give out ids again.
func (l *objectLook) below(t *schema.Table, c *schema.Column, next, least uint64) {
	d := ObjectDifference{
		Code: CodeSequenceBelow, Table: t.Name, Object: c.Name,
		Message: fmt.Sprintf("the next id is %d, but the other side has given out all below %d: ids of deleted rows would be given out again", next, least),
		Hint:    mysql.SetAutoIncrement(l.found.schema.Name, t.Name, least),
	}
	if l.found.postgres != nil {
		d.Object = c.Sequence
		d.Hint = oneLine(postgres.RestartStatement(l.found.schema.Name, t.Name, c.Name, c.Sequence, least))
	}
	l.add(d)
}

// unread reports tables whose ids or counters could not be read.
func (l *objectLook) unread(side objectSide, what string, tables []string) {
	if len(tables) == 0 {
		return
	}
	slices.Sort(tables)
	tables = slices.Compact(tables)
	table, where := tables[0], fmt.Sprintf("%q", tables[0])
	if len(tables) > 1 {
		table, where = "", fmt.Sprintf("%d tables, such as %q,", len(tables), tables[0])
	}
	hint := "grant the user SELECT on the whole database"
	if side.postgres != nil {
		name, role := postgres.QuoteIdent(side.schema.Name), postgres.QuoteIdent(side.postgres.Server().User)
		hint = strings.NewReplacer("{schema}", name, "{role}", role).Replace(
			"let the owner run: GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role}; GRANT SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role}")
	}
	l.add(ObjectDifference{
		Code: CodeIDsUnread, Table: table, State: verify.Unknown, Hint: hint,
		Message: fmt.Sprintf(what+" could not be told: the ids or the sequence cannot be read", where),
	})
}
