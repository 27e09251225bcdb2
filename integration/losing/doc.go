// Package losing holds the tests of what a run loses on its way and gets over: its
// servers, their sessions, room and patience, and the network. They have the build tag integration.
package losing
