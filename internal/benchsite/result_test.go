package benchsite

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"
)

func TestMedian(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		list []float64
		want float64
	}{
		{"none", nil, 0},
		{"one", []float64{3}, 3},
		{"odd, not sorted", []float64{9, 1, 5}, 5},
		{"even", []float64{4, 1, 2, 10}, 3},
		{"one that is far off", []float64{2, 2, 100}, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := median(tc.list); got != tc.want {
				t.Errorf("median(%v) = %v, want %v", tc.list, got, tc.want)
			}
		})
	}
	list := []float64{3, 1, 2}
	median(list)
	if list[0] != 3 {
		t.Error("median sorts the list of its caller")
	}
}

func near(a, b float64) bool { return math.Abs(a-b) < 1e-9 }

func TestFloor(t *testing.T) {
	t.Parallel()
	read := Sample{Wall: 1, Source: 1.2}
	index := Sample{Wall: 2, Target: 3}
	// Writing is the narrowest place.
	f := newFloor(read, Sample{Wall: 3, Target: 2.8}, index, 3, 2, 2)
	if !near(f.Load, 3) || !near(f.All, 5) || !near(f.CPU, 7) {
		t.Errorf("load %v, all %v, CPU %v; want 3, 5, 7", f.Load, f.All, f.CPU)
	}
	// The cores are.
	f = newFloor(read, Sample{Wall: 3, Target: 6.8}, Sample{Wall: 0.5, Target: 3}, 3, 2, 2)
	if !near(f.Load, 4) || !near(f.All, 5.5) || !near(f.CPU, 11) {
		t.Errorf("load %v, all %v, CPU %v; want 4, 5.5, 11", f.Load, f.All, f.CPU)
	}
	if e := f.efficiency(Sample{Own: 2, Source: 3, Target: 15}); !near(e, 0.55) {
		t.Errorf("efficiency %v, want 0.55", e)
	}
	if e := f.efficiency(Sample{}); e != 0 {
		t.Errorf("efficiency of nothing is %v", e)
	}
}

// A slower verification and a slower verify meet their goals no more; what was not measured has none.
func TestVerifyGoals(t *testing.T) {
	t.Parallel()
	r := sampleResult()
	us := r.run(nameUs)
	r.run(nameVerified).Median.Wall = 14
	r.Verify.Run.Median.Wall, r.Verify.Run.Samples[1].Peak = 3.6, 300<<20
	list := verifyGoals(r, us)
	if len(list) != 3 {
		t.Fatalf("%d goals: %+v", len(list), list)
	}
	for _, g := range list {
		if g.Met != notMet {
			t.Errorf("%+v is met", g)
		}
	}
	r.Profile = Tables
	if list := verifyGoals(r, us); len(list) != 2 {
		t.Errorf("of empty tables: %+v", list)
	}
	r.Profile, r.Verify.Floor = Mix, nil
	if list := verifyGoals(r, us); len(list) != 2 {
		t.Errorf("without the floor: %+v", list)
	}
	r.Verify, r.Runs = nil, r.Runs[:1]
	if list := verifyGoals(r, us); len(list) != 0 {
		t.Errorf("without verification: %+v", list)
	}
}

// sampleResult is a result with figures that are easy to divide.
func sampleResult() *Result {
	us := []Sample{{Wall: 10, Own: 1.1, Source: 2, Target: 9, Peak: 30 << 20}, {Wall: 12, Own: 1.3, Source: 2, Target: 9, Peak: 50 << 20}, {Wall: 11, Own: 1.2, Source: 2, Target: 9, Peak: 30 << 20}}
	r := &Result{
		Date: time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC), Profile: Mix, Source: "mariadb 10.11", Target: "PostgreSQL 15", Version: "1.0",
		Machine: Machine{Cores: 2, Memory: 8 << 30, CPU: "a CPU", System: "a system"}, Command: "make bench-site PROFILE=mix",
		Tables: 4, Rows: 1000, Bytes: 1e9,
		Floor: newFloor(Sample{Wall: 1, Source: 1}, Sample{Wall: 5, Target: 5}, Sample{Wall: 5, Target: 5}, 3, 2, 2),
		Runs: []Run{
			{Name: nameUs, Samples: us, Rows: 1000},
			{Name: nameVerified, Samples: []Sample{{Wall: 13.2, Own: 2.2, Source: 2, Target: 10.44}}, Rows: 1000},
			{Name: nameUs4, Samples: us[1:2], Rows: 1000},
			{Name: namePgloader, Samples: []Sample{{Wall: 44, Own: 40}}, Rows: 1000},
			{Name: namePgferry, Failure: "exit status 1\na|b"},
		},
	}
	for i := range r.Runs {
		r.Runs[i].Median = medians(r.Runs[i].Samples)
	}
	v := verifyBench{out: Verification{Streams: 2, Run: Run{Name: nameVerify, Note: "verify", Rows: 1000}}}
	v.out.Run.Samples = []Sample{{Wall: 4, Own: 2, Source: 1, Target: 2, Peak: 60 << 20}, {Wall: 3, Own: 2, Source: 1, Target: 2, Peak: 20 << 20}}
	v.out.Samples = []Sample{{Wall: 3, Own: 0.5, Source: 1, Target: 2}, {Wall: 2.7, Own: 0.5, Source: 1, Target: 2}}
	r.Verify = v.result()
	r.Goals = goals(r)
	return r
}

