package copy

import (
	"context"
	"fmt"
	"maps"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/moodledb/moodledb/convert"
)

// refuse makes the error of a row that PostgreSQL refused: a [*RetryError] when
// the policy can deal with it in another attempt.
func (job Job) refuse(ctx context.Context, src Source, refused *pgconn.PgError, g *guard) error {
	if g == nil {
		line, column := job.place(refused)
		if line == 0 {
			return fmt.Errorf("table %q: %w", job.Table, said(refused))
		}
		return job.locate(ctx, src, refused, line, column)
	}
	if badText(refused) && job.Policy.text() && !g.repair.scan {
		// There is no need to know the row: all texts will be looked at.
		return &RetryError{
			Repair: &Repair{scan: true, refused: g.repair.refused},
			Err:    fmt.Errorf("table %q: %w", job.Table, said(refused)),
		}
	}
	line, column := job.place(refused)
	if line == 0 {
		return fmt.Errorf("table %q: %w", job.Table, said(refused))
	}
	// Rows that were set aside were read but not sent.
	row, err := g.touched.rowOf(line)
	if err != nil {
		return err
	}
	found := job.locate(ctx, src, refused, row, column)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	kind := found.Kind()
	if kind != convert.Refused || job.Policy.rule(kind) != convert.FixQuarantine {
		found.Advice = job.Policy.advice(kind, nil)
		return found
	}
	if found.Advice = g.cannotSkip(job, refused, row); found.Advice != "" || found.Note != "" {
		return found
	}
	repair := &Repair{scan: g.repair.scan, refused: maps.Clone(g.repair.refused)}
	if repair.refused == nil {
		repair.refused = map[int64]refusedRow{}
	}
	repair.refused[row] = refusedRow{column: column, reason: said(refused).Error()}
	return &RetryError{Repair: repair, Err: found}
}

// cannotSkip says why a refused row cannot be set aside; empty when it can.
func (g *guard) cannotSkip(job Job, refused *pgconn.PgError, row int64) string {
	_, known := g.repair.refused[row]
	switch {
	case !job.KeyOrdered:
		return "the policy cannot set it aside: without a key, the rows may come in another order the next time"
	case known, unreadable(refused):
		return "the policy cannot set it aside: the fault does not lie in the row"
	case len(g.repair.refused) >= maxRefused:
		return fmt.Sprintf("the policy sets no more rows of this table aside: %d were refused by PostgreSQL one by one already, and each costs another copy", maxRefused)
	}
	return ""
}

// badText reports whether PostgreSQL refused bytes in a text: zero bytes, or
// what is not UTF-8.
func badText(e *pgconn.PgError) bool { return e.Code == "22021" }

// unreadable reports whether PostgreSQL could not read what we sent: an error of
// ours, and no row's.
func unreadable(e *pgconn.PgError) bool { return e.Code == "22P03" || e.Code == "22P04" }
