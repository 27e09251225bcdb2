//go:build integration

package testdb

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// input is a file of SQL for a client program; packed when its name ends in .gz.
type input struct{ path string }

// sandboxLine is what MariaDB's dumps begin with since 10.5.25. MySQL's client
// takes it for an unknown command.
const sandboxLine = "/*M!999999\\- enable the sandbox mode */"

// open opens the file for reading, unpacked and without the sandbox line.
func (in *input) open() (io.ReadCloser, error) {
	f, err := os.Open(in.path)
	if err != nil {
		return nil, fmt.Errorf("open SQL file: %w", err)
	}
	var r io.Reader = f
	if strings.HasSuffix(in.path, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			return nil, errors.Join(fmt.Errorf("unpack %s: %w", in.path, err), f.Close())
		}
	}
	br := bufio.NewReader(r)
	head, err := br.Peek(len(sandboxLine))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, errors.Join(fmt.Errorf("read %s: %w", in.path, err), f.Close())
	}
	if bytes.Equal(head, []byte(sandboxLine)) {
		if _, err := br.Discard(len(sandboxLine)); err != nil {
			return nil, errors.Join(fmt.Errorf("read %s: %w", in.path, err), f.Close())
		}
	}
	return struct {
		io.Reader
		io.Closer
	}{br, f}, nil
}
