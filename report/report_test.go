package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/copy"
	"github.com/moodledb/moodledb/fingerprint"
	"github.com/moodledb/moodledb/migrate"
	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/report"
	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/xmldb"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares got with the file of that name under testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

func source() migrate.Endpoint {
	return migrate.Endpoint{
		Engine: schema.MariaDB, Version: "10.11.6-MariaDB", Address: "root@db1.example.org:3306/moodle", Database: "moodle",
	}
}

func target() migrate.Endpoint {
	return migrate.Endpoint{Engine: schema.Postgres, Version: "17.2", Address: "moodle@db2.example.org:5432/moodle", Database: "moodle"}
}

// findings has one of each severity, with and without a place.
func findings() []migrate.Finding {
	return []migrate.Finding{
		{
			Code: "target-not-empty", Severity: migrate.Blocker, Object: "public", Message: "schema public holds 480 tables",
			Hint: "Pass --replace to rename it to public_before_…,\nor name an empty database with --to.",
		},
		{
			Code: "field-name", Severity: migrate.Warning, Component: "local_orders", File: "local/orders/db/install.xml", Line: 12,
			Table: "local_orders", Object: "orderId", Message: `field "orderId" has capitals: Moodle would not create this table`,
		},
		{Code: "column-extra", Severity: migrate.Info, Table: "mdl_course", Object: "legacycode", Message: "is not declared and is converted from the source"},
	}
}

func leftOut() []migrate.LeftOut {
	return []migrate.LeftOut{
		{Name: "mdl_active_users", Kind: "view", Reason: "views are not converted"},
		{Name: "pma__recent", Kind: "table", Reason: "has not the site's prefix"},
		{Name: "evil\x1b[2Jname\nblocker: forged", Kind: "table", Reason: "left out by --exclude"},
	}
}

