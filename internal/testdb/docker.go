//go:build integration

package testdb

import (
	"context"
	"fmt"
)

// docker runs servers in containers.
type docker struct{}

func (docker) name() string { return "docker" }

func (docker) start(_ context.Context, f flavour) (instance, error) {
	return nil, fmt.Errorf("%s is %w: no Docker engine", f.name, errUnavailable)
}
