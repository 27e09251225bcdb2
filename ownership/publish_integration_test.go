//go:build integration

package ownership_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/ownership"
)

// A published site must dump as one that was made in public from the start.
func TestPublishedEqualsNative(t *testing.T) {
	tests := []struct {
		name string
		// prepare runs in both databases as superuser, before anything else.
		prepare string
		// as is the role that migrates and makes the native site; empty is the superuser.
		as string
		// owner is the role that gets everything; empty keeps the one that migrates.
		owner string
		// native gives public to owner in the native database.
		native string
	}{
		{name: "by the superuser"},
		{name: "by the owner of the database", as: "site_owner", prepare: "ALTER DATABASE %[1]s OWNER TO site_owner"},
		{
			name: "by the superuser for a role", owner: "site_owner",
			native: "ALTER SCHEMA public OWNER TO site_owner",
		},
		{
			name: "with extensions in public", owner: "site_owner",
			prepare: "CREATE EXTENSION pg_trgm; CREATE EXTENSION citext",
			native:  "ALTER SCHEMA public OWNER TO site_owner",
		},
		{
			name: "with privileges on public", as: "site_owner",
			prepare: `ALTER DATABASE %[1]s OWNER TO site_owner;
				REVOKE ALL ON SCHEMA public FROM PUBLIC;
				GRANT USAGE ON SCHEMA public TO "read Only" WITH GRANT OPTION;
				GRANT CREATE ON SCHEMA public TO site_helper;
				COMMENT ON SCHEMA public IS 'it''s ours'`,
		},
		{
			name: "with default privileges in public", as: "site_owner",
			prepare: `ALTER DATABASE %[1]s OWNER TO site_owner;
				ALTER DEFAULT PRIVILEGES FOR ROLE site_owner IN SCHEMA public GRANT SELECT ON TABLES TO "read Only";
				ALTER DEFAULT PRIVILEGES FOR ROLE site_owner IN SCHEMA public GRANT USAGE ON SEQUENCES TO "read Only" WITH GRANT OPTION;
				ALTER DEFAULT PRIVILEGES FOR ROLE site_owner IN SCHEMA public GRANT EXECUTE ON FUNCTIONS TO "read Only"`,
		},
		{name: "with public as before PostgreSQL 15", prepare: "ALTER SCHEMA public OWNER TO postgres; GRANT CREATE ON SCHEMA public TO PUBLIC"},
	}
	forTargets(t, func(t *testing.T, s *testdb.Server) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				native, migrated := s.Database(t), s.Database(t)
				roles(t, s, native)
				urls := map[string]string{native: native, migrated: migrated}
				for u := range urls {
					if tt.prepare != "" {
						s.Exec(t, u, strings.ReplaceAll(tt.prepare, "%[1]s", ident(database(u))))
					}
					if tt.as != "" {
						urls[u] = s.Role(t, tt.as, u)
					}
				}
				if tt.owner == "" {
					s.Exec(t, urls[native], siteIn("public"))
				} else {
					s.Exec(t, native, tt.native)
					s.Exec(t, s.Role(t, tt.owner, native), siteIn("public"))
				}

				db := open(t, urls[migrated])
				o := options()
				o.Owner = tt.owner
				plan, err := ownership.Check(t.Context(), db, o)
				if err != nil || len(plan.Problems) > 0 {
					t.Fatalf("Check: %v %v", codes(plan.Problems), err)
				}
				load(t, s, urls[migrated], db)
				done := publish(t, db, o)
				if diff := cmp.Diff(plan.Statements, done.Statements); diff != "" {
					t.Errorf("statements (-planned +done):\n%s", diff)
				}
				if diff := cmp.Diff(dump(t, s, native), dump(t, s, migrated)); diff != "" {
					t.Errorf("pg_dump (-native +migrated):\n%.6000s", diff)
				}
			})
		}
	})
}

// roles makes the roles of the tests.
func roles(t testing.TB, s *testdb.Server, databaseURL string) {
	t.Helper()
	for _, r := range []string{"site_owner", "site_helper", "site_loner", "read Only"} {
		s.Role(t, r, databaseURL)
	}
}

