package postgres

import (
	"context"
	"fmt"
	"slices"
)

// InstalledComponents returns the version of each component that the site in
// the schema says is installed, by frankenstyle name: "core" from
// {prefix}config, plugins from {prefix}config_plugins, and from the version
// columns of {prefix}modules and {prefix}block, where Moodle before 2.6 and
// Totara 2.5 keep those of activities and blocks. Tables that are not there, or
// that the role may not read, contribute nothing; a schema without any of them
// gives an empty map.
func (db *DB) InstalledComponents(ctx context.Context, schemaName, prefix string) (map[string]string, error) {
	c, err := db.acquire(ctx)
	if err != nil {
		return nil, connectError(db.config, err)
	}
	defer db.release(c)
	sources := componentSources(prefix)
	columns, err := readableColumns(ctx, c, schemaName, sources)
	if err != nil {
		return nil, canceled(ctx, stepError(err, "read the installed components"))
	}
	components := map[string]string{}
	for _, s := range sources {
		if slices.ContainsFunc(s.columns, func(column string) bool { return !columns[s.table+"."+column] }) {
			continue
		}
		var name, version string
		err := forEach(ctx, c, fmt.Sprintf(s.query, qualify(schemaName, s.table)), nil, []any{&name, &version}, func() error {
			if name != "" && version != "" {
				components[name] = version
			}
			return nil
		})
		if err != nil {
			return nil, canceled(ctx, stepError(err, "read the installed components from table %q", s.table))
		}
	}
	return components, nil
}

// componentSource is one table that tells versions. Both columns of its query are text and not NULL.
type componentSource struct {
	table   string
	columns []string
	query   string
}

// componentSources are the tables that tell versions, the old ones first: what
// config_plugins says is newer.
func componentSources(prefix string) []componentSource {
	return []componentSource{
		{prefix + "config", []string{"name", "value"}, "SELECT 'core', coalesce(value::text, '') FROM %s WHERE name = 'version'"},
		{prefix + "modules", []string{"name", "version"}, "SELECT 'mod_' || coalesce(name::text, ''), coalesce(version::text, '') FROM %s"},
		{prefix + "block", []string{"name", "version"}, "SELECT 'block_' || coalesce(name::text, ''), coalesce(version::text, '') FROM %s"},
		{
			prefix + "config_plugins",
			[]string{"plugin", "name", "value"},
			"SELECT coalesce(plugin::text, ''), coalesce(value::text, '') FROM %s WHERE name = 'version'",
		},
	}
}

// readableColumns has "table.column" of the columns that the role may read.
func readableColumns(ctx context.Context, q querier, schemaName string, sources []componentSource) (map[string]bool, error) {
	const query = `
SELECT c.relname, a.attname
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE n.nspname = $1 AND c.relname = ANY ($2) AND has_column_privilege(c.oid, a.attnum, 'SELECT')`
	var names []string
	for _, s := range sources {
		names = append(names, s.table)
	}
	columns := map[string]bool{}
	var table, column string
	err := forEach(ctx, q, query, []any{schemaName, names}, []any{&table, &column}, func() error {
		columns[table+"."+column] = true
		return nil
	})
	return columns, err
}
