package benchsite

import (
	"os/exec"
	"syscall"
	"time"
)

// prepareChild makes a program a process group of its own, so that Ctrl-C is
// for us alone, and lets it end with us.
func prepareChild(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
}
