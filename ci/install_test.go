package ci_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestTheActionBuildsTheProgram runs the step that installs, and asks the program
// for the flags that the action and the template give it.
func TestTheActionBuildsTheProgram(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program")
	}
	install := named(t, "install")
	// The script alone knows where the program is.
	install.Run += `
"$bin/moodledb" version
"$bin/moodledb" diff --help
`
	code, files, log := run(t, install, nil)
	if code != 0 {
		t.Fatalf("exit code %d\n%s", code, log)
	}
	if got, want := files["GITHUB_OUTPUT"], "binary=TEMP/moodledb/bin/moodledb\n"; got != want {
		t.Errorf("outputs %q, want %q", got, want)
	}
	if got, want := files["GITHUB_PATH"], "TEMP/moodledb/bin\n"; got != want {
		t.Errorf("path %q, want %q", got, want)
	}
	flag := regexp.MustCompile(`[ (]--([a-z-]+)[= ]`)
	checked := 0
	for name, script := range scripts(t) {
		if !strings.Contains(script, "diff") || strings.Contains(script, "install.php") {
			continue
		}
		for _, m := range flag.FindAllStringSubmatch(script, -1) {
			checked++
			if !strings.Contains(log, " --"+m[1]+" ") {
				t.Errorf("%s gives moodledb diff the flag --%s, which it has not:\n%s", name, m[1], log)
			}
		}
	}
	if checked < 10 {
		t.Errorf("found %d flags only", checked)
	}
}

func TestTheActionTakesAProgramThatIsThere(t *testing.T) {
	code, files, log := run(t, named(t, "install"), map[string]string{"BINARY": "/opt/moodledb\nx=y"})
	if code != 0 || files["GITHUB_OUTPUT"] != "binary=/opt/moodledb\n" || files["GITHUB_PATH"] != "" {
		t.Errorf("exit code %d, outputs %q, path %q\n%s", code, files["GITHUB_OUTPUT"], files["GITHUB_PATH"], log)
	}
}

// TestTheTemplateCompares runs the script of the template's job.
func TestTheTemplateCompares(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, ".moodledb"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(recorder(t, "1"), filepath.Join(dir, ".moodledb", "moodledb")); err != nil {
		t.Fatal(err)
	}
	// GitLab's runner uses sh where an image has no bash.
	cmd := bash(t, "--posix", "-e", "-c", scripts(t)["ci/gitlab.yml .moodledb-diff script"])
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CI_PROJECT_DIR="+dir, "MOODLEDB_CODE=.", "MOODLEDB_DB=$(touch x).sql", "MOODLEDB_FAIL_ON=warning", "MOODLEDB_BASELINE=a b.json", "MOODLEDB_CODE_PREFIX=")
	out, err := cmd.CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 1 {
		t.Errorf("ended with %v, want the program's exit code 1", err)
	}
	want := `[diff]
[--code=.]
[--db=$(touch x).sql]
[--fail-on=warning]
[--baseline=a b.json]
[--color=always]
[--output=gitlab=gl-code-quality-report.json]
[--output=junit=moodledb-junit.xml]
[--output=json=moodledb.json]
`
	if string(out) != want {
		t.Errorf("arguments\n%s\nwant\n%s", out, want)
	}
}
