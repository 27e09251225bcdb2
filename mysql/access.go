package mysql

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	driver "github.com/go-sql-driver/mysql"

	"github.com/moodledb/moodledb/schema"
)

// Access says what the connected user may do in a database.
type Access struct {
	// Account is the account that the server chose, such as "moodle@10.0.0.%".
	Account string
	// Whole is set when the user may read the whole database. Else it was
	// granted single tables, and the catalogs hide all others: that nothing is
	// missing cannot be told from here.
	Whole bool
	// Denied are the tables that are seen but cannot be read, sorted.
	Denied []string
	// Global and Database are the privileges, in upper case and sorted, that
	// the user has on the server and on the database, through active roles too.
	// ALL PRIVILEGES is one of them.
	Global   []string
	Database []string
}

// Has reports whether the user has a privilege, such as "SHOW VIEW", on the database or the whole server.
func (a Access) Has(privilege string) bool {
	for _, list := range [][]string{a.Global, a.Database} {
		if slices.Contains(list, privilege) || slices.Contains(list, "ALL PRIVILEGES") {
			return true
		}
	}
	return false
}

// Access finds out what the user may read in the DSN's database. s is what
// [DB.Inspect] found there. Only where the user was not granted the whole
// database does it ask for every table, without reading a row.
func (db *DB) Access(ctx context.Context, s schema.Schema) (Access, error) {
	var a Access
	if err := db.sql.QueryRowContext(ctx, "SELECT CURRENT_USER()").Scan(&a.Account); err != nil {
		return Access{}, fmt.Errorf("read the user's rights: %w", err)
	}
	grants, err := db.grants(ctx)
	if err != nil {
		return Access{}, fmt.Errorf("read the user's rights: %w", err)
	}
	for _, g := range grants {
		switch {
		case g.database == "*" && g.table == "*":
			a.Global = append(a.Global, g.privileges...)
		case g.table == "*" && matchDatabase(g.database, s.Name):
			a.Database = append(a.Database, g.privileges...)
		}
	}
	for _, list := range []*[]string{&a.Global, &a.Database} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	a.Whole = a.Has("SELECT")
	if a.Whole {
		return a, nil
	}
	for _, t := range s.Tables {
		denied, err := db.isDenied(ctx, s.Name, t.Name)
		if err != nil {
			return Access{}, fmt.Errorf("try to read table %q: %w", t.Name, err)
		}
		if denied {
			a.Denied = append(a.Denied, t.Name)
		}
	}
	return a, nil
}

// isDenied asks for no row of a table, which takes the right to read every column.
func (db *DB) isDenied(ctx context.Context, database, table string) (bool, error) {
	rows, err := db.sql.QueryContext(ctx, "SELECT * FROM "+QuoteIdent(database)+"."+QuoteIdent(table)+" LIMIT 0")
	var refused *driver.MySQLError
	if errors.As(err, &refused) && (refused.Number == 1142 || refused.Number == 1143) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	return false, errors.Join(rows.Err(), rows.Close())
}

// grant is one line of SHOW GRANTS.
type grant struct {
	privileges      []string
	database, table string
}

// grants reads SHOW GRANTS, which shows the privileges of active roles as well.
func (db *DB) grants(ctx context.Context) (grants []grant, err error) {
	rows, err := db.sql.QueryContext(ctx, "SHOW GRANTS")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return nil, err
		}
		if g, ok := parseGrant(line); ok {
			grants = append(grants, g)
		}
	}
	return grants, rows.Err()
}

// parseGrant reads "GRANT SELECT, INSERT ON `db`.* TO ...". Grants of roles, of
// proxies and on routines, and grants of single columns, are none of ours.
func parseGrant(line string) (grant, bool) {
	pattern := regexp.MustCompile("^GRANT (.*?) ON ((?:`(?:[^`]|``)*`|\\*)\\.(?:`(?:[^`]|``)*`|\\*)) TO ")
	m := pattern.FindStringSubmatch(line)
	if m == nil {
		return grant{}, false
	}
	database, table := cutIdent(m[2])
	table, _ = cutIdent(strings.TrimPrefix(table, "."))
	g := grant{database: database, table: table}
	for p := range strings.SplitSeq(m[1], ",") {
		p = strings.ToUpper(strings.TrimSpace(p))
		if !strings.ContainsAny(p, "()`") {
			g.privileges = append(g.privileges, p)
		}
	}
	return g, true
}

// cutIdent takes a quoted identifier or "*" from the start of text.
func cutIdent(text string) (name, rest string) {
	if !strings.HasPrefix(text, "`") {
		name, rest, _ = strings.Cut(text, ".")
		return name, rest
	}
	n := quotedLength(text)
	return strings.ReplaceAll(text[1:n-1], "``", "`"), text[n:]
}

// matchDatabase reports whether the database pattern of a grant covers a name:
// "%" and "_" are wildcards there unless a backslash stands before them.
func matchDatabase(pattern, name string) bool {
	var b strings.Builder
	b.WriteString("(?s)^")
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '\\' && i+1 < len(pattern):
			i++
			b.WriteString(regexp.QuoteMeta(pattern[i : i+1]))
		case c == '%':
			b.WriteString(".*")
		case c == '_':
			b.WriteString(".")
		default:
			b.WriteString(regexp.QuoteMeta(pattern[i : i+1]))
		}
	}
	b.WriteString("$")
	matched, err := regexp.MatchString(b.String(), name)
	return err == nil && matched
}
