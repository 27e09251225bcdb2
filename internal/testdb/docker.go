//go:build integration

package testdb

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	tclog "github.com/testcontainers/testcontainers-go/log"
)

// docker runs servers in containers, from images that scripts/suites made of
// Debian's packages where there are some, else from the engines' public images.
type docker struct{}

func (docker) name() string { return "docker" }

func (docker) start(ctx context.Context, f flavour) (instance, error) {
	if err := prepareEnvironment(ctx, f); err != nil {
		return nil, err
	}
	tclog.SetDefault(tclog.NewNoopLogger()) // it greets the engine at length
	cli, err := engineClient(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s is %w: no Docker engine answers: %w", f.name, errUnavailable, err)
	}
	defer cli.Close()
	image, err := f.image(ctx, cli)
	if err != nil {
		return nil, err
	}
	d := &dockerServer{flavour: f, password: rand.Text()}
	if err := d.run(ctx, image); err != nil {
		return nil, errors.Join(err, d.stop())
	}
	return d, nil
}

// engineClient connects to the Docker engine.
func engineClient(ctx context.Context) (*testcontainers.DockerClient, error) {
	cli, err := testcontainers.NewDockerClientWithOpts(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := cli.Ping(ctx, client.PingOptions{}); err != nil {
		return nil, errors.Join(err, cli.Close())
	}
	return cli, nil
}

// image returns the name of a flavour's image, which is there or was pulled.
func (f flavour) image(ctx context.Context, cli *testcontainers.DockerClient) (string, error) {
	candidates := []string{
		f.builtImage(),
		string(f.engine) + ":" + f.version,
	}
	env := "TEST_" + strings.ToUpper(string(f.engine)) + "_IMAGE"
	if name := os.Getenv(env); name != "" {
		// A colon after the last slash begins a tag; one before it, a port.
		if !strings.Contains(name[strings.LastIndex(name, "/")+1:], ":") {
			name += ":" + f.version
		}
		candidates = []string{name}
	}
	for _, name := range candidates {
		if _, err := cli.ImageInspect(ctx, name); err == nil {
			return name, nil
		}
	}
	name := candidates[len(candidates)-1]
	if err := pull(ctx, cli, name); err != nil {
		return "", fmt.Errorf("%s is %w: none of the images %s is here, and %w", f.name, errUnavailable, strings.Join(candidates, ", "), err)
	}
	return name, nil
}

// pull gets an image from its registry, with one attempt.
func pull(ctx context.Context, cli *testcontainers.DockerClient, name string) error {
	progress, err := cli.ImagePull(ctx, name, client.ImagePullOptions{})
	if err != nil {
		return fmt.Errorf("pull %s: %w", name, err)
	}
	defer progress.Close()
	if err := progress.Wait(ctx); err != nil {
		return fmt.Errorf("pull %s: %w", name, err)
	}
	return nil
}

// prepareEnvironment sets what testcontainers reads from the environment, once,
// when it first looks for an engine. Variables that are set are left alone.
func prepareEnvironment(ctx context.Context, f flavour) error {
	// In a container that has an engine of its own, testcontainers would look
	// for the ports at the network's gateway. Tests that run in a container and
	// use the engine outside of it set the variable themselves.
	set := map[string]string{"TESTCONTAINERS_HOST_OVERRIDE": loopback}
	if hasBuiltImage(ctx, f) {
		// Such images are made where there is no registry to get ryuk from, the
		// container that removes leftovers; scripts/test does that instead.
		set["TESTCONTAINERS_RYUK_DISABLED"] = "true"
	}
	for name, value := range set {
		if _, ok := os.LookupEnv(name); ok {
			continue
		}
		if err := os.Setenv(name, value); err != nil {
			return fmt.Errorf("prepare testcontainers: %w", err)
		}
	}
	return nil
}

// hasBuiltImage reports whether the engine has an image of scripts/suites for
// a flavour. It must do without testcontainers: see prepareEnvironment.
func hasBuiltImage(ctx context.Context, f flavour) bool {
	cli, err := client.New(client.FromEnv)
	if err != nil {
		return false
	}
	defer cli.Close()
	_, err = cli.ImageInspect(ctx, f.builtImage())
	return err == nil
}

// builtImage is the name of the image of scripts/suites for a flavour.
func (f flavour) builtImage() string { return "moodledb-test/" + string(f.engine) + ":" + f.version }

const loopback = "127.0.0.1"
