package mysql

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
)

// SnapshotMode says what may be done so that all readers see one moment.
type SnapshotMode string

// The modes of a snapshot.
const (
	// SnapshotAuto tries without a lock, then with one, and refuses when neither can be had.
	SnapshotAuto SnapshotMode = "auto"
	// SnapshotLock takes a lock at once.
	SnapshotLock SnapshotMode = "lock"
	// SnapshotNone locks nothing and goes on when one moment could not be shown.
	SnapshotNone SnapshotMode = "none"
)

// SnapshotModes lists the modes.
func SnapshotModes() []SnapshotMode { return []SnapshotMode{SnapshotAuto, SnapshotLock, SnapshotNone} }

// SnapshotMethod is how a snapshot was obtained.
type SnapshotMethod string

// The ways to a snapshot.
const (
	// OneReader: there is only one transaction.
	OneReader SnapshotMethod = "one-reader"
	// LockFree: it was shown that nothing was committed while the transactions were begun.
	LockFree SnapshotMethod = "lock-free"
	// BackupStage: MariaDB's BACKUP STAGE held commits back meanwhile.
	BackupStage SnapshotMethod = "backup-stage"
	// GlobalReadLock: FLUSH TABLES WITH READ LOCK held all writes back meanwhile.
	GlobalReadLock SnapshotMethod = "global-read-lock"
	// TableLocks: LOCK TABLES … READ on the tables that are read held their writers back meanwhile.
	TableLocks SnapshotMethod = "table-locks"
	// Unproven: nothing was locked, and one moment could not be shown.
	Unproven SnapshotMethod = "unproven"
)

// SnapshotOptions say what a snapshot is for.
type SnapshotOptions struct {
	// Mode is what may be done; empty means SnapshotAuto.
	Mode SnapshotMode
	// Readers is the number of readers.
	Readers int
	// Spares is the number of further readers of the same moment, which take
	// the place of those that are lost. There may be fewer in the end.
	Spares int
	// Check asks for [Snapshot.Check].
	Check bool
	// Tables are the tables that will be read. Only they are locked where no
	// lock on the whole server can be had.
	Tables []string
	// NoTransactions are those of Tables that no transaction covers. Unless the
	// mode is SnapshotNone they are locked before the moment of the snapshot,
	// and stay so until [Snapshot.Locked] is closed.
	NoTransactions []string
}

// Snapshot is a set of readers, each in a read-only transaction of its own.
type Snapshot struct {
	// Readers are the streaming connections.
	Readers []*Reader
	// Spares are further readers of the same moment.
	Spares []*Reader
	// Check is a session of the same moment that reads by other code than the readers; nil when it was
	// not asked for, or was not to be had: then NoCheck says why. It does not see Locked's tables.
	Check   *Check
	NoCheck string
	// Locked reads the tables without transactions, which it holds locked
	// (LOCK TABLES … READ) until it is closed; nil when there are none. It sees
	// only those tables.
	Locked *Reader
	// Consistent says that all readers were shown to see the same moment of the
	// source. False means that it could not be shown, not that they differ.
	Consistent bool
	Method     SnapshotMethod
	// How says, in one sentence, how that was shown, or why it could not be and
	// what would help.
	How string
	// Position is the place of the snapshot in the source's binary log, as
	// file:position; empty when it is not known.
	Position string
	// GTID is the same as a set of global transaction ids; empty when there are none, or it is not known.
	GTID string
	// Mark tells the moment apart from others.
	Mark Mark
	// LockedFor is how long writers of the source were held back while the
	// transactions were begun, the wait for the lock included.
	LockedFor time.Duration
}

// openLimit bounds how long the connections of a snapshot may wait, while the
// source is locked, for what takes milliseconds.
const openLimit = 10 * time.Second

// startSnapshot begins a transaction that sees one moment; both servers know the statement.
const startSnapshot = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"

// Snapshot opens streaming connections, each in a transaction of its own that
// only reads, all of them seeing the same moment. When that can neither be
// shown nor be had by a lock the error is a *[SnapshotError], except with
// SnapshotNone: see [Snapshot.Consistent].
func (db *DB) Snapshot(ctx context.Context, o SnapshotOptions) (*Snapshot, error) {
	if o.Readers < 1 {
		return nil, fmt.Errorf("a snapshot needs at least one reader, not %d", o.Readers)
	}
	t := &taking{db: db, login: db.login(), options: o, snapshot: &Snapshot{}}
	if err := t.take(ctx); err != nil {
		// Nothing was read yet: why a connection does not close adds nothing.
		_ = t.snapshot.Close()
		return nil, fmt.Errorf("open %d readers: %w", o.Readers, err)
	}
	return t.snapshot, nil
}

