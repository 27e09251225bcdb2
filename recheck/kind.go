package recheck

// kind groups the types of MySQL and MariaDB by what the driver gives for their values.
type kind int

// The kinds: a whole number is an int64, or text when it needs 64 bits without a sign; a FLOAT is a
// float32, a DOUBLE a float64; all others are bytes.
const (
	unknownKind kind = iota
	wholeKind
	yearKind
	decimalKind
	floatKind
	doubleKind
	textKind
	jsonKind
	binaryKind
	geometryKind
	bitKind
	dateKind
	datetimeKind
	timestampKind
	timeKind
	uuidKind
	inetKind
)

// kinds lists the types by their names.
func kinds() map[string]kind {
	out := map[string]kind{
		"year": yearKind, "float": floatKind, "json": jsonKind, "bit": bitKind, "date": dateKind, "datetime": datetimeKind,
		"timestamp": timestampKind, "time": timeKind, "uuid": uuidKind,
	}
	for k, names := range map[kind][]string{
		wholeKind:    {"tinyint", "smallint", "mediumint", "int", "integer", "bigint"},
		decimalKind:  {"decimal", "numeric"},
		doubleKind:   {"double", "real"},
		textKind:     {"char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set"},
		binaryKind:   {"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "vector"},
		geometryKind: {"geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection", "geomcollection"},
		inetKind:     {"inet4", "inet6"},
	} {
		for _, name := range names {
			out[name] = k
		}
	}
	return out
}
