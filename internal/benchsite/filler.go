package benchsite

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/moodledb/moodledb/schema"
)

// row is what the values of one row have in common.
type row struct {
	n int64 // from 0
	r *random
	// kind is the same number for all columns of the row: those that belong
	// together, such as the parts of an event, are chosen by it.
	kind uint64
}

// value appends one value in the words of LOAD DATA.
type value func(b []byte, r *row) []byte

// null is how LOAD DATA spells NULL.
const null = `\N`

// filler makes the rows of one table, always the same ones for a seed: the
// first n rows do not depend on how many follow.
type filler struct {
	name   string
	seed   uint64
	values []value
	// sparse says that the ids have gaps, as those of a table have that rows were deleted from.
	sparse bool
	// capacity is how many rows the table's unique indexes can tell apart.
	capacity int64
}

// newFiller finds the values of a table's columns.
func newFiller(t *schema.Table, short string, c *corpus, opts Data) (*filler, error) {
	f := &filler{name: t.Name, seed: opts.Seed, sparse: mix(newRandom(opts.Seed, t.Name).state)%3 == 0}
	unique := uniqueColumns(t)
	f.capacity = unique.capacity
	m := maker{corpus: c, table: short, opts: opts}
	for i := range t.Columns {
		column := &t.Columns[i]
		v, err := m.value(column, unique.columns[column.Name])
		if err != nil {
			return nil, fmt.Errorf("table %q: column %q: %w", t.Name, column.Name, err)
		}
		if column.AutoIncrement {
			v = func(b []byte, r *row) []byte { return strconv.AppendInt(b, f.id(r.n), 10) }
		}
		f.values = append(f.values, v)
	}
	return f, nil
}

// id is the id of the n-th row, from 0.
func (f *filler) id(n int64) int64 {
	if f.sparse {
		// Every few thousand rows some thousands are missing.
		return n + 1 + n/4096*3000
	}
	return n + 1
}

// rows returns the stream of the rows.
func (f *filler) rows() *rows {
	return &rows{filler: f, row: row{r: newRandom(f.seed, f.name)}}
}

// rows is a stream of rows.
type rows struct {
	filler *filler
	row    row
}

// next appends the next row as one line.
func (s *rows) next(b []byte) []byte {
	s.row.kind = s.row.r.next()
	for i, v := range s.filler.values {
		if i > 0 {
			b = append(b, '\t')
		}
		b = v(b, &s.row)
	}
	s.row.n++
	return append(b, '\n')
}

// sampleRows is how many rows a table's row size is estimated from.
const sampleRows = 400

// rowBytes estimates the size of a row as text.
func (f *filler) rowBytes() float64 {
	s, total := f.rows(), 0
	var b []byte
	count := 0
	// Large rows vary little; half a megabyte tells enough.
	for count < sampleRows && (total < 512<<10 || count < 2) {
		b = s.next(b[:0])
		total += len(b)
		count++
	}
	return float64(total) / float64(count)
}

// uniques says which columns make rows differ where an index demands it.
type uniques struct {
	columns  map[string]part
	capacity int64
}

// part is the share that a column has in telling rows apart.
type part int

// The shares.
const (
	noPart part = iota
	// whole: the column's values are all different.
	whole
	// slow and fast: the values of the two columns together are all different,
	// such as those of a grade's item and user.
	slow
	fast
)

// perSlow is how many rows have the same value in a slow column.
const perSlow = 40

// uniqueColumns chooses the columns that satisfy a table's unique indexes.
func uniqueColumns(t *schema.Table) uniques {
	u := uniques{columns: map[string]part{}, capacity: 1 << 40}
	var indexes []*schema.Index
	for i := range t.Indexes {
		// An id that counts by itself is unique, whatever is indexed with it.
		x := &t.Indexes[i]
		counted := slices.ContainsFunc(x.Columns(), func(name string) bool {
			c := t.Column(name)
			return c != nil && c.AutoIncrement
		})
		if (x.Unique || x.Primary) && !counted {
			indexes = append(indexes, x)
		}
	}
	if len(indexes) == 1 {
		if a, b := widePair(t, indexes[0]); a != "" {
			u.columns[a], u.columns[b] = slow, fast
			return u
		}
	}
	for _, x := range indexes {
		best, most, met := "", int64(0), false
		for _, name := range x.Columns() {
			c := t.Column(name)
			if c == nil {
				continue
			}
			met = met || u.columns[name] == whole
			if n := distinct(c); n > most {
				best, most = name, n
			}
		}
		if !met && best != "" {
			u.columns[best] = whole
			u.capacity = min(u.capacity, most)
		}
	}
	return u
}

// widePair finds two wide integers in an index, that of a user last; empty when there are none.
func widePair(t *schema.Table, x *schema.Index) (slowName, fastName string) {
	var wide []string
	for _, name := range x.Columns() {
		if c := t.Column(name); c != nil && c.Type.Name == "bigint" && !c.AutoIncrement {
			wide = append(wide, name)
		}
	}
	if len(wide) < 2 {
		return "", ""
	}
	if wide[0] == "userid" {
		return wide[1], wide[0]
	}
	return wide[0], wide[1]
}

// distinct is how many different values a column can have at least.
func distinct(c *schema.Column) int64 {
	switch c.Type.Name {
	case "tinyint":
		return 100
	case "smallint":
		return 9999
	case "mediumint":
		return 999999
	case "int":
		return 999999999
	case "bigint":
		return 1 << 40
	case "decimal":
		return power10(min(int64(c.Type.Precision-c.Type.Scale), 12))
	case "varchar", "char":
		n := int64(1)
		for range min(c.Type.Length, 7) {
			n *= 36
		}
		return n
	default:
		return 0
	}
}

// power10 is 10 to the n-th power.
func power10(n int64) int64 {
	p := int64(1)
	for range n {
		p *= 10
	}
	return p
}
