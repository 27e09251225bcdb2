package xmldb

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

// namedPath is one entry of a JSON object whose order matters. Path is empty
// for null.
type namedPath struct {
	Name, Path string
}

// decodeMaps reads a JSON object whose members are objects of strings, in the
// order of the file. Members that are anything else are left out.
func decodeMaps(src []byte) (map[string][]namedPath, error) {
	dec := json.NewDecoder(bytes.NewReader(src))
	if err := openObject(dec); err != nil {
		return nil, err
	}
	all := map[string][]namedPath{}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, err
		}
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return nil, err
		}
		if entries, err := decodeMap(raw); err == nil {
			all[fmt.Sprint(key)] = entries
		}
	}
	if _, err := dec.Token(); err != nil { // the closing brace
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is text behind the object")
	}
	return all, nil
}

func openObject(dec *json.Decoder) error {
	t, err := dec.Token()
	if err != nil {
		return err
	}
	if t != json.Delim('{') {
		return fmt.Errorf("found %v where an object must begin", t)
	}
	return nil
}

func decodeMap(raw json.RawMessage) ([]namedPath, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if err := openObject(dec); err != nil {
		return nil, err
	}
	entries := []namedPath{}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, err
		}
		var value *string
		if err := dec.Decode(&value); err != nil {
			return nil, err
		}
		e := namedPath{Name: fmt.Sprint(key)}
		if value != nil {
			e.Path = *value
		}
		entries = setPath(entries, e)
	}
	return entries, nil
}

// setPath appends e, or changes the entry of that name where it stands.
func setPath(entries []namedPath, e namedPath) []namedPath {
	for i := range entries {
		if entries[i].Name == e.Name {
			entries[i] = e
			return entries
		}
	}
	return append(entries, e)
}

// subtypes reads which sub-plugin types a plugin declares: db/subplugins.json
// when it is there, else db/subplugins.php.
func (f *finder) subtypes(p plugin) []pluginType {
	jsonFile, phpFile := p.dir+"/db/subplugins.json", p.dir+"/db/subplugins.php"
	switch {
	case f.readsSubpluginsJSON() && isFile(f.abs(jsonFile)):
		return f.subtypesJSON(p, jsonFile)
	case isFile(f.abs(phpFile)):
		return f.subtypesPHP(p, phpFile)
	}
	return nil
}

// readsSubpluginsJSON: Totara knows subplugins.php only. Where the code lists
// its plugin types in components.json, it reads subplugins.json too.
func (f *finder) readsSubpluginsJSON() bool { return f.site.Product == Moodle }

func (f *finder) subtypesJSON(p plugin, file string) []pluginType {
	src, ok := f.read(file, p.component)
	if !ok {
		return nil
	}
	maps, err := decodeMaps(src)
	if err != nil {
		f.find(Error, "subplugins-json", file, 0, p.component, "correct the file; its sub-plugins are not found until then",
			"subplugins.json is not valid: %v", err)
		return nil
	}
	var types []pluginType
	add := func(entries []namedPath, deprecated bool, dir func(string) string) {
		for _, e := range entries {
			if t, ok := f.subtype(p, file, e.Name, dir(e.Path)); ok {
				t.deprecated = deprecated
				types = append(types, t)
			}
		}
	}
	inPlugin := func(value string) string { return p.dir + "/" + value }
	inDirRoot := func(value string) string { return f.renameAdmin(strings.TrimPrefix(value, "public/")) }
	relative, legacy := maps["subplugintypes"], maps["plugintypes"]
	switch {
	case len(relative) > 0 && !f.before50():
		add(relative, false, inPlugin)
	case len(legacy) > 0:
		add(legacy, false, inDirRoot)
	case len(relative) > 0:
		f.find(Warning, "subplugins-key", file, 0, p.component, "add the key plugintypes with paths from the root of the code",
			"subplugins.json has only the key subplugintypes, which Moodle reads from 5.0 on; its sub-plugins are ignored")
	}
	add(maps["deprecatedsubplugintypes"], true, inPlugin)
	add(maps["deletedsubplugintypes"], true, inPlugin)
	return types
}

