//go:build integration

package mysql_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/schema"
)

// Whatever a database holds is read, and named by what it is.
func TestOddDatabase(t *testing.T) {
	for _, name := range testdb.Sources() {
		t.Run(name, func(t *testing.T) {
			server := testdb.Get(t, name)
			url := server.Database(t)
			all := append(statements(t, "odd"), statements(t, "odd-"+string(server.Engine))...)
			if name == "mariadb-11.8" {
				all = append(all, statements(t, "odd-mariadb-11.8")...)
			}
			server.Exec(t, url, append([]string{"SET NAMES utf8mb4"}, all...)...)
			db := open(t, url)
			got, err := db.Inspect(t.Context(), mysql.InspectOptions{})
			if err != nil {
				t.Fatal(err)
			}
			t.Run("types", func(t *testing.T) { testOddTypes(t, &got) })
			t.Run("tables", func(t *testing.T) { testOddTables(t, &got) })
			t.Run("indexes", func(t *testing.T) { testOddIndexes(t, &got) })
			t.Run("triggers", func(t *testing.T) { testOddTriggers(t, &got) })
			t.Run("highest ids", func(t *testing.T) {
				if err := db.ReadHighest(t.Context(), &got); err != nil {
					t.Fatal(err)
				}
				for table, known := range map[string]bool{"odd_types": true, "Weird `table` it's \"100%\" ; --": true, "by_range": true, "my": false, "merged_broken": false} {
					for _, c := range got.Table(table).Columns {
						if c.AutoIncrement && c.HighestKnown != known {
							t.Errorf("table %q: column %q is known: %t", table, c.Name, c.HighestKnown)
						}
					}
				}
			})
			if server.Engine == schema.MariaDB {
				testOddSequences(t, &got, name == "mariadb-11.8")
			}
		})
	}
}

func testOddTypes(t *testing.T, s *schema.Schema) {
	t.Helper()
	types := s.Table("odd_types")
	for column, want := range map[string]schema.Type{
		"j": {Name: "json"}, "g": {Name: "geometry"}, "gc": {Name: "geometrycollection"},
		"s":  {Name: "set", Values: []string{"x", "y'z", "("}},
		"b1": {Name: "bit", Length: 1}, "b64": {Name: "bit", Length: 64}, "y": {Name: "year"},
		"t": {Name: "time", Precision: 6}, "d": {Name: "decimal", Precision: 65, Scale: 30}, "cb": {Name: "binary", Length: 5},
	} {
		c := types.Column(column)
		if c == nil {
			t.Errorf("column %q is not there", column)
			continue
		}
		c.Type.Raw = ""
		if diff := cmp.Diff(want, c.Type); diff != "" {
			t.Errorf("column %q (-want +got):\n%s", column, diff)
		}
	}
	if c := types.Column("Weird `column` ☃ it's 100% ; --"); c == nil || c.Default != schema.Literal("3") || c.Comment != "it's ? \"x\" \\ \n ☃" {
		t.Errorf("a column with a weird name: %+v", c)
	}
	if c := types.Column("vg"); c.Generated != schema.GeneratedVirtual || c.Expression != "`hidden` * 2" {
		t.Errorf("virtual column: %+v", c)
	}
	if c := types.Column("sg"); c.Generated != schema.GeneratedStored {
		t.Errorf("stored column: %+v", c)
	}
	if !types.Column("hidden").Invisible || types.Column("vc").Invisible {
		t.Error("not the column that is invisible is")
	}
	for table, column := range map[string]string{"maria_types": "u uuid,i6 inet6,i4 inet4,jc longtext,c text", "vectors": "v vector"} {
		found := s.Table(table)
		for want := range strings.SplitSeq(column, ",") {
			name, kind, _ := strings.Cut(want, " ")
			if found != nil && found.Column(name).Type.Name != kind {
				t.Errorf("table %q: column %q: %+v", table, name, found.Column(name))
			}
		}
	}
}

