package xmldb_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/xmldb"
)

// minimal is an install.xml that declares one table.
func minimal(path, table string) string {
	return fmt.Sprintf(`<XMLDB PATH=%q VERSION="1" COMMENT=""><TABLES>
<TABLE NAME=%q COMMENT=""><FIELDS><FIELD NAME="id" TYPE="int" LENGTH="10" SEQUENCE="true"/></FIELDS>
<KEYS><KEY NAME="primary" TYPE="primary" FIELDS="id"/></KEYS></TABLE></TABLES></XMLDB>`, path, table)
}

// writeSite writes the archive, core and, for each directory, an install.xml
// that declares a table called like the directory with underscores.
func writeSite(t testing.TB, archive string, dirs ...string) string {
	t.Helper()
	root := writeTree(t, archive)
	for _, d := range append(dirs, "lib") {
		table := strings.ReplaceAll(d, "/", "_")
		writeFile(t, filepath.Join(root, d, "db", "install.xml"), minimal(d+"/db", table))
	}
	return root
}

func codes(s *xmldb.Site) []string {
	var all []string
	for _, f := range s.Findings {
		if f.Code != "version-unknown" && f.Code != "types-builtin" {
			all = append(all, fmt.Sprintf("%s:%d %s %s", f.File, f.Line, f.Severity, f.Code))
		}
	}
	return all
}

const components = `-- lib/components.json --
{"plugintypes": {"mod": "mod", "tool": "admin/tool", "editor": "lib/editor", "local": "local", "totara": "x"},
 "subsystems": {"message": "message", "admin": null}}
`

