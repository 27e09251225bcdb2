//go:build integration

package diffing

// keyCases are changes of primary keys, constraints and triggers.
func keyCases() []driftCase {
	return []driftCase{
		{name: "primary key missing", sort: plain, want: one("error primary-key-missing {t} {pk}"), my: alter("DROP PRIMARY KEY"), pg: alter("DROP CONSTRAINT {pk}")},
		{
			name: "index in place of the primary key", want: one("error primary-key-missing {t} {pk}"),
			my: alter("DROP PRIMARY KEY, ADD UNIQUE INDEX stand{n} (id)"), pg: []string{"ALTER TABLE {t} DROP CONSTRAINT {pk}", "CREATE UNIQUE INDEX stand{n} ON {t} (id)"},
		},
		{name: "extra primary key", sort: keyless, want: one("warning primary-key-extra {t} PRIMARY"), my: alter("ADD PRIMARY KEY (item, name)")},
		{name: "extra primary key, PostgreSQL", sort: keyless, want: one("warning primary-key-extra {t} own{n}"), pg: alter("ADD CONSTRAINT own{n} PRIMARY KEY (item, name)")},
		{
			name: "primary key on other columns", want: one("error primary-key-different {t} {pk}"),
			my: alter("DROP PRIMARY KEY, ADD PRIMARY KEY (id, one)"), pg: []string{"ALTER TABLE {t} DROP CONSTRAINT {pk}", "ALTER TABLE {t} ADD CONSTRAINT {pk} PRIMARY KEY (id, one)"},
		},
		{name: "exclusion", want: one("error exclusion-extra {t} own{n}"), pg: alter("ADD CONSTRAINT own{n} EXCLUDE USING btree (big WITH =)")},
		{name: "extra foreign key", want: one("error foreign-key-extra {t} own{n}"), my: alter("ADD CONSTRAINT own{n} FOREIGN KEY (parent) REFERENCES {p}config (id)"), pg: alter("ADD CONSTRAINT own{n} FOREIGN KEY (parent) REFERENCES {p}config (id)")},
		{
			name: "extra foreign key on a column without index", want: one("error foreign-key-extra {t} own{n}"),
			my: alter("ADD CONSTRAINT own{n} FOREIGN KEY (wide) REFERENCES {p}config (id) ON DELETE CASCADE"), pg: alter("ADD CONSTRAINT own{n} FOREIGN KEY (wide) REFERENCES {p}config (id) ON DELETE CASCADE"),
		},
		{name: "extra check", want: one("warning check-extra {t} own{n}"), my: alter("ADD CONSTRAINT own{n} CHECK (big > 0)"), pg: alter("ADD CONSTRAINT own{n} CHECK (big > 0)")},
		{
			name: "trigger", want: one("warning trigger-extra {t} own{n}"), my: one("CREATE TRIGGER own{n} BEFORE INSERT ON {t} FOR EACH ROW SET NEW.big = 1"),
			pg: []string{
				"CREATE FUNCTION {p}own{n}() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
				"CREATE TRIGGER own{n} BEFORE INSERT ON {t} FOR EACH ROW EXECUTE FUNCTION {p}own{n}()",
			},
		},
		{name: "rule", want: one("warning trigger-extra {t} own{n}"), pg: one("CREATE RULE own{n} AS ON DELETE TO {t} DO ALSO NOTHING")},
	}
}

