package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/moodledb/moodledb/drift"
)

// DiffOptions say how to write differences. The zero value writes text without colours.
type DiffOptions struct {
	// Format is one of [DiffFormats]; empty for text.
	Format Format
	// Color lets text colour severities.
	Color bool
	// Width is that of the terminal, in columns; 0 wraps nothing. Text only.
	Width int
	// Verbose lists what rules ignore and what the baseline knows as well, in text,
	// Markdown and SARIF. JSON and HTML always have it.
	Verbose bool
	// CodePrefix is the path of the code in its repository, when the code is not
	// at the repository's root. GitHub, GitLab and SARIF name files from there.
	CodePrefix string
}

// DiffFormats lists the names that [ParseDiffFormat] knows.
func DiffFormats() []Format {
	return []Format{Text, JSON, JUnit, SARIF, GitHub, GitLab, Markdown, HTML, SQL}
}

// ParseDiffFormat reads the name of a format for differences.
func ParseDiffFormat(name string) (Format, error) {
	names := make([]string, 0, len(DiffFormats()))
	for _, f := range DiffFormats() {
		if name == string(f) {
			return f, nil
		}
		names = append(names, string(f))
	}
	last := len(names) - 1
	return "", fmt.Errorf("%q is no output format: use %s or %s", name, strings.Join(names[:last], ", "), names[last])
}

// Diff writes what a comparison found.
func Diff(w io.Writer, r *drift.Result, opts DiffOptions) error {
	switch opts.Format {
	case Text, "":
		return diffText(w, r, opts)
	case JSON:
		return writeJSON(w, diffDocument(r))
	case JUnit:
		return diffJUnit(w, r)
	case SARIF:
		return writeJSON(w, sarifDocument(r, opts))
	case GitHub:
		return diffGitHub(w, r, opts)
	case GitLab:
		return writeJSON(w, gitlabDocument(r, opts))
	case Markdown:
		return diffMarkdown(w, r, opts)
	case HTML:
		return diffHTML(w, r)
	case SQL:
		return DiffSQL(w, r, r.Fixes, r.Found.Engine)
	default:
		return fmt.Errorf("write differences: %q is no output format", opts.Format)
	}
}
