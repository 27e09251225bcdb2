// Package arch holds the rules of the architecture as tests: which package may
// import which, and what only some packages may do. It has no code of its own.
//
// The layers are explained in docs/ARCHITECTURE.md. A package that is not in
// the test's table of layers is an error: give it a layer when you make it.
package arch
