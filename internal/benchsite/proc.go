package benchsite

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of the CPU times in /proc: USER_HZ is 100 on every Linux
// that Go runs on.
const tick = 10 * time.Millisecond

// treeCPU returns the CPU time that a process and its descendants have used,
// those included that have ended and were waited for: PostgreSQL has a process
// for each session.
//
// The time of a child that ends moves to its parent. So that none is
// counted twice, or not at all, the processes are read again until they are the same
// before and after.
func treeCPU(pid int) (time.Duration, error) {
	const attempts = 200
	for range attempts {
		used, members, err := readTree(pid)
		if err != nil {
			return 0, err
		}
		_, after, err := readTree(pid)
		if err != nil {
			return 0, err
		}
		if maps.Equal(members, after) {
			return used, nil
		}
		time.Sleep(tick)
	}
	return 0, fmt.Errorf("the processes below %d begin and end all the time: their CPU time cannot be read", pid)
}

// readTree adds up the times of a process and its descendants as they are found, and says which these are.
func readTree(pid int) (total time.Duration, members map[int]bool, err error) {
	all, err := processes()
	if err != nil {
		return 0, nil, err
	}
	own, ok := all[pid]
	if !ok {
		return 0, nil, fmt.Errorf("process %d is gone", pid)
	}
	total, members = own.cpu, map[int]bool{pid: true}
	for found := true; found; {
		found = false
		for id, p := range all {
			if members[p.parent] && !members[id] {
				members[id], found = true, true
				total += p.cpu
			}
		}
	}
	return total, members, nil
}

// process is what is known of one process.
type process struct {
	parent int
	// cpu is its own time and that of its ended children.
	cpu time.Duration
}

// processes reads all processes of the machine.
func processes() (map[int]process, error) {
	names, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("list processes: there is no /proc: the benchmark needs Linux")
	}
	all := map[int]process{}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended since
		}
		pid, p, err := parseStat(b)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all[pid] = p
	}
	return all, nil
}

// parseStat reads a line of /proc/PID/stat. The name of the program, in
// parentheses, may hold anything.
func parseStat(b []byte) (int, process, error) {
	end := bytes.LastIndexByte(b, ')')
	start := bytes.IndexByte(b, '(')
	if start < 1 || end < start {
		return 0, process{}, fmt.Errorf("no name in parentheses")
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b[:start])))
	if err != nil {
		return 0, process{}, err
	}
	// After the name: state, parent, ... utime, stime, cutime and cstime are the 12th to 15th.
	fields := strings.Fields(string(b[end+1:]))
	if len(fields) < 15 {
		return 0, process{}, fmt.Errorf("only %d fields", len(fields))
	}
	p := process{}
	if p.parent, err = strconv.Atoi(fields[1]); err != nil {
		return 0, process{}, err
	}
	for _, f := range fields[11:15] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, process{}, err
		}
		p.cpu += time.Duration(n) * tick
	}
	return pid, p, nil
}

// machineCPU is the CPU time that the whole machine has been busy.
func machineCPU() (time.Duration, error) {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, fmt.Errorf("read the machine's CPU time: %w", err)
	}
	line, _, _ := strings.Cut(string(b), "\n")
	return parseMachine(line)
}

// parseMachine reads the first line of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal.
func parseMachine(line string) (time.Duration, error) {
	fields := strings.Fields(line)
	if len(fields) < 9 || fields[0] != "cpu" {
		return 0, fmt.Errorf("read the machine's CPU time: unknown line %q", line)
	}
	busy := time.Duration(0)
	for _, i := range []int{1, 2, 3, 6, 7} {
		n, err := strconv.ParseInt(fields[i], 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read the machine's CPU time: %w", err)
		}
		busy += time.Duration(n) * tick
	}
	return busy, nil
}

// peakMemory is the peak of a process's resident memory, in bytes; 0 when it is gone.
//
// It is not what wait4 reports: that one begins with the peak of the process
// that started the program.
func peakMemory(pid int) int64 {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		return 0
	}
	return 1024 * field(string(b), "VmHWM:")
}

// field returns the number behind a word at the beginning of a line; 0 when there is none.
func field(text, word string) int64 {
	for line := range strings.Lines(text) {
		rest, ok := strings.CutPrefix(line, word)
		if !ok {
			continue
		}
		parts := strings.Fields(rest)
		if len(parts) == 0 {
			return 0
		}
		n, err := strconv.ParseInt(parts[0], 10, 64)
		if err != nil {
			return 0
		}
		return n
	}
	return 0
}

// Machine describes where was measured.
type Machine struct {
	Cores  int    `json:"cores"`
	Memory int64  `json:"memory_bytes"`
	CPU    string `json:"cpu"`
	System string `json:"system"`
	Go     string `json:"go"`
}
