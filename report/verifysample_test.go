package report_test

import (
	"time"

	"github.com/moodledb/moodledb/fingerprint"
	"github.com/moodledb/moodledb/proof"
	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/verify"
)

func fingerprintOf(rows int64, seed string) fingerprint.Sum {
	return fingerprint.Sum{Rows: rows, Hash: fingerprint.HashOf([]byte(seed))}
}

func shown(text string) *verify.Value { return &verify.Value{Text: text, Size: int64(len(text))} }

func keyOf(id string) []verify.NamedValue {
	return []verify.NamedValue{{Column: "id", Value: verify.Value{Text: id, Size: 8}}}
}

// comparedResult has every kind of entry that a report of verify can have.
func comparedResult() *proof.Result {
	return &proof.Result{
		Expected: proof.End{
			Engine: schema.MariaDB, Version: "10.11.6-MariaDB", Address: "db1.example.org:3306/moodle",
			Position: "binlog.000012:4711", Consistent: true, How: "nothing was committed while the readers began",
		},
		Found: proof.End{
			Engine: schema.Postgres, Version: "17.2", Address: "db2.example.org:5432/moodle", Schema: "public",
			Position: "0/16B3748", Consistent: true, How: "the sessions share one exported snapshot",
		},
		Prefix: "mdl_", Started: time.Date(2026, 1, 5, 21, 15, 0, 123e6, time.FixedZone("NZDT", 13*3600)), Elapsed: 83 * time.Second,
		Tool: "v0.4.0", Scope: proof.Scope{Sample: 100}, State: verify.Different,
		Tables: []verify.TableResult{
			{Name: "config", State: verify.Same, Expected: fingerprintOf(1207, "a"), Found: fingerprintOf(1207, "a"), Bytes: 91 << 10, Parts: 1},
			forumPosts(), logWithoutKey(),
			{Name: "log_display", State: verify.Same, Expected: fingerprintOf(3, "g"), Found: fingerprintOf(2, "h"), Bytes: 120, Parts: 1, DifferentParts: 1},
			{Name: "sessions", State: verify.Unknown, Problem: "expected: read table \"mdl_sessions\": the role \"reader\" may not read it\nGRANT SELECT ON public.mdl_sessions TO reader"},
		},
		Forms: []proof.Form{
			{Table: "config", Expected: "mdl_config", Found: "mdl_config", Columns: []proof.FormColumn{
				{Expected: "id", Found: "id", Type: "bigint", Key: true}, {Expected: "Name", Found: "name", Type: "character varying(255)"},
			}},
			{Table: "forum_posts", Expected: "mdl_forum_posts", Found: "mdl_forum_posts", Columns: []proof.FormColumn{
				{Expected: "id", Found: "id", Type: "bigint", Key: true}, {Expected: "message", Found: "message", Type: "text"},
			}, Parts: []verify.Part{{Upper: "1000"}, {Lower: "1000", Upper: "2000"}, {Lower: "9000"}}},
		},
		Left: []proof.LeftOut{
			{Table: "tool_old", Side: proof.ExpectedSide, Reason: "found has no such table", Counts: verify.Different},
			{Table: "user", Column: "geo", Side: proof.BothSides, Reason: "geometry cannot be compared with point", Counts: verify.Unknown},
			{Table: "v_users", Side: proof.ExpectedSide, Reason: "a view", Counts: verify.Same},
			{Table: "log_1", Side: proof.ExpectedSide, Reason: "the patterns leave it out", Counts: verify.Same},
			{Table: "log_1", Side: proof.FoundSide, Reason: "the patterns leave it out", Counts: verify.Same},
			{Table: "log_2", Side: proof.ExpectedSide, Reason: "the patterns leave it out", Counts: verify.Same},
			{Table: "log_3", Side: proof.ExpectedSide, Reason: "the patterns leave it out", Counts: verify.Same},
			{Table: "log_4", Side: proof.ExpectedSide, Reason: "the patterns leave it out", Counts: verify.Same},
			{Table: "log_5", Side: proof.FoundSide, Reason: "the patterns leave it out", Counts: verify.Same},
		},
		Objects: []proof.ObjectDifference{
			{
				Code: "sequence-behind", Table: "mdl_user", Object: "mdl_user_id_seq", State: verify.Different,
				Message: "the next value is 12, but there is 5017 already", Hint: "SELECT setval('public.mdl_user_id_seq', 5017);",
			},
			{Code: "owner-other", Table: "mdl_log", State: verify.Unknown, Message: "the owner cannot be seen"},
		},
		Legal: []proof.Legal{
			{Table: "user", Kind: "changed-by-policy", Rows: 3, Message: "values changed by the rules of run 2, listed in moodledb.value_change"},
			{Table: "log", Kind: "rendering", Message: "float columns are compared as 8-byte numbers"},
		},
		Notices: []string{"statistics of 3 tables are missing: they were compared as a whole"},
		Repaired: []proof.RepairedTable{
			{Table: "user", Inserted: 1200, Deleted: 1, Updated: 2}, {Table: "forum_posts", Problem: "a trigger is in the way"},
		},
	}
}

