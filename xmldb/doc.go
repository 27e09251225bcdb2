// Package xmldb reads what the code of a Moodle or Totara site declares about
// its database: it finds every db/install.xml by the site's own rules, parses
// it into Moodle's words (table, field, key, index) and judges it as Moodle
// would.
//
// [Load] never runs PHP. It reads lib/components.json, db/subplugins.json, the
// literals of version.php and subplugins.php, and the install.xml files, from
// Moodle up to 5.0, Moodle 5.1 and later (public/), Totara 2.5 to 12, and Totara
// 13 and later (server/).
//
// A [Site] holds what Moodle itself would load, in the order in which Moodle's
// installer creates it. Whatever Moodle would refuse is left out and told as a
// [Finding] with file and line:
//
//   - A rule of the reader (a missing attribute, an unknown type, a duplicate
//     name) makes Moodle refuse the whole file, so all its tables are left out.
//   - A rule of creation (a field named orderId, an index on a text field, a
//     name too long) makes Moodle refuse the table, so that table is left out.
//   - A PATH attribute that names another directory is only a warning, and the
//     file is loaded, although newer versions of Moodle skip it. What reads a
//     database of an older version must know these tables.
//
// [Site.Names] runs Moodle's naming of keys and indexes, whose counters depend
// on the order of all tables of the site.
//
// The package knows no SQL type and opens no connection; convert does the rest.
package xmldb
