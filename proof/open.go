package proof

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/dsn"
	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/schema"
)

// database is one side, opened and inspected. One of mysql and postgres is set.
type database struct {
	side     Side
	mysql    *mysql.DB
	postgres *postgres.DB
	schema   schema.Schema
	prefix   string
	end      End
	// access says what the account may read; MySQL and MariaDB only.
	access mysql.Access
	// parents has, for PostgreSQL's partitions and tables that inherit, the table whose rows theirs are too;
	// inherited are those that are such a one.
	parents   map[string]string
	inherited map[string]bool
}

// open connects and inspects.
func open(ctx context.Context, side Side, s Source) (_ *database, err error) {
	if s.Prefix == nil && s.DSN.HasPrefix {
		s.Prefix = &s.DSN.Prefix
	}
	db := &database{side: side}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("the %s side: %w", side, err), db.close())
		}
	}()
	if s.DSN.Engine.IsMySQL() {
		err = db.openMySQL(ctx, s.DSN)
	} else {
		err = db.openPostgres(ctx, s)
	}
	if err != nil {
		return nil, err
	}
	if err := db.findPrefix(s.Prefix); err != nil {
		return nil, err
	}
	return db, nil
}

func (db *database) openMySQL(ctx context.Context, d dsn.DSN) (err error) {
	if db.mysql, err = mysql.Open(ctx, d); err != nil {
		return err
	}
	if db.schema, err = db.mysql.Inspect(ctx, mysql.InspectOptions{}); err != nil {
		return err
	}
	server := db.mysql.Server()
	db.end = End{Engine: server.Engine, Version: server.Version, Address: withoutUser(db.mysql.Address())}
	db.access, err = db.mysql.Access(ctx, db.schema)
	return err
}

func (db *database) openPostgres(ctx context.Context, s Source) (err error) {
	if db.postgres, err = postgres.OpenReadOnly(ctx, s.DSN); err != nil {
		return err
	}
	name := s.Schema
	if name == "" {
		name = s.DSN.Schema
	}
	if name == "" {
		if name, err = db.postgres.CurrentSchema(ctx); err != nil {
			return err
		}
	}
	if db.schema, err = db.postgres.Inspect(ctx, name); err != nil {
		return err
	}
	if db.parents, err = db.postgres.Parents(ctx, name); err != nil {
		return err
	}
	db.inherited = map[string]bool{}
	for _, parent := range db.parents {
		db.inherited[parent] = true
	}
	db.end = End{
		Engine: schema.Postgres, Version: db.postgres.Server().Version, Address: withoutUser(db.postgres.Address()), Schema: name,
	}
	return nil
}

// withoutUser leaves the name of the user out of an address.
func withoutUser(address string) string {
	return address[strings.LastIndexByte(address, '@')+1:]
}

// findPrefix takes the prefix that was given, or finds it. A prefix that no
// table has is a mistake: everything would be missing.
func (db *database) findPrefix(given *string) (err error) {
	if given == nil {
		db.prefix, err = convert.FindPrefix(&db.schema)
		if err != nil && db.schema.Engine == schema.Postgres {
			err = fmt.Errorf("%w; or name another schema than %q", err, db.schema.Name)
		}
		return err
	}
	db.prefix = *given
	for i := range db.schema.Tables {
		if hasPrefix(db.schema.Tables[i].Name, db.prefix) {
			return nil
		}
	}
	return fmt.Errorf("no table has the prefix %q: check the name of the database, the schema and the prefix", db.prefix)
}

// hasPrefix reports whether name begins with prefix, without regard to case:
// a server may keep names in lower case, whatever config.php says.
func hasPrefix(name, prefix string) bool {
	return len(name) >= len(prefix) && strings.EqualFold(name[:len(prefix)], prefix)
}

// object is the side as what is beyond rows is looked at.
func (db *database) object() objectSide {
	return objectSide{schema: &db.schema, prefix: db.prefix, mysql: db.mysql, postgres: db.postgres}
}

// grant is what lets the connected user read a table; all of them when table is empty.
func (db *database) grant(table string) string {
	if db.mysql != nil {
		return db.mysql.GrantSelect(db.access.Account, table)
	}
	name, role := postgres.QuoteIdent(db.schema.Name), postgres.QuoteIdent(db.postgres.Server().User)
	what := "ALL TABLES IN SCHEMA " + name
	if table != "" {
		what = name + "." + postgres.QuoteIdent(table)
	}
	return "GRANT USAGE ON SCHEMA " + name + " TO " + role + "; GRANT SELECT ON " + what + " TO " + role
}

// filled reports whether a table has a row.
func (db *database) filled(ctx context.Context, table string) (bool, error) {
	if db.postgres != nil {
		names, err := db.postgres.Filled(ctx, db.schema.Name, []string{table})
		return len(names) > 0, err
	}
	var filled bool
	query := "SELECT EXISTS (SELECT 1 FROM " + mysql.QuoteIdent(db.schema.Name) + "." + mysql.QuoteIdent(table) + ")"
	err := db.mysql.SQL().QueryRowContext(ctx, query).Scan(&filled)
	return filled, err
}

// close closes all connections.
func (db *database) close() error {
	if db.postgres != nil {
		db.postgres.Close()
	}
	if db.mysql != nil {
		return db.mysql.Close()
	}
	return nil
}
