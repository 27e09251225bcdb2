package report

import (
	"time"

	"github.com/moodledb/moodledb/migrate"
	"github.com/moodledb/moodledb/mysql"
)

// The versions of the documents. A field that is added leaves them as they
// are; a field that changes or goes makes the next number.
const (
	planSchema   = "moodledb.plan/1"
	resultSchema = "moodledb.migrate/1"
)

type planJSON struct {
	Schema        string         `json:"schema"`
	Mode          string         `json:"mode"`
	Blocked       bool           `json:"blocked"`
	Source        endpointJSON   `json:"source"`
	Target        endpointJSON   `json:"target"`
	Prefix        string         `json:"prefix"`
	LoadSchema    string         `json:"load_schema"`
	PublishSchema string         `json:"publish_schema"`
	Owner         string         `json:"owner"`
	Jobs          int            `json:"jobs"`
	MemoryBytes   int64          `json:"memory_bytes"`
	ChunkBytes    int64          `json:"chunk_bytes"`
	Verify        string         `json:"verify"`
	Sample        float64        `json:"sample_percent"`
	Policy        policyJSON     `json:"bad_values"`
	Resume        resumeJSON     `json:"resume"`
	Snapshot      planSnapshot   `json:"snapshot"`
	Replace       bool           `json:"replace"`
	Truncate      bool           `json:"truncate"`
	Estimate      totalsJSON     `json:"estimate"`
	Overwrites    []string       `json:"overwrites"`
	Prepare       []string       `json:"prepare"`
	Tables        []planTable    `json:"tables"`
	Publishing    []string       `json:"publishing"`
	LeftOut       []leftOutJSON  `json:"left_out"`
	Findings      []findingEntry `json:"findings"`
}

// policyJSON says what is done about values that PostgreSQL cannot hold: Rules by kind.
type policyJSON struct {
	Mode  string            `json:"mode"`
	Rules map[string]string `json:"rules"`
}

// resumeJSON is the run that a plan goes on with; Run is 0 for a new one.
type resumeJSON struct {
	Run      int64  `json:"run"`
	Attempts int    `json:"attempts"`
	Started  string `json:"started"`
	Frozen   bool   `json:"source_frozen"`
}

// chunkJSON is a part of a table: lower <= key < upper, as SQL literals of the source; none is an open end.
type chunkJSON struct {
	Lower []string `json:"lower"`
	Upper []string `json:"upper"`
	Where string   `json:"where"`
	Rows  int64    `json:"rows"`
	Bytes int64    `json:"bytes"`
}

type planSnapshot struct {
	Mode     string   `json:"mode"`
	Readers  int      `json:"readers"`
	Ways     []string `json:"ways"`
	Locked   []string `json:"locked_tables"`
	Unlocked []string `json:"unlocked_tables"`
}

type endpointJSON struct {
	Engine   string `json:"engine"`
	Version  string `json:"version"`
	Address  string `json:"address"`
	Database string `json:"database"`
}

type totalsJSON struct {
	Tables int   `json:"tables"`
	Rows   int64 `json:"rows"`
	Bytes  int64 `json:"bytes"`
}

type planTable struct {
	Name          string         `json:"name"`
	Source        string         `json:"source"`
	Target        string         `json:"target"`
	Declared      bool           `json:"declared"`
	Component     string         `json:"component"`
	File          string         `json:"file"`
	Line          int            `json:"line"`
	Copy          bool           `json:"copy"`
	Reason        string         `json:"reason"`
	Rows          int64          `json:"rows"`
	Bytes         int64          `json:"bytes"`
	Columns       []columnJSON   `json:"columns"`
	Query         string         `json:"query"`
	CopyStatement string         `json:"copy_statement"`
	KeyOrdered    bool           `json:"key_ordered"`
	Chunks        []chunkJSON    `json:"chunks"`
	Transactions  bool           `json:"transactions"`
	Before        []string       `json:"before"`
	After         []buildJSON    `json:"after"`
	Constraints   []string       `json:"constraints"`
	Sequences     []sequenceJSON `json:"sequences"`
	Finish        []string       `json:"finish"`
}

