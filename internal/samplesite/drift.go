package samplesite

import _ "embed"

//go:embed drift.sql
var driftSQL string

// drift is what a real site has beyond its declared schema: leftovers of
// removed plugins, what a database administrator added, and other guests of
// the same database.
func drift() string { return driftSQL }