// indexCases are changes of indexes.
func indexCases() []driftCase {
	again := func(drop, create string) []string { return []string{"DROP INDEX " + drop, create} }
	return []driftCase{
		{name: "index missing", want: one("warning index-missing {t} {ix:label}"), my: alter("DROP INDEX {ix:label}"), pg: one("DROP INDEX {ix:label}")},
		{name: "unique index missing", want: one("error index-missing {t} {ix:code}"), my: alter("DROP INDEX {ix:code}"), pg: one("DROP INDEX {ix:code}")},
		{name: "index of a key missing", want: one("warning index-missing {t} {ix:parent}"), my: alter("DROP INDEX {ix:parent}"), pg: one("DROP INDEX {ix:parent}")},
		{name: "extra index", want: one("warning index-extra {t} own{n}"), my: alter("ADD INDEX own{n} (big)"), pg: one("CREATE INDEX own{n} ON {t} (big)")},
		{name: "extra index on two columns", want: one("warning index-extra {t} own{n}"), my: alter("ADD INDEX own{n} (label, big)"), pg: one("CREATE INDEX own{n} ON {t} (label, big)")},
		{name: "extra unique index", want: one("error index-extra {t} own{n}"), my: alter("ADD UNIQUE INDEX own{n} (big)"), pg: one("CREATE UNIQUE INDEX own{n} ON {t} (big)")},
		{name: "extra index for words", want: one("warning index-extra {t} own{n}"), my: alter("ADD FULLTEXT INDEX own{n} (note)"), pg: one("CREATE INDEX own{n} ON {t} USING gin (to_tsvector('simple', note))")},
		{name: "duplicate index", want: one("warning index-duplicate {t} own{n}"), my: alter("ADD INDEX own{n} (label)"), pg: one("CREATE INDEX own{n} ON {t} (label)")},
		{name: "duplicate of the primary key", want: one("warning index-duplicate {t} own{n}"), my: alter("ADD UNIQUE INDEX own{n} (id)"), pg: one("CREATE UNIQUE INDEX own{n} ON {t} (id)")},
		{name: "uniqueness lost", want: one("error index-uniqueness-lost {t} {ix:code}"), my: alter("DROP INDEX {ix:code}, ADD INDEX {ix:code} (code)"), pg: again("{ix:code}", "CREATE INDEX {ix:code} ON {t} (code)")},
		{name: "uniqueness added", want: one("error index-uniqueness-added {t} {ix:label}"), my: alter("DROP INDEX {ix:label}, ADD UNIQUE INDEX {ix:label} (label)"), pg: again("{ix:label}", "CREATE UNIQUE INDEX {ix:label} ON {t} (label)")},
		{name: "order of columns", want: one("warning index-column-order {t} own{n}"), my: alter("DROP INDEX {ix:one,two}, ADD INDEX own{n} (two, one)"), pg: again("{ix:one,two}", "CREATE INDEX own{n} ON {t} (two, one)")},
		{name: "order of unique columns", want: one("warning index-column-order {t} own{n}"), my: alter("DROP INDEX {ix:two,three}, ADD UNIQUE INDEX own{n} (three, two)"), pg: again("{ix:two,three}", "CREATE UNIQUE INDEX own{n} ON {t} (three, two)")},
		{name: "prefix", want: one("warning index-prefix {t} {ix:label}"), my: alter("DROP INDEX {ix:label}, ADD INDEX {ix:label} (label(10))")},
		{name: "prefix of a unique index", want: one("error index-prefix {t} {ix:code}"), my: alter("DROP INDEX {ix:code}, ADD UNIQUE INDEX {ix:code} (code(10))")},
		{name: "partial", want: one("warning index-partial {t} {ix:label}"), pg: again("{ix:label}", "CREATE INDEX {ix:label} ON {t} (label) WHERE big > 0")},
		{name: "partial unique index", want: one("error index-partial {t} {ix:code}"), pg: again("{ix:code}", "CREATE UNIQUE INDEX {ix:code} ON {t} (code) WHERE big > 0")},
		{name: "expression", want: one("warning index-expression {t} {ix:label}"), mysql: alter("DROP INDEX {ix:label}, ADD INDEX {ix:label} ((lower(label)))"), pg: again("{ix:label}", "CREATE INDEX {ix:label} ON {t} (lower(label))")},
		{name: "expression of a unique index", want: one("error index-expression {t} {ix:code}"), mysql: alter("DROP INDEX {ix:code}, ADD UNIQUE INDEX {ix:code} ((lower(code)))"), pg: again("{ix:code}", "CREATE UNIQUE INDEX {ix:code} ON {t} (lower(code))")},
		{name: "include", want: one("warning index-include {t} {ix:label}"), pg: again("{ix:label}", "CREATE INDEX {ix:label} ON {t} (label) INCLUDE (big)")},
		{name: "operator class", want: one("warning index-operator-class {t} {ix:label}"), pg: again("{ix:label}", "CREATE INDEX {ix:label} ON {t} (label varchar_pattern_ops)")},
		{name: "method", want: one("warning index-method {t} {ix:label}"), my: alter("DROP INDEX {ix:label}, ADD FULLTEXT INDEX {ix:label} (label)"), pg: again("{ix:label}", "CREATE INDEX {ix:label} ON {t} USING hash (label)")},
		{name: "descending", want: one("warning index-descending {t} {ix:label}"), my: alter("DROP INDEX {ix:label}, ADD INDEX {ix:label} (label DESC)"), pg: again("{ix:label}", "CREATE INDEX {ix:label} ON {t} (label DESC)")},
		{name: "nulls first", want: one("warning index-descending {t} {ix:label}"), pg: again("{ix:label}", "CREATE INDEX {ix:label} ON {t} (label NULLS FIRST)")},
		{name: "collation of an index", want: one("warning index-collation {t} {ix:label}"), pg: again("{ix:label}", `CREATE INDEX {ix:label} ON {t} (label COLLATE "C")`)},
		{name: "nulls not distinct", want: one("error index-nulls {t} {ix:maybe}"), pg: again("{ix:maybe}", "CREATE UNIQUE INDEX {ix:maybe} ON {t} (maybe) NULLS NOT DISTINCT")},
		{name: "invisible index", want: one("warning index-invisible {t} {ix:label}"), mariadb: alter("ALTER INDEX {ix:label} IGNORED"), mysql: alter("ALTER INDEX {ix:label} INVISIBLE")},
		{name: "invalid index", undumped: true, want: one("error index-invalid {t} {ix:label}"), pg: one("UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{ix:label}'::regclass")},
		{name: "deferrable", want: one("warning index-deferrable {t} own{n}"), pg: again("{ix:code}", "ALTER TABLE {t} ADD CONSTRAINT own{n} UNIQUE (code) DEFERRABLE")},
		{name: "index for LIKE missing", sort: paths, want: one("warning index-pattern-missing {t} {pattern:path}"), pg: one("DROP INDEX {pattern:path}")},
	}
}

