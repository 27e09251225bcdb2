package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/moodledb/moodledb/diff"
	"github.com/moodledb/moodledb/drift"
	"github.com/moodledb/moodledb/ignore"
	"github.com/moodledb/moodledb/report"
	"github.com/moodledb/moodledb/xmldb"
)

// dbPasswordEnv holds the password of --db; see fromPasswordEnv for the others.
const dbPasswordEnv = "MOODLEDB_DB_PASSWORD"

// ignoreFile is the name of the file of ignore rules that is taken by itself.
const ignoreFile = ".moodledb.yaml"

// diffFlags are the flags of diff.
type diffFlags struct {
	code, db, from, to, prefix, schema string
	ask                                bool
	format, failOn, color, codePrefix  string
	outputs                            []string
	ignore, baseline                   string
	updateBaseline, verbose            bool
	collation, owner                   string
	prefixGiven                        bool
}

func (f *diffFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.code, "code", "", "`directory` of the site's code, whose install.xml files declare the schema")
	flags.StringVar(&f.db, "db", "", "database to compare with the code: `URL`, path of a config.php, or schema dump (.sql, .sql.gz)")
	flags.StringVar(&f.from, "from", "", "what is expected, instead of the code: `URL`, path of a config.php, or schema dump")
	flags.StringVar(&f.to, "to", "", "what is compared with --from: `URL`, path of a config.php, or schema dump")
	flags.BoolVar(&f.ask, "ask-password", false, "ask for the passwords")
	flags.StringVar(&f.prefix, "prefix", "", "`prefix` of the site's tables (default: that of config.php, or found in the database)")
	flags.StringVar(&f.schema, "schema", "", "PostgreSQL `schema` of the site (default: the place's, or the first on the search path)")
	flags.StringVar(&f.collation, "collation", "", "`collation` that tables of MySQL and MariaDB should have (default: the one that most columns have)")
	flags.StringVar(&f.owner, "owner", "", "`role` that should own the tables on PostgreSQL (default: the owner of the table config)")
	flags.StringVar(&f.format, "format", "text", "`format` on standard output: "+formatNames())
	flags.StringArrayVar(&f.outputs, "output", nil, "write a report to a file as well: `FORMAT=FILE`; may be given again")
	flags.StringVar(&f.failOn, "fail-on", string(diff.Warning), "least `severity` that makes the exit code 1: error, warning, info or none")
	flags.StringVar(&f.ignore, "ignore", "", "`file` of ignore rules (default: "+ignoreFile+" here or in --code, when there is one)")
	flags.StringVar(&f.baseline, "baseline", "", "accept the differences in this `file`, a JSON report of an earlier diff; fail on new ones only")
	flags.BoolVar(&f.updateBaseline, "update-baseline", false, "write today's differences to the file of --baseline, and accept them")
	flags.StringVar(&f.codePrefix, "code-prefix", "", "`path` of the code in its repository, for the file names in github, gitlab and sarif")
	flags.StringVar(&f.color, "color", "auto", "colours in text: auto, always or never")
	flags.BoolVarP(&f.verbose, "verbose", "v", false, "list what is ignored or known too")
}

func formatNames() string {
	names := make([]string, 0, len(report.DiffFormats()))
	for _, f := range report.DiffFormats() {
		names = append(names, string(f))
	}
	return strings.Join(names, ", ")
}

