// Package ci_test holds the action, the templates and the examples of continuous
// integration against each other, their documentation, and the program.
package ci_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"
)

// action is the part of action.yml that the tests look at.
type action struct {
	Inputs  map[string]struct{ Description, Default string }
	Outputs map[string]struct{ Description, Value string }
	Runs    struct {
		Using string
		Steps []step
	}
}

// step is a step of an action or a workflow.
type step struct {
	ID, Name, Uses, Run, Shell, If string
	Env, With                      map[string]string
}

// load reads a YAML file of the repository.
func load[T any](t *testing.T, file string) T {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", file))
	if err != nil {
		t.Fatal(err)
	}
	var v T
	if err := yaml.Load(data, &v); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return v
}

// bash runs bash, which all runners of GitHub have.
func bash(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath("bash")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("bash is not installed")
		}
		t.Skip("bash is not installed: the scripts are not tested")
	}
	return exec.CommandContext(t.Context(), path, args...)
}

// named is the step of the action with this id.
func named(t *testing.T, id string) step {
	t.Helper()
	steps := load[action](t, "action.yml").Runs.Steps
	i := slices.IndexFunc(steps, func(s step) bool { return s.ID == id })
	if i < 0 {
		t.Fatalf("action.yml has no step %q", id)
	}
	return steps[i]
}

var inputUse = regexp.MustCompile(`inputs\.([a-z-]+)`)

func TestEachInputIsUsedAndDocumented(t *testing.T) {
	a := load[action](t, "action.yml")
	page, err := os.ReadFile("../docs/ci.md")
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, s := range a.Runs.Steps {
		texts := []string{s.If}
		for _, values := range []map[string]string{s.Env, s.With} {
			for _, v := range values {
				texts = append(texts, v)
			}
		}
		for _, m := range inputUse.FindAllStringSubmatch(strings.Join(texts, "\n"), -1) {
			used[m[1]] = true
			if _, ok := a.Inputs[m[1]]; !ok {
				t.Errorf("step %q uses the input %s, which there is not", s.Name, m[1])
			}
		}
	}
	for name, input := range a.Inputs {
		if !used[name] {
			t.Errorf("the input %s is not used", name)
		}
		if input.Description == "" {
			t.Errorf("the input %s has no description", name)
		}
		if !bytes.Contains(page, []byte("\n| `"+name+"` | ")) {
			t.Errorf("docs/ci.md has no row for the input %s", name)
		}
	}
	for name, output := range a.Outputs {
		if output.Description == "" || output.Value == "" || !bytes.Contains(page, []byte("`"+name+"`")) {
			t.Errorf("the output %s is not described, or not in docs/ci.md", name)
		}
	}
}

func TestInputsNeverBecomePartOfAScript(t *testing.T) {
	for _, s := range load[action](t, "action.yml").Runs.Steps {
		if strings.Contains(s.Run, "${{") {
			t.Errorf("the script of step %q holds an expression; give it to the script as a variable", s.Name)
		}
		if s.Run != "" && s.Shell != "bash" {
			t.Errorf("step %q has the shell %q, want bash", s.Name, s.Shell)
		}
		for name := range s.Env {
			if !strings.Contains(s.Run, "$"+name) && !strings.Contains(s.Run, "${"+name) {
				t.Errorf("the script of step %q does not use its variable %s", s.Name, name)
			}
		}
	}
}

// scripts are all shell scripts of the action, the template and the examples.
func scripts(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, s := range load[action](t, "action.yml").Runs.Steps {
		all["action.yml "+s.Name] = s.Run
	}
	workflow := load[struct {
		Jobs map[string]struct{ Steps []step }
	}](t, "ci/github-example.yml")
	for name, job := range workflow.Jobs {
		for _, s := range job.Steps {
			all["ci/github-example.yml "+name+" "+s.Name] = s.Run
		}
	}
	for _, file := range []string{"ci/gitlab.yml", "ci/gitlab-example.yml"} {
		for name, job := range load[map[string]any](t, file) {
			fields, _ := job.(map[string]any)
			for _, key := range []string{"before_script", "script"} {
				lines, _ := fields[key].([]any)
				for _, line := range lines {
					all[file+" "+name+" "+key] += line.(string) + "\n"
				}
			}
		}
	}
	for name, script := range all {
		if script == "" {
			delete(all, name) // a step that uses an action
		}
	}
	return all
}