// What is published works: sequences give out values, the extension's
// operators are found, the replaced site stays whole.
func TestReplaceKeepsTheOldSite(t *testing.T) {
	forTargets(t, func(t *testing.T, s *testdb.Server) {
		u := s.Database(t)
		s.Exec(t, u, "CREATE EXTENSION pg_trgm", siteIn("public"),
			"CREATE INDEX old_trgm ON public.mdl_config USING gin (value gin_trgm_ops)",
			"INSERT INTO public.mdl_config (name, value) VALUES ('old', 'site')",
			"CREATE SCHEMA report", "CREATE VIEW report.users AS SELECT * FROM public.mdl_config",
			"CREATE TABLE report.child (id bigint REFERENCES public.mdl_config (id))")
		db := open(t, u)
		o := options()
		plan, err := ownership.Check(t.Context(), db, o)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"SCHEMA-NOT-EMPTY"}, codes(plan.Problems)); diff != "" {
			t.Errorf("without replace (-want +got):\n%s", diff)
		}
		o.Replace = true
		if plan, err = ownership.Check(t.Context(), db, o); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"schema-dependents"}, codes(plan.Problems)); diff != "" {
			t.Errorf("with replace (-want +got):\n%s", diff)
		}
		if !strings.Contains(plan.Problems[0].Message, "report.child, report.users") {
			t.Errorf("the dependents are not named: %s", plan.Problems[0])
		}
		load(t, s, u, db)
		done := publish(t, db, o)
		const kept = "public_before_20310506_070809"
		if done.Kept != kept || plan.Kept != kept {
			t.Errorf("kept as %q, planned as %q, want %q", done.Kept, plan.Kept, kept)
		}
		sqlDB := s.SQL(t, u)
		for _, q := range []struct{ query, want string }{
			{"SELECT count(*) FROM public.mdl_config", "2"},
			{"SELECT count(*) FROM " + kept + ".mdl_config", "3"},
			{"SELECT count(*) FROM report.users", "3"},
			{"INSERT INTO mdl_config (name, value) VALUES ('new', '') RETURNING id", "3"},
			{"SELECT nextval('mdl_config_id_seq')", "4"},
			{"SELECT pg_get_serial_sequence('mdl_config', 'id')", "public.mdl_config_id_seq"},
			{`SELECT "add One"(1)`, "2"},
			{"SELECT group_concat(name ORDER BY id) FROM mdl_config", "version,x,new"},
			{"SELECT extnamespace::regnamespace FROM pg_extension WHERE extname = 'pg_trgm'", "public"},
			{"SELECT count(*) FROM " + kept + ".mdl_config WHERE value % 'site'", "1"},
			{"SELECT obj_description('public'::regnamespace, 'pg_namespace')", "standard public schema"},
			{"SELECT has_schema_privilege('public', 'public', 'USAGE')", "true"},
			{"SELECT count(*) FROM pg_namespace WHERE nspname = '" + staging + "'", "0"},
		} {
			var got string
			if err := sqlDB.QueryRow(q.query).Scan(&got); err != nil || got != q.want {
				t.Errorf("%s: got %q, %v; want %q", q.query, got, err, q.want)
			}
		}
	})
}

