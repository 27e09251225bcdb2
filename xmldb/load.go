package xmldb

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// ErrNotSite is the error of [Load] for a directory that does not hold the
// code of a Moodle or Totara site.
var ErrNotSite = errors.New("not the code of a Moodle or Totara site")

// Options change how [Load] reads a site. The zero value reads it as it is.
type Options struct {
	// Product is found out when empty.
	Product Product
	// Limits are those of the site's version when nil.
	Limits *Limits
	// Admin is $CFG->admin, for sites that renamed the directory admin. When it is
	// empty the directory is looked for.
	Admin string
}

// Load reads the site whose code is under root: the directory of config.php, or
// that of the code itself (public/ or server/).
//
// The error is not nil only when root is no site at all, and then wraps
// [ErrNotSite] or says why root cannot be read. Everything else that is wrong is
// a [Finding], and the rest of the tree is loaded.
func Load(root string, opts Options) (*Site, error) {
	switch opts.Product {
	case "", Moodle, Totara:
	default:
		return nil, fmt.Errorf("load %s: unknown product %q; it is %s or %s", root, opts.Product, Moodle, Totara)
	}
	site, components, err := detect(root)
	if err != nil {
		return nil, err
	}
	f := &finder{site: site, admin: opts.Admin, subsystems: map[string]bool{}, listed: map[string][]plugin{}}
	f.readVersion(opts.Product)
	site.Limits = LimitsFor(site.Product, site.Branch)
	if opts.Limits != nil {
		site.Limits = *opts.Limits
	}
	f.findAdmin()
	if components != "" {
		f.components(components)
	} else {
		f.hardcoded()
	}
	f.completeTypes()
	f.reportInvalidNames()
	f.loadFiles()
	site.crossCheck()
	sortFindings(site.Findings)
	return site, nil
}

// detect finds out where the code is. components is the path of components.json
// relative to dirroot; it is empty where the code itself lists its plugin types.
func detect(root string) (site *Site, components string, err error) {
	info, err := os.Stat(root)
	if err != nil {
		return nil, "", fmt.Errorf("load site: %w", err)
	}
	if !info.IsDir() {
		return nil, "", fmt.Errorf("load site: %s is not a directory: %w", root, ErrNotSite)
	}
	root = filepath.Clean(root)
	for _, l := range []struct{ dirRoot, components string }{
		{"public", "../lib/components.json"}, // Moodle 5.2 and later
		{"public", "lib/components.json"},    // Moodle 5.1
		{".", "lib/components.json"},         // Moodle up to 5.0, or public/ of 5.1
		{".", "../lib/components.json"},      // public/ of Moodle 5.2 and later
	} {
		dir := filepath.Join(root, l.dirRoot)
		if isFile(filepath.Join(dir, l.components)) && (l.components == "lib/components.json" || hasCore(dir)) {
			return &Site{Root: root, DirRoot: dir}, l.components, nil
		}
	}
	// Other software has a server/version.php too, but no lib/db/install.xml beside it.
	for _, sub := range []string{"server", "."} {
		dir := filepath.Join(root, sub)
		if isFile(filepath.Join(dir, "version.php")) && hasCore(dir) {
			return &Site{Root: root, DirRoot: dir}, "", nil
		}
	}
	return nil, "", fmt.Errorf("load site: %s has neither lib/components.json nor public/lib/components.json (Moodle), "+
		"nor version.php with lib/db/install.xml here or in server/ (Totara); give the directory that holds config.php: %w", root, ErrNotSite)
}

// coreFile declares the tables of core.
const coreFile = "lib/db/install.xml"

func hasCore(dirRoot string) bool { return isFile(filepath.Join(dirRoot, coreFile)) }

