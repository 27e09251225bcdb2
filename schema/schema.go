// Package schema holds plain values that describe a database schema: tables,
// columns, types, indexes, constraints and sequences.
//
// A [Schema] is declared (computed from install.xml) or live (read from a
// server's catalogs); both are the same type, so that they can be compared. The
// package knows no SQL, opens no connection and judges nothing: the dialects
// fill and print these values, convert makes one from another, and diff
// compares them.
package schema

import (
	"slices"
	"strings"
)

// Engine names a kind of database server.
type Engine string

// The engines that moodledb knows.
const (
	MySQL    Engine = "mysql"
	MariaDB  Engine = "mariadb"
	Postgres Engine = "postgres"
)

// IsMySQL reports whether e speaks the MySQL protocol and dialect, that is
// whether it is MySQL or MariaDB.
func (e Engine) IsMySQL() bool { return e == MySQL || e == MariaDB }

// Schema is everything that one database (MySQL, MariaDB) or one schema
// (PostgreSQL) holds, as far as moodledb looks at it.
type Schema struct {
	Engine Engine
	// Version is the server's version as it prints it; empty for a declared schema.
	Version string
	// Name is the database (MySQL, MariaDB) or the schema (PostgreSQL).
	Name string
	// Charset and Collation are the defaults of the database. MySQL and MariaDB only.
	Charset   string
	Collation string
	// Tables are sorted by name, byte by byte; see [Schema.Sort].
	Tables []Table
	Views  []View
	// Sequences lists every sequence, owned by a column or not. PostgreSQL's and MariaDB's.
	Sequences []Sequence
	// Elsewhere are the tables, views and other relations of other schemas on the
	// search path of the connected role. PostgreSQL only.
	Elsewhere []Elsewhere
}

// Elsewhere is a relation that an unqualified name may find in place of a
// table of the schema.
type Elsewhere struct {
	Schema string
	Name   string
	// First says that its schema comes before the inspected one on the search path.
	First bool
}

// Table finds a table by its exact name; nil when there is none. The pointer
// is into s.Tables.
func (s *Schema) Table(name string) *Table {
	for i := range s.Tables {
		if s.Tables[i].Name == name {
			return &s.Tables[i]
		}
	}
	return nil
}

