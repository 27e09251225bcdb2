package report

import (
	"time"

	"github.com/moodledb/moodledb/fingerprint"
	"github.com/moodledb/moodledb/proof"
	"github.com/moodledb/moodledb/verify"
)

// verifySchema is the version of the document of verify; see planSchema.
const verifySchema = "moodledb.verify/1"

type verifyJSON struct {
	Schema   string          `json:"schema"`
	State    string          `json:"state"`
	Tool     string          `json:"tool"`
	Started  string          `json:"started"`
	Seconds  float64         `json:"seconds"`
	Expected verifyEnd       `json:"expected"`
	Found    verifyEnd       `json:"found"`
	Prefix   string          `json:"prefix"`
	Scope    scopeJSON       `json:"scope"`
	Masked   bool            `json:"masked"`
	Summary  verifySummary   `json:"summary"`
	Tables   []verifiedTable `json:"tables"`
	Left     []notCompared   `json:"not_compared"`
	Objects  []objectJSON    `json:"objects"`
	Legal    []legalJSON     `json:"legal"`
	Notices  []string        `json:"notices"`
	Repaired []repairedJSON  `json:"repaired"`
}

// repairedJSON is a table of which rows were repaired before the comparison.
type repairedJSON struct {
	Table    string `json:"table"`
	Inserted int64  `json:"inserted_rows"`
	Deleted  int64  `json:"deleted_rows"`
	Updated  int64  `json:"updated_rows"`
	Problem  string `json:"problem"`
}

type verifyEnd struct {
	Engine     string `json:"engine"`
	Version    string `json:"version"`
	Address    string `json:"address"`
	Schema     string `json:"schema"`
	Position   string `json:"position"`
	Consistent bool   `json:"consistent"`
	How        string `json:"how"`
}

type scopeJSON struct {
	Include []string `json:"include"`
	Exclude []string `json:"exclude"`
	Sample  float64  `json:"sample_percent"`
	Seed    uint64   `json:"seed"`
	SinceID int64    `json:"since_id"`
}

type verifySummary struct {
	Tables           int   `json:"tables"`
	Same             int   `json:"same"`
	Different        int   `json:"different"`
	Unknown          int   `json:"unknown"`
	ExpectedRows     int64 `json:"expected_rows"`
	FoundRows        int64 `json:"found_rows"`
	Bytes            int64 `json:"bytes"`
	Missing          int64 `json:"missing_rows"`
	Extra            int64 `json:"extra_rows"`
	Changed          int64 `json:"changed_rows"`
	ObjectsDifferent int   `json:"objects_different"`
	ObjectsUnknown   int   `json:"objects_unknown"`
	LeftDifferent    int   `json:"not_compared_different"`
	LeftUnknown      int   `json:"not_compared_unknown"`
}

type verifiedTable struct {
	Name           string           `json:"name"`
	State          string           `json:"state"`
	Problem        string           `json:"problem"`
	ExpectedName   string           `json:"expected_name"`
	FoundName      string           `json:"found_name"`
	Expected       sumJSON          `json:"expected"`
	Found          sumJSON          `json:"found"`
	Bytes          int64            `json:"bytes"`
	Parts          int              `json:"parts"`
	DifferentParts int              `json:"different_parts"`
	Missing        int64            `json:"missing_rows"`
	Extra          int64            `json:"extra_rows"`
	Changed        int64            `json:"changed_rows"`
	Columns        []comparedColumn `json:"columns"`
	Ranges         []rangeJSON      `json:"ranges"`
	Differences    []differenceJSON `json:"differences"`
}

// sumJSON is a fingerprint: the number of rows, and the sum of their hashes.
type sumJSON struct {
	Rows int64  `json:"rows"`
	Hash string `json:"hash"`
}

type comparedColumn struct {
	Expected string `json:"expected"`
	Found    string `json:"found"`
	Type     string `json:"type"`
	Key      bool   `json:"key"`
}

// rangeJSON is a part of a table by its key: lower <= key < upper; an empty bound is an open end.
type rangeJSON struct {
	Lower string `json:"lower"`
	Upper string `json:"upper"`
}

type differenceJSON struct {
	Kind    string          `json:"kind"`
	Times   int64           `json:"times"`
	Key     []keyJSON       `json:"key"`
	Columns []differingJSON `json:"columns"`
}

type keyJSON struct {
	Column string        `json:"column"`
	Value  comparedValue `json:"value"`
}

type differingJSON struct {
	Column   string        `json:"column"`
	Expected comparedValue `json:"expected"`
	Found    comparedValue `json:"found"`
}

// comparedValue is a value of one side. Kind is value, NULL, hidden, or none
// where the side has no such row.
type comparedValue struct {
	Kind  string `json:"kind"`
	Text  string `json:"text"`
	Bytes int64  `json:"bytes"`
}

type notCompared struct {
	Table  string `json:"table"`
	Column string `json:"column"`
	Side   string `json:"side"`
	Reason string `json:"reason"`
	State  string `json:"state"`
}

type objectJSON struct {
	Code    string `json:"code"`
	State   string `json:"state"`
	Table   string `json:"table"`
	Object  string `json:"object"`
	Message string `json:"message"`
	Hint    string `json:"hint"`
}

