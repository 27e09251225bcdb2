package diff_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/diff"
	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/testdata/site"
	"github.com/moodledb/moodledb/xmldb"
)

// codeTrees are the code of the sample site and, where MOODLEDB_TEST_SITE names a
// directory with the tree code/, that of a real one.
func codeTrees(tb testing.TB) map[string]*xmldb.Site {
	tb.Helper()
	dir := tb.TempDir()
	if err := os.CopyFS(dir, site.Code()); err != nil {
		tb.Fatal(err)
	}
	trees := map[string]string{"sample": dir}
	if real := os.Getenv("MOODLEDB_TEST_SITE"); real != "" {
		trees["real"] = filepath.Join(real, "code")
	}
	sites := map[string]*xmldb.Site{}
	for name, root := range trees {
		s, err := xmldb.Load(root, xmldb.Options{})
		if err != nil {
			tb.Fatal(err)
		}
		sites[name] = s
	}
	return sites
}

// TestDeclaredIsLikeItself finds no change between a schema and a copy of it;
// what install.xml declares twice is said once for each.
func TestDeclaredIsLikeItself(t *testing.T) {
	for name, s := range codeTrees(t) {
		for _, engine := range []schema.Engine{schema.MySQL, schema.MariaDB, schema.Postgres} {
			t.Run(name+"/"+string(engine), func(t *testing.T) {
				want, _ := convert.Declared(s, convert.DeclaredOptions{Engine: engine, Prefix: "mdl_"})
				have, _ := convert.Declared(s, convert.DeclaredOptions{Engine: engine, Prefix: "mdl_"})
				if len(want.Tables) == 0 {
					t.Fatal("nothing is declared")
				}
				for _, declared := range []bool{true, false} {
					for _, c := range diff.Schemas(&want, &have, diff.Options{Prefix: "mdl_", Declared: declared, Product: s.Product}) {
						if c.Code != diff.DefinitionDuplicate {
							t.Errorf("declared %t: %s %s %s: %s", declared, c.Code, c.Table, c.Object, c.Message)
						}
					}
				}
			})
		}
	}
}

// TestEmptySchemas is a database without any table, on either side.
func TestEmptySchemas(t *testing.T) {
	for name, s := range codeTrees(t) {
		for _, engine := range []schema.Engine{schema.MySQL, schema.MariaDB, schema.Postgres} {
			all, _ := convert.Declared(s, convert.DeclaredOptions{Engine: engine, Prefix: "mdl_"})
			none := schema.Schema{Engine: engine}
			missing := 0
			for _, c := range diff.Schemas(&all, &none, diff.Options{Prefix: "mdl_", Declared: true, Product: s.Product}) {
				if c.Code == diff.TableMissing {
					missing++
				} else if c.Code != diff.DefinitionDuplicate {
					t.Errorf("%s, %s: %s %s %s", name, engine, c.Code, c.Table, c.Object)
				}
			}
			if missing != len(all.Tables) {
				t.Errorf("%s, %s: %d of %d tables are missing", name, engine, missing, len(all.Tables))
			}
			for _, c := range diff.Schemas(&none, &all, diff.Options{Prefix: "mdl_"}) {
				if c.Code != diff.TableExtra && c.Code != diff.TableLeftover {
					t.Errorf("%s, %s: %s %s %s", name, engine, c.Code, c.Table, c.Object)
				}
			}
		}
	}
}

func BenchmarkSchemas(b *testing.B) {
	for name, s := range codeTrees(b) {
		for _, engine := range []schema.Engine{schema.MariaDB, schema.Postgres} {
			b.Run(name+"/"+string(engine), func(b *testing.B) {
				want, _ := convert.Declared(s, convert.DeclaredOptions{Engine: engine, Prefix: "mdl_"})
				have, _ := convert.Declared(s, convert.DeclaredOptions{Engine: engine, Prefix: "mdl_"})
				b.ReportAllocs()
				for b.Loop() {
					diff.Schemas(&want, &have, diff.Options{Prefix: "mdl_", Declared: true, Product: s.Product})
				}
				b.ReportMetric(float64(len(want.Tables)), "tables")
			})
		}
	}
}
