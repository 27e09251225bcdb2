package proof

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sync/errgroup"

	"github.com/moodledb/moodledb/fingerprint"
	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/verify"
)

// Repaired is the outcome of a [Repair].
type Repaired struct {
	// Tables are those whose rows differed, by name.
	Tables []RepairedTable
}

// RepairedTable is what became of a table.
type RepairedTable struct {
	Table string
	// Inserted rows were missing, Deleted ones were too many, Updated ones had other values.
	Inserted, Deleted, Updated int64
	// Problem says why the table is as it was; empty when it is repaired.
	Problem string
	// Masked is Problem without values of rows.
	Masked string
}

// Whole reports whether every table is repaired.
func (r *Repaired) Whole() bool {
	return !slices.ContainsFunc(r.Tables, func(t RepairedTable) bool { return t.Problem != "" })
}

// errOnlyPostgres is the error of what cannot be repaired.
var errOnlyPostgres = errors.New("rows can be repaired in PostgreSQL only: migrate again, or change them by hand")

// CheckRepair says, before hours of reading, why rows of a database could not be repaired: a server
// that cannot be written to, or a right that the role lacks on the database.
func CheckRepair(ctx context.Context, found Source) error {
	if found.DSN.Engine.IsMySQL() {
		return errOnlyPostgres
	}
	db, err := postgres.Open(ctx, found.DSN)
	if err != nil {
		return err
	}
	defer db.Close()
	return db.MayRepair(ctx)
}

// Repair makes the rows of the found side, which must be PostgreSQL, those of
// the expected one, in the tables that differ by the result of [Compare]. Both
// sides are read again where they differed. Of each table exactly the rows that differ are touched, in one transaction, in
// which writers are kept out of the table, and which ends only when these parts of it are the same.
// A table to which somebody has written there since it was compared is left as it is.
//
// What goes wrong with a table is its Problem: it is as it was, and the others
// go on. Options must be those of the comparison.
func Repair(ctx context.Context, expected, found Source, past *Result, o Options) (_ *Repaired, err error) {
	if found.DSN.Engine.IsMySQL() {
		return nil, errOnlyPostgres
	}
	out := &Repaired{}
	if len(differing(past)) == 0 {
		return out, nil
	}
	if o, err = o.withDefaults(); err != nil {
		return nil, err
	}
	o.Jobs = 1
	r := &repair{past: past}
	if r.run, err = start(ctx, &expected, &found, o); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.run.close()) }()
	if err := r.prepare(ctx); err != nil {
		return nil, err
	}
	if r.target, err = postgres.Open(ctx, found.DSN); err != nil {
		return nil, err
	}
	defer r.target.Close()
	if err := r.target.MayRepair(ctx); err != nil {
		return nil, err
	}
	for _, t := range differing(past) {
		r.step("repair table " + t.Name)
		done, err := r.table(ctx, t)
		if ctx.Err() != nil {
			return out, ctx.Err()
		}
		if err != nil {
			done = RepairedTable{Problem: err.Error(), Masked: masked(err)}
		}
		done.Table = t.Name
		out.Tables = append(out.Tables, done)
	}
	return out, nil
}

// differing are the tables of which rows differ.
func differing(past *Result) (list []*verify.TableResult) {
	for i := range past.Tables {
		if t := &past.Tables[i]; len(t.Differing) > 0 {
			list = append(list, t)
		}
	}
	return list
}

// repair is one call of [Repair].
type repair struct {
	*run
	past *Result
	// ledger says what a migration's policy has changed; that is left as it is.
	ledger *ledger
	// target has the sessions that write.
	target *postgres.DB
}

// prepare pairs the tables as they are now, and takes a snapshot of the expected side.
func (r *repair) prepare(ctx context.Context) (err error) {
	if err := r.pair(ctx); err != nil {
		return err
	}
	r.pairs = slices.DeleteFunc(r.pairs, func(p *pair) bool {
		return !slices.ContainsFunc(differing(r.past), func(t *verify.TableResult) bool { return t.Name == p.Name })
	})
	if len(r.pairs) == 0 {
		return nil
	}
	if r.ledger, err = r.readLedger(ctx); err != nil {
		return err
	}
	r.sides[0], err = r.expected.read(ctx, r.pairs, r.opts)
	return err
}

// pairOf is the pair of a table; nil when there is none any more.
func (r *repair) pairOf(name string) *pair {
	i := slices.IndexFunc(r.pairs, func(p *pair) bool { return p.Name == name })
	if i < 0 {
		return nil
	}
	return r.pairs[i]
}

// attempts is how often the repair of a table is begun, when what it reads or writes with is lost, or another session is in the way.
const attempts = 3