func stagedPlan() *migrate.Plan {
	return &migrate.Plan{
		Verify: migrate.VerifyAll, Sample: 1,
		Mode: migrate.Staged, Source: source(), Target: target(), Prefix: "mdl_", Load: "moodle", Publish: "public", Owner: "moodle",
		Jobs: 3, Memory: 256 << 20, Replace: true, Chunk: 64 << 20,
		Policy: copy.Policy{Mode: convert.FixBad, Fixes: convert.Fixes{convert.ZeroDate: convert.FixQuarantine}},
		Resume: &migrate.Resumption{Run: 7, Attempts: 2, Started: time.Date(2026, 1, 5, 21, 15, 0, 0, time.UTC)},
		Snapshot: migrate.SnapshotPlan{
			Mode: mysql.SnapshotAuto, Readers: 3, Ways: []mysql.SnapshotMethod{mysql.LockFree, mysql.BackupStage, mysql.TableLocks},
			Locked: []string{"mdl_sessions"},
		},
		Prepare:    []string{`CREATE SCHEMA "moodle"`},
		Overwrites: []string{`schema "public" (480 tables) is renamed to "public_before_20260105_081500"`},
		Tables: []migrate.Table{
			{
				Source: "mdl_logstore_standard_log", Target: "mdl_logstore_standard_log", Short: "logstore_standard_log", Declared: true,
				Origin: schema.Origin{Component: "logstore_standard", File: "admin/tool/log/store/standard/db/install.xml", Line: 8},
				Copy:   true, Rows: 8_900_000, Bytes: 3_400_000_000, KeyOrdered: true,
				Chunks: []migrate.Chunk{
					{Range: mysql.Range{Upper: mysql.Bound{"4500000"}, Rows: 4_400_000, Bytes: 1_700_000_000}, Where: "`id` < 4500000"},
					{Range: mysql.Range{Lower: mysql.Bound{"4500000"}, Rows: 4_500_000, Bytes: 1_700_000_000}, Where: "`id` >= 4500000"},
				},
				Columns: []migrate.Column{
					{Source: "id", Target: "id", Rule: "int->int8", Key: true},
					{Source: "eventname", Target: "eventname", Rule: "text"},
				},
				Query:   "SELECT `id`, `eventname` FROM `moodle`.`mdl_logstore_standard_log` ORDER BY `id`",
				CopySQL: `COPY "moodle"."mdl_logstore_standard_log" ("id", "eventname") FROM STDIN (FORMAT binary)`,
				Before:  []string{"CREATE TABLE \"moodle\".\"mdl_logstore_standard_log\" (\n\t\"id\" bigserial NOT NULL,\n\t\"eventname\" varchar(255) NOT NULL DEFAULT ''\n)"},
				After: []migrate.Build{
					{Name: "mdl_logsstanlog_id_pk", Statement: `ALTER TABLE "moodle"."mdl_logstore_standard_log" ADD CONSTRAINT "mdl_logsstanlog_id_pk" PRIMARY KEY ("id")`},
				},
				Sequences: []migrate.Sequence{{Name: "mdl_logstore_standard_log_id_seq", Column: "id", Next: 9_000_001}},
				Finish:    []string{`ANALYZE "moodle"."mdl_logstore_standard_log"`},
			},
			{
				Source: "mdl_Old-Copy 2", Target: "mdl_old-copy 2", Short: "Old-Copy 2", Copy: true, Rows: 3, Bytes: 16384,
				Columns: []migrate.Column{{Source: "Id", Target: "id", Rule: "int->int4", Key: true}},
				Query:   "SELECT `Id` FROM `moodle`.`mdl_Old-Copy 2`", CopySQL: `COPY "moodle"."mdl_old-copy 2" ("id") FROM STDIN (FORMAT binary)`,
				Before: []string{`CREATE TABLE "moodle"."mdl_old-copy 2" ("id" integer NOT NULL)`},
			},
			{
				Source: "mdl_sessions", Target: "mdl_sessions", Short: "sessions", Declared: true, Reason: "--skip-data",
				Origin: schema.Origin{Component: "core", File: "lib/db/install.xml", Line: 3600},
				Before: []string{`CREATE TABLE "moodle"."mdl_sessions" ("id" bigserial NOT NULL)`}, Rows: 40, Bytes: 65536,
				Constraints: []string{`ALTER TABLE "moodle"."mdl_sessions" ADD CHECK ("state" IN (0, 1))`},
				Sequences:   []migrate.Sequence{{Name: "mdl_sessions_id_seq", Column: "id"}},
			},
		},
		Publishing: []string{`ALTER SCHEMA "public" RENAME TO "public_before_20260105_081500"`, `ALTER SCHEMA "moodle" RENAME TO "public"`},
		LeftOut:    leftOut(), Findings: findings(),
	}
}

