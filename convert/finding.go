package convert

import (
	"cmp"
	"slices"
)

// Severity says how much a finding matters.
type Severity string

// The severities. With an Error nothing may be written: data or a guarantee
// would be lost. A Warning is a loss of behaviour that a person should know of;
// an Info is a choice that was made.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Info    Severity = "info"
)

// The codes of findings. They are permanent.
const (
	CodeUnknownType        = "unknown-type"
	CodeUnknownIndexMethod = "unknown-index-method"
	CodeNameTooLong        = "name-too-long"
	CodeNameBroken         = "name-broken"
	CodeTooManyColumns     = "too-many-columns"
	CodeNoColumns          = "no-columns"
	CodeGeneratedColumn    = "generated-column"
	CodeInvisibleColumn    = "invisible-column"
	CodeUnsigned           = "unsigned"
	CodeZerofill           = "zerofill"
	CodeSetMembers         = "set-members"
	CodeDefaultDropped     = "default-dropped"
	CodeOnUpdateDropped    = "on-update-dropped"
	CodeCheckDropped       = "check-dropped"
	CodePartitioned        = "partitioned"
	CodeHistory            = "history"
	CodeSequence           = "sequence"

	CodeIndexSkipped    = "index-skipped"
	CodeIndexRenamed    = "index-renamed"
	CodeIndexPrefix     = "index-prefix"
	CodeIndexLong       = "index-long"
	CodeIndexFullText   = "index-fulltext"
	CodeIndexInvisible  = "index-invisible"
	CodeIndexDuplicate  = "index-duplicate"
	CodeKeyReplaced     = "primary-key-replaced"
	CodeSequenceRenamed = "sequence-renamed"

	CodeForeignKeyDropped = "foreign-key-dropped"
	CodeForeignKeyType    = "foreign-key-type"

	CodeTableExtra     = "table-extra"
	CodeTableAbsent    = "table-absent"
	CodeTableAmbiguous = "table-ambiguous"
	CodeOtherPrefix    = "other-prefix"
	CodeView           = "view"
	CodeColumnExtra    = "column-extra"
	CodeColumnAbsent   = "column-absent"
	CodeColumnMissing  = "column-missing"
	CodeColumnNarrower = "column-narrower"
	CodeColumnNullable = "column-nullable"
	CodeColumnType     = "column-type"
	CodeIndexExtra     = "index-extra"
	CodeIndexAbsent    = "index-absent"
)

// Finding is something to know about the conversion of a schema.
type Finding struct {
	// Code is permanent, one of the Code constants.
	Code     string
	Severity Severity
	// Table is the full name of a table or view, as the source or the target spells it.
	Table string
	// Column, Index and Constraint name the object of the table; at most one is set.
	Column     string
	Index      string
	Constraint string
	Message    string
	// Hint says what to do; it may be empty.
	Hint string
}

// sortFindings orders findings by table, and keeps those of one table in the
// order in which they were made.
func sortFindings(all []Finding) {
	slices.SortStableFunc(all, func(a, b Finding) int { return cmp.Compare(a.Table, b.Table) })
}

// HasErrors reports whether a finding has the severity [Error].
func HasErrors(all []Finding) bool {
	return slices.ContainsFunc(all, func(f Finding) bool { return f.Severity == Error })
}
