package throwaway

import (
	"fmt"
	"os"
)

// makeDir makes the directory of a server. The returned function gives up what
// holds it.
func makeDir(opts Options) (dir string, release func(), err error) {
	dir, err = os.MkdirTemp(opts.Dir, "moodledb-"+string(opts.Kind)+"-")
	if err != nil {
		return "", nil, fmt.Errorf("make its directory: %w", err)
	}
	return dir, func() {}, nil
}
