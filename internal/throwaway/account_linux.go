package throwaway

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is the user that a server runs as. The zero value is our own.
type account struct {
	drop     bool
	name     string
	uid, gid uint32
}

// serverAccount chooses whom a server runs as. Servers refuse to run as root,
// so root runs them as the user that the packages made for them, or as nobody.
func serverAccount(kind Kind) (account, error) {
	if os.Geteuid() != 0 {
		return account{}, nil
	}
	names := []string{"mysql", "nobody"}
	if kind == Postgres {
		names = []string{"postgres", "nobody"}
	}
	for _, name := range names {
		u, err := user.Lookup(name)
		var unknown user.UnknownUserError
		if errors.As(err, &unknown) {
			continue
		}
		if err != nil {
			return account{}, fmt.Errorf("look up the user %s: %w", name, err)
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return account{}, fmt.Errorf("look up the user %s: %w", name, err)
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			return account{}, fmt.Errorf("look up the user %s: %w", name, err)
		}
		return account{drop: true, name: name, uid: uint32(uid), gid: uint32(gid)}, nil
	}
	return account{}, fmt.Errorf("the server must not run as root, and there is no user %s or %s: run this as another user", names[0], names[1])
}

// own gives a directory and what it holds to the account.
func (a account) own(dir string) error {
	if !a.drop {
		return nil
	}
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, int(a.uid), int(a.gid))
	})
	if err != nil {
		return fmt.Errorf("give the server's directory to its user: %w", err)
	}
	return nil
}

// canEnter returns an error when the account may not enter a directory or one
// above it, as nobody but root may enter root's home.
func (a account) canEnter(dir string) error {
	if !a.drop {
		return nil
	}
	for d := filepath.Clean(dir); ; d = filepath.Dir(d) {
		info, err := os.Stat(d)
		if err != nil {
			return fmt.Errorf("look at the directory of a server: %w", err)
		}
		owner, ok := info.Sys().(*syscall.Stat_t)
		if info.Mode().Perm()&0o001 == 0 && (!ok || owner.Uid != a.uid) {
			return fmt.Errorf("root runs the server as the user %s, who may not enter %s: use another directory (for the server's own: TMPDIR)", a.name, d)
		}
		if d == filepath.Dir(d) {
			return nil
		}
	}
}

// attributes makes a process run as the account, in a process group of its own
// (Ctrl-C in a terminal is for us, who then end the server), and end by the
// signal when we die.
func (a account) attributes(end syscall.Signal) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: end}
	if a.drop {
		attr.Credential = &syscall.Credential{Uid: a.uid, Gid: a.gid}
	}
	return attr
}

// killGroup kills a process that attributes made the leader of its group, and
// its children.
func killGroup(p *os.Process) error {
	if err := syscall.Kill(-p.Pid, syscall.SIGKILL); err != nil {
		return fmt.Errorf("kill process group %d: %w", p.Pid, err)
	}
	return nil
}
