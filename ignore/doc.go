// Package ignore says which differences of a site are accepted.
//
// There are two ways to accept one. A rule of an ignore file ([Load]) names what
// it is about, a reason, and perhaps a day until which it holds: see
// docs/ignore.md. A baseline ([ReadBaseline]) is the report of an earlier
// comparison, and accepts exactly what that found.
//
// The package decides about changes that others have found. It has no clock:
// the moment by which rules expire is given to it.
package ignore