type legalJSON struct {
	Table   string `json:"table"`
	Kind    string `json:"kind"`
	Rows    int64  `json:"rows"`
	Message string `json:"message"`
}

func verifyDocument(r *proof.Result, mask bool) verifyJSON {
	n := tallyOf(r)
	doc := verifyJSON{
		Schema:   verifySchema,
		State:    string(r.State),
		Tool:     r.Tool,
		Started:  r.Started.UTC().Format(time.RFC3339),
		Seconds:  seconds(r.Elapsed),
		Expected: verifyEndDocument(r.Expected),
		Found:    verifyEndDocument(r.Found),
		Prefix:   r.Prefix,
		Scope: scopeJSON{
			Include: list(r.Scope.Include, same), Exclude: list(r.Scope.Exclude, same),
			Sample: r.Scope.Sample, Seed: r.Scope.Seed, SinceID: r.Scope.SinceID,
		},
		Masked: mask,
		Summary: verifySummary{
			Tables: len(r.Tables), Same: n.same, Different: n.different, Unknown: n.unknown,
			ExpectedRows: n.expectedRows, FoundRows: n.foundRows, Bytes: n.bytes,
			Missing: n.missing, Extra: n.extra, Changed: n.changed,
			ObjectsDifferent: n.objectsDifferent, ObjectsUnknown: n.objectsUnknown,
			LeftDifferent: n.leftDifferent, LeftUnknown: n.leftUnknown,
		},
		Left: list(r.Left, func(l proof.LeftOut) notCompared {
			return notCompared{Table: l.Table, Column: l.Column, Side: string(l.Side), Reason: l.Reason, State: string(l.Counts)}
		}),
		Objects: list(r.Objects, func(o proof.ObjectDifference) objectJSON {
			return objectJSON{Code: o.Code, State: string(o.State), Table: o.Table, Object: o.Object, Message: o.Message, Hint: o.Hint}
		}),
		Legal: list(r.Legal, func(l proof.Legal) legalJSON {
			return legalJSON{Table: l.Table, Kind: l.Kind, Rows: l.Rows, Message: l.Message}
		}),
		Notices: list(r.Notices, same),
		Repaired: list(r.Repaired, func(t proof.RepairedTable) repairedJSON {
			return repairedJSON{Table: t.Table, Inserted: t.Inserted, Deleted: t.Deleted, Updated: t.Updated, Problem: t.Problem}
		}),
	}
	forms := map[string]proof.Form{}
	for _, f := range r.Forms {
		forms[f.Table] = f
	}
	doc.Tables = list(r.Tables, func(t verify.TableResult) verifiedTable { return verifiedDocument(&t, forms[t.Name], mask) })
	return doc
}

func verifyEndDocument(e proof.End) verifyEnd {
	return verifyEnd{
		Engine: string(e.Engine), Version: e.Version, Address: e.Address, Schema: e.Schema,
		Position: e.Position, Consistent: e.Consistent, How: e.How,
	}
}

func verifiedDocument(t *verify.TableResult, f proof.Form, mask bool) verifiedTable {
	return verifiedTable{
		Name: t.Name, State: string(t.State), Problem: t.Problem, ExpectedName: f.Expected, FoundName: f.Found,
		Expected: sumDocument(t.Expected), Found: sumDocument(t.Found), Bytes: t.Bytes,
		Parts: t.Parts, DifferentParts: t.DifferentParts, Missing: t.Missing, Extra: t.Extra, Changed: t.Changed,
		Columns: list(f.Columns, func(c proof.FormColumn) comparedColumn {
			return comparedColumn{Expected: c.Expected, Found: c.Found, Type: c.Type, Key: c.Key}
		}),
		Ranges: list(f.Parts, func(p verify.Part) rangeJSON { return rangeJSON{Lower: p.Lower, Upper: p.Upper} }),
		Differences: list(t.Differences, func(d verify.Difference) differenceJSON {
			return differenceDocument(&d, mask)
		}),
	}
}

func sumDocument(s fingerprint.Sum) sumJSON { return sumJSON{Rows: s.Rows, Hash: s.Hash.String()} }

func differenceDocument(d *verify.Difference, mask bool) differenceJSON {
	return differenceJSON{
		Kind: string(d.Kind), Times: max(d.Times, 1),
		Key: list(d.Key, func(k verify.NamedValue) keyJSON {
			return keyJSON{Column: k.Column, Value: valueOf(&k.Value, false)}
		}),
		Columns: list(d.Columns, func(c verify.ColumnDifference) differingJSON {
			return differingJSON{Column: c.Column, Expected: valueOf(c.Expected, mask), Found: valueOf(c.Found, mask)}
		}),
	}
}

func valueOf(v *verify.Value, mask bool) comparedValue {
	switch {
	case v == nil:
		return comparedValue{Kind: "none"}
	case v.Null:
		return comparedValue{Kind: "NULL"}
	case mask:
		return comparedValue{Kind: "hidden", Bytes: v.Size}
	default:
		return comparedValue{Kind: "value", Text: v.Text, Bytes: v.Size}
	}
}
