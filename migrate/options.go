package migrate

import (
	"errors"
	"fmt"
	"path"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/moodledb/moodledb/copy"
	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/xmldb"
)

// DefaultMemory is the default of Options.Memory, in bytes.
const DefaultMemory = 256 << 20

// DefaultChunk is the default of Options.Chunk, in bytes. What a lost connection
// or a kill costs is at most one chunk a stream.
const DefaultChunk = 64 << 20

// DefaultPatience is the default of Options.Patience.
const DefaultPatience = 3 * time.Minute

// MinChunk is the least that Options.Chunk may be, in bytes.
const MinChunk = 64 << 10

// MinMemory is the least that Options.Memory may be, in bytes.
const MinMemory = 32 << 20

// Options say what to migrate and how. The zero value migrates the whole site
// through a staging schema.
type Options struct {
	// Site is what the site's code declares. It may be nil only with DataOnly.
	Site *xmldb.Site
	// Prefix is the prefix of the site's tables; nil means to find it.
	Prefix *string
	// Schema, when set, names the schema to load straight into, without staging and publishing.
	Schema string
	// Publish is the schema that the staging schema becomes; empty means "public".
	Publish string
	// Owner is the role that gets everything; empty means the connected role.
	Owner string
	// Jobs is the number of tables copied at once; 0 means one more than the machine's cores.
	Jobs int
	// Include, Exclude and SkipData are globs on table names without the prefix, as [path.Match] reads them.
	// Include, when not empty, limits the tables; Exclude leaves tables out;
	// SkipData creates tables but copies none of their rows.
	Include  []string
	Exclude  []string
	SkipData []string
	// DataOnly loads into the tables that Moodle's own installer made.
	DataOnly bool
	// Truncate allows DataOnly to empty the tables that it loads.
	Truncate bool
	// Replace allows a published schema that holds tables to be renamed away,
	// and, without Resume, the staging schema of an unfinished run to be dropped.
	Replace bool
	// Snapshot says what may be done so that all readers see one moment of the
	// source; empty means [mysql.SnapshotAuto].
	Snapshot mysql.SnapshotMode
	// Resume goes on with the unfinished run that loads into the same schema.
	Resume bool
	// SourceFrozen says, for Resume, that nothing was written at the source since
	// that run began: where that cannot be shown, what is loaded is kept all the same.
	SourceFrozen bool
	// Policy says what happens to values that PostgreSQL cannot hold.
	Policy copy.Policy
	// Chunk is the size of the parts in which large tables are copied, in bytes; 0 means [DefaultChunk].
	Chunk int64
	// Verify says whether what arrived is read back; empty means [VerifyAll].
	Verify VerifyMode
	// Sample is the share of each table that is read again at the source by
	// another client and encoded by other code, in percent; at least one part of
	// each. 0 means [DefaultSample], and less than that none.
	Sample float64
	// Tool is the version of the program, for the ledger.
	Tool string
	// Memory bounds the bytes that copying holds; 0 means [DefaultMemory].
	Memory int64
	// Patience is how long a run waits for a target that is lost, or for anything
	// else that may pass, while nothing gets on; 0 means [DefaultPatience].
	Patience time.Duration
}

// VerifyMode says whether what arrived is read back and compared.
type VerifyMode string

// The modes of verification within a run.
const (
	// VerifyAll: every table is read back, and counted by the source.
	VerifyAll VerifyMode = "all"
	// VerifyNone: none is. That is the user's choice, and is reported.
	VerifyNone VerifyMode = postgres.VerifyNone
)

// VerifyModes lists the modes.
func VerifyModes() []VerifyMode { return []VerifyMode{VerifyAll, VerifyNone} }

// ErrUsage marks an error in the options.
var ErrUsage = errors.New("wrong option")

func usagef(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrUsage, fmt.Sprintf(format, args...))
}

// withDefaults returns o completed and checked.
func (o Options) withDefaults() (Options, error) {
	if o.Jobs == 0 {
		o.Jobs = runtime.NumCPU() + 1
	}
	if o.Memory == 0 {
		o.Memory = DefaultMemory
	}
	if o.Chunk == 0 {
		o.Chunk = DefaultChunk
	}
	if o.Patience == 0 {
		o.Patience = DefaultPatience
	}
	if o.Snapshot == "" {
		o.Snapshot = mysql.SnapshotAuto
	}
	if o.Verify == "" {
		o.Verify = VerifyAll
	}
	switch {
	case o.Verify == VerifyNone:
		o.Sample = -1
	case o.Sample == 0:
		o.Sample = DefaultSample
	}
	if o.Publish == "" {
		o.Publish = "public"
	}
	switch {
	case o.Jobs < 0:
		return o, usagef("jobs must be positive, not %d", o.Jobs)
	case o.Patience < 0:
		return o, usagef("patience must be positive, not %s", o.Patience)
	case o.Memory < MinMemory:
		return o, usagef("memory must be at least %d MiB", MinMemory>>20)
	case o.Chunk < MinChunk:
		return o, usagef("chunk must be at least %d KiB", MinChunk>>10)
	case !slices.Contains(VerifyModes(), o.Verify):
		return o, usagef("what arrived is verified by all or none, not by %q", o.Verify)
	case o.Sample > 100:
		return o, usagef("a sample has at most 100 percent, not %g", o.Sample)
	case o.SourceFrozen && !o.Resume:
		return o, usagef("source-frozen goes with resume")
	case !slices.Contains(mysql.SnapshotModes(), o.Snapshot):
		return o, usagef("a snapshot is taken by auto, lock or none, not by %q", o.Snapshot)
	case o.Site == nil && !o.DataOnly:
		return o, usagef("the site's code is needed to make its schema; name its directory, or load data only into tables that exist")
	case o.Truncate && !o.DataOnly:
		return o, usagef("truncate goes with data-only")
	case o.Replace && o.DataOnly:
		return o, usagef("replace does not go with data-only; use truncate")
	case o.Replace && o.Schema != "":
		return o, usagef("replace does not go with a schema that is loaded straight into")
	}
	for _, patterns := range [][]string{o.Include, o.Exclude, o.SkipData} {
		for _, p := range patterns {
			if _, err := path.Match(p, ""); err != nil || p == "" {
				return o, usagef("%q is no pattern: use a table name without prefix, with * ? and [a-z]", p)
			}
		}
	}
	return o, nil
}

// match reports whether any of the patterns matches name.
func match(patterns []string, name string) bool {
	for _, p := range patterns {
		if ok, err := path.Match(p, name); err == nil && ok {
			return true
		}
	}
	return false
}

// unmatched returns those patterns that match none of the names.
func unmatched(patterns, names []string) []string {
	var out []string
	for _, p := range patterns {
		found := false
		for _, n := range names {
			if match([]string{p}, n) {
				found = true
				break
			}
		}
		if !found {
			out = append(out, p)
		}
	}
	return out
}

// isGlob reports whether p has a wildcard, so that matching nothing may be meant.
func isGlob(p string) bool { return strings.ContainsAny(p, `*?[\`) }
