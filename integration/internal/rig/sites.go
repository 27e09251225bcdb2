//go:build integration

package rig

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/moodledb/moodledb/testdata/site"
	"github.com/moodledb/moodledb/xmldb"
)

// Site is a site that whole migrations are tested with.
type Site struct {
	Name string
	Code func(t *testing.T) *xmldb.Site
	Load func(t *testing.T, p *Pair)
	// Native is a pg_dump of the schema that Moodle's own installer made of the
	// same code; empty when there is none.
	Native string
}

// Sites are the bundled site and, where MOODLEDB_TEST_SITE names its
// directory, a real one, which cannot be part of this repository.
func Sites() []Site {
	all := []Site{{
		Name: "sample", Code: SampleCode,
		Load: func(t *testing.T, p *Pair) { p.LoadSample(t) },
	}}
	if dir := os.Getenv("MOODLEDB_TEST_SITE"); dir != "" {
		all = append(all, Site{
			Name: "real", Code: func(t *testing.T) *xmldb.Site { return LoadCode(t, filepath.Join(dir, "code")) },
			Load:   func(t *testing.T, p *Pair) { p.SourceServer.Load(t, p.SourceURL, filepath.Join(dir, "site.sql.gz")) },
			Native: filepath.Join(dir, "native-postgres.sql.gz"),
		})
	}
	return all
}

// SampleCode writes the bundled site's code tree and loads it.
func SampleCode(t *testing.T) *xmldb.Site {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "code"), site.Code()); err != nil {
		t.Fatal(err)
	}
	return LoadCode(t, filepath.Join(dir, "code"))
}

// LoadCode reads a code tree.
func LoadCode(t *testing.T, dir string) *xmldb.Site {
	t.Helper()
	s, err := xmldb.Load(dir, xmldb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// LoadSample fills a source with the bundled site.
func (p *Pair) LoadSample(t *testing.T) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "site.sql")
	if err := os.WriteFile(file, []byte(site.SQL()), 0o600); err != nil {
		t.Fatal(err)
	}
	p.SourceServer.Load(t, p.SourceURL, file)
}
