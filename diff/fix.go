package diff

// Fix are statements that undo some changes of one table, or of the schema.
type Fix struct {
	// Table is the full name of the table; empty for what belongs to none.
	Table string
	// Codes are those of the changes that it undoes.
	Codes []Code
	// Statements are in order, without closing semicolons.
	Statements []string
	// Destructive says that data, or code that nobody can make again, is lost:
	// reports print such statements as comments.
	Destructive bool
	// Note says what to look at before, or why there is no statement; may be empty.
	Note string
	// Stage orders fixes: safe ones first; see the constants.
	Stage Stage
}

// Stage says how much a fix can hurt.
type Stage int

// The stages, the safest first.
const (
	// StageAdd makes what is missing, and takes nothing away.
	StageAdd Stage = iota
	// StageWiden makes room: types, defaults, NULL. It may rewrite the table.
	StageWiden
	// StageIndex makes indexes and keys again.
	StageIndex
	// StageNarrow may fail on rows that do not fit; none is changed then.
	StageNarrow
	// StageDrop takes away what holds no data: indexes, constraints.
	StageDrop
	// StageDestroy loses data or code.
	StageDestroy
	// StageManual has no statement, or none that can be right without a look at the data.
	StageManual
)
