package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moodledb/moodledb/internal/benchsite"
)

func TestSize(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		text string
		want int64
	}{
		{"", 0}, {"64", 64}, {"10M", 10_000_000}, {"1.1GB", 1_100_000_000}, {"10GiB", 10 << 30},
	} {
		if got, err := size("size", tc.text); err != nil || got != tc.want {
			t.Errorf("size(%q) = %d, %v; want %d", tc.text, got, err, tc.want)
		}
	}
	for _, bad := range []string{"large", "-1", "10XB", "9000PB"} {
		if n, err := size("size", bad); err == nil {
			t.Errorf("size(%q) = %d", bad, n)
		}
	}
}

func TestRunRefuses(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		args []string
		want string
	}{
		{"an unknown profile", []string{"--profile", "huge"}, "mix site tables"},
		{"a size that is none", []string{"--size", "large"}, "--size"},
		{"an argument", []string{"mix"}, `"mix"`},
		{"an unknown server", []string{"--source", "oracle-23"}, "oracle-23"},
		{"a target to migrate from", []string{"--source", "postgres-15"}, "postgres-15"},
		{"a source to migrate to", []string{"--target", "mysql-9.7"}, "mysql-9.7"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var out, log bytes.Buffer
			err := run(t.Context(), append(tc.args, "--dir", t.TempDir()), &out, &log)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want %q in it", err, tc.want)
			}
		})
	}
}

func TestPublish(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := flags{json: filepath.Join(dir, "result.json"), page: filepath.Join(dir, "page.md")}
	if err := os.WriteFile(f.page, []byte("# Page\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := f.publish(&benchsite.Result{Profile: benchsite.Mix}, &out); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{f.json, f.page} {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(b), "mix") {
			t.Errorf("%s: %s", file, b)
		}
	}
	if !strings.Contains(out.String(), "profile mix") {
		t.Errorf("the table is %q", out.String())
	}
}