// Whatever stands in the way is told before anything starts, with what to do.
func TestCheckRefuses(t *testing.T) {
	tests := []struct {
		name    string
		prepare []string // as superuser; %[1]s is the database
		as      string
		options func(*ownership.Options)
		want    []string
		hint    string // a part of the first problem's text
		before  int    // the first version of the server that has no such problem
	}{
		{
			name: "a role that may not create schemas", as: "site_helper",
			prepare: []string{"ALTER SCHEMA public OWNER TO site_helper"},
			want:    []string{"DATABASE-NO-CREATE"}, hint: `GRANT CREATE ON DATABASE "%[1]s" TO "site_helper"`,
		},
		{
			name: "public of another owner", as: "site_helper",
			prepare: []string{"GRANT CREATE ON DATABASE %[1]s TO site_helper", "ALTER SCHEMA public OWNER TO postgres"},
			want:    []string{"SCHEMA-NOT-OWNED"}, hint: `ALTER SCHEMA "public" OWNER TO "site_helper"`,
		},
		{
			name: "public of the owner of the database", as: "site_helper",
			prepare: []string{"GRANT CREATE ON DATABASE %[1]s TO site_helper", "ALTER SCHEMA public OWNER TO pg_database_owner"},
			want:    []string{"SCHEMA-NOT-OWNED"}, hint: `connect as the owner of the database, "postgres"`,
		},
		{
			name: "public of the owner of the database, who inherits nothing", as: "site_loner",
			prepare: []string{"ALTER DATABASE %[1]s OWNER TO site_loner", "ALTER ROLE site_loner NOINHERIT"},
			want:    []string{"SCHEMA-NOT-OWNED"}, hint: `ALTER ROLE "site_loner" INHERIT`,
			before: 160000, // membership in pg_database_owner always inherits since
		},
		{
			name:    "an owner that does not exist",
			options: func(o *ownership.Options) { o.Owner = `no "one` },
			want:    []string{"OWNER-MISSING"}, hint: `CREATE ROLE "no ""one" LOGIN`,
		},
		{
			name: "an owner that the role is no member of", as: "site_owner",
			prepare: []string{"ALTER DATABASE %[1]s OWNER TO site_owner"},
			options: func(o *ownership.Options) { o.Owner = "read Only" },
			want:    []string{"OWNER-NO-MEMBER"}, hint: `GRANT "read Only" TO "site_owner"`,
		},
		{
			name:    "functions in public",
			prepare: []string{"CREATE FUNCTION public.f() RETURNS integer LANGUAGE sql AS 'SELECT 1'"},
			want:    []string{"SCHEMA-NOT-EMPTY"}, hint: "1 functions",
		},
		{
			name:    "an extension that cannot be moved",
			prepare: []string{"CREATE EXTENSION xml2"},
			want:    []string{"EXTENSION-FIXED"}, hint: `DROP EXTENSION "xml2"`,
		},
		{
			name: "an extension of another owner", as: "site_owner",
			prepare: []string{"ALTER DATABASE %[1]s OWNER TO site_owner", "CREATE EXTENSION pg_trgm"},
			want:    []string{"EXTENSION-NOT-OWNED"}, hint: `DROP EXTENSION "pg_trgm" before`,
		},
		{
			name: "a trusted extension that the role has made", as: "site_owner",
			prepare: []string{"ALTER DATABASE %[1]s OWNER TO site_owner", "SET ROLE site_owner; CREATE EXTENSION pg_trgm"},
			want:    []string{"EXTENSION-NOT-OWNED"}, hint: "connect as a superuser",
		},
		{
			name:    "a schema of the staging schema's name",
			prepare: []string{"CREATE SCHEMA " + ident(staging)},
			want:    []string{"STAGING-TAKEN"}, hint: "not made by moodledb",
		},
		{
			name:    "staging and published schema are the same",
			options: func(o *ownership.Options) { o.Schema = staging },
			want:    []string{"STAGING-IS-TARGET", "search-path"}, hint: "--schema",
		},
		{
			name:    "a search_path that hides public",
			prepare: []string{`ALTER DATABASE %[1]s SET search_path = "Foo ""bar", pg_catalog`},
			want:    []string{"search-path"}, hint: `is Foo "bar, pg_catalog and does not hold`,
		},
		{
			name:    "a schema named after the role that hides public",
			prepare: []string{"CREATE SCHEMA postgres", "CREATE TABLE postgres.mdl_config ()"},
			want:    []string{"search-path-shadow"}, hint: "1 tables",
		},
		{
			name: "a direct schema that is missing", as: "site_owner",
			options: func(o *ownership.Options) { o.Staging, o.Schema = "", `my "site` },
			want:    []string{"SCHEMA-MISSING", "search-path"}, hint: `CREATE SCHEMA "my ""site" AUTHORIZATION "site_owner"`,
		},
		{
			name: "a direct schema without rights", as: "site_owner",
			prepare: []string{"CREATE SCHEMA direct", "REVOKE ALL ON SCHEMA public FROM PUBLIC"},
			options: func(o *ownership.Options) { o.Staging, o.Schema = "", "public" },
			want:    []string{"SCHEMA-NO-CREATE"}, hint: "GRANT USAGE, CREATE ON SCHEMA",
		},
		{
			name:    "a direct schema",
			options: func(o *ownership.Options) { o.Staging, o.Schema = "", "public" },
		},
		{name: "nothing"},
		{name: "public is missing", prepare: []string{"DROP SCHEMA public"}},
	}
	forTargets(t, func(t *testing.T, s *testdb.Server) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				u := s.Database(t)
				roles(t, s, u)
				for _, p := range tt.prepare {
					s.Exec(t, u, strings.ReplaceAll(p, "%[1]s", ident(database(u))))
				}
				if tt.as != "" {
					u = s.Role(t, tt.as, u)
				}
				o := options()
				if tt.options != nil {
					tt.options(&o)
				}
				db := open(t, u)
				plan, err := ownership.Check(t.Context(), db, o)
				if err != nil {
					t.Fatal(err)
				}
				if tt.before > 0 && db.Server().Num >= tt.before {
					tt.want, tt.hint = nil, ""
				}
				if diff := cmp.Diff(tt.want, codes(plan.Problems)); diff != "" {
					t.Fatalf("problems (-want +got):\n%s\n%v", diff, plan.Problems)
				}
				hint := strings.ReplaceAll(tt.hint, "%[1]s", database(u))
				if hint != "" && !strings.Contains(plan.Problems[0].String(), hint) {
					t.Errorf("the problem does not say %q: %s", hint, plan.Problems[0])
				}
			})
		}
	})
}