func TestGoals(t *testing.T) {
	t.Parallel()
	r := sampleResult()
	want := [][2]string{
		{"–", notMeasured},              // pgferry failed
		{"4.00 × (CPU 3.28 ×)", notMet}, // pgloader
		{"1.20 s, pgloader 40.0 s", met},
		{"0.90", met},
		{"1.10 ×", met},
		{"50 MiB", met},
		{"wall +20 %, CPU +20 %", met},
		{"81 % (CPU 70 %)", met},
		{"60 MiB", met},
	}
	if len(r.Goals) != len(want) {
		t.Fatalf("%d goals, want %d: %+v", len(r.Goals), len(want), r.Goals)
	}
	for i, g := range r.Goals {
		if g.Measured != want[i][0] || g.Met != want[i][1] {
			t.Errorf("%s: %s, %s; want %s, %s", g.Goal, g.Measured, g.Met, want[i][0], want[i][1])
		}
	}
}

func TestGrowth(t *testing.T) {
	t.Parallel()
	r := sampleResult()
	large := Sample{Wall: 120, Own: 12, Source: 20, Target: 90, Peak: 54 << 20}
	r.Larger = &Grown{Times: 10, Rows: 10000, Run: Run{Name: nameUs, Samples: []Sample{large}, Median: large}}
	r.Larger.Verify = &Run{Name: nameVerify, Samples: []Sample{{Peak: 65 << 20}}}
	got := growth(r, r.run(nameUs))
	if got[0].Met != met || got[0].Measured != "wall +9 %, CPU +0 %" {
		t.Errorf("time: %+v", got[0])
	}
	if got[1].Met != met || got[1].Measured != "50 MiB, 54 MiB" {
		t.Errorf("memory: %+v", got[1])
	}
	if got[2].Met != met || got[2].Measured != "60 MiB, 65 MiB" {
		t.Errorf("memory of verify: %+v", got[2])
	}
	r.Larger.Run.Median.Wall, r.Larger.Run.Samples[0].Peak, r.Larger.Verify.Samples[0].Peak = 150, 60<<20, 70<<20
	for _, g := range growth(r, r.run(nameUs)) {
		if g.Met != notMet {
			t.Errorf("%+v is met", g)
		}
	}
}

func TestGrid(t *testing.T) {
	t.Parallel()
	g := grid{{"name", "s"}, {"é|b", "10.00"}, {"longer", "1"}}
	text := "name        s\né|b     10.00\nlonger      1\n"
	if got := g.text(0); got != text {
		t.Errorf("text:\n%s\nwant:\n%s", got, text)
	}
	markdown := "| name | s |\n| --- | --: |\n| é\\|b | 10.00 |\n| longer | 1 |\n"
	if got := g.markdown(0); got != markdown {
		t.Errorf("markdown:\n%s\nwant:\n%s", got, markdown)
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := sampleResult().Text(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"profile mix: 4 tables, 1,000 rows, 1.0 GB", "pgferry failed: exit status 1", "floor_all", "4.00 ×", "verify alone", "floor: verify"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
}

func TestCaution(t *testing.T) {
	t.Parallel()
	r := sampleResult()
	if got := r.caution(); got != "" {
		t.Errorf("a machine at rest: %q", got)
	}
	r.Runs[0].Median.Others = 11 // of 11 s on two cores
	if got := r.caution(); !strings.Contains(got, "50 %") {
		t.Errorf("a busy machine: %q", got)
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := sampleResult().JSON(&out); err != nil {
		t.Fatal(err)
	}
	var back Result
	if err := json.Unmarshal(out.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	if back.Verify == nil || back.Verify.Floor == nil || back.Verify.Run.Samples[0].Peak != 60<<20 || back.Verify.Floor.Wall != 2.85 {
		t.Errorf("other figures of verify came back: %+v", back.Verify)
	}
	if back.Runs[0].Median.Wall != 11 || back.Runs[0].Samples[1].Peak != 50<<20 || back.Floor.All != 10 {
		t.Errorf("other figures came back: %+v", back)
	}
}

func TestReplaceSection(t *testing.T) {
	t.Parallel()
	page := "# Figures\n\nBefore.\n\n<!-- bench-site mix begin -->\nold\n<!-- bench-site mix end -->\n\nAfter.\n"
	got, err := replaceSection(page, "mix", "new\n")
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.Replace(page, "old", "new", 1); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	again, err := replaceSection(got, "site", "site\n")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(again, got) || !strings.HasSuffix(again, "\n\n<!-- bench-site site begin -->\nsite\n<!-- bench-site site end -->\n") {
		t.Errorf("a new section does not come at the end:\n%s", again)
	}
	if _, err := replaceSection("<!-- bench-site mix begin -->\n", "mix", ""); err == nil {
		t.Error("a mark without its end is taken")
	}
}
