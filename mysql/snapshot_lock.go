package mysql

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	driver "github.com/go-sql-driver/mysql"
)

// lockPatience is how long one attempt to get a lock waits, in seconds. Writers
// of the source queue behind the wait, so it is short. It must be, for another
// reason: a writer that waits for a row of another one, which queues behind us,
// only gets on when we step back; no server sees that they wait in a circle.
const (
	lockPatience = 1
	lockAttempts = 6
)

// errPatience ends a wait that the server itself did not end: it counts each
// of the locks that a statement needs anew.
var errPatience = errors.New("the lock could not be had in time")

// lockSession prepares a session that locks. When this program dies together
// with its machine, the server does not learn of it, so it is told not to keep
// a silent session for long. Without autocommit LOCK TABLES makes InnoDB lock
// the tables as well, which old servers need to wait for open transactions.
func lockSession(silence int) string {
	return fmt.Sprintf("SET SESSION lock_wait_timeout = %d, innodb_lock_wait_timeout = %[1]d, wait_timeout = %d, autocommit = 0, innodb_table_locks = 1",
		lockPatience, silence)
}

// lockWay is one way to hold writers back.
type lockWay struct {
	method        SnapshotMethod
	name          string
	take, release []string
	// grant is what it takes, in the words of GRANT.
	grant string
	// flushes is set when the server first closes all tables. After a failed
	// attempt, a table that a long query reads stays closed to all others
	// until that query ends: none may be running.
	flushes bool
}

// lockWays are the ways that the server knows, the least harmful one first.
func (t *taking) lockWays() []lockWay {
	server := t.db.server
	var ways []lockWay
	switch {
	case t.login.mariadb && server.AtLeast(10, 4, 1):
		ways = append(ways, lockWay{
			method: BackupStage, name: "BACKUP STAGE", grant: "RELOAD ON *.*",
			take: []string{"BACKUP STAGE START", "BACKUP STAGE BLOCK_COMMIT"}, release: []string{"BACKUP STAGE END"},
		})
	default:
		grant := "RELOAD, PROCESS ON *.*"
		if !t.login.mariadb && server.AtLeast(8, 0, 23) {
			grant = "FLUSH_TABLES, PROCESS ON *.*"
		}
		ways = append(ways, lockWay{
			method: GlobalReadLock, name: "FLUSH TABLES WITH READ LOCK", grant: grant, flushes: true,
			take: []string{"FLUSH TABLES WITH READ LOCK"}, release: []string{"UNLOCK TABLES"},
		})
	}
	if len(t.options.Tables) == 0 {
		return ways
	}
	return append(ways, lockWay{
		method: TableLocks, name: "LOCK TABLES", grant: t.db.lockTablesGrant(),
		take: []string{lockTables(t.options.Tables)}, release: []string{"UNLOCK TABLES"},
	})
}

// lockTablesGrant is what LOCK TABLES takes, in the words of GRANT.
func (db *DB) lockTablesGrant() string {
	return "LOCK TABLES ON " + QuoteIdent(db.dsn.Database) + ".*"
}

// lockTables spells the statement that locks tables against writers.
func lockTables(names []string) string {
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = QuoteIdent(name) + " READ"
	}
	return "LOCK TABLES " + strings.Join(list, ", ")
}

// withLock begins the transactions while a lock holds the writers back.
func (t *taking) withLock(ctx context.Context) error {
	for _, way := range t.lockWays() {
		not, err := t.attempt(ctx, way)
		if err != nil || not == nil {
			return err
		}
		t.reasons = append(t.reasons, fmt.Sprintf("%s: %s", way.name, not.reason))
		if not.grant != "" {
			t.grants = append(t.grants, not.grant)
		}
	}
	return t.refusal(ctx)
}

// attempt tries a way until it worked, or cannot work.
func (t *taking) attempt(ctx context.Context, way lockWay) (*lockError, error) {
	for attempt := 1; ; attempt++ {
		err := t.under(ctx, way)
		var not *lockError
		if !errors.As(err, &not) {
			return nil, err
		}
		if !not.waited || attempt == lockAttempts {
			return not, nil
		}
		// Let the writers get on that queued behind the wait.
		if err := pause(ctx, time.Duration(100*attempt)*time.Millisecond); err != nil {
			return nil, err
		}
	}
}

// lockError says why a lock was not to be had. The next one may be.
type lockError struct {
	reason, grant string
	// waited is set when somebody held it, who may let go.
	waited bool
}

// Error returns the reason.
func (e *lockError) Error() string { return e.reason }

// under takes a lock, begins the transactions and releases the lock. Whatever
// happens, closing the session gives the lock up.
func (t *taking) under(ctx context.Context, way lockWay) error {
	locker, err := openReader(ctx, t.login)
	if err != nil {
		return err
	}
	defer func() { _ = locker.Close() }()
	if err := locker.exec(ctx, lockSession(2*int(openLimit.Seconds()))); err != nil {
		return err
	}
	if way.flushes {
		if err := t.quiet(ctx, locker, way); err != nil {
			return err
		}
	}
	began := time.Now()
	if err := t.lock(ctx, locker, way.grant, way.take...); err != nil {
		return err
	}
	if err := t.beginLocked(ctx, locker); err != nil {
		return fmt.Errorf("open transactions under %s: %w", way.name, err)
	}
	for _, statement := range way.release {
		// It also shows that the session, and with it the lock, lasted until now.
		if err := locker.exec(ctx, statement); err != nil {
			return fmt.Errorf("the lock of %s may have been lost before the readers saw one moment: %w", way.name, err)
		}
	}
	t.snapshot.LockedFor = time.Since(began)
	t.begun(way.method, fmt.Sprintf("%s opened while %s held writers back for %d ms", t.count(), way.name, t.snapshot.LockedFor.Milliseconds()))
	return nil
}