func forumPosts() verify.TableResult {
	long := "'" + repeat("Dear all, ", 12)
	return verify.TableResult{
		Name: "forum_posts", State: verify.Different, Expected: fingerprintOf(50_000, "b"), Found: fingerprintOf(49_999, "c"), Bytes: 80 << 20,
		Parts: 3, DifferentParts: 2, Missing: 2, Extra: 1, Changed: 21,
		Differences: []verify.Difference{
			{Kind: verify.ChangedRow, Key: keyOf("17"), Times: 1, Columns: []verify.ColumnDifference{
				{Column: "subject", Expected: shown("'Re: exam '"), Found: shown("'Re: exam'")},
				{Column: "message", Expected: shown(long + "Anne'"), Found: shown(long + "Bob'")},
				{Column: "modified", Expected: &verify.Value{Null: true}, Found: shown("''")},
				{Column: "attachment", Expected: shown("'long'... (900 bytes)"), Found: shown("'long'... (900 bytes)")},
			}},
			{Kind: verify.MissingRow, Key: keyOf("18"), Times: 1, Columns: []verify.ColumnDifference{
				{Column: "subject", Expected: shown("'secret'")}, {Column: "modified", Expected: &verify.Value{Null: true}},
			}},
			{Kind: verify.ExtraRow, Key: keyOf("900"), Times: 1, Columns: []verify.ColumnDifference{{Column: "subject", Found: shown("'secret'")}}},
		},
	}
}

func logWithoutKey() verify.TableResult {
	return verify.TableResult{
		Name: "log", State: verify.Different, Expected: fingerprintOf(10, "d"), Found: fingerprintOf(7, "e"), Bytes: 800, Parts: 1, DifferentParts: 1,
		Missing: 3, Problem: "found: the connection was lost while row 4 was looked for",
		Differences: []verify.Difference{
			{Kind: verify.MissingRow, Times: 3, Columns: []verify.ColumnDifference{{Column: "action", Expected: shown("'view'")}}},
		},
	}
}

func repeat(s string, n int) string {
	out := ""
	for range n {
		out += s
	}
	return out
}

// equalResult is a comparison that found nothing, of a sample.
func equalResult() *proof.Result {
	r := comparedResult()
	r.State, r.Tables, r.Forms = verify.Same, r.Tables[:1], r.Forms[:1]
	r.Left, r.Objects, r.Legal, r.Notices, r.Repaired = nil, nil, nil, nil, nil
	r.Scope = proof.Scope{Sample: 2.5, Seed: 42, SinceID: 1000, Include: []string{"conf*", "user"}, Exclude: []string{"*_old"}}
	return r
}

// unclearResult is a comparison that could not be made.
func unclearResult() *proof.Result {
	r := comparedResult()
	r.State, r.Tables, r.Forms = verify.Unknown, r.Tables[3:], nil
	r.Left, r.Objects, r.Legal, r.Notices, r.Repaired = nil, nil, nil, nil, nil
	r.Found = proof.End{Engine: schema.MySQL, Version: "9.7.0", Address: "db2:3306/moodle", How: "nothing was locked"}
	return r
}

// hostileComparison has names and values that would like to be something else.
func hostileComparison() *proof.Result {
	r := comparedResult()
	bad := hostile
	r.Prefix, r.Expected.Address, r.Found.Version, r.Tool, r.Found.How = bad, bad, bad, bad, bad
	r.Scope.Include, r.Notices = []string{bad}, []string{bad}
	for i := range r.Tables {
		r.Tables[i].Name, r.Tables[i].Problem = bad, bad
		for j := range r.Tables[i].Differences {
			d := &r.Tables[i].Differences[j]
			d.Key = []verify.NamedValue{{Column: bad, Value: verify.Value{Text: bad}}}
			for k := range d.Columns {
				d.Columns[k] = verify.ColumnDifference{Column: bad, Expected: shown(bad), Found: shown(bad + "x")}
			}
		}
	}
	r.Forms = []proof.Form{{Table: bad, Expected: bad, Found: bad, Columns: []proof.FormColumn{{Expected: bad, Found: "x" + bad, Type: bad}}, Parts: []verify.Part{{Lower: bad, Upper: bad}}}}
	r.Left = []proof.LeftOut{{Table: bad, Column: bad, Reason: bad}}
	r.Objects = []proof.ObjectDifference{{Code: bad, Table: bad, Object: bad, Message: bad, Hint: bad}}
	r.Legal = []proof.Legal{{Table: bad, Kind: bad, Message: bad}}
	r.Repaired = []proof.RepairedTable{{Table: bad, Problem: bad}}
	return r
}
