package proof

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path"
	"runtime"
	"slices"

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
	// Jobs is how many parts of each side are read at once, each by a session of its
	// own; 0 means by the number of cores.
	Jobs int
	// Memory bounds what is allocated, in bytes, and is at least [MinMemory]; 0 means 256 MiB.
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

// ErrUsage marks an error in the options.
var ErrUsage = errors.New("wrong option")

func usagef(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrUsage, fmt.Sprintf(format, args...))
}

// defaultMemory is the default of Options.Memory, in bytes.
const defaultMemory = 256 << 20

// MinMemory is the least that Options.Memory may be, in bytes.
const MinMemory = 16 << 20

// withDefaults returns o completed and checked.
func (o Options) withDefaults() (Options, error) {
	if o.Jobs == 0 {
		o.Jobs = runtime.NumCPU()
	}
	if o.Memory == 0 {
		o.Memory = defaultMemory
	}
	if o.Snapshot == "" {
		o.Snapshot = mysql.SnapshotAuto
	}
	if o.Sample == 0 {
		o.Sample = 100
	}
	if o.Sample < 100 && o.Seed == 0 {
		o.Seed = rand.Uint64() //nolint:gosec // a sample is no secret
	}
	switch {
	case o.Jobs < 0:
		return o, usagef("jobs must be positive, not %d", o.Jobs)
	case o.Memory < MinMemory:
		return o, usagef("memory must be at least %d MiB", MinMemory>>20)
	case o.Sample < 0 || o.Sample > 100:
		return o, usagef("a sample is more than 0 and at most 100 percent, not %g", o.Sample)
	case o.SinceID < 0:
		return o, usagef("an id is positive, not %d", o.SinceID)
	case !slices.Contains(mysql.SnapshotModes(), o.Snapshot):
		return o, usagef("a snapshot is taken by auto, lock or none, not by %q", o.Snapshot)
	}
	for _, p := range slices.Concat(o.Include, o.Exclude) {
		if _, err := path.Match(p, ""); err != nil || p == "" {
			return o, usagef("%q is no pattern: use a table name without prefix, with * ? and [a-z]", p)
		}
	}
	return o, nil
}