// beginLocked begins the transactions, and locks the tables that have none for longer.
func (t *taking) beginLocked(ctx context.Context, locker *Reader) error {
	ctx, cancel := context.WithTimeoutCause(ctx, openLimit, fmt.Errorf("it took more than %s", openLimit))
	defer cancel()
	if err := t.holdTables(ctx); err != nil {
		return err
	}
	if err := t.snapshot.each(ctx, startSnapshot); err != nil {
		return err
	}
	var o observed
	err := locker.gtids(ctx, &o)
	if err != nil {
		return err
	}
	t.snapshot.GTID, t.named, t.snapshot.Mark = o.gtids, o.named, Mark{}
	// Not the session that locks: MariaDB's would tell the log's end, not the readers' place.
	t.snapshot.Position, err = t.snapshot.Readers[0].position(ctx)
	return err
}

// holdTables locks the tables without transactions on their own connection.
func (t *taking) holdTables(ctx context.Context) error {
	if len(t.options.NoTransactions) == 0 || t.options.Mode == SnapshotNone {
		return nil
	}
	for attempt := 1; ; attempt++ {
		err := t.holdOnce(ctx)
		var not *lockError
		if !errors.As(err, &not) {
			return err
		}
		if !not.waited || attempt == lockAttempts {
			t.reasons, t.grants = []string{"tables without transactions cannot be locked for their copy: " + not.reason}, nil
			if not.grant != "" {
				t.grants = []string{not.grant}
			}
			return t.refusal(ctx)
		}
		if err := pause(ctx, time.Duration(100*attempt)*time.Millisecond); err != nil {
			return err
		}
	}
}

// holdOnce tries it once, with a new connection: a wait that was given up has cost the last one.
func (t *taking) holdOnce(ctx context.Context) error {
	if t.snapshot.Locked != nil {
		_ = t.snapshot.Locked.Close()
		t.snapshot.Locked = nil
	}
	r, err := openReader(ctx, t.login)
	if err != nil {
		return err
	}
	t.snapshot.Locked = r
	// Their copy may pause for as long as the target makes its tables.
	if err := r.exec(ctx, lockSession(3600)); err != nil {
		return err
	}
	return t.lock(ctx, r, t.db.lockTablesGrant(), lockTables(t.options.NoTransactions))
}

// lock runs the statements that take a lock, and waits no longer than is good for the source.
func (t *taking) lock(ctx context.Context, r *Reader, grant string, statements ...string) error {
	bounded, cancel := context.WithTimeoutCause(ctx, 2*lockPatience*time.Second, errPatience)
	defer cancel()
	for _, statement := range statements {
		err := r.exec(bounded, statement)
		if err == nil {
			continue
		}
		var server *driver.MySQLError
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, errPatience), errors.As(err, &server) && server.Number == 1205: // ER_LOCK_WAIT_TIMEOUT
			// Its place in the queue holds writers back.
			_ = r.Close()
			return &lockError{waited: true, reason: "others held it for too long; " + t.blockers(ctx, r)}
		case isRefused(err):
			return &lockError{reason: "the account has not the right", grant: grant}
		case server != nil:
			return &lockError{reason: err.Error()}
		default:
			return err
		}
	}
	return nil
}

// SnapshotError is the refusal to read without one moment of the source.
type SnapshotError struct {
	// Readers is how many should have seen it.
	Readers int
	// Reasons say, one for each way that was tried, why it was not possible.
	Reasons []string
	// Grants are statements of which any one would open a way; empty when no right is missing.
	Grants []string
}

// Error names the reasons, and the statements that would help.
func (e *SnapshotError) Error() string {
	text := fmt.Sprintf("no moment of the source could be had that all of %d readers see: %s", e.Readers, strings.Join(e.Reasons, "; "))
	if len(e.Grants) > 0 {
		text += "; let an administrator run: " + strings.Join(e.Grants, "; or: ")
	}
	return text
}

// refusal makes the error.
func (t *taking) refusal(ctx context.Context) error {
	e := &SnapshotError{Readers: len(t.snapshot.Readers), Reasons: t.reasons}
	account, err := t.snapshot.Readers[0].all(ctx, "SELECT CURRENT_USER()")
	if err != nil {
		return errors.Join(e, err)
	}
	for _, g := range t.grants {
		e.Grants = append(e.Grants, grantTo(g, account[0][0]))
	}
	return e
}

// grantTo spells a GRANT for an account as CURRENT_USER() tells it.
func grantTo(what, account string) string {
	user, host := account, "%"
	if i := strings.LastIndexByte(account, '@'); i >= 0 {
		user, host = account[:i], account[i+1:]
	}
	return fmt.Sprintf("GRANT %s TO %s@%s", what, QuoteString(user), QuoteString(host))
}
