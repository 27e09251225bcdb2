//go:build integration

package testdb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"time"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"

	"github.com/moodledb/moodledb/schema"
)

// runLabel is the label by which scripts/test removes what a killed test left.
const runLabel = "moodledb.testdb.run"

// sharedMemory is what PostgreSQL's parallel workers may need; Docker's own
// default of 64 MiB is too little for building indexes.
const sharedMemory = 512 << 20

// dockerServer is a server in a container.
type dockerServer struct {
	flavour   flavour
	password  string
	host      string
	port      int
	version   string
	container *testcontainers.DockerContainer
}

// internalPort is the port that the server listens on in its container.
func (f flavour) internalPort() network.Port {
	if f.engine == schema.Postgres {
		return network.MustParsePort("5432/tcp")
	}
	return network.MustParsePort("3306/tcp")
}

// passwordVariable is how an image is told the superuser's password.
func (f flavour) passwordVariable() string {
	switch f.engine {
	case schema.MariaDB:
		return "MARIADB_ROOT_PASSWORD"
	case schema.MySQL:
		return "MYSQL_ROOT_PASSWORD"
	default:
		return "POSTGRES_PASSWORD"
	}
}

// arguments are the server's settings as arguments of the image: fast rather
// than durable, then what the tests need.
func (f flavour) arguments() []string {
	var args []string
	if f.engine == schema.Postgres {
		for _, set := range append([]string{"fsync=off", "full_page_writes=off", "synchronous_commit=off"}, f.settings()...) {
			args = append(args, "-c", set)
		}
		return args
	}
	fast := []string{
		"character-set-server=utf8mb4", "innodb-flush-log-at-trx-commit=0", "innodb-doublewrite=OFF", "sync-binlog=0",
	}
	for _, set := range append(fast, f.settings()...) {
		args = append(args, "--"+set)
	}
	return args
}

// run starts the container and waits until the server accepts a login.
func (d *dockerServer) run(ctx context.Context, image string) error {
	port := d.flavour.internalPort()
	var err error
	d.container, err = testcontainers.Run(
		ctx, image,
		testcontainers.WithEnv(map[string]string{d.flavour.passwordVariable(): d.password}),
		testcontainers.WithCmd(d.flavour.arguments()...),
		testcontainers.WithExposedPorts(port.String()),
		testcontainers.WithLabels(map[string]string{runLabel: os.Getenv("TEST_DB_RUN")}),
		testcontainers.WithHostConfigModifier(func(hc *container.HostConfig) {
			hc.ShmSize = sharedMemory
			if image == d.flavour.builtImage() && inMemory() != "" {
				// The volume of its data, which would be on a disk.
				hc.Mounts = append(hc.Mounts, mount.Mount{
					Type: mount.TypeTmpfs, Target: "/data", TmpfsOptions: &mount.TmpfsOptions{Mode: 0o1777, SizeBytes: memoryNeeded},
				})
			}
			if os.Getenv("TESTCONTAINERS_HOST_OVERRIDE") == loopback {
				// Only this machine may connect. Without an address Docker 20.10
				// also gives IPv6 a port, and another one.
				hc.PortBindings = network.PortMap{port: {{HostIP: netip.MustParseAddr(loopback)}}}
			}
		}),
	)
	if err != nil {
		return fmt.Errorf("run the image %s: %w", image, err)
	}
	if d.host, err = d.container.Host(ctx); err != nil {
		return fmt.Errorf("run the image %s: %w", image, err)
	}
	mapped, err := d.container.MappedPort(ctx, port.String())
	if err != nil {
		return fmt.Errorf("run the image %s: %w%s", image, err, d.log(ctx))
	}
	d.port = int(mapped.Num())
	if err := d.waitReady(ctx); err != nil {
		return fmt.Errorf("run the image %s: %w%s", image, err, d.log(ctx))
	}
	return nil
}

// readyTimeout is how long a server in a container may take to answer.
const readyTimeout = 2 * time.Minute

// waitReady waits until the server accepts a login from outside. The public
// images first run a server that does not listen there.
func (d *dockerServer) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	var last error
	for {
		version, err := d.login(ctx)
		if err == nil {
			d.version = version
			return nil
		}
		if ctx.Err() == nil {
			last = err
		}
		if state, err := d.container.State(ctx); err == nil && !state.Running {
			return fmt.Errorf("the server ended before it was ready, with exit status %d", state.ExitCode)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the server did not become ready: %w (last login: %w)", ctx.Err(), last)
		case <-tick.C:
		}
	}
}

// login connects once and returns the server's version.
func (d *dockerServer) login(ctx context.Context) (string, error) {
	s := d.server()
	s.Engine = d.flavour.engine
	query := "SELECT version()"
	if s.Engine == schema.Postgres {
		query = "SHOW server_version" // version() says more than that
	}
	db, err := s.open(s.adminURL())
	if err != nil {
		return "", err
	}
	defer db.Close()
	var version string
	err = db.QueryRowContext(ctx, query).Scan(&version)
	return version, err
}

