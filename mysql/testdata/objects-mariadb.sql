CREATE TABLE mariadb_types (u uuid, i6 inet6, i4 inet4, c varchar(100) COMPRESSED, tc text COMPRESSED) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;
CREATE TABLE ignored (a int, KEY a_ix (a) IGNORED) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;
CREATE TABLE history (a int) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci WITH SYSTEM VERSIONING;
CREATE TABLE periods (a int, rs timestamp(6) GENERATED ALWAYS AS ROW START, re timestamp(6) GENERATED ALWAYS AS ROW END, PERIOD FOR SYSTEM_TIME (rs, re)) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci WITH SYSTEM VERSIONING;
CREATE TABLE longunique (t text, UNIQUE KEY t_uix (t)) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;
CREATE TABLE textcheck (t longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, CONSTRAINT t_is_json CHECK (json_valid(t))) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;
CREATE SEQUENCE numbers START WITH 5 INCREMENT BY 2;
