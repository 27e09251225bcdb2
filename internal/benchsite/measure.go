package benchsite

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// runDatabase is the database that each run migrates into; it is new each time.
const runDatabase = "run"

// measure fills in everything that is measured between the two servers.
func (b *bench) measure(ctx context.Context, result *Result) error {
	result.Source, result.Target = string(b.source.Kind)+" "+b.source.Version, "PostgreSQL "+b.target.Version
	result.Tables, result.Rows = len(b.tables), b.rows()
	list := b.contenders()
	// Warm: what is read once is in memory afterwards.
	var err error
	if result.Bytes, err = readAll(ctx, b.source, b.chunks(), b.opts.Streams); err != nil {
		return err
	}
	result.Runs = make([]Run, len(list))
	for i, c := range list {
		result.Runs[i] = Run{Name: c.name, Note: c.note}
	}
	var floor *floorBench
	plain := !b.opts.Alone && b.data.Profile != Wide
	verification := b.verification(plain)
	if plain {
		if floor, err = b.prepareFloor(ctx, list[0]); err != nil {
			return err
		}
	}
	for n := range b.opts.Runs {
		if floor != nil {
			if err := floor.measure(ctx); err != nil {
				return err
			}
		}
		for i, c := range list {
			if err := b.turn(ctx, c, n, &result.Runs[i]); err != nil {
				return err
			}
			if c.name == nameVerified {
				if err := verification.measure(ctx); err != nil {
					return err
				}
			}
		}
	}
	for i := range result.Runs {
		result.Runs[i].Median = medians(result.Runs[i].Samples)
	}
	result.Verify = verification.result()
	if floor != nil {
		result.Floor = floor.result()
	}
	return nil
}

// turn measures one run of a contender.
func (b *bench) turn(ctx context.Context, c contender, n int, run *Run) error {
	if run.Failure != "" || c.runs > 0 && n >= c.runs {
		return nil
	}
	s, err := b.measureRun(ctx, c)
	if err == nil && n == 0 {
		if run.Rows, err = b.countRows(ctx); err == nil && run.Rows != b.rows() {
			err = fmt.Errorf("%d of %d rows are in the target", run.Rows, b.rows())
		}
	}
	if err != nil {
		return b.failed(ctx, c, run, err)
	}
	run.Samples = append(run.Samples, s)
	b.say("%-18s %s", c.name, s)
	return nil
}

// failed ends the benchmark when moodledb failed as it runs by itself. Another one only runs no more.
func (b *bench) failed(ctx context.Context, c contender, run *Run, err error) error {
	if ctx.Err() != nil || c.name == nameUs || c.name == nameVerified {
		return fmt.Errorf("%s: %w", c.name, err)
	}
	run.Failure = err.Error()
	b.say("%-18s failed: %s", c.name, lastLines(run.Failure, 5))
	return nil
}

// String shows a sample on one line.
func (s Sample) String() string {
	return fmt.Sprintf("wall %6.2f s, CPU %6.2f s = own %5.2f + source %5.2f + target %5.2f, peak %4.0f MiB (others used %.2f s)",
		s.Wall, s.CPU(), s.Own, s.Source, s.Target, float64(s.Peak)/(1<<20), s.Others)
}

// measureRun lets a contender migrate into a new database.
func (b *bench) measureRun(ctx context.Context, c contender) (Sample, error) {
	if err := b.newDatabase(ctx, runDatabase); err != nil {
		return Sample{}, err
	}
	return b.sample(ctx, func() (usage, error) { return c.run(ctx, runDatabase) })
}

// newDatabase makes an empty database, and drops what had its name.
func (b *bench) newDatabase(ctx context.Context, name string) error {
	return b.target.execute(ctx, "postgres", "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)", "CREATE DATABASE "+name+" ENCODING 'UTF8' TEMPLATE template0")
}

// clocks are the CPU times at one moment.
type clocks struct {
	source, target, machine, own time.Duration
	at                           time.Time
}

func (b *bench) clocks() (clocks, error) {
	var c clocks
	var errs [4]error
	c.source, errs[0] = treeCPU(b.source.pid)
	c.target, errs[1] = treeCPU(b.target.pid)
	c.machine, errs[2] = machineCPU()
	c.own, errs[3] = ownCPU()
	c.at = time.Now()
	return c, errors.Join(errs[:]...)
}

// sample measures what f does. What f returns is the usage of the programs that it ran.
func (b *bench) sample(ctx context.Context, f func() (usage, error)) (Sample, error) {
	if err := b.settle(ctx); err != nil {
		return Sample{}, err
	}
	before, err := b.clocks()
	if err != nil {
		return Sample{}, err
	}
	used, err := f()
	took := time.Since(before.at)
	if err != nil {
		return Sample{}, err
	}
	after, err := b.clocks()
	if err != nil {
		return Sample{}, err
	}
	s := Sample{
		Wall: took.Seconds(), Own: used.cpu.Seconds(), Peak: used.peak,
		Source: (after.source - before.source).Seconds(), Target: (after.target - before.target).Seconds(),
	}
	// This process works too: it walks the packets of the floor.
	mine := (after.own - before.own).Seconds()
	if used.here {
		s.Own, mine = mine, 0
	}
	s.Others = max((after.machine-before.machine).Seconds()-s.CPU()-mine, 0)
	return s, nil
}

// settle writes out what the former run left to be written, and waits until
// both servers are at rest, but not for long.
func (b *bench) settle(ctx context.Context) error {
	if err := b.target.execute(ctx, "postgres", "CHECKPOINT"); err != nil {
		return err
	}
	const pause, most = 200 * time.Millisecond, 50
	last := time.Duration(0)
	for range most {
		c, err := b.clocks()
		if err != nil {
			return err
		}
		now := c.source + c.target
		if now-last <= tick {
			return nil
		}
		last = now
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause):
		}
	}
	return nil
}

// countRows counts the rows of the site's tables in the run's database, in
// whatever schema they are.
func (b *bench) countRows(ctx context.Context) (int64, error) {
	conn, err := b.target.connect(ctx, runDatabase)
	if err != nil {
		return 0, err
	}
	defer closeConn(ctx, conn)
	rows, err := conn.Query(ctx, `
SELECT schemaname, tablename
FROM pg_catalog.pg_tables
WHERE schemaname NOT IN ('pg_catalog', 'information_schema', 'moodledb')`)
	if err != nil {
		return 0, fmt.Errorf("list the target's tables: %w", err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowToStructByPos[struct{ Schema, Table string }])
	if err != nil {
		return 0, fmt.Errorf("list the target's tables: %w", err)
	}
	total := int64(0)
	for _, t := range names {
		if !strings.HasPrefix(t.Table, prefix) {
			continue
		}
		var n int64
		if err := conn.QueryRow(ctx, "SELECT count(*) FROM "+tableName(t.Schema, t.Table)).Scan(&n); err != nil {
			return 0, fmt.Errorf("count the rows of %q: %w", t.Table, err)
		}
		total += n
	}
	return total, nil
}
