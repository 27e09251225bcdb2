package migrate

import (
	"math"
	"testing"
	"time"

	"github.com/moodledb/moodledb/postgres"
)

func TestRunState(t *testing.T) {
	at := func(minute int) time.Time { return time.Date(2026, 7, 1, 10, minute, 0, 0, time.UTC) }
	for _, tc := range []struct {
		name string
		run  postgres.RunRecord
		all  []postgres.RunRecord
		want RunState
	}{
		{"done", postgres.RunRecord{State: postgres.RunDone}, nil, RunDone},
		{"done, while another run holds its schema", postgres.RunRecord{State: postgres.RunDone, Held: true}, nil, RunDone},
		{"loading and held", postgres.RunRecord{State: postgres.RunLoading, Held: true}, nil, RunRunning},
		{"preparing and held", postgres.RunRecord{State: postgres.RunPreparing, Held: true}, nil, RunRunning},
		{"loading and not held", postgres.RunRecord{State: postgres.RunLoading}, nil, RunInterrupted},
		{"preparing and not held", postgres.RunRecord{State: postgres.RunPreparing}, nil, RunInterrupted},
		{"stopped", postgres.RunRecord{State: postgres.RunStopped, Ended: at(1)}, nil, RunStopped},
		{"stopped, and resumed since", postgres.RunRecord{State: postgres.RunStopped, Held: true}, nil, RunRunning},
		{"stopped, resumed, and killed", postgres.RunRecord{State: postgres.RunStopped}, nil, RunInterrupted},
		{
			"a later run holds the schema",
			postgres.RunRecord{ID: 1, State: postgres.RunLoading, Load: "public", Held: true, Resumed: at(1)},
			[]postgres.RunRecord{{ID: 2, State: postgres.RunLoading, Load: "public", Held: true, Resumed: at(2)}},
			RunInterrupted,
		},
		{
			"resumed after a later run stopped",
			postgres.RunRecord{ID: 1, State: postgres.RunLoading, Load: "public", Held: true, Resumed: at(3)},
			[]postgres.RunRecord{{ID: 2, State: postgres.RunStopped, Load: "public", Held: true, Resumed: at(2)}},
			RunRunning,
		},
		{
			"a later run of another schema",
			postgres.RunRecord{ID: 1, State: postgres.RunLoading, Load: "public", Held: true, Resumed: at(1)},
			[]postgres.RunRecord{{ID: 2, State: postgres.RunLoading, Load: "other", Held: true, Resumed: at(2)}},
			RunRunning,
		},
		{"a state that nobody knows", postgres.RunRecord{State: "odd"}, nil, RunInterrupted},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := runState(append(tc.all, tc.run), tc.run); got != tc.want {
				t.Errorf("%s, want %s", got, tc.want)
			}
		})
	}
}

