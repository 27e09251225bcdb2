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
	prefix := ""
	if c.Short != "" {
		// CutSuffix, not TrimSuffix: a table of another prefix has none to take away.
		prefix, _ = strings.CutSuffix(c.Table, c.Short)
	}
	object := withoutPrefix(c.Object, prefix)
	switch c.Kind {
	case KindIndex, KindPrimaryKey, KindForeignKey, KindCheck:
		if len(c.Columns) > 0 {
			object = strings.Join(c.Columns, ",")
		}
	case KindTable, KindView, KindColumn, KindSequence, KindTrigger, KindDefinition, KindSource:
	}
	expected, found := withoutPrefix(c.Expected, prefix), withoutPrefix(c.Found, prefix)
	switch c.Code {
	case SequenceBehind: // numbers that grow
		expected, found = "", ""
	case IndexDuplicate: // the name of the other index
		expected = ""
	case DefinitionDuplicate: // the line of the other index
		found = ""
		object = strings.Join(c.Columns, ",")
	default:
	}
	sum := sha256.New()
	for _, part := range []string{string(c.Code), c.Short, object, expected, found} {
		sum.Write([]byte(part))
		sum.Write([]byte{0})
	}
	return hex.EncodeToString(sum.Sum(nil))[:32]
}

// withoutPrefix takes the prefix of the site from the names in a phrase, such as
// that of the table to which a foreign key leads.
func withoutPrefix(phrase, prefix string) string {
	if prefix == "" {
		return phrase
	}
	var b strings.Builder
	for i := 0; i < len(phrase); {
		// Within a word the same letters are part of another name.
		if strings.HasPrefix(phrase[i:], prefix) && (i == 0 || !inName(phrase[i-1])) {
			i += len(prefix)
			continue
		}
		b.WriteByte(phrase[i])
		i++
	}
	return b.String()
}

// inName reports whether a byte can stand in a name that is not quoted.
func inName(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}
