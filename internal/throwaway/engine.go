package throwaway

import (
	"context"
	"fmt"
	"syscall"
)

// engine is what differs between the kinds of server.
type engine interface {
	// serverNames are the names of the server program, the preferred first.
	serverNames() []string
	// serverDirs are glob patterns of the directories that hold the program on
	// the systems we know; PATH is searched too.
	serverDirs() []string
	// parseVersion reads what the server program prints for --version.
	parseVersion(out string) (string, bool)
	// installHint says how one gets the server.
	installHint() string
	// superuser is the name of the account that Start sets up.
	superuser() string
	// initialise makes the data directory, as the account acc.
	initialise(ctx context.Context, s *Server, acc account) error
	// serverArgs is the command line of the server itself.
	serverArgs(s *Server, settings []string) ([]string, error)
	// login connects once and returns the version that the server tells.
	login(ctx context.Context, s *Server) (string, error)
	// endSignal ends the server and its children without a clean shutdown.
	endSignal() syscall.Signal
	// writeClientConfig leaves a file in s.Dir that Command's programs read.
	writeClientConfig(s *Server) error
	// clientCommand returns the arguments and the environment that make a
	// client program connect to the server.
	clientCommand(s *Server) (args, env []string)
}

// engineOf returns the engine of a kind.
func engineOf(kind Kind) (engine, error) {
	switch kind {
	case MariaDB:
		return mysqlEngine{mariadb: true}, nil
	case MySQL:
		return mysqlEngine{}, nil
	case Postgres:
		return postgresEngine{}, nil
	default:
		return nil, fmt.Errorf("unknown kind of server %q (known: %s, %s, %s)", kind, MariaDB, MySQL, Postgres)
	}
}
