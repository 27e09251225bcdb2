package arch

import (
	"go/ast"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/moodledb/moodledb"

// file is one Go source file of the module, whatever its build tags are.
type file struct {
	// path is relative to the module's root, with slashes.
	path string
	// dir is the package's directory, relative as well.
	dir        string
	test       bool
	constraint constraint.Expr
	syntax     *ast.File
	fset       *token.FileSet
}

// at gives the place of a node, for messages.
func (f file) at(n ast.Node) string {
	return f.path + ":" + strconv.Itoa(f.fset.Position(n.Pos()).Line)
}

// imports returns the paths that f imports, with the name that f gives them ("" for none).
func (f file) imports() map[string]string {
	out := map[string]string{}
	for _, spec := range f.syntax.Imports {
		name := ""
		if spec.Name != nil {
			name = spec.Name.Name
		}
		if p, err := strconv.Unquote(spec.Path.Value); err == nil {
			out[p] = name
		}
	}
	return out
}

// needs reports whether f is compiled only when the build tag is set.
func (f file) needs(tag string) bool {
	if f.constraint == nil {
		return false
	}
	every := func(string) bool { return true }
	without := func(t string) bool { return t != tag }
	return f.constraint.Eval(every) && !f.constraint.Eval(without)
}

// load parses every Go file below the module's root. It does not ask the go
// command, which would leave out files whose build tags are not set.
func load(t *testing.T) []file {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	var files []file
	err = filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if base := d.Name(); name != root && (base[0] == '.' || base[0] == '_' || base == "vendor" || isOtherModule(name)) {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		f, err := parse(name, filepath.ToSlash(rel))
		if err != nil {
			return err
		}
		files = append(files, f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatal("no Go files found")
	}
	return files
}

func isOtherModule(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}

func parse(name, rel string) (file, error) {
	fset := token.NewFileSet()
	syntax, err := parser.ParseFile(fset, name, nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return file{}, err
	}
	f := file{
		path: rel, dir: path.Dir(rel), test: strings.HasSuffix(rel, "_test.go"), syntax: syntax, fset: fset,
	}
	for _, group := range syntax.Comments {
		for _, c := range group.List {
			if c.Pos() < syntax.Package && constraint.IsGoBuild(c.Text) {
				if f.constraint, err = constraint.Parse(c.Text); err != nil {
					return file{}, err
				}
			}
		}
	}
	return f, nil
}

// internalImports returns the packages of this module that f imports, as directories.
func (f file) internalImports() []string {
	var out []string
	for p := range f.imports() {
		if rest, ok := strings.CutPrefix(p, module); ok && (rest == "" || rest[0] == '/') {
			out = append(out, strings.TrimPrefix(rest, "/"))
		}
	}
	slices.Sort(out)
	return out
}