type columnJSON struct {
	Source string `json:"source"`
	Target string `json:"target"`
	Rule   string `json:"rule"`
	Key    bool   `json:"key"`
}

type buildJSON struct {
	Name      string `json:"name"`
	Statement string `json:"statement"`
}

type sequenceJSON struct {
	Name   string `json:"name"`
	Column string `json:"column"`
	Next   uint64 `json:"next"`
}

type leftOutJSON struct {
	Name   string `json:"name"`
	Kind   string `json:"kind"`
	Reason string `json:"reason"`
}

type findingEntry struct {
	Code      string `json:"code"`
	Severity  string `json:"severity"`
	Component string `json:"component"`
	File      string `json:"file"`
	Line      int    `json:"line"`
	Table     string `json:"table"`
	Object    string `json:"object"`
	Message   string `json:"message"`
	Hint      string `json:"hint"`
}

type resultJSON struct {
	Schema       string         `json:"schema"`
	Mode         string         `json:"mode"`
	Source       endpointJSON   `json:"source"`
	Target       endpointJSON   `json:"target"`
	Prefix       string         `json:"prefix"`
	TargetSchema string         `json:"target_schema"`
	KeptSchema   string         `json:"kept_schema"`
	Owner        string         `json:"owner"`
	Run          int64          `json:"run"`
	Attempts     int            `json:"attempts"`
	Started      string         `json:"started"`
	Seconds      float64        `json:"seconds"`
	Totals       totalsJSON     `json:"totals"`
	Policy       policyJSON     `json:"bad_values"`
	Changed      int64          `json:"changed_values"`
	Rejected     int64          `json:"rejected_rows"`
	Changes      []changeJSON   `json:"changes"`
	Rejects      []rejectJSON   `json:"rejects"`
	Indexes      int            `json:"indexes"`
	Verification readBackJSON   `json:"verification"`
	Snapshot     snapshotJSON   `json:"snapshot"`
	Tables       []resultTable  `json:"tables"`
	LeftOut      []leftOutJSON  `json:"left_out"`
	Findings     []findingEntry `json:"findings"`
}

// readBackJSON says what was read back and compared with what was sent: Seconds
// of all sessions together. Counted tables were counted by the source, too.
type readBackJSON struct {
	Mode    string  `json:"mode"`
	Tables  int     `json:"tables"`
	Rows    int64   `json:"rows"`
	Bytes   int64   `json:"bytes"`
	Seconds float64 `json:"seconds"`
	Counted int     `json:"counted_tables"`
	Sample  float64 `json:"sample_percent"`
	Again   int     `json:"reread_tables"`
	Reread  int64   `json:"reread_rows"`
	Why     string  `json:"not_reread"`
}

// changeJSON is a value that a policy changed. The values are shortened, quoted
// text, or NULL. The target has them whole in moodledb.value_change.
type changeJSON struct {
	Table  string `json:"table"`
	Key    string `json:"key"`
	Column string `json:"column"`
	Kind   string `json:"kind"`
	Rule   string `json:"rule"`
	Before string `json:"before"`
	After  string `json:"after"`
}

// rejectJSON is a row that a policy set aside, whole in moodledb.rejected_row.
type rejectJSON struct {
	Table  string `json:"table"`
	Key    string `json:"key"`
	Column string `json:"column"`
	Kind   string `json:"kind"`
	Reason string `json:"reason"`
}

type snapshotJSON struct {
	Consistent     bool     `json:"consistent"`
	Mode           string   `json:"mode"`
	Method         string   `json:"method"`
	How            string   `json:"how"`
	Position       string   `json:"position"`
	GTID           string   `json:"gtid"`
	Resumed        string   `json:"resumed"`
	Trusted        bool     `json:"trusted"`
	LockedSeconds  float64  `json:"locked_seconds"`
	Readers        int      `json:"readers"`
	Spares         int      `json:"spare_readers"`
	Lost           int      `json:"lost_readers"`
	LockedTables   []string `json:"locked_tables"`
	TablesSeconds  float64  `json:"locked_tables_seconds"`
	UnlockedTables []string `json:"unlocked_tables"`
}

