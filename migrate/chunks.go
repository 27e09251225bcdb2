package migrate

import (
	"context"
	"fmt"
	"strings"

	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/postgres"
)

// planLoad decides how the rows of each table travel: in parts by key, frozen
// in one transaction, or plainly.
func (m *maker) planLoad(ctx context.Context) error {
	p := m.plan
	for i := range p.Tables {
		t := &p.Tables[i]
		if !t.Copy {
			continue
		}
		if t.divisible && !t.NoTransactions && t.Bytes >= 2*p.Chunk {
			ranges, err := m.source.Chunks(ctx, &t.source, p.Chunk)
			if err != nil {
				return fmt.Errorf("divide table %q: %w", t.Source, err)
			}
			if len(ranges) > 1 {
				for _, r := range ranges {
					t.Chunks = append(t.Chunks, Chunk{Range: r, Where: t.key.Where(r)})
				}
			}
		}
		switch {
		case len(t.Chunks) > 0 && t.creates:
			// Each transaction that ends would call it; it would find nothing to do.
			t.Before = append(t.Before, postgres.SetVacuum(p.Load, t.Target, true))
			t.Finish = append(t.Finish, postgres.SetVacuum(p.Load, t.Target, false))
		case len(t.Chunks) == 0 && t.Bytes >= freezeFrom && (t.creates || p.Truncate && !t.target.Partitioned):
			t.freezeSQL = postgres.FreezeStatement(p.Load, t.Target, t.targetColumns())
		}
	}
	return nil
}

// rangeQuery reads the rows of a part of the table.
func (t *Table) rangeQuery(r mysql.Range) string {
	return mysql.Select(t.source.Name, t.expressions, t.key.Selection(r))
}

// covered checks that the parts of a table hold every key once: each begins
// where another one ends, from the one without a lower to the one without an upper bound.
func (t *Table) covered(chunks []postgres.ChunkRecord) error {
	if len(chunks) == 0 {
		return nil
	}
	byLower := map[string]*postgres.ChunkRecord{}
	for i := range chunks {
		c := &chunks[i]
		if err := t.key.Fits(mysql.Range{Lower: c.Lower, Upper: c.Upper}); err != nil {
			return fmt.Errorf("the ledger's chunks of table %q do not fit its key: %w", t.Target, err)
		}
		byLower[bound(c.Lower)] = c
	}
	at, seen := bound(nil), 0
	for range chunks {
		c := byLower[at]
		if c == nil {
			return fmt.Errorf("the ledger's chunks of table %q leave a gap at %s: someone has changed them; start over", t.Target, at)
		}
		seen++
		if at = bound(c.Upper); c.Upper == nil {
			break
		}
	}
	if at != bound(nil) || seen != len(chunks) {
		return fmt.Errorf("the ledger's chunks of table %q overlap or do not reach the end: someone has changed them; start over", t.Target)
	}
	return nil
}

// bound is a place in the order of the key as text.
func bound(b []string) string {
	if b == nil {
		return "an open end"
	}
	return "(" + strings.Join(b, ", ") + ")"
}

// targetColumns are the names of the copied columns in the target.
func (t *Table) targetColumns() []string {
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = c.Target
	}
	return names
}
