package diff

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/schema"
)

var allEngines = []schema.Engine{schema.MySQL, schema.MariaDB, schema.Postgres}

// siteSchema is a site as its installer makes it: a table with a column of
// each sort, one whose ids nobody gives out, and the table config.
func siteSchema(engine schema.Engine) *schema.Schema {
	s := &schema.Schema{Engine: engine, Name: "public"}
	for _, name := range []string{"mdl_config", "mdl_probe", "mdl_plain"} {
		t := schema.Table{Name: name, Origin: schema.Origin{Component: "mod_probe", File: "mod/probe/db/install.xml", Line: 3}}
		if engine.IsMySQL() {
			t.StorageEngine, t.RowFormat, t.Charset, t.Collation = "InnoDB", "Compressed", "utf8mb4", "utf8mb4_unicode_ci"
		} else {
			t.Owner = "moodle"
		}
		t.Columns = siteColumns(engine, name)
		t.Indexes = []schema.Index{{Name: "pk", Primary: true, Unique: true, Method: "btree", Parts: []schema.IndexPart{{Column: "id"}}}}
		s.Tables = append(s.Tables, t)
		if seq := t.Columns[0].Sequence; seq != "" {
			s.Sequences = append(s.Sequences, schema.Sequence{
				Name: seq, Type: "bigint", Start: 1, Increment: 1, Min: 1, Max: 1<<63 - 1, Last: 1, OwnedByTable: name, OwnedByColumn: "id",
			})
		}
	}
	s.Sort()
	return s
}

// siteType is a type by its name on MySQL, or what PostgreSQL has for it.
func siteType(engine schema.Engine, name string, length int64) schema.Type {
	if engine == schema.Postgres {
		if as, ok := map[string]string{
			"tinyint": "smallint", "int": "integer", "varchar": "character varying", "longtext": "text", "longblob": "bytea",
			"decimal": "numeric", "double": "double precision", "float": "real", "datetime": "timestamp without time zone",
		}[name]; ok {
			name = as
		}
	}
	t := schema.Type{Name: name, Length: length}
	if name == "decimal" || name == "numeric" {
		t.Precision, t.Scale = 10, 5
	}
	return t
}

func siteColumns(engine schema.Engine, table string) []schema.Column {
	column := func(line int, name, typ string, length int64, notNull bool, value schema.Default) schema.Column {
		c := schema.Column{
			Name: name, Type: siteType(engine, typ, length), NotNull: notNull, Default: value,
			Origin: schema.Origin{Component: "mod_probe", File: "mod/probe/db/install.xml", Line: line},
		}
		if engine.IsMySQL() && (typ == "varchar" || typ == "longtext") {
			c.Charset, c.Collation = "utf8mb4", "utf8mb4_unicode_ci"
		}
		return c
	}
	none := schema.Default{}
	id := column(5, "id", "bigint", 0, true, none)
	if table == "mdl_plain" {
		return []schema.Column{id, column(6, "name", "varchar", 100, true, schema.Literal(""))}
	}
	id.AutoIncrement = true
	if engine == schema.Postgres {
		id.Sequence, id.SequenceOwned = table+"_id_seq", true
	}
	if table == "mdl_config" {
		return []schema.Column{id, column(6, "name", "varchar", 255, true, schema.Literal(""))}
	}
	return []schema.Column{
		id, column(6, "flag", "tinyint", 0, true, schema.Literal("0")), column(7, "amount", "int", 0, false, none),
		column(8, "wide", "bigint", 0, false, none), column(9, "state", "varchar", 20, true, schema.Literal("new")),
		column(10, "name", "varchar", 255, true, schema.Literal("")), column(11, "short", "varchar", 50, false, none),
		column(12, "note", "longtext", 0, false, none), column(13, "data", "longblob", 0, false, none),
		column(14, "grade", "decimal", 0, true, schema.Literal("0.00000")), column(15, "ratio", "double", 0, false, none),
		column(16, "rate", "float", 0, false, none), column(17, "moment", "datetime", 0, false, none),
	}
}

// col finds a column of the table probe.
func col(s *schema.Schema, name string) *schema.Column { return s.Table("mdl_probe").Column(name) }

// typed replaces the type of a column; what the type has not goes.
func typed(name string, t schema.Type) func(*schema.Schema) {
	return func(h *schema.Schema) {
		c := col(h, name)
		c.Type = t
		if !textual(t.Name) {
			c.Charset, c.Collation = "", ""
		}
	}
}

func textual(name string) bool {
	return strings.HasSuffix(name, "text") || strings.Contains(name, "char") || name == "enum" || name == "set"
}

// said spells changes as severity, code, table and object.
func said(changes []Change) []string {
	out := []string{}
	for _, c := range changes {
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", c.Severity, c.Code, c.Short, c.Object)))
	}
	slices.Sort(out)
	return out
}

// siteCase is one change of the site, and what is said about it.
type siteCase struct {
	name    string
	engines []schema.Engine // nil for all
	change  func(have *schema.Schema)
	want    []string
	// prepare changes what is expected, and the options; nil for neither.
	prepare func(want *schema.Schema, opts *Options)
}

var (
	onMySQL    = []schema.Engine{schema.MySQL, schema.MariaDB}
	onPostgres = []schema.Engine{schema.Postgres}
)

func runSite(t *testing.T, cases []siteCase) {
	t.Helper()
	for _, tc := range cases {
		for _, engine := range allEngines {
			if tc.engines != nil && !slices.Contains(tc.engines, engine) {
				continue
			}
			t.Run(tc.name+"/"+string(engine), func(t *testing.T) {
				want, have := siteSchema(engine), siteSchema(engine)
				opts := Options{Prefix: "mdl_", Declared: true}
				if tc.prepare != nil {
					tc.prepare(want, &opts)
				}
				if opts.Declared {
					for i := range want.Tables {
						want.Tables[i].Owner = "" // no install.xml names one
					}
				}
				if tc.change != nil {
					tc.change(have)
				}
				have.Sort()
				changes := Schemas(want, have, opts)
				if tc.want == nil {
					tc.want = []string{}
				}
				if d := cmp.Diff(tc.want, said(changes)); d != "" {
					t.Errorf("changes (-want +got):\n%s\n%+v", d, changes)
				}
				for _, c := range changes {
					// What an extra table is, its code says.
					phrases := c.Expected != "" && (c.Found != "" || c.Code == TableExtra)
					if c.Message == "" || c.Hint == "" || !phrases || strings.HasSuffix(c.Message, ".") {
						t.Errorf("incomplete change %+v", c)
					}
				}
			})
		}
	}
}

func one(s string) []string { return []string{s} }

func TestASiteIsLikeItself(t *testing.T) { runSite(t, []siteCase{{name: "the same"}}) }
