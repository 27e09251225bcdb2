package drift

import (
	"time"

	"github.com/moodledb/moodledb/diff"
	"github.com/moodledb/moodledb/ignore"
	"github.com/moodledb/moodledb/schema"
)

// EndKind says what a schema was read from.
type EndKind string

// What a schema is read from.
const (
	Code   EndKind = "code"
	Server EndKind = "server"
	Dump   EndKind = "dump"
)

// End is one of the two sides of a comparison.
type End struct {
	Kind EndKind
	// Engine is the engine that the schema is for.
	Engine schema.Engine
	// Version is the server's version, or the one that a dump names.
	Version string
	// Address is host and port, or the socket. Servers only.
	Address string
	// Database and Schema are those of a server or a dump; Schema is PostgreSQL's.
	Database string
	Schema   string
	// File is the code's directory or the dump's file.
	File string
}

// Notice is something to know about the comparison itself, such as an ignore
// rule that matches nothing.
type Notice struct {
	// Code is permanent.
	Code     string
	Severity diff.Severity
	// File and Line say where; empty and 0 where it is in no file.
	File    string
	Line    int
	Message string
	Hint    string
}

// Result is what a comparison found.
type Result struct {
	// Expected is what should be, Found what is.
	Expected, Found End
	Prefix          string
	// Product and Release are those of the code, such as "moodle" and "4.5.5
	// (Build: 20250609)"; empty when no code was given.
	Product, Release string
	// Tables is the number of expected tables.
	Tables int
	// Changes are those to report: neither ignored nor accepted by the baseline.
	Changes []diff.Change
	// Ignored are those that a rule of the ignore file takes out.
	Ignored []ignore.Ignored
	// Known are those that the baseline accepts.
	Known []diff.Change
	// Gone counts the entries of the baseline that are no differences any more.
	Gone    int
	Notices []Notice
	// FailOn is the least severity that fails the comparison, empty for none;
	// Failed says that there is a change, or an expired rule, that does.
	FailOn diff.Severity
	Failed bool
	// Fixes undo the changes; only where they were asked for.
	Fixes   []diff.Fix
	Started time.Time
	Elapsed time.Duration
}
