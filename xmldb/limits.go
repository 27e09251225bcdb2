package xmldb

// LimitsFor returns the limits of a product and branch, where branch is that
// of [Site]; 0, for an unknown version, gives the newest limits.
//
// They are the constants of lib/xmldb/xmldb_table.php, xmldb_field.php and
// xmldb_index.php of each version, and names_max_length of the SQL generator.
func LimitsFor(product Product, branch int) Limits {
	l := Limits{
		TableName: 53, ColumnName: 63, ObjectName: 30, Prefix: 10,
		Int: 20, Number: 38, Float: 20, Char: 1333,
		IndexChars: 255, IndexBytes: 999,
	}
	if product == Totara {
		l.Number, l.Prefix = 20, 0
		switch {
		case branch == 0 || branch >= 1300:
			l.TableName = 48
		case branch >= 207:
			// Totara gave up Oracle, whose names end at 30, with 2.7.
			l.TableName, l.ColumnName = 40, 30
		default:
			l.TableName, l.ColumnName = 28, 30
		}
		return l
	}
	if branch != 0 && branch < 403 {
		l.TableName, l.ColumnName, l.Prefix = 28, 30, 0
	}
	if branch != 0 && branch <= 33 {
		// Raised to 38 somewhere between 3.3 and 4.1; those between get the wider one.
		l.Number = 20
	}
	return l
}

// dialect is what a version reads beyond the common grammar.
type dialect struct {
	// foreignKeys: ONDELETE, ONUPDATE, DEFERREDINSTALL; allowedValues:
	// ALLOWED_VALUES; fullText: the hint full_text_search.
	foreignKeys   bool
	allowedValues bool
	fullText      bool
}

func dialectFor(product Product, branch int) dialect {
	if product != Totara {
		return dialect{}
	}
	newest := branch == 0 || branch >= 1300
	return dialect{foreignKeys: newest, allowedValues: newest, fullText: branch == 0 || branch >= 1200}
}
