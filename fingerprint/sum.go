package fingerprint

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/bits"
	"strconv"
	"strings"

	"github.com/zeebo/xxh3"
)

// Hash is a 128-bit xxHash3, the high half first.
type Hash [2]uint64

// HashOf returns the hash of bytes.
func HashOf(p []byte) Hash {
	h := xxh3.Hash128(p)
	return Hash{h.Hi, h.Lo}
}

// String returns 32 hexadecimal digits.
func (h Hash) String() string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], h[0])
	binary.BigEndian.PutUint64(b[8:], h[1])
	return hex.EncodeToString(b[:])
}

// Sum is the fingerprint of a set of rows, in which rows may be alike. Sums of
// parts add up to the sum of the whole. Two Sums are compared with ==; the zero Sum is that of no rows.
type Sum struct {
	// Rows is the number of rows.
	Rows int64
	// Hash is the sum of the rows' hashes modulo 2^128.
	Hash Hash
}

// Add counts a row in.
func (s *Sum) Add(row Hash) {
	s.Rows++
	s.add(row)
}

// Merge counts in the rows of another sum.
func (s *Sum) Merge(o Sum) {
	s.Rows += o.Rows
	s.add(o.Hash)
}

func (s *Sum) add(h Hash) {
	var carry uint64
	s.Hash[1], carry = bits.Add64(s.Hash[1], h[1], 0)
	s.Hash[0], _ = bits.Add64(s.Hash[0], h[0], carry)
}

// Sub returns the sum of the rows that are in s and not in o, which must be a part of s.
func (s Sum) Sub(o Sum) Sum {
	var borrow uint64
	d := Sum{Rows: s.Rows - o.Rows}
	d.Hash[1], borrow = bits.Sub64(s.Hash[1], o.Hash[1], 0)
	d.Hash[0], _ = bits.Sub64(s.Hash[0], o.Hash[0], borrow)
	return d
}

// String returns the number of rows, a colon, and 32 hexadecimal digits.
func (s Sum) String() string { return strconv.FormatInt(s.Rows, 10) + ":" + s.Hash.String() }

// Parse reads what [Sum.String] returns.
func Parse(text string) (Sum, error) {
	count, digits, _ := strings.Cut(text, ":")
	rows, err := strconv.ParseInt(count, 10, 64)
	raw, hexErr := hex.DecodeString(digits)
	if err != nil || rows < 0 || hexErr != nil || len(raw) != 16 {
		return Sum{}, fmt.Errorf("%q is no fingerprint: a number of rows, a colon and 32 hexadecimal digits are", text)
	}
	return Sum{Rows: rows, Hash: Hash{binary.BigEndian.Uint64(raw), binary.BigEndian.Uint64(raw[8:])}}, nil
}

// MarshalText is [Sum.String], for JSON.
func (s Sum) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText is [Parse], for JSON.
func (s *Sum) UnmarshalText(text []byte) error {
	parsed, err := Parse(string(text))
	if err == nil {
		*s = parsed
	}
	return err
}