// Sort puts tables, views and sequences in the order of their names, and the
// indexes, keys, checks and triggers of each table likewise (the primary key first), so
// that equal schemas are equal values. Columns keep their position.
func (s *Schema) Sort() {
	slices.SortFunc(s.Tables, func(a, b Table) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(s.Views, func(a, b View) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(s.Sequences, func(a, b Sequence) int { return strings.Compare(a.Name, b.Name) })
	for i := range s.Tables {
		t := &s.Tables[i]
		slices.SortFunc(t.Indexes, func(a, b Index) int {
			if a.Primary != b.Primary {
				if a.Primary {
					return -1
				}
				return 1
			}
			return strings.Compare(a.Name, b.Name)
		})
		slices.SortFunc(t.ForeignKeys, func(a, b ForeignKey) int { return strings.Compare(a.Name, b.Name) })
		slices.SortFunc(t.Checks, func(a, b Check) int { return strings.Compare(a.Name, b.Name) })
		slices.SortFunc(t.Triggers, func(a, b Trigger) int { return strings.Compare(a.Name, b.Name) })
	}
}

// Origin says where a declared object stands; the zero value means that the
// object is not declared.
type Origin struct {
	// Component is the frankenstyle name, such as "core" or "mod_forum".
	Component string
	// File is the path of the install.xml relative to the root of the code.
	File string
	// Line is 1-based.
	Line int
}

// Declared reports whether o names a place.
func (o Origin) Declared() bool { return o.File != "" }

// Table is a base table.
type Table struct {
	// Name is the full name, with the prefix, in the case that the server keeps.
	Name    string
	Comment string
	// Columns are in the order of their position.
	Columns     []Column
	Indexes     []Index
	ForeignKeys []ForeignKey
	Checks      []Check
	// Triggers are the user's own, PostgreSQL's rules included.
	Triggers []Trigger

	// StorageEngine, RowFormat, Charset and Collation are MySQL's and MariaDB's.
	StorageEngine string
	RowFormat     string
	Charset       string
	Collation     string
	// AutoIncrement is the next value that MySQL or MariaDB would give out; 0 when none is known.
	AutoIncrement uint64

	// Owner, Partitioned, Unlogged and Inherited are PostgreSQL's (Partitioned also MySQL's).
	Owner       string
	Partitioned bool
	Unlogged    bool
	Inherited   bool
	// RowSecurity says that PostgreSQL's row level security is enabled.
	RowSecurity bool
	// SystemVersioned says that MariaDB keeps the history of the rows, which is not read.
	SystemVersioned bool

	// Rows and Bytes are the server's own estimates; -1 when it has none.
	Rows  int64
	Bytes int64

	Origin Origin
}

// Column finds a column by name, without regard to case; nil when there is none.
// The pointer is into t.Columns.
func (t *Table) Column(name string) *Column {
	for i := range t.Columns {
		if strings.EqualFold(t.Columns[i].Name, name) {
			return &t.Columns[i]
		}
	}
	return nil
}

// PrimaryKey returns the primary key; nil when there is none. The pointer is
// into t.Indexes.
func (t *Table) PrimaryKey() *Index {
	for i := range t.Indexes {
		if t.Indexes[i].Primary {
			return &t.Indexes[i]
		}
	}
	return nil
}

// Column is one column of a table.
type Column struct {
	Name    string
	Type    Type
	NotNull bool
	Default Default
	// AutoIncrement is set for MySQL's AUTO_INCREMENT, for PostgreSQL's serial
	// (a default of nextval on a sequence) and for identity columns.
	AutoIncrement bool
	// Sequence is the name of the sequence behind a serial or identity column. PostgreSQL only.
	Sequence string
	// SequenceOwned says that the column owns Sequence. PostgreSQL only.
	SequenceOwned bool
	// Identity is "", "always" or "by default". PostgreSQL only.
	Identity string
	// Generated is "" for a stored value of the user's, else how the value is computed.
	Generated GeneratedKind
	// Expression is the expression of a generated column, in the dialect of its engine.
	Expression string
	// OnUpdate is MySQL's ON UPDATE clause, such as "CURRENT_TIMESTAMP".
	OnUpdate  string
	Invisible bool
	// Charset and Collation are empty for types that have none.
	Charset   string
	Collation string
	Comment   string
	// Highest is the highest value of an AutoIncrement column; HighestKnown says
	// that it was read. A table without rows has 0.
	Highest      int64
	HighestKnown bool
	// AllowedValues are those of Totara's ALLOWED_VALUES; declared columns only.
	AllowedValues []string
	Origin        Origin
}

// GeneratedKind says how a generated column gets its value.
type GeneratedKind string

// How a column is generated.
const (
	NotGenerated     GeneratedKind = ""
	GeneratedStored  GeneratedKind = "stored"
	GeneratedVirtual GeneratedKind = "virtual"
)

// DefaultKind tells apart the forms of a default.
type DefaultKind string

// The forms of a default.
const (
	// NoDefault: the column has no DEFAULT clause, or DEFAULT NULL.
	NoDefault DefaultKind = ""
	// LiteralDefault: Text is the value itself, unquoted and unescaped.
	LiteralDefault DefaultKind = "literal"
	// ExpressionDefault: Text is an expression in the dialect of its engine.
	ExpressionDefault DefaultKind = "expression"
)

// Default is the default of a column, normalised by the dialect that read it.
type Default struct {
	Kind DefaultKind
	Text string
}

// Literal makes a literal default of the value text.
func Literal(text string) Default { return Default{Kind: LiteralDefault, Text: text} }

// Expression makes a default of the expression text.
func Expression(text string) Default { return Default{Kind: ExpressionDefault, Text: text} }

// Type is a column type in the words of its engine.
type Type struct {
	// Name is the bare type in lower case, without length, modifiers or
	// quotes: "bigint", "varchar", "longtext", "decimal" on MySQL; "bigint",
	// "character varying", "text", "numeric", "double precision" on
	// PostgreSQL (as format_type prints it without typmod).
	Name string
	// Length is the length of a character, binary or bit type, in characters, bytes or bits; 0 when it has none.
	Length int64
	// Precision and Scale are those of decimal and numeric types, and of
	// MySQL's FLOAT(M,D) and DOUBLE(M,D); 0 when not given. For temporal types
	// Precision is the number of fractional digits of a second.
	Precision int
	Scale     int
	// Width is MySQL's integer display width; 0 when the server reports none. It never makes a difference.
	Width    int
	Unsigned bool
	Zerofill bool
	// Values are the members of an enum or set, unquoted.
	Values []string
	// Raw is the whole type as the server prints it, or as DDL spells it.
	Raw string
}

// Index is an index or a primary key. Unique constraints are unique indexes
// with Constraint set.
type Index struct {
	Name    string
	Primary bool
	Unique  bool
	// Constraint is set when a constraint (primary key, unique) owns the index. PostgreSQL only.
	Constraint bool
	Parts      []IndexPart
	// Include are the columns of PostgreSQL's INCLUDE.
	Include []string
	// Method is the access method in lower case: "btree", "gin", "hash", "fulltext", "spatial".
	Method string
	// Where is the predicate of a partial index. PostgreSQL only.
	Where string
	// Invisible covers MySQL's INVISIBLE and MariaDB's IGNORED.
	Invisible bool
	// Invalid is set for an index that PostgreSQL does not use (indisvalid = false).
	Invalid bool
	// NullsNotDistinct is PostgreSQL 15's clause.
	NullsNotDistinct bool
	// Exclusion is set for the index of an EXCLUDE constraint. PostgreSQL only.
	Exclusion bool
	// Deferrable is set for the index of a deferrable constraint. PostgreSQL only.
	Deferrable bool
	Comment    string
	// Definition is pg_get_indexdef's text. PostgreSQL only.
	Definition string
	Origin     Origin
}

// Columns returns the names of the indexed columns in order; an expression
// part gives "".
func (x *Index) Columns() []string {
	names := make([]string, len(x.Parts))
	for i, p := range x.Parts {
		names[i] = p.Column
	}
	return names
}

// IndexPart is one element of an index.
type IndexPart struct {
	// Column is the indexed column; empty when Expression is set.
	Column     string
	Expression string
	// Prefix is the number of characters (bytes for binary types) that MySQL indexes; 0 for all.
	Prefix     int64
	Descending bool
	// NullsFirst is what PostgreSQL's index says; the default is the opposite of Descending's.
	NullsFirst bool
	// OpClass is a PostgreSQL operator class when it is not the default one.
	OpClass string
	// Collation is a PostgreSQL collation when it is not the column's.
	Collation string
}

// ForeignKey is a foreign key that the server enforces.
type ForeignKey struct {
	Name       string
	Columns    []string
	RefTable   string
	RefColumns []string
	// OnDelete and OnUpdate are "restrict", "cascade", "set null", "set default" or "no action".
	OnDelete string
	OnUpdate string
	Origin   Origin
}

// Check is a CHECK constraint.
type Check struct {
	Name       string
	Expression string
	// NotEnforced is the NOT ENFORCED of MySQL and PostgreSQL 18.
	NotEnforced bool
	Origin      Origin
}

// Trigger is code that runs when rows of a table change.
type Trigger struct {
	Name string
	// Rule says that it is a rule of PostgreSQL's rewriter.
	Rule bool
	// Event is when it runs, such as "before insert".
	Event string
}

// View is a view; its definition is in the dialect of its engine.
type View struct {
	Name         string
	Definition   string
	Owner        string
	Materialized bool
	// Foreign is set for a foreign table. PostgreSQL only.
	Foreign bool
}

// Sequence is a sequence of PostgreSQL or MariaDB.
type Sequence struct {
	Name string
	// Type is "smallint", "integer" or "bigint".
	Type      string
	Start     int64
	Increment int64
	Min       int64
	Max       int64
	Cycle     bool
	// Last is the last value given out; Called tells whether it was given out at all.
	Last   int64
	Called bool
	// OwnedByTable and OwnedByColumn name the owning column; empty when none.
	OwnedByTable  string
	OwnedByColumn string
	Owner         string
}
