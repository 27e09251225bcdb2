package mysql

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	driver "github.com/go-sql-driver/mysql"
	"golang.org/x/sync/errgroup"

	"github.com/moodledb/moodledb/schema"
)

// Snapshot is a set of readers, each in a read-only transaction of its own.
type Snapshot struct {
	// Readers are the streaming connections.
	Readers []*Reader
	// Consistent says that all readers were shown to see the same moment of the
	// source. False means that it could not be shown, not that they differ.
	Consistent bool
	// How says, in one sentence, how that was shown, or why it could not be and
	// what would help.
	How string
	// Position is the place of the snapshot in the source's binary log, as
	// file:position; empty when it is not known.
	Position string
}

// Readers opens n streaming connections, each in a transaction of its own that
// only reads, all of them seeing the same moment if that can be had without a
// lock: see [Snapshot.Consistent].
func (db *DB) Readers(ctx context.Context, n int) (*Snapshot, error) {
	s, err := openSnapshot(ctx, login{dsn: db.dsn, transport: db.transport, mariadb: db.server.Engine == schema.MariaDB}, n)
	if err != nil {
		return nil, fmt.Errorf("open %d readers: %w", n, err)
	}
	return s, nil
}

// snapshotAttempts is how often the readers' transactions are begun anew
// when the source was written to in between.
const snapshotAttempts = 12

// startSnapshot begins a transaction that sees one moment; both servers know the statement.
const startSnapshot = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"

// Close ends the transactions and closes all connections.
func (s *Snapshot) Close() error {
	var errs []error
	for _, r := range s.Readers {
		errs = append(errs, r.Close())
	}
	return errors.Join(errs...)
}

// openSnapshot opens n readers and begins their transactions without any lock,
// again and again until it is shown that nothing was written in between.
func openSnapshot(ctx context.Context, l login, n int) (*Snapshot, error) {
	if n < 1 {
		return nil, fmt.Errorf("a snapshot needs at least one reader, not %d", n)
	}
	s := &Snapshot{Readers: make([]*Reader, n)}
	group, groupCtx := errgroup.WithContext(ctx)
	for i := range s.Readers {
		group.Go(func() error {
			r, err := openReader(groupCtx, l)
			s.Readers[i] = r
			return err
		})
	}
	err := group.Wait()
	if err == nil {
		err = s.begin(ctx)
	}
	if err == nil {
		return s, nil
	}
	for _, r := range s.Readers {
		if r != nil {
			err = errors.Join(err, r.Close())
		}
	}
	return nil, err
}

// begin starts the transactions, and starts them again while the source is written to.
func (s *Snapshot) begin(ctx context.Context) error {
	for attempt := range snapshotAttempts {
		if attempt > 0 {
			if err := s.each(ctx, "ROLLBACK"); err != nil {
				return err
			}
			// Sites write in bursts, one page view each; wait for a gap.
			if err := pause(ctx, time.Duration(attempt)*20*time.Millisecond); err != nil {
				return err
			}
		}
		before, err := s.observe(ctx)
		if err != nil {
			return err
		}
		if err := s.each(ctx, startSnapshot); err != nil {
			return err
		}
		after, err := s.observe(ctx)
		if err != nil {
			return err
		}
		if err := s.judge(ctx, before, after); err != nil || s.Consistent || !before.any() {
			return err
		}
	}
	s.How = fmt.Sprintf("the source was written to in each of %d attempts to open %d readers at one moment; "+
		"put the site into maintenance mode, or read with one reader", snapshotAttempts, len(s.Readers))
	return nil
}

// each runs a statement on all readers at once, so that little time passes between the first and the last.
func (s *Snapshot) each(ctx context.Context, statement string) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, r := range s.Readers {
		group.Go(func() error { return r.exec(ctx, statement) })
	}
	return group.Wait()
}

// pause waits, or returns the cause of ctx's end.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// observed is what can be known about writes at one moment.
type observed struct {
	// binlog is file:position of the binary log's end; empty when there is none or it may not be read.
	binlog string
	// gtids are MySQL's executed transactions. A commit first moves binlog,
	// then shows in InnoDB, then here; so the two together enclose it.
	gtids string
	// counter is InnoDB's next transaction number; empty when it may not be read.
	counter string
	// writers is the number of InnoDB's transactions that have written and not ended.
	writers int
	// denied names the rights that were missing, the most useful one first.
	denied []string
}

// any reports whether anything at all could be observed.
func (o observed) any() bool { return o.binlog != "" || o.counter != "" }

