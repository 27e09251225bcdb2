// Command benchsite measures moodledb beside others and beside the floor; see
// package benchsite and "make bench-site". It is a tool of the project's own
// and part of no release.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/dustin/go-humanize"
	"github.com/spf13/pflag"

	"github.com/moodledb/moodledb/internal/benchsite"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first Ctrl-C ends servers and removes directories, the second one does not wait for that.
	context.AfterFunc(ctx, stop)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	interrupted := ctx.Err() != nil // before stop, which ends ctx too
	stop()
	switch {
	case err == nil, errors.Is(err, pflag.ErrHelp):
	case interrupted:
		fmt.Fprintln(os.Stderr, "bench-site: interrupted; servers and files are removed")
		os.Exit(130)
	default:
		fmt.Fprintf(os.Stderr, "bench-site: %v\n", err)
		os.Exit(2)
	}
}

// flags are the command line.
type flags struct {
	profile, size, rows, valueSize, code string
	seed                                 uint64
	source, target                       string
	runs, streams                        int
	grow                                 int64
	alone                                bool
	binary, pgferry, pgloader            string
	extra                                []string
	dir, json, page, command             string
}

func (f *flags) register(set *pflag.FlagSet) {
	set.StringVar(&f.profile, "profile", "mix", "shape of the source: mix, site, tables, narrow or wide")
	set.StringVar(&f.size, "size", "", "size of the source's rows for mix and site, such as 10GiB (mix: 1.1GB, site: 2GB)")
	set.StringVar(&f.rows, "rows", "", "rows of narrow (10M), wide (64), mix or site in place of the size; tables of tables (1000)")
	set.StringVar(&f.valueSize, "value-size", "", "size of a value of wide (100MB)")
	set.StringVar(&f.code, "code", "", "code tree that declares the tables of site (empty: the sample site, filled up to 512 tables)")
	set.Uint64Var(&f.seed, "seed", 1, "chooses the values")
	set.StringVar(&f.source, "source", "mariadb-10.11", "server to migrate from")
	set.StringVar(&f.target, "target", "postgres-15", "server to migrate to")
	set.IntVar(&f.runs, "runs", 3, "how often everything is measured")
	set.IntVar(&f.streams, "streams", 0, "streams of the floor (0: cores + 1)")
	set.Int64Var(&f.grow, "grow", 0, "measure moodledb with so many times the rows as well")
	set.BoolVar(&f.alone, "alone", false, "measure moodledb alone: no floor, no others")
	set.StringVar(&f.binary, "binary", "bin/moodledb", "the moodledb to measure")
	set.StringArrayVar(&f.extra, "flag", nil, "further `flag` of moodledb migrate")
	set.StringVar(&f.pgferry, "pgferry", "", "pgferry to compare with")
	set.StringVar(&f.pgloader, "pgloader", "auto", "pgloader to compare with: auto (when it is in PATH), none, or its path")
	set.StringVar(&f.dir, "dir", "", "directory for servers and files (empty: the system's for temporary files)")
	set.StringVar(&f.json, "json", "", "write the result as JSON to this file")
	set.StringVar(&f.page, "page", "", "put the result into this Markdown page")
	set.StringVar(&f.command, "command", "", "what the user typed, for the report")
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var f flags
	set := pflag.NewFlagSet("benchsite", pflag.ContinueOnError)
	set.SetOutput(stderr)
	f.register(set)
	if err := set.Parse(args); err != nil {
		return err
	}
	if set.NArg() > 0 {
		return fmt.Errorf("unknown argument %q", set.Arg(0))
	}
	opts, err := f.options(stderr)
	if err != nil {
		return err
	}
	result, err := benchsite.Measure(ctx, opts)
	if err != nil {
		return err
	}
	version, err := exec.CommandContext(ctx, opts.Binary, "version").Output()
	if err != nil {
		return fmt.Errorf("%s version: %w", opts.Binary, err)
	}
	line, _, _ := strings.Cut(string(version), "\n")
	result.Version = strings.TrimSpace(strings.TrimPrefix(line, "moodledb"))
	return f.publish(result, stdout)
}

// options reads the flags.
func (f *flags) options(log io.Writer) (benchsite.Options, error) {
	opts := benchsite.Options{
		Data:   benchsite.Data{Profile: benchsite.Profile(f.profile), Code: f.code, Seed: f.seed},
		Source: f.source, Target: f.target, Runs: f.runs, Streams: f.streams, Flags: f.extra, PGFerry: f.pgferry,
		Alone: f.alone, Grow: f.grow, Dir: f.dir, Command: f.command, Log: log,
	}
	if opts.Command == "" {
		opts.Command = "benchsite " + strings.Join(os.Args[1:], " ")
	}
	var errs [4]error
	opts.Data.Bytes, errs[0] = size("size", f.size)
	opts.Data.Rows, errs[1] = size("rows", f.rows)
	opts.Data.ValueBytes, errs[2] = size("value-size", f.valueSize)
	// Programs are run from other directories.
	opts.Binary, errs[3] = filepath.Abs(f.binary)
	switch f.pgloader {
	case "none", "":
	case "auto":
		// Without it there is nothing to compare with, which the report says.
		opts.PGLoader, _ = exec.LookPath("pgloader")
	default:
		opts.PGLoader = f.pgloader
	}
	return opts, errors.Join(errs[:]...)
}

// size reads a size or a number such as 1.1GB, 10GiB or 10M; "" is 0.
func size(name, text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	n, err := humanize.ParseBytes(text)
	if err != nil || n > 1<<50 {
		return 0, fmt.Errorf("--%s %q is no size such as 1.1GB, 10GiB or 10M", name, text)
	}
	return int64(n), nil
}

// publish writes the result to all places that were asked for.
func (f *flags) publish(result *benchsite.Result, stdout io.Writer) error {
	if err := result.Text(stdout); err != nil {
		return err
	}
	if f.json != "" {
		file, err := os.Create(f.json)
		if err != nil {
			return err
		}
		if err := errors.Join(result.JSON(file), file.Close()); err != nil {
			return err
		}
	}
	if f.page != "" {
		return result.UpdatePage(f.page)
	}
	return nil
}
