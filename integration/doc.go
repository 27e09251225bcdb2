// Package integration holds the tests that need real servers: whole migrations
// over every pair of source and target, hostile values, drift, kills and
// refusals. They have the build tag integration; internal/testdb finds or
// starts the servers.
package integration
