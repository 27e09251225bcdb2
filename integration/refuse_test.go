//go:build integration

package integration

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/moodledb/moodledb/integration/internal/rig"
	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/migrate"
	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/xmldb"
)

// sessionsEnd fails the test unless all sessions of the product end soon.
func sessionsEnd(t *testing.T, p *rig.Pair) {
	t.Helper()
	p.Target.Close()
	if err := p.Source.Close(); err != nil {
		t.Error(err)
	}
	db := p.TargetServer.SQL(t, p.TargetURL)
	var n int
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		err := db.QueryRow("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'moodledb' AND datname = current_database()").Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			return
		}
	}
	t.Errorf("%d sessions of the product are left at the target", n)
}

// TestRefuseValue: a value that PostgreSQL cannot hold, or that the declared
// type has no room for, stops the run; the message names table, column and key.
func TestRefuseValue(t *testing.T) {
	declared := func(fields ...string) []string { return []string{rig.Table("hostile", fields...)} }
	for _, tc := range []struct {
		name     string
		declared []string
		source   []string
		want     []string
		only     string // an engine that alone can have this
	}{
		{
			name:     "NUL in text",
			declared: declared(rig.Field("v", "text", "")),
			source: []string{
				"CREATE TABLE mdl_hostile (id bigint NOT NULL AUTO_INCREMENT, v longtext, PRIMARY KEY (id))",
				"INSERT INTO mdl_hostile (id, v) VALUES (1, 'fine'), (4711, CONCAT('a', CHAR(0), 'b')), (9000, 'fine')",
			},
			want: []string{"mdl_hostile", `"v"`, "id=4711", "zero byte"},
		},
		{
			name:     "invalid UTF-8",
			declared: declared(rig.Field("v", "text", "")),
			source: []string{
				"CREATE TABLE mdl_hostile (id bigint NOT NULL AUTO_INCREMENT, v longblob, PRIMARY KEY (id))",
				"INSERT INTO mdl_hostile (id, v) VALUES (1, 'fine'), (4711, UNHEX('C3E9206465')), (9000, 'fine')",
			},
			want: []string{"mdl_hostile", `"v"`, "id=4711", "UTF-8"},
		},
		{
			name:     "zero date",
			declared: declared(),
			source: []string{
				"CREATE TABLE mdl_hostile (id bigint NOT NULL AUTO_INCREMENT, v datetime, PRIMARY KEY (id))",
				"SET sql_mode = ''",
				"INSERT INTO mdl_hostile (id, v) VALUES (1, '2024-02-29 12:00:00'), (4711, '0000-00-00 00:00:00')",
			},
			want: []string{"mdl_hostile", `"v"`, "id=4711", "0000-00-00"},
		},
		{
			name:     "unsigned bigint above 2^63",
			declared: declared(rig.Field("v", "int", `LENGTH="10" NOTNULL="false"`)),
			source: []string{
				"CREATE TABLE mdl_hostile (id bigint NOT NULL AUTO_INCREMENT, v bigint unsigned, PRIMARY KEY (id))",
				"INSERT INTO mdl_hostile (id, v) VALUES (1, 1), (4711, 9223372036854775808)",
			},
			want: []string{"mdl_hostile", `"v"`, "id=4711", "9223372036854775808"},
		},
		{
			name:     "text too long for varchar",
			declared: declared(rig.Field("v", "char", `LENGTH="10" NOTNULL="false"`)),
			source: []string{
				"CREATE TABLE mdl_hostile (id bigint NOT NULL AUTO_INCREMENT, v varchar(300), PRIMARY KEY (id))",
				"INSERT INTO mdl_hostile (id, v) VALUES (1, 'fine'), (4711, REPEAT('é', 11))",
			},
			want: []string{"mdl_hostile", `"v"`, "id=4711", "11"},
		},
		{
			name:     "blanks too long for varchar are not cut",
			declared: declared(rig.Field("v", "char", `LENGTH="10" NOTNULL="false"`)),
			source: []string{
				"CREATE TABLE mdl_hostile (id bigint NOT NULL AUTO_INCREMENT, v varchar(300), PRIMARY KEY (id))",
				"INSERT INTO mdl_hostile (id, v) VALUES (1, 'fine'), (4711, CONCAT('x', SPACE(10)))",
			},
			want: []string{"mdl_hostile", `"v"`, "id=4711", "11"},
		},
		{
			name:     "integer too wide",
			declared: declared(rig.Field("v", "int", `LENGTH="4" NOTNULL="false"`)),
			source: []string{
				"CREATE TABLE mdl_hostile (id bigint NOT NULL AUTO_INCREMENT, v int, PRIMARY KEY (id))",
				"INSERT INTO mdl_hostile (id, v) VALUES (1, 32767), (4711, 32768)",
			},
			want: []string{"mdl_hostile", `"v"`, "id=4711", "32768"},
		},
		{
			name:     "decimal with more digits than declared is not rounded",
			declared: declared(rig.Field("v", "number", `LENGTH="10" DECIMALS="2" NOTNULL="false"`)),
			source: []string{
				"CREATE TABLE mdl_hostile (id bigint NOT NULL AUTO_INCREMENT, v decimal(12,5), PRIMARY KEY (id))",
				"INSERT INTO mdl_hostile (id, v) VALUES (1, 1.5), (4711, 1.23456)",
			},
			want: []string{"mdl_hostile", `"v"`, "id=4711", "1.23456"},
		},
		{
			name:     "NULL in a column declared NOT NULL",
			declared: declared(rig.Field("v", "int", `LENGTH="10" NOTNULL="true"`)),
			source: []string{
				"CREATE TABLE mdl_hostile (id bigint NOT NULL AUTO_INCREMENT, v bigint, PRIMARY KEY (id))",
				"INSERT INTO mdl_hostile (id, v) VALUES (1, 5), (4711, NULL)",
			},
			want: []string{"mdl_hostile", `"v"`, "id=4711", "NULL"},
		},
		{
			name:     "a row of a table without a key is named by its values or number",
			declared: nil,
			source: []string{
				"CREATE TABLE mdl_hostile (a int, v longtext)",
				"INSERT INTO mdl_hostile VALUES (1, 'fine'), (4711, CONCAT('a', CHAR(0)))",
			},
			want: []string{"mdl_hostile", `"v"`, "zero byte"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := rig.Tiny(t, rig.FirstSource(), rig.FirstTarget(), tc.source...)
			_, err := p.Try(t.Context(), migrate.Options{Site: rig.TinyCode(t, tc.declared...)})
			if err == nil {
				t.Fatal("the value went through")
			}
			for _, w := range tc.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("the error does not say %q:\n%v", w, err)
				}
			}
			rig.Stopped(t, p, err)
			abort(t, p)
			rig.Untouched(t, p)
			sessionsEnd(t, p)
		})
	}
}

