package diff

import "slices"

// Codes describes every code, grouped by the kind of object.
func Codes() []Spec {
	return slices.Concat(tableCodes(), columnCodes(), sequenceCodes(), keyCodes(), otherCodes())
}

func tableCodes() []Spec {
	return []Spec{
		{TableMissing, KindTable, Error, "a declared table is missing", "Moodle fails on its first query of the table", "create the table, or finish the upgrade that makes it", ""},
		{TableNotInstalled, KindTable, Info, "a plugin's code is there, but the plugin is not installed", "Moodle makes its tables when it is installed", "visit Site administration > Notifications, or remove the plugin's code", ""},
		{TableExtra, KindTable, Warning, "a table is not declared", "nobody maintains it; Moodle's own check reports it, and transfers and backups stumble on it", "find out whose it is; drop it when nobody needs it, or list it in the ignore file", ""},
		{TablePluginRemoved, KindTable, Warning, "a table of a plugin whose code is gone", "its data stays behind until the plugin is uninstalled", "put the code back, or uninstall the plugin in Moodle", ""},
		{TableRunTime, KindTable, Info, "a table that the product makes while it runs", "no install.xml declares it, but it belongs to the site", "leave it alone", ""},
		{TableLeftover, KindTable, Warning, "a table that another program or an older version left behind", "it is not part of the site", "drop it when nobody needs it", ""},
		{TableTemporary, KindTable, Warning, "a temporary table of Moodle that stayed behind", "a job was interrupted; its next run may fail on the table", "drop it while no cron job runs", ""},
		{TableOtherPrefix, KindTable, Info, "a table of another prefix", "it belongs to another application, or to another site in the same database", "give each application its own database", ""},
		{TableIsView, KindTable, Error, "a view or foreign table stands where a table is declared", "Moodle cannot write to it, or upgrade it", "make a table of it", ""},
		{TableShadowed, KindTable, Error, "a relation of the same name is in another schema on the search path", "a query may read or write the wrong table", "drop or rename the other one, or take its schema off the search path", "warning when the other schema comes later on the path"},
		{TablePartitioned, KindTable, Error, "a declared table is partitioned", "on PostgreSQL Moodle does not see it at all; on MySQL its keys must hold the partition's column", "make a plain table of it", "warning on MySQL and MariaDB"},
		{TableInherited, KindTable, Warning, "a declared table inherits from another one, or is a partition", "its columns and rows appear in the parent as well", "ALTER TABLE … NO INHERIT", ""},
		{TableVersioned, KindTable, Warning, "MariaDB keeps the history of the rows", "the table grows with each change, and ALTER TABLE is refused", "ALTER TABLE … DROP SYSTEM VERSIONING", ""},
		{TableUnlogged, KindTable, Error, "a declared table is unlogged", "a crash of the server empties it, and replicas have none of its rows", "ALTER TABLE … SET LOGGED", ""},
		{TableOwner, KindTable, Warning, "another role owns the table", "an upgrade may not alter it", "ALTER TABLE … OWNER TO", ""},
		{TableEngine, KindTable, Error, "the storage engine is not InnoDB", "there are no transactions, and Moodle's environment check refuses upgrades", "ALTER TABLE … ENGINE=InnoDB", ""},
		{TableRowFormat, KindTable, Error, "the row format is Compact or Redundant", "indexes of long utf8mb4 columns do not fit, and Moodle's environment check refuses upgrades", "ALTER TABLE … ROW_FORMAT=Dynamic", ""},
		{TableCollation, KindTable, Warning, "the table's default character set or collation is another one", "columns that an upgrade adds compare in another way, and joins with others fail or use no index", "admin/cli/mysql_collation.php, or ALTER TABLE … CONVERT TO", ""},
		{TableRowSecurity, KindTable, Error, "row level security is enabled", "Moodle sees only the rows that the policies allow", "ALTER TABLE … DISABLE ROW LEVEL SECURITY", ""},
		{ViewExtra, KindView, Info, "a view or foreign table", "on MySQL and MariaDB Moodle's own check takes a view for a table", "it must be made anew after a migration", ""},
	}
}

