// Package integration holds the tests of whole migrations between real servers:
// sites over every pair of source and target, hostile values, modes, policies
// and refusals. The packages below it have what is a subject of its own:
// differences (diffing), kills of the program (killing), the loss of servers and
// of the network (losing), runs that stopped (resuming) and verification
// (verifying); internal/rig is what all of them stand on. They have the build
// tag integration; internal/testdb finds or starts the servers.
package integration
