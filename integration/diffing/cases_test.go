//go:build integration

package diffing

import (
	"slices"
	"strings"

	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/xmldb"
)

// driftCase is one change to a database, and what is said about it. Texts have
// words in braces; see place.fill.
type driftCase struct {
	name string
	// want are the changes to be found, each "severity code table object"; one but for cases that say why.
	want []string
	// sort is the sort of table to spoil; empty for subject.
	sort string
	// my are the statements for MySQL and MariaDB, pg those for PostgreSQL. Where there are
	// none, the case cannot exist there.
	my, pg []string
	// mariadb and mysql replace my on one of the two.
	mariadb, mysql []string
	// except are the beginnings of flavours that do not have it.
	except []string
	// data says that rows make the case: a dump of the schema does not show it.
	data bool
	// undumped says that no dump shows it, although it is in the schema.
	undumped bool
	// last says that it changes what the other cases of a database need.
	last bool
	// hinders says that the fixes of other changes to the same table may fail.
	hinders bool
	// manual says that no statement can undo it.
	manual bool
}

// statements are those of a flavour; empty when the case cannot exist there.
func (c driftCase) statements(flavour string) []string {
	engine, _, _ := strings.Cut(flavour, "-")
	if slices.ContainsFunc(c.except, func(e string) bool { return strings.HasPrefix(flavour, e) }) {
		return nil
	}
	switch schema.Engine(engine) {
	case schema.Postgres:
		return c.pg
	case schema.MariaDB:
		return append(slices.Clone(c.my), c.mariadb...)
	case schema.MySQL:
		return append(slices.Clone(c.my), c.mysql...)
	default:
		panic("a flavour of no engine: " + flavour)
	}
}

func (c driftCase) tableSort() string {
	if c.sort == "" {
		return subject
	}
	return c.sort
}

func one(want string) []string { return []string{want} }

// alter are the statements of a case that changes its table.
func alter(change string) []string { return []string{"ALTER TABLE {t} " + change} }

// driftCases are the cases of a product.
func driftCases(product xmldb.Product) []driftCase {
	if product == xmldb.Totara {
		return totaraCases()
	}
	return slices.Concat(tableCases(), columnCases(), typeCases(), sequenceCases(), keyCases(), indexCases())
}

