package ignore

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"strings"

	"github.com/moodledb/moodledb/diff"
)

// baselineSchema names the documents that can be a baseline; see docs/json.md.
const baselineSchema = "moodledb.diff/1"

// maxBaseline is far above any report: a change takes about one KB.
const maxBaseline = 256 << 20

// Baseline is what an earlier comparison found. The zero value is one that found nothing.
type Baseline struct {
	// counts says how often each fingerprint was found: two changes may be the
	// same to a fingerprint, such as two equal indexes too many.
	counts map[string]int
}

// ReadBaseline reads the JSON report of an earlier comparison. Both what was
// new in it and what its own baseline knew are accepted; what a rule ignored there is not.
func ReadBaseline(file string) (Baseline, error) {
	f, err := os.Open(file)
	if err != nil {
		return Baseline{}, fmt.Errorf("read the baseline: %w", err)
	}
	defer f.Close() // only read from
	data, err := io.ReadAll(io.LimitReader(f, maxBaseline+1))
	if err != nil {
		return Baseline{}, fmt.Errorf("read the baseline: %w", err)
	}
	b, err := parseBaseline(data)
	if err != nil {
		return Baseline{}, fmt.Errorf("baseline %s: %w", file, err)
	}
	return b, nil
}

// Len is the number of changes that the baseline accepts.
func (b Baseline) Len() int {
	n := 0
	for _, count := range b.counts {
		n += count
	}
	return n
}

// Split divides changes into those that the baseline does not know and those
// that it does, each in the order given. A change that is there more often than in
// the baseline is fresh that many times. Gone counts what the baseline knows and changes lack.
func (b Baseline) Split(changes []diff.Change) (fresh, known []diff.Change, gone int) {
	left := maps.Clone(b.counts)
	gone = b.Len()
	for _, c := range changes {
		fingerprint := diff.Fingerprint(c)
		if left[fingerprint] == 0 {
			fresh = append(fresh, c)
			continue
		}
		left[fingerprint]--
		gone--
		known = append(known, c)
	}
	return fresh, known, gone
}

// document is the part of a report that matters here. Fields that are not known are
// skipped: the contract allows new ones.
type document struct {
	Schema  string   `json:"schema"`
	Changes *[]entry `json:"changes"`
	Known   []entry  `json:"known"`
}

type entry struct {
	Fingerprint string `json:"fingerprint"`
}

func parseBaseline(data []byte) (Baseline, error) {
	if len(data) > maxBaseline {
		return Baseline{}, fmt.Errorf("larger than %d bytes; is it a report of moodledb diff?", maxBaseline)
	}
	// Windows PowerShell puts a byte order mark before what it redirects.
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	var head struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return Baseline{}, notJSON(data, err)
	}
	if err := checkSchema(head.Schema); err != nil {
		return Baseline{}, err
	}
	var doc document
	if err := json.Unmarshal(data, &doc); err != nil {
		return Baseline{}, fmt.Errorf("not as docs/json.md has %s: %w; write it again with --update-baseline", baselineSchema, err)
	}
	if doc.Changes == nil {
		return Baseline{}, errors.New("it has no list of changes; write it again with --update-baseline")
	}
	b := Baseline{counts: map[string]int{}}
	if err := b.add("changes", *doc.Changes); err != nil {
		return Baseline{}, err
	}
	if err := b.add("known", doc.Known); err != nil {
		return Baseline{}, err
	}
	return b, nil
}

// add counts the entries of one list of a report.
func (b Baseline) add(list string, entries []entry) error {
	for i, e := range entries {
		if e.Fingerprint == "" {
			return fmt.Errorf("%s[%d] has no fingerprint; write the file again with --update-baseline", list, i)
		}
		b.counts[e.Fingerprint]++
	}
	return nil
}

func notJSON(data []byte, err error) error {
	if len(bytes.TrimSpace(data)) == 0 {
		return errors.New("the file is empty; write it with --update-baseline")
	}
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return errors.New("not a report of moodledb diff; a baseline is written with --update-baseline or --output json=FILE")
	}
	line := 1 + bytes.Count(data[:min(int(syntax.Offset), len(data))], []byte("\n"))
	return fmt.Errorf("not JSON, at line %d: %w; a baseline is written with --update-baseline or --output json=FILE", line, err)
}

// checkSchema compares the name and the version of a document with what is known.
func checkSchema(schema string) error {
	name, _, _ := strings.Cut(baselineSchema, "/")
	switch {
	case schema == baselineSchema:
		return nil
	case strings.HasPrefix(schema, name+"/"):
		return fmt.Errorf("its schema is %q, but this moodledb reads %s; use a later release, or write it again with --update-baseline", schema, baselineSchema)
	case strings.HasPrefix(schema, "moodledb."):
		return fmt.Errorf("its schema is %q, not %s; it was written by another verb", schema, baselineSchema)
	default:
		return errors.New("not a report of moodledb diff; a baseline is written with --update-baseline or --output json=FILE")
	}
}
