package proof

import (
	"github.com/moodledb/moodledb/dsn"
	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/xmldb"
)

// Source is one of the two databases, and what of it is compared.
type Source struct {
	DSN dsn.DSN
	// Prefix is that of the site's tables; nil to find it.
	Prefix *string
	// Schema is PostgreSQL's; empty for the one that the place names, else the
	// first on the search path that exists.
	Schema string
}

// Options tune a comparison. The zero value compares everything.
type Options struct {
	// Include and Exclude are globs on names without the prefix; no Include means all.
	Include, Exclude []string
	// Sample is the share of the parts that is compared, in percent; 0 means 100.
	Sample float64
	// Seed chooses the sample.
	Seed uint64
	// SinceID is the least id that is compared; 0 for all.
	SinceID int64
	// Jobs is how many parts are compared at once, each with a session on either
	// side; 0 means by the number of cores.
	Jobs int
	// Memory bounds what is allocated, in bytes; 0 means 256 MiB.
	Memory int64
	// Snapshot is what may be done so that all readers of MySQL see one moment.
	Snapshot mysql.SnapshotMode
	// MaxDifferences is how many differing rows of each table are listed; 0 means 20, negative none.
	MaxDifferences int
	// Site is what the site's code declares; nil when that is not known.
	Site *xmldb.Site
	// Tool is the version of moodledb, for the result.
	Tool string
	// Events, when set, is told what happens, one event at a time; it must return soon.
	Events func(Event)

	// part is the size of the parts of large tables in bytes; 0 means [partBytes]. Tests make it small.
	part int64
}
