//go:build integration

package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// addPlugin adds a plugin with its tables to a tiny site's code.
func addPlugin(t *testing.T, root, dir string, tables ...string) {
	t.Helper()
	text := fmt.Sprintf("<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n<XMLDB PATH=%q VERSION=\"1\" COMMENT=\"plugin\"><TABLES>%s</TABLES></XMLDB>",
		dir+"/db", strings.Join(tables, "\n"))
	file := filepath.Join(root, filepath.FromSlash(dir), "db", "install.xml")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