func stagedResult() *migrate.Result {
	return &migrate.Result{
		Mode: migrate.Staged, Source: source(), Target: target(), Prefix: "mdl_", Schema: "public", Owner: "moodle",
		Started: time.Date(2026, 1, 5, 21, 15, 0, 123e6, time.FixedZone("NZDT", 13*3600)), Elapsed: 91*time.Second + 234567*time.Microsecond,
		Tables: []migrate.TableResult{
			{
				Name: "mdl_logstore_standard_log", Declared: true, Copied: true, Rows: 8_900_000, Bytes: 1_600_000_000, Indexes: 7,
				CopyTime: 71 * time.Second, IndexTime: 18*time.Second + 40*time.Millisecond, NextValue: 9_000_001,
				ReadAgain: 100_000, ReadAgainNote: "column \"geo\" not read again: there is no second way", Verified: true, Counted: true, VerifyTime: 9*time.Second + 876*time.Millisecond, Sum: fingerprint.Sum{Rows: 8_900_000, Hash: fingerprint.Hash{0x0123456789abcdef, 0xfedcba9876543210}},
			},
			{Name: "mdl_old-copy 2", Copied: true, Rows: 3, Bytes: 120, Indexes: 1, CopyTime: 4 * time.Millisecond, IndexTime: 2 * time.Millisecond, Verified: true, VerifyTime: time.Millisecond, Sum: fingerprint.Sum{Rows: 3, Hash: fingerprint.Hash{1, 2}}},
			{Name: "mdl_sessions", Declared: true, Reason: "--skip-data", Indexes: 6, IndexTime: 3 * time.Millisecond, NextValue: 41},
		},
		Run: 7, Attempts: 3, Indexes: 14, Verify: migrate.VerifyAll, Sample: 2.5, UncheckedWhy: "the connection for it was lost (EOF)", Changed: 1, Rejected: 1,
		Policy: copy.Policy{Mode: convert.FixBad, Fixes: convert.Fixes{convert.ZeroDate: convert.FixQuarantine}},
		Changes: []postgres.ValueChange{{
			Table: "mdl_old-copy 2", Key: "Id=2", Column: "note", Kind: "nul-byte", Rule: "strip",
			Before: []byte("a\x00b\x1b"), After: []byte("ab\x1b"), BeforeSize: 4, AfterSize: 3,
		}},
		Rejects: []postgres.RejectedRow{{Table: "mdl_old-copy 2", Key: "Id=3", Column: "born", Kind: "zero-date", Reason: `"0000-00-00" is a zero date`}},
		Snapshot: migrate.Snapshot{
			Mode: mysql.SnapshotAuto, Method: mysql.TableLocks, Consistent: true, How: "all 3 readers opened while LOCK TABLES held writers back for 12 ms",
			Resumed:  "the snapshot of the earlier attempt is lost, but nothing was written at the source since: what it has loaded is kept",
			Position: "mysql-bin.000042:1337", GTID: "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-77", LockedFor: 12345 * time.Microsecond,
			Readers: 3, Spares: 1, Lost: 1, Tables: []string{"mdl_search", "mdl_stats"}, TablesLockedFor: 2345 * time.Millisecond,
		},
		Kept: "public_before_20260105_081500", LeftOut: leftOut(), Findings: findings()[2:],
	}
}

func TestPlan(t *testing.T) {
	for _, tc := range []struct {
		name   string
		plan   *migrate.Plan
		format report.Format
	}{
		{"plan.txt", stagedPlan(), report.Text},
		{"plan.json", stagedPlan(), report.JSON},
		{"plan-empty.txt", &migrate.Plan{Mode: migrate.DataOnly, Source: source(), Target: target(), Load: "public", Publish: "public"}, report.Text},
		{"plan-empty.json", &migrate.Plan{Mode: migrate.DataOnly, Source: source(), Target: target(), Load: "public", Publish: "public"}, report.JSON},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var out bytes.Buffer
			if err := report.Plan(&out, tc.plan, tc.format); err != nil {
				t.Fatal(err)
			}
			golden(t, tc.name, out.String())
			checkOutput(t, out.String(), tc.format)
		})
	}
}

func TestResult(t *testing.T) {
	direct := stagedResult()
	direct.Mode, direct.Schema, direct.Kept, direct.Owner, direct.Elapsed = migrate.Direct, "lms", "", "", time.Millisecond
	direct.Snapshot = migrate.Snapshot{
		Mode: mysql.SnapshotNone, Method: mysql.Unproven, How: "without a lock it cannot be seen whether the source was written to meanwhile",
		Readers: 2, Spares: 1, Unlocked: []string{"mdl_stats"},
	}
	direct.Tables, direct.LeftOut, direct.Findings, direct.Indexes = direct.Tables[1:2], nil, nil, 1
	for _, tc := range []struct {
		name   string
		result *migrate.Result
		format report.Format
	}{
		{"result.txt", stagedResult(), report.Text},
		{"result.json", stagedResult(), report.JSON},
		{"result-direct.txt", direct, report.Text},
		{"result-direct.json", direct, report.JSON},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var out bytes.Buffer
			if err := report.Result(&out, tc.result, tc.format); err != nil {
				t.Fatal(err)
			}
			golden(t, tc.name, out.String())
			checkOutput(t, out.String(), tc.format)
		})
	}
}

