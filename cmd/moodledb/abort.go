package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/moodledb/moodledb/migrate"
	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/report"
)

// abortFlags are the flags of abort.
type abortFlags struct {
	to      string
	ask     bool
	yes     bool
	options migrate.AbortOptions
}

func newAbort(t *terminal) *cobra.Command {
	var f abortFlags
	cmd := &cobra.Command{
		Use:   "abort",
		Short: "Clean up after a migration that did not end",
		Long: `abort takes back what an unfinished run has made and loaded, and removes it from
the ledger in the target (schema moodledb):

- a run with a staging schema: drops that schema, when it bears moodledb's mark;
- a run straight into a schema (--schema): drops the tables that it made;
- a run with --data-only: drops the tables that it made, empties those that it
  loaded, and builds again the keys and indexes that were put aside.

What was there before the run is not touched. abort asks before it does
anything, and refuses while a living moodledb works on the run. When it is
interrupted, give it again.

Of a finished run only the records can be removed (--forget): what it has loaded
stays, and so does what it replaced.`,
		Example: `  moodledb abort --to postgres://moodle@db.example.org/moodle
  moodledb abort --to /var/www/moodle/config.php --run 3 --yes`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runAbort(cmd.Context(), t, &f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.to, "to", "", "target: `URL` (postgres://user@host/db) or path of a config.php")
	flags.BoolVar(&f.ask, "ask-to-password", false, "ask for the target's password")
	flags.Int64Var(&f.options.Run, "run", 0, "`number` of the run (default: the unfinished one)")
	flags.BoolVar(&f.options.Forget, "forget", false, "remove only the records of the run, and leave what it has loaded")
	flags.BoolVarP(&f.yes, "yes", "y", false, "do not ask")
	return cmd
}

func runAbort(ctx context.Context, t *terminal, f *abortFlags) error {
	if f.options.Run < 0 {
		return usageError{fmt.Errorf("--run is the number of a run, not %d", f.options.Run)}
	}
	db, address, err := openTarget(ctx, t, f.to, f.ask, postgres.Open)
	if err != nil {
		return err
	}
	defer db.Close()
	plan, err := migrate.PlanAbort(ctx, db, f.options)
	if errors.Is(err, migrate.ErrNoRun) && f.options.Run == 0 {
		fmt.Fprintln(t.stdout, "There is nothing to abort:", err)
		return nil
	}
	if err != nil {
		return usage(err)
	}
	if !f.yes {
		question := abortQuestion(plan, address)
		ok, err := t.confirm(ctx, question)
		if errors.Is(err, errNoTerminal) {
			return usageError{fmt.Errorf("%s\nThere is no terminal to ask on: pass --yes when that is wanted", question)}
		}
		if err != nil {
			return err
		}
		if !ok {
			return errors.New("nothing was done: the answer was not yes")
		}
	}
	err = migrate.Abort(ctx, db, plan, f.options, func(e migrate.Event) {
		if line := eventLine(e); line != "" {
			fmt.Fprintln(t.stderr, report.Printable(line))
		}
	})
	if err != nil {
		return err
	}
	if plan.OnlyRecords() {
		fmt.Fprintf(t.stdout, "The records of run %d are removed.\n", plan.Run.ID)
	} else {
		fmt.Fprintf(t.stdout, "Run %d is aborted, and what it had loaded is gone.\n", plan.Run.ID)
	}
	return nil
}

// abortQuestion says what will be done.
func abortQuestion(p *migrate.AbortPlan, address string) string {
	r := &p.Run
	var b strings.Builder
	fmt.Fprintf(&b, "%s: run %d from %s, started %s UTC, %s, %d of %d tables copied (%s):", address, r.ID, report.Printable(r.Source),
		r.Started.UTC().Format("2006-01-02 15:04:05"), r.State, r.Tables.Copied, r.Tables.All, sizeText(r.Bytes))
	for _, line := range []struct {
		need bool
		text string
	}{
		{p.Schema != "", fmt.Sprintf("the staging schema %s is dropped", p.Schema)},
		{len(p.Drop) > 0, fmt.Sprintf("%s in schema %s are dropped, since the run made them", tables(p.Drop), r.Load)},
		{len(p.Empty) > 0, fmt.Sprintf("%s in schema %s are emptied, since the run loaded them", tables(p.Empty), r.Load)},
		{p.Rebuild > 0, fmt.Sprintf("%d keys and indexes are built again", p.Rebuild)},
		{true, "the records of the run are removed"},
	} {
		if line.need {
			b.WriteString("\n  " + report.Printable(line.text))
		}
	}
	for _, note := range p.Notes {
		b.WriteString("\n  note: " + report.Printable(note))
	}
	return b.String()
}

// tables names a few of many.
func tables(names []string) string {
	const most = 5
	text := fmt.Sprintf("%d tables (%s", len(names), strings.Join(names[:min(most, len(names))], ", "))
	if len(names) > most {
		text += ", …"
	}
	return text + ")"
}
