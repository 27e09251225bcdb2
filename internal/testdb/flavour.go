//go:build integration

package testdb

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/moodledb/moodledb/internal/throwaway"
	"github.com/moodledb/moodledb/schema"
)

// flavour is an engine and a version of it.
type flavour struct {
	name    string // as given: engine-version
	engine  schema.Engine
	version string   // "10.11", "9.7", "15"
	extra   []string // settings of a private server
}

// flavourName matches a flavour's name.
var flavourName = regexp.MustCompile(`^(mariadb|mysql|postgres)-(\d+(?:\.\d+)*)$`)

// parseFlavour reads a flavour's name.
func parseFlavour(name string) (flavour, error) {
	m := flavourName.FindStringSubmatch(name)
	if m == nil {
		return flavour{}, fmt.Errorf("testdb: %q is no server flavour: want mariadb-, mysql- or postgres- and a version, as in mariadb-10.11", name)
	}
	return flavour{name: name, engine: schema.Engine(m[1]), version: m[2]}, nil
}

// matches reports whether the version that a server tells is the flavour's.
func (f flavour) matches(version string) bool {
	rest, ok := strings.CutPrefix(version, f.version)
	return ok && (rest == "" || rest[0] < '0' || rest[0] > '9')
}

// kind is the flavour's engine in the words of throwaway.
func (f flavour) kind() throwaway.Kind { return throwaway.Kind(f.engine) }

// settings are what the tests need of a server, beyond what makes it fast.
func (f flavour) settings() []string {
	var settings []string
	switch f.engine {
	case schema.MariaDB, schema.MySQL:
		settings = []string{
			"max_allowed_packet=1G", // rows of 100 MB
			"innodb_buffer_pool_size=256M",
		}
	default:
		settings = []string{
			"max_wal_size=4GB", // no checkpoints while loading
			"log_timezone=UTC", // logs that can be compared
		}
	}
	return append(settings, f.extra...)
}