func TestScriptsAreWellFormed(t *testing.T) {
	all := scripts(t)
	if len(all) < 6 {
		t.Errorf("found %d scripts only: %v", len(all), all)
	}
	shellcheck, _ := exec.LookPath("shellcheck")
	for name, script := range all {
		t.Run(name, func(t *testing.T) {
			cmd := bash(t, "-n")
			cmd.Stdin = strings.NewReader(script)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
			if shellcheck == "" {
				return
			}
			check := exec.CommandContext(t.Context(), shellcheck, "--shell=bash", "-")
			check.Stdin = strings.NewReader(script)
			if out, err := check.CombinedOutput(); err != nil {
				t.Errorf("shellcheck: %v\n%s", err, out)
			}
		})
	}
}

func TestExamplesUseWhatThereIs(t *testing.T) {
	a := load[action](t, "action.yml")
	workflow := load[struct {
		Jobs map[string]struct{ Steps []step }
	}](t, "ci/github-example.yml")
	uses := 0
	for _, job := range workflow.Jobs {
		for _, s := range job.Steps {
			if !strings.HasPrefix(s.Uses, "moodledb/moodledb@") {
				continue
			}
			uses++
			for name := range s.With {
				if _, ok := a.Inputs[name]; !ok {
					t.Errorf("ci/github-example.yml gives the action an input %s, which it has not", name)
				}
			}
		}
	}
	if uses == 0 {
		t.Error("ci/github-example.yml does not use the action")
	}
	template := load[map[string]any](t, "ci/gitlab.yml")
	for name, job := range load[map[string]any](t, "ci/gitlab-example.yml") {
		fields, _ := job.(map[string]any)
		if base, ok := fields["extends"].(string); ok && template[base] == nil {
			t.Errorf("%s extends %s, which ci/gitlab.yml has not", name, base)
		}
	}
}

// TestTheTemplateBuildsWithTheRightGo holds the image against go.mod.
func TestTheTemplateBuildsWithTheRightGo(t *testing.T) {
	mod, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	version := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindSubmatch(mod)
	build := load[map[string]struct{ Image string }](t, "ci/gitlab.yml")[".moodledb-build"]
	if want := "golang:" + string(version[1]); build.Image != want {
		t.Errorf("the image is %q, want %q as go.mod says", build.Image, want)
	}
}

// run runs the script of a step as a runner does, and returns what it wrote to the files of the runner.
func run(t *testing.T, s step, env map[string]string) (code int, files map[string]string, log string) {
	t.Helper()
	temp := t.TempDir()
	script := filepath.Join(temp, "script.sh")
	if err := os.WriteFile(script, []byte(s.Run), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := bash(t, "--noprofile", "--norc", "-e", "-o", "pipefail", script)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "RUNNER_TEMP="+temp)
	for name := range s.Env {
		cmd.Env = append(cmd.Env, name+"="+env[name])
	}
	names := []string{"GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_STEP_SUMMARY"}
	for _, name := range names {
		cmd.Env = append(cmd.Env, name+"="+filepath.Join(temp, name))
	}
	action, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	cmd.Env = append(cmd.Env, "GITHUB_ACTION_PATH="+action)
	out, err := cmd.CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		code = exit.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	files = map[string]string{}
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join(temp, name))
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		files[name] = strings.ReplaceAll(string(data), temp, "TEMP")
	}
	return code, files, strings.ReplaceAll(string(out), temp, "TEMP")
}

