CREATE TABLE odd_types (
  id int NOT NULL AUTO_INCREMENT PRIMARY KEY,
  j json, g geometry, pt point NOT NULL, ls linestring, mp multipolygon, gc geometrycollection,
  e enum('', 'it''s', 'back\\slash', '🎓', 'a,b)') CHARACTER SET utf8mb4 DEFAULT '🎓', s set('x', 'y''z', '(') NOT NULL DEFAULT 'x,(', b1 bit, b64 bit(64) DEFAULT b'1',
  y year DEFAULT '2020', t time(6) DEFAULT '-838:59:59.000000', dt datetime(6) DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  f float unsigned, d decimal(65,30), z bigint(20) unsigned zerofill, ch char, bi binary, nch nchar(5), cb char(5) CHARACTER SET binary,
  u16 varchar(5) CHARACTER SET utf16, gbk varchar(5) CHARACTER SET gbk DEFAULT '中', sj text CHARACTER SET sjis,
  vg int GENERATED ALWAYS AS (hidden * 2) VIRTUAL, sg varchar(20) GENERATED ALWAYS AS (concat(vc, 'it''s', ' ? 🎓')) STORED,
  `Weird ``column`` ☃ it's 100% ; --` int DEFAULT 3 COMMENT 'it''s ? "x" \\ \n ☃', `1` int, `select` int,
  vc varchar(9), hidden int INVISIBLE
) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;
CREATE TABLE `Weird ``table`` it's "100%" ; --` (a int NOT NULL AUTO_INCREMENT, KEY `an ``index``` (a)) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;
CREATE TABLE by_range (id int NOT NULL AUTO_INCREMENT, at int NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at) SUBPARTITION BY HASH (id) SUBPARTITIONS 2 (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN MAXVALUE);
CREATE TABLE by_columns (a varchar(5), b int) PARTITION BY LIST COLUMNS (a) (PARTITION p0 VALUES IN ('x', 'y'), PARTITION p1 VALUES IN ('z'));
CREATE TABLE by_key (id int PRIMARY KEY) PARTITION BY KEY () PARTITIONS 2;
CREATE TABLE nothing_but_key (id int, KEY desc_ix (id DESC));
CREATE TABLE words (a varchar(200), b text, FULLTEXT KEY ab_ft (a, b), KEY a_prefix (a(3)), KEY b_prefix (b(7) DESC)) ENGINE = InnoDB;
CREATE TABLE my (a int AUTO_INCREMENT, b varchar(10) NOT NULL, KEY b_a (b, a)) ENGINE = MyISAM;
INSERT INTO my (b) VALUES ('x'), ('x'), ('y');
CREATE TABLE mem (a int, KEY a_hash (a) USING HASH, KEY b_tree (a) USING BTREE) ENGINE = MEMORY;
CREATE TABLE comma (a int NOT NULL) ENGINE = CSV;
CREATE TABLE merged_child (a int) ENGINE = MyISAM;
CREATE TABLE merged (a int) ENGINE = MERGE UNION = (merged_child);
CREATE TABLE merged_broken_child (a int NOT NULL AUTO_INCREMENT, KEY (a)) ENGINE = MyISAM;
CREATE TABLE merged_broken (a int NOT NULL AUTO_INCREMENT, KEY (a)) ENGINE = MERGE UNION = (merged_broken_child);
DROP TABLE merged_broken_child;
CREATE TABLE parent (id int PRIMARY KEY, x int);
CREATE TABLE child (id int, CONSTRAINT `fk ``1``` FOREIGN KEY (id) REFERENCES parent (id) ON DELETE SET NULL);
SET foreign_key_checks = 0;
CREATE TABLE orphan (id int, FOREIGN KEY (id) REFERENCES never_there (id));
SET foreign_key_checks = 1;
CREATE TABLE gone (a int);
CREATE VIEW broken AS SELECT a FROM gone;
CREATE VIEW broken_twice AS SELECT a FROM broken;
CREATE VIEW sound AS SELECT id, concat(x, 'it''s ☃') AS `an ``x``` FROM parent;
CREATE ALGORITHM = TEMPTABLE DEFINER = nobody@nowhere SQL SECURITY DEFINER VIEW abandoned AS SELECT id FROM parent;
DROP TABLE gone;
CREATE TABLE triggered (a int, b int);
CREATE TRIGGER `Weird ``trigger``` BEFORE INSERT ON triggered FOR EACH ROW SET NEW.b = 1;
CREATE TRIGGER first_one BEFORE INSERT ON triggered FOR EACH ROW PRECEDES `Weird ``trigger``` SET NEW.a = 1;
CREATE DEFINER = nobody@nowhere TRIGGER after_delete AFTER DELETE ON triggered FOR EACH ROW BEGIN DELETE FROM parent WHERE id = OLD.a; END;
CREATE TRIGGER an_update AFTER UPDATE ON triggered FOR EACH ROW BEGIN END;
CREATE TABLE spatial_and_more (p point NOT NULL, SPATIAL KEY (p));
CREATE TABLE `Überprüfung` (`spälte` int, KEY `schlüssel` (`spälte`));
CREATE TABLE compressed (a int) ROW_FORMAT = COMPRESSED KEY_BLOCK_SIZE = 4;
CREATE TABLE checked (a int CHECK (a > 0), `b b` varchar(9), CONSTRAINT `Weird ``check``` CHECK (`b b` <> 'it''s \\ ☃'), CHECK (a < 100 OR `b b` IS NULL));
CREATE PROCEDURE proc() BEGIN END;
CREATE TABLE huge_comment (a int COMMENT 'x') COMMENT = 'This is ''quoted'' \\ "double" ☃';
