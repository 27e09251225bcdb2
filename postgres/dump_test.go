package postgres_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/schema"
)

// aDump is what pg_dump writes of a table of Moodle's, with its rows.
const aDump = `--
-- PostgreSQL database dump
--

\restrict abc

-- Dumped from database version 15.20 (Debian 15.20-0+deb12u1)
-- Dumped by pg_dump version 17.2

SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);

CREATE FUNCTION public.f() RETURNS text
    LANGUAGE sql
    AS $_$ SELECT 'CREATE TABLE public.x (id int);'; $_$;

CREATE TABLE public.mdl_user (
    id bigint NOT NULL,
    name character varying(100) DEFAULT 'it''s, (x'::character varying NOT NULL,
    score numeric(10,5) DEFAULT '-2.50'::numeric,
    parent bigint,
    CONSTRAINT "check;" CHECK (((name)::text <> ')'::text))
);
ALTER TABLE public.mdl_user OWNER TO moodle;
COMMENT ON TABLE public.mdl_user IS 'One ''user'' a row';
CREATE SEQUENCE public.mdl_user_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.mdl_user_id_seq OWNED BY public.mdl_user.id;
ALTER TABLE ONLY public.mdl_user ALTER COLUMN id SET DEFAULT nextval('public.mdl_user_id_seq'::regclass);
COPY public.mdl_user (id, name) FROM stdin;
1	CREATE TABLE public.y (id int);
2	'\\.
\.

SELECT pg_catalog.setval('public.mdl_user_id_seq', 41, true);
ALTER TABLE ONLY public.mdl_user
    ADD CONSTRAINT mdl_user_pk PRIMARY KEY (id);
CREATE INDEX mdl_user_ix ON public.mdl_user USING btree (lower((name)::text) varchar_pattern_ops DESC, parent) WHERE (parent > 0);
ALTER TABLE ONLY public.mdl_user
    ADD CONSTRAINT mdl_user_fk FOREIGN KEY (parent) REFERENCES public.mdl_user(id) ON DELETE CASCADE;
CREATE VIEW public.v AS
 SELECT id
   FROM public.mdl_user;
\unrestrict abc
`

func TestReadDumpOfATable(t *testing.T) {
	bigint := schema.Type{Name: "bigint", Raw: "bigint"}
	want := schema.Schema{
		Engine: schema.Postgres, Version: "15.20 (Debian 15.20-0+deb12u1)", Name: "public",
		Tables: []schema.Table{{
			Name: "mdl_user", Comment: "One 'user' a row", Owner: "moodle", Rows: -1, Bytes: -1,
			Columns: []schema.Column{
				{Name: "id", Type: bigint, NotNull: true, AutoIncrement: true, Sequence: "mdl_user_id_seq", SequenceOwned: true},
				{
					Name: "name", Type: schema.Type{Name: "character varying", Length: 100, Raw: "character varying(100)"},
					NotNull: true, Default: schema.Literal("it's, (x"),
				},
				{
					Name: "score", Type: schema.Type{Name: "numeric", Precision: 10, Scale: 5, Raw: "numeric(10,5)"},
					Default: schema.Literal("-2.50"),
				},
				{Name: "parent", Type: bigint},
			},
			Indexes: []schema.Index{
				{
					Name: "mdl_user_pk", Primary: true, Unique: true, Constraint: true, Method: "btree",
					Parts:      []schema.IndexPart{{Column: "id"}},
					Definition: "CREATE UNIQUE INDEX mdl_user_pk ON public.mdl_user USING btree (id)",
				},
				{
					Name: "mdl_user_ix", Method: "btree", Where: "(parent > 0)",
					Parts: []schema.IndexPart{
						{Expression: "lower((name)::text)", OpClass: "varchar_pattern_ops", Descending: true, NullsFirst: true},
						{Column: "parent"},
					},
					Definition: "CREATE INDEX mdl_user_ix ON public.mdl_user USING btree (lower((name)::text) varchar_pattern_ops DESC, parent) WHERE (parent > 0)",
				},
			},
			ForeignKeys: []schema.ForeignKey{{
				Name: "mdl_user_fk", Columns: []string{"parent"}, RefTable: "mdl_user", RefColumns: []string{"id"},
				OnDelete: "cascade", OnUpdate: "no action",
			}},
			Checks: []schema.Check{{Name: "check;", Expression: "(name)::text <> ')'::text"}},
		}},
		Views: []schema.View{{Name: "v", Definition: " SELECT id\n   FROM public.mdl_user;"}},
		Sequences: []schema.Sequence{{
			Name: "mdl_user_id_seq", Type: "bigint", Start: 1, Increment: 1, Min: 1, Max: 9223372036854775807,
			Last: 41, Called: true, OwnedByTable: "mdl_user", OwnedByColumn: "id",
		}},
	}
	for name, r := range map[string]io.Reader{
		"at once":          strings.NewReader(aDump),
		"byte by byte":     iotest.OneByteReader(strings.NewReader(aDump)),
		"lines of Windows": strings.NewReader("\xef\xbb\xbf" + strings.ReplaceAll(strings.ReplaceAll(aDump, "AS\n SELECT id\n   FROM", "AS\n SELECT id\n   FROM"), ";\n", ";\r\n")),
	} {
		t.Run(name, func(t *testing.T) {
			d, err := postgres.ReadDump(r, "dump.sql", "")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(postgres.Dump{Schema: want}, d); diff != "" {
				t.Errorf("dump (-want +got):\n%s", diff)
			}
		})
	}
}

