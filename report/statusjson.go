package report

import (
	"time"

	"github.com/moodledb/moodledb/migrate"
	"github.com/moodledb/moodledb/postgres"
)

// statusSchema is the version of the document; see planSchema.
const statusSchema = "moodledb.status/1"

type statusJSON struct {
	Schema string    `json:"schema"`
	Target string    `json:"target"`
	Runs   []runJSON `json:"runs"`
}

type runJSON struct {
	Run           int64          `json:"run"`
	State         string         `json:"state"`
	Preparing     bool           `json:"preparing"`
	Mode          string         `json:"mode"`
	Tool          string         `json:"tool"`
	Source        string         `json:"source"`
	Prefix        string         `json:"prefix"`
	LoadSchema    string         `json:"load_schema"`
	PublishSchema string         `json:"publish_schema"`
	Owner         string         `json:"owner"`
	Attempts      int            `json:"attempts"`
	Problem       string         `json:"problem"`
	Started       string         `json:"started"`
	Resumed       string         `json:"resumed"`
	Ended         string         `json:"ended"`
	Snapshot      snapshotJSON   `json:"snapshot"`
	Fraction      float64        `json:"fraction"`
	ETA           float64        `json:"eta_seconds"`
	Tables        int            `json:"tables"`
	TablesCopied  int            `json:"tables_copied"`
	TablesDone    int            `json:"tables_done"`
	Verify        string         `json:"verify"`
	Verified      int            `json:"tables_verified"`
	TablesEmpty   int            `json:"tables_without_rows"`
	Rows          int64          `json:"rows"`
	ExpectedRows  int64          `json:"expected_rows"`
	Bytes         int64          `json:"bytes"`
	ExpectedBytes int64          `json:"expected_bytes"`
	Indexes       int            `json:"indexes"`
	IndexesBuilt  int            `json:"indexes_built"`
	Chunks        int            `json:"chunks"`
	ChunksDone    int            `json:"chunks_done"`
	Changed       int64          `json:"changed_values"`
	Rejected      int64          `json:"rejected_rows"`
	Working       []runTableJSON `json:"working"`
	Sessions      []sessionJSON  `json:"sessions"`
	Hidden        int            `json:"hidden_sessions"`
}

type runTableJSON struct {
	Table         string `json:"table"`
	Copied        bool   `json:"copied"`
	Verified      bool   `json:"verified"`
	Rows          int64  `json:"rows"`
	ExpectedRows  int64  `json:"expected_rows"`
	Bytes         int64  `json:"bytes"`
	ExpectedBytes int64  `json:"expected_bytes"`
	Indexes       int    `json:"indexes"`
	IndexesBuilt  int    `json:"indexes_built"`
	Chunks        int    `json:"chunks"`
	ChunksDone    int    `json:"chunks_done"`
	Changed       int64  `json:"changed_values"`
	Rejected      int64  `json:"rejected_rows"`
}

type sessionJSON struct {
	PID       int32   `json:"pid"`
	Table     string  `json:"table"`
	Doing     string  `json:"doing"`
	Index     string  `json:"index"`
	Phase     string  `json:"phase"`
	Done      int64   `json:"done"`
	Total     int64   `json:"total"`
	Rows      int64   `json:"rows"`
	Bytes     int64   `json:"bytes"`
	Seconds   float64 `json:"seconds"`
	Wait      string  `json:"wait"`
	BlockedBy []int32 `json:"blocked_by"`
	Statement string  `json:"statement"`
}

func statusDocument(runs []migrate.RunStatus, target string) statusJSON {
	return statusJSON{Schema: statusSchema, Target: target, Runs: list(runs, func(r migrate.RunStatus) runJSON { return runDocument(&r) })}
}

func runDocument(r *migrate.RunStatus) runJSON {
	eta := -1.0
	if r.LeftKnown {
		eta = seconds(r.Left)
	}
	out := runJSON{
		Run: r.ID, State: string(r.State), Preparing: r.Preparing, Mode: string(r.Mode), Tool: r.Tool, Source: r.Source, Prefix: r.Prefix,
		LoadSchema: r.Load, PublishSchema: r.Publish, Owner: r.Owner, Attempts: r.Attempts, Problem: r.Problem,
		Started: moment(r.Started), Resumed: moment(r.Resumed), Ended: moment(r.Ended),
		Snapshot: snapshotDocument(r.Snapshot),
		Fraction: thousandth(r.Fraction), ETA: eta, Tables: r.Tables.All, TablesCopied: r.Tables.Copied, TablesDone: r.Tables.Done, Verify: string(r.Verify), Verified: r.Tables.Verified, TablesEmpty: r.Others,
		Rows: r.Rows, ExpectedRows: r.ExpectedRows, Bytes: r.Bytes, ExpectedBytes: r.ExpectedBytes,
		Indexes: r.Indexes, IndexesBuilt: r.Built, Chunks: r.Chunks, ChunksDone: r.ChunksDone,
		Changed: r.Changed, Rejected: r.Rejected, Hidden: r.Hidden, Sessions: []sessionJSON{},
		Working: list(r.Working, runTableDocument),
	}
	for _, t := range r.Working {
		for _, a := range t.Sessions {
			out.Sessions = append(out.Sessions, sessionDocument(t.Table, &a))
		}
	}
	for _, a := range r.Sessions {
		out.Sessions = append(out.Sessions, sessionDocument("", &a))
	}
	return out
}

func runTableDocument(t migrate.TableStatus) runTableJSON {
	return runTableJSON{
		Table: t.Table, Copied: t.Copied, Verified: t.Verified, Rows: t.Rows, ExpectedRows: t.ExpectedRows, Bytes: t.Bytes, ExpectedBytes: t.ExpectedBytes,
		Indexes: t.Indexes, IndexesBuilt: t.Built, Chunks: t.Chunks, ChunksDone: t.ChunksDone, Changed: t.Changed, Rejected: t.Rejected,
	}
}

func sessionDocument(name string, a *postgres.Activity) sessionJSON {
	return sessionJSON{
		PID: a.PID, Table: name, Doing: string(a.Kind), Index: a.Index, Phase: a.Phase, Done: a.Done, Total: a.Total, Rows: a.Rows, Bytes: a.Bytes,
		Seconds: seconds(a.Since), Wait: a.Wait, BlockedBy: list(a.BlockedBy, func(pid int32) int32 { return pid }), Statement: a.Statement,
	}
}

// moment writes a time; empty for none.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
