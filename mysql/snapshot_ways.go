package mysql

import (
	"context"
	"fmt"
	"slices"
)

// SnapshotWays says what an account can do for a snapshot, as its rights and the server's settings tell.
type SnapshotWays struct {
	// LockFree is set when it can be told without a lock that nothing was
	// written, provided that nothing was.
	LockFree bool
	// Locks are the locks that the account may take.
	Locks []SnapshotMethod
	// LockTables is set when it may lock tables.
	LockTables bool
	// Grants are statements of which any one would allow a lock; TablesGrant is
	// the one that would allow to lock tables.
	Grants      []string
	TablesGrant string
}

// SnapshotWays finds out what could be done for a snapshot, without locking
// anything. access is what [DB.Access] returned.
func (db *DB) SnapshotWays(ctx context.Context, access Access) (ways SnapshotWays, err error) {
	// A name that is never used: what matters is that there are tables.
	t := &taking{db: db, login: db.login(), options: SnapshotOptions{Readers: 1, Tables: []string{"x"}}, snapshot: &Snapshot{}}
	if err := t.open(ctx); err != nil {
		return ways, fmt.Errorf("look for ways to a snapshot: %w", err)
	}
	defer func() { _ = t.snapshot.Close() }()
	logged, err := t.logsAll(ctx)
	if err != nil {
		return ways, fmt.Errorf("look for ways to a snapshot: %w", err)
	}
	o, err := t.observe(ctx)
	if err != nil {
		return ways, fmt.Errorf("look for ways to a snapshot: %w", err)
	}
	ways.LockFree, ways.LockTables = o.any(logged), access.Has("LOCK TABLES")
	ways.TablesGrant = grantTo(db.lockTablesGrant(), access.Account)
	for _, way := range t.lockWays() {
		allowed := ways.LockTables
		if way.method != TableLocks {
			allowed = access.global("RELOAD", "FLUSH_TABLES") && (t.sees || !way.flushes)
		}
		if allowed {
			ways.Locks = append(ways.Locks, way.method)
		}
		ways.Grants = append(ways.Grants, grantTo(way.grant, access.Account))
	}
	return ways, nil
}

// global reports whether the user has any of some privileges on the server.
func (a Access) global(privileges ...string) bool {
	return slices.ContainsFunc(append(privileges, "ALL PRIVILEGES"), func(p string) bool { return slices.Contains(a.Global, p) })
}
