package mysql

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// process is a line of the process list.
type process struct {
	id            uint64
	user, host    string
	database      string
	command, info string
	state         string
	seconds       int
}

// String says what a person needs to find it and to judge it.
func (p process) String() string {
	what := fmt.Sprintf("running for %d s: %q", p.seconds, brief(p.info))
	switch {
	case p.command == "Sleep":
		what = fmt.Sprintf("idle for %d s", p.seconds)
	case p.info == "":
		what = fmt.Sprintf("%s for %d s", p.command, p.seconds)
	}
	return fmt.Sprintf("connection %d (%s@%s), %s", p.id, p.user, p.host, what)
}

// brief cuts a statement to what names it.
func brief(statement string) string {
	const most = 80
	statement = strings.Join(strings.Fields(statement), " ")
	if len(statement) <= most {
		return statement
	}
	return strings.ToValidUTF8(statement[:most], "") + "..."
}

// processes reads the process list, as much of it as the account may see,
// without this program's own connections and the server's own threads.
func (t *taking) processes(ctx context.Context, own ...*Reader) ([]process, error) {
	rows, err := t.snapshot.Readers[0].all(ctx, "SHOW FULL PROCESSLIST")
	if err != nil {
		return nil, err
	}
	ours := map[uint64]bool{}
	for _, r := range slices.Concat(own, t.snapshot.all()) {
		ours[r.id] = true
	}
	if c := t.snapshot.Check; c != nil {
		ours[c.id] = true
	}
	var list []process
	for _, row := range rows {
		if len(row) < 8 {
			continue
		}
		p := process{user: row[1], host: row[2], database: row[3], command: row[4], state: row[6], info: row[7]}
		if p.id, err = strconv.ParseUint(row[0], 10, 64); err != nil || ours[p.id] {
			continue
		}
		if p.seconds, err = strconv.Atoi(row[5]); err != nil {
			continue // a connection that is only being made has no time
		}
		if p.command != "Daemon" && p.user != "system user" && p.user != "event_scheduler" && !strings.HasPrefix(p.command, "Binlog Dump") {
			list = append(list, p)
		}
	}
	slices.SortStableFunc(list, func(a, b process) int { return cmp.Compare(b.seconds, a.seconds) })
	return list, nil
}

// running reports whether a process works on something for at least some
// seconds, and does not wait for another one itself.
func (p process) running(seconds int) bool {
	return p.command != "Sleep" && p.seconds >= seconds && !strings.HasPrefix(p.state, "Waiting for")
}

// quiet refuses to flush tables while a query runs, or when that cannot be seen.
func (t *taking) quiet(ctx context.Context, locker *Reader, way lockWay) error {
	if !t.sees {
		// With SnapshotLock nobody has asked yet.
		if _, err := t.observe(ctx); err != nil {
			return err
		}
	}
	if !t.sees {
		return &lockError{reason: "the account may not see whether a long query is in its way, or has not the right", grant: way.grant}
	}
	list, err := t.processes(ctx, locker)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(list, func(p process) bool { return p.running(2) && p.info != "" })
	if i < 0 {
		return nil
	}
	return &lockError{reason: fmt.Sprintf("it would wait for %s", list[i])}
}

// blockers says who holds what a lock was waited for, as far as it can be seen.
func (t *taking) blockers(ctx context.Context, waiting *Reader) string {
	// Idle connections of our own pool hold nothing, and would be taken for others'.
	t.db.sql.SetMaxIdleConns(0)
	t.db.sql.SetMaxIdleConns(maxConns)
	const unseen = "what holds it cannot be seen (SHOW PROCESSLIST, with the right PROCESS, would tell)"
	list, err := t.processes(ctx, waiting)
	if err != nil {
		return unseen
	}
	open := t.openTransactions(ctx)
	// Who waits behind us gets on after each attempt, and so never runs for long.
	const patient = lockPatience * lockAttempts / 2
	for _, fits := range []func(process) bool{
		func(p process) bool { return p.running(patient) },
		func(p process) bool { return open[p.id] && p.seconds >= patient },
		func(p process) bool {
			return p.command == "Sleep" && p.seconds >= patient && strings.EqualFold(p.database, t.db.dsn.Database)
		},
	} {
		var found []string
		for _, p := range list {
			if len(found) < 3 && fits(p) {
				found = append(found, p.String())
			}
		}
		if len(found) > 0 {
			return "what holds it is likely " + strings.Join(found, ", or ")
		}
	}
	return unseen
}

// openTransactions are the connections that have an open transaction in InnoDB;
// none when the account may not see them.
func (t *taking) openTransactions(ctx context.Context) map[uint64]bool {
	open := map[uint64]bool{}
	rows, err := t.snapshot.Readers[0].all(ctx, "SELECT trx_mysql_thread_id FROM information_schema.innodb_trx")
	if err != nil {
		return open
	}
	for _, row := range rows {
		if id, err := strconv.ParseUint(row[0], 10, 64); err == nil {
			open[id] = true
		}
	}
	return open
}