// readVersion reads version.php into the site; product, when not empty, wins
// over what the file says.
func (f *finder) readVersion(product Product) {
	s := f.site
	s.Product = Moodle
	if isFile(f.abs("version.php")) {
		if src, ok := f.read("version.php", "core"); ok {
			v := readVersion(string(src))
			s.Version, s.Release, s.Branch = v.version, v.release, v.branch
			if v.totara {
				s.Product = Totara
			}
			for _, u := range v.unread {
				f.find(Warning, "version-unreadable", "version.php", u.line, "core",
					"nothing to do unless tables are missing", "%s is not a literal and is not read", u.name)
			}
		}
	}
	if product != "" && product != s.Product {
		s.Product, s.Branch = product, 0
	}
	if s.Branch == 0 {
		f.find(Info, "version-unknown", "version.php", 0, "core", "give the complete code of the site to have the limits of its version",
			"the version of the site is not known; the limits and rules of the newest %s are used", s.Product)
	}
}

// findAdmin finds $CFG->admin: the directory with tool/ in it, if admin/ is not there.
func (f *finder) findAdmin() {
	if f.admin != "" {
		return
	}
	f.admin = "admin"
	if isDir(f.abs("admin")) {
		return
	}
	entries, err := os.ReadDir(f.site.DirRoot)
	if err != nil {
		return
	}
	for _, e := range entries {
		// Both are in the admin directory of every version and in no other.
		name := e.Name()
		if isDir(f.abs(name+"/tool")) && isFile(f.abs(name+"/cli/install_database.php")) {
			f.admin = name
			f.find(Info, "admin-renamed", name, 0, "core", "", "the directory %q is taken for $CFG->admin", name)
			return
		}
	}
}

// components reads components.json. Its paths begin at dirroot, but from Moodle
// 5.2 on, when the file moved out of public/, at the directory above.
func (f *finder) components(file string) {
	src, ok := f.read(file, "core")
	if !ok {
		return
	}
	maps, err := decodeMaps(src)
	if err == nil && len(maps["plugintypes"]) == 0 {
		err = errors.New("it has no key plugintypes")
	}
	if err != nil {
		f.find(Error, "components-json", file, 0, "core", "restore the file from the release of the site; no plugin is found until then",
			"components.json is not valid: %v", err)
		return
	}
	for _, e := range maps["subsystems"] {
		f.subsystems[e.Name] = true
	}
	f.supports = []string{"mod", "editor", "tool", "local"}
	for _, key := range []string{"plugintypes", "deprecatedplugintypes", "deletedplugintypes"} {
		for _, e := range maps[key] {
			f.addType(pluginType{
				name: e.Name, dir: f.renameAdmin(strings.TrimPrefix(e.Path, "public/")),
				deprecated: key != "plugintypes",
			})
		}
	}
}

// loadFiles reads the install.xml of core and then of all plugins.
func (f *finder) loadFiles() {
	if isFile(f.abs(coreFile)) {
		f.loadFile(coreFile, plugin{component: "core", dir: "lib"})
	} else {
		f.find(Error, "core-missing", coreFile, 0, "core", "give the complete code of the site", "the install.xml of core is missing")
	}
	f.site.Components = []string{"core"}
	defer func() {
		slices.Sort(f.site.Components)
		f.site.Components = slices.Compact(f.site.Components)
	}()
	for _, p := range f.plugins() {
		f.site.Components = append(f.site.Components, p.component)
		file := p.dir + "/db/install.xml"
		if !isFile(f.abs(file)) {
			continue
		}
		f.loadFile(file, p)
		if f.site.Version != "" && !isFile(f.abs(p.dir+"/version.php")) {
			f.find(Warning, "plugin-version", file, 0, p.component, "restore the plugin's version.php or remove its directory",
				"%s has no version.php, so Moodle's installer does not create its tables", p.component)
		}
	}
}

