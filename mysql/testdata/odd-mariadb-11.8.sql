CREATE TABLE vectors (v vector(3) NOT NULL, VECTOR INDEX v_ix (v));
CREATE SEQUENCE unsigned_numbers AS bigint unsigned;
CREATE SEQUENCE tiny_numbers AS tinyint START WITH 1 MAXVALUE 100;
CREATE TABLE new_defaults (t timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP, a varchar(5) DEFAULT (concat('a', 'b')));
