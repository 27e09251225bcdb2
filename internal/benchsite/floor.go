package benchsite

import (
	"context"
	"fmt"
	"runtime"
)

// floorBench measures the floor again and again.
type floorBench struct {
	*bench
	files             []fileChunk
	indexes           []string
	sessions          int
	read, write, made []Sample
}

// chunks divides the rows among the streams: whole tables, the largest first;
// a table that would keep one stream busy while the others have nothing left
// is divided by its ids.
func (b *bench) chunks() []chunk {
	var out []chunk
	most := max(b.bytes()/int64(2*b.opts.Streams), 8<<20)
	for i := range b.tables {
		t := &b.tables[i]
		if t.rows == 0 {
			continue
		}
		parts := min((t.bytes+most-1)/most, t.rows)
		if parts < 2 || t.table.Column("id") == nil {
			out = append(out, chunk{table: t.table.Name, bytes: t.bytes})
			continue
		}
		for p := range parts {
			from, to := t.filler.id(t.rows*p/parts), t.filler.id(t.rows*(p+1)/parts)
			out = append(out, chunk{
				table: t.table.Name, bytes: t.bytes / parts, split: true,
				where: fmt.Sprintf(" WHERE `id` >= %d AND `id` < %d", from, to),
			})
		}
	}
	return out
}

// prepareFloor lets moodledb migrate once, which also warms up both servers,
// and takes columns, indexes and rows of the floor from what it made.
func (b *bench) prepareFloor(ctx context.Context, us contender) (*floorBench, error) {
	if err := b.newDatabase(ctx, modelDatabase); err != nil {
		return nil, err
	}
	if _, err := us.run(ctx, modelDatabase); err != nil {
		return nil, fmt.Errorf("%s: %w", us.name, err)
	}
	f := &floorBench{bench: b, sessions: runtime.NumCPU()}
	var err error
	if f.files, err = exportModel(ctx, b.target, b.chunks(), b.opts.Streams); err != nil {
		return nil, err
	}
	if f.indexes, err = indexStatements(ctx, b.target, f.files); err != nil {
		return nil, err
	}
	b.say("floor: %d pieces of %d tables, %d index statements, %d streams, %d index sessions",
		len(f.files), b.filled(), len(f.indexes), b.opts.Streams, f.sessions)
	return f, nil
}

// filled is the number of tables that have rows.
func (b *bench) filled() int {
	n := 0
	for i := range b.tables {
		if b.tables[i].rows > 0 {
			n++
		}
	}
	return n
}

// measure takes one sample of each of the three parts.
func (f *floorBench) measure(ctx context.Context) error {
	parts := []struct {
		name string
		to   *[]Sample
		do   func() error
	}{
		{"floor: read", &f.read, func() error {
			_, err := readAll(ctx, f.source, f.chunks(), f.opts.Streams)
			return err
		}},
		{"floor: write", &f.write, func() error { return writeAll(ctx, f.target, f.files, f.opts.Streams) }},
		{"floor: index", &f.made, func() error { return buildAll(ctx, f.target, f.indexes, f.sessions) }},
	}
	if err := makeFloor(ctx, f.target, f.files); err != nil {
		return err
	}
	for _, p := range parts {
		s, err := f.sample(ctx, func() (usage, error) { return usage{}, p.do() })
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		*p.to = append(*p.to, s)
		f.say("%-18s %s", p.name, s)
	}
	// Its tables are made anew each time; meanwhile the disk is for others.
	return f.target.execute(ctx, modelDatabase, "DROP SCHEMA "+floorSchema+" CASCADE")
}

// result joins the medians.
func (f *floorBench) result() *Floor {
	return newFloor(medians(f.read), medians(f.write), medians(f.made), f.opts.Streams, f.sessions, runtime.NumCPU())
}
