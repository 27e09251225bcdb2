package report

import (
	"time"

	"github.com/moodledb/moodledb/diff"
	"github.com/moodledb/moodledb/drift"
	"github.com/moodledb/moodledb/ignore"
)

// diffSchema is the version of the document; a baseline is one too.
const diffSchema = "moodledb.diff/1"

type diffJSON struct {
	Schema   string        `json:"schema"`
	Failed   bool          `json:"failed"`
	FailOn   string        `json:"fail_on"`
	Expected diffEnd       `json:"expected"`
	Found    diffEnd       `json:"found"`
	Prefix   string        `json:"prefix"`
	Product  string        `json:"product"`
	Release  string        `json:"release"`
	Started  string        `json:"started"`
	Seconds  float64       `json:"seconds"`
	Summary  diffSummary   `json:"summary"`
	Changes  []changeEntry `json:"changes"`
	Ignored  []ignoredJSON `json:"ignored"`
	Known    []changeEntry `json:"known"`
	Notices  []noticeJSON  `json:"notices"`
}

type diffEnd struct {
	Kind     string `json:"kind"`
	Engine   string `json:"engine"`
	Version  string `json:"version"`
	Address  string `json:"address"`
	Database string `json:"database"`
	Schema   string `json:"schema"`
	File     string `json:"file"`
}

type diffSummary struct {
	Tables        int `json:"tables"`
	ChangedTables int `json:"changed_tables"`
	Errors        int `json:"errors"`
	Warnings      int `json:"warnings"`
	Infos         int `json:"infos"`
	Ignored       int `json:"ignored"`
	Known         int `json:"known"`
	Gone          int `json:"gone"`
}

type changeEntry struct {
	Code        string   `json:"code"`
	Severity    string   `json:"severity"`
	Kind        string   `json:"kind"`
	Table       string   `json:"table"`
	Name        string   `json:"name"`
	Object      string   `json:"object"`
	Columns     []string `json:"columns"`
	Component   string   `json:"component"`
	Message     string   `json:"message"`
	Expected    string   `json:"expected"`
	Found       string   `json:"found"`
	Hint        string   `json:"hint"`
	File        string   `json:"file"`
	Line        int      `json:"line"`
	Fingerprint string   `json:"fingerprint"`
}

type ignoredJSON struct {
	changeEntry
	Reason   string `json:"reason"`
	RuleFile string `json:"rule_file"`
	RuleLine int    `json:"rule_line"`
	Expires  string `json:"expires"`
}

type noticeJSON struct {
	Code     string `json:"code"`
	Severity string `json:"severity"`
	File     string `json:"file"`
	Line     int    `json:"line"`
	Message  string `json:"message"`
	Hint     string `json:"hint"`
}

func diffDocument(r *drift.Result) diffJSON {
	n := count(r)
	return diffJSON{
		Schema:   diffSchema,
		Failed:   r.Failed,
		FailOn:   string(r.FailOn),
		Expected: endDocument(r.Expected),
		Found:    endDocument(r.Found),
		Prefix:   r.Prefix,
		Product:  r.Product,
		Release:  r.Release,
		Started:  r.Started.UTC().Format(time.RFC3339),
		Seconds:  seconds(r.Elapsed),
		Summary: diffSummary{
			Tables: r.Tables, ChangedTables: n.tables, Errors: n.errors, Warnings: n.warnings, Infos: n.infos,
			Ignored: n.ignored, Known: n.known, Gone: n.gone,
		},
		Changes: list(r.Changes, changeDocument),
		Ignored: list(r.Ignored, ignoredDocument),
		Known:   list(r.Known, changeDocument),
		Notices: list(r.Notices, noticeDocument),
	}
}

func endDocument(e drift.End) diffEnd {
	return diffEnd{
		Kind: string(e.Kind), Engine: string(e.Engine), Version: e.Version, Address: e.Address,
		Database: e.Database, Schema: e.Schema, File: e.File,
	}
}

func changeDocument(c diff.Change) changeEntry {
	return changeEntry{
		Code: string(c.Code), Severity: string(c.Severity), Kind: string(c.Kind), Table: c.Table, Name: c.Short,
		Object: c.Object, Columns: list(c.Columns, same), Component: c.Origin.Component, Message: c.Message,
		Expected: c.Expected, Found: c.Found, Hint: c.Hint, File: c.Origin.File, Line: c.Origin.Line,
		Fingerprint: diff.Fingerprint(c),
	}
}

func ignoredDocument(x ignore.Ignored) ignoredJSON {
	entry := ignoredJSON{
		changeEntry: changeDocument(x.Change), Reason: x.Rule.Reason, RuleFile: x.Rule.File, RuleLine: x.Rule.Line,
	}
	if !x.Rule.Expires.IsZero() {
		entry.Expires = x.Rule.Expires.Format(time.DateOnly)
	}
	return entry
}

func noticeDocument(n drift.Notice) noticeJSON {
	return noticeJSON{Code: n.Code, Severity: string(n.Severity), File: n.File, Line: n.Line, Message: n.Message, Hint: n.Hint}
}

// numbered makes the fingerprints of differences unique: the second and further
// ones of the same fingerprint get a number. Two changes may be the same to a
// fingerprint, such as two equal indexes too many, but systems keep only one of them then.
func numbered(changes []diff.Change) []string {
	seen := map[string]int{}
	return list(changes, func(c diff.Change) string {
		f := diff.Fingerprint(c)
		seen[f]++
		return numberedName(f, seen[f])
	})
}
