package migrate

import (
	"time"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/copy"
	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/ownership"
	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/schema"
)

// Mode is one of the ways to migrate.
type Mode string

// The modes.
const (
	// Staged: make the schema in a staging schema, load it, publish it.
	Staged Mode = "staged"
	// Direct: make the schema in an existing schema and load it there.
	Direct Mode = "direct"
	// DataOnly: load into tables that exist.
	DataOnly Mode = "data-only"
)

// Plan is everything that a migration will do.
type Plan struct {
	Mode   Mode
	Source Endpoint
	Target Endpoint
	// Prefix is that of the site's tables, such as "mdl_".
	Prefix string
	// Load is the schema that is loaded into; Publish is the one that it
	// becomes at the end, the same when the mode is not Staged.
	Load    string
	Publish string
	// Owner is the role that gets everything; empty means the connected role.
	Owner  string
	Jobs   int
	Memory int64
	// Chunk is the size of the parts in which large tables are copied, in bytes.
	Chunk int64
	// Patience is how long the run waits for what may pass while nothing gets on.
	Patience time.Duration
	// Verify says whether what arrived is read back before it is published.
	Verify VerifyMode
	// Sample is the share of each table that is read again by another client, in percent; 0 for none.
	Sample float64
	// Policy says what happens to values that PostgreSQL cannot hold.
	Policy copy.Policy
	// Resume is the unfinished run that goes on; nil for a new one.
	Resume *Resumption
	// Tool is the version of the program.
	Tool string
	// Snapshot says how one moment of the source will be had.
	Snapshot SnapshotPlan
	// Replace and Truncate are the permissions that the user gave.
	Replace  bool
	Truncate bool

	// Prepare are the statements that come before the tables.
	Prepare []string
	// Tables are sorted by Bytes, largest first, then by name.
	Tables []Table
	// Publishing are the statements that hand the result over at the end.
	Publishing []string
	// LeftOut lists what the source has and the target will not get.
	LeftOut []LeftOut
	// Overwrites says, a line each, what the target has and will lose or see
	// renamed: what the user should be asked about.
	Overwrites []string
	// Findings are sorted, blockers first.
	Findings []Finding

	// loads are the tables of the run that goes on, as the ledger has them.
	loads []postgres.TableRecord
	// keeps says that a schema is renamed away when the staging schema is published.
	keeps bool
	// dropsStaging says that the staging schema of an unfinished run is dropped first.
	dropsStaging bool
}

// Resumption is the unfinished run that a plan goes on with.
type Resumption struct {
	Run int64
	// Attempts counts how often it was started or resumed before.
	Attempts int
	Started  time.Time
	// Frozen says that the user vouches for a source that was not written to since.
	Frozen bool

	record postgres.RunRecord
}

// handing is the plan in the words of package ownership.
func (p *Plan) handing() ownership.Options {
	o := ownership.Options{Schema: p.Publish, Owner: p.Owner, Replace: p.Replace}
	if p.Mode == Staged {
		o.Staging = p.Load
	}
	return o
}

// SnapshotPlan says how all readers shall see one moment of the source.
type SnapshotPlan struct {
	Mode mysql.SnapshotMode
	// Readers is the number of readers.
	Readers int
	// Ways are the ways that settings and rights leave, in the order in which
	// they are tried; each is one of those that a [Snapshot] can have come by.
	Ways []mysql.SnapshotMethod
	// Locked are the source's tables without transactions that are locked from
	// before the snapshot until they are copied; Unlocked are those that are
	// read without, because the user said so.
	Locked   []string
	Unlocked []string
}

// readers is the number of readers that the plan has work for.
func (p *Plan) readers() int { return max(1, min(p.Jobs, len(p.Tables))) }

// Endpoint is one end of a migration.
type Endpoint struct {
	Engine  schema.Engine
	Version string
	// Address is user@host:port/database, without a password.
	Address  string
	Database string
}

