CREATE TABLE inherits (
  id bigint NOT NULL AUTO_INCREMENT, a varchar(20), b char(5) CHARACTER SET latin1, c text COLLATE utf8mb4_bin, d enum('x','y') CHARACTER SET utf8mb3 COLLATE utf8mb3_bin DEFAULT 'y',
  e varchar(10) CHARACTER SET ascii, f varchar(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci DEFAULT '),(',
  PRIMARY KEY (id)
) ENGINE=InnoDB AUTO_INCREMENT=77 DEFAULT CHARSET=latin1 COMMENT='ENGINE=MyISAM; DROP TABLE x; -- no';
CREATE TABLE `we``ird "names"` (`PRIMARY` int NOT NULL, `key` int NOT NULL, `a,b` varchar(3) NOT NULL DEFAULT ',', `CHECK` int, `(` int, `period` int, UNIQUE KEY `uniq;ue` (`key`, `a,b`(2)), KEY `KEY` (`(`, `CHECK`)) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;
CREATE TABLE times (a timestamp NULL DEFAULT NULL, b timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, c datetime(6) DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6), d timestamp NOT NULL DEFAULT '2020-01-01 00:00:00', e time DEFAULT '-10:00:00', y year) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;
CREATE TABLE expressions (a int DEFAULT (1 + 2), b int DEFAULT (-(5)), c varchar(40) DEFAULT (concat('a', ',', ')')), d date DEFAULT (curdate()), e varchar(20) DEFAULT (lower('X')), f double DEFAULT (rand() * 2), g binary(3) DEFAULT 'a', h varbinary(4) DEFAULT 0x4241, i bit(1) NOT NULL DEFAULT b'0', j decimal(5,2) DEFAULT -0.50,
  CONSTRAINT positive CHECK (a > 0 AND b < 10), CHECK (c <> ')' AND c <> 'it''s' AND c <> 'back\\slash'), k int GENERATED ALWAYS AS (a * (b + 1)) VIRTUAL COMMENT 'computed, always', l varchar(10) GENERATED ALWAYS AS (if(a > 1, 'GENERATED', 'x,y')) STORED) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;
CREATE TABLE ranges (id int NOT NULL, at date NOT NULL, PRIMARY KEY (id, at)) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci COMMENT = 'with parts' PARTITION BY RANGE (year(at)) (PARTITION p0 VALUES LESS THAN (2020), PARTITION p1 VALUES LESS THAN MAXVALUE COMMENT = ')');
CREATE TABLE memory (a int NOT NULL, b varchar(10), KEY h (a), KEY bt (b) USING BTREE) ENGINE=MEMORY DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;
CREATE TABLE isam (a int NOT NULL, b char(10), KEY k (a)) ENGINE=MyISAM DEFAULT CHARSET = latin1 COLLATE = latin1_swedish_ci;
CREATE TABLE compact (a int NOT NULL PRIMARY KEY) ENGINE=InnoDB ROW_FORMAT=COMPACT DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
CREATE TABLE packed (a int NOT NULL PRIMARY KEY) ENGINE=InnoDB ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE=8 STATS_PERSISTENT=1 STATS_AUTO_RECALC=0 DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
CREATE TABLE refers (id int NOT NULL PRIMARY KEY, a int, b int, c int, KEY (a, b), FOREIGN KEY (a) REFERENCES refers (id) ON DELETE SET NULL ON UPDATE CASCADE, CONSTRAINT `fk,2` FOREIGN KEY (c) REFERENCES child (id) ON DELETE NO ACTION) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;
CREATE TRIGGER `after;all` AFTER UPDATE ON refers FOR EACH ROW SET @x = 'a;b';
CREATE TRIGGER before_it BEFORE INSERT ON refers FOR EACH ROW BEGIN /* here; */ SET NEW.a = 1; IF NEW.b > 1 THEN SET NEW.b = 2; END IF; END;
CREATE VIEW joined AS SELECT r.id AS `x;y`, c.id AS other FROM refers r JOIN child c ON c.id = r.c WHERE r.a <> 5 WITH CHECK OPTION;