// TestRefuseTarget: what stands in the way at the target is a blocker before anything is written.
func TestRefuseTarget(t *testing.T) {
	site := func(t *testing.T) *xmldb.Site { return rig.TinyCode(t) }
	for _, tc := range []struct {
		name   string
		target []string
		opts   migrate.Options
		want   []string
	}{
		{
			name: "not empty", target: []string{"CREATE TABLE public.precious (id int)"},
			want: []string{"schema-not-empty", "public", "1 table", "--replace"},
		},
		{
			name: "a view counts", target: []string{"CREATE VIEW public.precious AS SELECT 1"},
			want: []string{"schema-not-empty", "public", "1 view"},
		},
		{
			name: "no such owner", opts: migrate.Options{Owner: "no_such_role"},
			want: []string{"owner-missing", "no_such_role", "CREATE ROLE"},
		},
		{
			name: "no such schema to load straight into", opts: migrate.Options{Schema: "nosuch"},
			want: []string{"schema-missing", "nosuch", "CREATE SCHEMA"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := rig.Tiny(t, rig.FirstSource(), rig.FirstTarget())
			if len(tc.target) > 0 {
				p.TargetServer.Exec(t, p.TargetURL, tc.target...)
			}
			opts := tc.opts
			opts.Site = site(t)
			_, err := p.Try(t.Context(), opts)
			if err == nil {
				t.Fatal("the plan was not blocked")
			}
			for _, w := range tc.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("the blocker does not say %q:\n%v", w, err)
				}
			}
		})
	}
}

// TestRefuseRights: a source user who may not read every table is told so beforehand.
func TestRefuseRights(t *testing.T) {
	p := rig.Tiny(t, rig.FirstSource(), rig.FirstTarget(), "CREATE TABLE mdl_closed (id bigint NOT NULL, PRIMARY KEY (id))")
	d := p.Source.DSN()
	on := mysql.QuoteIdent(d.Database) + "."
	p.SourceServer.Exec(t, p.SourceURL, "DROP USER IF EXISTS limited", "CREATE USER limited IDENTIFIED BY 'Pass-word-1'",
		"GRANT SELECT ON "+on+"mdl_config TO limited", "GRANT SELECT ON "+on+"mdl_config_plugins TO limited",
		"GRANT INSERT ON "+on+"mdl_closed TO limited")
	d.User, d.Password, d.Socket = "limited", "Pass-word-1", ""
	_ = p.Source.Close()
	var err error
	if p.Source, err = mysql.Open(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Source.Close() })
	_, err = p.Try(t.Context(), migrate.Options{Site: rig.TinyCode(t)})
	if err == nil {
		t.Fatal("the plan was not blocked")
	}
	for _, want := range []string{"source-no-select", "mdl_closed", "GRANT SELECT"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the blocker does not say %q:\n%v", want, err)
		}
	}
	rig.Untouched(t, p)
}

