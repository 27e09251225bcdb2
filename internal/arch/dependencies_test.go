package arch

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Every module that the code imports has its licence and its reason on a page.
func TestDependenciesAreExplained(t *testing.T) {
	const name = "../../docs/adr/0008-dependencies.md"
	page, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	explained := regexp.MustCompile(`[a-z0-9.-]+\.[a-z]+/[A-Za-z0-9./_-]*[A-Za-z0-9]`).FindAllString(string(page), -1)
	missing := map[string]bool{}
	for _, f := range load(t) {
		for p := range f.imports() {
			host, _, _ := strings.Cut(p, "/")
			if !strings.Contains(host, ".") || p == module || strings.HasPrefix(p, module+"/") || missing[p] {
				continue // of the standard library, our own, or said already
			}
			if !slices.ContainsFunc(explained, func(m string) bool { return p == m || strings.HasPrefix(p, m+"/") }) {
				missing[p] = true
				t.Errorf("%s imports %s: give its module a line in docs/adr/0008-dependencies.md", f.path, p)
			}
		}
	}
}