func TestLeftoverOfAnotherRun(t *testing.T) {
	forTargets(t, func(t *testing.T, s *testdb.Server) {
		u := s.Database(t)
		db := open(t, u)
		load(t, s, u, db)
		check := func(replace bool) ownership.Problem {
			t.Helper()
			o := options()
			o.Replace = replace
			plan, err := ownership.Check(t.Context(), db, o)
			if err != nil || len(plan.Problems) != 1 {
				t.Fatalf("problems %v, %v", plan.Problems, err)
			}
			return plan.Problems[0]
		}
		hold, err := db.HoldSchema(t.Context(), staging)
		if err != nil {
			t.Fatal(err)
		}
		if p := check(true); p.Code != "staging-in-use" || p.Severity != ownership.Blocker {
			t.Errorf("while held: %s %s", p.Code, p)
		}
		hold.Release(t.Context())
		p := check(false)
		if p.Code != "staging-left-over" || p.Severity != ownership.Blocker {
			t.Errorf("after release: %s %s", p.Code, p)
		}
		for _, part := range []string{"source mysql://u@h/db", "started 2031-05-06 07:08:09 UTC", "3 tables", "--replace"} {
			if !strings.Contains(p.String(), part) {
				t.Errorf("%q is not in: %s", part, p)
			}
		}
		if p := check(true); p.Code != "staging-left-over" || p.Severity != ownership.Warning {
			t.Errorf("with replace: %s %s", p.Code, p)
		}
	})
}

// A refused or failed publishing leaves everything as it was.
func TestPublishIsUndone(t *testing.T) {
	tests := []struct {
		name    string
		disturb []string
		options func(*ownership.Options)
		want    string
	}{
		{
			name: "an object of another owner", disturb: []string{`ALTER VIEW %[1]s."a view" OWNER TO site_owner`},
			want: `1 objects would not belong to "postgres": public."a view" (site_owner)`,
		},
		{
			name: "a sequence of another schema",
			disturb: []string{
				"CREATE SCHEMA away", "CREATE SEQUENCE away.s",
				"ALTER TABLE %[1]s.mdl_config ALTER id SET DEFAULT nextval('away.s')",
			},
			want: "use sequences of another schema: mdl_config.id",
		},
		{name: "tables in public", disturb: []string{"CREATE TABLE public.t ()"}, want: "holds 1 tables"},
		{name: "the marker was changed", disturb: []string{"COMMENT ON SCHEMA %[1]s IS 'mine'"}, want: "not marked as a staging schema"},
		{name: "no staging schema", disturb: []string{"DROP SCHEMA %[1]s CASCADE"}, want: "does not exist"},
		{
			name: "the role of the owner is gone", options: func(o *ownership.Options) { o.Owner = "nobody" },
			want: `the role "nobody", which shall own everything, does not exist`,
		},
	}
	forTargets(t, func(t *testing.T, s *testdb.Server) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				u := s.Database(t)
				roles(t, s, u)
				db := open(t, u)
				load(t, s, u, db)
				for _, d := range tt.disturb {
					s.Exec(t, u, strings.ReplaceAll(d, "%[1]s", ident(staging)))
				}
				before := dump(t, s, u)
				o := options()
				if tt.options != nil {
					tt.options(&o)
				}
				_, err := ownership.Publish(t.Context(), db, o)
				if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "nothing has changed") {
					t.Errorf("error %v, want one with %q", err, tt.want)
				}
				if diff := cmp.Diff(before, dump(t, s, u)); diff != "" {
					t.Errorf("the database has changed (-before +after):\n%.3000s", diff)
				}
			})
		}
	})
}

