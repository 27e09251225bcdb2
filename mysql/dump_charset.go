package mysql

import (
	"cmp"
	"strings"

	"github.com/moodledb/moodledb/schema"
)

// charsets resolves the character set and collation of tables and columns the
// way the server that made a dump does.
type charsets struct {
	engine  schema.Engine
	version string
}

// resolve completes a pair of which a definition may give only one; from is
// what it inherits when it gives none.
func (c charsets) resolve(charset, collation, fromCharset, fromCollation string) (string, string) {
	charset, collation = normalCharset(strings.ToLower(charset)), normalCharset(strings.ToLower(collation))
	switch {
	case charset == "" && collation == "":
		return fromCharset, fromCollation
	case collation == "":
		return charset, c.defaultCollation(charset)
	case !strings.Contains(collation, "_") || charset == "":
		// MariaDB may name a collation without its character set.
		if strings.HasPrefix(collation, "uca1400_") {
			charset = cmp.Or(charset, fromCharset)
			return charset, charset + "_" + collation
		}
		charset, _, _ = strings.Cut(collation, "_")
	}
	return charset, collation
}

// defaultCollation is the collation of a character set that is given none.
func (c charsets) defaultCollation(charset string) string {
	switch charset {
	case "binary":
		return "binary"
	case "utf8mb4":
		major, _, _, err := parseVersion(c.version)
		if c.engine == schema.MySQL && (err != nil || major >= 8) {
			return "utf8mb4_0900_ai_ci"
		}
		return "utf8mb4_general_ci"
	case "latin1", "dec8", "swe7":
		return charset + "_swedish_ci"
	case "big5", "gb2312", "gbk", "gb18030":
		return charset + "_chinese_ci"
	case "ujis", "sjis", "cp932", "eucjpms":
		return charset + "_japanese_ci"
	case "hp8":
		return "hp8_english_ci"
	case "tis620":
		return "tis620_thai_ci"
	case "euckr":
		return "euckr_korean_ci"
	default:
		return charset + "_general_ci"
	}
}

// hasCharset reports whether the values of a type are text.
func hasCharset(typeName string) bool {
	switch typeName {
	case "char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set":
		return true
	default:
		return false
	}
}

// rowFormat returns the row format as the catalogs print it. SHOW CREATE TABLE
// prints only one that was asked for; else the engine chooses.
func rowFormat(o tableClauses, t *schema.Table) string {
	given := strings.ToUpper(o.rowFormat)
	if given == "DEFAULT" {
		given = ""
	}
	switch strings.ToUpper(t.StorageEngine) {
	case "INNODB":
		switch {
		case given == "FIXED":
			given = "DYNAMIC"
		case given == "" && o.keyBlockSize != "" && o.keyBlockSize != "0":
			given = "COMPRESSED"
		case given == "":
			given = "DYNAMIC" // the default of innodb_default_row_format
		}
	case "MYISAM":
		if given == "" {
			given = "FIXED"
			for _, c := range t.Columns {
				if isLOB(c.Type.Name) || c.Type.Name == "varchar" || c.Type.Name == "varbinary" {
					given = "DYNAMIC"
				}
			}
		}
	case "ARIA":
		given = cmp.Or(given, "PAGE")
	case "MEMORY":
		given = "FIXED"
	}
	if given == "" {
		return ""
	}
	return given[:1] + strings.ToLower(given[1:])
}