func TestFindPlugins(t *testing.T) {
	for _, tt := range []struct {
		name     string
		archive  string
		dirs     []string
		want     []string // tables after that of core
		findings []string
	}{
		{
			name: "plugins are sorted byte by byte", archive: components,
			dirs: []string{"mod/zz", "mod/a10", "mod/a9", "mod/ab"}, want: []string{"mod_a10", "mod_a9", "mod_ab", "mod_zz"},
		},
		{
			name: "only db/install.xml of a plugin", archive: components + "-- mod/quiz/db/other.xml --\n-- mod/quiz/install.xml --\n",
			dirs: []string{"mod/quiz/tests/fixtures", "mod/quiz/vendor/x", "nowhere", "vendor/mod/x", "mod/quiz/classes"},
		},
		{
			name: "ignored directories are never plugins", archive: components,
			dirs: []string{"mod/tests", "mod/db", "mod/yui", "mod/amd", "local/templates", "local/CVS"},
		},
		{
			name: "names that Moodle overlooks", archive: components,
			dirs: []string{"mod/Quiz", "local/a-b", "local/ab__c", "local/a__b", "local/x_", "mod/message"}, want: []string{"local_a__b"},
			findings: []string{
				"local/a-b/db/install.xml:0 warning plugin-name", "local/ab__c/db/install.xml:0 warning plugin-name",
				"local/x_/db/install.xml:0 warning plugin-name", "mod/Quiz/db/install.xml:0 warning plugin-name",
				"mod/message/db/install.xml:0 warning plugin-name",
			},
		},
		{
			name: "sub-plugin types that are refused", archive: components +
				"-- mod/quiz/db/subplugins.json --\n" + `{"plugintypes": {"Bad": "mod/quiz/a", "message": "mod/quiz/a", "mod": "mod/quiz/a", "gone": "mod/quiz/gone", "out": "../etc", "ok": "mod/quiz/a"}}`,
			dirs: []string{"mod/quiz/a/one"}, want: []string{"mod_quiz_a_one"},
			findings: []string{
				"mod/quiz/db:0 warning subtype-duplicate", "mod/quiz/db/subplugins.json:0 warning subtype-name",
				"mod/quiz/db/subplugins.json:0 warning subtype-name", "mod/quiz/db/subplugins.json:0 info subtype-directory",
				"mod/quiz/db/subplugins.json:0 warning subtype-directory",
			},
		},
		{
			name: "subplugins.json wins over subplugins.php", archive: components +
				"-- mod/quiz/db/subplugins.json --\n{\"plugintypes\": {\"quiza\": \"mod/quiz/a\"}}\n-- mod/quiz/db/subplugins.php --\n<?php\n$subplugins = compute();\n",
			dirs: []string{"mod/quiz/a/one"}, want: []string{"mod_quiz_a_one"},
		},
		{
			name: "broken subplugins.json", archive: components + "-- mod/quiz/db/subplugins.json --\n{\"plugintypes\": {\"quiza\"\n",
			dirs: []string{"mod/quiz", "mod/quiz/a/one"}, want: []string{"mod_quiz"},
			findings: []string{"mod/quiz/db/subplugins.json:0 error subplugins-json"},
		},
		{
			name: "computed subplugins.php", archive: components + "-- mod/quiz/db/subplugins.php --\n<?php\n\n$subplugins = compute();\n",
			dirs: []string{"mod/quiz"}, want: []string{"mod_quiz"},
			findings: []string{"mod/quiz/db/subplugins.php:3 error subplugins-php"},
		},
		{
			name: "only subplugintypes before 5.0", archive: components + "-- version.php --\n" + moodle45 +
				"-- mod/quiz/db/subplugins.json --\n{\"subplugintypes\": {\"quiza\": \"a\"}}\n",
			dirs: []string{"mod/quiz/a/one"}, findings: []string{"mod/quiz/db/subplugins.json:0 warning subplugins-key"},
		},
		{
			name: "only subplugintypes of an unknown version", archive: components +
				"-- mod/quiz/db/subplugins.json --\n{\"subplugintypes\": {\"quiza\": \"a\"}}\n",
			dirs: []string{"mod/quiz/a/one"}, want: []string{"mod_quiz_a_one"},
		},
		{
			name: "theme is added when it is not listed, local keeps its place", archive: components,
			dirs: []string{"theme/boost", "local/one", "x/last"}, want: []string{"local_one", "x_last", "theme_boost"},
		},
		{
			name: "components.json is broken", archive: "-- lib/components.json --\n{", dirs: []string{"mod/quiz"},
			findings: []string{"lib/components.json:0 error components-json"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			site := load(t, writeSite(t, tt.archive, tt.dirs...), xmldb.Options{})
			if diff := cmp.Diff(append([]string{"lib"}, tt.want...), tableNames(site)); diff != "" {
				t.Errorf("tables (-want +got):\n%s", diff)
			}
			got := codes(site)
			var relevant []string
			for _, c := range got {
				if !strings.HasSuffix(c, "plugin-version") {
					relevant = append(relevant, c)
				}
			}
			if diff := cmp.Diff(tt.findings, relevant); diff != "" {
				t.Errorf("findings (-want +got):\n%s\n%v", diff, site.Findings)
			}
		})
	}
}

