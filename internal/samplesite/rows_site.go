package samplesite

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// plugin is an installed plugin and its version, as config_plugins records it.
type plugin struct{ name, version string }

// installed lists the plugins of the sample site. mod_journal was removed from
// the code, but its tables and its version are still there.
func installed() []plugin {
	return []plugin{
		{"qtype_numerical", "2024100700"},
		{"mod_assign", "2024100700"},
		{"assignsubmission_onlinetext", "2024100700"},
		{"mod_forum", "2024100700"},
		{"mod_page", "2024100700"},
		{"block_rss_client", "2024100700"},
		{"search_simpledb", "2024100700"},
		{"tool_log", "2024100700"},
		{"logstore_standard", "2024100700"},
		{"local_measure", "2026011200"},
		{"measureprobe_serial", "2026011200"},
		{"mod_journal", "2019061500"},
	}
}

// site fills the settings, the modules and the root of the context tree.
func (b *builder) site() {
	for _, s := range []struct{ name, value string }{
		{"version", "2024100705.00"},
		{"release", "4.5.5 (Build: 20250609)"},
		{"branch", "405"},
		{"siteidentifier", "3d5ab0e1c9sample.example.org"},
		{"lang", "en"},
		{"timezone", "Pacific/Auckland"},
		{"theme", "boost"},
		{"supportname", "Aide & «support» \U0001F6DF"},
		{"frontpage", "6,2"},
		{"emptysetting", ""},
		{"backslashes", `C:\moodle\data\`},
		{"customfooter", "<script>let a = \"x\\n\";\n\t// it's here\r\n</script>"},
		{"allowedregex", `^\\d+\.(jpe?g|png)$`},
	} {
		b.add("config", row{"name": s.name, "value": s.value})
	}
	b.gap("config", 12)
	for _, p := range installed() {
		b.add("config_plugins", row{"plugin": p.name, "name": "version", "value": p.version})
	}
	b.skip("config_plugins", 200)
	b.add("config_plugins", row{"plugin": "logstore_standard", "name": "buffersize", "value": "50"})
	b.add("config_plugins", row{"plugin": "local_measure", "name": "units", "value": `{"t":"\u00b0C","p":"hPa","note":"a\\b"}`})
	for i, m := range []string{"assign", "forum", "page", "journal"} {
		b.modules[m] = b.add("modules", row{"name": m, "visible": 1 - i/3})
	}
	system := context{id: 1, path: "/1", depth: 1}
	b.contexts[contextKey{levelSystem, 0}] = system
	b.add("context", row{"contextlevel": levelSystem, "path": system.path, "depth": system.depth})
	b.none("context_temp")
	for day, v := range []string{"2024100700", "2024100705"} {
		b.add("upgrade_log", row{
			"type": 0, "plugin": "core", "version": v, "targetversion": "2024100705.00", "info": "Core upgraded",
			"userid": 0, "timemodified": b.time(day),
		})
	}
	b.add("upgrade_log", row{
		"type": 2, "plugin": "mod_journal", "info": "Exception: it's \"broken\"", "details": "line 1\nline 2\t\\",
		"backtrace": strings.Repeat("* line 42 of \\mod\\journal\\lib.php: call to f()\n", 40), "userid": 2, "timemodified": b.time(3),
	})
}

// people fills the users, their preferences and their profiles.
func (b *builder) people() {
	system := contextKey{levelSystem, 0}
	for i := range 150 {
		p := people()[i%len(people())]
		r := row{
			"confirmed": 1, "mnethostid": 1, "username": fmt.Sprintf("user%03d", i+1), "password": "not cached",
			"firstname": p.first, "lastname": p.last, "email": fmt.Sprintf("user%03d@example.org", i+1),
			"city": p.city, "country": p.country, "lang": p.lang, "timecreated": b.time(i / 10), "timemodified": b.time(20),
		}
		switch i {
		case 0:
			r["username"], r["firstname"], r["lastname"], r["auth"] = "guest", "Guest user", " ", "manual"
		case 1:
			r["username"], r["firstname"], r["lastname"] = "admin", "Admin", "User"
		default:
			r["idnumber"] = pick(&b.rand, []string{"", fmt.Sprintf("S-%05d", i), fmt.Sprintf("%08d", i*37)})
			r["lastaccess"], r["lastip"] = b.time(20+i%30), fmt.Sprintf("2001:db8::%x:%x", i, i*7)
			r["institution"] = pick(&b.rand, []string{"", "University of Somewhere", "Universität \"Nord\"", "大学"})
			r["description"] = pick(&b.rand, []any{nil, "", b.html(1)})
			r["maildigest"], r["deleted"] = i%3, i%29/28
		}
		if i%11 == 5 {
			r["middlename"], r["alternatename"], r["lastnamephonetic"] = "", "Q\u0308", "サトウ"
		}
		id := b.add("user", r)
		b.users = append(b.users, id)
		b.contextOf(levelUser, id, system)
		if i%40 == 39 {
			b.skip("user", 17)
		}
		for _, pref := range []string{"htmleditor", "forum_displaymode", "drawer-open-nav"}[:b.rand.below(4)] {
			b.add("user_preferences", row{
				"userid": id, "name": pref, "value": pick(&b.rand, []string{"", "0", "1", "true", "[\"a\",\"b\\\\c\"]"}),
			})
		}
	}
	b.add("user_preferences", row{"userid": 2, "name": "note", "value": expression("REPEAT('\U0001F600',1333)")})
	b.gap("user", 60)
	for i, f := range []string{"pronouns", "favouritekanji"} {
		field := b.add("user_info_field", row{
			"shortname": f, "name": f, "datatype": "text", "sortorder": i + 1, "defaultdata": "", "param1": "30",
		})
		for _, u := range b.users[2:] {
			if u%7 == int64(i) {
				b.add("user_info_data", row{
					"userid": u, "fieldid": field, "data": pick(&b.rand, []string{"", "they/them", "ia", "𠮷", "龍"}),
				})
			}
		}
	}
}

// permissions fills capabilities, roles and what roles may do.
func (b *builder) permissions() {
	capabilities := []string{
		"moodle/site:config", "moodle/course:view", "moodle/course:update", "moodle/grade:edit", "moodle/user:editprofile",
		"mod/forum:replypost", "mod/forum:startdiscussion", "mod/assign:submit", "mod/assign:grade", "local/measure:calibrate",
	}
	for i, c := range capabilities {
		component := strings.ReplaceAll(strings.SplitN(c, ":", 2)[0], "/", "_")
		if strings.HasPrefix(component, "moodle") {
			component = "moodle"
		}
		b.add("capabilities", row{
			"name": c, "captype": []string{"read", "write"}[i%2], "contextlevel": levelCourse, "component": component,
			"riskbitmask": i % 5,
		})
	}
	for i, r := range []struct{ short, name, archetype string }{
		{"manager", "", "manager"},
		{"editingteacher", "Lehrer*in", "editingteacher"},
		{"student", "طالب", "student"},
		{"guest", "", "guest"},
		{"user", "Authenticated user", "user"},
	} {
		id := b.add("role", row{
			"shortname": r.short, "name": r.name, "description": b.words(1), "sortorder": i + 1, "archetype": r.archetype,
		})
		b.roles[r.short] = id
		for _, level := range []int{levelSystem, levelCategory, levelCourse, levelModule}[i%4:] {
			b.add("role_context_levels", row{"roleid": id, "contextlevel": level})
		}
		for j, c := range capabilities {
			if (i+j)%2 == 0 {
				// A prohibited capability has the permission -1000.
				b.add("role_capabilities", row{
					"contextid": 1, "roleid": id, "capability": c, "permission": []int{1, -1, -1000}[(i*j)%3],
					"timemodified": b.time(0), "modifierid": 2,
				})
			}
		}
	}
}

// phpObject returns what Moodle keeps in several columns: a serialized PHP value in base64.
func phpObject(title, text string) string {
	s := fmt.Sprintf(`O:8:"stdClass":2:{s:5:"title";s:%d:"%s";s:4:"text";s:%d:"%s";}`, len(title), title, len(text), text)
	return base64.StdEncoding.EncodeToString([]byte(s))
}