func tableCases() []driftCase {
	return []driftCase{
		{name: "table missing", want: one("error table-missing {t}"), my: one("DROP TABLE {t}"), pg: one("DROP TABLE {t}")},
		{
			name: "plugin not installed", want: one("info table-not-installed {p}local_idle"),
			my: []string{"DROP TABLE {p}local_idle", "DELETE FROM {p}config_plugins WHERE plugin = 'local_idle'"},
			pg: []string{"DROP TABLE {p}local_idle", "DELETE FROM {p}config_plugins WHERE plugin = 'local_idle'"}, data: true, manual: true,
		},
		{
			name: "extra table", want: one("warning table-extra {p}strange{n}"),
			my: one("CREATE TABLE {p}strange{n} (id int PRIMARY KEY, name varchar(20))"), pg: one("CREATE TABLE {p}strange{n} (id serial PRIMARY KEY, name varchar(20))"),
		},
		{
			name: "plugin removed", want: one("warning table-plugin-removed {p}gone{n}_things"), data: true,
			my: []string{"CREATE TABLE {p}gone{n}_things (id int PRIMARY KEY)", "INSERT INTO {p}config_plugins (plugin, name, value) VALUES ('mod_gone{n}', 'version', '1')"},
			pg: []string{"CREATE TABLE {p}gone{n}_things (id int PRIMARY KEY)", "INSERT INTO {p}config_plugins (plugin, name, value) VALUES ('mod_gone{n}', 'version', '1')"}, manual: true,
		},
		{
			name: "copy of a table", want: one("warning table-leftover {t}_bak"),
			my: one("CREATE TABLE {t}_bak LIKE {t}"), pg: one("CREATE TABLE {t}_bak (LIKE {t})"),
		},
		{name: "table of a tool", want: one("warning table-leftover pma__bookmark{n}"), my: one("CREATE TABLE pma__bookmark{n} (id int PRIMARY KEY)"), pg: one("CREATE TABLE pma__bookmark{n} (id int PRIMARY KEY)")},
		{name: "temporary table", want: one("warning table-temporary {p}temp_enroled{n}"), my: one("CREATE TABLE {p}temp_enroled{n} (id int PRIMARY KEY)"), pg: one("CREATE TABLE {p}temp_enroled{n} (id int PRIMARY KEY)")},
		{name: "table of another prefix", want: one("info table-other-prefix other{n}_things"), my: one("CREATE TABLE other{n}_things (id int PRIMARY KEY)"), pg: one("CREATE TABLE other{n}_things (id int PRIMARY KEY)"), manual: true},
		{
			name: "view in place of a table", hinders: true, want: one("error table-is-view {t}"),
			my: []string{"DROP TABLE {t}", "CREATE VIEW {t} AS SELECT * FROM {p}config"}, pg: []string{"DROP TABLE {t}", "CREATE VIEW {t} AS SELECT * FROM {p}config"},
		},
		{name: "materialized view in place of a table", hinders: true, want: one("error table-is-view {t}"), pg: []string{"DROP TABLE {t}", "CREATE MATERIALIZED VIEW {t} AS SELECT * FROM {p}config"}},
		{name: "foreign table in place of a table", hinders: true, want: one("error table-is-view {t}"), pg: []string{
			"DROP TABLE {t}", "CREATE FOREIGN DATA WRAPPER wrapper{n}", "CREATE SERVER server{n} FOREIGN DATA WRAPPER wrapper{n}", "CREATE FOREIGN TABLE {t} (id bigint) SERVER server{n}",
		}},
		{name: "relation of an earlier schema", want: one("error table-shadowed {t} earlier"), manual: true, last: true, pg: []string{
			"CREATE SCHEMA earlier", "CREATE SCHEMA IF NOT EXISTS later", "CREATE TABLE earlier.{t} (id int)", `ALTER DATABASE "{db}" SET search_path = earlier, public, later`,
		}},
		{name: "relation of a later schema", want: one("warning table-shadowed {t} later"), manual: true, last: true, pg: []string{
			"CREATE SCHEMA IF NOT EXISTS later", "CREATE VIEW later.{t} AS SELECT 1 AS one", `ALTER DATABASE "{db}" SET search_path = earlier, public, later`,
		}},
		{name: "partitions, MySQL", sort: plain, want: one("warning table-partitioned {t}"), my: alter("PARTITION BY HASH (id) PARTITIONS 2")},
		{name: "partitions, PostgreSQL", sort: plain, want: one("error table-partitioned {t}"), pg: []string{
			"DROP TABLE {t}", "CREATE TABLE {t} (id bigint CONSTRAINT {pk} PRIMARY KEY, name varchar(100) NOT NULL DEFAULT '') PARTITION BY RANGE (id)",
			"CREATE SCHEMA IF NOT EXISTS later", "CREATE TABLE later.part{n} PARTITION OF {t} DEFAULT",
		}},
		{name: "inheritance", sort: plain, want: one("warning table-inherited {t}"), pg: []string{
			"CREATE SCHEMA IF NOT EXISTS later", "CREATE TABLE later.parent{n} (id bigint NOT NULL)", "ALTER TABLE {t} INHERIT later.parent{n}",
		}},
		{name: "system versioning", want: one("warning table-versioned {t}"), mariadb: alter("ADD SYSTEM VERSIONING")},
		{name: "unlogged", want: one("error table-unlogged {t}"), pg: alter("SET UNLOGGED")},
		{name: "owner", want: one("warning table-owner {t}"), pg: alter("OWNER TO someone_else")},
		{name: "MyISAM", want: one("error table-engine {t}"), my: alter("ENGINE=MyISAM")},
		{name: "Aria", want: one("error table-engine {t}"), mariadb: alter("ENGINE=Aria")},
		{name: "row format Compact", want: one("error table-row-format {t}"), my: alter("ROW_FORMAT=Compact")},
		{name: "row format Redundant", want: one("error table-row-format {t}"), my: alter("ROW_FORMAT=Redundant")},
		{name: "default collation of a table", want: one("warning table-collation {t}"), my: alter("DEFAULT COLLATE utf8mb4_bin")},
		{name: "default character set of a table", want: one("warning table-collation {t}"), my: alter("DEFAULT CHARACTER SET latin1")},
		{name: "row level security", hinders: true, want: one("error table-row-security {t}"), pg: alter("ENABLE ROW LEVEL SECURITY")},
		{name: "view", hinders: true, want: one("info view-extra {p}report{n}"), my: one("CREATE VIEW {p}report{n} AS SELECT * FROM {t}"), pg: one("CREATE VIEW {p}report{n} AS SELECT id FROM {t}")},
		{name: "materialized view", hinders: true, want: one("info view-extra {p}report{n}"), pg: one("CREATE MATERIALIZED VIEW {p}report{n} AS SELECT id FROM {t}")},
		{name: "foreign table", want: one("info view-extra {p}far{n}"), pg: []string{
			"CREATE FOREIGN DATA WRAPPER wrapper{n}", "CREATE SERVER server{n} FOREIGN DATA WRAPPER wrapper{n}", "CREATE FOREIGN TABLE {p}far{n} (id bigint) SERVER server{n}",
		}},
	}
}

