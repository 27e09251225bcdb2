package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/moodledb/moodledb/proof"
	"github.com/moodledb/moodledb/report"
	"github.com/moodledb/moodledb/verify"
)

// verified renders a comparison.
func verified(t *testing.T, r *proof.Result, opts report.VerifyOptions) string {
	t.Helper()
	var out bytes.Buffer
	if err := report.Verify(&out, r, opts); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestVerify(t *testing.T) {
	for _, tc := range []struct {
		name   string
		result *proof.Result
		mask   bool
	}{
		{"verify", comparedResult(), false},
		{"verify-masked", comparedResult(), true},
		{"verify-same", equalResult(), false},
		{"verify-unknown", unclearResult(), false},
	} {
		for _, format := range report.VerifyFormats() {
			name := tc.name + "." + extension(format)
			t.Run(name, func(t *testing.T) {
				out := verified(t, tc.result, report.VerifyOptions{Format: format, Mask: tc.mask})
				golden(t, name, out)
				checkOutput(t, out, format)
				if again := verified(t, tc.result, report.VerifyOptions{Format: format, Mask: tc.mask}); again != out {
					t.Error("is another one the second time")
				}
			})
		}
	}
}

// TestMaskHidesValues: what is masked is in no format; keys are, and what is NULL.
func TestMaskHidesValues(t *testing.T) {
	for _, format := range report.VerifyFormats() {
		open, masked := verified(t, comparedResult(), report.VerifyOptions{Format: format}), verified(t, comparedResult(), report.VerifyOptions{Format: format, Mask: true})
		for _, value := range []string{"secret", "Re: exam", "Dear all", "Anne", "view&#39;", "'view'"} {
			if strings.Contains(masked, value) {
				t.Errorf("%s shows %q", format, value)
			}
		}
		if !strings.Contains(open, "secret") {
			t.Errorf("%s hides values that nobody asked to hide", format)
		}
		for _, shown := range []string{"forum_posts", "subject", "900"} {
			if !strings.Contains(masked, shown) {
				t.Errorf("%s does not show %q", format, shown)
			}
		}
	}
}

func TestVerdicts(t *testing.T) {
	empty := &proof.Result{State: verify.Unknown}
	for _, tc := range []struct {
		name   string
		result *proof.Result
		want   string
	}{
		{"same", equalResult(), "Same: every row that was compared is on both sides, and equal."},
		{"unknown", unclearResult(), "Could not tell: 1 table could not be compared."},
		{"nothing", empty, "Could not tell: nothing was compared."},
		{"different", comparedResult(), "Different: 2 of 5 tables differ (5 rows missing, 1 row extra, 21 rows changed); 1 table or column is on one side only; " +
			"1 object is not right; 1 table could not be compared; 1 table or column cannot be compared; 1 object could not be judged."},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, _, _ := strings.Cut(verified(t, tc.result, report.VerifyOptions{}), "\n")
			if got != tc.want {
				t.Errorf("says\n%s\nwant\n%s", got, tc.want)
			}
		})
	}
}

