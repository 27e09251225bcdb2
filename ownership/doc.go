// Package ownership hands a loaded schema over: it gives everything in it to
// a role, and publishes it, which means to rename the staging schema to the
// schema that the site uses.
//
// [Check] says before anything starts whether that will be possible and what
// it will do; [Publish] does it in one transaction, and proves the result
// before the commit. The package decides; the statements and the catalog
// queries are package postgres's. It creates, loads and drops no tables.
package ownership