func columnCodes() []Spec {
	return []Spec{
		{ColumnMissing, KindColumn, Error, "a declared column is missing", "Moodle fails on it", "add the column, or finish the upgrade that adds it", ""},
		{ColumnExtra, KindColumn, Warning, "a column is not declared", "Moodle's own check reports it; a transfer loses it", "find out whose it is; drop it when nobody needs it, or list it in the ignore file", "error when inserts fail without a value for it, or when Moodle cannot read its type"},
		{ColumnRenamed, KindColumn, Error, "a declared column is probably there under another name", "Moodle fails on it", "rename the column", ""},
		{ColumnType, KindColumn, Error, "the type is of another family", "values are refused, changed or compared in another way", "change the type back after looking at the values", "warning when the found type holds the same values"},
		{ColumnTypeUnknown, KindColumn, Error, "the type is none that Moodle knows", "Moodle cannot read or write the table; on MySQL and MariaDB its own check aborts", "change the type back after looking at the values", ""},
		{ColumnIntegerNarrow, KindColumn, Error, "the integer is narrower than declared", "values that Moodle may store do not fit", "widen it", ""},
		{ColumnIntegerWide, KindColumn, Info, "the integer is wider than declared", "nothing breaks", "narrow it when all values fit, or leave it", ""},
		{ColumnUnsigned, KindColumn, Warning, "the number is unsigned", "negative values are refused, and differences of two columns fail", "remove UNSIGNED and ZEROFILL", ""},
		{ColumnLengthShort, KindColumn, Error, "varchar is shorter than declared", "values that Moodle may store do not fit", "lengthen it", ""},
		{ColumnLengthLong, KindColumn, Warning, "varchar is longer than declared", "values may be stored that another copy of the site refuses", "shorten it when all values fit", ""},
		{ColumnNotVarchar, KindColumn, Warning, "another character or binary type stands where varchar is declared", "blanks, case or length count in another way", "change the type to the declared one", "error for enum, set and binary types, which refuse or compare values in another way, and for types that hold less"},
		{ColumnTextSmall, KindColumn, Error, "the text or binary type is smaller than declared", "long values do not fit", "change the type to the declared one", ""},
		{ColumnDecimalNarrow, KindColumn, Error, "the decimal has fewer digits than declared, before or after the point", "values do not fit, or are rounded", "change the type to the declared one", ""},
		{ColumnDecimalWide, KindColumn, Warning, "the decimal has more digits than declared", "values are stored and shown with other digits than on other sites", "change the type to the declared one when all values fit", ""},
		{ColumnFloating, KindColumn, Error, "float, double and decimal are mixed up", "numbers lose digits or are rounded in another way", "change the type to the declared one", "warning when the found type keeps more digits, or rounds to another number of decimals"},
		{ColumnNullable, KindColumn, Warning, "the column allows NULL", "NULLs that Moodle does not expect can be stored", "fill the NULLs and set NOT NULL", ""},
		{ColumnNotNull, KindColumn, Error, "the column refuses NULL", "Moodle stores NULL in it", "allow NULL", ""},
		{ColumnDefault, KindColumn, Warning, "the default is another one", "rows that Moodle inserts get another value", "set the declared default", ""},
		{ColumnDefaultMissing, KindColumn, Warning, "the default is missing", "rows that Moodle inserts get no value", "set the declared default", "error when the column is NOT NULL: inserts fail"},
		{ColumnDefaultExtra, KindColumn, Warning, "there is a default where none is declared", "rows get a value where Moodle expects none", "drop the default", ""},
		{ColumnOnUpdate, KindColumn, Warning, "the server changes the column at each update", "values change behind Moodle's back", "remove ON UPDATE", ""},
		{ColumnGenerated, KindColumn, Error, "the column is generated", "Moodle cannot store values in it", "make a plain column of it", ""},
		{ColumnInvisible, KindColumn, Error, "the column is invisible", "SELECT * does not return it", "make it visible", ""},
		{ColumnCharset, KindColumn, Warning, "the character set is another one", "characters are lost, or joins fail", "admin/cli/mysql_collation.php, or ALTER TABLE … MODIFY", ""},
		{ColumnCollation, KindColumn, Warning, "the collation is another one", "comparisons differ, and joins with other columns fail or use no index", "admin/cli/mysql_collation.php, or ALTER TABLE … MODIFY", ""},
		{ColumnAutoIncrementMissing, KindColumn, Error, "the id is not given out by the server", "inserts fail", "make it AUTO_INCREMENT, or draw its default from the sequence", ""},
		{ColumnAutoIncrementExtra, KindColumn, Warning, "the server gives out ids where none are declared to be", "Moodle stores ids of its own there", "remove AUTO_INCREMENT or the default", ""},
		{ColumnIdentity, KindColumn, Error, "the id is an identity column instead of a serial one", "Moodle does not recognise it as a sequence, and GENERATED ALWAYS refuses restored ids", "drop the identity and draw the default from a sequence", ""},
	}
}

