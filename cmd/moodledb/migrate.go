package main

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/moodledb/moodledb/migrate"
	"github.com/moodledb/moodledb/report"
)

func newMigrate(t *terminal) *cobra.Command {
	var f migrateFlags
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Move a site from MySQL or MariaDB to PostgreSQL",
		Long: `migrate makes the schema that Moodle's own installer would make on PostgreSQL,
copies every row into it, builds keys and indexes, sets sequences and owners,
and publishes the result.

Rows are loaded into a staging schema named after the source database. Only
when all is in place is it renamed to public, in one transaction. The source is
only read.

The site should be in maintenance mode while its database is copied.

Passwords come from MOODLEDB_FROM_PASSWORD and MOODLEDB_TO_PASSWORD, from the
config.php, from MYSQL_PWD and PGPASSWORD, from ~/.my.cnf and ~/.pgpass, or from
a question (--ask-from-password, --ask-to-password).`,
		Example: `  # a site with its config.php, to an empty database
  moodledb migrate --code /var/www/moodle --from /var/www/moodle/config.php \
      --to postgres://moodle@db.example.org/moodle --owner moodle

  # the log is large and not wanted
  moodledb migrate --code /var/www/moodle --from mysql://root@127.0.0.1/moodle \
      --to postgres://postgres@127.0.0.1/moodle --skip-data logstore_standard_log

  # into the tables that Moodle's own installer made
  moodledb migrate --data-only --truncate --from mysql://root@127.0.0.1/moodle \
      --to postgres://moodle@127.0.0.1/moodle`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.prefixGiven = cmd.Flags().Changed("prefix")
			return runMigrate(cmd.Context(), t, &f)
		},
	}
	f.register(cmd.Flags())
	return cmd
}

func newPlan(t *terminal) *cobra.Command {
	var f migrateFlags
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Say everything that migrate would do, and write nothing",
		Long: `plan looks at the code, at the source and at the target as migrate does, and
prints every step, every statement, and the rows and bytes that the source
expects each table to have. It writes nothing anywhere.

It exits with 1 when something stands in the way of the migration.`,
		Example: `  moodledb plan --code /var/www/moodle --from /var/www/moodle/config.php \
      --to postgres://moodle@db.example.org/moodle
  moodledb plan --format json … > plan.json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.prefixGiven = cmd.Flags().Changed("prefix")
			return runPlan(cmd.Context(), t, &f)
		},
	}
	f.register(cmd.Flags())
	return cmd
}

func runPlan(ctx context.Context, t *terminal, f *migrateFlags) error {
	e, err := f.open(ctx, t)
	if err != nil {
		return err
	}
	defer e.close()
	plan, err := migrate.Make(ctx, e.source, e.target, e.options)
	if err != nil {
		return usage(err)
	}
	format, err := report.ParseFormat(f.format)
	if err != nil {
		return usageError{err}
	}
	if err := report.Plan(t.stdout, plan, format); err != nil {
		return err
	}
	if plan.Blocked() {
		return exitError(exitBlocked)
	}
	return nil
}

func runMigrate(ctx context.Context, t *terminal, f *migrateFlags) error {
	e, err := f.open(ctx, t)
	if err != nil {
		return err
	}
	defer e.close()
	return e.migrate(ctx, t, f.format, f.yes)
}

// migrate plans, asks where something is to be overwritten, runs and reports.
func (e *ends) migrate(ctx context.Context, t *terminal, formatName string, yes bool) error {
	format, err := report.ParseFormat(formatName)
	if err != nil {
		return usageError{err}
	}
	plan, err := migrate.Make(ctx, e.source, e.target, e.options)
	if err != nil {
		return usage(err)
	}
	// The runtime keeps the heap below the bound; what is not heap is small.
	debug.SetMemoryLimit(plan.Memory * 9 / 10)
	if err := report.Findings(t.stderr, plan); err != nil {
		return err
	}
	if plan.Blocked() {
		fmt.Fprintln(t.stderr, "\nNothing was written. 'moodledb plan' with the same flags prints the whole plan.")
		return exitError(exitBlocked)
	}
	if question := overwrites(plan); question != "" && !yes {
		ok, err := t.confirm(question)
		if errors.Is(err, errNoTerminal) {
			return usageError{fmt.Errorf("%s\nThere is no terminal to ask on: pass --yes when that is wanted", question)}
		}
		if err != nil {
			return err
		}
		if !ok {
			return errors.New("nothing was written: the answer was not yes")
		}
	}
	show := newProgress(t.stderr, plan)
	result, err := migrate.Run(ctx, e.source, e.target, plan, show.handle)
	show.close()
	if err != nil {
		return err
	}
	return report.Result(t.stdout, result, format)
}

// overwrites asks about what a plan would rename away, drop or empty; empty when nothing.
func overwrites(p *migrate.Plan) string {
	switch {
	case len(p.Overwrites) == 0:
		return ""
	case p.Mode == migrate.DataOnly:
		return fmt.Sprintf("%s: %d tables will be emptied and loaded anew.", p.Target.Address, len(p.Overwrites))
	default:
		text := p.Target.Address + ":"
		for _, o := range p.Overwrites {
			text += "\n  " + o
		}
		return text
	}
}
