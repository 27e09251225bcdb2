package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
)

// Only the word yes is a yes, and an interrupt ends the wait for it.
func TestAnswer(t *testing.T) {
	for text, want := range map[string]bool{"yes\n": true, " yes \n": true, "yes": true, "y\n": false, "YES\n": false, "no\n": false, "\n": false, "": false} {
		if got, err := answer(t.Context(), strings.NewReader(text)); got != want || err != nil {
			t.Errorf("%q is taken for %v: %v", text, got, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	silent, keyboard := io.Pipe()
	defer keyboard.Close()
	cancel()
	if got, err := answer(ctx, silent); got || !errors.Is(err, context.Canceled) {
		t.Errorf("after an interrupt: %v, %v", got, err)
	}
}