// loadFile reads one install.xml; rel is relative to dirroot.
func (f *finder) loadFile(rel string, p plugin) {
	src, ok := f.read(rel, p.component)
	if !ok {
		return
	}
	r := &fileReader{
		file: f.relRoot(rel), component: p.component, product: f.site.Product,
		dialect: dialectFor(f.site.Product, f.site.Branch), limits: f.site.Limits,
	}
	file, ok := r.readFile(src)
	if ok {
		f.checkPath(r, rel)
	}
	f.site.Findings = append(f.site.Findings, r.findings...)
	switch {
	case !ok:
	case p.deprecated:
		f.site.Deprecated = append(f.site.Deprecated, file)
		f.find(Info, "plugin-deprecated", rel, 0, p.component, "",
			"the plugin type of %s is deprecated, so Moodle's installer does not create its tables", p.component)
	default:
		f.site.Files = append(f.site.Files, file)
	}
}

// checkPath compares PATH with the file's own directory.
func (f *finder) checkPath(r *fileReader, rel string) {
	value, _ := attribute(r.tree.root, "PATH")
	declared, errDeclared := os.Stat(filepath.Join(f.abs(f.renameAdmin(value)), "install.xml"))
	actual, errActual := os.Stat(f.abs(rel))
	if errDeclared == nil && errActual == nil && os.SameFile(declared, actual) {
		return
	}
	dir := strings.TrimSuffix(rel, "/install.xml")
	severity, consequence := Warning, "the file is loaded, though newer versions of Moodle skip it"
	if r.product == Totara {
		severity, consequence = Info, "Totara does not mind"
	}
	r.add(severity, "path-mismatch", place{line: r.tree.line(r.tree.root)}, fmt.Sprintf("write PATH=%q", dir),
		"PATH is %q but the file is in %q; %s", value, dir, consequence)
}

// read reads a file under dirroot; what fails is a finding.
func (f *finder) read(rel, component string) ([]byte, bool) {
	src, err := readLimited(f.abs(rel))
	if err != nil {
		f.find(Error, "file-unreadable", rel, 0, component, "make the file readable and load again", "cannot read the file: %v", err)
		return nil, false
	}
	return src, true
}

func readLimited(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	src, err := io.ReadAll(io.LimitReader(file, maxFileSize+1))
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err == nil && len(src) > maxFileSize {
		err = fmt.Errorf("it is larger than %d MiB", maxFileSize>>20)
	}
	return src, err
}

// crossCheck applies the rules between files: a table name is taken once, and
// an enforced foreign key needs its table.
func (s *Site) crossCheck() {
	first := map[string]*Table{}
	drop := func(f *File, t *Table, code string, line int, object, hint, format string, args ...any) {
		s.Findings = append(s.Findings, Finding{
			Code: code, Severity: Error, File: f.Path, Line: line, Component: f.Component, Table: t.Name,
			Object: object, Message: fmt.Sprintf(format, args...), Hint: hint,
		})
	}
	s.keepTables(func(f *File, t *Table) bool {
		if o, ok := first[t.Name]; ok {
			drop(f, t, "table-duplicate", t.Line, "", "rename or remove one of the two; the second is not part of the declared schema",
				"table %q is already declared by %s in %s:%d", t.Name, o.Component, o.File, o.Line)
			return false
		}
		first[t.Name] = t
		return true
	})
	s.keepTables(func(f *File, t *Table) bool {
		for _, k := range t.Keys {
			if k.Enforced() && first[k.RefTable] == nil {
				drop(f, t, "key-reference", k.Line, k.Name, uncreatableHint,
					"key %q refers to table %q, which is not declared", k.Name, k.RefTable)
				return false
			}
		}
		return true
	})
}

// keepTables removes the tables of Files for which keep says no.
func (s *Site) keepTables(keep func(*File, *Table) bool) {
	for i := range s.Files {
		f := &s.Files[i]
		var kept []Table
		for j := range f.Tables {
			if keep(f, &f.Tables[j]) {
				kept = append(kept, f.Tables[j])
			}
		}
		f.Tables = kept
	}
}
