package dsn

import "log/slog"

// masked stands for a secret wherever one would be printed.
const masked = "xxxxx"

// Secret is a password. Every way of printing it (fmt with any verb that
// honours Stringer or GoStringer, log/slog, encoding/json, encoding.TextMarshaler) shows a
// mask; [Secret.Reveal] is the only way to the text.
type Secret string

// Reveal returns the secret itself, for the code that opens a connection.
func (s Secret) Reveal() string { return string(s) }

// String returns a mask, or "" for an empty secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return masked
}

// GoString returns a mask, for the verb %#v.
func (s Secret) GoString() string { return `"` + s.String() + `"` }

// LogValue returns a mask, for log/slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText returns a mask, for encoding/json and its like.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
