package arch

import (
	"go/ast"
	"slices"
	"strings"
	"testing"
)

// layers gives every package of the module its layer. A package imports only
// packages of lower layers, and those of its own layer that allowed names.
func layers() map[string]int {
	return map[string]int{
		"schema":              0,
		"testdata/site":       0,
		"xmldb":               1,
		"configphp":           1,
		"dsn":                 1,
		"fingerprint":         1,
		"convert":             2,
		"diff":                2,
		"ignore":              3,
		"mysql":               3,
		"postgres":            3,
		"internal/throwaway":  3,
		"copy":                4,
		"ownership":           4,
		"precheck":            4,
		"recheck":             4,
		"verify":              4,
		"drift":               4,
		"proof":               5,
		"migrate":             5,
		"report":              6,
		"internal/benchsite":  6,
		"cmd/moodledb":        7,
		"cmd/benchsite":       7,
		"internal/arch":       testsOnly,
		"internal/samplesite": testsOnly,
		"internal/testdb":     testsOnly,
		"ci":                  testsOnly,
		"integration":         testsOnly,

		"integration/diffing":      testsOnly,
		"integration/killing":      testsOnly,
		"integration/losing":       testsOnly,
		"integration/resuming":     testsOnly,
		"integration/verifying":    testsOnly,
		"integration/internal/rig": testsOnly,
	}
}

// testsOnly is the layer of packages that only tests may import.
const testsOnly = 100

// allowed names the imports within a layer.
func allowed(from, to string) bool {
	switch from {
	case "dsn":
		return to == "configphp"
	case "recheck": // it compares another way with that of copy, by the means of verify
		return to == "copy" || to == "verify"
	case "integration/internal/rig":
		return to == "internal/testdb"
	}
	if from == "integration" || strings.HasPrefix(from, "integration/") {
		return to == "internal/testdb" || to == "integration/internal/rig"
	}
	return false
}

func TestEveryPackageHasALayer(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range load(t) {
		if _, ok := layers()[f.dir]; !ok && !seen[f.dir] {
			t.Errorf("package %s has no layer: add it to layers() in this test and to docs/ARCHITECTURE.md", f.dir)
		}
		seen[f.dir] = true
	}
}

func TestImportsGoDown(t *testing.T) {
	for _, f := range load(t) {
		for _, to := range f.internalImports() {
			if problem := checkImport(f.dir, to, f.test); problem != "" {
				t.Errorf("%s: %s", f.path, problem)
			}
		}
	}
}

// checkImport says what is wrong with an import inside the module; "" when nothing is.
func checkImport(from, to string, test bool) string {
	fromLayer, ok := layers()[from]
	if !ok {
		return "package " + from + " has no layer"
	}
	toLayer, ok := layers()[to]
	switch {
	case !ok:
		return "imports " + to + ", which has no layer"
	case from == to:
		return "" // an external test package
	case toLayer == testsOnly && test:
		return ""
	case toLayer == testsOnly && fromLayer != testsOnly:
		return "imports " + to + ", which is for tests only"
	case isDialect(from) && isDialect(to):
		return "imports " + to + ": the two dialects never see each other"
	case toLayer < fromLayer, allowed(from, to):
		return ""
	case test && to == "testdata/site":
		return ""
	case test && from == "diff" && to == "convert":
		return "" // what is declared is compared with itself
	default:
		return "imports " + to + ", which is not in a lower layer"
	}
}

func isDialect(pkg string) bool { return pkg == "mysql" || pkg == "postgres" }

func TestCheckImport(t *testing.T) {
	for _, tc := range []struct {
		name     string
		from, to string
		test     bool
		want     string
	}{
		{"down", "convert", "xmldb", false, ""},
		{"up", "xmldb", "convert", false, "not in a lower layer"},
		{"sideways", "copy", "ownership", false, "not in a lower layer"},
		{"sideways where it is allowed", "dsn", "configphp", false, ""},
		{"dialects", "mysql", "postgres", false, "never see each other"},
		{"dialects in tests", "postgres", "mysql", true, "never see each other"},
		{"unknown importer", "util", "schema", false, "has no layer"},
		{"unknown import", "mysql", "util", false, "has no layer"},
		{"test servers in a test", "mysql", "internal/testdb", true, ""},
		{"test servers in a library", "mysql", "internal/testdb", false, "for tests only"},
		{"a test looks upward", "mysql", "migrate", true, "not in a lower layer"},
		{"what is declared, in tests of diff", "diff", "convert", true, ""},
		{"what is declared, in diff", "diff", "convert", false, "not in a lower layer"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := checkImport(tc.from, tc.to, tc.test)
			if (tc.want == "") != (got == "") || !strings.Contains(got, tc.want) {
				t.Errorf("checkImport(%q, %q, %v) = %q, want %q in it", tc.from, tc.to, tc.test, got, tc.want)
			}
		})
	}
}

