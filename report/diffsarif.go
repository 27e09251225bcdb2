package report

import (
	"path"
	"strings"
	"time"

	"github.com/moodledb/moodledb/diff"
	"github.com/moodledb/moodledb/drift"
)

const (
	sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
	// sourceRoot is the name that viewers know for the root of the repository.
	sourceRoot = "%SRCROOT%"
	projectURL = "https://github.com/moodledb/moodledb"
)

// sarifDocument makes a SARIF log. What rules ignore and what the baseline knows
// is suppressed there, but only where it was asked for: GitHub shows suppressed results like any other.
func sarifDocument(r *drift.Result, opts DiffOptions) sarifLog {
	var ignored, known []diff.Change
	if opts.Verbose {
		ignored, known = ignoredChanges(r), r.Known
	}
	s := sarifWriter{places: newPlaces(r, opts), ruleIndex: map[diff.Code]int{}}
	rules := []sarifRule{}
	for i, spec := range codesOf(r.Changes, ignored, known) {
		s.ruleIndex[spec.Code] = i
		rules = append(rules, sarifRuleOf(spec))
	}
	baseline := len(r.Known) > 0 || r.Gone > 0
	results := []sarifResult{}
	prints := numbered(append(append(append([]diff.Change{}, r.Changes...), ignored...), known...))
	for _, c := range r.Changes {
		result := s.result(c, prints[len(results)])
		if baseline {
			result.BaselineState = "new"
		}
		results = append(results, result)
	}
	for i, c := range ignored {
		result := s.result(c, prints[len(results)])
		result.Suppressions = []sarifSuppression{{Kind: "external", Justification: plainSARIF(r.Ignored[i].Rule.Reason)}}
		results = append(results, result)
	}
	for _, c := range known {
		result := s.result(c, prints[len(results)])
		result.BaselineState = "unchanged"
		result.Suppressions = []sarifSuppression{{Kind: "external", Justification: "accepted by the baseline"}}
		results = append(results, result)
	}
	return sarifLog{
		Schema: sarifSchema, Version: "2.1.0",
		Runs: []sarifRun{{
			Tool:               sarifTool{Driver: sarifDriver{Name: "moodledb", InformationURI: projectURL, Rules: rules}},
			Invocations:        []sarifInvocation{s.invocation(r)},
			OriginalURIBaseIDs: map[string]sarifBase{sourceRoot: {Description: sarifMessage{Text: "the root of the repository"}}},
			ColumnKind:         "utf16CodeUnits",
			Results:            results,
		}},
	}
}

type sarifWriter struct {
	places    places
	ruleIndex map[diff.Code]int
}

func sarifRuleOf(spec diff.Spec) sarifRule {
	full := spec.Title + ": " + spec.Why
	help := full + ". What to do: " + spec.Hint + "."
	if spec.Also != "" {
		help += " Severity: " + string(spec.Severity) + "; " + spec.Also + "."
	}
	return sarifRule{
		ID: string(spec.Code), ShortDescription: sarifMessage{Text: spec.Title}, FullDescription: sarifMessage{Text: full},
		Help: sarifMessage{Text: help}, HelpURI: docsURL(spec.Code),
		DefaultConfiguration: sarifConfiguration{Level: sarifLevel(spec.Severity)},
		Properties:           sarifProperties{Tags: []string{"database", string(spec.Kind)}},
	}
}

func (s sarifWriter) result(c diff.Change, fingerprint string) sarifResult {
	file, line, _ := s.places.of(c)
	text := oneText(c)
	if c.Hint != "" {
		text += ". What to do: " + c.Hint
	}
	return sarifResult{
		RuleID: string(c.Code), RuleIndex: s.ruleIndex[c.Code], Level: sarifLevel(c.Severity), Message: sarifMessage{Text: plainSARIF(text)},
		Locations: []sarifLocation{{
			PhysicalLocation: physical(file, line), LogicalLocations: logical(c),
		}},
		PartialFingerprints: map[string]string{"moodledbDiff/v1": fingerprint},
	}
}

// invocation has the notices: they are about the comparison, not about the schema.
func (s sarifWriter) invocation(r *drift.Result) sarifInvocation {
	run := sarifInvocation{ExecutionSuccessful: true}
	if !r.Started.IsZero() {
		run.StartTimeUTC = r.Started.UTC().Format(time.RFC3339)
		run.EndTimeUTC = r.Started.Add(r.Elapsed).UTC().Format(time.RFC3339)
	}
	for _, n := range r.Notices {
		text := n.Message
		if n.Hint != "" {
			text += ". What to do: " + n.Hint
		}
		notification := sarifNotification{
			Descriptor: sarifDescriptor{ID: n.Code}, Level: sarifLevel(n.Severity), Message: sarifMessage{Text: plainSARIF(text)},
		}
		if file, line, ok := s.places.ofNotice(n); ok {
			notification.Locations = []sarifLocation{{PhysicalLocation: physical(file, line)}}
		}
		run.Notifications = append(run.Notifications, notification)
	}
	return run
}

func physical(file string, line int) *sarifPhysical {
	artifact := sarifArtifact{URI: fileURI(file)}
	if !path.IsAbs(file) {
		artifact.URIBaseID = sourceRoot
	}
	return &sarifPhysical{ArtifactLocation: artifact, Region: sarifRegion{StartLine: line}}
}

// logical names the table and the object in it; nothing for what belongs to no table.
func logical(c diff.Change) []sarifLogical {
	if c.Table == "" {
		return nil
	}
	// Kinds that SARIF does not list are allowed.
	table := sarifLogical{Name: printable(c.Table), FullyQualifiedName: printable(c.Table), Kind: "table"}
	if c.Object == "" || isTable(c) {
		return []sarifLogical{table}
	}
	return []sarifLogical{
		{Name: printable(c.Object), FullyQualifiedName: printable(c.Table + "." + c.Object), Kind: string(c.Kind)},
		table,
	}
}

func sarifLevel(s diff.Severity) string {
	switch s {
	case diff.Error:
		return "error"
	case diff.Warning:
		return "warning"
	default:
		return "note"
	}
}

// plainSARIF keeps text from being read as a link: viewers make one of [text](target).
func plainSARIF(s string) string { return strings.ReplaceAll(printable(s), "](", "] (") }
