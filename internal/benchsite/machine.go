package benchsite

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

// readMachine describes this machine.
func readMachine() (Machine, error) {
	m := Machine{Cores: runtime.NumCPU(), Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH}
	b, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return m, fmt.Errorf("read the machine's memory: %w", err)
	}
	m.Memory = 1024 * field(string(b), "MemTotal:")
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		m.CPU = named(string(b), "model name", ":")
	}
	if b, err := os.ReadFile("/etc/os-release"); err == nil {
		if name := named(string(b), "PRETTY_NAME", "="); name != "" {
			m.System = strings.Trim(name, `"`) + ", " + m.System
		}
	}
	return m, nil
}

// named returns the value of the first line with a name; "" when there is none.
func named(text, name, separator string) string {
	for line := range strings.Lines(text) {
		key, value, ok := strings.Cut(line, separator)
		if ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
