package mysql

import (
	"fmt"
	"slices"
	"strings"

	"github.com/moodledb/moodledb/schema"
)

// Bound is one place in the order of a key: an SQL literal for each of the
// key's leading columns that are used ("42", "_utf8mb4 X'61'"); nil for an open end.
type Bound []string

// Range is a part of a table by its key: the rows with Lower <= key < Upper.
type Range struct {
	Lower, Upper Bound
	// Rows and Bytes are estimates. Bytes are those that the server keeps for the rows, free space
	// included; of a table that is too small to be looked at, those of its indexes too.
	Rows  int64
	Bytes int64
}

// ChunkKey is the key by which a table is split.
type ChunkKey struct {
	// Index is the name of the index, "PRIMARY" for the primary key.
	Index string
	// Columns are all columns of the index in their order, which is the order of a range's rows.
	Columns []string

	// parts are the leading columns that bounds can be made of.
	parts []keyColumn
}

// ChunkKeyOf returns the key by which a table can be split: the one in whose order
// InnoDB keeps the rows, so that a range lies together. That is the primary key, or, in
// a table without one, its only unique index whose columns are all NOT NULL. Its columns
// are whole and ascending, and bounds can be made at least of the first.
//
// When ok is false, the table is one stream: it has no such key, or several unique
// indexes of which the catalogs do not tell which one orders the rows, or it
// is of another storage engine.
func ChunkKeyOf(t *schema.Table) (key ChunkKey, ok bool) {
	if !strings.EqualFold(t.StorageEngine, "InnoDB") {
		return ChunkKey{}, false
	}
	x := t.PrimaryKey()
	if x == nil {
		x = onlyUniqueIndex(t)
	}
	if x == nil {
		return ChunkKey{}, false
	}
	return chunkKey(t, x)
}

// onlyUniqueIndex returns the unique index that InnoDB takes in place of a
// primary key: the first one of whole columns that are all NOT NULL. Which one is
// the first is not known, so that there must be no other; nil when there is.
func onlyUniqueIndex(t *schema.Table) *schema.Index {
	var only *schema.Index
	for i := range t.Indexes {
		x := &t.Indexes[i]
		if !x.Unique || slices.ContainsFunc(x.Parts, func(p schema.IndexPart) bool {
			c := t.Column(p.Column)
			return c == nil || !c.NotNull || p.Prefix > 0
		}) {
			continue
		}
		if only != nil {
			return nil
		}
		only = x
	}
	return only
}

// chunkKey makes a key of an index, if a table can be split by it.
func chunkKey(t *schema.Table, x *schema.Index) (ChunkKey, bool) {
	if x.Method != "btree" || x.Invisible {
		return ChunkKey{}, false
	}
	key := ChunkKey{Index: x.Name}
	bounded := true
	for _, p := range x.Parts {
		c := t.Column(p.Column)
		if c == nil || !c.NotNull || c.Generated == schema.GeneratedVirtual || p.Prefix > 0 || p.Descending {
			return ChunkKey{}, false
		}
		key.Columns = append(key.Columns, c.Name)
		part, ok := newKeyColumn(c)
		if bounded = bounded && ok; bounded {
			key.parts = append(key.parts, part)
		}
	}
	return key, len(key.parts) > 0
}

// Fits returns an error if a range, such as one that was kept for later, cannot be
// of this key.
func (k ChunkKey) Fits(r Range) error {
	if n := max(len(r.Lower), len(r.Upper)); n > len(k.parts) {
		return fmt.Errorf("a bound of the range from %v to %v has %d columns, the key %q has only %d that bounds are made of: the table has changed", r.Lower, r.Upper, n, k.Index, len(k.parts))
	}
	return nil
}

// Selection reads the rows of a range in the order of the key, without sorting.
func (k ChunkKey) Selection(r Range) Selection {
	return Selection{Where: k.Where(r), Index: k.Index, OrderBy: slices.Clone(k.Columns)}
}

// Where is the predicate of a range; "" for the whole table. The range must fit.
//
// A bound of several columns is spelt (a > x OR (a = x AND b >= y)), of which the
// servers make an interval of the index. They read everything for (a, b) >= (x, y), and
// MariaDB sorts where texts are compared as in a = x AND b >= y AND b < z.
func (k ChunkKey) Where(r Range) string {
	var terms []string
	if len(r.Lower) > 0 {
		terms = append(terms, k.beyond(r.Lower, 0, ">", ">="))
	}
	if len(r.Upper) > 0 {
		terms = append(terms, k.beyond(r.Upper, 0, "<", "<"))
	}
	return strings.Join(terms, " AND ")
}

// beyond compares the columns from the i-th on with a bound: strictly, but for the last.
func (k ChunkKey) beyond(b Bound, i int, strict, last string) string {
	if i == len(b)-1 {
		return k.compare(i, last, b[i])
	}
	return "(" + k.compare(i, strict, b[i]) + " OR (" + k.compare(i, "=", b[i]) + " AND " + k.beyond(b, i+1, strict, last) + "))"
}

// compare compares the i-th column with a literal.
func (k ChunkKey) compare(i int, operator, literal string) string {
	return QuoteIdent(k.parts[i].name) + " " + operator + " " + literal
}