// table repairs a table. An attempt that fails leaves nothing behind.
func (r *repair) table(ctx context.Context, t *verify.TableResult) (done RepairedTable, err error) {
	p := r.pairOf(t.Name)
	if err := r.refuse(t, p); err != nil {
		return done, err
	}
	for n := 1; ; n++ {
		var again bool
		before := done
		done, again, err = r.attempt(ctx, p, t)
		if err == nil && done == (RepairedTable{}) {
			done = before // the commit before was done, and only its answer was lost
		}
		if err == nil || !again || n == attempts || ctx.Err() != nil {
			return done, err
		}
	}
}

// attempt repairs a table in one transaction. It may be tried again where what failed may pass.
func (r *repair) attempt(ctx context.Context, p *pair, t *verify.TableResult) (done RepairedTable, again bool, err error) {
	conn, err := r.target.Acquire(ctx)
	if err != nil {
		return done, postgres.Transient(err), err
	}
	defer conn.Release()
	err = conn.Transact(ctx, func() error {
		done, err = r.replace(ctx, conn, p, t)
		return err
	})
	var lost *verify.AgainError
	var server *pgconn.PgError
	if errors.As(err, &server) && server.Code == "55P03" {
		return done, false, err // it has been waited for already
	}
	return done, conn.Lost() || errors.As(err, &lost) || postgres.Transient(err), err
}

// refuse stops what cannot be right.
func (r *repair) refuse(t *verify.TableResult, p *pair) error {
	if p == nil {
		return errors.New("one of the sides has no such table any more: compare again")
	}
	for _, f := range r.past.Forms {
		if f.Table != t.Name {
			continue
		}
		same := len(f.Columns) == len(p.Columns)
		for i := range p.Columns {
			same = same && f.Columns[i].Found == p.Columns[i].Name && f.Columns[i].Type == p.Columns[i].Type && f.Columns[i].Key == p.Columns[i].Key
		}
		if !same {
			return errors.New("its columns or its key changed since it was compared: compare again")
		}
	}
	return nil
}

// replace makes the rows of the parts that differ the same, in the transaction of conn.
func (r *repair) replace(ctx context.Context, conn *postgres.Conn, p *pair, t *verify.TableResult) (done RepairedTable, err error) {
	to := &targetSide{conn: conn, pair: p, sql: &postgresSide{db: r.found}}
	var columns []postgres.RepairColumn
	for _, c := range p.Columns {
		columns = append(columns, postgres.RepairColumn{Name: c.Name, Type: c.Type, Key: c.Key})
	}
	repair, err := conn.BeginRepair(ctx, r.found.schema.Name, p.found.table.Name, columns)
	if err != nil {
		return done, err
	}
	var all verify.Differing
	for i, part := range t.Differing {
		if err := r.gather(ctx, repair, to, part, t.DifferingFound[i], &all); err != nil {
			return done, err
		}
	}
	n, err := repair.Apply(ctx)
	if err != nil {
		return done, err
	}
	if n.Inserted != all.Missing || n.Deleted != all.Extra || n.Updated != all.Changed {
		return done, fmt.Errorf("%d rows were added, %d taken away and %d changed, where %d, %d and %d had to be; a trigger or a rule of the table may be in the way: repair it by hand",
			n.Inserted, n.Deleted, n.Updated, all.Missing, all.Extra, all.Changed)
	}
	for i := range p.found.table.Columns {
		if c := &p.found.table.Columns[i]; c.Sequence != "" && c.AutoIncrement && kind(c.Type.Name) == kindWhole {
			if err := repair.RaiseSequence(ctx, c.Name, c.Sequence); err != nil {
				return done, err
			}
		}
	}
	if err := r.check(ctx, p, to, t.Differing); err != nil {
		return done, err
	}
	return RepairedTable{Inserted: n.Inserted, Deleted: n.Deleted, Updated: n.Updated}, nil
}

// gather sends the rows of a part that differ to the temporary tables of the
// repair, and counts them in all. Where the found side has other rows than it had when it was
// compared, somebody has written to it, and nobody has agreed to lose that.
func (r *repair) gather(ctx context.Context, repair *postgres.RowRepair, to *targetSide, part verify.Part, compared fingerprint.Sum, all *verify.Differing) (err error) {
	d, err := verify.FindRows(ctx, r.sides[0], to, &to.pair.Table, part, verify.Options{Memory: r.opts.Memory / 2})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if r.ledger.touched(to.pair) {
		if _, err := r.explain(ctx, r.ledger, to.pair, d); err != nil {
			return err
		}
	}
	if d.Found() != compared && d.Missing+d.Extra+d.Changed > 0 {
		return fmt.Errorf("rows were written to the table since it was compared (among %s), and would be lost: keep its users out, and compare again", part)
	}
	d.First = all.First
	if err := r.sendPlaces(ctx, repair, to, part, d); err != nil {
		return err
	}
	if err := r.send(ctx, repair, d); err != nil {
		return err
	}
	all.Missing, all.Extra, all.Changed, all.First = all.Missing+d.Missing, all.Extra+d.Extra, all.Changed+d.Changed, all.First+d.Numbers
	return nil
}