// Close ends the transactions and closes all connections.
func (s *Snapshot) Close() error {
	var errs []error
	for _, r := range s.all() {
		errs = append(errs, r.Close())
	}
	if s.Locked != nil {
		errs = append(errs, s.Locked.Close())
	}
	if s.Check != nil {
		errs = append(errs, s.Check.Close())
	}
	return errors.Join(errs...)
}

// all are the readers and the spare ones.
func (s *Snapshot) all() []*Reader { return slices.Concat(s.Readers, s.Spares) }

// session is a connection that sees the moment of a snapshot.
type session interface {
	exec(ctx context.Context, statement string) error
	all(ctx context.Context, query string) ([][]string, error)
}

// sessions are all that see the moment: readers, spare ones, and the one that checks them.
func (s *Snapshot) sessions() []session {
	var list []session
	for _, r := range s.all() {
		list = append(list, r)
	}
	if s.Check != nil {
		list = append(list, s.Check)
	}
	return list
}

// dropCheck gives the session up that checks the readers.
func (s *Snapshot) dropCheck(why string) {
	if s.Check != nil {
		// It was not used: why it does not close adds nothing.
		_ = s.Check.Close()
		s.Check, s.NoCheck = nil, why
	}
}

// each runs a statement in all sessions at once, so that little time passes between the first and the last.
func (s *Snapshot) each(ctx context.Context, statement string) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, x := range s.sessions() {
		group.Go(func() error { return x.exec(ctx, statement) })
	}
	return group.Wait()
}

// taking is the state while a snapshot is taken.
type taking struct {
	db       *DB
	login    login
	options  SnapshotOptions
	snapshot *Snapshot
	// reasons say why a way was not possible, grants what would make it so.
	reasons []string
	grants  []string
	// sees is set when the account may see the whole process list.
	sees bool
	// named is set when every transaction of MySQL has a global id.
	named bool
}

// take opens the connections and finds a moment for them.
func (t *taking) take(ctx context.Context) error {
	if err := t.open(ctx); err != nil {
		return err
	}
	if err := t.begin(ctx); err != nil {
		return err
	}
	return t.mark(ctx)
}

// begin begins the transactions without a lock where that can be, else with one.
func (t *taking) begin(ctx context.Context) error {
	if t.options.Mode != SnapshotLock {
		done, err := t.withoutLock(ctx)
		if err != nil || done {
			return err
		}
	}
	return t.withLock(ctx)
}

// open opens all connections. A server that is full gives no spare one, and none that checks.
func (t *taking) open(ctx context.Context) error {
	s, o := t.snapshot, t.options
	readers := make([]*Reader, o.Readers+o.Spares)
	group, groupCtx := errgroup.WithContext(ctx)
	for i := range readers {
		group.Go(func() error {
			r, err := openReader(groupCtx, t.login)
			if i >= o.Readers && errors.Is(err, ErrTooManyConnections) {
				return nil
			}
			readers[i] = r
			return err
		})
	}
	err := group.Wait()
	gone := func(r *Reader) bool { return r == nil }
	s.Readers = slices.DeleteFunc(readers[:o.Readers:o.Readers], gone)
	s.Spares = slices.DeleteFunc(readers[o.Readers:], gone)
	if err != nil || !o.Check {
		return err
	}
	// Only now, so that it takes no reader's place.
	s.Check, err = openCheck(ctx, t.db)
	if errors.Is(err, ErrTooManyConnections) {
		s.NoCheck = "the server takes no further connection"
		return nil
	}
	return err
}

// begun notes which way it was that worked.
func (t *taking) begun(method SnapshotMethod, how string) {
	t.snapshot.Consistent, t.snapshot.Method, t.snapshot.How = true, method, how
}

// count names the readers in a sentence.
func (t *taking) count() string {
	if n := len(t.snapshot.Readers); n > 1 {
		return fmt.Sprintf("all %d readers", n)
	}
	return "the reader"
}