// recorder makes a program that prints its arguments, one in brackets on each line, writes
// a summary where it is told to, and ends with a code.
func recorder(t *testing.T, code string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "a moodledb")
	script := `#!/bin/sh
for a in "$@"; do
  printf '[%s]\n' "$a"
  case $a in
    --output=markdown=*) printf '# Summary\n' > "${a#--output=markdown=}" ;;
    --output=sarif=*) printf '{}' > "${a#--output=sarif=}" ;;
  esac
done
exit ` + code + "\n"
	if err := os.WriteFile(file, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestTheActionPassesInputsOn(t *testing.T) {
	hostile := "$(touch pwned) `touch pwned`; touch pwned' \" *"
	for _, tc := range []struct {
		name string
		env  map[string]string
		want []string
	}{
		{"a database alone", map[string]string{"DB": "config.php"}, []string{"diff", "--code=.", "--db=config.php"}},
		{"two databases", map[string]string{"FROM": "a.sql", "TO": "b.sql"}, []string{"diff", "--from=a.sql", "--to=b.sql"}},
		{
			"everything",
			map[string]string{
				"CODE": "site", "DB": "d", "PREFIX": "mdl_", "SCHEMA": "s", "FAIL_ON": "error", "IGNORE_FILE": "i.yaml", "BASELINE": "b.json",
				"CODE_PREFIX": "www", "FORMAT": "github", "SARIF_FILE": "x.sarif", "JUNIT_FILE": "x.xml", "JSON_FILE": "x.json",
			},
			[]string{
				"diff", "--code=site", "--db=d", "--prefix=mdl_", "--schema=s", "--fail-on=error", "--ignore=i.yaml", "--baseline=b.json",
				"--code-prefix=www", "--format=github", "--output=sarif=x.sarif", "--output=junit=x.xml", "--output=json=x.json",
			},
		},
		{
			"further arguments",
			map[string]string{"DB": "d", "ARGS": "--collation=utf8mb4_bin\r\n\n--owner=a b\n--verbose"},
			[]string{"diff", "--code=.", "--db=d", "--collation=utf8mb4_bin", "--owner=a b", "--verbose"},
		},
		{"a value like a flag", map[string]string{"DB": "--help", "CODE": "-"}, []string{"diff", "--code=-", "--db=--help"}},
		{
			"values like commands",
			map[string]string{"DB": hostile, "CODE": hostile, "ARGS": hostile},
			[]string{"diff", "--code=" + hostile, "--db=" + hostile, hostile},
		},
		{"a summary", map[string]string{"DB": "d", "SUMMARY": "true"}, []string{"diff", "--code=.", "--db=d", "--output=markdown=TEMP/moodledb-X"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.env["BINARY"] = recorder(t, "0")
			code, files, log := run(t, named(t, "diff"), tc.env)
			log = regexp.MustCompile(`moodledb-\w{6}\]`).ReplaceAllString(log, "moodledb-X]")
			if d := cmp.Diff("["+strings.Join(tc.want, "]\n[")+"]\n", log); d != "" {
				t.Errorf("arguments (-want +got):\n%s", d)
			}
			if code != 0 || !strings.HasPrefix(files["GITHUB_OUTPUT"], "exit-code=0\n") {
				t.Errorf("exit code %d, outputs %q", code, files["GITHUB_OUTPUT"])
			}
			if summary := files["GITHUB_STEP_SUMMARY"]; (summary == "# Summary\n") != (tc.env["SUMMARY"] == "true") {
				t.Errorf("the summary is %q", summary)
			}
		})
	}
}

func TestTheActionTellsHowItEnded(t *testing.T) {
	for _, want := range []string{"0", "1", "2"} {
		code, files, log := run(t, named(t, "diff"), map[string]string{
			"BINARY": recorder(t, want), "DB": "d", "SARIF_FILE": "x.sarif", "SUMMARY": "true",
		})
		if got := "exit-code=" + want + "\nsarif-file=x.sarif\n"; files["GITHUB_OUTPUT"] != got || code != int(want[0]-'0') {
			t.Errorf("exit code %d, outputs %q, want %q\n%s", code, files["GITHUB_OUTPUT"], got, log)
		}
		if files["GITHUB_STEP_SUMMARY"] != "# Summary\n" {
			t.Errorf("the summary is %q", files["GITHUB_STEP_SUMMARY"])
		}
	}
}