// What cannot be read is told with its table and line, and the rest is read.
func TestReadDumpTellsWhatItCannotRead(t *testing.T) {
	const good = "CREATE TABLE public.good (id bigint NOT NULL);\n"
	long := strings.Repeat("x", 2<<20)
	tests := map[string]struct {
		text, table string
		want        string
	}{
		"nonsense":          {"CREATE TABLE public.bad (a int NOT FROBNICATED);", "bad", "syntax error"},
		"once per table":    {"CREATE TABLE public.bad (a int FROBNICATED);ALTER TABLE ONLY public.bad ADD CONSTRAINT x PRIMARY KEY (a);CREATE INDEX y ON public.bad USING btree (a);", "bad", "syntax error"},
		"quoted name":       {`ALTER TABLE ONLY public."b""ad" FROBNICATE;`, `b"ad`, "syntax error"},
		"a copy":            {"CREATE TABLE public.bad AS SELECT 1;", "bad", "without naming its columns"},
		"like another":      {"CREATE TABLE public.bad (LIKE public.good);", "bad", "like another table"},
		"unknown table":     {"ALTER TABLE public.bad ADD CONSTRAINT x PRIMARY KEY (id);", "bad", "does not make"},
		"unknown index":     {"CREATE INDEX x ON public.bad USING btree (id);", "bad", "does not make"},
		"dropped column":    {"ALTER TABLE public.good DROP COLUMN id;", "good", "DropColumn"},
		"renamed":           {"ALTER TABLE public.good RENAME TO bad;", "good", "renames"},
		"made twice":        {"CREATE TABLE public.good (a int);", "good", "twice"},
		"unknown parent":    {"CREATE TABLE public.bad (a int) INHERITS (public.other);", "bad", "inherits"},
		"open quotes":       {"CREATE TABLE public.bad (a text DEFAULT 'x);\n", "bad", "inside a quoted text"},
		"open dollars":      {"CREATE FUNCTION public.bad() AS $a$ x $b$;", "", "inside a quoted text"},
		"open comment":      {"CREATE TABLE public.bad /* (a int); /* */", "bad", "inside a comment"},
		"open parentheses":  {"CREATE TABLE public.bad (a int;", "bad", "not complete"},
		"cut off rows":      {"COPY public.bad (a) FROM stdin;\n1\n2", "bad", "inside its rows"},
		"cut off insert":    {"INSERT INTO public.bad VALUES (1", "", "not complete"},
		"deep":              {"CREATE TABLE public.bad (a int CHECK " + strings.Repeat("(", 100_000) + strings.Repeat(")", 100_001) + ";", "bad", "within something else"},
		"a chain":           {"CREATE TABLE public.bad (a int DEFAULT 1" + strings.Repeat("+1", 10_000) + ");", "bad", "within something else"},
		"long":              {"COMMENT ON TABLE public.bad IS '" + long + "';", "bad", "longer than"},
		"very long":         {"COMMENT ON TABLE public.bad IS '" + strings.Repeat(long, 5) + "';", "bad", "longer than"},
		"NUL":               {"COMMENT ON TABLE public.bad IS '\x00';", "bad", "NUL"},
		"large sequence":    {"CREATE SEQUENCE public.bad START WITH 99999999999999999999;", "bad", "no number"},
		"not in one piece ": {"CREATE TABLE public.bad (a int) \\; CREATE TABLE x ();", "bad", "syntax error"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d, err := postgres.ReadDump(strings.NewReader(good+tt.text), "dump.sql", "public")
			if err != nil {
				t.Fatal(err)
			}
			if d.Schema.Table("good") == nil {
				t.Error("the good table is lost")
			}
			if len(d.Unread) != 1 {
				t.Fatalf("unread: %+v", d.Unread)
			}
			u := d.Unread[0]
			if u.Table != tt.table || u.Line != 2 || !strings.Contains(u.Reason, tt.want) || len(u.Text) > 200 {
				t.Errorf("unread: %+v, want table %q, line 2 and %q", u, tt.table, tt.want)
			}
		})
	}
}