func testOddTables(t *testing.T, s *schema.Schema) {
	t.Helper()
	type kind struct{ Partitioned, SystemVersioned bool }
	for name, want := range map[string]kind{
		"by_range": {Partitioned: true}, "by_columns": {Partitioned: true}, "by_key": {Partitioned: true},
		"history": {SystemVersioned: true}, "history_parts": {Partitioned: true, SystemVersioned: true}, "parent": {},
	} {
		table := s.Table(name)
		if table == nil && want.SystemVersioned && s.Engine == schema.MySQL {
			continue
		}
		if have := (kind{table.Partitioned, table.SystemVersioned}); have != want {
			t.Errorf("table %q is %+v, want %+v", name, have, want)
		}
	}
	for name, engine := range map[string]string{"my": "MyISAM", "mem": "MEMORY", "comma": "CSV"} {
		if got := s.Table(name).StorageEngine; got != engine {
			t.Errorf("table %q is of engine %q", name, got)
		}
	}
	broken := s.Table("merged_broken")
	if broken == nil || !strings.Contains(broken.Comment, "Unable to open") || broken.Column("a") == nil {
		t.Errorf("a table that the server cannot open: %+v", broken)
	}
	if s.Table("Überprüfung").Column("spälte") == nil {
		t.Error("a table with umlauts has no columns")
	}
	var views []string
	for _, v := range s.Views {
		views = append(views, v.Name)
	}
	if diff := cmp.Diff([]string{"abandoned", "broken", "broken_twice", "sound"}, views); diff != "" {
		t.Errorf("views (-want +got):\n%s", diff)
	}
	if fk := s.Table("orphan").ForeignKeys; len(fk) != 1 || fk[0].RefTable != "never_there" {
		t.Errorf("a foreign key to nowhere: %+v", fk)
	}
	if ck := s.Table("checked").Checks; len(ck) != 3 {
		t.Errorf("checks: %+v", ck)
	}
}

func testOddIndexes(t *testing.T, s *schema.Schema) {
	t.Helper()
	words := s.Table("words")
	for i := range words.Indexes {
		switch x := &words.Indexes[i]; x.Name {
		case "ab_ft":
			if x.Method != "fulltext" || len(x.Parts) != 2 {
				t.Errorf("full text: %+v", x)
			}
		case "a_prefix":
			if x.Parts[0].Prefix != 3 || x.Parts[0].Descending {
				t.Errorf("prefix: %+v", x)
			}
		case "b_prefix":
			if x.Parts[0].Prefix != 7 || !x.Parts[0].Descending {
				t.Errorf("descending prefix: %+v", x)
			}
		default:
			t.Errorf("unexpected index %+v", x)
		}
	}
	if f := s.Table("functional"); f != nil {
		for i := range f.Indexes {
			x := &f.Indexes[i]
			if (x.Name == "hid") != x.Invisible || (x.Name == "hid") != (x.Parts[0].Expression == "") {
				t.Errorf("index %+v", x)
			}
		}
	}
}

func testOddTriggers(t *testing.T, s *schema.Schema) {
	t.Helper()
	want := []schema.Trigger{
		{Name: "Weird `trigger`", Event: "before insert"},
		{Name: "after_delete", Event: "after delete"},
		{Name: "an_update", Event: "after update"},
		{Name: "first_one", Event: "before insert"},
	}
	if diff := cmp.Diff(want, s.Table("triggered").Triggers); diff != "" {
		t.Errorf("triggers (-want +got):\n%s", diff)
	}
}

func testOddSequences(t *testing.T, s *schema.Schema, typed bool) {
	t.Helper()
	type sequence struct{ start, increment, least, most int64 }
	got := map[string]sequence{}
	for _, q := range s.Sequences {
		got[q.Name] = sequence{q.Start, q.Increment, q.Min, q.Max}
	}
	const most = 1<<63 - 1
	want := map[string]sequence{"numbers": {-5, -2, -100, -1}, "Weird `sequence` 100%": {1, 1, 1, most - 1}}
	if typed {
		want["unsigned_numbers"] = sequence{1, 1, 1, most} // as far as an int64 goes
		want["tiny_numbers"] = sequence{1, 1, 1, 100}
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(sequence{})); diff != "" {
		t.Errorf("sequences (-want +got):\n%s", diff)
	}
}
