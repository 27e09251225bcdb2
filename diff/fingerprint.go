package diff

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// Fingerprint identifies a change across runs: 32 hexadecimal digits that stay
// the same on sites of another prefix, with other names of indexes, and when
// the declaration moves within its file or the file within the code. It
// follows what was expected and found, but for numbers that change by themselves.
func Fingerprint(c Change) string {
	object := c.Object
	switch c.Kind {
	case KindIndex, KindPrimaryKey, KindForeignKey:
		if len(c.Columns) > 0 {
			object = strings.Join(c.Columns, ",")
		}
	case KindSequence:
		// The name of a sequence begins with that of its table.
		object = strings.TrimPrefix(object, strings.TrimSuffix(c.Table, c.Short))
	case KindTable, KindView, KindColumn, KindCheck, KindTrigger, KindDefinition, KindSource:
	}
	expected, found := c.Expected, c.Found
	if c.Code == SequenceBehind {
		expected, found = "", ""
	}
	sum := sha256.New()
	for _, part := range []string{string(c.Code), c.Short, object, expected, found} {
		sum.Write([]byte(part))
		sum.Write([]byte{0})
	}
	return hex.EncodeToString(sum.Sum(nil))[:32]
}