func TestReadDumpChoosesTheSchema(t *testing.T) {
	const a, b, public = "CREATE TABLE a.t (id int);", "CREATE TABLE b.t (id int);", "CREATE TABLE public.t (id int);"
	for name, tt := range map[string]struct {
		text, ask  string
		want       string
		err        error
		wantInText string
	}{
		"public of several":    {a + public + b, "", "public", nil, ""},
		"the only one":         {b, "", "b", nil, ""},
		"as asked for":         {a + public, "a", "a", nil, ""},
		"several":              {b + a, "", "", postgres.ErrSeveralSchemas, "several schemas: a, b"},
		"none of that name":    {b + a, "c", "", postgres.ErrNoSchema, `schema "c"`},
		"nothing at all":       {"", "", "public", nil, ""},
		"an old search path":   {"SET search_path = a, pg_catalog; CREATE TABLE t (id int);", "", "a", nil, ""},
		"databases":            {"\\connect one\n" + a + "\n\\connect \"two\"\n" + a, "", "", postgres.ErrSeveralDatabases, "one, two"},
		"one of the databases": {"\\connect template1\nSET x = 1;\n\\connect moodle\n" + a, "", "a", nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := postgres.ReadDump(strings.NewReader(tt.text), "dump.sql", tt.ask)
			if !errors.Is(err, tt.err) || err != nil && !strings.Contains(err.Error(), tt.wantInText) {
				t.Fatalf("error %v, want %v", err, tt.err)
			}
			if err == nil && d.Schema.Name != tt.want {
				t.Errorf("schema %q, want %q", d.Schema.Name, tt.want)
			}
		})
	}
}

// The parser is of PostgreSQL 17; newer clauses must not cost the table.
// pg_dump spells a serial column out; scripts by hand do not.
func TestReadDumpOfSerialColumns(t *testing.T) {
	d, err := postgres.ReadDump(strings.NewReader("CREATE TABLE t (id bigserial, small smallserial);"), "dump.sql", "")
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []schema.Column{
		{Name: "id", Type: schema.Type{Name: "bigint", Raw: "bigint"}, NotNull: true, AutoIncrement: true, Sequence: "t_id_seq", SequenceOwned: true},
		{Name: "small", Type: schema.Type{Name: "smallint", Raw: "smallint"}, NotNull: true, AutoIncrement: true, Sequence: "t_small_seq", SequenceOwned: true},
	} {
		if diff := cmp.Diff(want, d.Schema.Tables[0].Columns[i]); diff != "" {
			t.Errorf("column (-want +got):\n%s", diff)
		}
	}
	if len(d.Schema.Sequences) != 2 || d.Schema.Sequences[1].Max != 1<<15-1 || d.Schema.Sequences[1].OwnedByColumn != "small" {
		t.Errorf("sequences: %+v", d.Schema.Sequences)
	}
}

