package report

import (
	"net/url"
	"path"
	"path/filepath"
	"strings"

	"github.com/moodledb/moodledb/diff"
	"github.com/moodledb/moodledb/drift"
)

// places finds the files that code hosts show differences at. Paths of
// declarations are relative to the code, but hosts know those of the repository.
type places struct {
	prefix string
	// fallback is where objects are shown that no file declares: GitHub and GitLab
	// refuse whole reports in which one entry has no file.
	fallback string
}

// coreInstall is the install.xml of the core, relative to the directory that PHP serves.
const coreInstall = "lib/db/install.xml"

func newPlaces(r *drift.Result, opts DiffOptions) places {
	p := places{prefix: opts.CodePrefix, fallback: coreInstall}
	for _, c := range r.Changes {
		// From Moodle 5.1 and Totara 13 on the code is in a directory below the root.
		for _, root := range []string{"public", "server"} {
			if c.Kind != diff.KindSource && strings.HasPrefix(c.Origin.File, root+"/") {
				p.fallback = root + "/" + coreInstall
			}
		}
	}
	p.fallback = p.inRepository(p.fallback)
	return p
}

// of returns the file and line at which a difference is shown; declared is false
// when nothing declares it, and the place is only where it would be.
func (p places) of(c diff.Change) (file string, line int, declared bool) {
	switch {
	case c.Origin.File == "":
		return p.fallback, 1, false
	case c.Kind == diff.KindSource: // a dump, relative to the working directory
		file = clean(c.Origin.File)
	default:
		file = p.inRepository(c.Origin.File)
	}
	return file, max(1, c.Origin.Line), true
}

// ofNotice returns the file and line of a notice, which are relative to the working directory.
func (p places) ofNotice(n drift.Notice) (file string, line int, ok bool) {
	if n.File == "" {
		return p.fallback, 1, false
	}
	return clean(n.File), max(1, n.Line), true
}

// inRepository turns a path below the code into one below the repository's root.
func (p places) inRepository(file string) string {
	if p.prefix == "" {
		return clean(file)
	}
	return path.Join(filepath.ToSlash(p.prefix), filepath.ToSlash(file))
}

func clean(file string) string { return path.Clean(filepath.ToSlash(file)) }

// fileURI makes a URI reference of a path; a relative one stays relative.
func fileURI(file string) string {
	if path.IsAbs(file) {
		return (&url.URL{Scheme: "file", Path: file}).String()
	}
	if volume := filepath.VolumeName(file); volume != "" {
		return (&url.URL{Scheme: "file", Path: "/" + file}).String()
	}
	// Where a colon would make a scheme of the first element, String puts ./ before it.
	return (&url.URL{Path: file}).String()
}
