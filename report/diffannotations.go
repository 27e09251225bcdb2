package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/moodledb/moodledb/diff"
	"github.com/moodledb/moodledb/drift"
)

// diffGitHub writes commands that the runner of GitHub's actions makes
// annotations of, and the summary. Of each severity GitHub shows the first ten of a step.
func diffGitHub(w io.Writer, r *drift.Result, opts DiffOptions) error {
	var b strings.Builder
	p := newPlaces(r, opts)
	for _, c := range foldOtherPrefixes(r.Changes) {
		text := c.text()
		if c.Hint != "" {
			text += ". What to do: " + c.Hint
		}
		file, line, declared := p.of(c.Change)
		if !declared {
			file = ""
		}
		writeCommand(&b, c.Severity, file, line, string(c.Code), text)
	}
	for _, n := range r.Notices {
		text := n.Message
		if n.Hint != "" {
			text += ". What to do: " + n.Hint
		}
		file, line, ok := p.ofNotice(n)
		if !ok {
			file = ""
		}
		writeCommand(&b, n.Severity, file, line, n.Code, text)
	}
	b.WriteString("moodledb diff: " + count(r).summary() + ".\n")
	if v := verdict(r); v != "" {
		b.WriteString(v + "\n")
	}
	return flush(w, &b)
}

// writeCommand writes one workflow command; an empty file makes an annotation of the run.
func writeCommand(b *strings.Builder, s diff.Severity, file string, line int, title, message string) {
	place := ""
	if file != "" {
		place = fmt.Sprintf("file=%s,line=%d,", commandProperty(file), line)
	}
	fmt.Fprintf(b, "::%s %stitle=%s::%s\n", command(s), place, commandProperty(title), commandMessage(message))
}

func command(s diff.Severity) string {
	switch s {
	case diff.Error:
		return "error"
	case diff.Warning:
		return "warning"
	default:
		return "notice"
	}
}

// commandMessage escapes what would end the message of a command.
func commandMessage(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(printable(s))
}

// commandProperty escapes what would end a property of a command.
func commandProperty(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(printable(s))
}

// gitlabIssue is an entry of a Code Quality report.
type gitlabIssue struct {
	Type        string         `json:"type"`
	Description string         `json:"description"`
	CheckName   string         `json:"check_name"`
	Fingerprint string         `json:"fingerprint"`
	Severity    string         `json:"severity"`
	Location    gitlabLocation `json:"location"`
}

type gitlabLocation struct {
	Path  string      `json:"path"`
	Lines gitlabLines `json:"lines"`
}

type gitlabLines struct {
	Begin int `json:"begin"`
}

// gitlabDocument makes a Code Quality report. GitLab compares it with that of the
// target branch by fingerprints, so they have no lines in them.
func gitlabDocument(r *drift.Result, opts DiffOptions) []gitlabIssue {
	p := newPlaces(r, opts)
	issues := []gitlabIssue{}
	prints := numbered(r.Changes)
	for i, c := range r.Changes {
		text := oneText(c)
		if c.Hint != "" {
			text += ". What to do: " + c.Hint
		}
		file, line, _ := p.of(c)
		issues = append(issues, gitlabIssue{
			Type: "issue", Description: printable(text), CheckName: string(c.Code), Fingerprint: prints[i],
			Severity: gitlabSeverity(c.Severity), Location: gitlabLocation{Path: printable(file), Lines: gitlabLines{Begin: line}},
		})
	}
	return issues
}

// gitlabSeverity uses the middle of GitLab's scale: blocker is for what stops a
// site at once, which no difference is known to do.
func gitlabSeverity(s diff.Severity) string {
	switch s {
	case diff.Error:
		return "critical"
	case diff.Warning:
		return "major"
	default:
		return "info"
	}
}
