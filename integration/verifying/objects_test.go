//go:build integration

package verifying

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/moodledb/moodledb/integration/internal/rig"
	"github.com/moodledb/moodledb/migrate"
	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/proof"
	"github.com/moodledb/moodledb/verify"
	"github.com/moodledb/moodledb/xmldb"
)

// checkedCode declares a table with all that the check of a schema looks at.
func checkedCode(t *testing.T) *xmldb.Site {
	t.Helper()
	return rig.TinyCode(t,
		`<TABLE NAME="checked" COMMENT="a table"><FIELDS>
<FIELD NAME="id" TYPE="int" LENGTH="10" NOTNULL="true" SEQUENCE="true"/>
<FIELD NAME="name" TYPE="char" LENGTH="100" NOTNULL="true" DEFAULT="x"/>
<FIELD NAME="n" TYPE="int" LENGTH="10" NOTNULL="true" DEFAULT="5"/></FIELDS>
<KEYS><KEY NAME="primary" TYPE="primary" FIELDS="id"/></KEYS>
<INDEXES><INDEX NAME="name" UNIQUE="false" FIELDS="name"/><INDEX NAME="n" UNIQUE="true" FIELDS="n"/></INDEXES></TABLE>`)
}

// checkedPair is a pair whose source has that table, a counter that is far
// ahead, and a table with a foreign key that nothing declares.
func checkedPair(t *testing.T, source, target string) *rig.Pair {
	t.Helper()
	return rig.Tiny(t, source, target,
		"CREATE TABLE mdl_checked (id bigint NOT NULL AUTO_INCREMENT, name varchar(100) NOT NULL DEFAULT 'x', n bigint NOT NULL DEFAULT 5, PRIMARY KEY (id), UNIQUE KEY kn (n), KEY kname (name))",
		"INSERT INTO mdl_checked (name, n) VALUES ('a', 1), ('b', 2), ('c', 3)",
		"ALTER TABLE mdl_checked AUTO_INCREMENT = 5000",
		"CREATE TABLE mdl_extra (id bigint NOT NULL AUTO_INCREMENT, checked bigint, mood enum('good','bad') NOT NULL DEFAULT 'good', amount decimal(10,2) NOT NULL DEFAULT 1.5, "+
			"PRIMARY KEY (id), KEY kc (checked), CONSTRAINT fk_checked FOREIGN KEY (checked) REFERENCES mdl_checked (id))",
		"INSERT INTO mdl_extra (checked) VALUES (1), (2), (NULL)")
}

// schemaStep is the step in which a run looks at what it has made.
const schemaStep = "check the schema"

// spoiled migrates, and runs statements in the target when the schema is about
// to be looked at; {s} is the schema that is loaded.
func spoiled(t *testing.T, p *rig.Pair, opts migrate.Options, statements ...string) error {
	t.Helper()
	plan, err := migrate.Make(t.Context(), p.Source, p.Target, opts)
	if err != nil {
		t.Fatal(err)
	}
	if plan.Blocked() {
		t.Fatal(rig.Blocked(plan))
	}
	_, err = migrate.Run(t.Context(), p.Source, p.Target, plan, func(e migrate.Event) {
		if rig.AtStep(schemaStep)(e) {
			for i := range statements {
				statements[i] = strings.ReplaceAll(statements[i], "{s}", postgres.QuoteIdent(plan.Load))
			}
			p.TargetServer.Exec(t, p.TargetURL, statements...)
		}
	})
	return err
}

