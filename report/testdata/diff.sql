-- Made by moodledb diff.
-- expected: moodle 4.5.5 (Build: 20250609), the code in /srv/moodle
-- found: mariadb 10.11.6-MariaDB at moodle@db1.example.org:3306/moodle
-- compared: 2026-01-05T08:15:00Z
-- 6 errors, 5 warnings, 8 info in 14 tables; 2 ignored by rules; 1 known by the baseline; 2 of the baseline gone.
--
-- Test this on a copy first, and make a backup. Put the site into maintenance mode.
-- Statements that lose something are comments: read them, and take the dashes away.
-- Run it with: mysql --default-character-set=utf8mb4 DATABASE < FILE
-- It stops at the first error; what was done until then stays.

SET NAMES utf8mb4;
SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO';

-- ---- Make what is missing

-- mdl_forum_queue: table-missing
CREATE TABLE `mdl_forum_queue` (
	`id` bigint NOT NULL AUTO_INCREMENT,
	PRIMARY KEY (`id`)
) ENGINE=InnoDB;

-- ---- Make room; a table may be written anew, which takes time

-- mdl_user: column-default, column-integer-narrow
-- the table is copied
ALTER TABLE `mdl_user` MODIFY `policyagreed` bigint NOT NULL DEFAULT 0, MODIFY `lang` varchar(30) NOT NULL DEFAULT 'en';
ALTER TABLE `mdl_user` AUTO_INCREMENT = 5018;

-- ---- Make indexes and keys again

-- mdl_user: index-missing
-- fails on duplicates; this finds them: SELECT `mnethostid`, `username` FROM `mdl_user` GROUP BY 1, 2 HAVING COUNT(*) > 1
ALTER TABLE `mdl_user` ADD UNIQUE KEY `mdl_user_mneuse_uix` (`mnethostid`, `username`);

-- ---- Drop what holds no data

-- mdl_forum_posts: foreign-key-extra, index-extra
ALTER TABLE `mdl_forum_posts` DROP FOREIGN KEY `fk_user`;
ALTER TABLE `mdl_forum_posts` DROP KEY `report_ix`;

-- ---- Loses data or code

-- mdl_zz_notes: table-extra
-- all rows of the table are lost
-- DROP TABLE
--     `mdl_zz_notes`;

-- ---- To be done by people

-- mdl_user: sequence-behind
-- stop cron before

-- ---- No statement of the database can undo these, or none is needed

-- error: database, moodle@%: the account moodle@% has rights on single tables only; what it has none on looks as if it were missing [source-rights-incomplete]
-- info: 2 tables without a prefix: accounts, invoices [table-other-prefix]
-- info: mdl_active_users: a view or foreign table [view-extra]
-- info: piwik_log: a table of another prefix [table-other-prefix]
-- info: 4 tables of the prefix wp_: wp_comments, wp_links, wp_options, … [table-other-prefix]
-- warning: local_orders, orderId: field "orderId" has capitals: Moodle would not create this table (rule field-name) [definition-invalid]
-- warning: mdl_oldquiz: a table of the plugin mod_oldquiz, which is installed, but whose code is gone [table-plugin-removed]