// Table is the plan of one table.
type Table struct {
	// Source is the table's name at the source; empty when the table is only created.
	Source string
	// Target is its name in the schema that is loaded.
	Target string
	// Short is the name without the prefix, as the user's patterns see it.
	Short string
	// Declared tells a table of install.xml from one converted from the live source.
	Declared bool
	Origin   schema.Origin
	// Copy says whether rows are copied; Reason says why not.
	Copy   bool
	Reason string
	// Columns are the columns that are copied, in the order of the target's.
	Columns []Column
	// Query and CopySQL are the two statements of the copy.
	Query   string
	CopySQL string
	// NoTransactions is set for a table that no snapshot covers.
	NoTransactions bool
	// KeyOrdered says that Query sorts by the primary key.
	KeyOrdered bool
	// Chunks are the parts by key in which the table is copied; none when it is copied as a whole.
	Chunks []Chunk
	// Before are the statements that make the table, or that ready it for loading.
	Before []string
	// After are the statements that build keys and indexes once the rows are in.
	After []Build
	// Constraints are the foreign keys and checks, made when all tables are loaded.
	Constraints []string
	// Sequences are set after the rows are in.
	Sequences []Sequence
	// Finish are the statements that complete the table.
	Finish []string
	// Rows and Bytes are the source's estimates; 0 when it has none.
	Rows  int64
	Bytes int64

	target  schema.Table
	source  schema.Table
	creates bool
	// creation is the statement that makes the table.
	creation string
	// freezeSQL is the statement of the copy when the table is emptied, or made, in the same
	// transaction; empty when it is not.
	freezeSQL string
	// expressions select the columns; key is what the table is divided by.
	expressions []string
	key         mysql.ChunkKey
	divisible   bool
	// position is the place of the table among those that are made: see creationOrder.
	position int
}

// Chunk is a part of a table.
type Chunk struct {
	mysql.Range
	// Where is its predicate at the source.
	Where string
}

// Column is one copied column.
type Column struct {
	Source string
	Target string
	// Rule is the name of the value rule.
	Rule string
	// Key marks the columns of the primary key (or of a unique key), by which rows are named in errors.
	Key bool

	rule convert.ValueRule
}

// Build makes one key or index.
type Build struct {
	Name      string
	Statement string

	// entry is set while a run builds what data-only had put aside.
	entry *postgres.JournalEntry
	// exclusive says that Statement needs the table for itself.
	exclusive bool
	// index makes only the index of a key, and attach makes the key of it; empty where that cannot be.
	index, attach string
}

// Sequence is a sequence and the column that it feeds.
type Sequence struct {
	Name   string
	Column string
	// Next is the least next value, the source's AUTO_INCREMENT; 0 when it has none.
	Next uint64
}

// LeftOut is something at the source that is not migrated.
type LeftOut struct {
	Name string
	// Kind is "view", "table", "sequence", "trigger" and so on.
	Kind   string
	Reason string
}

// Severity says how much a finding matters.
type Severity string

// The severities. A plan with a Blocker cannot be run.
const (
	Blocker Severity = "blocker"
	Warning Severity = "warning"
	Info    Severity = "info"
)

// Finding is something that the user should know before a migration.
type Finding struct {
	// Code is permanent, such as "target-not-empty".
	Code      string
	Severity  Severity
	Component string
	// File and Line point into the site's code, when that is where it stands.
	File    string
	Line    int
	Table   string
	Object  string
	Message string
	Hint    string
}

// Blocked reports whether the plan has a blocker.
func (p *Plan) Blocked() bool {
	for _, f := range p.Findings {
		if f.Severity == Blocker {
			return true
		}
	}
	return false
}

// Estimate sums the estimated rows and bytes of the tables that are copied.
func (p *Plan) Estimate() (rows, bytes int64) {
	for i := range p.Tables {
		if p.Tables[i].Copy {
			rows += p.Tables[i].Rows
			bytes += p.Tables[i].Bytes
		}
	}
	return rows, bytes
}
