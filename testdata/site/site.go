// Package site is moodledb's sample site: a small code tree in Moodle's layout
// with its own install.xml files, and the database that belongs to it.
//
// The demo and the tests use it. All of it was written for this project; the
// names of tables and columns are those of any Moodle site, the texts are not.
package site

import (
	"embed"
	"io/fs"
	"iter"
	"strings"
)

// Prefix is the prefix of the site's tables.
const Prefix = "mdl_"

//go:embed code
var code embed.FS

//go:embed site.sql
var sql string

// Code returns the site's code tree, as package xmldb reads it from a
// directory; os.CopyFS puts it into one.
func Code() fs.FS {
	sub, err := fs.Sub(code, "code")
	if err != nil {
		panic(err) // cannot happen: the name is a valid path
	}
	return sub
}

// SQL returns the site's database as one script for the command-line client of
// MySQL or MariaDB. It loads into the current database, which should be empty.
func SQL() string { return sql }

// Statements returns the statements of [SQL] one by one, without their
// semicolons. They belong on one connection, since the first ones set up the session.
func Statements() iter.Seq[string] {
	return func(yield func(string) bool) {
		for s := range strings.SplitSeq(sql, ";\n") {
			if s = strings.TrimSpace(s); s != "" && !yield(s) {
				return
			}
		}
	}
}
