CREATE TABLE every_type (
  id bigint(10) NOT NULL AUTO_INCREMENT PRIMARY KEY COMMENT 'it''s \\ the key',
  ti tinyint(1) NOT NULL DEFAULT 0,
  si smallint(4) DEFAULT -1,
  mi mediumint(6),
  i int(9) unsigned DEFAULT 7,
  z int unsigned zerofill DEFAULT 12,
  bu bigint unsigned DEFAULT 18446744073709551615,
  d decimal(10,5) NOT NULL DEFAULT 0,
  d0 decimal(20),
  f float DEFAULT -1.25,
  f2 float(7,4),
  do double DEFAULT 1e20,
  do2 double(11,4) unsigned,
  b bit(5) DEFAULT b'101',
  y year DEFAULT 2020,
  da date DEFAULT '2020-01-01',
  t time(2),
  dt datetime DEFAULT CURRENT_TIMESTAMP,
  ts timestamp(3) NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
  c char(36) DEFAULT (uuid()),
  latin char(3) CHARACTER SET latin1 DEFAULT 'é',
  v varchar(30) NOT NULL DEFAULT 'it''s \\ "x" \n',
  `empty` varchar(5) NOT NULL DEFAULT '',
  nul varchar(5) DEFAULT 'NULL',
  num varchar(5) DEFAULT '0',
  bin varchar(1333) COLLATE utf8mb4_bin,
  tt tinytext, tx text, mt mediumtext, lt longtext NOT NULL,
  txd text DEFAULT ('de''f'),
  fb binary(4) DEFAULT 'ab', vb varbinary(10) DEFAULT 'a\\b', tb tinyblob, bl blob, mb mediumblob, lb longblob,
  e enum('a''b', 'c\\d', 'e"f', 'g,h', ')') DEFAULT 'a''b',
  s set('x', 'y') DEFAULT 'x,y',
  geo geometry, p point, gc geometrycollection,
  gs int GENERATED ALWAYS AS (i + 1) STORED,
  gv varchar(60) GENERATED ALWAYS AS (concat(v, 'a''b\\')) VIRTUAL
) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci ROW_FORMAT = COMPRESSED COMMENT = 'it''s';
INSERT INTO every_type (id, lt) VALUES (41, 'x');
CREATE TABLE indexed (
  id int NOT NULL PRIMARY KEY,
  a int NOT NULL, b varchar(100), t text, g point NOT NULL,
  UNIQUE KEY two (b, a), KEY prefix (t(10), b(5)), KEY descending (a DESC, b), FULLTEXT KEY words (t), SPATIAL KEY places (g),
  KEY spoken (b) COMMENT 'said''s'
) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;
CREATE TABLE `mdl_Old-Copy 2` (`Sel ect` int DEFAULT 3, `q``q` varchar(3)) ENGINE = MyISAM DEFAULT CHARSET = latin1 COLLATE = latin1_swedish_ci;
CREATE TABLE child (
  id int NOT NULL PRIMARY KEY, parent int, x int,
  KEY parent_ix (parent), KEY x_ix (x),
  CONSTRAINT child_parent_fk FOREIGN KEY (parent) REFERENCES indexed (id) ON DELETE CASCADE ON UPDATE SET NULL,
  CONSTRAINT child_x_fk FOREIGN KEY (x) REFERENCES child (id) ON DELETE RESTRICT
) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;
CREATE TABLE checked (
  id int NOT NULL PRIMARY KEY, a varchar(20), CONSTRAINT checked_a CHECK (a IN ('x', 'y''s'))
) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;
CREATE TABLE hidden (
  id int NOT NULL PRIMARY KEY, a int INVISIBLE
) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;
CREATE TABLE documents (
  id int NOT NULL PRIMARY KEY, j json, jd json DEFAULT (json_object('a', 'b'))
) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;
CREATE TABLE parts (id int NOT NULL PRIMARY KEY) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci PARTITION BY HASH (id) PARTITIONS 3;
CREATE TABLE nokey (a int, u varchar(5) CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci) ENGINE = MEMORY DEFAULT CHARSET = utf8mb3 COLLATE = utf8mb3_general_ci;
CREATE VIEW seen AS SELECT id FROM child;