// A role that does not inherit the rights of the owner can still give everything away.
func TestGiveToARoleWithoutInheriting(t *testing.T) {
	forTargets(t, func(t *testing.T, s *testdb.Server) {
		u := s.Database(t)
		roles(t, s, u)
		s.Exec(t, u, "ALTER ROLE site_loner NOINHERIT", `GRANT "read Only" TO site_loner`,
			fmt.Sprintf("ALTER DATABASE %s OWNER TO site_loner", ident(database(u))), "ALTER SCHEMA public OWNER TO site_loner")
		as := s.Role(t, "site_loner", u)
		// Only what a plain role may make.
		db := open(t, as)
		if err := db.CreateStaging(t.Context(), staging, "public", pgStaging()); err != nil {
			t.Fatal(err)
		}
		s.Exec(t, as, siteIn(staging))
		o := options()
		o.Owner = "read Only"
		plan, err := ownership.Check(t.Context(), db, o)
		if err != nil || !slices.Equal(codes(plan.Problems), []string{"STAGING-LEFT-OVER"}) {
			t.Fatalf("%v, %v", plan.Problems, err)
		}
		done := publish(t, db, o)
		if done.Owner != "read Only" || done.Objects < 20 {
			t.Errorf("published %+v", done)
		}
		var owner string
		if err := s.SQL(t, u).QueryRow("SELECT pg_get_userbyid(nspowner) || ' ' || nspacl::text FROM pg_namespace WHERE nspname = 'public'").Scan(&owner); err != nil {
			t.Fatal(err)
		}
		if want := `read Only {"\"read Only\"=UC/\"read Only\"","=U/\"read Only\""}`; owner != want {
			t.Errorf("public belongs to %s, want %s", owner, want)
		}
	})
}

// Without staging, the schema itself is given along.
func TestSetOwnerOfAPlainSchema(t *testing.T) {
	forTargets(t, func(t *testing.T, s *testdb.Server) {
		u := s.Database(t)
		roles(t, s, u)
		const schema = `My "Schema"`
		s.Exec(t, u, "CREATE SCHEMA "+ident(schema), siteIn(schema), "CREATE EXTENSION pg_trgm SCHEMA "+ident(schema))
		db := open(t, u)
		for range 2 { // the second time there is nothing left to do
			if err := ownership.SetOwner(t.Context(), db, schema, "site_owner"); err != nil {
				t.Fatal(err)
			}
		}
		native := s.Database(t)
		s.Exec(t, native, "CREATE SCHEMA "+ident(schema)+" AUTHORIZATION site_owner", "CREATE EXTENSION pg_trgm SCHEMA "+ident(schema))
		s.Exec(t, s.Role(t, "site_owner", native), siteIn(schema))
		if diff := cmp.Diff(dump(t, s, native), dump(t, s, u)); diff != "" {
			t.Errorf("pg_dump (-native +given):\n%.4000s", diff)
		}
		err := ownership.SetOwner(t.Context(), db, "no such schema", "site_owner")
		if err == nil || !strings.Contains(err.Error(), "there is no such schema") {
			t.Errorf("error %v", err)
		}
	})
}

// TestSetOwnerLooksAgain: what did not stay with the role that it was given to is told.
func TestSetOwnerLooksAgain(t *testing.T) {
	forTargets(t, func(t *testing.T, s *testdb.Server) {
		u := s.Database(t)
		roles(t, s, u)
		s.Exec(t, u, "CREATE SCHEMA plain", "CREATE TABLE plain.kept (id int)", "CREATE TABLE plain.taken (id int)",
			`CREATE FUNCTION public.takes() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT relowner::regrole::text FROM pg_catalog.pg_class WHERE oid = 'plain.taken'::pg_catalog.regclass) = 'site_owner' THEN
    ALTER TABLE plain.taken OWNER TO SESSION_USER;
  END IF;
END$$`,
			"CREATE EVENT TRIGGER takes ON ddl_command_end WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION public.takes()")
		db := open(t, u)
		err := ownership.SetOwner(t.Context(), db, "plain", "site_owner")
		if err == nil || !strings.Contains(err.Error(), "1 still belong to another role, such as table plain.taken to") {
			t.Errorf("error %v", err)
		}
		s.Exec(t, u, "DROP EVENT TRIGGER takes")
		if err := ownership.SetOwner(t.Context(), db, "plain", "site_owner"); err != nil {
			t.Error(err)
		}
	})
}