// sendPlaces streams the places of the rows of the found side that differ into the repair.
func (r *repair) sendPlaces(ctx context.Context, repair *postgres.RowRepair, to *targetSide, part verify.Part, d *verify.Differing) error {
	in, out := io.Pipe()
	g, ctx := errgroup.WithContext(ctx)
	read := make(chan struct{})
	g.Go(func() error {
		places := postgres.NewRowPlaces(out)
		var once sync.Once
		// The session that gives the rows is the one that takes their places.
		begin := func() { once.Do(func() { close(read) }) }
		defer begin()
		stream := func(ctx context.Context, w io.Writer) error { return to.withPlaces(ctx, part, w) }
		err := d.EachFound(ctx, 2, stream, func(number int64, place []fingerprint.Field) error {
			begin()
			return places.Add(number, place[0].Start, place[1].Start)
		})
		if err == nil {
			begin()
			err = places.End()
		}
		out.CloseWithError(err)
		return err
	})
	g.Go(func() error {
		<-read
		err := repair.AddOld(ctx, in)
		in.CloseWithError(errors.Join(err, io.ErrClosedPipe))
		return err
	})
	return g.Wait()
}

// send streams the rows that differ from the expected side into the repair.
func (r *repair) send(ctx context.Context, repair *postgres.RowRepair, d *verify.Differing) error {
	in, out := io.Pipe()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		err := d.WriteExpected(ctx, out)
		out.CloseWithError(err)
		return err
	})
	g.Go(func() error {
		n, err := repair.AddNew(ctx, in)
		in.CloseWithError(errors.Join(err, io.ErrClosedPipe))
		var e *pgconn.PgError
		switch {
		case errors.As(err, &e) && (e.Code == "22P03" || e.Code == "08P01"):
			return fmt.Errorf("a value of the expected side is none of its column's type: %w; change it there", err)
		case err == nil && n != d.Missing+d.Changed:
			return fmt.Errorf("%d rows were sent where %d had to be", n, d.Missing+d.Changed)
		}
		return err
	})
	return g.Wait()
}

// check compares the parts once more, as the transaction sees them.
func (r *repair) check(ctx context.Context, p *pair, to *targetSide, parts []verify.Part) error {
	t := p.Table
	t.Parts = parts
	results, err := verify.Compare(ctx, r.sides[0], to, []verify.Table{t}, verify.Options{Jobs: 1, MaxDifferences: 1, Memory: r.opts.Memory / 2, Masked: masked})
	if err != nil {
		return err
	}
	if results[0].State == verify.Different && r.ledger.touched(p) {
		if err := r.excuseTable(ctx, r.ledger, p, &results[0], to); err != nil {
			return err
		}
	}
	switch result := results[0]; result.State {
	case verify.Same:
		return nil
	case verify.Different:
		return fmt.Errorf("%d rows still differed after the repair, which was taken back; a trigger may change them, or a column may not hold their values: repair them by hand",
			result.Missing+result.Extra+result.Changed)
	default:
		return fmt.Errorf("it could not be told whether the repair was right, so that it was taken back: %w", &worded{result.Problem, result.Masked})
	}
}

// targetSide reads the found side in the transaction of the repair.
type targetSide struct {
	conn *postgres.Conn
	pair *pair
	sql  *postgresSide
}

// Stream implements [verify.Side].
func (s *targetSide) Stream(ctx context.Context, _ *verify.Table, p verify.Part, w io.Writer) error {
	return s.stream(ctx, s.pair.found.fields, p, w)
}

// withPlaces adds the columns that tell where rows are.
func (s *targetSide) withPlaces(ctx context.Context, p verify.Part, w io.Writer) error {
	fields := slices.Clone(s.pair.found.fields)
	for _, name := range postgres.RowPlace() {
		fields = append(fields, field{expression: name})
	}
	return s.stream(ctx, fields, p, w)
}

// stream leaves the transaction as it was, also when the reading is stopped.
func (s *targetSide) stream(ctx context.Context, fields []field, p verify.Part, w io.Writer) error {
	h := half{table: s.pair.found.table, fields: fields}
	statement := s.sql.statement(&h, where(postgres.QuoteIdent(s.pair.keyOf(FoundSide)), p))
	return s.sql.hinted(h.table, s.conn.Attempt(ctx, func() error { return s.conn.CopyTo(ctx, statement, w) }))
}
