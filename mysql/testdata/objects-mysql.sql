CREATE TABLE functional (a int, name varchar(10), KEY lower_ix ((lower(concat(name, 'a''b\\')))), KEY a_ix (a) INVISIBLE) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;
CREATE TABLE vectors (v vector(3) NOT NULL) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;
CREATE TABLE loose (a int, CONSTRAINT loose_a CHECK (a > 1) NOT ENFORCED) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;
