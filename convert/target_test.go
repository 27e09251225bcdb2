package convert_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/xmldb"
)

// sampleSite loads the code tree of the bundled sample site.
func sampleSite(t testing.TB) *xmldb.Site {
	t.Helper()
	site, err := xmldb.Load("../testdata/site/code", xmldb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return site
}

// declaredBoth returns what Moodle makes of the sample site on both engines.
func declaredBoth(t testing.TB, site *xmldb.Site) (pg, my schema.Schema) {
	t.Helper()
	pg, f1 := convert.Declared(site, convert.DeclaredOptions{Engine: schema.Postgres, Prefix: "mdl_"})
	my, f2 := convert.Declared(site, convert.DeclaredOptions{Engine: schema.MariaDB, Prefix: "mdl_"})
	for _, f := range append(f1, f2...) {
		t.Fatalf("unexpected finding: %v", f)
	}
	return pg, my
}

func TestTargetOfCleanSiteIsDeclared(t *testing.T) {
	pg, my := declaredBoth(t, sampleSite(t))
	checkClean(t, pg, my)
}

func TestTargetOfNativeSiteIsDeclared(t *testing.T) {
	_, site := nativeSite(t)
	pg, my := declaredBoth(t, site)
	checkClean(t, pg, my)
}

// checkClean demands that a site without drift gives exactly the declared
// schema, every column copied, and nothing to say.
func checkClean(t *testing.T, pg, my schema.Schema) {
	t.Helper()
	plan, findings := convert.Target(pg, my, convert.TargetOptions{Prefix: "mdl_"})
	if diff := cmp.Diff([]convert.Finding(nil), findings); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(pg, plan.Schema()); diff != "" {
		t.Errorf("target (-declared +target):\n%s", diff)
	}
	for _, table := range plan.Tables {
		if len(table.Columns) != len(table.Target.Columns) {
			t.Errorf("table %s: %d of %d columns are copied", table.Target.Name, len(table.Columns), len(table.Target.Columns))
		}
	}
	fit, findings := convert.Fit(pg, my, convert.FitOptions{Prefix: "mdl_"})
	if diff := cmp.Diff([]convert.Finding(nil), findings); diff != "" {
		t.Errorf("findings of Fit (-want +got):\n%s", diff)
	}
	for _, table := range fit.Tables {
		if table.Create || len(table.Columns) != len(table.Target.Columns) {
			t.Errorf("Fit: table %s: %d of %d columns are copied, create %v",
				table.Target.Name, len(table.Columns), len(table.Target.Columns), table.Create)
		}
	}
}

// liveTable is a live table with the columns given, each "name type".
func liveTable(name string, columns ...schema.Column) schema.Table {
	return schema.Table{Name: name, Columns: columns, Rows: -1, Bytes: -1}
}

func col(name, typeName string) schema.Column {
	return schema.Column{Name: name, Type: typed(typeName)}
}

// declaredT is the PostgreSQL table mdl_t(id serial, name varchar(100) NOT NULL, note text).
func declaredT() schema.Schema {
	t := schema.Table{
		Name: "mdl_t", Rows: -1, Bytes: -1, Origin: schema.Origin{Component: "local_t", File: "local/t/db/install.xml", Line: 5},
		Columns: []schema.Column{
			{Name: "id", Type: typed("bigint"), NotNull: true, AutoIncrement: true, Sequence: "mdl_t_id_seq", SequenceOwned: true},
			{Name: "name", Type: schema.Type{Name: "character varying", Length: 100, Raw: "character varying(100)"}, NotNull: true, Default: schema.Literal("")},
			{Name: "note", Type: typed("text")},
		},
		Indexes: []schema.Index{
			{Name: "mdl_t_id_pk", Primary: true, Unique: true, Constraint: true, Method: "btree", Parts: on(column("id"))},
			{Name: "mdl_t_nam_ix", Method: "btree", Parts: on(column("name"))},
			{Name: "mdl_t_nam_ix_pattern", Method: "btree", Parts: on(schema.IndexPart{Column: "name", OpClass: "varchar_pattern_ops"})},
		},
	}
	return schema.Schema{Engine: schema.Postgres, Tables: []schema.Table{t}}
}

// liveT is the table of MySQL that declaredT declares.
func liveT() schema.Table {
	t := liveTable("mdl_t",
		schema.Column{Name: "id", Type: typed("bigint"), NotNull: true, AutoIncrement: true},
		schema.Column{Name: "name", Type: schema.Type{Name: "varchar", Length: 100}, NotNull: true},
		col("note", "longtext"))
	t.Indexes = []schema.Index{
		{Name: "PRIMARY", Primary: true, Unique: true, Method: "btree", Parts: on(column("id"))},
		{Name: "any", Method: "btree", Parts: on(column("name"))},
	}
	return t
}

func liveSchema(tables ...schema.Table) schema.Schema {
	s := schema.Schema{Engine: schema.MariaDB, Tables: tables}
	s.Sort()
	return s
}

func TestTargetColumns(t *testing.T) {
	for _, tc := range []struct {
		name    string
		change  func(t *schema.Table)
		columns []string // of the target
		copied  []string
		codes   []string
		errors  bool
	}{
		{
			name: "none differs", change: func(*schema.Table) {},
			columns: []string{"id", "name", "note"}, copied: []string{"id", "name", "note"},
		},
		{
			name: "case and order mean nothing",
			change: func(t *schema.Table) {
				t.Columns[0].Name, t.Columns[1], t.Columns[2] = "ID", t.Columns[2], t.Columns[1]
			},
			columns: []string{"id", "name", "note"}, copied: []string{"ID", "name", "note"},
		},
		{
			name: "extra columns come last", change: func(t *schema.Table) { t.Columns = append([]schema.Column{col("Extra", "tinyint")}, t.Columns...) },
			columns: []string{"id", "name", "note", "Extra"}, copied: []string{"id", "name", "note", "Extra"},
			codes: []string{convert.CodeColumnExtra},
		},
		{
			name: "extra column of unknown type", change: func(t *schema.Table) { t.Columns = append(t.Columns, col("x", "xmltype")) },
			columns: []string{"id", "name", "note"}, copied: []string{"id", "name", "note"},
			codes: []string{convert.CodeUnknownType}, errors: true,
		},
		{
			name: "absent columns that may be", change: func(t *schema.Table) { t.Columns = t.Columns[:1]; t.Indexes = t.Indexes[:1] },
			columns: []string{"id", "name", "note"}, copied: []string{"id"},
			codes: []string{convert.CodeColumnAbsent, convert.CodeColumnAbsent, convert.CodeIndexAbsent},
		},
		{
			name: "absent counter", change: func(t *schema.Table) { t.Columns = t.Columns[1:]; t.Indexes = t.Indexes[1:] },
			columns: []string{"id", "name", "note"}, copied: []string{"name", "note"},
			codes: []string{convert.CodeColumnAbsent, convert.CodeIndexAbsent},
		},
		{
			name: "values that cannot be", change: func(t *schema.Table) { t.Columns[2].Type = typed("geometry") },
			columns: []string{"id", "name", "note"}, copied: []string{"id", "name"},
			codes: []string{convert.CodeColumnType}, errors: true,
		},
		{
			name: "values that may not fit",
			change: func(t *schema.Table) {
				t.Columns[0].Type.Unsigned = true
				t.Columns[1].Type.Length = 101
				t.Columns[1].NotNull = false
			},
			columns: []string{"id", "name", "note"}, copied: []string{"id", "name", "note"},
			codes: []string{convert.CodeColumnNarrower, convert.CodeColumnNullable, convert.CodeColumnNarrower},
		},
		{
			name: "checks of the source", change: func(t *schema.Table) { t.Checks = []schema.Check{{Name: "c", Expression: "`id` > 0"}} },
			columns: []string{"id", "name", "note"}, copied: []string{"id", "name", "note"},
			codes: []string{convert.CodeCheckDropped},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			source := liveT()
			tc.change(&source)
			plan, findings := convert.Target(declaredT(), liveSchema(source), convert.TargetOptions{Prefix: "mdl_"})
			table := plan.Tables[0]
			var columns, copied []string
			for _, c := range table.Target.Columns {
				columns = append(columns, c.Name)
			}
			for _, p := range table.Columns {
				copied = append(copied, p.Source.Name)
			}
			if diff := cmp.Diff(tc.columns, columns); diff != "" {
				t.Errorf("columns of the target (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.copied, copied); diff != "" {
				t.Errorf("columns copied (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.codes, codes(findings)); diff != "" {
				t.Errorf("codes (-want +got):\n%s", diff)
			}
			if convert.HasErrors(findings) != tc.errors {
				t.Errorf("errors: %v", findings)
			}
		})
	}
}

func TestTargetWantsAValue(t *testing.T) {
	declared := declaredT()
	declared.Tables[0].Columns = append(declared.Tables[0].Columns, schema.Column{Name: "must", Type: typed("bigint"), NotNull: true})
	_, findings := convert.Target(declared, liveSchema(liveT()), convert.TargetOptions{Prefix: "mdl_"})
	want := []convert.Finding{{
		Code: convert.CodeColumnAbsent, Severity: convert.Error, Table: "mdl_t", Column: "must",
		Message: `the source has no column "must", and the target wants a value in every row`,
		Hint:    "finish the upgrade of the site at the source, or add the column there",
	}}
	if diff := cmp.Diff(want, findings); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

func TestTargetIndexes(t *testing.T) {
	btree := func(name string, unique bool, parts ...schema.IndexPart) schema.Index {
		return schema.Index{Name: name, Unique: unique, Method: "btree", Parts: parts}
	}
	primary := schema.Index{Name: "PRIMARY", Primary: true, Unique: true, Method: "btree", Parts: on(column("id"))}
	name := btree("any", false, column("name"))
	for _, tc := range []struct {
		name  string
		live  []schema.Index
		extra []string // "name: columns"
		codes []string
	}{
		{name: "same definitions", live: []schema.Index{primary, name}},
		{name: "twice the same", live: []schema.Index{primary, name, btree("twin", false, column("NAME"))}},
		{name: "beginning of a declared column", live: []schema.Index{primary, btree("any", false, prefix("name", 10)), btree("id", true, column("id"))}},
		{
			name:  "unique beginning of a declared column",
			live:  []schema.Index{primary, name, btree("begin", true, prefix("name", 10))},
			extra: []string{`begin: ("left"(("name")::text, 10))`}, codes: []string{convert.CodeIndexPrefix, convert.CodeIndexExtra},
		},
		{
			name:  "unique where declared is not",
			live:  []schema.Index{primary, name, btree("strict", true, column("name"))},
			extra: []string{"strict: (name)"}, codes: []string{convert.CodeIndexExtra},
		},
		{
			name:  "another order",
			live:  []schema.Index{primary, name, btree("any2", false, column("name"), column("id"))},
			extra: []string{"any2: (name, id)"}, codes: []string{convert.CodeIndexExtra},
		},
		{
			name:  "absent index and key",
			live:  nil,
			codes: []string{convert.CodeIndexAbsent, convert.CodeIndexAbsent},
		},
		{
			name: "another primary key",
			live: []schema.Index{{Name: "PRIMARY", Primary: true, Unique: true, Method: "btree", Parts: on(column("name"), column("id"))}, name},
			// The declared one is the primary key; what else was unique stays so.
			extra: []string{"mdl_t_namid_uix: (name, id)"}, codes: []string{convert.CodeIndexAbsent, convert.CodeIndexExtra},
		},
		{
			name:  "a name that a declared index has",
			live:  []schema.Index{primary, name, btree("mdl_t_nam_ix", false, column("id"), column("name"))},
			extra: []string{"mdl_t_idnam_ix: (id, name)"}, codes: []string{convert.CodeIndexRenamed, convert.CodeIndexExtra},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			source := liveT()
			source.Indexes = tc.live
			declared := declaredT()
			plan, findings := convert.Target(declared, liveSchema(source), convert.TargetOptions{Prefix: "mdl_"})
			var extra []string
			for _, x := range plan.Tables[0].Target.Indexes {
				if declared.Tables[0].PrimaryKey().Name == x.Name || x.Name == "mdl_t_nam_ix" || x.Name == "mdl_t_nam_ix_pattern" {
					continue
				}
				text := x.Name + ": ("
				for i, p := range x.Parts {
					if i > 0 {
						text += ", "
					}
					text += p.Column + p.Expression
				}
				extra = append(extra, text+")")
			}
			if diff := cmp.Diff(tc.extra, extra); diff != "" {
				t.Errorf("extra indexes (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.codes, codes(findings)); diff != "" {
				t.Errorf("codes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTargetTables(t *testing.T) {
	extra := liveTable("mdl_Old-Copy 2", col("id", "int"))
	foreign := liveTable("wp_posts", col("id", "int"))
	upper := liveT()
	upper.Name = "MDL_T"
	for _, tc := range []struct {
		name  string
		live  schema.Schema
		opts  convert.TargetOptions
		want  []string // "source > target"
		codes []string
	}{
		{
			name: "declared and extra", live: liveSchema(liveT(), extra),
			want:  []string{"mdl_Old-Copy 2 > mdl_Old-Copy 2", "mdl_t > mdl_t declared"},
			codes: []string{convert.CodeTableExtra},
		},
		{
			name: "case of names", live: liveSchema(upper),
			want: []string{"MDL_T > mdl_t declared"},
		},
		{
			name: "the exact name wins", live: liveSchema(upper, liveT()),
			want:  []string{"MDL_T > MDL_T", "mdl_t > mdl_t declared"},
			codes: []string{convert.CodeTableExtra},
		},
		{
			name: "absent, and made", live: liveSchema(),
			want: []string{"- > mdl_t declared"}, codes: []string{convert.CodeTableAbsent},
		},
		{
			name: "absent, and not made", live: liveSchema(),
			opts:  convert.TargetOptions{Create: func(schema.Table) bool { return false }},
			codes: []string{convert.CodeTableAbsent},
		},
		{
			name: "another prefix", live: liveSchema(liveT(), foreign),
			want: []string{"mdl_t > mdl_t declared"}, codes: []string{convert.CodeOtherPrefix},
		},
		{
			name: "another prefix, wanted", live: liveSchema(liveT(), foreign), opts: convert.TargetOptions{OtherPrefix: true},
			want: []string{"mdl_t > mdl_t declared", "wp_posts > wp_posts"}, codes: []string{convert.CodeTableExtra},
		},
		{
			name: "not included", live: liveSchema(liveT(), extra, foreign),
			opts: convert.TargetOptions{Include: func(name string) bool { return name == "mdl_t" }},
			want: []string{"mdl_t > mdl_t declared"},
		},
		{
			name: "views and sequences",
			live: schema.Schema{Tables: []schema.Table{liveT()}, Views: []schema.View{{Name: "mdl_v"}}, Sequences: []schema.Sequence{{Name: "mdl_s"}}},
			want: []string{"mdl_t > mdl_t declared"}, codes: []string{convert.CodeSequence, convert.CodeView},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.opts.Prefix = "mdl_"
			plan, findings := convert.Target(declaredT(), tc.live, tc.opts)
			var got []string
			for _, table := range plan.Tables {
				text := "-"
				if table.Source != nil {
					text = table.Source.Name
				}
				text += " > " + table.Target.Name
				if table.Declared {
					text += " declared"
				}
				if !table.Create {
					text += " exists"
				}
				got = append(got, text)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("tables (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.codes, codes(findings)); diff != "" {
				t.Errorf("codes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTargetAmbiguousTable(t *testing.T) {
	a, b := liveT(), liveT()
	a.Name, b.Name = "MDL_T", "Mdl_t"
	_, findings := convert.Target(declaredT(), liveSchema(a, b), convert.TargetOptions{Prefix: "mdl_"})
	for _, f := range findings {
		if f.Code == convert.CodeTableAmbiguous && f.Severity == convert.Error {
			return
		}
	}
	t.Errorf("no error about two tables of one name: %v", codes(findings))
}

// TestTargetNamesAreUnique gives the source tables that are called as the
// declared table's sequence and index.
func TestTargetNamesAreUnique(t *testing.T) {
	sequence := liveTable("mdl_t_id_seq", schema.Column{Name: "id", Type: typed("int"), AutoIncrement: true})
	index := liveTable("mdl_t_nam_ix", col("id", "int"))
	index.Indexes = []schema.Index{{Name: "mdl_t_id_pk", Method: "btree", Parts: on(column("id"))}}
	declared := declaredT()
	plan, findings := convert.Target(declared, liveSchema(liveT(), sequence, index), convert.TargetOptions{Prefix: "mdl_"})
	seen := map[string]bool{}
	take := func(name string) {
		if seen[name] {
			t.Errorf("the name %q is there twice", name)
		}
		seen[name] = true
	}
	for _, table := range plan.Tables {
		take(table.Target.Name)
		for _, x := range table.Target.Indexes {
			take(x.Name)
		}
		for _, c := range table.Target.Columns {
			if c.Sequence != "" {
				take(c.Sequence)
			}
		}
	}
	if got := plan.Table("mdl_t").Target.Columns[0].Sequence; got != "mdl_t_id_seq1" {
		t.Errorf("the sequence is called %q, PostgreSQL would call it mdl_t_id_seq1", got)
	}
	want := []string{
		convert.CodeSequenceRenamed, convert.CodeIndexRenamed, convert.CodeTableExtra, convert.CodeTableExtra, convert.CodeIndexRenamed,
	}
	if diff := cmp.Diff(want, codes(findings)); diff != "" {
		t.Errorf("codes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(declaredT(), declared); diff != "" {
		t.Errorf("the declared schema was changed:\n%s", diff)
	}
}
