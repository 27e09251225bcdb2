package proof

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strconv"

	"github.com/dustin/go-humanize/english"

	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/verify"
)

const (
	// partBytes is the size of the parts of large tables.
	partBytes = 64 << 20
	// minPartBytes is the least size of a part: those of a sample are smaller, so that there is something to choose from.
	minPartBytes = 1 << 20
)

// divides reports whether a table can be divided by a column: whole numbers, and an
// index by which the server finds a range of them without reading the others.
func (db *database) divides(t *schema.Table, c *schema.Column) bool {
	if db.mysql != nil {
		key, ok := mysql.ChunkKeyOf(t)
		return ok && kind(c.Type.Name) == kindWhole && len(key.Columns) == 1 && key.Columns[0] == c.Name
	}
	switch c.Type.Name {
	case "smallint", "integer", "bigint":
	default:
		return false
	}
	return slices.ContainsFunc(t.Indexes, func(x schema.Index) bool {
		return x.Method == "btree" && !x.Invalid && x.Where == "" && len(x.Parts) > 0 && x.Parts[0].Column == c.Name
	})
}

// ranges divides a table by its key, on the side where that is cheaper: PostgreSQL
// has statistics of it, and MySQL is asked for rows. A side that holds far less than the other is not asked.
func (r *run) ranges(ctx context.Context, p *pair, size int64) ([]verify.Part, error) {
	db := r.expected
	few := func(a, b *half) bool { return max(a.table.Bytes, 0) < max(b.table.Bytes, 0)/2 }
	if r.found.postgres != nil && r.expected.mysql != nil && !few(&p.found, &p.expected) || few(&p.expected, &p.found) {
		db = r.found
	}
	t := p.half(db.side).table
	var parts []verify.Part
	if db.mysql != nil {
		list, err := db.mysql.Chunks(ctx, t, size)
		if err != nil {
			return nil, err
		}
		for _, c := range list {
			parts = append(parts, verify.Part{Lower: first(c.Lower), Upper: first(c.Upper), Rows: c.Rows, Bytes: c.Bytes})
		}
		return parts, nil
	}
	side, ok := r.side(db.side).(*postgresSide)
	if !ok {
		return nil, fmt.Errorf("table %q: the %s side is not open", p.Name, db.side)
	}
	list, err := side.snapshot.KeyRanges(ctx, db.schema.Name, t.Name, p.keyOf(db.side), size)
	if err != nil {
		return nil, err
	}
	return partsOf(list), nil
}

// first is the only value of a bound; "" for an open end.
func first(b mysql.Bound) string {
	if len(b) == 0 {
		return ""
	}
	return b[0]
}

// divide decides in which parts the tables are compared. A table of which all
// rows are wanted is summed up first, by pieces that each side chooses for itself; parts that both have
// are asked for only when it differs.
func (r *run) divide(ctx context.Context) error {
	size := r.partSize()
	whole := r.opts.Sample >= 100 && r.opts.SinceID <= 0
	var kept []*pair
	undivided := 0
	for _, p := range r.pairs {
		if whole {
			if err := r.pieces(ctx, p, size); err != nil {
				return err
			}
			kept = append(kept, p)
			continue
		}
		if p.key[0] == "" && r.opts.SinceID > 0 {
			r.left = append(r.left, LeftOut{
				Table: p.Name, Side: BothSides, Counts: verify.Same,
				Reason: "its key is not one column of whole numbers on both sides, by which newer rows could be told",
			})
			continue
		}
		if p.key[0] == "" && p.Bytes > size {
			undivided++
		}
		parts, err := r.parts(ctx, p, size)
		if err != nil {
			return err
		}
		p.Parts = r.opts.sample(p.Name, since(parts, r.opts.SinceID))
		p.Rows, p.Bytes = 0, 0
		for _, part := range p.Parts {
			p.Rows, p.Bytes = p.Rows+part.Rows, p.Bytes+part.Bytes
		}
		kept = append(kept, p)
	}
	r.pairs = kept
	if r.opts.Sample < 100 && undivided > 0 {
		r.notice("%s whose key is not one column of whole numbers cannot be divided, and are compared as a whole", english.Plural(undivided, "larger table", ""))
	}
	return nil
}

// partSize is the size of the parts of large tables, in bytes.
func (r *run) partSize() int64 {
	switch {
	case r.opts.part != 0:
		return r.opts.part
	case r.opts.Sample < 100:
		return max(int64(partBytes*r.opts.Sample/100), minPartBytes)
	}
	return partBytes
}

// parts are those in which both sides can read a table.
func (r *run) parts(ctx context.Context, p *pair, size int64) ([]verify.Part, error) {
	if p.key[0] == "" {
		return []verify.Part{{Rows: p.Rows, Bytes: p.Bytes}}, nil
	}
	return r.ranges(ctx, p, size)
}

// since leaves out what is below an id.
func since(parts []verify.Part, id int64) []verify.Part {
	if id <= 0 {
		return parts
	}
	kept := parts[:0]
	for _, p := range parts {
		if upper, err := strconv.ParseInt(p.Upper, 10, 64); p.Upper != "" && err == nil && upper <= id {
			continue
		}
		if lower, err := strconv.ParseInt(p.Lower, 10, 64); p.Lower == "" || err == nil && lower < id {
			p.Lower = strconv.FormatInt(id, 10)
		}
		kept = append(kept, p)
	}
	return kept
}

// sample chooses parts of a table, at least one. It depends on the seed, the
// table's name and the number of parts alone.
func (o *Options) sample(table string, parts []verify.Part) []verify.Part {
	if o.Sample >= 100 {
		return parts
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(table))                      // it does not fail
	random := rand.New(rand.NewPCG(o.Seed, h.Sum64())) //nolint:gosec // a sample is no secret
	n := max(int(float64(len(parts))*o.Sample/100+0.5), 1)
	chosen := random.Perm(len(parts))[:min(n, len(parts))]
	slices.Sort(chosen)
	out := make([]verify.Part, len(chosen))
	for i, c := range chosen {
		out[i] = parts[c]
	}
	return out
}
