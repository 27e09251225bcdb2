-- What a real site has beyond its declared schema.

-- Two tables of a plugin that was removed from the code, with every type that
-- MySQL and MariaDB share.
DROP TABLE IF EXISTS `mdl_journal`;
CREATE TABLE `mdl_journal` (
  `id` bigint(10) NOT NULL AUTO_INCREMENT,
  `course` bigint(10) NOT NULL DEFAULT 0,
  `name` varchar(255) NOT NULL DEFAULT '',
  `intro` longtext,
  `assessed` tinyint(1) NOT NULL DEFAULT 0,
  PRIMARY KEY (`id`),
  KEY `mdl_jour_cou_ix` (`course`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci ROW_FORMAT=COMPRESSED AUTO_INCREMENT=41 COMMENT='data for each journal';
INSERT INTO `mdl_journal` (`id`,`course`,`name`,`intro`,`assessed`) VALUES
(3,2,'Lerntagebuch',NULL,-20),
(4,3,'学習日記','',100),
(9,4,'دفتر اليوميات','<p>Write\n\\.\nevery day.</p>',0);
DROP TABLE IF EXISTS `mdl_journal_entries`;
CREATE TABLE `mdl_journal_entries` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT,
  `journal` bigint(20) unsigned NOT NULL DEFAULT 0,
  `tiny` tinyint(3) unsigned NOT NULL DEFAULT 0,
  `small` smallint(5) unsigned DEFAULT NULL,
  `medium` mediumint(8) unsigned DEFAULT NULL,
  `big` bigint(20) unsigned DEFAULT NULL,
  `zero` int(6) unsigned zerofill DEFAULT NULL,
  `mood` enum('good','so so','it''s bad','変','') DEFAULT 'so so',
  `tags` set('a','b b','c''c','ü') DEFAULT NULL,
  `flag` bit(1) DEFAULT b'0',
  `flags` bit(11) DEFAULT NULL,
  `written` date DEFAULT NULL,
  `sent` datetime DEFAULT NULL,
  `precise` datetime(6) DEFAULT NULL,
  `stamped` timestamp NULL DEFAULT NULL,
  `took` time DEFAULT NULL,
  `tookprecise` time(3) DEFAULT NULL,
  `class` year DEFAULT NULL,
  `price` decimal(65,30) DEFAULT NULL,
  `weight` float DEFAULT NULL,
  `mass` double DEFAULT NULL,
  `code` char(10) DEFAULT NULL,
  `ascii` varchar(40) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL,
  `digest` binary(8) DEFAULT NULL,
  `token` varbinary(64) DEFAULT NULL,
  `tinynote` tinytext,
  `note` text NOT NULL,
  `mediumnote` mediumtext,
  `tinybytes` tinyblob,
  `bytes` blob,
  `mediumbytes` mediumblob,
  `extra` json DEFAULT NULL,
  `twice` bigint(20) GENERATED ALWAYS AS (`tiny` * 2) STORED,
  PRIMARY KEY (`id`),
  UNIQUE KEY `journal_big` (`journal`,`big`),
  KEY `note_start` (`note`(20)),
  KEY `mood` (`mood`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci AUTO_INCREMENT=500 COMMENT='Entries\' text';
INSERT INTO `mdl_journal_entries` (`id`,`journal`,`tiny`,`small`,`medium`,`big`,`zero`,`mood`,`tags`,`flag`,`flags`,`written`,`sent`,`precise`,`stamped`,`took`,`tookprecise`,`class`,`price`,`weight`,`mass`,`code`,`ascii`,`digest`,`token`,`tinynote`,`note`,`mediumnote`,`tinybytes`,`bytes`,`mediumbytes`,`extra`) VALUES
(1,3,0,0,0,0,0,'good','',b'0',b'00000000000','1000-01-01','1000-01-01 00:00:00','1000-01-01 00:00:00.000001','1970-01-01 00:00:01','-838:59:59','-838:59:59.000',1901,-99999999999999999999999999999999999.999999999999999999999999999999,-3.402823e38,-1.7976931348623157e308,'','','','','','','','','','','{}'),
(2,3,255,65535,16777215,9223372036854775807,42,'it\'s bad','a,b b,c\'c,ü',b'1',b'11111111111','9999-12-31','9999-12-31 23:59:59','9999-12-31 23:59:59.999999','2038-01-19 03:14:07','838:59:59','838:59:59.000',2155,99999999999999999999999999999999999.999999999999999999999999999999,3.402823e38,1.7976931348623157e308,'Ünïcødé','plain',0x0001020304050607,0x00FF,'短い','Ends\n\\.\nhere','\\N',0x00,0xFF,0xC328,'{"a": [1, 2.50, "\\u00e9", null, true], "ключ": "🚀"}'),
(3,4,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'only what must be',NULL,NULL,NULL,NULL,NULL),
(7,9,127,32768,8388608,4294967296,999999,'変','b b',b'1',b'10000000001','2024-02-29','2024-02-29 12:00:00','2024-02-29 12:00:00.5','2024-02-29 12:00:00','00:00:00','-00:00:00.001',2000,0.000000000000000000000000000001,16777215,0.1,'ab  ','~',0xFFFFFFFFFFFFFFFF,0x27,'\t','x',REPEAT('ß',40000),0xFE,REPEAT(0x00FF,20000),REPEAT(0x5C4E,60000),'[]');

-- Columns and indexes that were added by hand.
ALTER TABLE `mdl_course` ADD COLUMN `legacycode` varchar(64) DEFAULT NULL, ADD COLUMN `seats` smallint(5) unsigned NOT NULL DEFAULT 30;
UPDATE `mdl_course` SET `legacycode`=CONCAT('LC\\',`id`), `seats`=40000+`id` WHERE `id` % 3 = 0;
ALTER TABLE `mdl_user` ADD COLUMN `staffsince` date DEFAULT NULL AFTER `idnumber`;
UPDATE `mdl_user` SET `staffsince`='2020-02-29' WHERE `id` % 10 = 0;
ALTER TABLE `mdl_logstore_standard_log` ADD KEY `dba_ip` (`ip`,`timecreated`);
ALTER TABLE `mdl_forum_posts` ADD KEY `dba subject` (`subject`(30));

-- The full-text index that the search's own installer makes.
ALTER TABLE `mdl_search_simpledb_index` ADD FULLTEXT KEY `mdl_search_simpledb_index_index` (`title`,`content`,`description1`,`description2`);

-- A copy that somebody made by hand, with names that need quoting.
DROP TABLE IF EXISTS `mdl_Old-Copy 2`;
CREATE TABLE `mdl_Old-Copy 2` (
  `Id` int(11) NOT NULL,
  `Full Name` varchar(200) DEFAULT 'it''s',
  `select` varchar(20) DEFAULT NULL,
  `per%cent` decimal(5,2) DEFAULT NULL,
  PRIMARY KEY (`Id`),
  KEY `by name` (`Full Name`,`select`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
INSERT INTO `mdl_Old-Copy 2` VALUES
(-3,'Ann "A" O\'Neil','from',99.99),
(0,'','',0.00),
(8,NULL,NULL,NULL);

-- A table from the days before Unicode and InnoDB.
DROP TABLE IF EXISTS `mdl_notes_before2010`;
CREATE TABLE `mdl_notes_before2010` (
  `id` int(10) NOT NULL AUTO_INCREMENT,
  `author` varchar(50) NOT NULL DEFAULT '',
  `body` text,
  `size` float(7,2) DEFAULT NULL,
  PRIMARY KEY (`id`),
  KEY `author` (`author`(10))
) ENGINE=MyISAM DEFAULT CHARSET=latin1 COLLATE=latin1_swedish_ci AUTO_INCREMENT=77;
INSERT INTO `mdl_notes_before2010` VALUES
(1,'Jürgen Weiß','Price: 10 €, “quoted”, £5 – ½ off',12345.67),
(2,'Zoë','C:\\temp\tçà et là\nÿ',-0.01),
(12,'',NULL,NULL);

-- A table without any key, with rows that are equal.
DROP TABLE IF EXISTS `mdl_import_buffer`;
CREATE TABLE `mdl_import_buffer` (
  `line` int(11) DEFAULT NULL,
  `username` varchar(100) DEFAULT NULL,
  `payload` longtext
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
INSERT INTO `mdl_import_buffer` VALUES
(1,'user003','a;b;c'),
(1,'user003','a;b;c'),
(NULL,NULL,NULL),
(2,'','"x";\'y\';\\z'),
(2,'',';\r\n');

-- Tables that Totara makes while it runs.
DROP TABLE IF EXISTS `mdl_appraisal_quest_data_1`;
CREATE TABLE `mdl_appraisal_quest_data_1` (
  `id` bigint(10) NOT NULL AUTO_INCREMENT,
  `timecompleted` bigint(10) DEFAULT NULL,
  `appraisalroleassignmentid` bigint(10) NOT NULL,
  `data_7` longtext,
  `data_8` bigint(10) DEFAULT NULL,
  PRIMARY KEY (`id`),
  KEY `mdl_apprquesdata1_app_ix` (`appraisalroleassignmentid`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci ROW_FORMAT=COMPRESSED COMMENT='Stores the answers for a specific appraisal';
INSERT INTO `mdl_appraisal_quest_data_1` VALUES
(1,1767700000,11,'Goals: «más», 目標',3),
(2,NULL,12,NULL,NULL),
(3,1767700060,13,'',-1);
DROP TABLE IF EXISTS `mdl_report_builder_cache_3_20260105`;
CREATE TABLE `mdl_report_builder_cache_3_20260105` (
  `user_id` bigint(10) NOT NULL DEFAULT 0,
  `course_fullname` varchar(254) NOT NULL DEFAULT '',
  `grade` decimal(10,5) DEFAULT NULL,
  KEY `rb_cache_0cc175b9c0f1b6a_92eb5ffee6ae2fe` (`user_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
INSERT INTO `mdl_report_builder_cache_3_20260105` VALUES
(3,'Introduction to Databases',77.50000),
(3,'古典文学入門',NULL),
(0,'',0.00000);

-- A table of another application in the same database.
DROP TABLE IF EXISTS `pma__recent`;
CREATE TABLE `pma__recent` (
  `username` varchar(64) NOT NULL,
  `tables` text NOT NULL,
  PRIMARY KEY (`username`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_bin;
INSERT INTO `pma__recent` VALUES ('root','[{"db":"moodle","table":"mdl_user"}]');

-- A view that a report reads.
DROP VIEW IF EXISTS `mdl_active_users`;
CREATE SQL SECURITY INVOKER VIEW `mdl_active_users` AS SELECT `id`,`username`,`email`,`lastaccess` FROM `mdl_user` WHERE `deleted` = 0 AND `suspended` = 0;
