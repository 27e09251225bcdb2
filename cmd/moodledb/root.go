package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/moodledb/moodledb/migrate"
)

// newRoot makes the command tree. Commands hold no state between runs.
func newRoot(t *terminal) *cobra.Command {
	root := &cobra.Command{
		Use:   "moodledb",
		Short: "Compare the database of a Moodle or Totara site with its code, and move it to PostgreSQL",
		Long: `moodledb knows what the database of a Moodle or Totara site should look like,
because it reads the install.xml files of the site's own code, and what it does
look like, because it reads the catalogs of the live servers.

Places are given the same way everywhere: a URL (mysql://, mariadb://,
postgres://) or the path of a Moodle config.php; where no data is needed, also
a schema dump (.sql, .sql.gz).

Exit codes: 0 fine, 1 there is a difference or something stands in the way, 2 it
could not be done or told, 130 interrupted.`,
		SilenceUsage:      true,
		SilenceErrors:     true,
		DisableAutoGenTag: true,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(
		newMigrate(t),
		newPlan(t),
		newStatus(t),
		newAbort(t),
		newVerify(t),
		newDiff(t),
		newSchema(t),
		newDemo(t),
		newVersion(t),
	)
	return root
}

// noArgs refuses arguments that are no flags.
func noArgs(cmd *cobra.Command, args []string) error {
	if err := cobra.NoArgs(cmd, args); err != nil {
		return usageError{err}
	}
	return nil
}

// usage makes an error of the options a usage error.
func usage(err error) error {
	if errors.Is(err, migrate.ErrUsage) {
		return usageError{err}
	}
	return err
}
