package mysql

import "fmt"

// Address names the database for people, without a password:
// user@host:port/database, with the socket's path as the host of a local one.
func (db *DB) Address() string {
	return fmt.Sprintf("%s@%s/%s", db.dsn.User, db.dsn.Address(), db.dsn.Database)
}
