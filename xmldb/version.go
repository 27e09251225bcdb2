package xmldb

import (
	"strconv"
	"strings"
)

// codeVersion is what version.php says.
type codeVersion struct {
	version string // $version as the database stores it, such as "2024100705"
	release string
	branch  int
	totara  bool // $TOTARA is assigned
	// unread names the settings that are there but are not literals, with their line.
	unread []unreadSetting
}

type unreadSetting struct {
	name string
	line int
}

// readVersion reads version.php without running it: the literals assigned to
// $version, $release, $branch and, in Totara, $TOTARA->version and $TOTARA->build.
// The first assignment of each counts.
func readVersion(src string) codeVersion {
	var v codeVersion
	found := map[string]string{}
	p := &phpParser{tokens: phpTokens(src)}
	for p.peek().kind != phpEOF {
		t := p.take()
		if t.kind != phpVar {
			continue
		}
		name := t.text
		if p.peek().is("->") && p.at(1).kind == phpWord {
			p.take()
			name += "->" + p.take().text
		}
		if !p.peek().is("=") {
			continue
		}
		p.take()
		switch name {
		case "TOTARA":
			v.totara = true
		case "version", "release", "branch", "TOTARA->version", "TOTARA->build":
			if _, ok := found[name]; ok {
				continue
			}
			value, ok := scalar(p)
			if !ok {
				v.unread = append(v.unread, unreadSetting{"$" + name, t.line})
				continue
			}
			found[name] = value
		}
	}
	v.version = databaseVersion(found["version"])
	v.release = found["release"]
	if n, err := strconv.Atoi(found["branch"]); err == nil && n > 0 {
		v.branch = n
	}
	if v.totara {
		v.branch = totaraBranch(found["TOTARA->version"])
		v.release = found["TOTARA->version"]
		if build := found["TOTARA->build"]; build != "" {
			v.release += " (Build: " + build + ")"
		}
	}
	return v
}

// scalar reads a number or a string that is followed by a semicolon.
func scalar(p *phpParser) (string, bool) {
	if t := p.peek(); (t.kind == phpNumber || t.kind == phpString) && p.at(1).is(";") {
		p.take()
		return t.text, true
	}
	return "", false
}

// databaseVersion turns the float literal of $version into the text that PHP
// makes of it and that config.version holds: 2024100705.00 is "2024100705".
func databaseVersion(literal string) string {
	if strings.Contains(literal, ".") {
		literal = strings.TrimRight(strings.TrimRight(literal, "0"), ".")
	}
	return literal
}

// totaraBranch turns "2.5.2" into 205 and "13.1" into 1301. Totara's own
// $branch is that of the Moodle it descends from and says little.
func totaraBranch(version string) int {
	major, rest, _ := strings.Cut(version, ".")
	minor, _, _ := strings.Cut(rest, ".")
	a, err := strconv.Atoi(major)
	if err != nil || a < 0 || a > 1000 {
		return 0 // "Evergreen" and the like: the newest rules
	}
	b, err := strconv.Atoi(minor)
	if err != nil || b < 0 || b > 99 {
		b = 0
	}
	return a*100 + b
}
