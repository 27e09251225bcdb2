// Package postgres is everything that moodledb knows of PostgreSQL's dialect:
// how to connect, what a load session sets, how to read the catalogs into
// [schema.Schema], how to spell DDL, and how to handle whole schemas (staging,
// journal, owners) as statements and facts.
//
// [Open] connects and refuses a server that cannot serve a site. [DB.Inspect]
// reads one schema with a constant number of catalog queries. The functions
// that make statements (such as [CreateTable]) are pure: they take values,
// return text, and quote every identifier.
//
// The package judges nothing: which objects are wanted, whether a schema may
// be replaced and in what order things happen is decided in convert, diff,
// ownership and migrate. PostgreSQL 14 and later.
package postgres