func TestTableDeclaredTwice(t *testing.T) {
	root := writeSite(t, components, "mod/aa")
	writeFile(t, filepath.Join(root, "mod/bb/db/install.xml"), minimal("mod/bb/db", "mod_aa"))
	site := load(t, root, xmldb.Options{})
	if diff := cmp.Diff([]string{"lib", "mod_aa"}, tableNames(site)); diff != "" {
		t.Errorf("tables (-want +got):\n%s", diff)
	}
	if site.Tables()[1].Component != "mod_aa" {
		t.Errorf("the table belongs to %s, want mod_aa, which is installed first", site.Tables()[1].Component)
	}
	if diff := cmp.Diff([]string{"mod/bb/db/install.xml:2 error table-duplicate"}, codes(site)); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

func TestRenamedAdmin(t *testing.T) {
	archive := components + "-- manage/cli/install_database.php --\n<?php\n-- manage/tool/log/db/subplugins.json --\n" +
		`{"plugintypes": {"logstore": "admin/tool/log/store"}}` +
		"\n-- manage/tool/log/store/one/db/install.xml --\n" + minimal("admin/tool/log/store/one/db", "logstore_one")
	for name, opts := range map[string]xmldb.Options{"found": {}, "given": {Admin: "manage"}} {
		t.Run(name, func(t *testing.T) {
			site := load(t, writeSite(t, archive), opts)
			if diff := cmp.Diff([]string{"lib", "logstore_one"}, tableNames(site)); diff != "" {
				t.Errorf("tables (-want +got):\n%s", diff)
			}
			for _, f := range site.Findings {
				if f.Severity != xmldb.Info {
					t.Errorf("unexpected finding %v: PATH with admin/ must fit the renamed directory", f)
				}
			}
		})
	}
}

func TestSymbolicLinks(t *testing.T) {
	root := writeSite(t, components, "mod/real")
	outside := writeSite(t, "", "plugin")
	writeFile(t, filepath.Join(outside, "plugin/db/install.xml"), minimal("mod/linked/db", "linked"))
	for link, target := range map[string]string{
		"mod/linked":  filepath.Join(outside, "plugin"), // as developers install plugins
		"mod/loop":    filepath.Join(root, "mod"),
		"mod/nowhere": filepath.Join(root, "gone"),
		"mod/file":    filepath.Join(root, "lib/components.json"),
	} {
		if err := os.Symlink(target, filepath.Join(root, link)); err != nil {
			t.Fatalf("this file system has no symbolic links: %v", err)
		}
	}
	site := load(t, root, xmldb.Options{})
	if diff := cmp.Diff([]string{"lib", "linked", "mod_real"}, tableNames(site)); diff != "" {
		t.Errorf("tables (-want +got):\n%s", diff)
	}
	if got := codes(site); got != nil {
		t.Errorf("findings: %v", site.Findings)
	}
}

func TestTotaraListsOfItsOwnCode(t *testing.T) {
	archive := "-- version.php --\n" + totara13 + `-- lib/classes/component.php --
<?php
class core_component {
    /** @var array */
    protected static $supportsubplugins = array('mod', 'newtype', 'local');
    protected static function fetch_subsystems() {
        $info = array('access' => null, 'media' => $CFG->dirroot.'/media');
    }
    protected static function fetch_plugintypes() {
        global $CFG;
        $types = array(
            'newtype' => $CFG->dirroot . '/server_new/types', // of a future version
            'mod'     => $CFG->dirroot.'/mod',
            'tool'    => $CFG->dirroot.'/'.$CFG->admin.'/tool',
        );
        $parents = array();
        $types['theme'] = $CFG->dirroot.'/theme';
    }
}
-- server_new/types/one/db/subplugins.php --
<?php $subplugins = ['onesub' => 'server_new/types/one/sub'];
`
	site := load(t, writeSite(t, archive, "mod/media", "mod/forum", "server_new/types/one", "server_new/types/one/sub/deep", "local/two"), xmldb.Options{})
	want := []string{"lib", "server_new_types_one", "mod_forum", "server_new_types_one_sub_deep", "local_two"}
	if diff := cmp.Diff(want, tableNames(site)); diff != "" {
		t.Errorf("tables (-want +got):\n%s\n%v", diff, site.Findings)
	}
}

func TestOptions(t *testing.T) {
	root := writeSite(t, components+"-- version.php --\n"+moodle41, "mod/name")
	t.Run("limits", func(t *testing.T) {
		limits := xmldb.LimitsFor(xmldb.Moodle, 401)
		limits.TableName = 7
		site := load(t, root, xmldb.Options{Limits: &limits})
		if diff := cmp.Diff([]string{"lib"}, tableNames(site)); diff != "" {
			t.Errorf("tables (-want +got):\n%s", diff)
		}
	})
	t.Run("product", func(t *testing.T) {
		site := load(t, root, xmldb.Options{Product: xmldb.Totara})
		if site.Product != xmldb.Totara || site.Limits != xmldb.LimitsFor(xmldb.Totara, 0) {
			t.Errorf("product %s with limits %+v", site.Product, site.Limits)
		}
	})
}

func TestFileTooLarge(t *testing.T) {
	root := writeSite(t, components, "mod/aa")
	writeFile(t, filepath.Join(root, "mod/aa/db/install.xml"), strings.Repeat(" ", 17<<20))
	site := load(t, root, xmldb.Options{})
	if diff := cmp.Diff([]string{"mod/aa/db/install.xml:0 error file-unreadable"}, codes(site)); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}
