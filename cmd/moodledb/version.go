package main

import (
	"cmp"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/moodledb/moodledb/report"
)

// version is set by the linker for releases: -X main.version=v1.2.3.
var version = ""

// buildVersion is the release, or else what the Go tool knows of the build.
func buildVersion() (release, commit string) {
	release = version
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return release, ""
	}
	if release == "" {
		release = info.Main.Version
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			commit = s.Value
		}
	}
	return release, commit
}

func newVersion(t *terminal) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print the version of moodledb",
		Example: "  moodledb version\n  moodledb version --format json",
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			form, err := report.ParseFormat(format)
			if err != nil {
				return usageError{err}
			}
			release, commit := buildVersion()
			return report.Version(t.stdout, report.Build{
				Version: cmp.Or(release, "(devel)"), Commit: commit, Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH,
			}, form)
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "`text` or json")
	return cmd
}