func TestReadDumpOfPostgres18(t *testing.T) {
	d, err := postgres.ReadDump(strings.NewReader(`CREATE TABLE public.t (
    a integer CONSTRAINT a_set NOT NULL,
    b integer GENERATED ALWAYS AS ((a * 2)),
    c text GENERATED ALWAYS AS ('NOT ENFORCED'::text) STORED,
    CONSTRAINT k CHECK ((a > 1)) NOT ENFORCED
);
ALTER TABLE ONLY public.t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES public.t(b) NOT ENFORCED;`), "dump.sql", "")
	if err != nil || len(d.Unread) > 0 {
		t.Fatalf("error %v, unread %+v", err, d.Unread)
	}
	table := d.Schema.Tables[0]
	if len(table.Columns) != 3 || len(table.Checks) != 1 || len(table.ForeignKeys) != 1 {
		t.Fatalf("read %+v", table)
	}
	if b := table.Columns[1]; b.Generated != schema.GeneratedVirtual || b.Expression != "a * 2" {
		t.Errorf("virtual column: %+v", b)
	}
	if c := table.Columns[2]; c.Generated != schema.GeneratedStored || c.Expression != "'NOT ENFORCED'::text" {
		t.Errorf("stored column: %+v", c)
	}
	if !table.Columns[0].NotNull {
		t.Errorf("named NOT NULL: %+v", table.Columns[0])
	}
}

func TestReadDumpRefuses(t *testing.T) {
	broken := errors.New("the disk is broken")
	for name, tt := range map[string]struct {
		r    io.Reader
		want string
	}{
		"UTF-16":              {strings.NewReader("\xff\xfeC\x00R\x00"), "--file"},
		"broken file":         {io.MultiReader(strings.NewReader("CREATE TABLE t (id"), iotest.ErrReader(broken)), "read dump dump.sql: the disk is broken"},
		"broken inside rows":  {io.MultiReader(strings.NewReader("COPY t FROM stdin;\n1\n2"), iotest.ErrReader(broken)), "the disk is broken"},
		"broken inside quote": {io.MultiReader(strings.NewReader("CREATE TABLE t (id text DEFAULT '"), iotest.ErrReader(broken)), "the disk is broken"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := postgres.ReadDump(tt.r, "dump.sql", ""); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q in it", err, tt.want)
			}
		})
	}
}

// rowsReader is a dump of a table with n bytes of rows, that is never held as a whole.
type rowsReader struct {
	left int
	head *strings.Reader
	row  string
}

func (r *rowsReader) Read(b []byte) (int, error) {
	if r.head.Len() > 0 {
		return r.head.Read(b)
	}
	if r.left <= 0 {
		return 0, io.EOF
	}
	n := 0
	for n+len(r.row) <= len(b) {
		n += copy(b[n:], r.row)
	}
	if n == 0 {
		n = copy(b, strings.Repeat("\n", len(b)))
	}
	r.left -= n
	return n, nil
}

// BenchmarkReadDumpRows skips the rows of large dumps, in bounded memory.
func BenchmarkReadDumpRows(b *testing.B) {
	const size = 64 << 20
	for name, how := range map[string][2]string{
		"copy":   {"COPY public.t (id, a) FROM stdin;\n", "1\tit's; \\N $$ text\n"},
		"insert": {"", "INSERT INTO public.t VALUES (1, 'it''s; $$ text');\n"},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(size)
			for b.Loop() {
				r := &rowsReader{left: size, head: strings.NewReader("CREATE TABLE public.t (id int);\n" + how[0]), row: how[1]}
				if _, err := postgres.ReadDump(r, "dump.sql", ""); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func FuzzReadDump(f *testing.F) {
	for statement := range strings.SplitSeq(aDump, ";\n") {
		f.Add(statement + ";")
	}
	f.Add(aDump)
	f.Add("CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2;\nEND;")
	f.Add("CREATE RULE r AS ON DELETE TO t WHERE a DO (NOTIFY a; NOTIFY b); /* /* */ */")
	f.Add("ALTER TABLE t ALTER COLUMN a ADD GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME s START WITH 1), ADD c int DEFAULT 3;")
	f.Add("CREATE TABLE x (a int GENERATED ALWAYS AS (b) , c text[] COLLATE \"C\" DEFAULT E'\\'' NOT NULL, EXCLUDE USING gist (a WITH &&) WHERE (b)) INHERITS (t);")
	f.Fuzz(func(t *testing.T, text string) {
		d, err := postgres.ReadDump(strings.NewReader("CREATE TABLE t (a int, b text);\n"+text), "dump.sql", "")
		if err != nil {
			if strings.Contains(err.Error(), "the parser broke") {
				t.Error(err)
			}
			return
		}
		for _, u := range d.Unread {
			if u.Line < 1 || u.Reason == "" {
				t.Errorf("unread without a line or a reason: %+v", u)
			}
		}
	})
}
