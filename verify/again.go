package verify

import "errors"

// AgainError is an error of a [Side] that has lost what it read with, and can be
// asked for the same part again. Each reading of a part is repeated once, be it the first
// one or one of those that look for what differs.
type AgainError struct{ Err error }

// Error is that of the cause.
func (e *AgainError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *AgainError) Unwrap() error { return e.Err }

// isAgain reports whether an error is an [AgainError].
func isAgain(err error) bool {
	var e *AgainError
	return errors.As(err, &e)
}
