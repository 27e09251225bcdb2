// Package samplesite writes testdata/site/site.sql, the database of the sample
// site that the demo and the tests use.
//
// The rows come from a fixed seed, so the file is always the same; the test of
// this package fails when the committed file differs from what [Write] makes,
// and rewrites it when run with -update.
//
// The tables are described by the sample site's own install.xml files. Their
// DDL is written here by a few rules of this package and not by the packages
// convert and mysql, so that the file can be used to check those.
package samplesite

//go:generate go test . -run TestCommittedFile -update