// log returns the end of the container's log for an error.
func (d *dockerServer) log(ctx context.Context) string {
	const most = 4000
	r, err := d.container.Logs(ctx)
	if err != nil {
		return ""
	}
	defer r.Close()
	text, err := io.ReadAll(r)
	if err != nil {
		return ""
	}
	return "; the end of its log:\n" + string(text[max(0, len(text)-most):])
}

func (d *dockerServer) server() Server {
	user := "root"
	if d.flavour.engine == schema.Postgres {
		user = "postgres"
	}
	return Server{Version: d.version, Host: d.host, Port: d.port, User: user, Password: d.password}
}

// clientFile is the option file of MySQL's and MariaDB's clients in the container.
const clientFile = "/tmp/testdb-client.cnf"

// connection returns the arguments and the environment that make a client
// program in the container connect to the server.
func (d *dockerServer) connection(ctx context.Context) (args, env []string, err error) {
	if d.flavour.engine == schema.Postgres {
		return nil, []string{"PGHOST=" + loopback, "PGUSER=postgres", "PGPASSWORD=" + d.password}, nil
	}
	text := fmt.Sprintf("[client]\nuser=root\npassword=%s\nhost=%s\nprotocol=tcp\n", d.password, loopback)
	if err := d.container.CopyToContainer(ctx, []byte(text), clientFile, 0o644); err != nil {
		return nil, nil, fmt.Errorf("write the client's option file: %w", err)
	}
	return []string{"--defaults-file=" + clientFile}, nil, nil
}

func (d *dockerServer) client(ctx context.Context, in *input, program string, args ...string) (string, error) {
	connect, env, err := d.connection(ctx)
	if err != nil {
		return "", err
	}
	path, err := d.programPath(ctx, program)
	if err != nil {
		return "", err
	}
	var stdin io.ReadCloser
	if in != nil {
		if stdin, err = in.open(); err != nil {
			return "", err
		}
		defer stdin.Close()
	}
	var stdout, stderr bytes.Buffer
	argv := append(append([]string{path}, connect...), args...)
	status, err := d.exec(ctx, stdin, &stdout, &stderr, env, argv)
	if err != nil {
		return "", fmt.Errorf("%s: %w", program, err)
	}
	if status != 0 {
		return "", fmt.Errorf("%s: exit status %d\n%s", program, status, stderr.String())
	}
	return stdout.String(), nil
}

// programPath returns where the container has a program: in PATH, or among the
// programs of PostgreSQL's packages.
func (d *dockerServer) programPath(ctx context.Context, program string) (string, error) {
	const script = `PATH=$PATH:$(echo /usr/lib/postgresql/*/bin) command -v "$0"`
	var stdout, stderr bytes.Buffer
	status, err := d.exec(ctx, nil, &stdout, &stderr, nil, []string{"sh", "-c", script, program})
	if err != nil {
		return "", fmt.Errorf("look for %s: %w", program, err)
	}
	if status != 0 {
		return "", fmt.Errorf("the container has no program %s", program)
	}
	return string(bytes.TrimSpace(stdout.Bytes())), nil
}

// exec runs a command in the container and returns its exit status. The
// commands of testcontainers have no standard input.
func (d *dockerServer) exec(ctx context.Context, stdin io.Reader, stdout, stderr io.Writer, env, argv []string) (int, error) {
	cli, err := engineClient(ctx)
	if err != nil {
		return 0, err
	}
	defer cli.Close()
	created, err := cli.ExecCreate(ctx, d.container.GetContainerID(), client.ExecCreateOptions{
		Cmd: argv, Env: env, AttachStdin: stdin != nil, AttachStdout: true, AttachStderr: true,
	})
	if err != nil {
		return 0, err
	}
	attached, err := cli.ExecAttach(ctx, created.ID, client.ExecAttachOptions{})
	if err != nil {
		return 0, err
	}
	defer attached.Close()
	// Closing the connection unblocks what follows.
	defer context.AfterFunc(ctx, attached.Close)()
	sent := make(chan error, 1)
	go func() {
		if stdin == nil {
			sent <- nil
			return
		}
		_, err := io.Copy(attached.Conn, stdin)
		sent <- errors.Join(err, attached.CloseWrite())
	}()
	_, err = stdcopy.StdCopy(stdout, stderr, attached.Reader)
	attached.Close()
	sendErr := <-sent
	if err != nil {
		return 0, errors.Join(ctx.Err(), err)
	}
	status, err := d.exitStatus(ctx, cli, created.ID)
	if status == 0 && sendErr != nil {
		// With another status the program ended before it had read all of its
		// input, and says why itself.
		return 0, errors.Join(fmt.Errorf("send the input: %w", sendErr), err)
	}
	return status, err
}

// exitStatus waits for the end of a command whose output has ended.
func (d *dockerServer) exitStatus(ctx context.Context, cli *testcontainers.DockerClient, id string) (int, error) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		state, err := cli.ExecInspect(ctx, id, client.ExecInspectOptions{})
		if err != nil {
			return 0, err
		}
		if !state.Running {
			return state.ExitCode, nil
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-tick.C:
		}
	}
}

// stop kills and removes the container and its volumes.
func (d *dockerServer) stop() error {
	if d.container == nil {
		return nil
	}
	return testcontainers.TerminateContainer(d.container, testcontainers.StopTimeout(0))
}
