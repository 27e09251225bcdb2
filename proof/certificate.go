package proof

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/verify"
)

// Reread reads the tables of an earlier result again, on the sides that are
// given, each at one moment, and compares their fingerprints with the earlier ones of
// that side. One side does not need the other. Of the options those count that say how to read.
//
// An error means that a side could not be read at all, or that ctx has ended.
// What past says may come from a file that anybody wrote: nothing of it gets into a statement unchecked.
func Reread(ctx context.Context, past *Result, from, to *Source, o Options) (_ *Rereading, err error) {
	began := time.Now()
	if o, err = o.withDefaults(); err != nil {
		return nil, err
	}
	out := &Rereading{Past: past, Started: began, Tool: o.Tool, State: verify.Same}
	if from == nil && to == nil {
		return out, nil
	}
	r, err := start(ctx, from, to, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.close()) }()
	again := newRereading(r, past)
	if err := again.open(ctx); err != nil {
		return nil, err
	}
	if err := again.divide(ctx); err != nil {
		return nil, err
	}
	if err := again.read(ctx); err != nil {
		return nil, err
	}
	for _, s := range again.sides {
		side := s.result()
		out.Sides = append(out.Sides, side)
		out.State = worse(out.State, side.State)
	}
	out.Elapsed = time.Since(began)
	return out, nil
}

// rereading is one call of [Reread].
type rereading struct {
	*run
	sides []*rereadSide
	// mu keeps events apart, and results.
	mu sync.Mutex
}

// rereadSide is one side of it.
type rereadSide struct {
	db *database
	// pairs are the tables that are read, each with the half of this side.
	pairs   []*pair
	tables  []RereadTable
	notices []string
}

// newRereading looks which tables can be read again.
func newRereading(r *run, past *Result) *rereading {
	again := &rereading{run: r}
	for _, db := range []*database{r.expected, r.found} {
		if db == nil {
			continue
		}
		s := &rereadSide{db: db}
		s.compareEnds(past)
		for i := range past.Tables {
			s.table(past, &past.Tables[i])
		}
		again.sides = append(again.sides, s)
	}
	return again
}

// compareEnds says where the database is another one than that of the certificate.
func (s *rereadSide) compareEnds(past *Result) {
	then, now := past.Expected, s.db.end
	if s.db.side == FoundSide {
		then = past.Found
	}
	for _, x := range []struct{ what, then, now string }{
		{"engine", string(then.Engine), string(now.Engine)},
		{"version", then.Version, now.Version},
		{"address", then.Address, now.Address},
		{"schema", then.Schema, now.Schema},
	} {
		if x.then != x.now {
			s.notices = append(s.notices, fmt.Sprintf("the %s was %q, and is %q", x.what, x.then, x.now))
		}
	}
}

// table notes what is to be read of a table, or why nothing is.
func (s *rereadSide) table(past *Result, t *verify.TableResult) {
	result := RereadTable{Table: t.Name, Then: t.Expected, State: verify.Unknown}
	if s.db.side == FoundSide {
		result.Then = t.Found
	}
	i := slices.IndexFunc(past.Forms, func(f Form) bool { return f.Table == t.Name })
	switch {
	case t.Problem != "" || t.State != verify.Same && t.State != verify.Different:
		result.Problem = "it could not be compared as a whole at that time: " + t.Problem
	case i < 0 || len(past.Forms[i].Columns) == 0:
		result.Problem = "it is not said how its rows were compared"
	default:
		p, state, err := s.pair(past.Prefix, &past.Forms[i])
		if err != nil {
			result.State, result.Problem = state, err.Error()
			break
		}
		result.State = verify.Same
		s.pairs = append(s.pairs, p)
	}
	s.tables = append(s.tables, result)
}

// pair makes what is read of a form. An error comes with what it means: a
// table or column that is gone is a difference.
func (s *rereadSide) pair(prefix string, f *Form) (*pair, verify.State, error) {
	name := f.Expected
	if s.db.side == FoundSide {
		name = f.Found
	}
	t := s.db.find(name, prefix)
	if t == nil {
		return nil, verify.Different, fmt.Errorf("there is no table %q any more", name)
	}
	p := &pair{Table: verify.Table{Name: f.Table, Rows: max(t.Rows, 0), Bytes: max(t.Bytes, 0)}}
	half := p.half(s.db.side)
	half.table = t
	for _, c := range f.Columns {
		name := c.Expected
		if s.db.side == FoundSide {
			name = c.Found
		}
		column := t.Column(name)
		if column == nil {
			return nil, verify.Different, fmt.Errorf("there is no column %q any more", name)
		}
		if !comparesIn(c.Type) {
			return nil, verify.Unknown, fmt.Errorf("column %q was compared as %q, which is no type that this version compares in", name, c.Type)
		}
		x, err := fieldOf(s.db.schema.Engine, column, c.Type)
		if err != nil {
			return nil, verify.Unknown, fmt.Errorf("column %q cannot be read as %s, as it was compared: %w", name, c.Type, err)
		}
		half.fields = append(half.fields, x)
		p.Columns = append(p.Columns, verify.Column{Name: column.Name, Type: c.Type, Key: c.Key, Canon: canonOf(c.Type)})
	}
	if err := p.divideAs(f, s.db.side); err != nil {
		return nil, verify.Unknown, err
	}
	return p, verify.Same, nil
}

