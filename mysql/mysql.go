// Package mysql is the dialect of MySQL and MariaDB: it connects, inspects,
// quotes, prints DDL and streams rows.
//
// Every session it opens is read only. It converts nothing, compares nothing
// and knows nothing of PostgreSQL.
package mysql