// TestRefuseStagingTaken: a schema of the staging schema's name that is not ours is not touched.
func TestRefuseStagingTaken(t *testing.T) {
	p := rig.Tiny(t, rig.FirstSource(), rig.FirstTarget())
	name := p.Source.DSN().Database
	p.TargetServer.Exec(t, p.TargetURL, `CREATE SCHEMA `+postgres.QuoteIdent(name), `CREATE TABLE `+postgres.QuoteIdent(name)+`.precious (id int)`)
	for _, replace := range []bool{false, true} {
		_, err := p.Try(t.Context(), migrate.Options{Site: rig.TinyCode(t), Replace: replace})
		if err == nil || !strings.Contains(err.Error(), "staging-taken") {
			t.Errorf("replace %v: error %v, want staging-taken", replace, err)
		}
	}
}

// TestRefuseConnect: an end that cannot be reached or does not let us in.
func TestRefuseConnect(t *testing.T) {
	source, target := testdb.Get(t, rig.FirstSource()), testdb.Get(t, rig.FirstTarget())
	sourceDSN, targetDSN := rig.Parse(t, source.Database(t)), rig.Parse(t, target.Database(t))
	for _, tc := range []struct {
		name string
		open func(ctx context.Context) error
		want []string
	}{
		{"source, wrong password", func(ctx context.Context) error {
			d := sourceDSN
			d.Password = "nonsense-secret"
			_, err := mysql.Open(ctx, d)
			return err
		}, []string{"password", sourceDSN.User}},
		{"source, unreachable", func(ctx context.Context) error {
			d := sourceDSN
			d.Host, d.Port, d.Socket = "127.0.0.1", 1, ""
			_, err := mysql.Open(ctx, d)
			return err
		}, []string{"127.0.0.1:1"}},
		{"source, no such database", func(ctx context.Context) error {
			_, err := mysql.Open(ctx, sourceDSN.WithDatabase("no_such_database"))
			return err
		}, []string{"no_such_database"}},
		{"target, wrong password", func(ctx context.Context) error {
			d := targetDSN
			d.Password = "nonsense-secret"
			_, err := postgres.Open(ctx, d)
			return err
		}, []string{"password", targetDSN.User}},
		{"target, unreachable", func(ctx context.Context) error {
			d := targetDSN
			d.Host, d.Port, d.Socket = "127.0.0.1", 1, ""
			_, err := postgres.Open(ctx, d)
			return err
		}, []string{"127.0.0.1"}},
		{"target, no such database", func(ctx context.Context) error {
			_, err := postgres.Open(ctx, targetDSN.WithDatabase("no_such_database"))
			return err
		}, []string{"no_such_database"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			err := tc.open(ctx)
			if err == nil {
				t.Fatal("connected")
			}
			for _, w := range tc.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("the error does not say %q: %v", w, err)
				}
			}
			for _, secret := range []string{"nonsense-secret", sourceDSN.Password.Reveal(), targetDSN.Password.Reveal()} {
				if secret != "" && strings.Contains(err.Error(), secret) {
					t.Errorf("the error shows a password: %v", err)
				}
			}
		})
	}
}

// TestInterrupt: a cancelled run publishes nothing and leaves no session.
func TestInterrupt(t *testing.T) {
	p := rig.Tiny(t, rig.FirstSource(), rig.FirstTarget(),
		"CREATE TABLE mdl_big (id bigint NOT NULL AUTO_INCREMENT, v longtext, PRIMARY KEY (id))",
		"INSERT INTO mdl_big (v) VALUES (REPEAT('x', 100000))",
		"INSERT INTO mdl_big (v) SELECT v FROM mdl_big", "INSERT INTO mdl_big (v) SELECT v FROM mdl_big",
		"INSERT INTO mdl_big (v) SELECT v FROM mdl_big", "INSERT INTO mdl_big (v) SELECT v FROM mdl_big",
		"INSERT INTO mdl_big (v) SELECT v FROM mdl_big", "INSERT INTO mdl_big (v) SELECT v FROM mdl_big",
		"INSERT INTO mdl_big (v) SELECT v FROM mdl_big", "INSERT INTO mdl_big (v) SELECT v FROM mdl_big",
	)
	plan, err := migrate.Make(t.Context(), p.Source, p.Target, migrate.Options{Site: rig.TinyCode(t)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err = migrate.Run(ctx, p.Source, p.Target, plan, func(e migrate.Event) {
		if _, ok := e.(migrate.TableProgress); ok {
			cancel()
		}
	})
	if err == nil {
		t.Fatal("the run ended well although it was cancelled")
	}
	if ctx.Err() == nil {
		t.Fatalf("the run failed before it was cancelled: %v", err)
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	rig.Stopped(t, p, err)
	sessionsEnd(t, p)
	abort(t, p)
	rig.Untouched(t, p)
}
