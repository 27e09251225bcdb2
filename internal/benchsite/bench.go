package benchsite

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/moodledb/moodledb/internal/throwaway"
	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/xmldb"
)

// Options say what is measured and how.
type Options struct {
	Data Data
	// Source and Target are servers such as "mariadb-10.11" and "postgres-15".
	Source, Target string
	// Runs is how often everything is measured; 0 means 3.
	Runs int
	// Streams is how many streams the floor has; 0 means as many as moodledb
	// takes by itself, one more than there are cores.
	Streams int
	// Binary is the moodledb that is measured; Flags are further flags of its migrate.
	Binary string
	Flags  []string
	// PGLoader and PGFerry are the programs to compare with; empty leaves them out.
	PGLoader, PGFerry string
	// Alone leaves out all others and the floor.
	Alone bool
	// Grow, when above 1, measures moodledb with so many times the rows as well.
	Grow int64
	// Dir is where everything is made and removed; empty means the system's directory for temporary files.
	Dir string
	// Command is what the user typed, for the report.
	Command string
	// Log takes a line for each step; nil for none.
	Log io.Writer
}

// bench is one source and one target while they are measured.
type bench struct {
	opts   Options
	data   Data
	dir    string
	code   string
	site   *xmldb.Site
	tables []tableData
	source *server
	target *server
	lz4    bool
}

// Measure makes the source, measures, and removes everything again.
func Measure(ctx context.Context, opts Options) (*Result, error) {
	opts.Runs = cmp.Or(opts.Runs, 3)
	opts.Streams = cmp.Or(opts.Streams, runtime.NumCPU()+1)
	if _, _, err := parseFlavour(opts.Source, throwaway.MariaDB, throwaway.MySQL); err != nil {
		return nil, err
	}
	if _, _, err := parseFlavour(opts.Target, throwaway.Postgres); err != nil {
		return nil, err
	}
	data, err := opts.Data.withDefaults()
	if err != nil {
		return nil, err
	}
	machine, err := readMachine()
	if err != nil {
		return nil, err
	}
	result := &Result{Date: time.Now().UTC().Truncate(time.Second), Machine: machine, Profile: data.Profile, Command: opts.Command}
	if err := with(ctx, opts, data, machine, func(b *bench) error { return b.measure(ctx, result) }); err != nil {
		return nil, err
	}
	if opts.Grow > 1 {
		opts.Alone = true
		large := &Result{}
		if err := with(ctx, opts, data.times(opts.Grow), machine, func(b *bench) error { return b.measure(ctx, large) }); err != nil {
			return nil, err
		}
		result.Larger = &Grown{Times: opts.Grow, Rows: large.Rows, Bytes: large.Bytes, Run: large.Runs[0], Verify: &large.Verify.Run}
	}
	result.Goals = goals(result)
	return result, nil
}

// with starts both servers, loads the source, calls do, and removes it all.
func with(ctx context.Context, opts Options, data Data, machine Machine, do func(*bench) error) (err error) {
	dir, err := os.MkdirTemp(opts.Dir, "moodledb-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	// The servers run as other users.
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	b := &bench{opts: opts, data: data, dir: dir}
	if b.code, b.site, err = writeCode(filepath.Join(dir, "code"), data); err != nil {
		return err
	}
	kind, _, err := parseFlavour(opts.Source, throwaway.MariaDB, throwaway.MySQL)
	if err != nil {
		return err
	}
	if b.tables, err = tablesOf(b.site, schema.Engine(kind), data); err != nil {
		return err
	}
	if err := b.room(); err != nil {
		return err
	}
	if b.source, err = startServer(ctx, opts.Source, dir, sourceSettings(kind, b.bytes(), machine.Memory)); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.source.Stop()) }()
	if b.target, err = startServer(ctx, opts.Target, dir, targetSettings(machine.Memory)); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.target.Stop()) }()
	if err := b.target.cheapLogin(ctx); err != nil {
		return err
	}
	if err := b.findLZ4(ctx); err != nil {
		return err
	}
	began := time.Now()
	b.say("make the source: profile %s, %d tables, %s rows, about %s", data.Profile, len(b.tables), humanize.Comma(b.rows()), humanize.Bytes(uint64(b.bytes())))
	if err := loadSource(ctx, b.source, b.tables); err != nil {
		return err
	}
	b.say("made in %.0f s on %s %s", time.Since(began).Seconds(), b.source.Kind, b.source.Version)
	return do(b)
}

// say writes a line for the user.
func (b *bench) say(format string, args ...any) {
	if b.opts.Log != nil {
		fmt.Fprintf(b.opts.Log, format+"\n", args...)
	}
}

// rows is the number of rows of all tables.
func (b *bench) rows() int64 {
	n := int64(0)
	for i := range b.tables {
		n += b.tables[i].rows
	}
	return n
}

// bytes is the estimated size of all rows.
func (b *bench) bytes() int64 {
	n := int64(0)
	for i := range b.tables {
		n += b.tables[i].bytes
	}
	return n
}

// room compares what the run needs with what the disk has: the source with its
// indexes, the target twice (the tables, and those of the floor), the files of
// the floor, the servers' logs.
func (b *bench) room() error {
	const logs = 8 << 30
	perByte := int64(7)
	if b.opts.Alone || b.data.Profile == Wide {
		perByte = 4
	}
	need := b.bytes() * perByte
	need += min(logs, need)
	free, err := freeDisk(b.dir)
	if err != nil {
		return err
	}
	if free < need {
		return fmt.Errorf("a source of %s needs about %s of free disk in %s, which has %s: choose a smaller SIZE, or another directory with TMPDIR",
			humanize.Bytes(uint64(b.bytes())), humanize.Bytes(uint64(need)), filepath.Dir(b.dir), humanize.Bytes(uint64(free)))
	}
	return nil
}

// findLZ4 asks whether the target has lz4 for large values.
func (b *bench) findLZ4(ctx context.Context) error {
	conn, err := b.target.connect(ctx, "postgres")
	if err != nil {
		return err
	}
	defer closeConn(ctx, conn)
	err = conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_catalog.pg_settings WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals))").Scan(&b.lz4)
	if err != nil {
		return fmt.Errorf("ask the target for lz4: %w", err)
	}
	return nil
}
