//go:build integration

package proof

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/dsn"
	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/verify"
)

// looked is a database of a test whose objects are looked at.
type looked struct {
	server *testdb.Server
	url    string
	// as is the place that is opened, when it is not url itself.
	as string
}

// mysqlObjects and postgresObjects make the same two tables on both kinds of engines.
func mysqlObjects() []string {
	return []string{
		"CREATE TABLE mdl_a (id bigint NOT NULL AUTO_INCREMENT, name varchar(100) NOT NULL DEFAULT 'x', n bigint NOT NULL DEFAULT 5, note longtext, PRIMARY KEY (id), UNIQUE KEY un (n), KEY kname (name))",
		"CREATE TABLE mdl_b (id bigint NOT NULL AUTO_INCREMENT, a bigint, PRIMARY KEY (id), KEY ka (a), CONSTRAINT fk_a FOREIGN KEY (a) REFERENCES mdl_a (id))",
		"INSERT INTO mdl_a (name, n) VALUES ('one', 1), ('two', 2), ('three', 3)",
		"INSERT INTO mdl_b (a) VALUES (1), (2)",
		"ALTER TABLE mdl_a AUTO_INCREMENT = 5000",
	}
}

func postgresObjects() []string {
	return []string{
		"CREATE TABLE mdl_a (id bigserial PRIMARY KEY, name varchar(100) NOT NULL DEFAULT 'x', n bigint NOT NULL DEFAULT 5, note text)",
		"CREATE UNIQUE INDEX mdl_a_n ON mdl_a (n)", "CREATE INDEX mdl_a_name ON mdl_a (name)",
		"CREATE TABLE mdl_b (id bigserial PRIMARY KEY, a bigint CONSTRAINT fk_a REFERENCES mdl_a (id))", "CREATE INDEX mdl_b_a ON mdl_b (a)",
		"INSERT INTO mdl_a (name, n) VALUES ('one', 1), ('two', 2), ('three', 3)",
		"INSERT INTO mdl_b (a) VALUES (1), (2)",
		"SELECT setval('mdl_a_id_seq', 5000, false)",
	}
}

// made makes a database with the two tables.
func made(t *testing.T, flavour string) looked {
	t.Helper()
	l := looked{server: testdb.Get(t, flavour)}
	l.url = l.server.Database(t)
	statements := mysqlObjects()
	if strings.HasPrefix(flavour, "postgres") {
		statements = postgresObjects()
	}
	l.server.Exec(t, l.url, statements...)
	return l
}

// side opens and inspects a database.
func (l looked) side(t *testing.T) objectSide {
	t.Helper()
	url := l.as
	if url == "" {
		url = l.url
	}
	d, err := dsn.Parse(url, dsn.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := objectSide{prefix: "mdl_"}
	if d.Engine.IsMySQL() {
		if s.mysql, err = mysql.Open(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.mysql.Close() })
		live, err := s.mysql.Inspect(t.Context(), mysql.InspectOptions{})
		if err != nil {
			t.Fatal(err)
		}
		s.schema = &live
		return s
	}
	if s.postgres, err = postgres.OpenReadOnly(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.postgres.Close)
	live, err := s.postgres.Inspect(t.Context(), "public")
	if err != nil {
		t.Fatal(err)
	}
	s.schema = &live
	return s
}

