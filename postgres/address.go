package postgres

import (
	"fmt"
	"net"
	"strconv"
	"strings"
)

// Address names the database for people, without a password:
// user@host:port/database, with the socket's directory as the host of a local one.
func (db *DB) Address() string {
	host := db.config.Host
	if !strings.HasPrefix(host, "/") {
		host = net.JoinHostPort(host, strconv.Itoa(int(db.config.Port)))
	}
	return fmt.Sprintf("%s@%s/%s", db.config.User, host, db.config.Database)
}
