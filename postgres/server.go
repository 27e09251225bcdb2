package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// minVersion is the oldest server that is supported, as server_version_num.
const minVersion = 140000

// minReadable is the oldest server whose catalogs can be read: that of generated columns.
const minReadable = 120000

// Server says what a server is and what the connected role may do in the database.
type Server struct {
	// Version is what the server prints, such as "15.8 (Debian 15.8-0+deb12u1)";
	// Num is the same as a number, such as 150008.
	Version string
	Num     int
	// Encoding is that of the database.
	Encoding string
	Database string
	// DatabaseOwner is the role that owns the database.
	DatabaseOwner string
	// User is the role whose rights count; Superuser says that it has all of them.
	User      string
	Superuser bool
	// CanCreate says that User may create schemas in the database.
	CanCreate bool
	// LZ4 says that values can be compressed with lz4.
	LZ4 bool
	// Standby and ReadOnly tell a replica and a database or role that is set read only.
	Standby  bool
	ReadOnly bool
	// MaxConnections and MaxLocks are max_connections and
	// max_locks_per_transaction; together they bound how many objects one transaction can touch.
	MaxConnections int
	MaxLocks       int
	// MaxWorkers is max_parallel_maintenance_workers, as far as max_worker_processes and max_parallel_workers allow.
	MaxWorkers int
	// MaintenanceMemory, CacheSize and MaxWAL are maintenance_work_mem,
	// effective_cache_size and max_wal_size, in bytes; WALLevel is wal_level.
	MaintenanceMemory int64
	CacheSize         int64
	MaxWAL            int64
	WALLevel          string
	// Pooler says that something like PgBouncer answers in place of the server.
	Pooler bool
}

// Major returns the major version, such as 15.
func (s Server) Major() int { return s.Num / 10000 }

// readServer asks for everything in one query. Of what a load session sets
// itself, the value before that is asked for.
func readServer(ctx context.Context, c *pgx.Conn) (Server, error) {
	const query = `
SELECT current_setting('server_version'),
       current_setting('server_version_num')::int,
       pg_encoding_to_char(d.encoding),
       d.datname,
       pg_get_userbyid(d.datdba),
       current_user,
       r.rolsuper,
       has_database_privilege(d.oid, 'CREATE'),
       current_setting('default_toast_compression', true) IS NOT DISTINCT FROM 'lz4'
         OR EXISTS (SELECT FROM pg_settings s
                    WHERE s.name = 'default_toast_compression' AND 'lz4' = ANY (s.enumvals)),
       pg_is_in_recovery(),
       current_setting('default_transaction_read_only')::bool,
       current_setting('max_connections')::int,
       current_setting('max_locks_per_transaction')::int,
       least((SELECT reset_val::int FROM pg_settings WHERE name = 'max_parallel_maintenance_workers'),
             current_setting('max_parallel_workers')::int, current_setting('max_worker_processes')::int),
       (SELECT reset_val::bigint * 1024 FROM pg_settings WHERE name = 'maintenance_work_mem'),
       pg_size_bytes(current_setting('effective_cache_size')),
       pg_size_bytes(current_setting('max_wal_size')),
       current_setting('wal_level'),
       pg_backend_pid()
FROM pg_database d, pg_roles r
WHERE d.datname = current_database() AND r.rolname = current_user`
	var s Server
	var pid uint32
	err := c.QueryRow(ctx, query).Scan(&s.Version, &s.Num, &s.Encoding, &s.Database, &s.DatabaseOwner,
		&s.User, &s.Superuser, &s.CanCreate, &s.LZ4, &s.Standby, &s.ReadOnly,
		&s.MaxConnections, &s.MaxLocks, &s.MaxWorkers, &s.MaintenanceMemory, &s.CacheSize, &s.MaxWAL, &s.WALLevel, &pid)
	if err != nil {
		return Server{}, fmt.Errorf("ask the server what it is: %w", err)
	}
	s.Pooler = pid != c.PgConn().PID()
	return s, nil
}

// fit reports why the server or database cannot hold a site.
func (s Server) fit() error {
	switch {
	case s.Num < minVersion:
		return &unfitError{
			message: fmt.Sprintf("the server is PostgreSQL %s; 14 or newer is needed", s.Version),
			hint:    "use a newer server",
		}
	case s.Encoding != "UTF8":
		return &unfitError{
			message: fmt.Sprintf("the database's encoding is %s; Moodle needs UTF8", s.Encoding),
			hint: fmt.Sprintf("make another database: CREATE DATABASE %s OWNER %s ENCODING 'UTF8' TEMPLATE template0",
				QuoteIdent("moodle"), QuoteIdent(s.User)),
		}
	case s.Standby:
		return &unfitError{
			message: "the server is a standby (replica) and cannot be written",
			hint:    "connect to the primary server; with several hosts in the URL add target_session_attrs=read-write",
		}
	case s.ReadOnly:
		return &unfitError{
			message: "the database or the role is set read only (default_transaction_read_only is on)",
			hint: fmt.Sprintf("if this is the right database: ALTER DATABASE %s SET default_transaction_read_only = off",
				QuoteIdent(s.Database)),
		}
	}
	return nil
}

// readable reports why the catalogs of the server cannot be read.
func (s Server) readable() error {
	if s.Num < minReadable {
		return &unfitError{
			message: fmt.Sprintf("the server is PostgreSQL %s; 12 or newer is needed", s.Version),
			hint:    "use a newer server, or a dump of the schema: pg_dump --schema-only",
		}
	}
	return nil
}
