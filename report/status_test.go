package report_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/moodledb/moodledb/migrate"
	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/report"
)

const gib = 1 << 30

// someRuns are a living run, with names that try to steer the terminal, and three that have ended.
func someRuns() []migrate.RunStatus {
	at := time.Date(2026, 7, 1, 10, 0, 0, 0, time.FixedZone("CEST", 7200))
	snapshot := migrate.Snapshot{Consistent: true, Method: mysql.LockFree, How: "nothing was committed meanwhile", Position: "binlog.000042:1337", GTID: "0-1-42", Readers: 3}
	return []migrate.RunStatus{
		{
			ID: 12, State: migrate.RunRunning, Mode: migrate.Staged, Tool: "v1.2.3", Source: "root@db:3306/moodle", Prefix: "mdl_",
			Load: "moodledb_moodle", Publish: "public", Owner: "moodle", Attempts: 2, Started: at, Resumed: at.Add(time.Hour), Snapshot: snapshot,
			Tables: migrate.TableCounts{All: 480, Copied: 300, Done: 290, Verified: 280}, Others: 3, Verify: migrate.VerifyAll,
			Rows: 123_456_789, ExpectedRows: 400_000_000, Bytes: 40 * gib, ExpectedBytes: 100 * gib, Indexes: 1200, Built: 700, Chunks: 90, ChunksDone: 30,
			Changed: 4, Rejected: 1, Fraction: 0.4242, Left: 90*time.Minute + 3*time.Second, LeftKnown: true, Hidden: 0,
			Working: []migrate.TableStatus{
				{
					Table: "mdl_logstore_standard_log", Rows: 50_000_000, ExpectedRows: 200_000_000, Bytes: 20 * gib, ExpectedBytes: 50 * gib, Indexes: 6, Chunks: 90, ChunksDone: 30,
					Sessions: []postgres.Activity{
						{PID: 4711, Kind: postgres.ActivityCopy, Since: 12 * time.Second, Rows: 120_000, Bytes: 300 << 20},
						{PID: 4712, Kind: postgres.ActivityCopy, Since: 75 * time.Second, Rows: 1, Bytes: 10, Wait: "IO: WALSync"},
					},
				},
				{
					Table: "mdl_forum_posts", Copied: true, Rows: 7_000_000, ExpectedRows: 6_900_000, Bytes: 9 * gib, ExpectedBytes: 8 * gib, Indexes: 5, Built: 2, Changed: 4, Rejected: 1,
					Sessions: []postgres.Activity{
						{PID: 4713, Kind: postgres.ActivityIndex, Since: time.Minute, Index: "mdl_foruposts_use_ix", Phase: "building index: scanning table", Done: 431, Total: 1000},
						{PID: 4716, Kind: postgres.ActivityRead, Since: 2 * time.Second, Rows: 1000, Bytes: 3 << 20},
						{PID: 4714, Kind: postgres.ActivityIndex, Since: time.Minute, Index: "mdl_foruposts_id_pk", Phase: "building index: sorting live tuples", Done: 9, Total: 9},
					},
				},
				{Table: "mdl_\x1b[2J\u202eodd", Copied: true, Indexes: 1},
			},
			Sessions: []postgres.Activity{{PID: 4715, Kind: postgres.ActivityOther, Since: 3 * time.Second, Statement: `ANALYZE "moodledb_moodle"."mdl_user"`, Wait: "Lock: relation", BlockedBy: []int32{99, 100}}},
		},
		{
			ID: 11, State: migrate.RunStopped, Mode: migrate.Direct, Tool: "v1.2.3", Source: "root@db:3306/other", Load: "other", Publish: "other", Attempts: 1,
			Started: at, Resumed: at, Ended: at.Add(time.Minute), Problem: "table \"mdl_x\": no space left\nrun again", Tables: migrate.TableCounts{All: 10},
			ExpectedRows: 100, ExpectedBytes: 1000, Indexes: 5, Hidden: 2,
		},
		{
			ID: 10, State: migrate.RunInterrupted, Preparing: true, Mode: migrate.DataOnly, Tool: "v1.2.2", Source: "root@db:3306/moodle", Load: "public", Publish: "public", Attempts: 1,
			Started: at, Resumed: at, Tables: migrate.TableCounts{All: 1},
		},
		{
			ID: 9, State: migrate.RunDone, Mode: migrate.Staged, Tool: "v1.2.2", Source: "root@db:3306/moodle", Load: "moodledb_moodle", Publish: "public", Attempts: 1,
			Started: at, Resumed: at, Ended: at.Add(3 * time.Hour), Tables: migrate.TableCounts{All: 480, Copied: 480, Done: 480}, Verify: migrate.VerifyNone, Rows: 9, ExpectedRows: 10, Bytes: 11, ExpectedBytes: 12,
			Indexes: 3, Built: 3, Fraction: 1,
		},
	}
}

