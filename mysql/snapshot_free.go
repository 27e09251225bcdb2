package mysql

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	driver "github.com/go-sql-driver/mysql"
)

// snapshotAttempts is how often the readers' transactions are begun anew
// when the source was written to in between.
const snapshotAttempts = 12

// withoutLock begins the transactions without holding anybody back; done is
// false when a lock has to help. Tables without transactions are locked before,
// so that they stand at the same moment.
func (t *taking) withoutLock(ctx context.Context) (done bool, err error) {
	s := t.snapshot
	if err := t.holdTables(ctx); err != nil {
		return false, err
	}
	why, err := t.beginFree(ctx)
	switch {
	case err != nil || s.Consistent:
		return true, err
	case len(s.Readers) == 1:
		// One transaction needs no proof, but a spare one of another moment is none.
		for _, r := range s.Spares {
			_ = r.Close()
		}
		s.Spares = nil
		s.dropCheck("it was not shown to see the moment of the reader: " + why)
		t.begun(OneReader, "one reader, one transaction")
		return true, nil
	case t.options.Mode == SnapshotNone:
		s.Method, s.How = Unproven, why
		s.dropCheck("the readers were not shown to see one moment, so that it could differ from them: " + why)
		return true, nil
	}
	t.reasons = append(t.reasons, why)
	if s.Locked != nil {
		// A lock on the server would wait for this one.
		err = s.Locked.exec(ctx, "UNLOCK TABLES")
	}
	return false, err
}

// beginFree starts the transactions, and starts them again while the source is
// written to. It returns why it could not be shown that they see one moment.
func (t *taking) beginFree(ctx context.Context) (why string, err error) {
	attempts := snapshotAttempts
	if len(t.snapshot.Readers) == 1 && t.snapshot.Check == nil {
		attempts = 3 // only the spare reader depends on it
	}
	logged, err := t.logsAll(ctx)
	if err != nil {
		return "", err
	}
	for attempt := range attempts {
		if attempt > 0 {
			if err := t.snapshot.each(ctx, "ROLLBACK"); err != nil {
				return "", err
			}
			// Sites write in bursts, one page view each; wait for a gap.
			if err := pause(ctx, time.Duration(attempt)*20*time.Millisecond); err != nil {
				return "", err
			}
		}
		before, err := t.observe(ctx)
		if err != nil {
			return "", err
		}
		if err := t.snapshot.each(ctx, startSnapshot); err != nil {
			return "", err
		}
		after, err := t.observe(ctx)
		if err != nil {
			return "", err
		}
		if err := t.judge(ctx, logged, before, after); err != nil || t.snapshot.Consistent {
			return "", err
		}
		if !before.any(logged) {
			return "without a lock it cannot be seen whether the source was written to meanwhile (with the right PROCESS it could)", nil
		}
	}
	return fmt.Sprintf("the source was written to in each of %d attempts to open the readers at one moment without a lock", attempts), nil
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
	// owned are MySQL's transaction ids that are being committed, gtids those
	// that are committed. An id is owned from before its transaction is in the
	// binary log until after it shows in InnoDB; then it is among gtids.
	owned, gtids string
	// named is set when every transaction of MySQL gets such an id (but those that
	// an administrator keeps out of the binary log).
	named bool
	// counter is InnoDB's next transaction number; empty when it may not be read.
	counter string
	// writers is the number of InnoDB's transactions that have written and not ended.
	writers int
	// mariadb says whose words these are.
	mariadb bool
}

// any reports whether it could be told from this that nothing was written.
// That MySQL's binary log stands still tells nothing: transactions that are in
// it already become visible later, one by one.
func (o observed) any(logged bool) bool {
	return o.counter != "" || logged && (o.named || o.mariadb && o.binlog != "")
}

// judge compares what was observed around the start of the transactions.
func (t *taking) judge(ctx context.Context, logged bool, before, after observed) error {
	s := t.snapshot
	s.Consistent, s.Position, s.GTID, s.Mark = false, "", "", Mark{}
	t.named = before.named && after.named
	if before.binlog == after.binlog {
		s.Position = after.binlog
	}
	if before.gtids == after.gtids {
		s.GTID = after.gtids
	}
	if logged && after.mariadb {
		if same, position, err := t.sessionPositions(ctx); err != nil {
			return err
		} else if same {
			s.Position = position
			t.begun(LockFree, fmt.Sprintf("%s see binary log position %s, as each transaction reports", t.count(), position))
			return nil
		}
	}
	still := before.counter != "" && before.counter == after.counter && before.writers == 0
	if still {
		s.Mark.Counter = after.counter
	}
	switch {
	case still:
		t.begun(LockFree, fmt.Sprintf("%s: InnoDB had no writing transaction while they opened (next number %s before and after)", t.count(), after.counter))
	case logged && before.named && after.named && after.owned == "" && before.gtids == after.gtids:
		t.begun(LockFree, fmt.Sprintf("%s: no transaction was committed while they opened, as gtid_executed and gtid_owned tell", t.count()))
	}
	return nil
}