// totaraCases are changes that only a site of Totara can have.
func totaraCases() []driftCase {
	drop := "DROP CONSTRAINT "
	return []driftCase{
		{name: "run-time table", want: one("info table-run-time {p}report_builder_cache_7{n}"), my: one("CREATE TABLE {p}report_builder_cache_7{n} (id int PRIMARY KEY)"), pg: one("CREATE TABLE {p}report_builder_cache_7{n} (id int PRIMARY KEY)"), manual: true},
		{name: "temporary table", want: one("warning table-temporary {p}ss_t_x{n}"), my: one("CREATE TABLE {p}ss_t_x{n} (id int PRIMARY KEY)"), pg: one("CREATE TABLE {p}ss_t_x{n} (id int PRIMARY KEY)")},
		{name: "foreign key missing", sort: bound, want: one("error foreign-key-missing {t} {fk:parent}"), my: alter("DROP FOREIGN KEY {fk:parent}"), pg: alter(drop + "{fk:parent}")},
		{
			name: "foreign key of another action", sort: bound, want: one("error foreign-key-different {t} own{n}"),
			my: []string{"ALTER TABLE {t} DROP FOREIGN KEY {fk:parent}", "ALTER TABLE {t} ADD CONSTRAINT own{n} FOREIGN KEY (parent) REFERENCES {p}config (id)"},
			pg: alter(drop + "{fk:parent}, ADD CONSTRAINT own{n} FOREIGN KEY (parent) REFERENCES {p}config (id)"),
		},
		{
			name: "foreign key to another table", sort: bound, want: one("error foreign-key-different {t} own{n}"),
			my: []string{"ALTER TABLE {t} DROP FOREIGN KEY {fk:parent}", "ALTER TABLE {t} ADD CONSTRAINT own{n} FOREIGN KEY (parent) REFERENCES {p}config_plugins (id) ON DELETE CASCADE"},
			pg: alter(drop + "{fk:parent}, ADD CONSTRAINT own{n} FOREIGN KEY (parent) REFERENCES {p}config_plugins (id) ON DELETE CASCADE"),
		},
		{name: "check missing", sort: bound, want: one("warning check-missing {t} {ck:kind}"), my: alter(drop + "{ck:kind}"), pg: alter(drop + "{ck:kind}")},
		{
			name: "check of other values", sort: bound, want: one("warning check-different {t} {ck:level}"),
			my: []string{"ALTER TABLE {t} " + drop + "{ck:level}", "ALTER TABLE {t} ADD CONSTRAINT {ck:level} CHECK (level IN (1, 2))"},
			pg: alter(drop + "{ck:level}, ADD CONSTRAINT {ck:level} CHECK (level IN (1, 2))"),
		},
		{
			name: "check not enforced", sort: bound, want: one("warning check-different {t} {ck:level}"), mysql: alter("ALTER CHECK {ck:level} NOT ENFORCED"),
		},
		{name: "index for words missing", sort: bound, want: one("warning index-missing {t} {ix:content}"), my: alter("DROP INDEX {ix:content}")},
	}
}
