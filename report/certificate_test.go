package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/proof"
	"github.com/moodledb/moodledb/report"
	"github.com/moodledb/moodledb/verify"
)

// certified renders a certificate.
func certified(t *testing.T, r *proof.Result, format report.Format) string {
	t.Helper()
	var out bytes.Buffer
	if err := report.Certificate(&out, r, format); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestCertificate(t *testing.T) {
	for _, format := range []report.Format{report.JSON, report.HTML} {
		for _, tc := range []struct {
			name   string
			result *proof.Result
		}{{"certificate", comparedResult()}, {"certificate-same", equalResult()}} {
			name := tc.name + "." + string(format)
			t.Run(name, func(t *testing.T) {
				out := certified(t, tc.result, format)
				golden(t, name, out)
				checkOutput(t, out, format)
				for _, value := range []string{"secret", "Re: exam", "Dear all"} {
					if strings.Contains(out, value) {
						t.Errorf("shows the value %q", value)
					}
				}
			})
		}
	}
	if err := report.Certificate(&bytes.Buffer{}, equalResult(), report.Text); err == nil {
		t.Error("Certificate accepts text")
	}
	if err := report.Certificate(brokenPipe{}, equalResult(), report.JSON); !errors.Is(err, errBroken) {
		t.Errorf("a write error is %v", err)
	}
}

// TestCertificateIsReadBack: what a later check needs survives.
func TestCertificateIsReadBack(t *testing.T) {
	want := comparedResult()
	c, err := report.ReadCertificate([]byte(certified(t, want, report.JSON)))
	if err != nil {
		t.Fatal(err)
	}
	if c.Altered() {
		t.Errorf("is altered: %s, %s", c.Digest, c.Computed)
	}
	want.Forms = append(want.Forms, proof.Form{Table: "log"}, proof.Form{Table: "log_display"}, proof.Form{Table: "sessions"})
	want.Started = want.Started.UTC().Truncate(time.Second)
	for i := range want.Tables {
		want.Tables[i].Differences = nil
	}
	want.Scope.Include, want.Scope.Exclude = []string{}, []string{}
	if d := cmp.Diff(want, c.Result); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestAlteredCertificate: every change of the contents is seen, and none of the layout.
func TestAlteredCertificate(t *testing.T) {
	text := certified(t, comparedResult(), report.JSON)
	read := func(text string) *report.CertificateFile {
		t.Helper()
		c, err := report.ReadCertificate([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	hash := fmt.Sprintf("%q", fingerprintOf(1207, "a").Hash.String())
	for _, change := range [][2]string{
		{`"state": "different"`, `"state": "same"`},
		{`"rows": 1207`, `"rows": 1208`},
		{`"engine": "mariadb"`, `"engine": "mysql"`},
		{hash, `"00000000000000000000000000000000"`},
		{`"digest": "sha256:`, `"digest": "sha256:0`},
		{`"masked": true`, `"masked": true, "note": "added by hand"`},
		{`"legal": [`, `"legal": [{"table": "x"},`},
	} {
		altered := strings.Replace(text, change[0], change[1], 1)
		if altered == text {
			t.Fatalf("the certificate has no %s", change[0])
		}
		if !read(altered).Altered() {
			t.Errorf("%s in place of %s is not seen", change[1], change[0])
		}
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, []byte(text)); err != nil {
		t.Fatal(err)
	}
	if read(compact.String()).Altered() {
		t.Error("another layout counts as altered")
	}
}

func TestNoCertificate(t *testing.T) {
	text := certified(t, equalResult(), report.JSON)
	for name, in := range map[string]string{
		"empty":              "",
		"no JSON":            "certificate",
		"a list":             "[]",
		"another document":   verified(t, equalResult(), report.VerifyOptions{Format: report.JSON}),
		"two documents":      text + text,
		"no time":            strings.Replace(text, `"started": "2026`, `"started": "x2026`, 1),
		"no hash":            strings.Replace(text, fingerprintOf(1207, "a").Hash.String(), "12", 1),
		"a hash of no table": strings.Replace(text, `"rows": 1207`, `"rows": -1`, 1),
	} {
		if _, err := report.ReadCertificate([]byte(in)); err == nil || !strings.Contains(err.Error(), "certificate") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzReadCertificate(f *testing.F) {
	var out bytes.Buffer
	if err := report.Certificate(&out, comparedResult(), report.JSON); err != nil {
		f.Fatal(err)
	}
	f.Add(out.String())
	f.Add(`{"schema": "moodledb.certificate/1", "started": "2026-01-05T08:15:00Z"}`)
	f.Add(`[]`)
	f.Fuzz(func(t *testing.T, text string) {
		c, err := report.ReadCertificate([]byte(text))
		if err == nil && (c.Result == nil || c.Computed == "") {
			t.Errorf("%+v is accepted", c)
		}
	})
}

func TestCertificateCheck(t *testing.T) {
	text := certified(t, comparedResult(), report.JSON)
	c, err := report.ReadCertificate([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	altered := *c
	altered.Computed = "sha256:" + strings.Repeat("0", 64)
	reread := &proof.Rereading{
		Past: c.Result, Started: time.Date(2027, 3, 1, 9, 0, 0, 0, time.UTC), Elapsed: 4 * time.Second, Tool: "v0.5.0", State: verify.Different,
		Sides: []proof.RereadSide{{
			Side: proof.FoundSide, End: comparedResult().Found, State: verify.Different, Notices: []string{"the server is another version"},
			Tables: []proof.RereadTable{
				{Table: "config", State: verify.Same, Then: fingerprintOf(1207, "a"), Now: fingerprintOf(1207, "a"), Bytes: 91 << 10},
				{Table: "forum_posts", State: verify.Different, Then: fingerprintOf(49_999, "c"), Now: fingerprintOf(50_000, "b"), Bytes: 80 << 20},
				{Table: "old", State: verify.Different, Problem: "there is no such table any more", Then: fingerprintOf(3, "f")},
				{Table: "sessions", State: verify.Unknown, Problem: "the certificate has no fingerprint of it"},
			},
		}},
	}
	same := *reread
	same.State, same.Sides = verify.Same, []proof.RereadSide{reread.Sides[0]}
	same.Sides[0].State, same.Sides[0].Tables = verify.Same, reread.Sides[0].Tables[:1]
	unread := proof.Rereading{Past: c.Result, Started: reread.Started, Tool: "v0.5.0", State: verify.Same}
	for _, tc := range []struct {
		name  string
		file  *report.CertificateFile
		past  *proof.Rereading
		state verify.State
	}{
		{"certificate-check", c, reread, verify.Different},
		{"certificate-check-same", c, &same, verify.Same},
		{"certificate-check-unread", c, &unread, verify.Same},
		{"certificate-check-altered", &altered, &unread, verify.Different},
	} {
		for _, format := range report.Formats() {
			name := tc.name + "." + extension(format)
			t.Run(name, func(t *testing.T) {
				var out bytes.Buffer
				if err := report.CertificateCheck(&out, "site.json", tc.file, tc.past, format); err != nil {
					t.Fatal(err)
				}
				golden(t, name, out.String())
				checkOutput(t, out.String(), format)
				if got := report.CheckState(tc.file, tc.past); got != tc.state {
					t.Errorf("is %s, want %s", got, tc.state)
				}
			})
		}
	}
	if err := report.CertificateCheck(&bytes.Buffer{}, "x", c, reread, report.HTML); err == nil {
		t.Error("accepts HTML")
	}
}
