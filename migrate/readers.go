package migrate

import (
	"context"
	"fmt"
	"time"

	"github.com/moodledb/moodledb/copy"
	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/postgres"
)

// source adapts a reader to what package copy asks for.
type source struct{ reader *mysql.Reader }

func (s source) Query(ctx context.Context, query string) (copy.Rows, error) {
	return s.reader.Query(ctx, query)
}

// copier copies tables with one reader after the other.
type copier struct {
	run    *run
	reader *mysql.Reader
	conn   *postgres.Conn
	builds chan<- task
}

// copyAll takes tables from the queue until it is empty.
func (c *copier) copyAll(ctx context.Context, queue <-chan *tableState) error {
	for s := range queue {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := c.copyOne(ctx, s); err != nil {
			return err
		}
		c.copied(s)
	}
	return nil
}

// copied lets the builders begin.
func (c *copier) copied(s *tableState) {
	parts := split(s.plan)
	s.pending.Store(int64(len(parts)))
	for _, p := range parts {
		c.builds <- task{state: s, builds: p}
	}
}

// copyOne copies a table. When the reader's connection is lost meanwhile, a
// spare one of the same moment starts the table anew: PostgreSQL keeps nothing
// of a COPY that did not end.
func (c *copier) copyOne(ctx context.Context, s *tableState) error {
	for {
		err := c.run.loadTable(ctx, c.reader, c.conn, s)
		if err == nil || ctx.Err() != nil {
			return err
		}
		lost := c.reader.Lost(ctx)
		if lost == nil || ctx.Err() != nil {
			return err
		}
		select {
		case c.reader = <-c.run.spares:
		default:
			return fmt.Errorf("%w: a connection to the source was lost (%w), and no spare one is left that sees the same moment: start again", err, lost)
		}
		c.run.mu.Lock()
		c.run.snapshot.Lost++
		c.run.mu.Unlock()
		c.run.send(Notice{Message: fmt.Sprintf("table %q is started anew: its connection to the source was lost (%s), and a spare one that sees the same moment takes its place", s.plan.Target, lost)})
		c.run.send(TableProgress{Table: s.plan.Target})
	}
}

// copyLocked copies the tables without transactions, and gives up their locks.
func (c *copier) copyLocked(ctx context.Context, locked *mysql.Reader, states []*tableState) error {
	for _, s := range states {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := c.run.loadTable(ctx, locked, c.conn, s)
		if err == nil {
			c.copied(s)
			continue
		}
		if ctx.Err() == nil && locked.Lost(ctx) != nil {
			return fmt.Errorf("%w: the connection that held the table locked was lost, so it may have been written to: start again", err)
		}
		return err
	}
	// The tables were only read: an error on closing changes nothing.
	_ = locked.Close()
	c.run.mu.Lock()
	defer c.run.mu.Unlock()
	for _, s := range states {
		c.run.snapshot.Tables = append(c.run.snapshot.Tables, s.plan.Source)
	}
	c.run.snapshot.TablesLockedFor = time.Since(c.run.opened)
	return nil
}
