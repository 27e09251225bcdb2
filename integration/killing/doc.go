// Package killing holds the tests of the program that is killed at random moments.
// They have the build tag integration.
package killing
