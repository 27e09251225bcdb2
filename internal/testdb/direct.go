//go:build integration

package testdb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/moodledb/moodledb/internal/throwaway"
)

// direct runs servers from installed and from extracted packages.
type direct struct{}

func (direct) name() string { return "direct" }

func (direct) start(ctx context.Context, f flavour) (instance, error) {
	roots, err := packageRoots(f)
	if err != nil {
		return nil, err
	}
	for _, root := range roots {
		s, err := throwaway.Start(ctx, throwaway.Options{
			Kind: f.kind(), Root: root, Version: f.version, Settings: f.settings(), Dir: serversDir(),
		})
		if errors.Is(err, throwaway.ErrNotInstalled) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return &directServer{s}, nil
	}
	return nil, fmt.Errorf("%s is %w: not installed, and not below %s", f.name, errUnavailable, suitesDir())
}

// serversDir is where servers have their directories: in memory where there is
// enough, since making and dropping tables takes several times as long on a
// disk; "" is the directory for temporary files.
func serversDir() string {
	if dir := os.Getenv("TEST_DB_DIR"); dir != "" {
		return dir
	}
	return inMemory()
}

// packageRoots returns where a flavour's programs may be, in order: what the
// environment names, the machine itself (""), the extracted suites.
func packageRoots(f flavour) ([]string, error) {
	env := "TEST_" + strings.ToUpper(string(f.engine)) + "_ROOT"
	roots := filepath.SplitList(os.Getenv(env))
	for _, r := range roots {
		if _, err := os.Stat(r); err != nil {
			return nil, fmt.Errorf("%s: %w", env, err)
		}
	}
	roots = append(roots, "")
	entries, err := os.ReadDir(suitesDir())
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("look for extracted suites: %w", err)
	}
	for _, e := range entries {
		// A suite that is being made has a dot in front of its name.
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
			roots = append(roots, filepath.Join(suitesDir(), e.Name()))
		}
	}
	return roots, nil
}

// suitesDir is where scripts/suites puts the suites that it extracts.
func suitesDir() string {
	if dir := os.Getenv("TEST_SUITES"); dir != "" {
		return dir
	}
	// Servers do not run as root, and no other user may enter root's home.
	if os.Geteuid() == 0 {
		return "/var/cache/moodledb/suites"
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = filepath.Join(os.TempDir(), "cache")
	}
	return filepath.Join(cache, "moodledb", "suites")
}

// directServer is a throwaway server as an instance.
type directServer struct{ s *throwaway.Server }

func (d *directServer) server() Server {
	return Server{
		Version: d.s.Version, Host: d.s.Host, Port: d.s.Port, Socket: d.s.Socket,
		User: d.s.User, Password: d.s.Password,
	}
}

func (d *directServer) client(ctx context.Context, in *input, program string, args ...string) (string, error) {
	cmd, err := d.s.Command(ctx, program, args...)
	if err != nil {
		return "", err
	}
	if in != nil {
		r, err := in.open()
		if err != nil {
			return "", err
		}
		defer r.Close()
		cmd.Stdin = r
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s", program, err, stderr.String())
	}
	return stdout.String(), nil
}

func (d *directServer) stop() error { return d.s.Stop() }

func (d *directServer) kill(signal syscall.Signal) error { return d.s.Kill(signal) }

func (d *directServer) restart(ctx context.Context) error { return d.s.Restart(ctx) }
