//go:build integration

package mysql_test

import "github.com/moodledb/moodledb/schema"

// chunkCase is a table with one kind of key.
type chunkCase struct {
	name string
	// columns are those of the key and the key itself; names and values are what is put in for each n.
	columns, names, values string
	// more are the table's options.
	more string
	// single says that the table cannot be split.
	single bool
	// only is the engine that has such tables; empty for both.
	only schema.Engine
}

func chunkCases() []chunkCase {
	return []chunkCase{
		{name: "dense", columns: "id bigint NOT NULL PRIMARY KEY", names: "id", values: "n + 1"},
		{name: "hole in front", columns: "id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY", names: "id", values: "IF(n = 0, 1, n + 50000000)"},
		{name: "huge holes", columns: "id bigint NOT NULL PRIMARY KEY", names: "id", values: "(n % 4) * 1152921504606846976 + n * 3 + n % 7 DIV 4"},
		{name: "two ends", columns: "id bigint NOT NULL PRIMARY KEY", names: "id", values: "IF(n < 4000, -9223372036854775808 + n, 9223372036854775807 - n)"},
		{name: "negative", columns: "id int NOT NULL PRIMARY KEY", names: "id", values: "-3 * n"},
		{name: "squares", columns: "id bigint NOT NULL PRIMARY KEY", names: "id", values: "n * n"},
		{name: "unsigned", columns: "id bigint unsigned NOT NULL PRIMARY KEY", names: "id", values: "18446744073709551615 - n * 7"},
		{name: "unsigned dense", columns: "id bigint(20) unsigned zerofill NOT NULL PRIMARY KEY", names: "id", values: "18446744073709551615 - n"},
		{name: "decimal", columns: "id decimal(20,3) NOT NULL PRIMARY KEY", names: "id", values: "(n - 3000) / 8"},
		{name: "unique key", columns: "`the ``id` int NOT NULL, UNIQUE KEY `my ``key` (`the ``id`)", names: "`the ``id`", values: "n * 5"},
		{name: "skewed pair", columns: "a int NOT NULL, b bigint NOT NULL, PRIMARY KEY (a, b)", names: "a, b", values: "IF(n % 10 = 0, n, 77), n"},
		{name: "one first value", columns: "a int NOT NULL, b bigint NOT NULL, PRIMARY KEY (a, b)", names: "a, b", values: "5, n * n"},
		{name: "three", columns: "a int NOT NULL, b int NOT NULL, c int NOT NULL, PRIMARY KEY (a, b, c)", names: "a, b, c", values: "IF(n < 6000, 3, 4), IF(n < 5000, 9, n % 5), n"},
		{
			name:    "context and name",
			columns: "contextid bigint NOT NULL, name varchar(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL, PRIMARY KEY (contextid, name)",
			names:   "contextid, name", values: "IF(n % 4 = 0, n % 50, 7), CONCAT(ELT(n % 5 + 1, 'Straße', 'strudel', 'ÉCOLE', 'ecolier', 'e'), LEFT(SHA2(n, 256), 32))",
		},
		{
			name: "text", columns: "name varchar(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL PRIMARY KEY",
			names: "name", values: "CONCAT(ELT(n % 8 + 1, 'a', 'A', 'ä', 'z', 'Z', 'é', ' ', '漢'), LEFT(SHA2(n, 256), 32), ELT(n % 3 + 1, ' ', '  ', ''))",
		},
		{
			name: "one beginning", columns: "name varchar(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NOT NULL PRIMARY KEY",
			names: "name", values: "CONCAT(ELT(n % 2 + 1, 'https://example.org/', 'HTTPS://Example.ORG/'), LPAD(n, 8, '0'))",
		},
		{
			name: "binary collation", columns: "name varchar(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL PRIMARY KEY",
			names: "name", values: "CONCAT(ELT(n % 4 + 1, 'a', 'A', 'я', 'ж'), n)",
		},
		{
			name: "other scripts", columns: "name varchar(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL PRIMARY KEY",
			names: "name", values: "CONCAT(CONVERT(CHAR(0x4e00 + n % 6000 USING ucs2) USING utf8mb4), n)",
		},
		{
			name: "latin1", columns: "name varchar(80) CHARACTER SET latin1 NOT NULL PRIMARY KEY",
			names: "name", values: "CONCAT(ELT(n % 4 + 1, 'é', 'E', 'ÿ', 'ß'), LEFT(SHA2(n, 256), 32))",
		},
		{
			name: "char of latin1 by bytes", columns: "name char(40) CHARACTER SET latin1 COLLATE latin1_bin NOT NULL PRIMARY KEY",
			names: "name", values: "CONCAT(ELT(n % 4 + 1, 'é', 'E', 'ÿ', 'ß'), LEFT(SHA2(n, 256), 32))",
		},
		{
			name: "ucs2", columns: "name varchar(80) CHARACTER SET ucs2 NOT NULL PRIMARY KEY",
			names: "name", values: "CONCAT(ELT(n % 4 + 1, 'é', 'E', 'ÿ', 'ß'), LEFT(SHA2(n, 256), 32))",
		},
		{
			name: "cp1251", columns: "name varchar(80) CHARACTER SET cp1251 NOT NULL PRIMARY KEY",
			names: "name", values: "CONCAT(ELT(n % 4 + 1, 'ю', 'Б', 'г', 'Ж'), LEFT(SHA2(n, 256), 32))",
		},
		{
			name: "three bytes", columns: "name varchar(80) CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci NOT NULL PRIMARY KEY",
			names: "name", values: "CONCAT(ELT(n % 4 + 1, 'é', 'E', 'ÿ', 'ß'), LEFT(SHA2(n, 256), 32))",
		},
		{name: "varbinary", columns: "id varbinary(40) NOT NULL PRIMARY KEY", names: "id", values: "CONCAT(UNHEX(LEFT(SHA2(n, 256), 32)), n)"},
		{name: "binary", columns: "id binary(16) NOT NULL PRIMARY KEY", names: "id", values: "IF(n % 2, UNHEX(LEFT(SHA2(n, 256), 32)), CONCAT('same begin: ', CHAR(n >> 8, n)))"},
		{name: "date", columns: "day date NOT NULL PRIMARY KEY", names: "day", values: "IF(n = 0, '0000-00-00', IF(n < 7, CONCAT('2020-00-0', n), DATE_ADD('1970-01-01', INTERVAL n DAY)))"},
		{name: "date and number", columns: "day date NOT NULL, n int NOT NULL, PRIMARY KEY (day, n)", names: "day, n", values: "DATE_ADD('2020-02-20', INTERVAL n % 12 DAY), n"},
		{name: "datetime", columns: "at datetime(3) NOT NULL PRIMARY KEY", names: "at", values: "DATE_ADD('2023-12-31 23:59:00', INTERVAL n * 15000 MICROSECOND)"},
		{name: "timestamp", columns: "at timestamp NOT NULL, n int NOT NULL, PRIMARY KEY (at, n)", names: "at, n", values: "IF(n < 4000, '0000-00-00 00:00:00', FROM_UNIXTIME(1700000000 + n * 100)), n"},
		{name: "number and float", columns: "a int NOT NULL, f double NOT NULL, PRIMARY KEY (a, f)", names: "a, f", values: "n % 50, n / 7"},
		{name: "partitions", columns: "id int NOT NULL PRIMARY KEY", names: "id", values: "n * 3", more: "PARTITION BY HASH (id) PARTITIONS 4"},
		{name: "float", columns: "f double NOT NULL PRIMARY KEY", names: "f", values: "n / 7", single: true},
		{name: "enum", columns: "e enum('z','a','k') NOT NULL, n int NOT NULL, PRIMARY KEY (e, n)", names: "e, n", values: "n % 3 + 1, n", single: true},
		{name: "no key", columns: "id int NOT NULL, KEY (id)", names: "id", values: "n", single: true},
		{name: "NULLs", columns: "id int, UNIQUE KEY (id)", names: "id", values: "IF(n % 3, n, NULL)", single: true},
		{name: "beginning of a text", columns: "name varchar(100) NOT NULL, PRIMARY KEY (name(20))", names: "name", values: "n", single: true},
		{
			name: "contractions", columns: "name varchar(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_czech_ci NOT NULL PRIMARY KEY",
			names: "name", values: "CONCAT(ELT(n % 5 + 1, 'ch', 'c', 'cz', 'Č', 'h'), ELT(n % 3 + 1, 'CH', 'h', ''), LEFT(SHA2(n, 256), 32))",
		},
		{
			name: "below space", columns: "name varchar(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NOT NULL PRIMARY KEY",
			names: "name", values: "IF(n = 0, '', CONCAT(ELT(n % 3 + 1, '', 'a', 'a '), CHAR(n % 31 + 1), n, '\\''))",
		},
		{
			name: "no pad", columns: "name char(60) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci NOT NULL PRIMARY KEY", only: schema.MySQL,
			names: "name", values: "CONCAT(ELT(n % 4 + 1, 'é', '  E', 'ÿ', 'ß'), LEFT(SHA2(n, 256), 32))",
		},
		{
			name: "case and accents", columns: "name varchar(60) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_as_cs NOT NULL PRIMARY KEY", only: schema.MySQL,
			names: "name", values: "CONCAT(ELT(n % 5 + 1, 'é', 'E', 'e', 'É', 'e '), n)",
		},
		{
			name: "newer collation", columns: "name varchar(60) CHARACTER SET utf8mb4 COLLATE utf8mb4_uca1400_nopad_as_cs NOT NULL PRIMARY KEY", only: schema.MariaDB,
			names: "name", values: "CONCAT(ELT(n % 5 + 1, 'é', 'E', 'e', 'É', 'e '), n)",
		},
		{name: "history", columns: "id int NOT NULL PRIMARY KEY", names: "id", values: "n * 3", more: "WITH SYSTEM VERSIONING", only: schema.MariaDB},
		{name: "descending", columns: "id int NOT NULL, PRIMARY KEY (id DESC)", names: "id", values: "n", only: schema.MySQL, single: true},
		{name: "other engine", columns: "id int NOT NULL PRIMARY KEY", names: "id", values: "n", more: "ENGINE=MyISAM", single: true},
	}
}
