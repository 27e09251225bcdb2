package mysql

import (
	"context"
	"errors"
	"fmt"

	"github.com/moodledb/moodledb/schema"
)

// maxParts bounds the number of ranges of a table, whatever size is asked for.
const maxParts = 10_000

// Chunks splits a table of the current database into ranges of about size bytes, in the order of
// the key. They cover the whole key space without gap or overlap: the first has
// no lower and the last no upper bound, so that rows which appear meanwhile have
// their range too. It is one range when the table is smaller than twice the size or cannot be split.
//
// Sizes are the server's estimates, from its statistics and from looks at the
// index; the table is not read. Where the estimates are wrong, the ranges are
// still right: [DB.SplitRange] divides one that turns out too large.
func (db *DB) Chunks(ctx context.Context, t *schema.Table, size int64) ([]Range, error) {
	whole := Range{Rows: max(t.Rows, 0), Bytes: max(t.Bytes, 0)}
	key, ok := ChunkKeyOf(t)
	if !ok || size <= 0 || whole.Bytes/2 < size { // the table's bytes count those of its indexes too
		return []Range{whole}, nil
	}
	return db.split(ctx, t, key, whole, func(ctx context.Context, d *divider) (err error) {
		if d.whole.Rows, d.whole.Bytes, err = d.size(ctx); err != nil {
			return err
		}
		if d.whole.Bytes/2 >= size {
			d.parts = int(min((d.whole.Bytes-1)/size+1, maxParts))
		}
		return nil
	})
}

// SplitRange divides a range of [DB.Chunks] into about parts pieces, by the same
// rule: the first begins where the range does, and the last ends there. It returns the range
// alone where it cannot be divided. The estimates of r are shared out among the pieces.
func (db *DB) SplitRange(ctx context.Context, t *schema.Table, r Range, parts int) ([]Range, error) {
	key, ok := ChunkKeyOf(t)
	if !ok || parts < 2 {
		return []Range{r}, nil
	}
	if err := key.Fits(r); err != nil {
		return nil, fmt.Errorf("split a range of table %q: %w", t.Name, err)
	}
	return db.split(ctx, t, key, r, func(_ context.Context, d *divider) error {
		d.parts = min(parts, maxParts)
		return nil
	})
}

// split divides a range into the number of parts that plan sets.
func (db *DB) split(ctx context.Context, t *schema.Table, key ChunkKey, r Range, plan func(context.Context, *divider) error) (list []Range, err error) {
	conn, err := db.sql.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("split table %q: %w", t.Name, err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	d := &divider{
		chunkQueries: chunkQueries{conn: conn, server: db.server, table: t.Name, key: key, alphabets: map[string]*alphabet{}},
		whole:        r,
	}
	if err := d.prepare(ctx); err != nil {
		return nil, fmt.Errorf("split table %q: prepare the session: %w", t.Name, err)
	}
	if err := plan(ctx, d); err != nil {
		return nil, fmt.Errorf("split table %q: read its size: %w", t.Name, err)
	}
	if err := d.run(ctx); err != nil {
		return nil, fmt.Errorf("split table %q by its key %q: %w", t.Name, key.Index, err)
	}
	return d.ranges(), nil
}