type resultTable struct {
	Name         string  `json:"name"`
	Declared     bool    `json:"declared"`
	Copied       bool    `json:"copied"`
	Reason       string  `json:"reason"`
	Rows         int64   `json:"rows"`
	Bytes        int64   `json:"bytes"`
	Indexes      int     `json:"indexes"`
	CopySeconds  float64 `json:"copy_seconds"`
	IndexSeconds float64 `json:"index_seconds"`
	NextValue    int64   `json:"next_value"`
	Changed      int64   `json:"changed_values"`
	Rejected     int64   `json:"rejected_rows"`
	Verified     bool    `json:"verified"`
	Counted      bool    `json:"counted"`
	Verification float64 `json:"verify_seconds"`
	Fingerprint  string  `json:"fingerprint"`
	ReadAgain    int64   `json:"reread_rows"`
	NotReadAgain string  `json:"not_reread"`
}

func planDocument(p *migrate.Plan) planJSON {
	return planJSON{
		Schema:        planSchema,
		Mode:          string(p.Mode),
		Blocked:       p.Blocked(),
		Source:        endpointDocument(p.Source),
		Target:        endpointDocument(p.Target),
		Prefix:        p.Prefix,
		LoadSchema:    p.Load,
		PublishSchema: p.Publish,
		Owner:         p.Owner,
		Jobs:          p.Jobs,
		MemoryBytes:   p.Memory,
		ChunkBytes:    p.Chunk,
		Verify:        string(p.Verify),
		Sample:        p.Sample,
		Policy:        policyDocument(p.Policy),
		Resume:        resumeDocument(p.Resume),
		Snapshot: planSnapshot{
			Mode: string(p.Snapshot.Mode), Readers: p.Snapshot.Readers, Locked: list(p.Snapshot.Locked, same), Unlocked: list(p.Snapshot.Unlocked, same),
			Ways: list(p.Snapshot.Ways, func(m mysql.SnapshotMethod) string { return string(m) }),
		},
		Replace:    p.Replace,
		Truncate:   p.Truncate,
		Estimate:   estimate(p),
		Overwrites: list(p.Overwrites, same),
		Prepare:    list(p.Prepare, same),
		Tables:     list(p.Tables, planTableDocument),
		Publishing: list(p.Publishing, same),
		LeftOut:    list(p.LeftOut, leftOutDocument),
		Findings:   list(p.Findings, findingDocument),
	}
}

// estimate counts the tables that are copied, and sums what the source expects of them.
func estimate(p *migrate.Plan) totalsJSON {
	var sum totalsJSON
	for i := range p.Tables {
		if p.Tables[i].Copy {
			sum.Tables++
		}
	}
	sum.Rows, sum.Bytes = p.Estimate()
	return sum
}

func planTableDocument(t migrate.Table) planTable {
	return planTable{
		Name:          t.Short,
		Source:        t.Source,
		Target:        t.Target,
		Declared:      t.Declared,
		Component:     t.Origin.Component,
		File:          t.Origin.File,
		Line:          t.Origin.Line,
		Copy:          t.Copy,
		Reason:        t.Reason,
		Rows:          t.Rows,
		Bytes:         t.Bytes,
		Query:         t.Query,
		CopyStatement: t.CopySQL,
		KeyOrdered:    t.KeyOrdered,
		Chunks:        list(t.Chunks, chunkDocument),
		Transactions:  t.Source != "" && !t.NoTransactions,
		Before:        list(t.Before, same),
		Finish:        list(t.Finish, same),
		Constraints:   list(t.Constraints, same),
		Columns: list(t.Columns, func(c migrate.Column) columnJSON {
			return columnJSON{Source: c.Source, Target: c.Target, Rule: c.Rule, Key: c.Key}
		}),
		After: list(t.After, func(b migrate.Build) buildJSON { return buildJSON{Name: b.Name, Statement: b.Statement} }),
		Sequences: list(t.Sequences, func(s migrate.Sequence) sequenceJSON {
			return sequenceJSON{Name: s.Name, Column: s.Column, Next: s.Next}
		}),
	}
}

