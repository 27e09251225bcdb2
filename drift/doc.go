// Package drift compares a database with what it should be: with the
// install.xml files of a site's code ([Declared]), or with another database
// ([Between]).
//
// It reads both sides, brings them to one engine where they are of two, has
// package diff compare them, and applies ignore rules and a baseline. Only
// catalogs, versions of components and highest ids are read; nothing is written.
package drift