// TestSchemaIsChecked: what somebody changes in the target while a run works
// there is found before anything is published.
func TestSchemaIsChecked(t *testing.T) {
	site := checkedCode(t)
	spoil := []struct{ statement, want string }{
		{"ALTER TABLE {s}.mdl_config ALTER value DROP NOT NULL", `table "mdl_config": column "value": the column allows NULL [column-nullable]`},
		{"ALTER TABLE {s}.mdl_checked ALTER name DROP DEFAULT", `table "mdl_checked": column "name": the declared default 'x' is missing`},
		{"ALTER TABLE {s}.mdl_checked ALTER n SET DEFAULT 6", `table "mdl_checked": column "n": the default is '6' instead of '5'`},
		{"DROP INDEX {s}.mdl_chec_n_uix", `table "mdl_checked": index "mdl_chec_n_uix": a declared index is missing`},
		{"UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{s}.mdl_chec_nam_ix'::regclass", `table "mdl_checked": "mdl_chec_nam_ix" is not valid [index-invalid]`},
		{"ALTER TABLE {s}.mdl_config_plugins ADD CONSTRAINT short CHECK (length(name) < 50) NOT VALID", `table "mdl_config_plugins": "short" is NOT VALID [constraint-not-valid]`},
		{"SELECT setval('{s}.mdl_extra_id_seq', 2)", `table "mdl_extra": sequence "mdl_extra_id_seq": the next id is 3, but there is 3 already`},
		{"SELECT setval('{s}.mdl_checked_id_seq', 100)", `the next value of sequence "mdl_checked_id_seq" is 101, and the source's is 5000`},
		{"ALTER TABLE {s}.mdl_extra DISABLE TRIGGER ALL", `table "mdl_extra": "fk_checked" is disabled [trigger-disabled]`},
		{"ALTER SEQUENCE {s}.mdl_config_id_seq OWNED BY NONE", `sequence "mdl_config_id_seq": the column does not own its sequence`},
	}
	ours := []struct{ statement, want string }{ // of tables that the run makes
		{"ALTER TABLE {s}.mdl_extra OWNER TO moodle", `table "mdl_extra": it belongs to the role "moodle"`},
	}
	for _, tc := range []struct {
		name string
		opts migrate.Options
	}{
		{"staged", migrate.Options{Site: site}},
		{"direct", migrate.Options{Site: site, Schema: "public"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := checkedPair(t, rig.FirstSource(), rig.FirstTarget())
			p.TargetServer.Exec(t, p.TargetURL, "GRANT ALL ON SCHEMA public TO moodle")
			var statements []string
			want := append(append(spoil[:0:0], spoil...), ours...)
			for _, s := range want {
				statements = append(statements, s.statement)
			}
			err := spoiled(t, p, tc.opts, statements...)
			var found *migrate.SchemaError
			if rig.Stopped(t, p, err); !errors.As(err, &found) {
				t.Fatalf("error %v", err)
			}
			all := strings.Join(found.Problems, "\n")
			for _, s := range want {
				if !strings.Contains(all, s.want) {
					t.Errorf("after %s: no %q", s.statement, s.want)
				}
			}
			if t.Failed() {
				t.Log(all)
			}
		})
	}
}

// TestCheckedSchemaIsMended: a run that has found a change goes on when it is put right.
func TestCheckedSchemaIsMended(t *testing.T) {
	site := checkedCode(t)
	p := checkedPair(t, rig.FirstSource(), rig.FirstTarget())
	err := spoiled(t, p, migrate.Options{Site: site}, "CREATE TABLE {s}.stranger (id int)", "CREATE VIEW {s}.mdl_view AS SELECT 1 AS one")
	rig.Stopped(t, p, err)
	for _, want := range []string{`table "stranger"`, `table "mdl_view"`, "an event trigger of the target"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q: %v", want, err)
		}
	}
	load := postgres.QuoteIdent(rig.LastRun(t, p).Load)
	p.TargetServer.Exec(t, p.TargetURL, "DROP TABLE "+load+".stranger", "DROP VIEW "+load+".mdl_view")
	p.Migrate(t, migrate.Options{Site: site, Resume: true, SourceFrozen: true})
	p.CompareAll(t, "public", "mdl_")
}