func sequenceCodes() []Spec {
	return []Spec{
		{SequenceMissing, KindSequence, Error, "the sequence of an id is missing", "inserts fail", "create it, owned by the column, above the highest id", ""},
		{SequenceExtra, KindSequence, Info, "a sequence belongs to no declared column", "nothing uses it", "drop it when nobody needs it", ""},
		{SequenceName, KindSequence, Warning, "the sequence has not the name by which Moodle addresses it", "resetting it, as restores and imports do, fails", "rename it", ""},
		{SequenceNotOwned, KindSequence, Warning, "the column does not own its sequence", "it stays behind when the table is dropped, and hinders making it again", "ALTER SEQUENCE … OWNED BY", ""},
		{SequenceOptions, KindSequence, Warning, "the sequence has another type, increment or range, or cycles", "ids run out or are given out twice", "ALTER SEQUENCE", ""},
		{SequenceBehind, KindSequence, Error, "the next id is not above the highest one", "the next inserts fail with duplicate keys", "set it above the highest id", ""},
	}
}

func keyCodes() []Spec {
	return []Spec{
		{PrimaryKeyMissing, KindPrimaryKey, Error, "the primary key is missing", "duplicate ids are possible, and every lookup reads the whole table", "add it", ""},
		{PrimaryKeyExtra, KindPrimaryKey, Warning, "there is a primary key where none is declared", "rows may be refused", "drop it", ""},
		{PrimaryKeyDifferent, KindPrimaryKey, Error, "the primary key has other columns", "duplicate ids are possible", "drop it and add the declared one", ""},
		{IndexMissing, KindIndex, Warning, "a declared index is missing", "queries read the whole table", "create it", "error when it is unique: duplicates are possible"},
		{IndexExtra, KindIndex, Warning, "an index is not declared", "writes are slower, and upgrades refuse to change its columns", "drop it when no report needs it, or list it in the ignore file", "error when it is unique: rows may be refused"},
		{IndexDuplicate, KindIndex, Warning, "there are more indexes on the same columns than declared", "writes are slower for nothing", "drop one of them", ""},
		{IndexUniquenessLost, KindIndex, Error, "the index is not unique", "duplicates are possible, on which Moodle fails later", "remove duplicates and make it unique", ""},
		{IndexUniquenessAdded, KindIndex, Error, "the index is unique, but not declared so", "rows that Moodle stores are refused", "make it a plain index", ""},
		{IndexColumnOrder, KindIndex, Warning, "the columns of the index are in another order", "queries that it is made for cannot use it", "make it again in the declared order", ""},
		{IndexPrefix, KindIndex, Warning, "only a prefix of a column is indexed", "the index serves fewer queries", "make it again over the whole column", "error when it is unique: different values with the same beginning are refused"},
		{IndexPartial, KindIndex, Warning, "the index covers only some rows", "most queries cannot use it", "make it again without WHERE", "error when it is to be unique: duplicates are possible"},
		{IndexExpression, KindIndex, Warning, "an expression is indexed instead of the column", "most queries cannot use it", "make it again on the column", "error when it is to be unique: it forbids something else"},
		{IndexInclude, KindIndex, Warning, "the index holds further columns (INCLUDE)", "it is larger than declared", "make it again without INCLUDE", ""},
		{IndexOperatorClass, KindIndex, Warning, "the index has another operator class", "comparisons that it is made for cannot use it", "make it again with the declared one", ""},
		{IndexMethod, KindIndex, Warning, "the index has another access method", "queries that it is made for cannot use it", "make it again with the declared one", ""},
		{IndexDescending, KindIndex, Warning, "the order of the index is another one (DESC, NULLS FIRST)", "some queries must sort", "make it again in the declared order", ""},
		{IndexCollation, KindIndex, Warning, "the index has another collation", "most queries cannot use it", "make it again with the column's collation", ""},
		{IndexNulls, KindIndex, Error, "the index holds NULLs to be equal", "rows that Moodle stores are refused", "make it again without NULLS NOT DISTINCT", ""},
		{IndexInvisible, KindIndex, Warning, "the index is invisible or ignored", "no query uses it", "make it visible", ""},
		{IndexInvalid, KindIndex, Error, "the index is invalid", "no query uses it, and what it should hold unique may not be", "REINDEX, or drop it and make it again", ""},
		{IndexDeferrable, KindIndex, Warning, "the constraint behind the index is deferrable", "duplicates are noticed at another time", "make it again without DEFERRABLE", ""},
		{IndexPatternMissing, KindIndex, Warning, "the index for LIKE on PostgreSQL is missing", "searches for a beginning read the whole table", "create it", ""},
		{ExclusionExtra, KindIndex, Error, "there is an EXCLUDE constraint", "rows that Moodle stores may be refused", "drop it", ""},
		{ForeignKeyMissing, KindForeignKey, Error, "a declared foreign key is not enforced", "rows that point nowhere are possible, and deletes do not cascade", "remove such rows and add it", ""},
		{ForeignKeyExtra, KindForeignKey, Error, "a foreign key that is not declared is enforced", "Moodle deletes and inserts rows in an order that it refuses", "drop it", ""},
		{ForeignKeyDifferent, KindForeignKey, Error, "the foreign key leads elsewhere, or acts in another way", "deletes are refused or cascade where they should not", "drop it and add the declared one", ""},
		{CheckMissing, KindCheck, Warning, "a declared CHECK is missing", "values that the application does not know can be stored", "remove such values and add it", ""},
		{CheckExtra, KindCheck, Warning, "a CHECK is not declared", "rows that Moodle stores may be refused", "drop it", ""},
		{CheckDifferent, KindCheck, Warning, "the CHECK allows other values, or is not enforced", "rows are refused, or stored against the declaration", "drop it and add the declared one", ""},
	}
}

func otherCodes() []Spec {
	return []Spec{
		{TriggerExtra, KindTrigger, Warning, "a trigger or rule is on a table of the site", "rows change behind Moodle's back", "find out whose it is; drop it, or list it in the ignore file", ""},
		{DefinitionDuplicate, KindDefinition, Info, "install.xml declares the same index twice", "Moodle makes both", "tell the plugin's maintainer", ""},
		{DefinitionInvalid, KindDefinition, Warning, "install.xml is not as it should be", "Moodle's installer refuses it or reads it in another way", "tell the plugin's maintainer", "error when Moodle would not make the table; info when nothing follows"},
		{SourceStatementUnread, KindSource, Error, "a statement of the dump could not be read", "what it makes cannot be compared", "compare with the live server", ""},
		{SourceRightsIncomplete, KindSource, Error, "the user may not see the whole database", "what is hidden looks like missing", "grant the user SELECT on the whole database", ""},
	}
}