// find finds a table by its name, or by its name behind the prefix that it has here.
func (db *database) find(name, prefix string) *schema.Table {
	if t := db.schema.Table(name); t != nil {
		return t
	}
	if hasPrefix(name, prefix) {
		name = db.prefix + name[len(prefix):]
	}
	for i := range db.schema.Tables {
		if strings.EqualFold(db.schema.Tables[i].Name, name) {
			return &db.schema.Tables[i]
		}
	}
	return nil
}

// bound is a bound of a part.
var bound = regexp.MustCompile(`^(-?[0-9]{1,20})?$`)

// divideAs takes the parts of a form, which has some when not all rows were read.
func (p *pair) divideAs(f *Form, side Side) error {
	if len(f.Parts) == 0 {
		return nil
	}
	var keys []string
	for i, c := range p.Columns {
		if c.Key {
			keys = append(keys, p.half(side).fields[i].column)
		}
	}
	if len(keys) != 1 {
		return fmt.Errorf("it was read by ranges of its key, but %d columns are said to be its key", len(keys))
	}
	p.key = [2]string{keys[0], keys[0]}
	n := int64(len(f.Parts))
	for _, part := range f.Parts {
		if !bound.MatchString(part.Lower) || !bound.MatchString(part.Upper) {
			return fmt.Errorf("%q to %q is no range of a key", part.Lower, part.Upper)
		}
		p.Parts = append(p.Parts, verify.Part{Lower: part.Lower, Upper: part.Upper, Rows: p.Rows / n, Bytes: p.Bytes / n})
	}
	return nil
}

// limited are the types with limits in which values are compared.
var limited = regexp.MustCompile(`^(numeric\([0-9]{1,4}(,-?[0-9]{1,4})?\)|bit\([0-9]{1,8}\))$`)

// comparesIn reports whether values are compared in a type.
func comparesIn(typ string) bool { return stable(typ) || limited.MatchString(typ) }

// open takes the snapshots at the same time, and leaves out what may not be read.
func (again *rereading) open(ctx context.Context) error {
	again.step("take the snapshots")
	g, gctx := errgroup.WithContext(ctx)
	for _, s := range again.sides {
		if len(s.pairs) == 0 {
			continue
		}
		i := 0
		if s.db.side == FoundSide {
			i = 1
		}
		g.Go(func() error {
			side, err := s.db.read(gctx, s.pairs, again.opts)
			if err == nil {
				again.run.sides[i] = side
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for _, s := range again.sides {
		if err := again.leaveDeniedOf(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// leaveDeniedOf leaves out the tables that may not be read.
func (again *rereading) leaveDeniedOf(ctx context.Context, s *rereadSide) error {
	denied := s.db.access.Denied
	if side, ok := again.side(s.db.side).(*postgresSide); ok {
		names := make([]string, len(s.pairs))
		for i, p := range s.pairs {
			names[i] = p.half(s.db.side).table.Name
		}
		var err error
		if denied, err = side.snapshot.Denied(ctx, s.db.schema.Name, names); err != nil {
			return err
		}
	}
	s.pairs = slices.DeleteFunc(s.pairs, func(p *pair) bool {
		name := p.half(s.db.side).table.Name
		if !slices.Contains(denied, name) {
			return false
		}
		s.fail(p.Name, fmt.Errorf("it may not be read; let an administrator run: %s", s.db.grant(name)))
		return true
	})
	return nil
}

// divide divides the tables of which all rows are read, each side as it reads them fastest.
func (again *rereading) divide(ctx context.Context) error {
	again.step("divide the tables")
	for _, s := range again.sides {
		for _, p := range s.pairs {
			if len(p.Parts) > 0 {
				continue
			}
			var err error
			if p.Parts, err = again.piecesOf(ctx, s.db, p, again.partSize()); err != nil {
				return err
			}
		}
	}
	return nil
}

// of finds the result of a table.
func (s *rereadSide) of(table string) *RereadTable {
	i := slices.IndexFunc(s.tables, func(t RereadTable) bool { return t.Table == table })
	return &s.tables[i]
}

// fail notes that it could not be told whether a table is the same.
func (s *rereadSide) fail(table string, err error) {
	t := s.of(table)
	t.State = verify.Unknown
	if t.Problem == "" {
		t.Problem = err.Error()
	}
}

// result is what became of the side.
func (s *rereadSide) result() RereadSide {
	out := RereadSide{Side: s.db.side, End: s.db.end, State: verify.Same, Tables: s.tables, Notices: s.notices}
	for i := range out.Tables {
		out.State = worse(out.State, out.Tables[i].State)
	}
	if len(out.Tables) == 0 {
		out.State = verify.Unknown
	}
	return out
}