// TestScopes: rows from an id on are not all rows.
func TestScopes(t *testing.T) {
	for want, scope := range map[string]proof.Scope{
		"scope     all rows\n":                      {Sample: 100},
		"scope     rows with ids from 7 on\n":       {Sample: 100, SinceID: 7},
		" of each table (seed 3), ids from 7 on\n":  {Sample: 5, Seed: 3, SinceID: 7},
		"scope     all rows, of the tables a, b*\n": {Sample: 100, Include: []string{"a", "b*"}},
	} {
		r := equalResult()
		r.Scope = scope
		if out := verified(t, r, report.VerifyOptions{}); !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

// TestLongValues: the place where two long values differ is shown.
func TestLongValues(t *testing.T) {
	out := verified(t, comparedResult(), report.VerifyOptions{})
	if !strings.Contains(out, "Anne'") || !strings.Contains(out, "Bob'") {
		t.Errorf("the difference is cut off:\n%s", out)
	}
}

func TestHostileValuesStayData(t *testing.T) {
	for _, format := range report.VerifyFormats() {
		for _, mask := range []bool{false, true} {
			out := verified(t, hostileComparison(), report.VerifyOptions{Format: format, Mask: mask})
			checkHostile(t, string(format), out)
		}
	}
	for _, format := range []report.Format{report.JSON, report.HTML} {
		checkHostile(t, "certificate "+string(format), certified(t, hostileComparison(), format))
	}
}

func checkHostile(t *testing.T, what, out string) {
	t.Helper()
	if !utf8.ValidString(out) {
		t.Errorf("%s is not UTF-8", what)
	}
	for _, bad := range []string{"\x1b", "\r", "\x00", "\x7f", "\u0085", "\u202e", "\u2028"} {
		if strings.Contains(out, bad) {
			t.Errorf("%s has %q", what, bad)
		}
	}
	for line := range strings.Lines(out) {
		if strings.HasPrefix(strings.TrimSpace(line), "::error::forged") {
			t.Errorf("%s has a forged line: %q", what, line)
		}
	}
	if strings.Contains(what, "html") && (strings.Contains(out, "<script") || strings.Contains(out, "ZgotmplZ") || strings.Contains(out, "<!-- ]]>")) {
		t.Errorf("%s: a name became markup", what)
	}
}

// A page may be opened where there is no network, and must not tell anybody that it was.
func TestVerifyPageAsksForNothing(t *testing.T) {
	for _, out := range []string{
		verified(t, comparedResult(), report.VerifyOptions{Format: report.HTML}),
		certified(t, comparedResult(), report.HTML),
	} {
		if m := regexp.MustCompile(`(?i)(src=|<link|@import|url\(|fetch\(|XMLHttp|<script)[^\n]*`).FindString(out); m != "" {
			t.Errorf("asks for something: %s", m)
		}
	}
}

func TestParseVerifyFormat(t *testing.T) {
	for _, f := range report.VerifyFormats() {
		if got, err := report.ParseVerifyFormat(string(f)); err != nil || got != f {
			t.Errorf("ParseVerifyFormat(%q) = %q, %v", f, got, err)
		}
	}
	for _, name := range []string{"", "JSON", "sarif"} {
		if _, err := report.ParseVerifyFormat(name); err == nil {
			t.Errorf("ParseVerifyFormat(%q) is accepted", name)
		}
	}
	if err := report.Verify(&bytes.Buffer{}, equalResult(), report.VerifyOptions{Format: "sarif"}); err == nil {
		t.Error("Verify accepts an unknown format")
	}
}

func TestVerifyReturnsWriteErrors(t *testing.T) {
	for _, format := range report.VerifyFormats() {
		if err := report.Verify(brokenPipe{}, comparedResult(), report.VerifyOptions{Format: format}); !errors.Is(err, errBroken) {
			t.Errorf("as %s: %v", format, err)
		}
	}
}

// A result with nothing filled in must not take a report down.
func TestVerifyOfNothing(t *testing.T) {
	for _, format := range report.VerifyFormats() {
		if out := verified(t, &proof.Result{}, report.VerifyOptions{Format: format}); out == "" {
			t.Errorf("%s is empty", format)
		}
	}
	var document struct{ State string }
	if err := json.Unmarshal([]byte(verified(t, &proof.Result{}, report.VerifyOptions{Format: report.JSON})), &document); err != nil {
		t.Error(err)
	}
}

// TestVerifyEventLines: each event that has a line is one line of JSON.
func TestVerifyEventLines(t *testing.T) {
	var out bytes.Buffer
	at := time.Date(2026, 1, 5, 8, 15, 0, 0, time.UTC)
	posts := forumPosts()
	for _, e := range []proof.Event{
		proof.Step{Name: "read both schemas"},
		proof.Notice{Message: "be careful\u202e"},
		proof.Planned{Tables: 4, Rows: 60_000, Bytes: 90 << 20},
		proof.Rows{Event: verify.TableStarted{Table: "forum_posts", Rows: 50_000, Bytes: 80 << 20}},
		proof.Rows{Event: verify.RowsRead{Table: "forum_posts", Rows: 1, Bytes: 100}},
		proof.Rows{Event: verify.PartCompared{Table: "forum_posts"}},
		proof.Rows{Event: verify.Searching{Table: "forum_posts"}},
		proof.Rows{Event: verify.TableCompared{Result: posts}},
	} {
		if err := report.VerifyEventLine(&out, at, e); err != nil {
			t.Fatal(err)
		}
	}
	golden(t, "verify-progress.jsonl", out.String())
	if err := report.VerifyEventLine(&out, at, nil); err == nil {
		t.Error("an event that is none is accepted")
	}
}
