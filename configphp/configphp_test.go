package configphp_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/configphp"
)

// env makes a getenv of pairs.
func env(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

// base is a config.php that names all that must be there; a test appends to it.
const base = `<?php
unset($CFG); global $CFG; $CFG = new stdClass();
$CFG->dbtype = 'mariadb'; $CFG->dbname = 'moodle'; $CFG->dbhost = 'db';
`

func TestParse(t *testing.T) {
	tests := []struct {
		name string
		src  string
		env  []string
		want configphp.Settings
	}{
		{
			name: "as Moodle's installer writes it",
			src: `<?php  // Moodle configuration file

unset($CFG);
global $CFG;
$CFG = new stdClass();

$CFG->dbtype    = 'mariadb';
$CFG->dblibrary = 'native';
$CFG->dbhost    = 'localhost';
$CFG->dbname    = 'moodle';
$CFG->dbuser    = 'moodleuser';
$CFG->dbpass    = 'p\'a"\\s$w{$o}rd';
$CFG->prefix    = 'mdl_';
$CFG->dboptions = array (
  'dbpersist' => 0,
  'dbport' => 3307,
  'dbsocket' => '',
  'dbcollation' => 'utf8mb4_unicode_ci',
);

$CFG->wwwroot   = 'https://moodle.example.org';
$CFG->directorypermissions = 02777;

require_once(__DIR__ . '/lib/setup.php');

// There is no php closing tag in this file,
$CFG->dbname = 'after setup.php it is too late';
`,
			want: configphp.Settings{
				DBType: "mariadb", DBLibrary: "native", DBHost: "localhost", DBName: "moodle",
				DBUser: "moodleuser", DBPass: `p'a"\s$w{$o}rd`, Prefix: "mdl_", Port: 3307, Collation: "utf8mb4_unicode_ci",
				Options: map[string]any{"dbpersist": int64(0), "dbport": int64(3307), "dbsocket": "", "dbcollation": "utf8mb4_unicode_ci"},
			},
		},
		{
			name: "PostgreSQL with schema, port as string and nested arrays",
			src: `<?php $CFG = (object) ['dbtype' => 'pgsql', 'dbname' => 'm'];
$CFG->dboptions = ['dbschema' => 'lms', 'dbport' => '5433', 'dbsocket' => true, 'ssl' => 'verify-full',
  'readonly' => ['instance' => [['dbhost' => 'ro1'], 'ro2'], 'latency' => 1]];`,
			want: configphp.Settings{
				DBType: "pgsql", DBName: "m", Port: 5433, Schema: "lms", DefaultSocket: true, SSL: "verify-full",
				Options: map[string]any{
					"dbschema": "lms", "dbport": "5433", "dbsocket": true, "ssl": "verify-full",
					"readonly": map[string]any{
						"instance": map[string]any{"0": map[string]any{"dbhost": "ro1"}, "1": "ro2"},
						"latency":  int64(1),
					},
				},
			},
		},
		{
			name: "environment with defaults, concatenation, constants and variables",
			src: `<?php
define('DBPREFIX', 'm' . 'dl');
const SUFFIX = '_';
$name = 'moodle' . 45;
$CFG->dbtype = getenv('DBTYPE') ?: 'mysqli';
$CFG->dbhost = $_ENV['DBHOST'] ?? "db.example";
$CFG->dbname = $name;
$CFG->dbuser = getenv('DBUSER');
$CFG->dbpass = isset($x) && false; /* overwritten below */
$CFG->dbpass = <<<'PW'
    se$cret
    PW;
$CFG->prefix = DBPREFIX . SUFFIX;
`,
			env: []string{"DBTYPE", "auroramysql", "DBUSER", "u"},
			want: configphp.Settings{
				DBType: "auroramysql", DBHost: "db.example", DBName: "moodle45", DBUser: "u", DBPass: "se$cret", Prefix: "mdl_",
			},
		},
		{
			name: "the last assignment counts, elements are set and unset",
			src: base + `$CFG->dboptions['dbport'] = 1; $CFG->dboptions['dbport'] = 2; $CFG->dboptions['dbschema'] = 'x';
unset($CFG->dboptions['dbschema'], $CFG->other);
if (true) { $CFG->dbname = 'conditional'; }
$CFG->dbname = 'last';`,
			want: configphp.Settings{
				DBType: "mariadb", DBName: "last", DBHost: "db", Port: 2,
				Options: map[string]any{"dbport": int64(2), "dbschema": nil},
			},
		},
		{
			name: "code that does not concern the database",
			src: "#!/usr/bin/php\n" + base + `
# a comment ?> text <?= $CFG->wwwroot ?> more <?php
if (!defined('CLI_SCRIPT')): $CFG->sslproxy = $_SERVER['X']; elseif (1): foo(); else: bar(); endif;
foreach (['a' => 1] as $k => $v) { $CFG->debug = $v; }
switch ($a) { case 'x': $CFG->y = 1; break; default: $CFG->y = 2; }
function f(array &$x, ?int $y = null): ?string { return $x['dbhost'] ?? "{$y}"; }
abstract class A { const X = 1; public $CFG; function g() {} }
$f = function () use ($CFG) { return 1; }; $g = fn($x) => $x * 2; $h = static fn() => 1;
[$p, $q] = [1, 2]; list($r) = explode(',', 'a');
$m = match (true) { default => 1 };
try { $o = new Foo\Bar(1); $o->run()->x['y'] = Foo::BAR; Foo::baz(); } catch (Exception $e) { die('x'); } finally {}
$CFG->alternative_component_cache = '/tmp' . DIRECTORY_SEPARATOR;
@ini_set('display_errors', '1'); $i++; --$i; $s = ` + "`ls`" + `;
$CFG->session_handler_class = '\core\session\redis'; $CFG->x = 1.5e3 + 0x1F;
defined('MOODLE_INTERNAL') || die();
#[Attribute] function z() {}
$CFG->divertallemailsto = "root@$host"; return; $CFG->dbname = 'never';`,
			want: configphp.Settings{DBType: "mariadb", DBName: "moodle", DBHost: "db"},
		},
		{
			name: "double-quoted escapes and heredoc",
			src:  base + `$CFG->dbpass = "a\tb\x41\101\u{1F600}\$x\q$ pa$1"; $CFG->dbuser = <<<"E"` + "\n  one\n    \"two\\\\\"\n  E . '!';",
			want: configphp.Settings{
				DBType: "mariadb", DBName: "moodle", DBHost: "db", DBPass: "a\tbAA\U0001F600$x\\q$ pa$1", DBUser: "one\n  \"two\\\"!",
			},
		},
		{
			name: "socket path, collation that nobody needs to know",
			src:  base + `$CFG->dboptions = ['dbsocket' => '/run/db.sock', 'dbcollation' => getenv('NOT_SET'), 'dbport' => ''];`,
			want: configphp.Settings{
				DBType: "mariadb", DBName: "moodle", DBHost: "db", Socket: "/run/db.sock",
				Options: map[string]any{"dbsocket": "/run/db.sock", "dbport": ""},
			},
		},
		{
			name: "included files are reported",
			src:  base + `if (1) include('local.php'); require_once(dirname(__FILE__) . '/common.php'); require(dirname(dirname(__FILE__)) . '/lib/setup.php'); include 'x';`,
			want: configphp.Settings{
				DBType: "mariadb", DBName: "moodle", DBHost: "db",
				Includes: []configphp.Include{
					{Path: "local.php", Line: 4, Conditional: true},
					{Path: "/srv/moodle/common.php", Line: 4},
				},
			},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := configphp.Parse([]byte(test.src), "/srv/moodle/config.php", env(test.env...))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("settings differ (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	tests := []struct {
		name string
		src  string
		want []string // each must be in the error
	}{
		{"set by a function", base + `$CFG->dbpass = secret_store('db');`, []string{"config.php:4: $CFG->dbpass:", "function secret_store"}},
		{"set in a condition", base + "if ($x) {\n  $CFG->dbname = 'b';\n}", []string{"config.php:5: $CFG->dbname:", "inside a condition"}},
		{"set in a condition without braces", base + "if ($x) $CFG->dbname = 'b';", []string{"config.php:4: $CFG->dbname:"}},
		{"set in the condition itself", base + "if ($CFG->dbname = f()) {}", []string{"config.php:4: $CFG->dbname:"}},
		{"set in a switch", base + "switch ($h) { case 'a': $CFG->dbhost = 'b'; break; }", []string{"config.php:4: $CFG->dbhost:"}},
		{"set in a function", base + "function f() { global $CFG; $CFG->dbhost = 'b'; }", []string{"config.php:4: $CFG->dbhost:", "inside a function"}},
		{"set after &&", base + "PHPUNIT_TEST && $CFG->prefix = 'phpu_';", []string{"config.php:4: $CFG->prefix:"}},
		{"an option set in a condition", base + "if ($x) { $CFG->dboptions['dbport'] = 1; }", []string{"config.php:4: $CFG->dboptions['dbport']:"}},
		{"a name in a variable", base + "foreach ($a as $k => $v) { $CFG->$k = $v; }", []string{"config.php:4: $CFG->dbhost:", "in a variable"}},
		{"environment variable not set", base + "$CFG->dbpass = getenv('DBPASS');", []string{"config.php:4: $CFG->dbpass:", "environment variable DBPASS is not set"}},
		{"?? does not replace getenv's false", base + "$CFG->dbuser = getenv('U') ?? 'x';", []string{"environment variable U is not set"}},
		{"a variable set by a loop", base + "$n = 'a'; foreach ($l as $n) {} $CFG->dbname = $n;", []string{"config.php:4: $CFG->dbname:"}},
		{"a variable set in a condition", base + "$n = 'a'; if ($n = f()) {} $CFG->dbname = $n;", []string{"config.php:4: $CFG->dbname:"}},
		{"a string with a variable", base + `$CFG->dbname = "moodle_$branch";`, []string{"config.php:4: $CFG->dbname:", "string with variables"}},
		{"a condition chooses", base + `$CFG->dbname = $x ? 'a' : 'b';`, []string{"config.php:4: $CFG->dbname:", "depends on a condition"}},
		{"$CFG is handed on", base + `setup_db($CFG);`, []string{"config.php:4: $CFG->dbname:", "handed on"}},
		{"a missing semicolon", base + "$CFG->dbhost = 'x'\n$CFG->dbname = 'y';", []string{"config.php:4: $CFG->dbhost:", "not understood", "line 5"}},
		{"several at once", base + "$CFG->dbhost = f();\n$CFG->dbuser = f();", []string{"config.php:4:", "config.php:5:"}},
		{"not a config.php", `<?php echo 1;`, []string{"config.php: $CFG->dbtype: is not set", "config.php of a Moodle"}},
		{"settings in another file", "<?php\nrequire('db.php');", []string{"line 2 reads db.php"}},
		{"a database we do not speak", `<?php $CFG->dbtype = 'sqlsrv'; $CFG->dbname = 'm';`, []string{"config.php:1: $CFG->dbtype:", `"sqlsrv"`}},
		{"an unknown database", `<?php $CFG->dbtype = 'postgres7'; $CFG->dbname = 'm';`, []string{`"postgres7" is no database type of Moodle`}},
		{"an empty name", `<?php $CFG->dbtype = 'pgsql'; $CFG->dbname = '';`, []string{"config.php:1: $CFG->dbname: is empty"}},
		{"an empty type", `<?php $CFG->dbtype = ''; $CFG->dbname = 'm';`, []string{"config.php:1: $CFG->dbtype: is empty"}},
		{"a bad port", base + `$CFG->dboptions = ['dbport' => 'abc'];`, []string{"config.php:4: $CFG->dboptions['dbport']:", "1 to 65535"}},
		{"a bad socket", base + `$CFG->dboptions = ['dbsocket' => 'x'];`, []string{"dboptions['dbsocket']", "absolute path"}},
		{"options that are no array", base + `$CFG->dboptions = 'x';`, []string{"config.php:4: $CFG->dboptions: is no array"}},
		{"a host that is an array", base + `$CFG->dbhost = ['a'];`, []string{"config.php:4: $CFG->dbhost: is no string"}},
		{"an open string", "<?php\n$CFG->dbpass = 'topsecret;\n", []string{"config.php:2:", "closing quote"}},
		{"an open comment", "<?php\n/* x", []string{"config.php:2:", "comment"}},
		{"an open heredoc", "<?php\n$x = <<<E\n x", []string{"config.php:2:", "heredoc"}},
		{"an open block", "<?php\nif ($x) {\n$y = 1;", []string{"config.php:2:", `"{" without its "}"`}},
		{"endless nesting", "<?php " + strings.Repeat("[", 5000), []string{"config.php:1:"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := configphp.Parse([]byte(test.src), "config.php", env())
			if err == nil {
				t.Fatalf("no error, settings %v", got)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error does not say %q:\n%v", want, err)
				}
			}
			var e *configphp.Error
			if !errors.As(err, &e) {
				t.Errorf("error is %T, not *configphp.Error", err)
			}
			if strings.Contains(err.Error(), "topsecret") {
				t.Errorf("error shows a password:\n%v", err)
			}
		})
	}
}

func TestPasswordIsHidden(t *testing.T) {
	s, err := configphp.Parse([]byte(base+`$CFG->dbpass = 'topsecret';`), "config.php", env())
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if text := fmt.Sprintf(verb, s); strings.Contains(text, "topsecret") {
			t.Errorf("%s shows the password: %s", verb, text)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(base + `$CFG->dboptions = array('a' => ['b', 1 => 2]); require_once('lib/setup.php');`)
	f.Add("<?php if ($x): ?> a <?php else: ?> b <?php endif; $CFG->{'a'} = <<<E\n  x\n  E;")
	f.Add("<?php $CFG->x['a'][] .= \"\\u{41}$\" ?: getenv('A') ?? fn() => match(1) {}; function f() {}")
	f.Add("<?php switch (1): case 2: default: endswitch; [$a] = list($CFG->b) = $$c; `x` @~-+!1;")
	f.Fuzz(func(t *testing.T, src string) {
		s, err := configphp.Parse([]byte(src), "config.php", env("A", "b"))
		if err == nil && (s.DBType == "" || s.DBName == "") {
			t.Errorf("neither settings nor error of %q", src)
		}
	})
}

func ExampleParse() {
	src := `<?php
$CFG->dbtype = 'mariadb';
$CFG->dbhost = 'db.example.org';
$CFG->dbname = 'moodle';
$CFG->prefix = 'mdl_';
require_once(__DIR__ . '/lib/setup.php');
`
	s, err := configphp.Parse([]byte(src), "config.php", func(string) string { return "" })
	fmt.Println(s.DBType, s.DBHost, s.DBName, s.Prefix, err)
	// Output: mariadb db.example.org moodle mdl_ <nil>
}
