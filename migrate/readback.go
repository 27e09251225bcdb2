package migrate

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/moodledb/moodledb/fingerprint"
	"github.com/moodledb/moodledb/postgres"
)

// readBackPart is the size of the parts in which a large table is read back, in
// bytes as they were sent: several sessions share the work, and the last part of a run is short.
const readBackPart = 32 << 20

// check is a piece of the reading back: of several small tables, of one table, or of some pages of one.
type check struct {
	states []*tableState
	// part says that pages are those of a large table, others are read apart.
	part  bool
	pages postgres.Pages
}

// reading is how far a table is read back.
type reading struct {
	sum   fingerprint.Sum
	bytes int64
	took  time.Duration
	// parts is the number of parts that are not read yet.
	parts int
}

// verifies reports whether what arrived is read back.
func (p *Plan) verifies() bool { return p.Verify != VerifyNone }

// complete reports whether nothing of a table is missing.
func (p *Plan) complete(state postgres.TableState, copies bool) bool {
	return state == postgres.TableVerified || state == postgres.TableDone && !(copies && p.verifies())
}

// unverified reports whether the table is to be read back now.
func (s *tableState) unverified(p *Plan) bool {
	return s.state == postgres.TableDone && !p.complete(s.state, s.plan.Copy)
}

// check hands out the reading back of complete tables, which comes after all builds.
func (o *round) check(states ...*tableState) {
	states = slices.DeleteFunc(slices.Clone(states), func(s *tableState) bool { return !s.unverified(o.run.plan) })
	if len(states) == 0 {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.checks = append(o.checks, check{states: states})
	o.changed.Broadcast()
}

// checkAll hands out the reading back of what earlier rounds have completed.
func (o *round) checkAll() {
	var small []*tableState
	for _, s := range o.states {
		switch {
		case !s.unverified(o.run.plan):
		case s.committed.bytes > tinyTable:
			o.check(s)
		default:
			small = append(small, s)
		}
	}
	for batch := range slices.Chunk(small, tinyTables) {
		o.check(batch...)
	}
}

// readBack reads tables back, and compares them with what was sent.
func (o *round) readBack(ctx context.Context, conn *postgres.Conn, c check) error {
	s := c.states[0]
	if !c.part && len(c.states) == 1 && s.committed.bytes >= 2*readBackPart && !s.plan.target.Partitioned {
		return o.divideCheck(ctx, conn, s)
	}
	var streams []*fingerprint.Stream
	var took time.Duration
	err := o.run.patiently(ctx, conn, c.String(), func() error {
		began := time.Now()
		statements := make([]string, len(c.states))
		streams = make([]*fingerprint.Stream, len(c.states))
		for i, s := range c.states {
			statements[i] = c.statement(o.run.plan.Load, s.plan)
			streams[i] = fingerprint.NewStream(s.plan.job().Fingerprint())
		}
		series := fingerprint.NewSeries(streams...)
		err := conn.CopyTo(ctx, strings.Join(statements, ";\n"), series)
		if err == nil {
			err = series.End()
		}
		took = time.Since(began)
		return err
	})
	if err != nil {
		return fmt.Errorf("read back %s: %w", c, hinted(err))
	}
	// The time of a series is divided by what each table has of it.
	var all int64
	for _, x := range streams {
		all += x.Bytes()
	}
	var whole []*tableState
	for i, s := range c.states {
		share := time.Duration(float64(took) * float64(streams[i].Bytes()) / float64(all))
		last, progress := s.wasRead(c.part, streams[i], share)
		o.run.send(progress)
		if last {
			whole = append(whole, s)
		}
	}
	return o.compare(ctx, conn, whole)
}

// String names the check.
func (c check) String() string { return unit{tables: c.states}.String() }

// statement reads what the check has of a table.
func (c check) statement(schemaName string, t *Table) string {
	if c.part || t.target.Partitioned {
		return postgres.ReadBackPart(schemaName, t.Target, t.targetColumns(), c.pages)
	}
	return postgres.ReadBackStatement(schemaName, t.Target, t.targetColumns())
}

// divideCheck hands a large table out in parts.
func (o *round) divideCheck(ctx context.Context, conn *postgres.Conn, s *tableState) error {
	pages, err := conn.TablePages(ctx, o.run.plan.Load, s.plan.Target)
	if err != nil {
		return err
	}
	parts := postgres.DividePages(pages, int(s.committed.bytes/readBackPart))
	checks := make([]check, 0, len(parts))
	for _, p := range parts {
		checks = append(checks, check{states: []*tableState{s}, part: true, pages: p})
	}
	s.mu.Lock()
	s.read = reading{parts: len(parts)}
	s.mu.Unlock()
	o.mu.Lock()
	defer o.mu.Unlock()
	// In front: what was just built lies in the server's memory.
	o.checks = append(checks, o.checks...)
	o.changed.Broadcast()
	return nil
}

// wasRead takes in what was read of a table; last is set when that was all of it.
func (s *tableState) wasRead(part bool, x *fingerprint.Stream, took time.Duration) (last bool, progress VerifyProgress) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !part {
		s.read = reading{parts: 1}
	}
	s.read.sum.Merge(x.Sum())
	s.read.bytes += x.Bytes()
	s.read.took += took
	s.read.parts--
	return s.read.parts == 0, VerifyProgress{Table: s.plan.Target, Rows: s.read.sum.Rows, Bytes: s.read.bytes}
}

// compare compares tables that were read back as a whole with what was sent,
// and records those that are the same. The first that is not ends the run.
func (o *round) compare(ctx context.Context, conn *postgres.Conn, states []*tableState) error {
	if len(states) == 0 {
		return nil
	}
	records := make([]postgres.Verified, len(states))
	for i, s := range states {
		if s.read.sum != s.sum {
			return &MismatchError{Table: s.plan.Target, Schema: o.run.plan.Load, Sent: s.sum, Found: s.read.sum}
		}
		if err := s.miscounted(); err != nil {
			return err
		}
		records[i] = postgres.Verified{Table: s.plan.Target, Elapsed: s.read.took}
	}
	statement := postgres.RecordVerified(o.run.id, records)
	err := o.run.patiently(ctx, conn, "the record of what is verified", func() error { return conn.Exec(ctx, statement) })
	if err != nil {
		return fmt.Errorf("record that %s is verified: %w", check{states: states}, hinted(err))
	}
	o.committed()
	for _, s := range states {
		s.mu.Lock()
		s.state = postgres.TableVerified
		s.result.Verified, s.result.VerifyTime = true, s.read.took
		s.mu.Unlock()
		o.run.send(TableVerified{Table: s.plan.Target, Rows: s.read.sum.Rows, Bytes: s.read.bytes, Elapsed: s.read.took})
	}
	return nil
}