// judge compares what was observed around the start of the transactions.
func (s *Snapshot) judge(ctx context.Context, before, after observed) error {
	s.Consistent, s.Position = false, ""
	if same, position, err := s.sessionPositions(ctx); err != nil {
		return err
	} else if same {
		s.Consistent, s.Position = true, position
		s.How = fmt.Sprintf("%s see binary log position %s, as each transaction reports", s.count(), position)
		return nil
	}
	if before.binlog == after.binlog {
		s.Position = after.binlog
	}
	switch {
	case len(s.Readers) == 1:
		s.Consistent = true
		s.How = "one reader, one transaction"
	case before.counter != "" && before.counter == after.counter && before.writers == 0:
		s.Consistent = true
		s.How = fmt.Sprintf("%s: InnoDB had no writing transaction while they opened (next number %s before and after)", s.count(), after.counter)
	case !s.Readers[0].login.mariadb && before.binlog != "" && before.binlog == after.binlog && before.gtids == after.gtids:
		s.Consistent = true
		s.How = fmt.Sprintf("%s: the binary log stood at %s before and after they opened", s.count(), after.binlog)
	case !before.any():
		s.How = "it cannot be shown that the readers see one moment of the source"
		if len(before.denied) > 0 {
			s.How += fmt.Sprintf("; let an administrator run: GRANT %s ON *.* TO the account", before.denied[0])
		}
	}
	return nil
}

// count names the readers in a sentence.
func (s *Snapshot) count() string {
	if len(s.Readers) == 1 {
		return "the one reader"
	}
	return fmt.Sprintf("all %d readers", len(s.Readers))
}

// sessionPositions compares the binary log positions of the transactions
// themselves, which MariaDB (not MySQL) tells when it writes a binary log.
func (s *Snapshot) sessionPositions(ctx context.Context) (same bool, position string, err error) {
	if !s.Readers[0].login.mariadb {
		return false, "", nil
	}
	for i, r := range s.Readers {
		at, err := r.binlogSnapshot(ctx)
		if err != nil || at == "" || (i > 0 && at != position) {
			return false, "", err
		}
		position = at
	}
	return true, position, nil
}

// binlogSnapshot asks MariaDB for the place of the session's snapshot in the
// binary log, as file:position, which needs no right. Outside of a transaction
// it is the log's end; without a log it is empty.
func (r *Reader) binlogSnapshot(ctx context.Context) (string, error) {
	rows, err := r.all(ctx, "SHOW STATUS WHERE Variable_name IN ('Binlog_snapshot_file', 'Binlog_snapshot_position')")
	if err != nil {
		return "", err
	}
	status := map[string]string{}
	for _, row := range rows {
		if len(row) == 2 {
			status[strings.ToLower(row[0])] = row[1]
		}
	}
	if status["binlog_snapshot_file"] == "" {
		return "", nil
	}
	return status["binlog_snapshot_file"] + ":" + status["binlog_snapshot_position"], nil
}

// observe reads what the rights of the user allow.
func (s *Snapshot) observe(ctx context.Context) (observed, error) {
	var o observed
	r := s.Readers[0]
	rows, err := r.all(ctx, "SHOW ENGINE INNODB STATUS")
	switch {
	case isRefused(err):
		o.denied = append(o.denied, "PROCESS")
	case err != nil:
		return o, err
	case len(rows) > 0 && len(rows[0]) >= 3:
		o.counter, o.writers = parseInnodbStatus(rows[0][2])
	}
	if r.login.mariadb {
		o.binlog, err = r.binlogSnapshot(ctx)
		return o, err
	}
	rows, err = r.all(ctx, "SHOW BINARY LOG STATUS")
	if isSyntax(err) {
		// MySQL before 8.2 knows the old name only.
		rows, err = r.all(ctx, "SHOW MASTER STATUS")
	}
	switch {
	case isRefused(err):
		o.denied = append(o.denied, "REPLICATION CLIENT")
	case err != nil:
		return o, err
	case len(rows) > 0 && len(rows[0]) >= 2:
		o.binlog = rows[0][0] + ":" + rows[0][1]
		if len(rows[0]) >= 5 {
			o.gtids = rows[0][4]
		}
	}
	return o, nil
}

// isSyntax reports whether the server does not know a statement.
func isSyntax(err error) bool {
	var e *driver.MySQLError
	return errors.As(err, &e) && e.Number == 1064
}

// isRefused reports whether the server denied a statement for lack of rights.
func isRefused(err error) bool {
	var e *driver.MySQLError
	if !errors.As(err, &e) {
		return false
	}
	switch e.Number {
	case 1044, 1045, 1142, 1227: // access denied in its variants
		return true
	}
	return false
}

// parseInnodbStatus finds the next transaction number and counts the
// transactions that have written. Those have a number below the next one;
// transactions that only read show an address instead, or a number far above.
// A list that was cut short proves nothing, so it gives no number.
func parseInnodbStatus(text string) (counter string, writers int) {
	var next uint64
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if rest, ok := strings.CutPrefix(line, "Trx id counter "); ok {
			n, err := strconv.ParseUint(strings.TrimSpace(rest), 10, 64)
			if err != nil {
				return "", 0
			}
			next, counter = n, strings.TrimSpace(rest)
			continue
		}
		if strings.HasPrefix(line, "... truncated") {
			return "", 0
		}
		rest, ok := strings.CutPrefix(line, "---TRANSACTION ")
		if !ok {
			continue
		}
		number, state, _ := strings.Cut(rest, ",")
		if strings.HasPrefix(strings.TrimSpace(state), "not started") {
			continue
		}
		if n, err := strconv.ParseUint(number, 10, 64); err == nil && n < next {
			writers++
		}
	}
	return counter, writers
}
