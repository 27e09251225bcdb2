package postgres

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/schema"
)

func TestReadFrom(t *testing.T) {
	columns := []string{"id", ` FROM "x"."y" WHERE ctid `}
	for _, table := range []string{"mdl_log", `T " FROM "1"`} {
		for _, p := range []Pages{{}, {From: 1}, {To: 2}} {
			if s, got := readFrom(ReadBackPart("Load ing", table, columns[:1], p)); s != "Load ing" || got != table {
				t.Errorf("%+v of %q reads %q.%q", p, table, s, got)
			}
		}
	}
	for _, other := range []string{"", "COPY s.t TO STDOUT", ReadBackPart("s", "t", columns, Pages{From: 1})[:40], " FROM ", "x FROM s.t"} {
		if s, got := readFrom(other); s != "" || got != "" {
			t.Errorf("%q reads %q.%q", other, s, got)
		}
	}
}

func TestBuilds(t *testing.T) {
	odd := schema.Index{Name: `My "Index" ON x.y`, Parts: []schema.IndexPart{{Column: "a"}}}
	for _, tc := range []struct {
		name, script string
		want         []build
	}{
		{"nothing", "COPY s.t FROM STDIN", nil},
		{"an index of ours", CreateIndex("Load ing", `T "1"`, odd), []build{{"Load ing", `T "1"`, odd.Name}}},
		{"a key of ours", AddPrimaryKey("s", "t", schema.Index{Name: "t_pk", Parts: odd.Parts}), []build{{"s", "t", "t_pk"}}},
		{"of pg_get_indexdef", `CREATE UNIQUE INDEX mdl_x_ix ON public."T" USING btree (id)`, []build{{"public", "T", "mdl_x_ix"}}},
		{"a script", "SET LOCAL x = 1;\nCREATE INDEX a ON s.t (x);\nALTER TABLE s.u ADD CONSTRAINT b PRIMARY KEY (x);\nINSERT INTO y VALUES (1)", []build{{"s", "t", "a"}, {"s", "u", "b"}}},
		{"cut off in the name", `CREATE INDEX "mdl_lon`, nil},
		{"cut off in the table", `CREATE INDEX a ON "s"."mdl_lo`, nil},
		{"not qualified", "CREATE INDEX a ON t (x)", nil},
		{"another change", "ALTER TABLE s.t ADD COLUMN c int", nil},
		{"cut off in a letter", "CREATE INDEX \"\xc3", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, builds(tc.script), cmp.AllowUnexported(build{})); diff != "" {
				t.Error(diff)
			}
		})
	}
	const two = "CREATE INDEX a ON s.t (x); CREATE INDEX b ON s.t (y); CREATE INDEX c ON s.u (y)"
	if got := builtOn(two, "t"); got != "" {
		t.Errorf("one of two is %q", got)
	}
	if got := builtOn(two, "u"); got != "c" {
		t.Errorf("the one on u is %q", got)
	}
}

func TestBeginning(t *testing.T) {
	for in, want := range map[string]string{
		"":                         "",
		"  ANALYZE \"s\".\"t\"\nx": `ANALYZE "s"."t"`,
		"ÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄ": "ÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄ…",
	} {
		if got := beginning(in); got != want {
			t.Errorf("beginning of %q is %q", in, got)
		}
	}
}
