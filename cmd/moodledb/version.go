package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
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
			release, commit := buildVersion()
			if release == "" {
				release = "(devel)"
			}
			switch format {
			case "json":
				return json.NewEncoder(t.stdout).Encode(map[string]string{
					"version": release, "commit": commit, "go": runtime.Version(),
					"os": runtime.GOOS, "arch": runtime.GOARCH,
				})
			case "text":
				line := "moodledb " + release
				if commit != "" {
					line += " (" + commit + ")"
				}
				_, err := fmt.Fprintln(t.stdout, line, runtime.Version(), runtime.GOOS+"/"+runtime.GOARCH)
				return err
			default:
				return usageError{fmt.Errorf("--format is text or json, not %q", format)}
			}
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "`text` or json")
	return cmd
}