func resultDocument(r *migrate.Result) resultJSON {
	tables, rows, bytes := r.Totals()
	return resultJSON{
		Schema:       resultSchema,
		Mode:         string(r.Mode),
		Source:       endpointDocument(r.Source),
		Target:       endpointDocument(r.Target),
		Prefix:       r.Prefix,
		TargetSchema: r.Schema,
		KeptSchema:   r.Kept,
		Owner:        r.Owner,
		Run:          r.Run,
		Attempts:     r.Attempts,
		Policy:       policyDocument(r.Policy),
		Changed:      r.Changed,
		Rejected:     r.Rejected,
		Changes:      list(r.Changes, valueDocument),
		Rejects:      list(r.Rejects, rejectDocument),
		Started:      r.Started.UTC().Format(time.RFC3339),
		Seconds:      seconds(r.Elapsed),
		Totals:       totalsJSON{Tables: tables, Rows: rows, Bytes: bytes},
		Indexes:      r.Indexes,
		Verification: readBackDocument(r),
		Snapshot:     snapshotDocument(r.Snapshot),
		Tables:       list(r.Tables, resultTableDocument),
		LeftOut:      list(r.LeftOut, leftOutDocument),
		Findings:     list(r.Findings, findingDocument),
	}
}

func readBackDocument(r *migrate.Result) readBackJSON {
	v := r.Verified()
	return readBackJSON{
		Mode: string(r.Verify), Tables: v.Tables, Rows: v.Rows, Bytes: v.Bytes, Seconds: seconds(v.Time), Counted: v.Counted,
		Sample: r.Sample, Again: v.Again, Reread: v.AgainRows, Why: r.UncheckedWhy,
	}
}

func snapshotDocument(s migrate.Snapshot) snapshotJSON {
	return snapshotJSON{
		Consistent: s.Consistent, Mode: string(s.Mode), Method: string(s.Method), How: s.How, Position: s.Position, GTID: s.GTID,
		Resumed: s.Resumed, Trusted: s.Trusted,
		LockedSeconds: seconds(s.LockedFor), Readers: s.Readers, Spares: s.Spares, Lost: s.Lost,
		LockedTables: list(s.Tables, same), TablesSeconds: seconds(s.TablesLockedFor), UnlockedTables: list(s.Unlocked, same),
	}
}

func resultTableDocument(t migrate.TableResult) resultTable {
	return resultTable{
		Name: t.Name, Declared: t.Declared, Copied: t.Copied, Reason: t.Reason, Rows: t.Rows, Bytes: t.Bytes, Indexes: t.Indexes,
		CopySeconds: seconds(t.CopyTime), IndexSeconds: seconds(t.IndexTime), NextValue: t.NextValue,
		Changed: t.Changed, Rejected: t.Rejected, Verified: t.Verified, Counted: t.Counted, Verification: seconds(t.VerifyTime),
		Fingerprint: fingerprintText(t), ReadAgain: t.ReadAgain, NotReadAgain: t.ReadAgainNote,
	}
}

// fingerprintText is that of the rows as they were sent; empty when none were.
func fingerprintText(t migrate.TableResult) string {
	if !t.Copied {
		return ""
	}
	return t.Sum.String()
}

func endpointDocument(e migrate.Endpoint) endpointJSON {
	return endpointJSON{Engine: string(e.Engine), Version: e.Version, Address: e.Address, Database: e.Database}
}

func leftOutDocument(l migrate.LeftOut) leftOutJSON {
	return leftOutJSON{Name: l.Name, Kind: l.Kind, Reason: l.Reason}
}

func findingDocument(f migrate.Finding) findingEntry {
	return findingEntry{
		Code: f.Code, Severity: string(f.Severity), Component: f.Component, File: f.File, Line: f.Line,
		Table: f.Table, Object: f.Object, Message: f.Message, Hint: f.Hint,
	}
}

// seconds rounds to milliseconds, which is all that such a time is good for.
func seconds(d time.Duration) float64 {
	return float64(d.Round(time.Millisecond).Milliseconds()) / 1000
}

// list converts a slice; the result is never nil, so that JSON has [] and not null.
func list[A, B any](in []A, convert func(A) B) []B {
	out := make([]B, len(in))
	for i, a := range in {
		out[i] = convert(a)
	}
	return out
}

func same(s string) string { return s }
