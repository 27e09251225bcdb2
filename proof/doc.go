// Package proof shows whether two databases hold the same: MySQL or MariaDB and
// PostgreSQL, or two of the same kind.
//
// It pairs tables and columns, agrees on a form in which the values of a pair
// are compared, opens a snapshot on each side, lets package verify compare the rows, and looks at
// what rows do not show: sequences, defaults, owners, indexes. It reads both sides and writes to neither,
// but for Repair, which is asked for.
package proof
