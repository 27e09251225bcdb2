package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/moodledb/moodledb/schema"
)

// Server says what a server is and how it is set.
type Server struct {
	// Engine is what the server really is, whatever the DSN claimed.
	Engine schema.Engine
	// Version is what VERSION() prints, such as "10.11.6-MariaDB-0+deb12u1".
	Version             string
	Major, Minor, Patch int
	// Comment is version_comment, which names the maker of the build.
	Comment string
	// LowerCaseTableNames is 0 when the case of table names counts.
	LowerCaseTableNames int
	// MaxAllowedPacket is the size in bytes that no row and no value sent to a client exceeds.
	MaxAllowedPacket int64
	// SQLMode is the mode that new sessions get from the server.
	SQLMode string
	// Charset and Collation are the defaults of new databases.
	Charset   string
	Collation string
	// TLS is the version of TLS in use, such as "TLSv1.3"; empty when the connection is not encrypted.
	TLS string
	// Warning says what to know about a version that is older or newer than
	// those moodledb is tested with; empty for a supported one.
	Warning string
}

// String names the server as people do, such as "MariaDB 10.11.6".
func (s Server) String() string {
	name := "MySQL"
	if s.Engine == schema.MariaDB {
		name = "MariaDB"
	}
	return fmt.Sprintf("%s %d.%d.%d", name, s.Major, s.Minor, s.Patch)
}

// AtLeast reports whether the server is of that version or a later one.
func (s Server) AtLeast(major, minor, patch int) bool {
	if s.Major != major {
		return s.Major > major
	}
	if s.Minor != minor {
		return s.Minor > minor
	}
	return s.Patch >= patch
}

// readServer asks for everything in two queries that every version answers.
func readServer(ctx context.Context, db *sql.DB) (Server, error) {
	const variables = `
SHOW GLOBAL VARIABLES
WHERE Variable_name IN ('version', 'version_comment', 'lower_case_table_names', 'max_allowed_packet',
      'sql_mode', 'character_set_server', 'collation_server')`
	values := map[string]string{}
	for _, query := range []string{variables, "SHOW SESSION STATUS LIKE 'Ssl_version'"} {
		if err := readPairs(ctx, db, query, values); err != nil {
			return Server{}, err
		}
	}
	return newServer(values)
}

// readPairs puts the rows of a query of two columns into values, with the names in lower case.
func readPairs(ctx context.Context, db *sql.DB, query string, values map[string]string) (err error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var name string
		var value sql.NullString
		if err := rows.Scan(&name, &value); err != nil {
			return err
		}
		values[strings.ToLower(name)] = value.String
	}
	return rows.Err()
}

// newServer makes a Server of the values of variables.
func newServer(values map[string]string) (Server, error) {
	s := Server{
		Engine:    schema.MySQL,
		Version:   values["version"],
		Comment:   values["version_comment"],
		SQLMode:   values["sql_mode"],
		Charset:   normalCharset(values["character_set_server"]),
		Collation: normalCharset(values["collation_server"]),
		TLS:       values["ssl_version"],
	}
	// Some MariaDB servers and proxies put this in front for old replicas.
	s.Version = strings.TrimPrefix(s.Version, "5.5.5-")
	if strings.Contains(strings.ToLower(s.Version+s.Comment), "mariadb") {
		s.Engine = schema.MariaDB
	}
	var err error
	if s.Major, s.Minor, s.Patch, err = parseVersion(s.Version); err != nil {
		return Server{}, err
	}
	if s.LowerCaseTableNames, err = strconv.Atoi(values["lower_case_table_names"]); err != nil {
		return Server{}, fmt.Errorf("read lower_case_table_names: %w", err)
	}
	if s.MaxAllowedPacket, err = strconv.ParseInt(values["max_allowed_packet"], 10, 64); err != nil {
		return Server{}, fmt.Errorf("read max_allowed_packet: %w", err)
	}
	s.Warning = s.warning()
	return s, nil
}

// parseVersion reads the three numbers at the start of a version.
func parseVersion(version string) (major, minor, patch int, err error) {
	numbers := version
	if i := strings.IndexFunc(numbers, func(c rune) bool { return c != '.' && (c < '0' || c > '9') }); i >= 0 {
		numbers = numbers[:i]
	}
	parts := strings.Split(strings.Trim(numbers, "."), ".")
	if len(parts) < 2 {
		return 0, 0, 0, fmt.Errorf("%q is no server version", version)
	}
	var n [3]int
	for i := range min(len(parts), len(n)) {
		if n[i], err = strconv.Atoi(parts[i]); err != nil {
			return 0, 0, 0, fmt.Errorf("%q is no server version", version)
		}
	}
	return n[0], n[1], n[2], nil
}

// fit refuses a server whose catalogs or protocol are too old to be read rightly.
func (s Server) fit() error {
	switch {
	case s.Engine == schema.MySQL && !s.AtLeast(5, 7, 0):
		return &unfitError{
			fmt.Sprintf("the server is %s, and moodledb reads MySQL from 5.7 on", s),
			"upgrade the server, or load a dump of it into a newer one",
		}
	case s.Engine == schema.MariaDB && !s.AtLeast(10, 2, 7):
		// From that version on, the catalogs tell a default text from an expression.
		return &unfitError{
			fmt.Sprintf("the server is %s, and moodledb reads MariaDB from 10.2.7 on", s),
			"upgrade the server, or load a dump of it into a newer one",
		}
	default:
		return nil
	}
}

// warning says what to know about a version outside of those that are tested.
func (s Server) warning() string {
	oldest, newest, old, young := "8.4", "9.x", !s.AtLeast(8, 4, 0), s.Major > 9
	if s.Engine == schema.MariaDB {
		oldest, newest, old, young = "10.6", "11.8", !s.AtLeast(10, 6, 0), s.AtLeast(11, 9, 0)
	}
	switch {
	case old:
		return fmt.Sprintf("%s is older than %s, the oldest version that moodledb is tested with", s, oldest)
	case young:
		return fmt.Sprintf("%s is newer than %s, the newest version that moodledb is tested with", s, newest)
	default:
		return ""
	}
}

// normalCharset spells a character set or collation as new servers do: what
// old ones call utf8 has three bytes at most and is utf8mb3 by now.
func normalCharset(name string) string {
	if name == "utf8" || strings.HasPrefix(name, "utf8_") {
		return "utf8mb3" + name[len("utf8"):]
	}
	return name
}
