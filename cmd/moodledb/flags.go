package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/spf13/pflag"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/migrate"
	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/report"
	"github.com/moodledb/moodledb/xmldb"
)

// The environment variables that hold a password for one end each.
const (
	fromPasswordEnv = "MOODLEDB_FROM_PASSWORD"
	toPasswordEnv   = "MOODLEDB_TO_PASSWORD"
)

// migrateFlags are the flags that migrate and plan share.
type migrateFlags struct {
	code, from, to, prefix string
	askFrom, askTo         bool
	memory                 string
	chunk                  string
	sample                 string
	fixes                  []string
	format                 string
	progress, metrics      string
	options                migrate.Options
	prefixGiven, yes       bool
}

func (f *migrateFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.code, "code", "", "`directory` of the site's code, whose install.xml files declare the schema")
	flags.StringVar(&f.from, "from", "", "source: `URL` (mysql://user@host/db, mariadb://…) or path of a config.php")
	flags.StringVar(&f.to, "to", "", "target: `URL` (postgres://user@host/db) or path of a config.php")
	flags.BoolVar(&f.askFrom, "ask-from-password", false, "ask for the source's password")
	flags.BoolVar(&f.askTo, "ask-to-password", false, "ask for the target's password")
	flags.StringVar(&f.prefix, "prefix", "", "`prefix` of the site's tables (default: that of config.php, or found in the source)")
	flags.StringVar(&f.options.Schema, "schema", "", "load straight into this `schema`, without staging and publishing")
	flags.StringVar(&f.options.Owner, "owner", "", "`role` that gets schema, tables, sequences, views and functions (default: the connected role)")
	flags.IntVar(&f.options.Jobs, "jobs", 0, "tables copied at once (default: cores + 1)")
	flags.StringSliceVar(&f.options.Include, "include", nil, "only these tables: `globs` on names without the prefix")
	flags.StringSliceVar(&f.options.Exclude, "exclude", nil, "leave these tables out: `globs` on names without the prefix")
	flags.StringSliceVar(&f.options.SkipData, "skip-data", nil, "create these tables but copy no rows: `globs` on names without the prefix")
	flags.BoolVar(&f.options.DataOnly, "data-only", false, "load into the tables that Moodle's own installer made")
	flags.BoolVar(&f.options.Truncate, "truncate", false, "with --data-only: empty the target's tables first")
	flags.BoolVar(&f.options.Replace, "replace", false, "rename a published schema that holds tables to public_before_…, and drop what an unfinished run left")
	flags.BoolVar(&f.options.Resume, "resume", false, "go on with the unfinished run into the same target; give the same flags")
	flags.BoolVar(&f.options.SourceFrozen, "source-frozen", false,
		"with --resume: nothing was written at the source since; keep what is loaded even where that cannot be shown")
	flags.StringVar((*string)(&f.options.Policy.Mode), "on-bad-value", string(convert.StopOnBad),
		"what is `done` about values that PostgreSQL cannot hold: stop, fix (by --fix), quarantine (set the row aside in moodledb.rejected_row)")
	flags.StringSliceVar(&f.fixes, "fix", nil, "`KIND=RULE` for one kind of such values, and the rule for it: "+fixList())
	flags.StringVar(&f.chunk, "chunk", "64MiB", "`size` of the parts in which large tables are copied; a kill or a lost connection costs no more than these")
	flags.StringVar((*string)(&f.options.Snapshot), "snapshot", string(mysql.SnapshotAuto),
		"`way` in which all readers see one moment of the source: auto (shown without a lock, else by a lock of milliseconds), lock, none")
	flags.StringVar((*string)(&f.options.Verify), "verify", string(migrate.VerifyAll),
		"`what` of the rows that arrived is read back and compared with what was sent, before it is published: all, none")
	flags.StringVar(&f.sample, "verify-sample", fmt.Sprintf("%d%%", migrate.DefaultSample),
		"`share` of each table that another client reads again at the source, and other code encodes, to be compared with what was sent; at least a part of each; 0 for none")
	flags.StringVar(&f.memory, "memory", "256MiB", "upper bound of the memory that the program allocates, as a `size`; the pages of its own file (some 40 MiB, which the system can drop) come on top")
	flags.StringVar(&f.format, "format", "text", "`text` or json, on standard output")
	flags.BoolVarP(&f.yes, "yes", "y", false, "do not ask before something is replaced or truncated")
}

// registerRun adds the flags that only migrate has.
func (f *migrateFlags) registerRun(flags *pflag.FlagSet) {
	flags.StringVar(&f.progress, "progress", progressAuto,
		"`way` to show progress on standard error: auto (bar on a terminal, else plain), bar, plain, json (a line each), none")
	flags.StringVar(&f.metrics, "metrics", "", "serve figures for Prometheus at http://`ADDRESS`/metrics while it runs: a port of 127.0.0.1, or host:port")
}

// show checks how the run is to be shown.
func (f *migrateFlags) show() (show, error) {
	format, err := report.ParseFormat(f.format)
	if err != nil {
		return show{}, usageError{err}
	}
	return show{format: format, progress: f.progress}, checkProgress(f.progress)
}

