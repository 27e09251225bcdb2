// Package configphp reads the database settings of a Moodle or Totara
// config.php without running PHP.
//
// It understands what such files are made of - literals, arrays of them,
// concatenations, variables that hold them, getenv, __DIR__ and dirname - and
// says file and line of a setting whose value only PHP itself could compute. It
// opens no other file and connects to nothing.
package configphp

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Settings are the database settings of one config.php.
type Settings struct {
	// DBType is "mysqli", "mariadb", "auroramysql" or "pgsql".
	DBType    string
	DBLibrary string
	DBHost    string
	DBName    string
	DBUser    string
	DBPass    Password
	// Prefix is the prefix of table names; empty when the file sets none, as Moodle has it.
	Prefix string
	// Port, Socket, DefaultSocket, Schema, Collation and SSL are those of
	// $CFG->dboptions: dbport (0 when not given), the path in dbsocket,
	// whether dbsocket is true, dbschema, dbcollation, ssl.
	Port          int
	Socket        string
	DefaultSocket bool
	Schema        string
	Collation     string
	SSL           string
	// Options is all of $CFG->dboptions: strings, int64, bool, nil and nested
	// maps; elements that only PHP could compute are left out.
	Options map[string]any
	// Includes are the files that config.php reads before lib/setup.php. They may change any setting.
	Includes []Include
}

// Password is $CFG->dbpass; it prints as a mask.
type Password string

// String returns a mask, or "" for an empty password.
func (p Password) String() string {
	if p == "" {
		return ""
	}
	return "xxxxx"
}

// GoString returns a mask, for the verb %#v.
func (p Password) GoString() string { return `"` + p.String() + `"` }

// MarshalText returns a mask, for encoding/json and log/slog.
func (p Password) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// Include is an include or require of a file other than lib/setup.php.
type Include struct {
	// Path is empty when only PHP could compute it.
	Path string
	Line int
	// Conditional is set when the file is only read under some condition.
	Conditional bool
}

// Error says what a config.php has that cannot be read, and where.
type Error struct {
	File string
	// Line is 1-based; 0 when the whole file is meant.
	Line int
	// Setting is the setting concerned, such as "$CFG->dbhost"; empty for a syntax error.
	Setting string
	Message string
	// Hint says what to do next.
	Hint string
}

// Error implements error. The text holds no value of any setting.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d", e.Line)
	}
	b.WriteString(": ")
	if e.Setting != "" {
		b.WriteString(e.Setting + ": ")
	}
	b.WriteString(e.Message)
	if e.Hint != "" {
		b.WriteString(" (" + e.Hint + ")")
	}
	return b.String()
}

// needed lists the settings that Settings is made of.
func needed() []string {
	return []string{"dbtype", "dblibrary", "dbhost", "dbname", "dbuser", "dbpass", "prefix", "dboptions"}
}

// hintURL is what helps when a setting cannot be read.
const hintURL = "give the database as a URL instead, such as mysql://user@host/database"

// Parse reads the source of a config.php. file is its path, for messages and
// for __DIR__; getenv looks up environment variables. Errors are *Error, joined
// when several settings cannot be read.
func Parse(src []byte, file string, getenv func(string) string) (Settings, error) {
	toks, err := lex(string(src), file)
	if err != nil {
		return Settings{}, err
	}
	p := &parser{
		toks: toks, file: file, getenv: getenv, levels: levels(),
		settings:  map[string]setting{},
		variables: map[string]value{},
		constants: map[string]value{},
	}
	if err := p.run(); err != nil {
		return Settings{}, err
	}
	r := reader{p: p}
	s := r.read()
	slices.SortStableFunc(r.errs, func(a, b *Error) int { return cmp.Compare(a.Line, b.Line) })
	errs := make([]error, len(r.errs))
	for i, e := range r.errs {
		errs[i] = e
	}
	if err := errors.Join(errs...); err != nil {
		return Settings{}, err
	}
	return s, nil
}

// reader turns what the parser knows into Settings and collects what is wrong.
type reader struct {
	p    *parser
	errs []*Error
}

// fail notes an error of a setting.
func (r *reader) fail(name string, line int, message, hint string) {
	r.errs = append(r.errs, &Error{File: r.p.file, Line: line, Setting: "$CFG->" + name, Message: message, Hint: hint})
}