// Package copy hides the builtin where it is imported. An alias would only
// make its files differ from each other.
func TestCopyIsNotAliased(t *testing.T) {
	for _, f := range load(t) {
		if name, ok := f.imports()[module+"/copy"]; ok && name != "" {
			t.Errorf("%s imports package copy as %s: keep its name", f.path, name)
		}
	}
}

// testcontainers pulls in some ninety modules; who only uses the tool never compiles them.
func TestContainersOnlyInIntegration(t *testing.T) {
	for _, f := range load(t) {
		for p := range f.imports() {
			container := strings.HasPrefix(p, "github.com/testcontainers/") || strings.HasPrefix(p, "github.com/moby/")
			if container && !f.needs("integration") {
				t.Errorf("%s imports %s without //go:build integration", f.path, p)
			}
		}
	}
}

func TestMainOnlyInCmd(t *testing.T) {
	for _, f := range load(t) {
		if f.syntax.Name.Name == "main" && !strings.HasPrefix(f.dir, "cmd/") {
			t.Errorf("%s is package main outside of cmd", f.path)
		}
	}
}

func TestNoVaguePackages(t *testing.T) {
	for _, f := range load(t) {
		for _, part := range strings.Split(f.dir, "/") {
			if slices.Contains([]string{"util", "utils", "common", "helpers", "types", "base"}, part) {
				t.Errorf("%s: name the package after what it holds, not %q", f.dir, part)
			}
		}
	}
}

// Libraries return errors and send events; only cmd talks and exits.
func TestLibrariesAreSilent(t *testing.T) {
	for _, f := range load(t) {
		if f.test || strings.HasPrefix(f.dir, "cmd/") || layers()[f.dir] == testsOnly {
			continue
		}
		if _, ok := f.imports()["log"]; ok {
			t.Errorf("%s imports log: return errors, send events", f.path)
		}
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			if name, ok := selector(n); ok && slices.Contains(loud(), name) {
				t.Errorf("%s: %s in a library", f.at(n), name)
			}
			return true
		})
	}
}

// loud lists what talks or exits.
func loud() []string {
	return []string{"os.Exit", "os.Stdout", "os.Stderr", "fmt.Print", "fmt.Printf", "fmt.Println"}
}

// selector returns a node of the form pkg.Name as a string.
func selector(n ast.Node) (string, bool) {
	sel, ok := n.(*ast.SelectorExpr)
	if !ok {
		return "", false
	}
	pkg, ok := sel.X.(*ast.Ident)
	if !ok {
		return "", false
	}
	return pkg.Name + "." + sel.Sel.Name, true
}

func TestNoInitFunctions(t *testing.T) {
	for _, f := range load(t) {
		for _, d := range f.syntax.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s: no init functions: lists are functions, and state is passed", f.at(d))
			}
		}
	}
}

// context.Background below main would cut a call off from Ctrl-C. Only what ends
// things must work after its context has ended, and takes none.
func TestNoBackgroundContext(t *testing.T) {
	for _, f := range load(t) {
		if f.test || strings.HasPrefix(f.dir, "cmd/") || layers()[f.dir] == testsOnly {
			continue
		}
		for _, d := range f.syntax.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && slices.Contains([]string{"close", "release", "stop"}, strings.ToLower(fn.Name.Name)) {
				continue
			}
			ast.Inspect(d, func(n ast.Node) bool {
				if name, ok := selector(n); ok && (name == "context.Background" || name == "context.TODO") {
					t.Errorf("%s: %s in a library: take ctx, or use context.WithoutCancel to clean up", f.at(n), name)
				}
				return true
			})
		}
	}
}