// logsAll reports whether it is known that all that is written at the server
// goes to its binary log: no database is filtered out, and it is no MariaDB
// replica that logs only what is its own.
func (t *taking) logsAll(ctx context.Context) (bool, error) {
	r := t.snapshot.Readers[0]
	values, err := pairs(ctx, r, "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('log_bin', 'log_slave_updates', 'binlog_do_db', 'binlog_ignore_db')")
	if err != nil || values["log_bin"] != "ON" {
		return false, err
	}
	if t.login.mariadb {
		status, err := pairs(ctx, r, "SHOW GLOBAL STATUS LIKE 'Slaves_running'")
		if err != nil {
			return false, err
		}
		if n := status["slaves_running"]; n != "" && n != "0" && values["log_slave_updates"] != "ON" {
			return false, nil
		}
	}
	if do, known := values["binlog_do_db"]; known {
		return do == "" && values["binlog_ignore_db"] == "", nil
	}
	// Where they are no variables only this statement tells, which takes a right.
	rows, err := r.binlogStatus(ctx)
	if err != nil || len(rows) == 0 || len(rows[0]) < 4 {
		return false, err
	}
	return rows[0][2] == "" && rows[0][3] == "", nil
}

// pairs reads a result of two columns, with the names in lower case.
func pairs(ctx context.Context, x session, query string) (map[string]string, error) {
	rows, err := x.all(ctx, query)
	if err != nil {
		return nil, err
	}
	values := map[string]string{}
	for _, row := range rows {
		if len(row) == 2 {
			values[strings.ToLower(row[0])] = row[1]
		}
	}
	return values, nil
}

// sessionPositions compares the binary log positions of the transactions
// themselves, which MariaDB (not MySQL) tells when it writes a binary log.
func (t *taking) sessionPositions(ctx context.Context) (same bool, position string, err error) {
	for i, x := range t.snapshot.sessions() {
		at, err := binlogSnapshot(ctx, x)
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
func binlogSnapshot(ctx context.Context, x session) (string, error) {
	status, err := pairs(ctx, x, "SHOW STATUS WHERE Variable_name IN ('Binlog_snapshot_file', 'Binlog_snapshot_position')")
	if err != nil || status["binlog_snapshot_file"] == "" {
		return "", err
	}
	return status["binlog_snapshot_file"] + ":" + status["binlog_snapshot_position"], nil
}

// observe reads what the rights of the user allow.
func (t *taking) observe(ctx context.Context) (observed, error) {
	o := observed{mariadb: t.login.mariadb}
	r := t.snapshot.Readers[0]
	rows, err := r.all(ctx, "SHOW ENGINE INNODB STATUS")
	switch {
	case isRefused(err):
	case err != nil:
		return o, err
	case len(rows) > 0 && len(rows[0]) >= 3:
		t.sees = true
		o.counter, o.writers = parseInnodbStatus(rows[0][2])
	}
	if err := r.gtids(ctx, &o); err != nil {
		return o, err
	}
	o.binlog, err = r.position(ctx)
	return o, err
}

// gtids reads the global transaction ids. What is owned is read first: see [observed].
func (r *Reader) gtids(ctx context.Context, o *observed) error {
	// Without a binary log transactions get no id, whatever the mode.
	queries := []string{"SELECT IF(@@GLOBAL.log_bin, @@GLOBAL.gtid_mode, 'OFF')", "SELECT @@GLOBAL.gtid_owned", "SELECT @@GLOBAL.gtid_executed"}
	if r.login.mariadb {
		queries = []string{"SELECT ''", "SELECT ''", "SELECT @@GLOBAL.gtid_binlog_pos"}
	}
	var values []string
	for _, q := range queries {
		rows, err := r.all(ctx, q)
		if err != nil {
			return err
		}
		if len(rows) != 1 || len(rows[0]) != 1 {
			return fmt.Errorf("%s returned no value", q)
		}
		values = append(values, rows[0][0])
	}
	// A set of several servers is printed on several lines.
	o.named, o.owned, o.gtids = values[0] == "ON", values[1], strings.Join(strings.Fields(values[2]), "")
	return nil
}

// position reads the end of the binary log, or in a transaction of MariaDB the
// place that it sees, as file:position; empty when there is none or it may not be read.
func (r *Reader) position(ctx context.Context) (string, error) {
	if r.login.mariadb {
		return binlogSnapshot(ctx, r)
	}
	rows, err := r.binlogStatus(ctx)
	if err != nil || len(rows) == 0 || len(rows[0]) < 2 {
		return "", err
	}
	return rows[0][0] + ":" + rows[0][1], nil
}

// binlogStatus asks for the end of the binary log and what is filtered out of
// it; no rows when there is none or the account may not know.
func (r *Reader) binlogStatus(ctx context.Context) ([][]string, error) {
	rows, err := r.all(ctx, "SHOW MASTER STATUS")
	if isSyntax(err) {
		// The name that MySQL has for it since 8.2.
		rows, err = r.all(ctx, "SHOW BINARY LOG STATUS")
	}
	if isRefused(err) {
		return nil, nil
	}
	return rows, err
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
