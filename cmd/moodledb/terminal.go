package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// terminal is where the program talks: results go to stdout, all else to stderr.
type terminal struct {
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
}

// isTerminal reports whether stream is a terminal.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// width is the number of columns of a terminal; 0 for anything else.
func width(stream any) int {
	f, ok := stream.(*os.File)
	if !ok {
		return 0
	}
	columns, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return columns
}

// errNoTerminal: a question has nobody to answer it.
var errNoTerminal = errors.New("no terminal to ask on")

// confirm asks a question that only the word yes answers. It waits for an answer, or for ctx to end.
func (t *terminal) confirm(ctx context.Context, question string) (bool, error) {
	if !isTerminal(t.stdin) {
		return false, errNoTerminal
	}
	fmt.Fprintf(t.stderr, "%s\nType yes to go on: ", question)
	return answer(ctx, t.stdin)
}

// answer waits for a line, and reports whether it is the word yes; or for ctx to end.
func answer(ctx context.Context, from io.Reader) (bool, error) {
	type line struct {
		text string
		err  error
	}
	answered := make(chan line, 1)
	go func() {
		// After an interrupt the process ends soon; a goroutine that still reads ends with it.
		text, err := bufio.NewReader(from).ReadString('\n')
		answered <- line{text, err}
	}()
	select {
	case <-ctx.Done():
		return false, ctx.Err()
	case answer := <-answered:
		if answer.err != nil && !errors.Is(answer.err, io.EOF) {
			return false, fmt.Errorf("read the answer: %w", answer.err)
		}
		return strings.TrimSpace(answer.text) == "yes", nil
	}
}

// password asks for a password without showing it.
func (t *terminal) password(prompt string) (string, error) {
	f, ok := t.stdin.(*os.File)
	if !ok || !isTerminal(f) {
		return "", errNoTerminal
	}
	fmt.Fprint(t.stderr, prompt)
	secret, err := term.ReadPassword(int(f.Fd()))
	fmt.Fprintln(t.stderr)
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	return string(secret), nil
}

// pause shows text and waits for Enter, or for ctx to end.
func (t *terminal) pause(ctx context.Context, text string) error {
	fmt.Fprintf(t.stderr, "\n%s\nPress Enter to stop the servers and remove everything. ", text)
	entered := make(chan struct{})
	go func() {
		// The process ends soon after; a goroutine that still reads ends with it.
		_, _ = bufio.NewReader(t.stdin).ReadString('\n')
		close(entered)
	}()
	select {
	case <-entered:
		return nil
	case <-ctx.Done():
		return nil
	}
}
