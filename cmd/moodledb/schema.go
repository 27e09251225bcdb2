package main

import (
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/spf13/cobra"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/report"
	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/xmldb"
)

func newSchema(t *terminal) *cobra.Command {
	var code, engine, prefix, collation, schemaName string
	var tables []string
	cmd := &cobra.Command{
		Use:   "schema",
		Short: "Print the DDL that a site's install.xml files declare",
		Long: `schema prints the statements with which Moodle's own installer would make the
tables of a site, keys and indexes included: what one needs to make tables
again that were left out of a dump.

Index names are those of a fresh install of this code. What is wrong with the
install.xml files is told on standard error; an error there makes the exit code 1.`,
		Example: `  moodledb schema --code /var/www/moodle --engine postgres
  moodledb schema --code /var/www/moodle --engine mysql --tables 'logstore_*,sessions'`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			if code == "" {
				return usageError{errors.New("--code is missing: the directory of the site's code")}
			}
			target := schema.Engine(engine)
			switch target {
			case schema.MySQL, schema.MariaDB, schema.Postgres:
			default:
				return usageError{fmt.Errorf("--engine is mysql, mariadb or postgres, not %q", engine)}
			}
			site, err := xmldb.Load(code, xmldb.Options{})
			if err != nil {
				return err
			}
			return printSchema(t, site, tables, schemaName, convert.DeclaredOptions{Engine: target, Prefix: prefix, Collation: collation})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&code, "code", "", "`directory` of the site's code")
	flags.StringVar(&engine, "engine", "postgres", "`engine` whose DDL to print: mysql, mariadb or postgres")
	flags.StringVar(&prefix, "prefix", "mdl_", "`prefix` of the tables")
	flags.StringVar(&collation, "collation", "utf8mb4_unicode_ci", "`collation` of the tables, for mysql and mariadb")
	flags.StringVar(&schemaName, "schema", "", "`schema` to qualify names with, for postgres (default: none)")
	flags.StringSliceVar(&tables, "tables", nil, "only these tables: `globs` on names without the prefix")
	return cmd
}

func printSchema(t *terminal, site *xmldb.Site, patterns []string, schemaName string, opts convert.DeclaredOptions) error {
	// All tables take part in the naming, so that a chosen table gets the name that it has in the whole.
	declared, findings := convert.Declared(site, opts)
	findings = append(append([]xmldb.Finding(nil), site.Findings...), findings...)
	if err := report.SiteFindings(t.stderr, findings); err != nil {
		return err
	}
	used := map[string]bool{}
	var script, constraints []string
	for i := range declared.Tables {
		table := &declared.Tables[i]
		ok, err := chosen(patterns, strings.TrimPrefix(table.Name, opts.Prefix), used)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		made, after := tableDDL(opts.Engine, schemaName, *table)
		script, constraints = append(script, made...), append(constraints, after...)
	}
	for _, p := range patterns {
		if !used[p] {
			return fmt.Errorf("--tables: no declared table matches %q", p)
		}
	}
	// Enforced foreign keys come last, since they may lead to any table.
	if _, err := io.WriteString(t.stdout, postgres.Script(append(script, constraints...))); err != nil {
		return err
	}
	for _, f := range findings {
		if f.Severity == xmldb.Error {
			return exitError(exitBlocked)
		}
	}
	return nil
}

// tableDDL are the statements that make a table, and those that need other tables.
func tableDDL(engine schema.Engine, schemaName string, t schema.Table) (made, constraints []string) {
	if engine == schema.Postgres {
		return postgres.TableStatements(schemaName, t), postgres.ConstraintStatements(schemaName, t)
	}
	for _, fk := range t.ForeignKeys {
		constraints = append(constraints, mysql.AddForeignKey(t.Name, fk))
	}
	t.ForeignKeys = nil
	return []string{mysql.CreateTable(t)}, constraints
}

// chosen reports whether a table is wanted, and notes in used the patterns that matched.
func chosen(patterns []string, name string, used map[string]bool) (bool, error) {
	if len(patterns) == 0 {
		return true, nil
	}
	found := false
	for _, p := range patterns {
		ok, err := path.Match(p, name)
		if err != nil {
			return false, usageError{fmt.Errorf("--tables: %q is no pattern: %w", p, err)}
		}
		if ok {
			found, used[p] = true, true
		}
	}
	return found, nil
}
