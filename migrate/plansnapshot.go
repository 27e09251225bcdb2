package migrate

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/moodledb/moodledb/mysql"
)

// planSnapshot looks whether, and how, one moment of the source can be had.
func (m *maker) planSnapshot(ctx context.Context, access mysql.Access) error {
	p := m.plan
	p.Snapshot = SnapshotPlan{Mode: m.opts.Snapshot, Readers: p.readers()}
	ways, err := m.source.SnapshotWays(ctx, access)
	if err != nil {
		return err
	}
	if p.Snapshot.Mode != mysql.SnapshotLock {
		if ways.LockFree {
			p.Snapshot.Ways = append(p.Snapshot.Ways, mysql.LockFree)
		}
		if p.Snapshot.Readers == 1 {
			p.Snapshot.Ways = append(p.Snapshot.Ways, mysql.OneReader)
		}
	}
	switch {
	case p.Snapshot.Mode == mysql.SnapshotNone:
		p.Snapshot.Ways = append(p.Snapshot.Ways, mysql.Unproven)
	case p.Snapshot.Mode == mysql.SnapshotLock || p.Snapshot.Readers > 1:
		p.Snapshot.Ways = append(p.Snapshot.Ways, ways.Locks...)
	}
	m.snapshotFindings(access, ways)
	m.uncovered(access, ways)
	return nil
}

// otherWays is what a user can do who gets no right.
const otherWays = "or give --jobs 1, which needs no right; or --snapshot none, when nothing writes to the source"

// snapshotFindings says which right is missing.
func (m *maker) snapshotFindings(access mysql.Access, ways mysql.SnapshotWays) {
	p := m.plan
	run := "let an administrator run: " + strings.Join(ways.Grants, "; or: ") + "; " + otherWays
	switch {
	case p.Snapshot.Mode == mysql.SnapshotLock && len(ways.Locks) == 0:
		m.find(Finding{
			Code: "snapshot-no-right", Severity: Blocker, Object: access.Account,
			Message: fmt.Sprintf("the account %s may not lock the source", access.Account), Hint: run,
		})
	case len(p.Snapshot.Ways) == 0:
		m.find(Finding{
			Code: "snapshot-no-right", Severity: Blocker, Object: access.Account,
			Message: fmt.Sprintf("that %d readers see one moment of the source can neither be shown nor enforced by the account %s", p.Snapshot.Readers, access.Account),
			Hint:    run,
		})
	case p.Snapshot.Mode == mysql.SnapshotAuto && p.Snapshot.Readers > 1 && len(ways.Locks) == 0:
		m.find(Finding{
			Code: "snapshot-no-lock", Severity: Warning, Object: access.Account,
			Message: fmt.Sprintf("the account %s may not lock the source: the run is refused when the source is written to while the readers open", access.Account),
			Hint:    "put the site into maintenance mode; or " + run,
		})
	case p.Snapshot.Mode == mysql.SnapshotNone && p.Snapshot.Readers > 1:
		m.find(Finding{
			Code: "snapshot-none", Severity: Warning,
			Message: "no lock is taken, as asked: the readers may see different moments of the source when it is written to while they open",
			Hint:    "make sure that nothing writes to it, or leave --snapshot none out",
		})
	}
}

// uncovered deals with tables that no transaction covers.
func (m *maker) uncovered(access mysql.Access, ways mysql.SnapshotWays) {
	p := m.plan
	for i := range p.Tables {
		t := &p.Tables[i]
		if !t.Copy || !t.NoTransactions {
			continue
		}
		f := Finding{
			Code: "no-transactions", Severity: Warning, Table: t.Source,
			Message: fmt.Sprintf("storage engine %s has no transactions: the table is locked (LOCK TABLES … READ) from before the snapshot until it is copied, so that its writers wait", t.source.StorageEngine),
			Hint:    "ALTER TABLE … ENGINE=InnoDB first, if they may not",
		}
		switch {
		case p.Snapshot.Mode == mysql.SnapshotNone:
			p.Snapshot.Unlocked = append(p.Snapshot.Unlocked, t.Source)
			f.Message = fmt.Sprintf("storage engine %s has no transactions: the table is read unlocked, as asked, and as it is at that moment, outside of the snapshot", t.source.StorageEngine)
			f.Hint = "put the site into maintenance mode, or ALTER TABLE … ENGINE=InnoDB first"
		case ways.LockTables:
			p.Snapshot.Locked = append(p.Snapshot.Locked, t.Source)
		default:
			f.Severity = Blocker
			f.Message = fmt.Sprintf("storage engine %s has no transactions, and the account %s may not lock the table for its copy", t.source.StorageEngine, access.Account)
			f.Hint = fmt.Sprintf("let an administrator run: %s; or ALTER TABLE … ENGINE=InnoDB; or give --snapshot none, when nothing writes to the source", ways.TablesGrant)
		}
		m.find(f)
	}
	slices.Sort(p.Snapshot.Locked)
	slices.Sort(p.Snapshot.Unlocked)
}

// reading is what the plan asks of a snapshot.
func (p *Plan) reading() mysql.SnapshotOptions {
	o := mysql.SnapshotOptions{Mode: p.Snapshot.Mode, Readers: p.readers(), Spares: 1, NoTransactions: p.Snapshot.Locked, Check: p.verifies() && p.Sample > 0}
	for i := range p.Tables {
		if t := &p.Tables[i]; t.Copy {
			o.Tables = append(o.Tables, t.Source)
		}
	}
	return o
}
