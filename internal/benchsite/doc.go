// Package benchsite makes a source of Moodle's shape of any size, migrates it
// with moodledb and with whatever else is there (a pipe of the servers' own
// clients, pgloader, pgferry), and compares all of them with the floor: the
// least that reading, writing and indexing the same rows costs the servers.
//
// Everything is measured in one run, alternating, on private servers that are
// removed afterwards. What stays is a [Result], which the package prints as a
// table, as JSON and as a section of a Markdown page.
//
// The measurements read /proc and so need Linux; the package compiles everywhere.
package benchsite