// TestDataOnlySchemaIsChecked: of tables that were there before, the run
// answers for what it has put aside and made again, and for nothing else.
func TestDataOnlySchemaIsChecked(t *testing.T) {
	site := checkedCode(t)
	p := checkedPair(t, rig.FirstSource(), rig.FirstTarget())
	p.Migrate(t, migrate.Options{Site: site, SkipData: []string{"*"}})
	p.TargetServer.Exec(t, p.TargetURL, "ALTER TABLE mdl_checked ALTER name DROP DEFAULT", "ALTER TABLE mdl_config ADD CONSTRAINT short CHECK (length(name) < 500) NOT VALID",
		"CREATE INDEX ours ON mdl_config (name)", "CREATE TABLE stranger (id serial)")
	opts := migrate.Options{DataOnly: true, Truncate: true}
	result := p.Migrate(t, opts)
	found := func(f migrate.Finding) string { return f.Code + " " + f.Table + " " + f.Object }
	if !slices.ContainsFunc(result.Findings, func(f migrate.Finding) bool { return found(f) == "constraint-not-valid mdl_config short" }) {
		t.Errorf("a constraint that was not valid before is not told: %+v", result.Findings)
	}
	opts.Site = site
	result = p.Migrate(t, opts)
	var got []string
	for _, f := range result.Findings {
		if f.Code == "schema-differs" {
			got = append(got, found(f))
		}
	}
	if want := []string{"schema-differs mdl_checked ", "schema-differs mdl_config "}; !slices.Equal(got, want) {
		t.Errorf("findings %q, want %q", got, want)
	}
	err := spoiled(t, p, opts, "ALTER TABLE mdl_config ALTER value DROP NOT NULL", "DROP INDEX ours", "SELECT setval('mdl_checked_id_seq', 1)", "CREATE TABLE another (id int)")
	rig.Stopped(t, p, err)
	for _, want := range []string{`table "mdl_config": column "value"`, `index "ours"`, `"mdl_checked_id_seq"`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q: %v", want, err)
		}
	}
	if strings.Contains(err.Error(), "another") || strings.Contains(err.Error(), "stranger") {
		t.Errorf("tables of others are told: %v", err)
	}
	p.TargetServer.Exec(t, p.TargetURL, "ALTER TABLE mdl_config ALTER value SET NOT NULL", "CREATE INDEX ours ON mdl_config (name)", "SELECT setval('mdl_checked_id_seq', 5000)")
	opts.Resume, opts.SourceFrozen = true, true
	p.Migrate(t, opts)
	p.CompareAll(t, "public", "mdl_")
}

// TestObjectsAreCompared: of a migrated site nothing is told, with the code or
// without; and one thing wrong beyond the rows makes the databases different.
func TestObjectsAreCompared(t *testing.T) {
	site := checkedCode(t)
	p := checkedPair(t, rig.FirstSource(), rig.FirstTarget())
	p.Migrate(t, migrate.Options{Site: site})
	compare := func(code *xmldb.Site) *proof.Result {
		r, err := proof.Compare(t.Context(), proof.Source{DSN: rig.Parse(t, p.SourceURL)}, proof.Source{DSN: rig.Parse(t, p.TargetURL)}, proof.Options{Site: code})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	for _, code := range []*xmldb.Site{nil, site} {
		if r := compare(code); r.State != verify.Same || len(r.Objects) > 0 {
			t.Errorf("a migrated site is %s: %+v", r.State, r.Objects)
		}
	}
	p.TargetServer.Exec(t, p.TargetURL, "SELECT setval('mdl_checked_id_seq', 100)")
	r := compare(nil)
	if r.State != verify.Different || len(r.Objects) != 1 || r.Objects[0].Code != proof.CodeSequenceBelow {
		t.Fatalf("a sequence is below the source's: %s, %+v", r.State, r.Objects)
	}
	p.TargetServer.Exec(t, p.TargetURL, r.Objects[0].Hint)
	if r := compare(nil); r.State != verify.Same {
		t.Errorf("mended: %s, %+v", r.State, r.Objects)
	}
}
