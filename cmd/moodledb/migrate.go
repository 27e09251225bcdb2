package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

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
reads every row back to compare it with what was sent, and publishes the result.

Rows are loaded into a staging schema named after the source database. Only
when all is in place is it renamed to public, in one transaction. The source is
only read.

When a row that arrived is not the one that was sent, or the source counts
another number of rows, nothing is published and the exit code is 1.

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
	f.registerRun(cmd.Flags())
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

func runMigrate(ctx context.Context, t *terminal, f *migrateFlags) (err error) {
	show, err := f.show()
	if err != nil {
		return err
	}
	if f.metrics != "" {
		// Before anything starts: a port that is taken is known at once.
		if show.metrics, err = startMetrics(ctx, f.metrics); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, show.metrics.close(ctx)) }()
	}
	e, err := f.open(ctx, t)
	if err != nil {
		return err
	}
	defer e.close()
	return e.migrate(ctx, t, show, f.yes)
}

// show is how a run and its result are shown.
type show struct {
	format report.Format
	// progress is a value of --progress.
	progress string
	// metrics serves figures; nil when that is not wanted.
	metrics *metrics
}

// begin shows a run that begins.
func (s show) begin(t *terminal, plan *migrate.Plan) progress {
	tr := newTracker(plan, time.Now)
	shown := newProgress(s.progress, t.stderr, tr)
	if s.metrics != nil {
		s.metrics.show(tr)
		shown.handle(migrate.Notice{Message: "figures for Prometheus: " + s.metrics.url()})
	}
	return shown
}

// findings shows what a person should see before the run.
func (s show) findings(w io.Writer, plan *migrate.Plan) error {
	if s.progress == progressJSON {
		return report.FindingLines(w, time.Now(), plan)
	}
	return report.Findings(w, plan)
}

// migrate plans, asks where something is to be overwritten, runs and reports.
func (e *ends) migrate(ctx context.Context, t *terminal, s show, yes bool) error {
	plan, err := migrate.Make(ctx, e.source, e.target, e.options)
	if err != nil {
		return usage(err)
	}
	if err := s.findings(t.stderr, plan); err != nil {
		return err
	}
	if plan.Blocked() {
		fmt.Fprintln(t.stderr, "\nNothing was written. 'moodledb plan' with the same flags prints the whole plan.")
		return exitError(exitBlocked)
	}
	if question := overwrites(plan); question != "" && !yes {
		ok, err := t.confirm(ctx, question)
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
	shown := s.begin(t, plan)
	result, err := migrate.Run(ctx, e.source, e.target, plan, shown.handle)
	shown.close(err)
	if err != nil {
		return err
	}
	return report.Result(t.stdout, result, s.format)
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
