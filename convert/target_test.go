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
