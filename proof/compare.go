package proof

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize/english"
	"golang.org/x/sync/errgroup"

	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/verify"
)

// reader is a side that can be read.
type reader interface {
	verify.Side
	close() error
}

// run is one comparison.
type run struct {
	opts            Options
	expected, found *database
	sides           [2]reader
	pairs           []*pair
	left            []LeftOut
	legal           []Legal
	notices         []string
}

// Compare compares two databases, each at one moment. An error means that
// they could not be compared at all, or that ctx has ended; what could not be told of single tables is in the
// result. Errors in the options wrap [ErrUsage]. It writes to neither side.
func Compare(ctx context.Context, expected, found Source, o Options) (_ *Result, err error) {
	began := time.Now()
	o, err = o.withDefaults()
	if err != nil {
		return nil, err
	}
	r, err := start(ctx, &expected, &found, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.close()) }()
	if err := r.pair(ctx); err != nil {
		return nil, err
	}
	known, err := r.readLedger(ctx)
	if err != nil {
		return nil, err
	}
	if err := r.skipped(ctx, known); err != nil {
		return nil, err
	}
	if err := r.openSides(ctx); err != nil {
		return nil, err
	}
	if err := r.leaveDenied(ctx); err != nil {
		return nil, err
	}
	r.step("divide the tables")
	if err := r.divide(ctx); err != nil {
		return nil, err
	}
	results, err := r.rows(ctx)
	if err != nil {
		return nil, err
	}
	if err := r.excuse(ctx, known, results); err != nil {
		return nil, err
	}
	r.beyond(known)
	r.renderings()
	r.step("look at what rows do not show")
	differences, err := objects(ctx, r.expected.object(), r.found.object(), r.names(), o.Site)
	if err != nil {
		return nil, err
	}
	result := r.result(began, results)
	result.Objects = differences
	result.judge()
	result.Elapsed = time.Since(began)
	return result, nil
}

