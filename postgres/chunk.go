package postgres

import (
	"context"
	"slices"
	"strconv"
)

// KeyRange is a part of a table by a column of whole numbers: the rows with
// Lower <= column < Upper. An empty bound is an open end.
type KeyRange struct {
	Lower, Upper string
	// Rows and Bytes are estimates. Bytes are those of the stored rows, without indexes.
	Rows, Bytes int64
}

// maxRanges bounds the number of ranges of a table, whatever size is asked for.
const maxRanges = 10_000

// KeyRanges splits a table into ranges of about size bytes by a column of whole
// numbers that has an index. They cover all rows without gap or overlap: the
// first has no lower and the last no upper bound. It is one range when the
// table is smaller than twice the size, or a parent whose children have keys of their own.
//
// Nothing is counted: how the values lie is what the server's statistics say,
// and where it has none, they are taken to lie evenly between the least and the greatest.
func (s *Snapshot) KeyRanges(ctx context.Context, schemaName, table, column string, size int64) ([]KeyRange, error) {
	k := keyRanges{snapshot: s, schema: schemaName, table: table, column: column}
	whole, err := k.whole(ctx)
	if err != nil {
		return nil, stepError(err, "divide table %q", table)
	}
	if size <= 0 || whole.Bytes/2 < size || k.inherited && !k.partitioned {
		return []KeyRange{whole}, nil
	}
	points, err := k.points(ctx)
	if err != nil {
		return nil, stepError(err, "divide table %q", table)
	}
	return divideKey(whole, points, int(min((whole.Bytes-1)/size+1, maxRanges))), nil
}

// keyRanges asks the server about one column.
type keyRanges struct {
	snapshot              *Snapshot
	schema, table, column string
	// inherited says that the table has children, partitioned that these are its partitions.
	inherited, partitioned bool
}

// whole is the whole table, with what its children hold.
func (k *keyRanges) whole(ctx context.Context) (KeyRange, error) {
	const query = `
WITH RECURSIVE parts (oid) AS (
    SELECT $1::regclass::oid
    UNION
    SELECT i.inhrelid FROM parts p JOIN pg_inherits i ON i.inhparent = p.oid
)
SELECT coalesce(sum(pg_table_size(c.oid)), 0)::bigint,
       coalesce(sum(greatest(c.reltuples, 0)), 0)::bigint,
       count(*) > 1,
       coalesce(bool_or(c.oid = $1::regclass AND c.relkind = 'p'), false)
FROM parts p
JOIN pg_class c ON c.oid = p.oid`
	var r KeyRange
	err := k.snapshot.Query(ctx, query, []any{qualify(k.schema, k.table)}, []any{&r.Bytes, &r.Rows, &k.inherited, &k.partitioned},
		func() error { return nil })
	return r, err
}

// points returns values of the column in their order. Between two neighbours lie
// about as many rows as between any others; what is outside of the first and the last is little.
func (k *keyRanges) points(ctx context.Context) ([]int64, error) {
	const statistics = `
SELECT histogram_bounds::text::bigint[]
FROM pg_stats
WHERE schemaname = $1 AND tablename = $2 AND attname = $3 AND inherited = $4 AND histogram_bounds IS NOT NULL`
	var points []int64
	err := k.snapshot.Query(ctx, statistics, []any{k.schema, k.table, k.column, k.partitioned}, []any{&points}, func() error { return nil })
	if err != nil {
		return nil, err
	}
	name := QuoteIdent(k.column)
	var least, greatest *int64
	edges := "SELECT min(" + name + ")::bigint, max(" + name + ")::bigint FROM " + qualify(k.schema, k.table)
	if err := k.snapshot.Query(ctx, edges, nil, []any{&least, &greatest}, func() error { return nil }); err != nil {
		return nil, err
	}
	if least == nil || greatest == nil {
		return nil, nil
	}
	// The table may have grown, or shrunk, since the statistics were made.
	points = slices.DeleteFunc(points, func(v int64) bool { return v < *least || v > *greatest })
	return extend(points, *least, *greatest), nil
}

// extend adds the edges of a column. Where rows came behind the last point, as
// they do in a log, there are as many more points as their numbers ask for.
func extend(points []int64, least, greatest int64) []int64 {
	if len(points) < 2 {
		return slices.Compact([]int64{least, greatest})
	}
	last := len(points) - 1
	step := float64(points[last]-points[0]) / float64(last)
	var before, behind []int64
	if gap := distance(least, points[0]); gap > 0 {
		before = between(least, points[0], more(gap, step))
	}
	if gap := distance(points[last], greatest); gap > 0 {
		behind = append(between(points[last], greatest, more(gap, step))[1:], greatest)
	}
	return slices.Compact(slices.Concat(before, points, behind))
}

// more is the number of steps in a gap; a gap that is far too wide is one, since
// numbers that jump are no sign of rows.
func more(gap, step float64) int {
	const most = 1000
	if n := gap / max(step, 1); n <= most {
		return max(int(n), 1)
	}
	return 1
}

// distance is b - a, which may be more than an int64 holds.
func distance(a, b int64) float64 { return float64(b) - float64(a) }

// between returns n points from a on, evenly below b.
func between(a, b int64, n int) []int64 {
	list := make([]int64, n)
	for i := range list {
		list[i] = at(a, b, float64(i)/float64(n))
	}
	return list
}

// at is the whole number at a share of the way from a to b.
func at(a, b int64, share float64) int64 {
	// Unsigned, the difference of any two fits.
	return a + int64(uint64(share*float64(uint64(b)-uint64(a))))
}

// divideKey cuts a table at up to n-1 places so that each part has about as many steps between points.
func divideKey(whole KeyRange, points []int64, n int) []KeyRange {
	var bounds []int64
	steps := len(points) - 1
	for i := 1; i < n && steps > 0; i++ {
		place := float64(i) * float64(steps) / float64(n)
		step := min(int(place), steps-1)
		bound := at(points[step], points[step+1], place-float64(step))
		// A part that begins at the least value, or where another one does, would be empty.
		if bound > points[0] && (len(bounds) == 0 || bound > bounds[len(bounds)-1]) {
			bounds = append(bounds, bound)
		}
	}
	parts := make([]KeyRange, len(bounds)+1)
	for i := range parts {
		parts[i].Rows, parts[i].Bytes = whole.Rows/int64(len(parts)), whole.Bytes/int64(len(parts))
		if i > 0 {
			parts[i].Lower = strconv.FormatInt(bounds[i-1], 10)
			parts[i-1].Upper = parts[i].Lower
		}
	}
	return parts
}
