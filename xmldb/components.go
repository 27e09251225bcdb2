package xmldb

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// pluginType is a kind of plugin and the directory that holds its plugins.
type pluginType struct {
	name string
	dir  string // relative to dirroot, with slashes
	// deprecated: Moodle 5.0 and later know the type but do not install it.
	deprecated bool
}

// plugin is one directory of a plugin type.
type plugin struct {
	component  string // frankenstyle: type, underscore, name
	dir        string // relative to dirroot, with slashes
	deprecated bool
}

// ignoredDirs are never plugins, wherever plugins are looked for.
func ignoredDirs(product Product) []string {
	old := []string{"CVS", "_vti_cnf", "classes", "db", "fonts", "simpletest", "tests", "yui"}
	if product == Totara {
		return old
	}
	return append(old, "amd", "lang", "pix", "templates")
}

var (
	modName = regexp.MustCompile(`^[a-z][a-z0-9]*$`)
	// pluginChars is the plugin rule without its ban on two underscores, which
	// a regular expression of Go cannot say; see validPluginName.
	pluginChars = regexp.MustCompile(`^[a-z][a-z0-9_]*[a-z0-9]$`)
)

// validPluginName applies is_valid_plugin_name. Two underscores in a row are
// banned, but, as the lookahead of Moodle's pattern begins behind the first
// letter, not directly behind that one.
func (f *finder) validPluginName(ptype, name string) bool {
	if ptype == "mod" && !f.site.beforeComponentClass() {
		return modName.MatchString(name) && !f.subsystems[name]
	}
	return pluginChars.MatchString(name) && !strings.Contains(name[2:], "__")
}

// beforeComponentClass reports a Totara that descends from a Moodle up to 2.5,
// whose rules are those of lib/moodlelib.php.
func (s *Site) beforeComponentClass() bool {
	return s.Product == Totara && s.Branch != 0 && s.Branch < 206
}

// finder finds the plugins of a site by the rules of core_component.
type finder struct {
	site       *Site
	admin      string // $CFG->admin
	subsystems map[string]bool
	supports   []string // the types whose plugins may have sub-plugins
	types      []pluginType
	// listed keeps what pluginsOf found, by directory: types with sub-plugins are
	// asked for more than once, and a fault is to be told once.
	listed map[string][]plugin
}

func (f *finder) abs(rel string) string {
	return filepath.Join(f.site.DirRoot, filepath.FromSlash(rel))
}

// relRoot makes a path relative to dirroot relative to the root of the site.
func (f *finder) relRoot(rel string) string { return f.site.relative(f.abs(rel)) }

func (s *Site) relative(abs string) string {
	rel, err := filepath.Rel(s.Root, abs)
	if err != nil {
		return filepath.ToSlash(abs)
	}
	return filepath.ToSlash(rel)
}

func (f *finder) find(severity Severity, code, file string, line int, component, hint, format string, args ...any) {
	f.site.Findings = append(f.site.Findings, Finding{
		Code: code, Severity: severity, File: f.relRoot(file), Line: line, Component: component,
		Message: fmt.Sprintf(format, args...), Hint: hint,
	})
}

// renameAdmin puts $CFG->admin in the place of the directory admin.
func (f *finder) renameAdmin(dir string) string {
	if rest, ok := strings.CutPrefix(dir, "admin/"); ok && f.admin != "admin" {
		return f.admin + "/" + rest
	}
	return dir
}

// addType appends a type, or changes the directory of one that is there: a PHP
// array keeps the place of a key that is assigned again.
func (f *finder) addType(t pluginType) {
	if i := f.typeIndex(t.name); i >= 0 {
		f.types[i] = t
		return
	}
	f.types = append(f.types, t)
}

func (f *finder) typeIndex(name string) int {
	return slices.IndexFunc(f.types, func(t pluginType) bool { return t.name == name })
}

// completeTypes adds theme, the sub-plugins and local to the types that the
// code lists, in the order of core_component::fetch_plugintypes. Where the
// list already has theme or local, they keep the place that it gives them.
func (f *finder) completeTypes() {
	f.addType(pluginType{name: "theme", dir: "theme"})
	for _, owner := range f.supports {
		if owner != "local" {
			f.addSubtypes(owner)
		}
	}
	f.addType(pluginType{name: "local", dir: "local"})
	if slices.Contains(f.supports, "local") {
		f.addSubtypes("local")
	}
}

func (f *finder) addSubtypes(owner string) {
	i := f.typeIndex(owner)
	if i < 0 {
		return
	}
	for _, p := range f.pluginsOf(f.types[i]) {
		for _, t := range f.subtypes(p) {
			if f.typeIndex(t.name) >= 0 {
				f.find(Warning, "subtype-duplicate", p.dir+"/db", 0, p.component, "rename the sub-plugin type",
					"%s declares the sub-plugin type %q, which exists already; it is ignored", p.component, t.name)
				continue
			}
			f.addType(t)
		}
	}
}

// plugins returns all plugins in the order in which the installer walks them;
// those of deprecated types come last.
func (f *finder) plugins() []plugin {
	var active, deprecated []plugin
	for _, t := range f.types {
		found := f.pluginsOf(t)
		if t.deprecated {
			deprecated = append(deprecated, found...)
		} else {
			active = append(active, found...)
		}
	}
	return append(active, deprecated...)
}

// pluginsOf lists the plugins of a type, sorted by name as PHP's ksort sorts
// them: names begin with a letter, so byte by byte. Symbolic links to
// directories count as directories; nothing is followed deeper than one level.
func (f *finder) pluginsOf(t pluginType) []plugin {
	key := t.name + "=" + t.dir
	found, ok := f.listed[key]
	if !ok {
		found = f.listPlugins(t)
		f.listed[key] = found
	}
	return found
}

func (f *finder) listPlugins(t pluginType) []plugin {
	entries, err := os.ReadDir(f.abs(t.dir))
	if err != nil {
		if !os.IsNotExist(err) {
			f.find(Error, "directory-unreadable", t.dir, 0, "", "make the directory readable", "cannot list the plugins of type %s: %v", t.name, err)
		}
		return nil
	}
	ignored := ignoredDirs(f.site.Product)
	var found []plugin
	for _, e := range entries { // sorted by ReadDir
		name := e.Name()
		if slices.Contains(ignored, name) && !(t.name == "auth" && name == "db") {
			continue
		}
		if info, err := os.Stat(f.abs(t.dir + "/" + name)); err != nil || !info.IsDir() {
			continue
		}
		p := plugin{component: t.name + "_" + name, dir: t.dir + "/" + name, deprecated: t.deprecated}
		if f.validPluginName(t.name, name) {
			found = append(found, p)
		}
	}
	return found
}

// reportInvalidNames tells of directories that look like plugins with tables
// but whose name makes Moodle overlook them.
func (f *finder) reportInvalidNames() {
	for _, t := range f.types {
		entries, err := os.ReadDir(f.abs(t.dir))
		if err != nil {
			continue
		}
		for _, e := range entries {
			name, dir := e.Name(), t.dir+"/"+e.Name()
			if slices.Contains(ignoredDirs(f.site.Product), name) || f.validPluginName(t.name, name) {
				continue
			}
			if file := dir + "/db/install.xml"; isFile(f.abs(file)) {
				f.find(Warning, "plugin-name", file, 0, "", "rename the directory",
					"%q is not a valid name for a plugin of type %s, so Moodle overlooks the directory", name, t.name)
			}
		}
	}
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
