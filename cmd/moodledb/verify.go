package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/moodledb/moodledb/proof"
	"github.com/moodledb/moodledb/report"
	"github.com/moodledb/moodledb/verify"
)

func newVerify(t *terminal) *cobra.Command {
	var f verifyFlags
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Show whether two databases hold the same, cell by cell",
		Long: `verify reads two databases, MySQL, MariaDB or PostgreSQL in any combination, each
at one moment, and compares every cell of every table, and what rows do not
show: sequences, defaults, owners, indexes. A table that differs is narrowed down
to keys and columns; rows that are missing, extra or changed are told apart. It
writes to neither side, unless --repair is given.

What is known to differ, such as values that a policy changed while migrating, is
listed apart. What could not be compared never passes for the same.

--certificate writes a document to be filed, which can be checked again later.

Exit codes: 0 the same, 1 different, 2 it could not be told.

Passwords come from MOODLEDB_FROM_PASSWORD and MOODLEDB_TO_PASSWORD, from the
config.php, from MYSQL_PWD and PGPASSWORD, from ~/.my.cnf and ~/.pgpass, or from
a question (--ask-from-password, --ask-to-password).`,
		Example: `  # is everything there after a migration?
  moodledb verify --from /var/www/moodle/config.php --to postgres://moodle@db.example.org/moodle

  # a look at a twentieth of it
  moodledb verify --from mysql://root@127.0.0.1/moodle --to postgres://moodle@127.0.0.1/moodle --sample 5%

  # two sites, without the log, with a page to look at
  moodledb verify --from postgres://moodle@live/moodle --to postgres://moodle@test/moodle \
      --exclude 'logstore_*' --output html=differences.html

  # copy exactly the rows that differ again
  moodledb verify --from mysql://root@127.0.0.1/moodle --to postgres://moodle@127.0.0.1/moodle --repair

  # something to file, and a later look whether it still holds
  moodledb verify --from mysql://root@127.0.0.1/moodle --to postgres://moodle@127.0.0.1/moodle \
      --certificate moodle.json
  moodledb verify --check-certificate moodle.json --to postgres://moodle@127.0.0.1/moodle`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.given = map[string]bool{}
			cmd.Flags().Visit(func(flag *pflag.Flag) { f.given[flag.Name] = true })
			if f.given["check-certificate"] {
				return runCheckCertificate(cmd.Context(), t, &f)
			}
			return runVerify(cmd.Context(), t, &f)
		},
	}
	f.register(cmd.Flags())
	return cmd
}

func runVerify(ctx context.Context, t *terminal, f *verifyFlags) error {
	outputs, opts, err := f.checked()
	if err != nil {
		return err
	}
	expected, found, err := f.sources(t)
	if err != nil {
		return err
	}
	if f.repair {
		if err := proof.CheckRepair(ctx, found); err != nil {
			return fmt.Errorf("--repair: %w", err)
		}
	}
	certificate, err := f.newCertificate(ctx, t)
	if err != nil {
		return err
	}
	result, err := compareShown(ctx, t, f, expected, found, opts)
	if err != nil {
		return err
	}
	if f.repair {
		if result, err = f.repairRows(ctx, t, expected, found, opts, result); err != nil {
			return err
		}
	}
	for _, o := range outputs {
		if err := f.write(t, o, result); err != nil {
			return err
		}
	}
	if err := certificate.write(t, result); err != nil {
		return err
	}
	return exitOf(result.State)
}

// compareShown compares two databases, and shows progress meanwhile.
func compareShown(ctx context.Context, t *terminal, f *verifyFlags, expected, found proof.Source, opts proof.Options) (*proof.Result, error) {
	shown := newVerifyProgress(f.progress, t.stderr, newVerifyTracker(time.Now))
	opts.Events = f.told(shown.handle)
	result, err := proof.Compare(ctx, expected, found, opts)
	shown.close(err)
	if errors.Is(err, proof.ErrUsage) {
		err = usageError{err}
	}
	return result, err
}

// told passes events on, with --mask without values.
func (f *verifyFlags) told(handle func(proof.Event)) func(proof.Event) {
	if !f.mask {
		return handle
	}
	return func(e proof.Event) {
		if rows, ok := e.(proof.Rows); ok {
			if done, ok := rows.Event.(verify.TableCompared); ok && done.Result.Masked != "" {
				done.Result.Problem = done.Result.Masked
				e = proof.Rows{Event: done}
			}
		}
		handle(e)
	}
}

// write writes one report.
func (f *verifyFlags) write(t *terminal, o output, r *proof.Result) error {
	opts := report.VerifyOptions{Format: o.format, Mask: f.mask}
	if o.file != "" {
		return writeFile(o.file, func(w io.Writer) error { return report.Verify(w, r, opts) })
	}
	return report.Verify(t.stdout, r, opts)
}

// exitOf is the exit code of an outcome.
func exitOf(s verify.State) error {
	switch s {
	case verify.Same:
		return nil
	case verify.Different:
		return exitError(exitBlocked)
	case verify.Unknown:
		return exitError(exitFailed)
	default:
		return fmt.Errorf("the outcome %q is unknown", s)
	}
}
