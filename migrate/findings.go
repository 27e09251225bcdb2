package migrate

import "github.com/moodledb/moodledb/ownership"

// problemFinding is a problem of handing over as a finding.
func problemFinding(p ownership.Problem) Finding {
	f := Finding{Code: p.Code, Severity: Warning, Object: p.Object, Message: p.Message, Hint: p.Hint}
	if p.Severity == ownership.Blocker {
		f.Severity = Blocker
	}
	return f
}
