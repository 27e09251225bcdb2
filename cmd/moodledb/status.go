package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/moodledb/moodledb/migrate"
	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/report"
)

// statusFlags are the flags of status.
type statusFlags struct {
	to     string
	ask    bool
	run    int64
	watch  bool
	format string
}

func newStatus(t *terminal) *cobra.Command {
	var f statusFlags
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show the runs of migrations into a database, and what they are doing",
		Long: `status reads the ledger that migrate keeps in the target (schema moodledb), and
what the server tells of the sessions there: how far each run is, what is being
copied and built, and what it waits for. It writes nothing.

A run is running while a living moodledb works on it, interrupted when it was
killed, stopped when it ended with an error, or done.

With --watch it looks every two seconds until the run has ended, and exits with
0 when it is done and with 1 when it was stopped or interrupted.

The password comes from MOODLEDB_TO_PASSWORD, from the config.php, from
PGPASSWORD, from ~/.pgpass, or from a question (--ask-to-password).`,
		Example: `  moodledb status --to postgres://moodle@db.example.org/moodle
  moodledb status --to postgres://moodle@db.example.org/moodle --watch
  moodledb status --to /var/www/moodle/config.php --run 3 --format json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runStatus(cmd.Context(), t, &f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.to, "to", "", "target: `URL` (postgres://user@host/db) or path of a config.php")
	flags.BoolVar(&f.ask, "ask-to-password", false, "ask for the target's password")
	flags.Int64Var(&f.run, "run", 0, "`number` of the run to tell of in full (default: the unfinished one)")
	flags.BoolVarP(&f.watch, "watch", "w", false, "look again every two seconds until the run has ended")
	flags.StringVar(&f.format, "format", "text", "`text` or json, on standard output")
	return cmd
}

func runStatus(ctx context.Context, t *terminal, f *statusFlags) error {
	format, err := report.ParseFormat(f.format)
	if err != nil {
		return usageError{err}
	}
	if f.run < 0 {
		return usageError{fmt.Errorf("--run is the number of a run, not %d", f.run)}
	}
	db, address, err := openTarget(ctx, t, f.to, f.ask, postgres.OpenReadOnly)
	if err != nil {
		return err
	}
	defer db.Close()
	if f.watch {
		w := &watch{t: t, db: db, run: f.run, opts: report.StatusOptions{Format: format, Target: address, User: db.Server().User, Line: true}}
		return w.all(ctx)
	}
	runs, err := migrate.Status(ctx, db)
	if err != nil {
		return err
	}
	if runs, err = selectRuns(runs, f.run); err != nil {
		return err
	}
	return report.Status(t.stdout, runs, report.StatusOptions{
		Format: format, Target: address, User: db.Server().User, Detail: detail(runs, f.run), Tables: 20,
	})
}

// selectRuns keeps the run that was asked for, or all.
func selectRuns(runs []migrate.RunStatus, id int64) ([]migrate.RunStatus, error) {
	if id == 0 {
		return runs, nil
	}
	i := slices.IndexFunc(runs, func(r migrate.RunStatus) bool { return r.ID == id })
	if i < 0 {
		return nil, usageError{fmt.Errorf("run %d: %w; leave --run out to see those that there are", id, migrate.ErrNoRun)}
	}
	return runs[i : i+1], nil
}

// detail is the run to tell of in full: the one asked for, else the only one
// that is unfinished, else the only one.
func detail(runs []migrate.RunStatus, id int64) int64 {
	if id != 0 {
		return id
	}
	var unfinished []int64
	for i := range runs {
		if runs[i].Unfinished() {
			unfinished = append(unfinished, runs[i].ID)
		}
	}
	switch {
	case len(unfinished) == 1:
		return unfinished[0]
	case len(runs) == 1:
		return runs[0].ID
	default:
		return 0
	}
}
