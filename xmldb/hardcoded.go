package xmldb

import "strings"

// legacyTypes are the plugin types of Totara, and of Moodle before
// components.json, of all versions in their common order. A version that lacks
// a type lacks its directory.
func legacyTypes() []namedPath {
	return []namedPath{
		{"antivirus", "lib/antivirus"},
		{"availability", "availability/condition"},
		{"qtype", "question/type"},
		{"mod", "mod"},
		{"auth", "auth"},
		{"calendartype", "calendar/type"},
		{"customfield", "customfield/field"},
		{"enrol", "enrol"},
		{"message", "message/output"},
		{"block", "blocks"},
		{"media", "media/player"},
		{"filter", "filter"},
		{"editor", "lib/editor"},
		{"format", "course/format"},
		{"dataformat", "dataformat"},
		{"profilefield", "user/profile/field"},
		{"report", "report"},
		{"coursereport", "course/report"},
		{"gradeexport", "grade/export"},
		{"gradeimport", "grade/import"},
		{"gradereport", "grade/report"},
		{"gradingform", "grade/grading/form"},
		{"mlbackend", "lib/mlbackend"},
		{"mnetservice", "mnet/service"},
		{"webservice", "webservice"},
		{"repository", "repository"},
		{"portfolio", "portfolio"},
		{"search", "search/engine"},
		{"qbehaviour", "question/behaviour"},
		{"qformat", "question/format"},
		{"plagiarism", "plagiarism"},
		{"totara", "totara"},
		{"tool", "admin/tool"},
		{"cachestore", "cache/stores"},
		{"cachelock", "cache/locks"},
		{"fileconverter", "files/converter"},
		{"container", "container/type"},
		{"ml", "ml"},
		{"virtualmeeting", "integrations/virtualmeeting"},
		{"jsoneditor", "text_format/json_editor/extensions"},
	}
}

// legacySubsystems are the core subsystems that could be mistaken for an
// activity module: those common to all versions that hard-code the list.
func legacySubsystems() []string {
	return strings.Fields(`access admin antivirus auth availability backup badges block blog bulkusers
		cache calendar cohort comment completion countries course currencies dbtransfer debug editor
		edufields enrol error filepicker files filters form grades grading group help imscc install
		iso6392 langconfig license mathslib media message mimetypes mnet my notes pagetype pix
		plagiarism plugin portfolio question rating repository rss role search table tag timezones
		user userkey webservice`)
}

// legacySupports are the types whose plugins may have sub-plugins.
func (f *finder) legacySupports() []string {
	switch {
	case f.site.beforeComponentClass(), f.site.Product == Moodle && f.site.Branch != 0 && f.site.Branch <= 25:
		return []string{"mod", "editor"}
	case f.site.Product == Totara:
		return []string{"mod", "editor", "totara", "tool", "local"}
	}
	return []string{"mod", "editor", "tool", "local"}
}

// codeLists is what the code of a site without components.json says of itself.
type codeLists struct {
	types      []namedPath
	subsystems []string
	supports   []string
}

// readCodeLists reads the lists that older Moodle and all Totara keep as array
// literals in lib/classes/component.php or lib/moodlelib.php. What it does not
// find as a literal stays empty.
func readCodeLists(src, admin string) codeLists {
	p := &phpParser{tokens: phpTokens(src)}
	p.member = func(object, property string) (string, bool) {
		switch object + "->" + property {
		case "CFG->dirroot":
			return "", true
		case "CFG->admin":
			return admin, true
		}
		return "", false
	}
	var lists codeLists
	function := ""
	for p.peek().kind != phpEOF {
		t := p.take()
		if t.kind == phpWord && t.text == "function" && p.peek().kind == phpWord {
			function = p.take().text
			continue
		}
		if t.kind != phpVar || !p.peek().is("=") {
			continue
		}
		p.take()
		lists.take(p, function, t.text)
	}
	return lists
}

// take reads the array assigned to a variable if it is one of the lists. It
// puts the parser back when the array is something else.
func (l *codeLists) take(p *phpParser, function, variable string) {
	start := p.pos
	pairs, err := p.array()
	if err != nil || len(pairs) == 0 {
		p.pos = start
		return
	}
	switch {
	case variable == "supportsubplugins" && l.supports == nil:
		for _, e := range pairs {
			l.supports = append(l.supports, e.Value)
		}
	case (function == "fetch_plugintypes" || function == "get_plugin_types") && l.types == nil:
		for _, e := range pairs {
			l.types = append(l.types, namedPath{e.Key, strings.Trim(e.Value, "/")})
		}
	case (function == "fetch_subsystems" || function == "get_core_subsystems") && l.subsystems == nil:
		for _, e := range pairs {
			l.subsystems = append(l.subsystems, e.Key)
		}
	}
}

// hardcoded fills the finder of a site without components.json.
func (f *finder) hardcoded() {
	var lists codeLists
	for _, file := range []string{"lib/classes/component.php", "lib/moodlelib.php"} {
		if len(lists.types) > 0 || !isFile(f.abs(file)) {
			continue
		}
		if src, ok := f.read(file, "core"); ok {
			lists = readCodeLists(string(src), f.admin)
		}
	}
	if len(lists.types) == 0 {
		f.find(Info, "types-builtin", "lib/classes/component.php", 0, "core",
			"give the complete code of the site if a plugin is missing",
			"the code does not say which plugin types it has; those of Totara 2.5 to 17 are looked for")
		lists.types = legacyTypes()
	}
	if len(lists.subsystems) == 0 {
		lists.subsystems = legacySubsystems()
	}
	if len(lists.supports) == 0 {
		lists.supports = f.legacySupports()
	}
	for _, t := range lists.types {
		f.addType(pluginType{name: t.Name, dir: f.renameAdmin(t.Path)})
	}
	for _, s := range lists.subsystems {
		f.subsystems[s] = true
	}
	f.supports = lists.supports
}