// looks is what is seen beyond the rows of the two tables.
func looks(t *testing.T, expected, found looked) []ObjectDifference {
	t.Helper()
	out, err := objects(t.Context(), expected.side(t), found.side(t), map[string]string{"mdl_a": "mdl_a", "mdl_b": "mdl_b"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func lines(all []ObjectDifference) []string {
	var out []string
	for _, d := range all {
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", d.State, d.Code, d.Table, d.Object)))
	}
	return out
}

// objectFault is something wrong with the found side.
type objectFault struct {
	name  string
	spoil []string
	want  []string
	// mend undoes it; where there is none, the hints do.
	mend []string
	// from is the least major version of PostgreSQL that knows it.
	from string
}

// check makes the faults one after the other: each is seen, and none is seen
// any more when the hints were followed.
func check(t *testing.T, expected, found looked, faults []objectFault) {
	t.Helper()
	if got := looks(t, expected, found); len(got) > 0 {
		t.Fatalf("nothing is wrong, but there is: %+v", got)
	}
	for _, f := range faults {
		if f.from != "" && found.server.Version < f.from {
			continue
		}
		t.Run(f.name, func(t *testing.T) {
			found.server.Exec(t, found.url, f.spoil...)
			got := looks(t, expected, found)
			if diff := cmp.Diff(f.want, lines(got)); diff != "" {
				t.Errorf("seen (-want +got):\n%s\n%+v", diff, got)
			}
			mend := slices.Clone(f.mend)
			for _, d := range got {
				if d.Message == "" || d.Hint == "" {
					t.Errorf("a difference without message or hint: %+v", d)
				}
				if len(f.mend) == 0 && !slices.Contains(mend, d.Hint) {
					mend = append(mend, d.Hint)
				}
			}
			found.server.Exec(t, found.url, mend...)
			if got := looks(t, expected, found); len(got) > 0 {
				t.Fatalf("mended by %q, but there is: %+v", mend, got)
			}
		})
	}
}

// postgresFaults are those of PostgreSQL as it is compared with any engine.
func postgresFaults() []objectFault {
	return []objectFault{
		{name: "sequence missing", spoil: []string{"ALTER TABLE mdl_b ALTER id DROP DEFAULT", "DROP SEQUENCE mdl_b_id_seq"}, want: []string{"different sequence-missing mdl_b mdl_b_id_seq"}},
		{name: "default does not use the sequence", spoil: []string{"ALTER TABLE mdl_b ALTER id DROP DEFAULT"}, want: []string{"different column-auto-increment-missing mdl_b id"}},
		{name: "sequence not owned", spoil: []string{"ALTER SEQUENCE mdl_a_id_seq OWNED BY NONE"}, want: []string{"different sequence-not-owned mdl_a mdl_a_id_seq"}},
		{name: "sequence behind", spoil: []string{"SELECT setval('mdl_b_id_seq', 1)"}, want: []string{"different sequence-behind mdl_b mdl_b_id_seq"}},
		{name: "sequence below the source's", spoil: []string{"SELECT setval('mdl_a_id_seq', 50)"}, want: []string{"different sequence-below-source mdl_a mdl_a_id_seq"}},
		{
			name:  "identity, behind",
			spoil: []string{"ALTER TABLE mdl_b ALTER id DROP DEFAULT", "DROP SEQUENCE mdl_b_id_seq", "ALTER TABLE mdl_b ALTER id ADD GENERATED BY DEFAULT AS IDENTITY"},
			want:  []string{"different column-identity mdl_b id", "different sequence-behind mdl_b mdl_b_id_seq"},
		},
		{name: "default missing", spoil: []string{"ALTER TABLE mdl_a ALTER name DROP DEFAULT"}, want: []string{"different column-default-missing mdl_a name"}},
		{name: "another default", spoil: []string{"ALTER TABLE mdl_a ALTER n SET DEFAULT 6"}, want: []string{"different column-default mdl_a n"}},
		{name: "index missing", spoil: []string{"DROP INDEX mdl_a_name"}, want: []string{"different index-missing mdl_a kname"}},
		{name: "no primary key", spoil: []string{"ALTER TABLE mdl_b DROP CONSTRAINT mdl_b_pkey"}, want: []string{"different primary-key-missing mdl_b mdl_b_id_pk"}},
		{name: "index not valid", spoil: []string{"UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'mdl_a_n'::regclass"}, want: []string{"different index-invalid mdl_a mdl_a_n"}},
		{name: "index not ready", spoil: []string{"UPDATE pg_index SET indisready = false WHERE indexrelid = 'mdl_a_n'::regclass"}, want: []string{"different index-invalid mdl_a mdl_a_n"}},
		{name: "no foreign key", spoil: []string{"ALTER TABLE mdl_b DROP CONSTRAINT fk_a"}, want: []string{"different foreign-key-missing mdl_b fk_a"}},
		{
			name: "foreign key not valid", spoil: []string{"ALTER TABLE mdl_b DROP CONSTRAINT fk_a", "ALTER TABLE mdl_b ADD CONSTRAINT fk_a FOREIGN KEY (a) REFERENCES mdl_a NOT VALID"},
			want: []string{"different constraint-not-valid mdl_b fk_a"},
		},
		{name: "foreign key without effect", spoil: []string{"ALTER TABLE mdl_b DISABLE TRIGGER ALL"}, want: []string{"different trigger-disabled mdl_b fk_a"}},
		{
			name: "trigger of others", spoil: []string{"CREATE TRIGGER own BEFORE UPDATE ON mdl_a FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()"},
			want: []string{"different trigger-extra mdl_a own"}, mend: []string{"DROP TRIGGER own ON mdl_a"},
		},
		{name: "owner", spoil: []string{roleOnce("objects_other"), "ALTER TABLE mdl_b OWNER TO objects_other"}, want: []string{"different owner-other mdl_b"}},
		{
			name: "NULLs", spoil: []string{"ALTER TABLE mdl_a ALTER name DROP NOT NULL", "UPDATE mdl_a SET name = NULL WHERE id > 1"},
			want: []string{"same schema-differs", "different null-in-not-null mdl_a name"},
			mend: []string{"UPDATE mdl_a SET name = 'x' WHERE name IS NULL", "ALTER TABLE mdl_a ALTER name SET NOT NULL"},
		},
		{
			name: "NULLs that nobody looked at", from: "18",
			spoil: []string{"ALTER TABLE mdl_a ALTER name DROP NOT NULL", "UPDATE mdl_a SET name = NULL WHERE id > 1", "ALTER TABLE mdl_a ADD CONSTRAINT nn NOT NULL name NOT VALID"},
			want:  []string{"different constraint-not-valid mdl_a nn", "different null-in-not-null mdl_a name"},
			mend:  []string{"UPDATE mdl_a SET name = 'x' WHERE name IS NULL", "ALTER TABLE mdl_a VALIDATE CONSTRAINT nn"},
		},
	}
}

func TestObjectsOfMySQLAndPostgres(t *testing.T) {
	for _, source := range testdb.Sources() {
		for _, target := range testdb.Targets() {
			t.Run(source+"/"+target, func(t *testing.T) {
				expected, found := made(t, source), made(t, target)
				check(t, expected, found, append(postgresFaults(), objectFault{
					name: "an index in another way", spoil: []string{"DROP INDEX mdl_a_n", "CREATE UNIQUE INDEX mdl_a_n ON mdl_a (n DESC)"},
					want: []string{"same schema-differs"}, mend: []string{"DROP INDEX mdl_a_n", "CREATE UNIQUE INDEX mdl_a_n ON mdl_a (n)"},
				}, objectFault{
					// install.xml may declare what the source has not.
					name: "more than the source has", spoil: []string{"ALTER TABLE mdl_a ALTER note SET DEFAULT 'x', ADD CONSTRAINT c CHECK (n > 0)", "CREATE INDEX more ON mdl_a (n, name)"},
					want: []string{"same schema-differs"}, mend: []string{"ALTER TABLE mdl_a ALTER note DROP DEFAULT, DROP CONSTRAINT c", "DROP INDEX more"},
				}))
				expected.server.Exec(t, expected.url, "CREATE TRIGGER trg BEFORE UPDATE ON mdl_a FOR EACH ROW SET NEW.note = 'x'")
				if diff := cmp.Diff([]string{"same trigger-missing mdl_a trg"}, lines(looks(t, expected, found))); diff != "" {
					t.Errorf("a trigger of the source (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func TestObjectsOfTwoPostgres(t *testing.T) {
	for _, target := range testdb.Targets() {
		t.Run(target, func(t *testing.T) {
			expected, found := made(t, target), made(t, target)
			faults := postgresFaults()
			for i := range faults { // names are those of the expected side
				for j, want := range faults[i].want {
					faults[i].want[j] = strings.NewReplacer("kname", "mdl_a_name", "mdl_b_id_pk", "mdl_b_pkey").Replace(want)
				}
			}
			check(t, expected, found, append(faults, []objectFault{
				{
					name: "an index in another way", spoil: []string{"DROP INDEX mdl_a_n", "CREATE UNIQUE INDEX mdl_a_n ON mdl_a (n DESC)"},
					want: []string{"different index-descending mdl_a mdl_a_n"}, mend: []string{"DROP INDEX mdl_a_n", "CREATE UNIQUE INDEX mdl_a_n ON mdl_a (n)"},
				},
				{
					name: "more than the other has", spoil: []string{"ALTER TABLE mdl_a ALTER note SET DEFAULT 'x', ADD CONSTRAINT c CHECK (n > 0)"},
					want: []string{"different check-extra mdl_a c", "different column-default-extra mdl_a note"},
				},
				{
					name: "all belong to another role", spoil: []string{roleOnce("objects_heir"), "ALTER TABLE mdl_a OWNER TO objects_heir", "ALTER TABLE mdl_b OWNER TO objects_heir"},
					want: []string{"same owner-other  objects_heir", "different owner-other  public"},
					mend: []string{"ALTER TABLE mdl_a OWNER TO CURRENT_USER", "ALTER TABLE mdl_b OWNER TO CURRENT_USER"},
				},
			}...))
			const trigger = "CREATE TRIGGER own BEFORE UPDATE ON mdl_a FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()"
			expected.server.Exec(t, expected.url, trigger, "ALTER TABLE mdl_b DISABLE TRIGGER ALL")
			found.server.Exec(t, found.url, "ALTER TABLE mdl_b DISABLE TRIGGER ALL")
			if diff := cmp.Diff([]string{"different trigger-missing mdl_a own", "same trigger-disabled mdl_b fk_a"}, lines(looks(t, expected, found))); diff != "" {
				t.Errorf("triggers (-want +got):\n%s", diff)
			}
		})
	}
}

func TestObjectsOfTwoMySQL(t *testing.T) {
	for _, source := range testdb.Sources() {
		t.Run(source, func(t *testing.T) {
			expected, found := made(t, source), made(t, source)
			check(t, expected, found, []objectFault{
				{name: "default missing", spoil: []string{"ALTER TABLE mdl_a ALTER name DROP DEFAULT"}, want: []string{"different column-default-missing mdl_a name"}},
				{name: "another default", spoil: []string{"ALTER TABLE mdl_a ALTER n SET DEFAULT 6"}, want: []string{"different column-default mdl_a n"}},
				{name: "index missing", spoil: []string{"ALTER TABLE mdl_a DROP KEY kname"}, want: []string{"different index-missing mdl_a kname"}},
				{name: "no foreign key", spoil: []string{"ALTER TABLE mdl_b DROP FOREIGN KEY fk_a"}, want: []string{"different foreign-key-missing mdl_b fk_a"}},
				{name: "no counter", spoil: []string{"ALTER TABLE mdl_b MODIFY id bigint NOT NULL"}, want: []string{"different column-auto-increment-missing mdl_b id"}},
				{name: "counter below", spoil: []string{"ALTER TABLE mdl_a AUTO_INCREMENT = 7"}, want: []string{"different sequence-below-source mdl_a id"}},
				{
					name: "NULLs", spoil: []string{"ALTER TABLE mdl_a MODIFY name varchar(100) DEFAULT 'x'", "UPDATE mdl_a SET name = NULL WHERE id > 1"},
					want: []string{"same schema-differs", "different null-in-not-null mdl_a name"},
					mend: []string{"UPDATE mdl_a SET name = 'x' WHERE name IS NULL", "ALTER TABLE mdl_a MODIFY name varchar(100) NOT NULL DEFAULT 'x'"},
				},
				{
					name: "trigger of others", spoil: []string{"CREATE TRIGGER trg BEFORE UPDATE ON mdl_a FOR EACH ROW SET NEW.note = 'x'"},
					want: []string{"different trigger-extra mdl_a trg"}, mend: []string{"DROP TRIGGER trg"},
				},
			})
			expected.server.Exec(t, expected.url, "CREATE TRIGGER trg BEFORE UPDATE ON mdl_a FOR EACH ROW SET NEW.note = 'x'")
			if diff := cmp.Diff([]string{"different trigger-missing mdl_a trg"}, lines(looks(t, expected, found))); diff != "" {
				t.Errorf("a trigger that is missing (-want +got):\n%s", diff)
			}
		})
	}
}

// TestObjectsOfPostgresAndMySQL: the way back.
func TestObjectsOfPostgresAndMySQL(t *testing.T) {
	expected, found := made(t, testdb.Targets()[0]), made(t, testdb.Sources()[0])
	check(t, expected, found, []objectFault{
		{name: "counter below", spoil: []string{"ALTER TABLE mdl_a AUTO_INCREMENT = 7"}, want: []string{"different sequence-below-source mdl_a id"}},
		{name: "default missing", spoil: []string{"ALTER TABLE mdl_a ALTER name DROP DEFAULT"}, want: []string{"different column-default-missing mdl_a name"}, mend: []string{"ALTER TABLE mdl_a ALTER name SET DEFAULT 'x'"}},
	})
}

// TestObjectsUnread: what may not be read is no difference, and not the same either.
func TestObjectsUnread(t *testing.T) {
	expected, found := made(t, testdb.Sources()[0]), made(t, testdb.Targets()[0])
	found.as = found.server.Role(t, "objects_reader", found.url)
	found.server.Exec(t, found.url, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO objects_reader", "REVOKE SELECT ON mdl_b FROM objects_reader", "DROP INDEX mdl_a_n", "ALTER TABLE mdl_a DROP CONSTRAINT mdl_a_pkey CASCADE")
	got := looks(t, expected, found)
	i := slices.IndexFunc(got, func(d ObjectDifference) bool { return d.Code == CodeIDsUnread })
	if i < 0 || got[i].State != verify.Unknown || !strings.Contains(got[i].Message, "2 tables") {
		t.Fatalf("sequences that cannot be read: %+v", got)
	}
	_, grants, _ := strings.Cut(got[i].Hint, ": ")
	found.server.Exec(t, found.url, grants)
	got = looks(t, expected, found)
	if slices.ContainsFunc(got, func(d ObjectDifference) bool { return d.State == verify.Unknown }) {
		t.Errorf("after %s: %+v", grants, got)
	}
	// Without an index the highest id is there as well.
	found.server.Exec(t, found.url, "SELECT setval('mdl_a_id_seq', 2)")
	if got = looks(t, expected, found); !slices.Contains(lines(got), "different sequence-behind mdl_a mdl_a_id_seq") {
		t.Errorf("a sequence behind, in a table without an index: %q", lines(got))
	}
}

// TestObjectsOfOtherNames: prefixes and the case of names may differ, and what is
// not compared is not looked at.
func TestObjectsOfOtherNames(t *testing.T) {
	expected := looked{server: testdb.Get(t, testdb.Sources()[0])}
	found := looked{server: testdb.Get(t, testdb.Targets()[0])}
	expected.url, found.url = expected.server.Database(t), found.server.Database(t)
	expected.server.Exec(t, expected.url,
		"CREATE TABLE m2_Case (id bigint NOT NULL AUTO_INCREMENT, n bigint NOT NULL DEFAULT 5, PRIMARY KEY (id), KEY kn (n))",
		"CREATE TABLE m2_child (id bigint NOT NULL AUTO_INCREMENT, up bigint, PRIMARY KEY (id), KEY ku (up), CONSTRAINT fk_up FOREIGN KEY (up) REFERENCES m2_Case (id))",
		"CREATE TABLE m2_other (id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, n bigint)")
	found.server.Exec(t, found.url,
		"CREATE TABLE mdl_case (id bigserial PRIMARY KEY, n bigint NOT NULL DEFAULT 5)", "CREATE INDEX ON mdl_case (n)",
		"CREATE TABLE mdl_child (id bigserial PRIMARY KEY, up bigint REFERENCES mdl_case (id))", "CREATE INDEX ON mdl_child (up)",
		"CREATE TABLE mdl_other (id bigserial, n text DEFAULT 'x')", "CREATE TABLE stranger (id int)", "ALTER TABLE mdl_other DISABLE TRIGGER ALL")
	look := func() []string {
		from, to := expected.side(t), found.side(t)
		from.prefix = "m2_"
		out, err := objects(t.Context(), from, to, map[string]string{"m2_Case": "mdl_case", "m2_child": "mdl_child"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return lines(out)
	}
	if got := look(); len(got) > 0 {
		t.Errorf("nothing is wrong, but there is: %q", got)
	}
	found.server.Exec(t, found.url, "ALTER TABLE mdl_case ALTER n DROP DEFAULT", "ALTER TABLE mdl_child DROP CONSTRAINT mdl_child_up_fkey")
	want := []string{"different column-default-missing mdl_case n", "different foreign-key-missing mdl_child fk_up"}
	if diff := cmp.Diff(want, look()); diff != "" {
		t.Errorf("seen (-want +got):\n%s", diff)
	}
}

// roleOnce makes a role, unless a test before has.
func roleOnce(name string) string {
	return "DO $$ BEGIN CREATE ROLE " + name + "; EXCEPTION WHEN duplicate_object THEN NULL; END $$"
}
