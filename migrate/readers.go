package migrate

import (
	"context"
	"slices"
	"time"

	"github.com/dustin/go-humanize/english"

	"github.com/moodledb/moodledb/mysql"
)

// sources are the connections to the source that see the moment that is copied.
type sources struct {
	// readers work, one for each stream; nil in the place of one that is lost.
	readers []*mysql.Reader
	// spares stand by.
	spares []*mysql.Reader
}

// readers are the connections that work.
func (r *run) readers() []*mysql.Reader {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sources.readers = slices.DeleteFunc(r.sources.readers, func(x *mysql.Reader) bool { return x == nil })
	return slices.Clone(r.sources.readers)
}

// spare replaces a lost reader. Without a spare one it returns nil, and how many others work.
func (r *run) spare(number int) (next *mysql.Reader, others int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.snapshot.Lost++
	s := &r.sources
	if n := len(s.spares); n > 0 {
		next, s.spares = s.spares[n-1], s.spares[:n-1]
	}
	s.readers[number] = next
	for _, x := range s.readers {
		if x != nil {
			others++
		}
	}
	return next, others
}

// unlock gives up the locks on tables without transactions, which are all copied.
func (r *run) unlock() {
	// The tables were only read: an error on closing changes nothing.
	_ = r.locked.Close()
	r.locked = nil
	r.mu.Lock()
	defer r.mu.Unlock()
	r.snapshot.Tables = slices.Clone(r.plan.Snapshot.Locked)
	r.snapshot.TablesLockedFor = time.Since(r.opened)
}

// holdOn marks the schema as being worked in, and marks it again when the
// session that did so was lost. What the server still does there for sessions
// that were lost, or for an attempt that was killed, is ended: an index that is
// built behind our back would be built twice.
func (r *run) holdOn(ctx context.Context) error {
	if r.hold != nil && r.hold.Lost(ctx) {
		r.letGo(ctx)
	}
	if r.hold == nil {
		hold, err := r.target.HoldSchema(ctx, r.plan.Load)
		if err != nil {
			return err
		}
		r.hold = hold
	}
	ended, err := r.target.EndLeftovers(ctx, r.plan.Load)
	if err == nil && ended > 0 {
		r.send(Notice{Message: english.Plural(ended, "session", "") + " of the target worked on for a connection that is gone, and had to be ended"})
	}
	return err
}

// letGo ends the mark on the schema.
func (r *run) letGo(ctx context.Context) {
	if r.hold != nil {
		r.hold.Release(ctx)
		r.hold = nil
	}
}
