// Package fingerprint sums up rows, so that two copies of a table can be
// compared without holding them side by side.
//
// A row is taken in the form in which PostgreSQL's COPY ... (FORMAT binary) has
// it: the number of fields as two bytes, then each field's size as four bytes (-1 for
// NULL) and its bytes, all big-endian (PostgreSQL manual, COPY, "Tuples").
// Its hash is the 128-bit xxHash3 of these bytes. A [Sum] is the number of
// rows and the sum of their hashes modulo 2^128: it depends on no order, and
// unlike an exclusive or it does not lose two rows that are alike.
//
// It is a check against mistakes and faults, not against an adversary.
package fingerprint