// ends are the open ends of a migration, and its checked options.
type ends struct {
	source  *mysql.DB
	target  *postgres.DB
	options migrate.Options
}

func (e *ends) close() {
	if e.source != nil {
		// Only read from: an error on closing changes nothing.
		_ = e.source.Close()
	}
	if e.target != nil {
		e.target.Close()
	}
}

// open checks the flags, reads the code and connects to both ends.
func (f *migrateFlags) open(ctx context.Context, t *terminal) (_ *ends, err error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	from, err := place(t, "--from", f.from, fromPasswordEnv, f.askFrom)
	if err != nil {
		return nil, err
	}
	if !from.Engine.IsMySQL() {
		return nil, usageError{fmt.Errorf("--from is a %s place; a migration starts at MySQL or MariaDB", from.Engine)}
	}
	to, err := place(t, "--to", f.to, toPasswordEnv, f.askTo)
	if err != nil {
		return nil, err
	}
	if to.Engine.IsMySQL() {
		return nil, usageError{fmt.Errorf("--to is a %s place; a migration ends at PostgreSQL", to.Engine)}
	}
	// The runtime keeps what is allocated below the bound, the code's own tables included.
	debug.SetMemoryLimit(f.options.Memory * 9 / 10)
	e := &ends{options: f.options}
	release, commit := buildVersion()
	e.options.Tool = cmp.Or(release, commit, "(devel)")
	switch {
	case f.prefixGiven:
		e.options.Prefix = &f.prefix
	case from.HasPrefix:
		e.options.Prefix = &from.Prefix
	}
	if to.Schema != "" && e.options.Schema == "" {
		e.options.Publish = to.Schema
	}
	if f.code != "" {
		if e.options.Site, err = xmldb.Load(f.code, xmldb.Options{}); err != nil {
			return nil, err
		}
	}
	defer func() {
		if err != nil {
			e.close()
		}
	}()
	if e.source, err = mysql.Open(ctx, from); err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	if e.target, err = postgres.Open(ctx, to); err != nil {
		return nil, fmt.Errorf("target: %w", err)
	}
	return e, nil
}

func (f *migrateFlags) check() error {
	for _, need := range []struct{ flag, value string }{{"--from", f.from}, {"--to", f.to}} {
		if need.value == "" {
			return usageError{fmt.Errorf("%s is missing: a URL or the path of a config.php", need.flag)}
		}
	}
	if f.code == "" && !f.options.DataOnly {
		return usageError{errors.New("--code is missing: the directory of the site's code, which declares the schema")}
	}
	if _, err := report.ParseFormat(f.format); err != nil {
		return usageError{err}
	}
	size, err := humanize.ParseBytes(f.memory)
	if err != nil || size > 1<<50 {
		return usageError{fmt.Errorf("--memory is a size such as 256MiB or 1GB, not %q", f.memory)}
	}
	f.options.Memory = int64(size)
	if size, err = humanize.ParseBytes(f.chunk); err != nil || size > 1<<50 {
		return usageError{fmt.Errorf("--chunk is a size such as 64MiB, not %q", f.chunk)}
	}
	f.options.Chunk = int64(size)
	if err := f.checkVerify(); err != nil {
		return err
	}
	return f.checkPolicy()
}

// checkVerify reads what is to be verified.
func (f *migrateFlags) checkVerify() error {
	modes := migrate.VerifyModes()
	if !slices.Contains(modes, f.options.Verify) {
		return usageError{fmt.Errorf("--verify is one of %v, not %q", modes, f.options.Verify)}
	}
	if f.sample == "" {
		return nil
	}
	percent, err := strconv.ParseFloat(strings.TrimSuffix(f.sample, "%"), 64)
	if err != nil || !(percent >= 0 && percent <= 100) {
		return usageError{fmt.Errorf("--verify-sample is a share such as 1%%, between 0 and 100, not %q", f.sample)}
	}
	if f.options.Sample = percent; percent == 0 {
		f.options.Sample = -1
	}
	return nil
}

// fixList lists what --fix can do, a default first.
func fixList() string {
	var kinds []string
	for _, kind := range convert.FixKinds() {
		var rules []string
		for _, r := range convert.FixRules(kind) {
			rules = append(rules, string(r))
		}
		kinds = append(kinds, fmt.Sprintf("%s=%s", kind, strings.Join(rules, "|")))
	}
	return strings.Join(kinds, ", ")
}

// checkPolicy reads what is to be done about bad values.
func (f *migrateFlags) checkPolicy() error {
	modes := convert.BadValueModes()
	if !slices.Contains(modes, f.options.Policy.Mode) {
		return usageError{fmt.Errorf("--on-bad-value is one of %v, not %q", modes, f.options.Policy.Mode)}
	}
	for _, text := range f.fixes {
		kind, rule, err := convert.ParseFix(text)
		if err != nil {
			return usageError{fmt.Errorf("--fix: %w", err)}
		}
		if f.options.Policy.Fixes == nil {
			f.options.Policy.Fixes = convert.Fixes{}
		}
		f.options.Policy.Fixes[kind] = rule
	}
	return nil
}
