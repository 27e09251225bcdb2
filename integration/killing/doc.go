// Package killing holds the tests of kills: of the program, of the servers, of their sessions and of the network.
// They have the build tag integration.
package killing