// checkOutput holds what is true of every output.
func checkOutput(t *testing.T, out string, format report.Format) {
	t.Helper()
	if !strings.HasSuffix(out, "\n") {
		t.Error("does not end with a line break")
	}
	if format == report.JSON {
		var document map[string]any
		if err := json.Unmarshal([]byte(out), &document); err != nil {
			t.Fatal(err)
		}
		if s, _ := document["schema"].(string); !strings.HasPrefix(s, "moodledb.") {
			t.Errorf("schema is %q", s)
		}
		if strings.Contains(out, "null") {
			t.Error("has null: lists are never null, and fields are never missing")
		}
		return
	}
	for i, line := range strings.Split(out, "\n") {
		if strings.ContainsAny(line, "\x1b\t\r") || strings.HasSuffix(line, " ") {
			t.Errorf("line %d: control characters or blanks at the end: %q", i+1, line)
		}
	}
}

func TestFindings(t *testing.T) {
	for _, tc := range []struct {
		name string
		in   []migrate.Finding
		want string
	}{
		{"none", nil, ""},
		{"a remark is counted", findings()[2:], "There is one remark besides; 'moodledb plan' prints it.\n"},
		{
			"a warning with its place", findings()[1:2],
			"warning: local/orders/db/install.xml:12: field \"orderId\" has capitals: Moodle would not create this table [field-name]\n",
		},
		{
			"a hint of two lines", findings()[:1],
			"blocker: public: schema public holds 480 tables [target-not-empty]\n" +
				"  Pass --replace to rename it to public_before_…,\n  or name an empty database with --to.\n",
		},
		{
			"a name cannot forge a line",
			[]migrate.Finding{{Code: "x", Severity: migrate.Warning, Table: "a\nblocker: b", Object: "c\x1b[31m\u202e", Message: "m\r"}},
			"warning: a\ufffdblocker: b.c\ufffd[31m\ufffd: m\ufffd [x]\n",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var out bytes.Buffer
			if err := report.Findings(&out, &migrate.Plan{Findings: tc.in}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, out.String()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestSiteFindings(t *testing.T) {
	var out bytes.Buffer
	err := report.SiteFindings(&out, []xmldb.Finding{
		{Code: "xml-syntax", Severity: xmldb.Error, File: "mod/x/db/install.xml", Line: 3, Message: "not closed", Hint: "Close it."},
		{Code: "path", Severity: xmldb.Info, File: "mod/y/db/install.xml", Message: "PATH differs"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := "error: mod/x/db/install.xml:3: not closed [xml-syntax]\n  Close it.\ninfo: mod/y/db/install.xml: PATH differs [path]\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestParseFormat(t *testing.T) {
	for _, f := range report.Formats() {
		if got, err := report.ParseFormat(string(f)); err != nil || got != f {
			t.Errorf("ParseFormat(%q) = %q, %v", f, got, err)
		}
	}
	for _, name := range []string{"", "JSON", "yaml"} {
		if _, err := report.ParseFormat(name); err == nil {
			t.Errorf("ParseFormat(%q) is accepted", name)
		}
	}
}

func TestUnknownFormatIsAnError(t *testing.T) {
	if err := report.Plan(&bytes.Buffer{}, stagedPlan(), "yaml"); err == nil {
		t.Error("Plan accepts an unknown format")
	}
	if err := report.Result(&bytes.Buffer{}, stagedResult(), "yaml"); err == nil {
		t.Error("Result accepts an unknown format")
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errBroken }

var errBroken = errors.New("broken pipe")

func TestWriteErrorsAreReturned(t *testing.T) {
	for _, format := range report.Formats() {
		if err := report.Plan(brokenPipe{}, stagedPlan(), format); !errors.Is(err, errBroken) {
			t.Errorf("Plan as %s: %v", format, err)
		}
		if err := report.Result(brokenPipe{}, stagedResult(), format); !errors.Is(err, errBroken) {
			t.Errorf("Result as %s: %v", format, err)
		}
	}
}