// start opens both sides; a nil source is not opened.
func start(ctx context.Context, expected, found *Source, o Options) (*run, error) {
	r := &run{opts: o}
	r.step("read both schemas")
	g, gctx := errgroup.WithContext(ctx)
	for _, s := range []struct {
		side   Side
		source *Source
		db     **database
	}{{ExpectedSide, expected, &r.expected}, {FoundSide, found, &r.found}} {
		if s.source == nil {
			continue
		}
		g.Go(func() (err error) {
			*s.db, err = open(gctx, s.side, *s.source)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, errors.Join(err, r.close())
	}
	return r, nil
}

// close closes all connections.
func (r *run) close() error {
	var errs []error
	for _, s := range r.sides {
		if s != nil {
			errs = append(errs, s.close())
		}
	}
	for _, db := range []*database{r.expected, r.found} {
		if db != nil {
			errs = append(errs, db.close())
		}
	}
	return errors.Join(errs...)
}

// side is the reader of a side.
func (r *run) side(s Side) reader {
	if s == ExpectedSide {
		return r.sides[0]
	}
	return r.sides[1]
}

func (r *run) tell(e Event) {
	if r.opts.Events != nil {
		r.opts.Events(e)
	}
}

func (r *run) step(name string) { r.tell(Step{name}) }

// notice keeps what a reader of the result should know, and tells it at once.
func (r *run) notice(format string, args ...any) {
	message := fmt.Sprintf(format, args...)
	r.notices = append(r.notices, message)
	r.tell(Notice{message})
}

// pair pairs the tables of both sides.
func (r *run) pair(ctx context.Context) error {
	p := &pairing{expected: r.expected, found: r.found, opts: r.opts}
	if err := p.checkPatterns(); err != nil {
		return err
	}
	if err := p.tables(); err != nil {
		return err
	}
	slices.SortFunc(p.pairs, func(a, b *pair) int { return strings.Compare(a.Name, b.Name) })
	r.pairs, r.left = p.pairs, p.left
	for _, n := range p.notices {
		r.notice("%s", n)
	}
	return r.emptyExtras(ctx)
}

// emptyExtras looks whether tables that only the side found has hold rows: one
// that is declared, and that the other side does not have yet, is made and stays empty.
func (r *run) emptyExtras(ctx context.Context) error {
	for i := range r.left {
		l := &r.left[i]
		if l.Side != FoundSide || l.Counts != verify.Different || l.Column != "" {
			continue
		}
		filled, err := r.found.filled(ctx, l.Table)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			l.Counts = verify.Unknown
			l.Reason += fmt.Sprintf("; whether it holds rows could not be told: %v; %s", err, r.found.grant(l.Table))
		case filled:
			l.Reason += ", and it holds rows"
		default:
			l.Counts = verify.Same
			l.Reason += ", and it is empty"
		}
	}
	return nil
}

// openSides takes the two snapshots at the same time, so that their moments are near each other.
func (r *run) openSides(ctx context.Context) error {
	r.step("take the snapshots")
	g, gctx := errgroup.WithContext(ctx)
	for i, db := range []*database{r.expected, r.found} {
		if db == nil {
			continue
		}
		g.Go(func() error {
			s, err := db.read(gctx, r.pairs, r.opts)
			if err == nil {
				r.sides[i] = s
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for i, db := range []*database{r.expected, r.found} {
		if s, ok := r.sides[i].(*mysqlSide); ok {
			r.withoutTransactions(db, s)
		}
	}
	return nil
}

// withoutTransactions tells of tables that no transaction covers.
func (r *run) withoutTransactions(db *database, s *mysqlSide) {
	if len(s.locked) == 0 {
		return
	}
	if s.unread != nil {
		r.pairs = slices.DeleteFunc(r.pairs, func(p *pair) bool {
			_, locked := s.locked[p.Name]
			if locked {
				r.left = append(r.left, LeftOut{
					Table: p.Name, Side: db.side, Counts: verify.Unknown,
					Reason: fmt.Sprintf("the table has no transactions, and could not be locked: %v; or give --snapshot none, when nobody writes to it", s.unread),
				})
			}
			return locked
		})
		return
	}
	names := slices.Sorted(maps.Keys(s.locked))
	how := "are locked (LOCK TABLES … READ) while the sides are compared, so that their writers wait"
	if r.opts.Snapshot == mysql.SnapshotNone {
		how = "are read unlocked, as asked, and as they are at that moment"
	}
	r.notice("%s of the %s side have no transactions, such as %q: they %s", english.Plural(len(names), "table", ""), db.side, names[0], how)
}

// read takes a snapshot of the side for the tables of the pairs.
func (db *database) read(ctx context.Context, pairs []*pair, o Options) (reader, error) {
	if db.mysql != nil {
		return newMySQLSide(ctx, db, pairs, o)
	}
	return newPostgresSide(ctx, db, pairs, o)
}

// leaveDenied takes out the tables that may not be read: an attempt would only cost the session.
func (r *run) leaveDenied(ctx context.Context) error {
	for _, db := range []*database{r.expected, r.found} {
		denied := db.access.Denied
		if side, ok := r.side(db.side).(*postgresSide); ok {
			names := make([]string, len(r.pairs))
			for i, p := range r.pairs {
				names[i] = p.half(db.side).table.Name
			}
			var err error
			if denied, err = side.snapshot.Denied(ctx, db.schema.Name, names); err != nil {
				return err
			}
		}
		r.pairs = slices.DeleteFunc(r.pairs, func(p *pair) bool {
			name := p.half(db.side).table.Name
			if !slices.Contains(denied, name) {
				return false
			}
			r.left = append(r.left, LeftOut{
				Table: p.Name, Side: db.side, Counts: verify.Unknown,
				Reason: "it may not be read; let an administrator run: " + db.grant(name),
			})
			return true
		})
	}
	return nil
}

// rows compares the rows.
func (r *run) rows(ctx context.Context) ([]verify.TableResult, error) {
	planned := Planned{Tables: len(r.pairs)}
	tables := make([]verify.Table, len(r.pairs))
	for i, p := range r.pairs {
		tables[i] = p.Table
		planned.Rows, planned.Bytes = planned.Rows+p.Rows, planned.Bytes+p.Bytes
	}
	r.tell(planned)
	o := verify.Options{Jobs: r.opts.Jobs, MaxDifferences: r.opts.listed(), Memory: r.opts.Memory / 2, Masked: masked}
	if o.MaxDifferences == 0 {
		o.MaxDifferences = -1
	}
	if r.opts.Events != nil {
		o.Events = func(e verify.Event) { r.opts.Events(Rows{e}) }
	}
	return verify.Compare(ctx, r.sides[0], r.sides[1], tables, o)
}

// names are the names of the found tables by those of the expected ones.
func (r *run) names() map[string]string {
	names := map[string]string{}
	for _, p := range r.pairs {
		names[p.expected.table.Name] = p.found.table.Name
	}
	return names
}

// result puts together what is known.
func (r *run) result(began time.Time, tables []verify.TableResult) *Result {
	o := r.opts
	out := &Result{
		Expected: r.expected.end, Found: r.found.end, Prefix: r.found.prefix, Started: began, Tool: o.Tool,
		Scope:  Scope{Include: o.Include, Exclude: o.Exclude, Sample: o.Sample, Seed: o.Seed, SinceID: o.SinceID},
		Tables: tables, Left: r.left, Legal: r.legal, Notices: r.notices, Forms: r.forms(),
	}
	slices.SortStableFunc(out.Left, func(a, b LeftOut) int {
		return cmp.Or(strings.Compare(a.Table, b.Table), strings.Compare(a.Column, b.Column), strings.Compare(string(a.Side), string(b.Side)))
	})
	return out
}

// forms say how the rows of each table were compared.
func (r *run) forms() []Form {
	forms := make([]Form, len(r.pairs))
	for i, p := range r.pairs {
		f := Form{Table: p.Name, Expected: p.expected.table.Name, Found: p.found.table.Name}
		for j, c := range p.Columns {
			f.Columns = append(f.Columns, FormColumn{
				Expected: p.expected.fields[j].column, Found: p.found.fields[j].column, Type: c.Type, Key: c.Key,
			})
		}
		if len(p.Parts) > 1 || len(p.Parts) == 1 && (p.Parts[0].Lower != "" || p.Parts[0].Upper != "") {
			f.Parts = slices.Clone(p.Parts)
		}
		forms[i] = f
	}
	return forms
}

// judge sets the state to the worst of all.
func (r *Result) judge() {
	r.State = verify.Same
	for i := range r.Tables {
		r.State = worse(r.State, r.Tables[i].State)
	}
	for i := range r.Left {
		r.State = worse(r.State, r.Left[i].Counts)
	}
	for i := range r.Objects {
		r.State = worse(r.State, r.Objects[i].State)
	}
	if len(r.Tables) == 0 {
		r.State = worse(r.State, verify.Unknown)
	}
}
