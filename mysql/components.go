package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// InstalledComponents returns the version of each component that the site in
// the DSN's database says is installed, by frankenstyle name: "core" from
// {prefix}config, plugins from {prefix}config_plugins, and from the version
// columns of {prefix}modules and {prefix}block, where Moodle before 2.6 and
// Totara 2.5 keep those of activities and blocks. Tables that are not there
// contribute nothing; a database without any of them gives an empty map.
func (db *DB) InstalledComponents(ctx context.Context, prefix string) (map[string]string, error) {
	components := map[string]string{}
	sources, err := db.componentSources(ctx, prefix)
	if err != nil {
		return nil, fmt.Errorf("read the installed components: %w", err)
	}
	for _, s := range sources {
		if err := readComponents(ctx, db.sql, s.query, components); err != nil {
			return nil, fmt.Errorf("read the installed components from %q: %w", s.table, err)
		}
	}
	return components, nil
}

// componentSource is one table that tells versions.
type componentSource struct {
	table   string
	columns []string
	query   string
}

// componentSources returns the tables of that kind which the database has, the
// old ones first: what config_plugins says is newer.
func (db *DB) componentSources(ctx context.Context, prefix string) ([]componentSource, error) {
	all := []componentSource{
		{prefix + "config", []string{"name", "value"}, "SELECT 'core', value FROM %s WHERE name = 'version'"},
		{prefix + "modules", []string{"name", "version"}, "SELECT CONCAT('mod_', name), version FROM %s"},
		{prefix + "block", []string{"name", "version"}, "SELECT CONCAT('block_', name), version FROM %s"},
		{prefix + "config_plugins", []string{"plugin", "name", "value"}, "SELECT plugin, value FROM %s WHERE name = 'version'"},
	}
	const query = `
SELECT TABLE_NAME AS name, COLUMN_NAME AS col
FROM information_schema.COLUMNS
WHERE TABLE_SCHEMA = ? AND TABLE_NAME IN (?, ?, ?, ?)`
	rows, err := db.sql.QueryContext(ctx, query, db.dsn.Database, all[0].table, all[1].table, all[2].table, all[3].table)
	if err != nil {
		return nil, err
	}
	columns := map[string]bool{}
	for rows.Next() {
		var table, column string
		if err := rows.Scan(&table, &column); err != nil {
			return nil, errors.Join(err, rows.Close())
		}
		columns[table+"."+strings.ToLower(column)] = true
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, err
	}
	var found []componentSource
	for _, s := range all {
		complete := true
		for _, c := range s.columns {
			complete = complete && columns[s.table+"."+c]
		}
		if complete {
			s.query = fmt.Sprintf(s.query, QuoteIdent(db.dsn.Database)+"."+QuoteIdent(s.table))
			found = append(found, s)
		}
	}
	return found, nil
}

// readComponents adds the rows of a query of component and version.
func readComponents(ctx context.Context, db *sql.DB, query string, components map[string]string) (err error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var name, version sql.NullString
		if err := rows.Scan(&name, &version); err != nil {
			return err
		}
		if name.String != "" && version.String != "" {
			components[name.String] = version.String
		}
	}
	return rows.Err()
}
