-- Made by moodledb diff.
-- expected: mysql 9.7.0 at root@127.0.0.1:3306/moodle
-- found: the dump schema/live.sql.gz of postgres 17.2
-- compared: 2026-01-05T08:15:00Z
-- 2 errors in 2 tables.
--
-- Test this on a copy first, and make a backup. Put the site into maintenance mode.
-- Statements that lose something are comments: read them, and take the dashes away.
-- Run it with: psql --no-psqlrc --set=ON_ERROR_STOP=1 --file=FILE DATABASE
-- It stops at the first error; what was done until then stays, or, with --single-transaction, nothing does.

SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;

-- ---- Make what is missing

-- mdl_user: column-missing
ALTER TABLE "public"."mdl_user"
	ADD COLUMN "lang" varchar(30);
COMMENT ON TABLE "public"."mdl_user" IS 'a;b';

-- ---- Loses data or code

-- the schema: sequence-extra
-- DROP SEQUENCE "public"."old";

-- ---- No statement of the database can undo these, or none is needed

-- error: mdl_a, source: a statement could not be read: no [source-statement-unread]