func TestStatusGolden(t *testing.T) {
	runs := someRuns()
	for _, tc := range []struct {
		name string
		runs []migrate.RunStatus
		opts report.StatusOptions
	}{
		{"status.txt", runs, report.StatusOptions{Format: report.Text, Target: "moodle@pg:5432/moodle", User: "Some One", Detail: 12}},
		{"status-few.txt", runs[:1], report.StatusOptions{Format: report.Text, Target: "moodle@pg:5432/moodle", User: "Some One", Detail: 12, Tables: 2}},
		{"status-stopped.txt", runs[1:2], report.StatusOptions{Format: report.Text, Target: "moodle@pg:5432/moodle", User: "Some One", Detail: 11}},
		{"status-interrupted.txt", runs[2:3], report.StatusOptions{Format: report.Text, Target: "moodle@pg:5432/moodle", User: "Some One", Detail: 10}},
		{"status-done.txt", runs[3:], report.StatusOptions{Format: report.Text, Target: "moodle@pg:5432/moodle", User: "Some One", Detail: 9}},
		{"status-none.txt", nil, report.StatusOptions{Format: report.Text, Target: "moodle@pg:5432/moodle", User: "Some One"}},
		{"status.json", runs, report.StatusOptions{Format: report.JSON, Target: "moodle@pg:5432/moodle", User: "Some One", Detail: 12}},
		{"status-none.json", nil, report.StatusOptions{Format: report.JSON, Target: "moodle@pg:5432/moodle", User: "Some One"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var out strings.Builder
			if err := report.Status(&out, tc.runs, tc.opts); err != nil {
				t.Fatal(err)
			}
			golden(t, tc.name, out.String())
			if strings.ContainsAny(out.String(), "\x1b\u202e") {
				t.Error("the output steers the terminal")
			}
		})
	}
	if err := report.Status(&strings.Builder{}, nil, report.StatusOptions{Format: "yaml"}); err == nil {
		t.Error("an unknown format is taken")
	}
}

// A line of JSON is one line, whatever is in it.
func TestStatusLines(t *testing.T) {
	var out strings.Builder
	if err := report.Status(&out, someRuns(), report.StatusOptions{Format: report.JSON, Line: true}); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.String(), "\n"); n != 1 {
		t.Errorf("%d lines", n)
	}
	out.Reset()
	for _, r := range someRuns() {
		if err := report.StatusLine(&out, &r); err != nil {
			t.Fatal(err)
		}
	}
	golden(t, "status-lines.txt", out.String())
}

func TestProgressGolden(t *testing.T) {
	at := time.Date(2026, 7, 1, 10, 0, 0, 123_000_000, time.UTC)
	var out strings.Builder
	for _, e := range []migrate.Event{
		migrate.RunStarted{ID: 3, Resumed: true},
		migrate.StepStarted{Name: "copy rows"},
		migrate.TableResumed{Table: "mdl_log", Rows: 10, Bytes: 1000, Indexes: 1, Copied: true},
		migrate.TableResumed{Table: "mdl_user", Rows: 1, Copied: true, Done: true, Verified: true},
		migrate.TableStarted{Table: "mdl_\x1b[2J\nlog", Rows: 100, Bytes: 10000},
		migrate.TableProgress{Table: "mdl_log", Rows: 5, Bytes: 500},
		migrate.TableCopied{Table: "mdl_log", Rows: 100, Bytes: 10000, Elapsed: 1234567 * time.Microsecond},
		migrate.IndexStarted{Table: "mdl_log", Name: "mdl_log_pk"},
		migrate.IndexBuilt{Table: "mdl_log", Name: "mdl_log_pk", Elapsed: time.Second},
		migrate.TableDone{Table: "mdl_log"},
		migrate.TableReadAgain{Table: "mdl_log", Rows: 7, Bytes: 777},
		migrate.VerifyProgress{Table: "mdl_log", Rows: 50, Bytes: 5000},
		migrate.TableVerified{Table: "mdl_log", Rows: 100, Bytes: 10021, Elapsed: 765 * time.Millisecond},
		migrate.Retrying{What: `table "mdl_log"`, Err: errors.New("deadlock"), Wait: 250 * time.Millisecond},
		migrate.Retrying{What: "x"},
		migrate.ReaderLost{What: `table "mdl_log"`, Err: errors.New("broken pipe")},
		migrate.Notice{Message: "be careful"},
		migrate.StepDone{Name: "copy rows", Elapsed: time.Minute, Detail: "all"},
	} {
		if err := report.EventLine(&out, at, e); err != nil {
			t.Fatal(err)
		}
	}
	p := &report.Progress{
		Run: 3, Step: "copy rows", Elapsed: time.Minute, Fraction: 0.25, Left: 3 * time.Minute, LeftKnown: true, Tables: 4, Copied: 2, Done: 1, Verified: 1, Verify: true,
		Rows: 10, ExpectedRows: 40, Bytes: 1000, ExpectedBytes: 4000, Indexes: 8, Built: 3, RowRate: 1.23456, ByteRate: 99, Retries: 2, ReadersLost: 1,
		Working: []report.WorkingTable{{Table: "mdl_log", Rows: 5, ExpectedRows: 10, Bytes: 500, ExpectedBytes: 1000}, {Table: "mdl_user", Copied: true, Building: []string{"a", "b"}}, {Table: "mdl_files", Copied: true, Reading: true}},
	}
	plan := &migrate.Plan{Findings: []migrate.Finding{{Code: "x-y", Severity: migrate.Warning, Table: "t", Message: "m", Hint: "h"}, {Severity: migrate.Info}}}
	for _, err := range []error{
		report.ProgressLine(&out, at, p), report.ProgressLine(&out, at, &report.Progress{}), report.FindingLines(&out, at, plan),
		report.EndedLine(&out, at, nil), report.EndedLine(&out, at, errors.New("no space left\nreally")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	golden(t, "progress.jsonl", out.String())
}
