// Package verifying holds the tests of verification: what was altered on the way is found, and nothing else.
// They have the build tag integration.
package verifying