// read computes the settings.
func (r *reader) read() Settings {
	s := Settings{
		DBType:    r.text("dbtype"),
		DBLibrary: lenient(r.p.settings["dblibrary"].value),
		DBHost:    r.text("dbhost"),
		DBName:    r.text("dbname"),
		DBUser:    r.text("dbuser"),
		DBPass:    Password(r.text("dbpass")),
		Prefix:    r.text("prefix"),
		Includes:  r.p.includes,
	}
	r.options(&s)
	for _, name := range []string{"dbtype", "dbname"} {
		at, set := r.p.settings[name]
		switch s, isText := text(at.value); {
		case !set:
			r.unset(name)
		case isText && s == "":
			r.fail(name, at.line, "is empty", hintURL)
		case isText && name == "dbtype":
			r.checkType(s, at.line)
		}
	}
	return s
}

// unset notes that a setting which must be there is not.
func (r *reader) unset(name string) {
	hint := "is this the config.php of a Moodle or Totara site? Else " + hintURL
	if len(r.p.includes) > 0 {
		in := r.p.includes[0]
		what := "another file"
		if in.Path != "" {
			what = in.Path
		}
		hint = fmt.Sprintf("line %d reads %s, which may set it: give that file, or %s", in.Line, what, hintURL)
	}
	r.fail(name, 0, "is not set", hint)
}

// checkType refuses the databases that moodledb does not speak to.
func (r *reader) checkType(dbtype string, line int) {
	switch dbtype {
	case "mysqli", "mariadb", "auroramysql", "pgsql":
	case "sqlsrv", "mssql", "oci", "sqlite3":
		r.fail("dbtype", line, fmt.Sprintf("%q is a database that moodledb does not read", dbtype),
			"it reads mysqli, mariadb, auroramysql and pgsql")
	default:
		r.fail("dbtype", line, fmt.Sprintf("%q is no database type of Moodle", dbtype),
			"moodledb reads mysqli, mariadb, auroramysql and pgsql")
	}
}

// text reads a setting that is a string; numbers and booleans are converted as PHP does it.
func (r *reader) text(name string) string {
	at := r.p.settings[name]
	return r.textOf(name, at.value, at.line)
}

// lenient converts a setting that no connection needs: what cannot be known is "".
func lenient(v value) string {
	s, _ := text(v)
	return s
}

// textOf converts a value to a string, or notes why it cannot.
func (r *reader) textOf(name string, v value, line int) string {
	if u, is := why(v); is {
		r.fail(name, u.line, "moodledb cannot know its value: "+u.why, hintURL)
		return ""
	}
	s, ok := text(v)
	if !ok {
		r.fail(name, line, "is no string", hintURL)
	}
	return s
}

// options reads $CFG->dboptions.
func (r *reader) options(s *Settings) {
	at := r.p.settings["dboptions"]
	if u, is := why(at.value); is {
		r.fail("dboptions", u.line, "moodledb cannot know its value: "+u.why, hintURL)
		return
	}
	if known, ok := truth(at.value); ok && !known {
		return // not set, or an empty array
	}
	a, ok := at.value.(*array)
	if !ok {
		r.fail("dboptions", at.line, "is no array", hintURL)
		return
	}
	s.Options = a.plain()
	option := func(key string) string {
		return r.textOf("dboptions['"+key+"']", a.values[key], at.line)
	}
	s.Schema = option("dbschema")
	s.Collation = lenient(a.values["dbcollation"])
	s.SSL = option("ssl")
	if s.SSL == "1" || s.SSL == "0" {
		s.SSL = "" // Moodle knows words only and ignores booleans
	}
	s.Port = r.port(option("dbport"), at.line)
	if on, isBool := a.values["dbsocket"].(bool); isBool {
		s.DefaultSocket = on
		return
	}
	switch socket := option("dbsocket"); {
	case socket == "0" || socket == "":
	case strings.HasPrefix(socket, "/"):
		s.Socket = socket
	case socket == "1":
		s.DefaultSocket = true
	default:
		r.fail("dboptions['dbsocket']", at.line, "is neither true, false nor an absolute path", hintURL)
	}
}

// port reads dbport, which Moodle leaves empty for the default.
func (r *reader) port(text string, line int) int {
	text = strings.TrimSpace(text)
	if text == "" || text == "0" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > 65535 {
		r.fail("dboptions['dbport']", line, "is no number from 1 to 65535", "correct it, or "+hintURL)
		return 0
	}
	return n
}
