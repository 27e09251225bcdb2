package ownership

import (
	"context"
	"strings"
	"time"

	"github.com/moodledb/moodledb/postgres"
)

// DB is a database whose schemas change hands. *postgres.DB is one.
type DB interface {
	Server() postgres.Server
	// Transact runs f in one transaction, committed when f returns nil.
	Transact(ctx context.Context, f func(tx *postgres.Tx) error) error
}

// Options say what is published and whose it becomes.
type Options struct {
	// Staging is the schema that was loaded; empty when Schema is loaded directly.
	Staging string
	// Schema is what the staging schema becomes; empty means "public".
	Schema string
	// Owner is the role that gets everything; empty means that the connected
	// role keeps what it made, and the published schema keeps its owner.
	Owner string
	// Replace allows a schema that holds objects to be renamed away, and the
	// staging schema of a run that has ended to be dropped.
	Replace bool
	// Along, when set, is run at the end of the publishing transaction; its error undoes all of it.
	Along func(ctx context.Context, tx *postgres.Tx) error
	// Now names the schema that is renamed away; zero means the present.
	Now time.Time
}

func (o Options) withDefaults() Options {
	if o.Schema == "" {
		o.Schema = "public"
	}
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	return o
}

// KeptName is the name under which [Publish] keeps what stands in place of the
// published schema.
func (o Options) KeptName() string { return o.withDefaults().kept() }

// kept is the name under which a replaced schema stays.
func (o Options) kept() string {
	suffix := o.Now.UTC().Format("_before_20060102_150405")
	return strings.ToValidUTF8(o.Schema[:min(len(o.Schema), postgres.MaxIdentifier-len(suffix))], "") + suffix
}

// StagingName returns the name of the staging schema for a source database:
// the database's own name, as other tools have it, or one derived from it
// where PostgreSQL or the published schema needs that name.
func StagingName(database, published string) string {
	if published == "" {
		published = "public"
	}
	name := database
	taken := name == published || name == "public" || name == postgres.HomeSchema ||
		name == "information_schema" || strings.HasPrefix(name, "pg_")
	if taken || name == "" {
		name = "moodledb_" + name
	}
	return strings.ToValidUTF8(name[:min(len(name), postgres.MaxIdentifier)], "")
}

// Severity says how much a problem matters.
type Severity string

// The severities. What has a Blocker cannot be done.
const (
	Blocker Severity = "blocker"
	Warning Severity = "warning"
)

// Problem is something that stands in the way, or that the user should know.
type Problem struct {
	// Code is permanent, such as "schema-not-empty".
	Code     string
	Severity Severity
	// Object is the schema, role or extension that it is about.
	Object  string
	Message string
	// Hint says what to do.
	Hint string
}

// String puts the problem into one sentence.
func (p Problem) String() string { return p.Message + "; " + p.Hint }

// BlockedError carries the problems for which something was not done.
type BlockedError struct {
	// Step is what was not done, such as `publish schema "moodle"`.
	Step string
	// Problems are blockers only.
	Problems []Problem
}

// Error lists the problems.
func (e *BlockedError) Error() string {
	texts := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		texts[i] = p.String()
	}
	return e.Step + ": " + strings.Join(texts, "\n")
}

// blocked returns the blockers among problems as an error; nil when there are none.
func blocked(step string, problems []Problem) error {
	e := &BlockedError{Step: step}
	for _, p := range problems {
		if p.Severity == Blocker {
			e.Problems = append(e.Problems, p)
		}
	}
	if len(e.Problems) == 0 {
		return nil
	}
	return e
}
