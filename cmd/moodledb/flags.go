package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/dustin/go-humanize"
	"github.com/spf13/pflag"

	"github.com/moodledb/moodledb/dsn"
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
	format                 string
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
	flags.StringVar((*string)(&f.options.Snapshot), "snapshot", string(mysql.SnapshotAuto),
		"`way` in which all readers see one moment of the source: auto (shown without a lock, else by a lock of milliseconds), lock, none")
	flags.StringVar(&f.memory, "memory", "256MiB", "upper bound of the program's memory, as a `size`")
	flags.StringVar(&f.format, "format", "text", "`text` or json, on standard output")
	flags.BoolVarP(&f.yes, "yes", "y", false, "do not ask before something is replaced or truncated")
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
	from, err := f.place("--from", f.from, fromPasswordEnv, f.askFrom, t)
	if err != nil {
		return nil, err
	}
	if !from.Engine.IsMySQL() {
		return nil, usageError{fmt.Errorf("--from is a %s place; a migration starts at MySQL or MariaDB", from.Engine)}
	}
	to, err := f.place("--to", f.to, toPasswordEnv, f.askTo, t)
	if err != nil {
		return nil, err
	}
	if to.Engine.IsMySQL() {
		return nil, usageError{fmt.Errorf("--to is a %s place; a migration ends at PostgreSQL", to.Engine)}
	}
	e := &ends{options: f.options}
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
	return nil
}

// place reads one end and asks for its password when that was wanted.
func (f *migrateFlags) place(flag, value, env string, ask bool, t *terminal) (dsn.DSN, error) {
	d, err := dsn.Parse(value, dsn.Options{PasswordEnv: env})
	if err != nil {
		return d, usageError{fmt.Errorf("%s: %w", flag, err)}
	}
	if ask {
		secret, err := t.password(fmt.Sprintf("Password of %s: ", d))
		if err != nil {
			return d, usageError{fmt.Errorf("%s: %w: set %s instead", flag, err, env)}
		}
		d.Password = dsn.Secret(secret)
	}
	return d, nil
}
