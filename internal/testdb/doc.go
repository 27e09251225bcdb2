// Package testdb gives integration tests real database servers: one server of
// each flavour per test process, one fresh database per test. It is built with
// the build tag integration only, so that users of the tool never compile it.
//
// Servers come from one of two backends, and the same tests run on both:
// "direct" runs the server programs of installed or extracted packages (see
// internal/throwaway), "docker" runs containers. The environment decides:
//
//	TEST_DB_BACKEND      auto (direct where the flavour is installed, else docker), direct or docker
//	TEST_SOURCES         the flavours that Sources returns, comma-separated; "" = mariadb-10.11,mariadb-11.8,mysql-9.7
//	TEST_TARGETS         the flavours that Targets returns; "" = postgres-15,postgres-17,postgres-18
//	TEST_MARIADB_ROOT, TEST_MYSQL_ROOT, TEST_POSTGRES_ROOT
//	                     directories of extracted packages, separated as in PATH, looked at first
//	TEST_SUITES          the directory in which scripts/suites extracts packages
//	TEST_MARIADB_IMAGE, TEST_MYSQL_IMAGE, TEST_POSTGRES_IMAGE
//	                     images; without a tag, the flavour's version is the tag
//	TEST_DB_REPORT       a file to which each server that was started adds one line
//	CI                   set: a server that cannot be had fails the test instead of skipping it
package testdb
