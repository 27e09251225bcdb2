package main

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	driver "github.com/go-sql-driver/mysql"
	"github.com/spf13/cobra"

	"github.com/moodledb/moodledb/drift"
	"github.com/moodledb/moodledb/dsn"
	"github.com/moodledb/moodledb/internal/throwaway"
	"github.com/moodledb/moodledb/migrate"
	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/proof"
	"github.com/moodledb/moodledb/report"
	"github.com/moodledb/moodledb/testdata/site"
	"github.com/moodledb/moodledb/xmldb"
)

func newDemo(t *terminal) *cobra.Command {
	var source, format string
	var keep bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "See a small site migrate on this machine, in a minute",
		Long: `demo starts a private MariaDB or MySQL and a private PostgreSQL from the programs
that this machine has, each in a directory of its own on a free port of
127.0.0.1, loads a small sample site, plans and runs its migration, prints the
report, compares every cell of both databases, compares the result with the
site's code, and removes all of it.

It installs nothing; 'make demo' in the source tree installs what is missing.`,
		Example: "  moodledb demo\n  moodledb demo --source mysql --keep",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			kind := throwaway.Kind(source)
			if kind != throwaway.MariaDB && kind != throwaway.MySQL {
				return usageError{fmt.Errorf("--source is mariadb or mysql, not %q", source)}
			}
			if _, err := report.ParseFormat(format); err != nil {
				return usageError{err}
			}
			return runDemo(cmd.Context(), t, kind, format, keep)
		},
	}
	cmd.Flags().StringVar(&source, "source", string(throwaway.MariaDB), "`server` to migrate from: mariadb or mysql")
	cmd.Flags().StringVar(&format, "format", "text", "`text` or json, on standard output")
	cmd.Flags().BoolVar(&keep, "keep", false, "keep the servers running until Enter or Ctrl-C, to look around")
	return cmd
}

func runDemo(ctx context.Context, t *terminal, kind throwaway.Kind, format string, keep bool) (err error) {
	dir, err := os.MkdirTemp("", "moodledb-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()

	from, err := startServer(ctx, t, kind)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Stop()) }()
	to, err := startServer(ctx, t, throwaway.Postgres)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Stop()) }()

	e, err := openDemo(ctx, t, dir, from, to)
	if err != nil {
		return err
	}
	defer e.close()
	if err := e.migrate(ctx, t, show{format: report.Format(format), progress: progressAuto}, false); err != nil {
		return err
	}
	if err := verifyDemo(ctx, t, e.options.Site, from.URL(demoDatabase), to.URL(demoDatabase), format); err != nil {
		return err
	}
	if err := diffDemo(ctx, t, e.options.Site, to.URL(demoDatabase), format); err != nil {
		return err
	}
	if keep {
		return t.pause(ctx, fmt.Sprintf("source: %s\ntarget: %s", from.URL(demoDatabase), to.URL(demoDatabase)))
	}
	return nil
}

// verifyDemo compares every cell of the two databases. Anything but the same is
// an error here: nobody has touched them.
func verifyDemo(ctx context.Context, t *terminal, declared *xmldb.Site, from, to, format string) error {
	name, err := report.ParseVerifyFormat(format)
	if err != nil {
		return usageError{err}
	}
	var expected, found proof.Source
	if expected.DSN, err = dsn.Parse(from, dsn.Options{}); err != nil {
		return err
	}
	if found.DSN, err = dsn.Parse(to, dsn.Options{}); err != nil {
		return err
	}
	release, commit := buildVersion()
	fmt.Fprint(t.stderr, "\nWhether both databases hold the same (moodledb verify):\n\n")
	opts := proof.Options{Site: declared, Tool: cmp.Or(release, commit, "(devel)")}
	result, err := compareShown(ctx, t, &verifyFlags{progress: progressNone}, expected, found, opts)
	if err != nil {
		return err
	}
	if err := report.Verify(t.stdout, result, report.VerifyOptions{Format: name}); err != nil {
		return err
	}
	return exitOf(result.State)
}