// running is the status of a living run.
func running(t *testing.T, have postgres.RunContents, now postgres.Activities) RunStatus {
	t.Helper()
	r := postgres.RunRecord{ID: 1, State: postgres.RunLoading, Load: "s", Held: true, Snapshot: []byte(`{"How":"shown"}`), Verify: "none"}
	s, err := runStatus([]postgres.RunRecord{r}, r, have, now)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestRunStatus(t *testing.T) {
	const mib = 1 << 20
	have := postgres.RunContents{
		Tables: []postgres.TableRecord{
			{Table: "done", Copies: true, Indexes: 2, EstimatedBytes: 100 * mib, State: postgres.TableDone, Rows: 10, Bytes: 200 * mib, CopyTime: 20 * time.Second, Changed: 1},
			{Table: "parts", Copies: true, Indexes: 1, EstimatedBytes: 400 * mib, State: postgres.TableWaiting},
			{Table: "whole", Copies: true, EstimatedBytes: 100 * mib, State: postgres.TableWaiting},
			{Table: "builds", Copies: true, Indexes: 2, EstimatedRows: mib, EstimatedBytes: 100 * mib, State: postgres.TableCopied, Bytes: 100 * mib, CopyTime: 10 * time.Second},
			{Table: "waits", Copies: true, EstimatedBytes: 100 * mib, State: postgres.TableWaiting},
			{Table: "made", Indexes: 1, EstimatedBytes: 999 * mib, EstimatedRows: 999, State: postgres.TableDone},
		},
		Chunks: []postgres.ChunkRecord{
			{Table: "parts", Done: true, Rows: 5, Bytes: 100 * mib, CopyTime: 10 * time.Second, Rejected: 2},
			{Table: "parts"},
			{Table: "parts"},
		},
		Builds: []postgres.BuildRecord{{Table: "builds", Name: "a", Elapsed: 2 * time.Second}},
	}
	now := postgres.Activities{Sessions: []postgres.Activity{
		{PID: 1, Kind: postgres.ActivityCopy, Schema: "s", Table: "parts", Bytes: 50 * mib, Rows: 3, Since: 5 * time.Second},
		{PID: 2, Kind: postgres.ActivityIndex, Schema: "s", Table: "builds", Index: "b", Phase: "building index: scanning table", Done: 1, Total: 2},
		{PID: 3, Kind: postgres.ActivityCopy, Schema: "another run's", Table: "parts", Bytes: 900 * mib, Since: time.Second},
		{PID: 4, Kind: postgres.ActivityOther, Statement: "ANALYZE x", Wait: "Lock: relation"},
	}}
	s := running(t, have, now)
	if s.State != RunRunning || s.Tables != (TableCounts{All: 5, Copied: 2, Done: 1}) || s.Others != 1 ||
		s.Indexes != 6 || s.Built != 4 || s.Chunks != 3 || s.ChunksDone != 1 || s.Changed != 1 || s.Rejected != 2 ||
		s.Rows != 18 || s.Bytes != 450*mib || s.ExpectedBytes != 800*mib || s.Snapshot.How != "shown" {
		t.Errorf("%+v", s)
	}
	if len(s.Working) != 2 || s.Working[0].Table != "parts" || s.Working[1].Table != "builds" || len(s.Sessions) != 1 {
		t.Errorf("working: %+v, sessions %+v", s.Working, s.Sessions)
	}
	// Copied: 100 + 150 + 100 of 800; built: 100 and a quarter of 100, of 200.
	if want := (350.0 + 125) / 1000; math.Abs(s.Fraction-want) > 0.001 {
		t.Errorf("fraction %v, want %v", s.Fraction, want)
	}
	// 450 MiB at 450/45 MiB/s and 75 at 50 MiB/s, by two sessions.
	if want := (45.0 + 1.5) / 2; !s.LeftKnown || math.Abs(s.Left.Seconds()-want) > 0.1 {
		t.Errorf("left %v, want %v s", s.Left, want)
	}
	now.Hidden = 1
	if s := running(t, have, now); s.LeftKnown || s.Hidden != 1 {
		t.Errorf("a forecast though sessions are hidden: %+v", s)
	}
	if s := running(t, have, postgres.Activities{}); s.LeftKnown {
		t.Errorf("a forecast though nothing is done: %+v", s)
	}
}

// Reading back is half of the work of the copy, and its sessions tell how fast it is.
func TestRunStatusVerifies(t *testing.T) {
	const mib = 1 << 20
	table := func(name string, state postgres.TableState, took time.Duration) postgres.TableRecord {
		return postgres.TableRecord{Table: name, Copies: true, EstimatedBytes: 100 * mib, State: state, Rows: 1, Bytes: 100 * mib, CopyTime: 10 * time.Second, VerifyTime: took}
	}
	have := postgres.RunContents{Tables: []postgres.TableRecord{
		table("read", postgres.TableVerified, 5*time.Second), table("reading", postgres.TableDone, 0),
		table("waits", postgres.TableDone, 0), table("more", postgres.TableDone, 0),
	}}
	now := postgres.Activities{Sessions: []postgres.Activity{{PID: 1, Kind: postgres.ActivityRead, Schema: "s", Table: "reading", Bytes: 50 * mib, Rows: 3, Since: 5 * time.Second}}}
	r := postgres.RunRecord{ID: 1, State: postgres.RunLoading, Load: "s", Held: true, Snapshot: []byte("{}"), Verify: string(VerifyAll)}
	s, err := runStatus([]postgres.RunRecord{r}, r, have, now)
	if err != nil {
		t.Fatal(err)
	}
	if s.Tables != (TableCounts{All: 4, Copied: 4, Done: 4, Verified: 1}) || s.Verify != VerifyAll || len(s.Working) != 1 || s.Working[0].Table != "reading" || s.Bytes != 400*mib {
		t.Errorf("%+v", s)
	}
	// 400 of 400 copied, 50 and 25 of 200 read back.
	if want := 475.0 / 600; math.Abs(s.Fraction-want) > 0.001 {
		t.Errorf("fraction %v, want %v", s.Fraction, want)
	}
	// 125 MiB of work are left, of which 75 took ten seconds.
	if want := 125.0 / 7.5; !s.LeftKnown || math.Abs(s.Left.Seconds()-want) > 0.1 {
		t.Errorf("left %v, want %v s", s.Left, want)
	}
	r.Verify = string(VerifyNone)
	if s, err = runStatus([]postgres.RunRecord{r}, r, have, now); err != nil || s.Fraction != 1 {
		t.Errorf("without verification: %v, %v", s.Fraction, err)
	}
}

// A run of nothing, and one whose tables are all empty, divide by nothing.
func TestRunStatusOfNothing(t *testing.T) {
	if s := running(t, postgres.RunContents{}, postgres.Activities{}); s.Fraction != 1 || !s.LeftKnown || s.Left != 0 {
		t.Errorf("%+v", s)
	}
	have := postgres.RunContents{Tables: []postgres.TableRecord{{Table: "t", Copies: true, Indexes: 1, State: postgres.TableWaiting}}}
	now := postgres.Activities{Sessions: []postgres.Activity{{Kind: postgres.ActivityCopy, Schema: "s", Table: "t"}}}
	if s := running(t, have, now); s.Fraction != 0 || s.LeftKnown {
		t.Errorf("%+v", s)
	}
}

func TestBuildFraction(t *testing.T) {
	for _, tc := range []struct {
		a    postgres.Activity
		want float64
	}{
		{postgres.Activity{Kind: postgres.ActivityCopy, Done: 1, Total: 1}, 0},
		{postgres.Activity{Kind: postgres.ActivityIndex, Phase: "initializing"}, 0},
		{postgres.Activity{Kind: postgres.ActivityIndex, Phase: "building index: scanning table", Done: 1, Total: 4}, 0.125},
		{postgres.Activity{Kind: postgres.ActivityIndex, Phase: "building index: sorting live tuples", Done: 4, Total: 4}, 0.5},
		{postgres.Activity{Kind: postgres.ActivityIndex, Phase: "building index: loading tuples in tree", Done: 1, Total: 4}, 0.7},
		{postgres.Activity{Kind: postgres.ActivityIndex, Phase: "building index: loading tuples in tree", Done: 9, Total: 4}, 1},
	} {
		if got := buildFraction(&tc.a); math.Abs(got-tc.want) > 1e-9 {
			t.Errorf("%+v: %v, want %v", tc.a, got, tc.want)
		}
	}
}
