package xmldb

// Product tells apart the two dialects of install.xml.
type Product string

// The products whose code moodledb reads.
const (
	Moodle Product = "moodle"
	Totara Product = "totara"
)

// Site is what the install.xml files of a site's code declare.
type Site struct {
	// Root is the directory given to [Load]; DirRoot is the directory that
	// Moodle calls dirroot: Root itself, Root/public (Moodle 5.1 and later) or
	// Root/server (Totara 13 and later).
	Root    string
	DirRoot string
	Product Product
	// Version, Release and Branch are those of version.php: "2024100705",
	// "4.5.5 (Build: 20250609)" and 405. They are zero when the file is absent.
	// For Totara, Release is that of Totara, and Branch is 100 times the major
	// plus the minor number of its version: 205 for 2.5.2, 1301 for 13.1.
	Version string
	Release string
	Branch  int
	Limits  Limits
	// Files are in the order in which Moodle's installer creates their tables.
	Files []File
	// Deprecated are the files of plugin types that this version calls
	// deprecated or deleted (Moodle 5.0 and later). Its installer does not create
	// their tables, but a site that was upgraded may still have them. They are
	// not part of Tables.
	Deprecated []File
	// Components are the names of all plugins whose code is there, with or without
	// an install.xml and of deprecated types too, and "core"; sorted.
	Components []string
	// Findings are sorted by file and line.
	Findings []Finding
}

// Tables returns all tables in the order in which Moodle's installer creates them.
func (s *Site) Tables() []Table {
	var all []Table
	for _, f := range s.Files {
		all = append(all, f.Tables...)
	}
	return all
}

// File is one install.xml.
type File struct {
	// Path is relative to Root, with slashes.
	Path      string
	Component string
	Version   string
	Comment   string
	Tables    []Table
}

// Table is a TABLE element.
type Table struct {
	// Name is without the site's prefix.
	Name    string
	Comment string
	Fields  []Field
	Keys    []Key
	Indexes []Index
	// Component is the frankenstyle name of the owner, such as "core" or "mod_forum".
	Component string
	// File is the path of the install.xml relative to the site's root; Line is 1-based.
	File string
	Line int
}

// FieldType is the TYPE of a field.
type FieldType string

// The types of xmldb. Timestamp exists in Moodle's code but cannot be read from XML.
const (
	Int      FieldType = "int"
	Number   FieldType = "number"
	Float    FieldType = "float"
	Char     FieldType = "char"
	Text     FieldType = "text"
	Binary   FieldType = "binary"
	Datetime FieldType = "datetime"
)

// Field is a FIELD element, after the rules that Moodle applies while reading it.
type Field struct {
	Name string
	Type FieldType
	// Length is 0 when none is given, and for text and binary, where Moodle ignores it.
	Length int
	// Decimals is meaningful for number and float; HasDecimals tells 0 from none.
	Decimals    int
	HasDecimals bool
	NotNull     bool
	Sequence    bool
	// Default is nil when there is none, after Moodle's own rules: an empty
	// default of a char NOT NULL and any default of a text or binary are none.
	Default *string
	// AllowedValues are those of Totara's ALLOWED_VALUES.
	AllowedValues []string
	Comment       string
	Line          int
}

// KeyType is the TYPE of a key.
type KeyType string

// The kinds of key.
const (
	Primary       KeyType = "primary"
	Unique        KeyType = "unique"
	Foreign       KeyType = "foreign"
	ForeignUnique KeyType = "foreign-unique"
)

// Key is a KEY element.
type Key struct {
	Name      string
	Type      KeyType
	Fields    []string
	RefTable  string
	RefFields []string
	// OnDelete and OnUpdate are Totara's: "restrict", "cascade", "setnull" or
	// empty. A Totara key with either set is enforced by the database.
	OnDelete        string
	OnUpdate        string
	DeferredInstall bool
	Comment         string
	Line            int
}

// Index is an INDEX element.
type Index struct {
	Name    string
	Unique  bool
	Fields  []string
	Hints   []string
	Comment string
	Line    int
}

// Limits are the limits of one version of Moodle or Totara, in bytes, characters
// or digits; see [LimitsFor]. A limit of 0 is none.
type Limits struct {
	TableName  int
	ColumnName int
	// ObjectName is the length of the generated name of an index or key.
	ObjectName int
	Prefix     int
	Int        int
	Number     int
	Float      int
	Char       int
	// IndexChars and IndexBytes bound the columns of an index: characters of a
	// char column, and the sum of the bytes of all.
	IndexChars int
	IndexBytes int
}
