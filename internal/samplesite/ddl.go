package samplesite

import (
	"fmt"
	"strings"

	"github.com/moodledb/moodledb/xmldb"
)

// tableOptions are those that Moodle gives its tables on a server of today.
const tableOptions = "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci ROW_FORMAT=COMPRESSED"

// createTable writes a table as Moodle's installer makes it on MySQL and
// MariaDB. next is the table's AUTO_INCREMENT; 0 leaves it to the server.
func createTable(t xmldb.Table, namer *xmldb.Namer, next int64) (string, error) {
	var lines []string
	for _, f := range t.Fields {
		c, err := columnDefinition(f)
		if err != nil {
			return "", fmt.Errorf("table %q: %w", t.Name, err)
		}
		lines = append(lines, c)
	}
	keys, err := keyDefinitions(t, namer)
	if err != nil {
		return "", fmt.Errorf("table %q: %w", t.Name, err)
	}
	lines = append(lines, keys...)
	var b strings.Builder
	fmt.Fprintf(&b, "CREATE TABLE %s (\n  %s\n) %s", quoteIdent(Prefix+t.Name), strings.Join(lines, ",\n  "), tableOptions)
	if next > 0 {
		fmt.Fprintf(&b, " AUTO_INCREMENT=%d", next)
	}
	if t.Comment != "" {
		fmt.Fprintf(&b, " COMMENT=%s", quote(clip(t.Comment, 60)))
	}
	return b.String(), nil
}

// clip cuts an ASCII text to n bytes, as Moodle cuts comments.
func clip(s string, n int) string {
	if len(s) > n {
		return s[:n]
	}
	return s
}

func columnDefinition(f xmldb.Field) (string, error) {
	typ, err := columnType(f)
	if err != nil {
		return "", fmt.Errorf("field %q: %w", f.Name, err)
	}
	def := quoteIdent(f.Name) + " " + typ
	if f.NotNull {
		def += " NOT NULL"
	}
	switch {
	case f.Sequence:
		def += " AUTO_INCREMENT"
	case f.Type == xmldb.Text || f.Type == xmldb.Binary:
		// MySQL allows no default for these.
	case f.Default != nil && f.Type == xmldb.Char:
		def += " DEFAULT " + quote(*f.Default)
	case f.Default != nil:
		def += " DEFAULT " + *f.Default
	case f.NotNull && f.Type == xmldb.Char:
		def += " DEFAULT ''"
	}
	return def, nil
}

func columnType(f xmldb.Field) (string, error) {
	switch f.Type {
	case xmldb.Int:
		for _, kind := range []struct {
			digits int
			name   string
		}{{2, "tinyint"}, {4, "smallint"}, {6, "mediumint"}, {9, "int"}, {20, "bigint"}} {
			if f.Length <= kind.digits {
				return fmt.Sprintf("%s(%d)", kind.name, f.Length), nil
			}
		}
		return "", fmt.Errorf("%d digits are too many", f.Length)
	case xmldb.Number:
		return fmt.Sprintf("decimal(%d,%d)", f.Length, f.Decimals), nil
	case xmldb.Float:
		name := "double"
		if f.Decimals >= 1 && f.Decimals <= 5 {
			name = "float"
		}
		if f.Length > 0 {
			name += fmt.Sprintf("(%d,%d)", f.Length, f.Decimals)
		}
		return name, nil
	case xmldb.Char:
		return fmt.Sprintf("varchar(%d)", f.Length), nil
	case xmldb.Text:
		return "longtext", nil
	case xmldb.Binary:
		return "longblob", nil
	case xmldb.Datetime:
		return "datetime", nil
	default:
		return "", fmt.Errorf("unknown type %q", f.Type)
	}
}

// keyDefinitions writes the primary key, then the indexes, then the other
// keys, which is the order in which Moodle gives out their names.
func keyDefinitions(t xmldb.Table, namer *xmldb.Namer) ([]string, error) {
	var lines, keys []string
	for _, k := range t.Keys {
		if k.Type == xmldb.Primary {
			lines = append(lines, "PRIMARY KEY "+columnList(k.Fields))
		}
	}
	index := func(unique bool, fields []string) string {
		if unique {
			return "UNIQUE KEY " + quoteIdent(namer.Name(t.Name, fields, "uix")) + " " + columnList(fields)
		}
		return "KEY " + quoteIdent(namer.Name(t.Name, fields, "ix")) + " " + columnList(fields)
	}
	for _, x := range t.Indexes {
		lines = append(lines, index(x.Unique, x.Fields))
	}
	for _, k := range t.Keys {
		switch k.Type {
		case xmldb.Primary:
		case xmldb.Unique, xmldb.ForeignUnique:
			keys = append(keys, index(true, k.Fields))
		case xmldb.Foreign:
			keys = append(keys, index(false, k.Fields))
		default:
			return nil, fmt.Errorf("key %q: unknown type %q", k.Name, k.Type)
		}
	}
	return append(lines, keys...), nil
}

func columnList(fields []string) string {
	quoted := make([]string, len(fields))
	for i, f := range fields {
		quoted[i] = quoteIdent(f)
	}
	return "(" + strings.Join(quoted, ",") + ")"
}