func newDiff(t *terminal) *cobra.Command {
	var f diffFlags
	cmd := &cobra.Command{
		Use:   "diff",
		Short: "Show where a database differs from what the code declares, or from another database",
		Long: `diff compares a live database, or a schema dump, with the install.xml files of
the site's code, or two databases with each other, also across engines. It reads
catalogs, versions of plugins and highest ids, and writes nothing.

Every difference has a permanent code, a severity and a hint. Rules in a file
take out those that are meant to be, a baseline those that were there before.

Exit codes: 0 no difference of at least --fail-on, 1 there is one, 2 it could
not be told.

Passwords come from MOODLEDB_DB_PASSWORD (or MOODLEDB_FROM_PASSWORD and
MOODLEDB_TO_PASSWORD), from the config.php, from MYSQL_PWD and PGPASSWORD, from
~/.my.cnf and ~/.pgpass, or from a question (--ask-password).`,
		Example: `  # a site and its code
  moodledb diff --code /var/www/moodle --db /var/www/moodle/config.php

  # in CI, without a server
  mysqldump --no-data moodle > schema.sql
  moodledb diff --code . --db schema.sql --format github --output sarif=drift.sarif

  # is the migrated database what it should be?
  moodledb diff --code /var/www/moodle --from mysql://root@127.0.0.1/moodle \
      --to postgres://moodle@127.0.0.1/moodle

  # what would put it right
  moodledb diff --code /var/www/moodle --db /var/www/moodle/config.php --format sql > fix.sql

  # from now on, fail on new differences only
  moodledb diff --code . --db schema.sql --baseline drift.json --update-baseline
  moodledb diff --code . --db schema.sql --baseline drift.json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.prefixGiven = cmd.Flags().Changed("prefix")
			return runDiff(cmd.Context(), t, &f)
		},
	}
	f.register(cmd.Flags())
	return cmd
}

// output is one report to write.
type output struct {
	format report.Format
	file   string // empty for standard output
}

func runDiff(ctx context.Context, t *terminal, f *diffFlags) error {
	started := time.Now()
	outputs, err := f.check()
	if err != nil {
		return err
	}
	opts, err := f.options(outputs)
	if err != nil {
		return err
	}
	result, err := f.compare(ctx, t, opts)
	if err != nil {
		return err
	}
	result.Started, result.Elapsed = started, time.Since(started)
	if f.updateBaseline {
		if err := f.writeBaseline(t, result); err != nil {
			return err
		}
	}
	for _, o := range outputs {
		if err := f.write(t, o, result); err != nil {
			return err
		}
	}
	if result.Failed {
		return exitError(exitBlocked)
	}
	return nil
}

// check refuses what does not go together, and returns the reports to write.
func (f *diffFlags) check() ([]output, error) {
	switch {
	case f.db != "" && (f.from != "" || f.to != ""):
		return nil, usageError{errors.New("--db is compared with --code, --to with --from: give one or the other")}
	case f.db == "" && f.from == "" && f.to == "":
		return nil, usageError{errors.New("--db is missing: the database to compare with --code; or give --from and --to")}
	case f.db != "" && f.code == "":
		return nil, usageError{errors.New("--code is missing: the directory of the site's code, which declares the schema")}
	case f.db == "" && (f.from == "" || f.to == ""):
		return nil, usageError{errors.New("--from and --to go together: what is expected, and what is compared with it")}
	case f.updateBaseline && f.baseline == "":
		return nil, usageError{errors.New("--update-baseline needs --baseline: the file to write")}
	}
	if _, err := failOn(f.failOn); err != nil {
		return nil, err
	}
	switch f.color {
	case "auto", "always", "never":
	default:
		return nil, usageError{fmt.Errorf("--color is auto, always or never, not %q", f.color)}
	}
	return f.reports()
}

// reports are the one on standard output and those in files.
func (f *diffFlags) reports() ([]output, error) {
	format, err := report.ParseDiffFormat(f.format)
	if err != nil {
		return nil, usageError{fmt.Errorf("--format: %w", err)}
	}
	outputs := []output{{format: format}}
	for _, o := range f.outputs {
		name, file, ok := strings.Cut(o, "=")
		if !ok || file == "" {
			return nil, usageError{fmt.Errorf("--output is FORMAT=FILE, such as junit=drift.xml, not %q", o)}
		}
		format, err := report.ParseDiffFormat(name)
		if err != nil {
			return nil, usageError{fmt.Errorf("--output: %w", err)}
		}
		outputs = append(outputs, output{format: format, file: file})
	}
	return outputs, nil
}

func failOn(name string) (diff.Severity, error) {
	if name == "none" {
		return "", nil
	}
	for _, s := range diff.Severities() {
		if string(s) == name {
			return s, nil
		}
	}
	return "", usageError{fmt.Errorf("--fail-on is error, warning, info or none, not %q", name)}
}

// options reads the files of rules and of the baseline.
func (f *diffFlags) options(outputs []output) (drift.Options, error) {
	opts := drift.Options{Collation: f.collation, Owner: f.owner, Now: time.Now()}
	var err error
	if opts.FailOn, err = failOn(f.failOn); err != nil {
		return opts, err
	}
	for _, o := range outputs {
		opts.Fixes = opts.Fixes || o.format == report.SQL
	}
	if file := f.ignoreFile(); file != "" {
		if opts.Rules, err = ignore.Load(file); err != nil {
			return opts, err
		}
	}
	if f.baseline == "" || f.updateBaseline {
		return opts, nil
	}
	baseline, err := ignore.ReadBaseline(f.baseline)
	if errors.Is(err, os.ErrNotExist) {
		return opts, fmt.Errorf("%w: make the file with --update-baseline", err)
	}
	if err != nil {
		return opts, err
	}
	opts.Baseline = &baseline
	return opts, nil
}

// ignoreFile is the file of rules: the one given, else one that is there.
func (f *diffFlags) ignoreFile() string {
	if f.ignore != "" {
		return f.ignore
	}
	for _, dir := range []string{".", f.code} {
		if dir == "" {
			continue
		}
		file := filepath.Join(dir, ignoreFile)
		if _, err := os.Stat(file); err == nil || !errors.Is(err, os.ErrNotExist) {
			return file
		}
	}
	return ""
}

// compare reads code and databases, and compares them.
func (f *diffFlags) compare(ctx context.Context, t *terminal, opts drift.Options) (*drift.Result, error) {
	var site *xmldb.Site
	if f.code != "" {
		var err error
		if site, err = xmldb.Load(f.code, xmldb.Options{}); err != nil {
			return nil, err
		}
	}
	if f.db != "" {
		found, err := f.side(ctx, t, "--db", f.db, dbPasswordEnv)
		if err != nil {
			return nil, err
		}
		return drift.Declared(site, found, opts)
	}
	expected, err := f.side(ctx, t, "--from", f.from, fromPasswordEnv)
	if err != nil {
		return nil, err
	}
	found, err := f.side(ctx, t, "--to", f.to, toPasswordEnv)
	if err != nil {
		return nil, err
	}
	return drift.Between(site, expected, found, opts)
}

// side reads one place.
func (f *diffFlags) side(ctx context.Context, t *terminal, flag, value, env string) (*drift.Side, error) {
	opts := drift.ReadOptions{Schema: f.schema}
	if f.prefixGiven {
		opts.Prefix = &f.prefix
	}
	if drift.IsDump(value) {
		side, err := drift.ReadDump(value, opts)
		return side, about(flag, err)
	}
	d, err := place(t, flag, value, env, f.ask)
	if err != nil {
		return nil, err
	}
	side, err := drift.ReadServer(ctx, d, opts)
	return side, about(flag, err)
}

// about names the flag that an error is about.
func about(flag string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", flag, err)
}

// writeBaseline writes what was found, and accepts it.
func (f *diffFlags) writeBaseline(t *terminal, r *drift.Result) error {
	if err := writeFile(f.baseline, func(w io.Writer) error {
		return report.Diff(w, r, report.DiffOptions{Format: report.JSON})
	}); err != nil {
		return fmt.Errorf("--update-baseline: %w", err)
	}
	fmt.Fprintf(t.stderr, "%s: %d differences accepted\n", f.baseline, len(r.Changes))
	r.Known, r.Changes, r.Failed = r.Changes, nil, false
	return nil
}

// write writes one report.
func (f *diffFlags) write(t *terminal, o output, r *drift.Result) error {
	opts := report.DiffOptions{Format: o.format, CodePrefix: f.codePrefix, Verbose: f.verbose}
	if o.file != "" {
		return writeFile(o.file, func(w io.Writer) error { return report.Diff(w, r, opts) })
	}
	opts.Color = f.color == "always" || f.color == "auto" && isTerminal(t.stdout) && os.Getenv("NO_COLOR") == ""
	opts.Width = width(t.stdout)
	return report.Diff(t.stdout, r, opts)
}

// writeFile writes a file as a whole: an error leaves the old one as it was.
func writeFile(file string, write func(io.Writer) error) (err error) {
	temporary, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(temporary.Name()) // the first error is the one to tell
		}
	}()
	err = write(temporary)
	if err = cmp.Or(err, temporary.Chmod(0o644), temporary.Close()); err != nil {
		return err
	}
	return os.Rename(temporary.Name(), file)
}
