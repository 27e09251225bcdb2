package report

import (
	"fmt"
	"io"
)

const versionSchema = "moodledb.version/1"

// Build says what a program was built from.
type Build struct {
	// Version is the release, or what the Go tool makes up for a build in between.
	Version string
	// Commit is the revision of the source; empty when it is not known.
	Commit string
	// Go is the compiler's version; OS and Arch are the platform in Go's words.
	Go, OS, Arch string
}

type versionJSON struct {
	Schema  string `json:"schema"`
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Go      string `json:"go"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
}

// Version writes what the program was built from.
func Version(w io.Writer, b Build, format Format) error {
	switch format {
	case Text:
		commit := ""
		if b.Commit != "" {
			commit = " (" + b.Commit + ")"
		}
		_, err := fmt.Fprintf(w, "moodledb %s%s %s %s/%s\n", b.Version, commit, b.Go, b.OS, b.Arch)
		return err
	case JSON:
		return writeJSON(w, versionJSON{Schema: versionSchema, Version: b.Version, Commit: b.Commit, Go: b.Go, OS: b.OS, Arch: b.Arch})
	default:
		return fmt.Errorf("write version: %q is no output format", format)
	}
}
