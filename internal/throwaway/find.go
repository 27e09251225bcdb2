package throwaway

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// ErrNotInstalled means that the machine has no programs of the wanted server.
var ErrNotInstalled = errors.New("not installed")

// Installation is one set of server programs.
type Installation struct {
	Kind    Kind
	Version string // of the server program, for example "10.11.6" or "15.18"
	Root    string // as in Options

	eng    engine
	server string // path of the server program
}

// Installed returns the installations of one kind of server, newest first: on
// the machine itself when root is empty, else below root. None is no error.
func Installed(ctx context.Context, kind Kind, root string) ([]Installation, error) {
	eng, err := engineOf(kind)
	if err != nil {
		return nil, err
	}
	var st *suite
	if root != "" {
		if st, err = openSuite(root); err != nil {
			return nil, err
		}
	}
	var found []Installation
	seen := map[string]bool{}
	for _, path := range serverPaths(eng, root) {
		resolved, err := filepath.EvalSymlinks(path)
		if err != nil || seen[resolved] {
			continue
		}
		seen[resolved] = true
		version, ok := probe(ctx, eng, st, resolved)
		if !ok {
			continue
		}
		found = append(found, Installation{Kind: kind, Version: version, Root: root, eng: eng, server: resolved})
	}
	if ctx.Err() != nil {
		// A program that had no time to answer is not missing.
		return nil, fmt.Errorf("look for %s servers: %w", kind, context.Cause(ctx))
	}
	slices.SortStableFunc(found, func(a, b Installation) int { return compareVersions(b.Version, a.Version) })
	return found, nil
}

// find returns the installation that opts ask for.
func find(ctx context.Context, opts Options) (Installation, error) {
	all, err := Installed(ctx, opts.Kind, opts.Root)
	if err != nil {
		return Installation{}, err
	}
	var versions []string
	for _, inst := range all {
		if hasVersion(inst.Version, opts.Version) {
			return inst, nil
		}
		versions = append(versions, inst.Version)
	}
	eng, err := engineOf(opts.Kind)
	if err != nil {
		return Installation{}, err
	}
	where := "on this machine"
	if opts.Root != "" {
		where = "below " + opts.Root
	}
	if len(versions) > 0 {
		return Installation{}, fmt.Errorf("%s %s is %w %s, only %s: %s",
			opts.Kind, opts.Version, ErrNotInstalled, where, strings.Join(versions, ", "), eng.installHint())
	}
	return Installation{}, fmt.Errorf("a %s server (%s) is %w %s: %s",
		opts.Kind, strings.Join(eng.serverNames(), " or "), ErrNotInstalled, where, eng.installHint())
}

// serverPaths returns where a server program may be, in order of preference.
func serverPaths(eng engine, root string) []string {
	var paths []string
	for _, name := range eng.serverNames() {
		if root == "" {
			if p, err := exec.LookPath(name); err == nil {
				paths = append(paths, p)
			}
		}
		for _, dir := range eng.serverDirs() {
			// The pattern is ours and well-formed: the error cannot be.
			hits, _ := filepath.Glob(filepath.Join(root, dir, name))
			slices.Sort(hits)
			paths = append(paths, hits...)
		}
	}
	return paths
}

// probe asks the server program for its version; false when it is none of the
// engine's (mysqld may be MariaDB's name for itself) or does not run.
func probe(ctx context.Context, eng engine, st *suite, path string) (string, bool) {
	argv := []string{path}
	if st != nil {
		argv = st.command(path)
	}
	argv = append(argv, "--version")
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir = string(os.PathSeparator)
	out, err := cmd.Output()
	if err != nil {
		return "", false
	}
	return eng.parseVersion(string(out))
}

// hasVersion reports whether version is wanted or begins with it, part by
// part: 10.11.6 has the version 10.11, and not 10.1.
func hasVersion(version, wanted string) bool {
	return wanted == "" || version == wanted || strings.HasPrefix(version, wanted+".")
}

// leadingNumber finds the number that a part of a version begins with: the
// "18" of "18beta1".
var leadingNumber = regexp.MustCompile(`^\d+`)

// compareVersions compares two dotted versions number by number.
func compareVersions(a, b string) int {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	for i := range max(len(as), len(bs)) {
		if d := versionPart(as, i) - versionPart(bs, i); d != 0 {
			return d
		}
	}
	return 0
}

func versionPart(parts []string, i int) int {
	if i >= len(parts) {
		return 0
	}
	n, err := strconv.Atoi(leadingNumber.FindString(parts[i]))
	if err != nil {
		return 0
	}
	return n
}