func sequenceCases() []driftCase {
	return []driftCase{
		{name: "id without counter", want: one("error column-auto-increment-missing {t} id"), my: alter("MODIFY id bigint NOT NULL"), pg: alter("ALTER id DROP DEFAULT")},
		{
			name: "id with counter", sort: plain, want: one("warning column-auto-increment-extra {t} id"),
			my: alter("MODIFY id bigint NOT NULL AUTO_INCREMENT"),
			pg: []string{"CREATE SEQUENCE {t}_id_seq OWNED BY {t}.id", "ALTER TABLE {t} ALTER id SET DEFAULT nextval('{t}_id_seq')"},
		},
		{name: "identity", want: one("error column-identity {t} id"), pg: []string{"ALTER TABLE {t} ALTER id DROP DEFAULT", "DROP SEQUENCE {seq}", "ALTER TABLE {t} ALTER id ADD GENERATED BY DEFAULT AS IDENTITY"}},
		{name: "strict identity", want: one("error column-identity {t} id"), pg: []string{"ALTER TABLE {t} ALTER id DROP DEFAULT", "DROP SEQUENCE {seq}", "ALTER TABLE {t} ALTER id ADD GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME ids{n})"}},
		{name: "sequence missing", want: one("error sequence-missing {t} {seq}"), pg: one("DROP SEQUENCE {seq} CASCADE")},
		{name: "extra sequence", want: one("info sequence-extra - {p}stray{n}"), mariadb: one("CREATE SEQUENCE {p}stray{n}"), pg: one("CREATE SEQUENCE {p}stray{n}")},
		{name: "name of a sequence", want: one("warning sequence-name {t} {t}_ids"), pg: one("ALTER SEQUENCE {seq} RENAME TO {t}_ids")},
		{name: "sequence not owned", want: one("warning sequence-not-owned {t} {seq}"), pg: one("ALTER SEQUENCE {seq} OWNED BY NONE")},
		{name: "increment of a sequence", want: one("warning sequence-options {t} {seq}"), pg: one("ALTER SEQUENCE {seq} INCREMENT BY 10")},
		{name: "type of a sequence", want: one("warning sequence-options {t} {seq}"), pg: one("ALTER SEQUENCE {seq} AS integer")},
		{name: "cycling sequence", want: one("warning sequence-options {t} {seq}"), pg: one("ALTER SEQUENCE {seq} CYCLE")},
		{name: "sequence behind", want: one("error sequence-behind {t} {seq}"), data: true, pg: one("INSERT INTO {t} (id, required, body) VALUES (1000, 1, '')")},
		{
			name: "sequence that was restarted", want: one("error sequence-behind {t} {seq}"), data: true,
			pg: []string{"INSERT INTO {t} (required, body) VALUES (1, '')", "SELECT setval('{seq}', 1, false)"},
		},
	}
}
