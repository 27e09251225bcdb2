package diff

import "fmt"

// Code names a kind of change. Codes are permanent: ignore rules and baselines
// of users name them.
type Code string

// The codes of changes of tables and views.
const (
	TableMissing       Code = "table-missing"
	TableNotInstalled  Code = "table-not-installed"
	TableExtra         Code = "table-extra"
	TablePluginRemoved Code = "table-plugin-removed"
	TableRunTime       Code = "table-run-time"
	TableLeftover      Code = "table-leftover"
	TableTemporary     Code = "table-temporary"
	TableOtherPrefix   Code = "table-other-prefix"
	TableIsView        Code = "table-is-view"
	TableShadowed      Code = "table-shadowed"
	TablePartitioned   Code = "table-partitioned"
	TableInherited     Code = "table-inherited"
	TableVersioned     Code = "table-versioned"
	TableUnlogged      Code = "table-unlogged"
	TableOwner         Code = "table-owner"
	TableEngine        Code = "table-engine"
	TableRowFormat     Code = "table-row-format"
	TableCollation     Code = "table-collation"
	TableRowSecurity   Code = "table-row-security"
	ViewExtra          Code = "view-extra"
)

// The codes of changes of columns.
const (
	ColumnMissing              Code = "column-missing"
	ColumnExtra                Code = "column-extra"
	ColumnRenamed              Code = "column-renamed"
	ColumnType                 Code = "column-type"
	ColumnTypeUnknown          Code = "column-type-unknown"
	ColumnIntegerNarrow        Code = "column-integer-narrow"
	ColumnIntegerWide          Code = "column-integer-wide"
	ColumnUnsigned             Code = "column-unsigned"
	ColumnLengthShort          Code = "column-length-short"
	ColumnLengthLong           Code = "column-length-long"
	ColumnNotVarchar           Code = "column-not-varchar"
	ColumnTextSmall            Code = "column-text-small"
	ColumnDecimalNarrow        Code = "column-decimal-narrow"
	ColumnDecimalWide          Code = "column-decimal-wide"
	ColumnFloating             Code = "column-floating"
	ColumnNullable             Code = "column-nullable"
	ColumnNotNull              Code = "column-not-null"
	ColumnDefault              Code = "column-default"
	ColumnDefaultMissing       Code = "column-default-missing"
	ColumnDefaultExtra         Code = "column-default-extra"
	ColumnOnUpdate             Code = "column-on-update"
	ColumnGenerated            Code = "column-generated"
	ColumnInvisible            Code = "column-invisible"
	ColumnCharset              Code = "column-charset"
	ColumnCollation            Code = "column-collation"
	ColumnAutoIncrementMissing Code = "column-auto-increment-missing"
	ColumnAutoIncrementExtra   Code = "column-auto-increment-extra"
	ColumnIdentity             Code = "column-identity"
)

// The codes of changes of sequences, and of counters of AUTO_INCREMENT.
const (
	SequenceMissing  Code = "sequence-missing"
	SequenceExtra    Code = "sequence-extra"
	SequenceName     Code = "sequence-name"
	SequenceNotOwned Code = "sequence-not-owned"
	SequenceOptions  Code = "sequence-options"
	SequenceBehind   Code = "sequence-behind"
)

// The codes of changes of keys, indexes and constraints.
const (
	PrimaryKeyMissing      Code = "primary-key-missing"
	PrimaryKeyExtra        Code = "primary-key-extra"
	PrimaryKeyDifferent    Code = "primary-key-different"
	IndexMissing           Code = "index-missing"
	IndexExtra             Code = "index-extra"
	IndexDuplicate         Code = "index-duplicate"
	IndexUniquenessLost    Code = "index-uniqueness-lost"
	IndexUniquenessAdded   Code = "index-uniqueness-added"
	IndexColumnOrder       Code = "index-column-order"
	IndexPrefix            Code = "index-prefix"
	IndexPartial           Code = "index-partial"
	IndexExpression        Code = "index-expression"
	IndexInclude           Code = "index-include"
	IndexOperatorClass     Code = "index-operator-class"
	IndexMethod            Code = "index-method"
	IndexDescending        Code = "index-descending"
	IndexCollation         Code = "index-collation"
	IndexNulls             Code = "index-nulls"
	IndexInvisible         Code = "index-invisible"
	IndexInvalid           Code = "index-invalid"
	IndexDeferrable        Code = "index-deferrable"
	IndexPatternMissing    Code = "index-pattern-missing"
	ExclusionExtra         Code = "exclusion-extra"
	ForeignKeyMissing      Code = "foreign-key-missing"
	ForeignKeyExtra        Code = "foreign-key-extra"
	ForeignKeyDifferent    Code = "foreign-key-different"
	CheckMissing           Code = "check-missing"
	CheckExtra             Code = "check-extra"
	CheckDifferent         Code = "check-different"
	TriggerExtra           Code = "trigger-extra"
	DefinitionDuplicate    Code = "definition-duplicate"
	DefinitionInvalid      Code = "definition-invalid"
	SourceStatementUnread  Code = "source-statement-unread"
	SourceRightsIncomplete Code = "source-rights-incomplete"
)

// Spec describes one code: what it means, and what to do about it.
type Spec struct {
	Code     Code
	Kind     Kind
	Severity Severity
	// Title says what is found, in a few words.
	Title string
	// Why says why it matters: what of Moodle or of the server it touches.
	Why string
	// Hint says what to do; a change may have a better one.
	Hint string
	// Also says when the severity is another one; empty when it never is.
	Also string
}

// SpecOf returns the description of a code. It panics on a code that is not in [Codes].
func SpecOf(code Code) Spec {
	for _, s := range Codes() {
		if s.Code == code {
			return s
		}
	}
	panic(fmt.Sprintf("diff: the code %q is not described", code))
}
