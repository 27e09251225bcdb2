package proof

import (
	"context"

	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/verify"
)

// pager is what the first servers have that find a range of pages without reading the others.
const pager = 140000

// pieces lets each side divide a table as it reads it fastest: MySQL by the key in
// whose order the rows lie, PostgreSQL by its pages.
func (r *run) pieces(ctx context.Context, p *pair, size int64) error {
	for i, db := range []*database{r.expected, r.found} {
		list, err := r.piecesOf(ctx, db, p, size)
		if err != nil {
			return err
		}
		p.Pieces[i] = list
	}
	p.Divide = func(ctx context.Context) ([]verify.Part, error) { return r.parts(ctx, p, size) }
	return nil
}

// piecesOf divides a table of one side.
func (r *run) piecesOf(ctx context.Context, db *database, p *pair, size int64) ([]verify.Part, error) {
	t := p.half(db.side).table
	switch side := r.side(db.side).(type) {
	case *mysqlSide:
		if key, ok := mysql.ChunkKeyOf(t); ok && !side.locked[p.Name] && t.Bytes >= 2*size {
			return side.ranges(ctx, db, key, t, size)
		}
	case *postgresSide:
		switch {
		case t.Bytes < 2*size && !t.Partitioned:
		case db.postgres.Server().Num >= pager && !t.Partitioned && !db.inherited[t.Name]:
			return side.pages(ctx, t, size)
		case p.key[0] != "":
			list, err := side.snapshot.KeyRanges(ctx, db.schema.Name, t.Name, p.keyOf(db.side), size)
			return partsOf(list), err
		}
	}
	return []verify.Part{{Rows: p.Rows, Bytes: max(t.Bytes, 0)}}, nil
}

// ranges divides a table by the key in whose order its rows lie.
func (s *mysqlSide) ranges(ctx context.Context, db *database, key mysql.ChunkKey, t *schema.Table, size int64) ([]verify.Part, error) {
	list, err := db.mysql.Chunks(ctx, t, size)
	if err != nil {
		return nil, err
	}
	parts := make([]verify.Part, len(list))
	for i, x := range list {
		parts[i] = verify.Part{Own: key.Where(x), Rows: x.Rows, Bytes: x.Bytes}
	}
	return parts, nil
}

// pages divides a table by its pages.
func (s *postgresSide) pages(ctx context.Context, t *schema.Table, size int64) ([]verify.Part, error) {
	pages, err := s.snapshot.TablePages(ctx, s.db.schema.Name, t.Name)
	if err != nil {
		return nil, err
	}
	list := postgres.DividePages(pages, int(t.Bytes/size))
	parts := make([]verify.Part, len(list))
	for i, x := range list {
		parts[i] = verify.Part{Own: x.Where(), Rows: t.Rows / int64(len(list)), Bytes: t.Bytes / int64(len(list))}
	}
	return parts, nil
}

// partsOf are ranges of a key as parts.
func partsOf(list []postgres.KeyRange) []verify.Part {
	parts := make([]verify.Part, len(list))
	for i, x := range list {
		parts[i] = verify.Part{Lower: x.Lower, Upper: x.Upper, Rows: x.Rows, Bytes: x.Bytes}
	}
	return parts
}
