package proof

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/moodledb/moodledb/copy"
	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/verify"
)

// mysqlSide reads MySQL or MariaDB, by readers that see one moment. It is a [verify.Side].
type mysqlSide struct {
	snapshot *mysql.Snapshot
	tables   map[string]*half
	keys     map[string]string
	options  copy.Options

	free chan *mysql.Reader
	// dead is closed with the last reader that is lost.
	dead chan struct{}
	// locked serves the tables that are read by a session of their own, one at a time.
	locked map[string]bool
	lock   sync.Mutex
	// unread is why these tables cannot be read; nil when they can.
	unread *mysql.SnapshotError

	mu     sync.Mutex
	spares []*mysql.Reader
	living int
}

// newMySQLSide takes a snapshot for the tables of the pairs.
func newMySQLSide(ctx context.Context, db *database, pairs []*pair, o Options) (*mysqlSide, error) {
	s := &mysqlSide{
		tables: map[string]*half{}, keys: map[string]string{}, locked: map[string]bool{}, dead: make(chan struct{}),
		options: copy.Options{Buffer: int(min(max(o.Memory/32/int64(o.Jobs), 64<<10), 256<<10))},
	}
	options := mysql.SnapshotOptions{Mode: o.Snapshot, Readers: o.Jobs, Spares: 1}
	for _, p := range pairs {
		h := p.half(db.side)
		s.tables[p.Name], s.keys[p.Name] = h, p.keyOf(db.side)
		options.Tables = append(options.Tables, h.table.Name)
		if e := h.table.StorageEngine; e != "" && !strings.EqualFold(e, "InnoDB") {
			options.NoTransactions = append(options.NoTransactions, h.table.Name)
			s.locked[p.Name] = o.Snapshot != mysql.SnapshotNone
		}
	}
	refused, err := s.take(ctx, db, options)
	if err != nil {
		return nil, fmt.Errorf("the %s side: %w", db.side, err)
	}
	s.free = make(chan *mysql.Reader, len(s.snapshot.Readers)+len(s.snapshot.Spares))
	for _, r := range s.snapshot.Readers {
		s.free <- r
	}
	s.spares, s.living = s.snapshot.Spares, len(s.snapshot.Readers)
	db.end.Position, db.end.Consistent, db.end.How = s.snapshot.Position, s.snapshot.Consistent, s.snapshot.How
	if refused != nil {
		db.end.How += ", which is slower than several: " + refused.Error()
	}
	if s.snapshot.GTID != "" {
		db.end.Position = strings.TrimSpace(db.end.Position + " GTID " + s.snapshot.GTID)
	}
	return s, nil
}

// take takes the snapshot. Several sessions that see one moment take more than
// the right to SELECT, as do tables without transactions; a single session does not. The refusal of
// more is returned besides.
func (s *mysqlSide) take(ctx context.Context, db *database, o mysql.SnapshotOptions) (refused *mysql.SnapshotError, err error) {
	s.snapshot, err = db.mysql.Snapshot(ctx, o)
	if o.Mode != mysql.SnapshotAuto || !errors.As(err, &refused) {
		return nil, err
	}
	o.Readers, o.Spares = 1, 0
	s.snapshot, err = db.mysql.Snapshot(ctx, o)
	var again *mysql.SnapshotError
	if len(o.NoTransactions) == 0 || !errors.As(err, &again) {
		return refused, err
	}
	o.NoTransactions, s.unread = nil, again
	s.snapshot, err = db.mysql.Snapshot(ctx, o)
	return refused, err
}

// Stream implements [verify.Side].
func (s *mysqlSide) Stream(ctx context.Context, t *verify.Table, p verify.Part, w io.Writer) error {
	h := s.tables[t.Name]
	if h == nil {
		return fmt.Errorf("table %q was not asked for", t.Name)
	}
	job := copy.Job{Table: h.table.Name}
	var expressions []string
	for i, f := range h.fields {
		expressions = append(expressions, f.expression)
		job.Columns = append(job.Columns, copy.Column{Source: f.column, Target: f.column, Rule: f.rule, Key: t.Columns[i].Key})
	}
	selection := mysql.Selection{Where: where(mysql.QuoteIdent(s.keys[t.Name]), p)}
	if selection.Where != "" {
		// A range lies together in the order of this key; the server might prefer another index.
		if key, ok := mysql.ChunkKeyOf(h.table); ok {
			selection.Index = key.Index
		}
	}
	job.Query = mysql.Select(h.table.Name, expressions, selection)
	if s.locked[t.Name] {
		if s.unread != nil {
			return fmt.Errorf("the table has no transactions, and could not be locked: %w", s.unread)
		}
		s.lock.Lock()
		defer s.lock.Unlock()
		err := s.encode(ctx, s.snapshot.Locked, job, w)
		if err != nil && ctx.Err() == nil && s.snapshot.Locked.Lost(context.WithoutCancel(ctx)) != nil {
			err = fmt.Errorf("%w; the connection that held the table locked was lost, and with it the moment: compare again", err)
		}
		return err
	}
	return s.withReader(ctx, job, w)
}

// where is the predicate of a part; "" for all rows.
func where(key string, p verify.Part) string {
	if p.Own != "" {
		return p.Own
	}
	var terms []string
	if p.Lower != "" {
		terms = append(terms, key+" >= "+p.Lower)
	}
	if p.Upper != "" {
		terms = append(terms, key+" < "+p.Upper)
	}
	return strings.Join(terms, " AND ")
}

// withReader runs a job with a reader that is not in use, and with another one
// when that is lost before it has given anything.
func (s *mysqlSide) withReader(ctx context.Context, job copy.Job, w io.Writer) error {
	for {
		var r *mysql.Reader
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.dead:
			return errors.New("the last connection that sees the moment that is compared was lost: start again")
		case r = <-s.free:
		}
		out := &counter{w: w}
		err := s.encode(ctx, r, job, out)
		if err == nil || r.Lost(context.WithoutCancel(ctx)) == nil {
			s.free <- r
			return err
		}
		s.replace()
		switch {
		case ctx.Err() != nil:
			return err
		case out.n > 0:
			return &verify.AgainError{Err: err}
		}
	}
}

// replace puts a spare reader in the place of one that was lost.
func (s *mysqlSide) replace() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.spares) > 0 {
		s.free <- s.spares[0]
		s.spares = s.spares[1:]
		return
	}
	if s.living--; s.living == 0 {
		close(s.dead)
	}
}

// patience is how long a reader may take to notice that nobody wants its rows any more.
const patience = 5 * time.Second

// encode streams a job. A reader whose context ends is lost, and with it a
// view of the moment. So the end of ctx only stops the writing, as the failure of the
// other side of a part does; the reader goes on, unless it does not obey.
func (s *mysqlSide) encode(ctx context.Context, r *mysql.Reader, job copy.Job, w io.Writer) error {
	inner, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(patience, cancel) })()
	_, err := copy.Encode(inner, source{r}, job, &untilDone{ctx, w}, s.options)
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// close ends the transactions.
func (s *mysqlSide) close() error {
	// They have only read: why a connection does not close, such as one that was lost, adds nothing.
	_ = s.snapshot.Close()
	return nil
}

// source adapts a reader to what package copy asks for.
type source struct{ reader *mysql.Reader }

func (s source) Query(ctx context.Context, query string) (copy.Rows, error) {
	return s.reader.Query(ctx, query)
}

// untilDone is a writer that fails once a context has ended.
type untilDone struct {
	ctx context.Context
	w   io.Writer
}

func (u *untilDone) Write(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.w.Write(p)
}

// counter counts what passes.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
