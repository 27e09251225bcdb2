package benchsite

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// UpdatePage puts the result into a Markdown page, in place of what an earlier
// run of the same profile has put there. What people have written around the
// sections stays; a section that the page does not have comes at its end.
func (r *Result) UpdatePage(file string) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("update the page of benchmarks: %w", err)
	}
	text, err := replaceSection(string(b), r.section(), r.markdown())
	if err != nil {
		return fmt.Errorf("update the page of benchmarks: %s: %w", file, err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil { //nolint:gosec // a page of the documentation
		return fmt.Errorf("update the page of benchmarks: %w", err)
	}
	return nil
}

// section is the name of the result's place in the page.
func (r *Result) section() string {
	if r.Larger != nil {
		return string(r.Profile) + "-grown"
	}
	return string(r.Profile)
}

// replaceSection puts body between the marks of a section.
func replaceSection(page, name, body string) (string, error) {
	begin, end := "<!-- bench-site "+name+" begin -->\n", "<!-- bench-site "+name+" end -->\n"
	section := begin + body + end
	before, rest, found := strings.Cut(page, begin)
	if !found {
		return strings.TrimRight(page, "\n") + "\n\n" + section, nil
	}
	_, after, found := strings.Cut(rest, end)
	if !found {
		return "", fmt.Errorf("the mark %q has no %q behind it", strings.TrimSpace(begin), strings.TrimSpace(end))
	}
	return before + section + after, nil
}

// markdown is the section of the page.
func (r *Result) markdown() string {
	var b strings.Builder
	runs, left := r.figures()
	goals, goalLeft := r.goalGrid()
	fmt.Fprintf(&b, "%s.\n%s.\n\n```\n%s\n```\n\n%s%s\n%s", r.subject(), r.place(), r.Command, r.caution(), goals.markdown(goalLeft...), runs.markdown(left...))
	var notes strings.Builder
	all := slices.Clone(r.Runs)
	if r.Verify != nil {
		all = append(all, r.Verify.Run)
	}
	for _, run := range all {
		if run.Note != "" {
			fmt.Fprintf(&notes, "- %s: `%s`\n", run.Name, run.Note)
		}
		if run.Failure != "" {
			line, _, _ := strings.Cut(run.Failure, "\n")
			fmt.Fprintf(&notes, "- %s failed: %s\n", run.Name, line)
		}
	}
	if notes.Len() > 0 {
		b.WriteString("\nHow they ran:\n\n" + notes.String())
	}
	return b.String()
}
