package dsn

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/moodledb/moodledb/schema"
)

// myCnf is what ~/.my.cnf says to a client program; the zero value says nothing.
type myCnf struct {
	file   string
	values map[string]string
}

// get returns a value by its name with hyphens.
func (c myCnf) get(name string) string { return c.values[name] }

// tlsMode reads MySQL's ssl-mode, and MariaDB's ssl and ssl-verify-server-cert.
func (c myCnf) tlsMode() (TLSMode, error) {
	if text := c.get("ssl-mode"); text != "" {
		mode, err := parseTLSMode(text)
		if err != nil {
			return "", fmt.Errorf("%s: %w", c.file, err)
		}
		return mode, nil
	}
	if on, known := c.flag("ssl-verify-server-cert"); known && on {
		return TLSVerifyIdentity, nil
	}
	on, known := c.flag("ssl")
	switch {
	case known && !on:
		return TLSDisabled, nil
	case known:
		return TLSRequired, nil
	default:
		return TLSDefault, nil
	}
}

// flag reads a boolean option, which may stand without a value, and its "skip-" form.
func (c myCnf) flag(name string) (on, known bool) {
	if _, ok := c.values["skip-"+name]; ok {
		return false, true
	}
	text, ok := c.values[name]
	if !ok {
		return false, false
	}
	switch strings.ToLower(text) {
	case "0", "off", "false", "no":
		return false, true
	default:
		return true, true
	}
}

// myCnfGroups are the groups that the command-line client of engine reads.
func myCnfGroups(engine schema.Engine) []string {
	if engine == schema.MariaDB {
		return []string{"client", "client-mariadb", "mysql", "mariadb-client", "mariadb"}
	}
	return []string{"client", "mysql"}
}

// readMyCnf reads ~/.my.cnf. A missing file says nothing; one that cannot be
// read is an error, since what it should say would be silently ignored.
//
// No INI library fits: they disagree with MySQL about "#", quotes, backquotes
// and options without a value, and so about passwords.
func readMyCnf(home string, engine schema.Engine) (myCnf, error) {
	if home == "" {
		return myCnf{}, nil
	}
	c := myCnf{file: filepath.Join(home, ".my.cnf"), values: map[string]string{}}
	err := c.read(c.file, myCnfGroups(engine), 0)
	if errors.Is(err, fs.ErrNotExist) {
		return myCnf{}, nil
	}
	if err != nil {
		return myCnf{}, err
	}
	return c, nil
}

// maxIncludes bounds how deep option files include each other, as MySQL does.
const maxIncludes = 10

// read reads one option file into c.values. Later lines win over earlier ones, in whichever group they are.
func (c *myCnf) read(file string, groups []string, depth int) error {
	if depth > maxIncludes {
		return fmt.Errorf("%s: option files include each other more than %d deep", file, maxIncludes)
	}
	src, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	ours := false
	number := 0
	for line := range strings.Lines(string(src)) {
		number++
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#' || line[0] == ';':
		case line[0] == '!':
			if err := c.include(line, groups, depth); err != nil {
				return fmt.Errorf("%s:%d: %w", file, number, err)
			}
		case line[0] == '[':
			name, _, closed := strings.Cut(line[1:], "]")
			if !closed {
				return fmt.Errorf("%s:%d: group without its closing bracket", file, number)
			}
			ours = slices.Contains(groups, strings.TrimSpace(name))
		case ours:
			name, value, _ := strings.Cut(cutComment(line), "=")
			name = strings.TrimPrefix(strings.ReplaceAll(strings.TrimSpace(name), "_", "-"), "loose-")
			c.values[name] = unquoteOption(value)
		}
	}
	return nil
}

// include follows !include and !includedir. As with MySQL, what they name need not exist.
func (c *myCnf) include(line string, groups []string, depth int) error {
	word, path, _ := strings.Cut(line, " ")
	path = strings.TrimSpace(path)
	var files []string
	switch word {
	case "!include":
		files = []string{path}
	case "!includedir":
		entries, err := os.ReadDir(path) // sorted by name
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		for _, e := range entries {
			if filepath.Ext(e.Name()) == ".cnf" {
				files = append(files, filepath.Join(path, e.Name()))
			}
		}
	default:
		return fmt.Errorf("unknown directive %q", word)
	}
	for _, file := range files {
		if err := c.read(file, groups, depth+1); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// cutComment drops "#" and what follows, unless it stands in quotes.
func cutComment(line string) string {
	var quote byte
	escaped := false
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case (c == '"' || c == '\'') && !escaped && quote == 0:
			quote = c
		case c == quote && !escaped:
			quote = 0
		case c == '#' && quote == 0:
			return line[:i]
		}
		escaped = quote != 0 && c == '\\' && !escaped
	}
	return line
}

// unquoteOption takes off one pair of surrounding quotes and decodes the escapes that option files know.
func unquoteOption(text string) string {
	text = strings.TrimSpace(text)
	if n := len(text); n >= 2 && (text[0] == '"' || text[0] == '\'') && text[n-1] == text[0] {
		text = text[1 : n-1]
	}
	if !strings.Contains(text, `\`) {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' || i+1 == len(text) {
			b.WriteByte(text[i])
			continue
		}
		i++
		switch text[i] {
		case 'n':
			b.WriteByte('\n')
		case 't':
			b.WriteByte('\t')
		case 'r':
			b.WriteByte('\r')
		case 'b':
			b.WriteByte('\b')
		case 's':
			b.WriteByte(' ')
		case '\\', '"', '\'':
			b.WriteByte(text[i])
		default:
			b.WriteByte('\\')
			b.WriteByte(text[i])
		}
	}
	return b.String()
}
