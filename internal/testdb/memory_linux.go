//go:build integration

package testdb

import (
	"fmt"
	"os"
	"strings"
	"syscall"
)

// memoryDir is a file system in memory that most Linux systems have.
const memoryDir = "/dev/shm"

// memoryNeeded is what must be free of the file system and of the memory. The
// servers of the tests take up to a few GiB; the rest is for what else runs.
const memoryNeeded = 10 << 30

// inMemory returns a directory in memory for the directories of servers, or ""
// where there is none that is large enough, or from which nothing may be run:
// extracted programs are started from there.
func inMemory() string {
	const (
		tmpfs    = 0x01021994
		readOnly = 0x1
		noExec   = 0x8
	)
	var fs syscall.Statfs_t
	if err := syscall.Statfs(memoryDir, &fs); err != nil || fs.Type != tmpfs || fs.Flags&(readOnly|noExec) != 0 {
		return ""
	}
	if int64(fs.Bavail)*fs.Bsize < memoryNeeded || availableMemory() < memoryNeeded {
		return ""
	}
	return memoryDir
}

// availableMemory is what the kernel takes for available without swapping, in
// bytes; 0 when it does not say.
func availableMemory() int64 {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), "MemAvailable:")
	var kib int64
	if _, err := fmt.Sscanf(rest, "%d", &kib); err != nil {
		return 0
	}
	return kib << 10
}
