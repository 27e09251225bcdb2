// Package rig is what tests of whole migrations stand on: a source and a target
// database, sites to fill the source with, the program as users run it, and
// ways to look at both ends without the product's own code. All else in it has
// the build tag integration.
package rig