// diffDemo compares the migrated database with the code. The sample site has
// drifted on purpose, and a migration keeps what is not declared.
func diffDemo(ctx context.Context, t *terminal, declared *xmldb.Site, url, format string) error {
	name, err := report.ParseDiffFormat(format)
	if err != nil {
		return usageError{err}
	}
	place, err := dsn.Parse(url, dsn.Options{})
	if err != nil {
		return err
	}
	found, err := drift.ReadServer(ctx, place, drift.ReadOptions{})
	if err != nil {
		return err
	}
	result, err := drift.Declared(declared, found, drift.Options{Now: time.Now()})
	if err != nil {
		return err
	}
	fmt.Fprint(t.stderr, "\nWhat the migrated database has beyond the code, or otherwise (moodledb diff):\n\n")
	return report.Diff(t.stdout, result, report.DiffOptions{Format: name, Color: isTerminal(t.stdout)})
}

// demoDatabase is the name of the database at both ends, and so of the staging schema.
const demoDatabase = "moodle"

// startServer starts a private server and says so.
func startServer(ctx context.Context, t *terminal, kind throwaway.Kind) (*throwaway.Server, error) {
	s, err := throwaway.Start(ctx, throwaway.Options{Kind: kind})
	if errors.Is(err, throwaway.ErrNotInstalled) {
		return nil, fmt.Errorf("%w; install it, or run 'make demo' in the source tree, which does", err)
	}
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(t.stderr, "started a private %s %s on port %d\n", s.Kind, s.Version, s.Port)
	return s, nil
}

// openDemo loads the sample site and opens both ends.
func openDemo(ctx context.Context, t *terminal, dir string, from, to *throwaway.Server) (*ends, error) {
	code := filepath.Join(dir, "code")
	if err := os.CopyFS(code, site.Code()); err != nil {
		return nil, fmt.Errorf("write the sample site's code: %w", err)
	}
	declared, err := xmldb.Load(code, xmldb.Options{})
	if err != nil {
		return nil, err
	}
	if err := loadSample(ctx, from); err != nil {
		return nil, fmt.Errorf("load the sample site: %w", err)
	}
	fmt.Fprintf(t.stderr, "loaded the sample site: %d tables are declared by %d install.xml files\n\n",
		len(declared.Tables()), len(declared.Files))
	source, err := dsn.Parse(from.URL(demoDatabase), dsn.Options{})
	if err != nil {
		return nil, err
	}
	target, err := dsn.Parse(to.URL(demoDatabase), dsn.Options{})
	if err != nil {
		return nil, err
	}
	if err := createTarget(ctx, target); err != nil {
		return nil, err
	}
	e := &ends{options: migrate.Options{Site: declared, Owner: "moodle"}}
	if e.source, err = mysql.Open(ctx, source); err != nil {
		return nil, err
	}
	if e.target, err = postgres.Open(ctx, target); err != nil {
		e.close()
		return nil, err
	}
	return e, nil
}

// loadSample makes the source's database and fills it. The product's own
// sessions only read, so this one is the driver's.
func loadSample(ctx context.Context, server *throwaway.Server) (err error) {
	config := driver.NewConfig()
	config.Net, config.Addr = "tcp", net.JoinHostPort(server.Host, strconv.Itoa(server.Port))
	config.User, config.Passwd = server.User, server.Password
	connector, err := driver.NewConnector(config)
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	defer func() { err = errors.Join(err, db.Close()) }()
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	name := mysql.QuoteIdent(demoDatabase)
	for _, s := range []string{"CREATE DATABASE " + name + " CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci", "USE " + name} {
		if _, err := conn.ExecContext(ctx, s); err != nil {
			return err
		}
	}
	for s := range site.Statements() {
		if _, err := conn.ExecContext(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// createTarget makes the target's database and the role that is to own the site.
func createTarget(ctx context.Context, d dsn.DSN) error {
	admin, err := postgres.Open(ctx, d.WithDatabase("postgres"))
	if err != nil {
		return err
	}
	defer admin.Close()
	conn, err := admin.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	for _, s := range []string{
		"CREATE ROLE moodle LOGIN",
		"CREATE DATABASE " + postgres.QuoteIdent(d.Database) + " OWNER moodle ENCODING 'UTF8' TEMPLATE template0",
	} {
		if err := conn.Exec(ctx, s); err != nil {
			return err
		}
	}
	return nil
}
