//go:build !linux

package throwaway

import (
	"os"
	"syscall"
)

// account is the user that a server runs as: always our own. Only on Linux do
// we know how to start a server as another user and to end it with us.
type account struct{}

func serverAccount(Kind) (account, error) { return account{}, nil }

func (account) own(string) error { return nil }

func (account) canEnter(string) error { return nil }

func (account) attributes(syscall.Signal) *syscall.SysProcAttr { return nil }

func killGroup(p *os.Process) error { return p.Kill() }