func (f *finder) before50() bool { return f.site.Branch != 0 && f.site.Branch < 500 }

// subtype applies the rules for one declared type.
func (f *finder) subtype(p plugin, file, name, dir string) (pluginType, bool) {
	ignore := func(s Severity, code, format string, args ...any) (pluginType, bool) {
		f.find(s, code, file, 0, p.component, "correct the entry", format+"; it is ignored", args...)
		return pluginType{}, false
	}
	dir = path.Clean(strings.TrimPrefix(dir, "/"))
	switch {
	case !modName.MatchString(name):
		return ignore(Warning, "subtype-name", "the sub-plugin type %q must be of small letters and digits", name)
	case f.subsystems[name]:
		return ignore(Warning, "subtype-name", "the sub-plugin type %q has the name of a core subsystem", name)
	case dir == ".." || strings.HasPrefix(dir, "../"):
		return ignore(Warning, "subtype-directory", "the directory %q of the sub-plugin type %q is outside of the site", dir, name)
	case !isDir(f.abs(dir)):
		// Only information: where there is no directory there are no tables.
		return ignore(Info, "subtype-directory", "the directory %q of the sub-plugin type %q does not exist", dir, name)
	}
	return pluginType{name: name, dir: dir}, true
}

func (f *finder) subtypesPHP(p plugin, file string) []pluginType {
	src, ok := f.read(file, p.component)
	if !ok {
		return nil
	}
	entries, err := readSubpluginsPHP(string(src))
	if err != nil {
		line := 0
		var php *phpError
		if errors.As(err, &php) {
			line, err = php.line, errors.New(php.msg)
		}
		f.find(Error, "subplugins-php", file, line, p.component,
			"moodledb reads PHP literals only; put the array there as a literal or, for Moodle, into db/subplugins.json",
			"cannot read the sub-plugins of %s: %v", p.component, err)
		return nil
	}
	var types []pluginType
	for _, e := range entries {
		if t, ok := f.subtype(p, file, e.Name, f.renameAdmin(e.Path)); ok {
			types = append(types, t)
		}
	}
	return types
}

// readSubpluginsPHP reads the literal that subplugins.php assigns to
// $subplugins, without running PHP. Elements that are assigned one by one are
// read too; everything else done to the variable is an error.
func readSubpluginsPHP(src string) ([]namedPath, error) {
	var all []namedPath
	p := &phpParser{tokens: phpTokens(src)}
	depth := 0
	for p.peek().kind != phpEOF {
		t := p.take()
		switch {
		case t.is("{"):
			depth++
		case t.is("}"):
			depth--
		}
		if t.kind != phpVar || t.text != "subplugins" {
			continue
		}
		if depth > 0 {
			return nil, &phpError{t.line, "$subplugins is changed inside of a block"}
		}
		var err error
		if all, err = subpluginsStatement(p, all); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// subpluginsStatement reads what follows $subplugins up to the semicolon.
func subpluginsStatement(p *phpParser, all []namedPath) ([]namedPath, error) {
	switch t := p.take(); {
	case t.is("="):
		pairs, err := p.array()
		if err != nil {
			return nil, err
		}
		all = nil
		for _, e := range pairs {
			if e.Key == "" {
				return nil, &phpError{e.Line, "an entry of $subplugins has no key"}
			}
			all = setPath(all, namedPath{e.Key, e.Value})
		}
	case t.is("["):
		key, err := p.text()
		if err != nil {
			return nil, err
		}
		if !p.take().is("]") || !p.take().is("=") {
			return nil, phpErrorAt(p.peek(), "an assignment to an element of $subplugins")
		}
		value, err := p.text()
		if err != nil {
			return nil, err
		}
		all = setPath(all, namedPath{key, value})
	default:
		return nil, phpErrorAt(t, "an assignment to $subplugins")
	}
	if t := p.take(); !t.is(";") {
		return nil, phpErrorAt(t, "a semicolon")
	}
	return all, nil
}
