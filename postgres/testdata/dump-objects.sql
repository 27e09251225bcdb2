-- What everything.sql has not: inheritance, partitions, triggers, rules, row
-- security, foreign tables, and statements that need care to be cut out.
CREATE TABLE base (id bigint DEFAULT 7 NOT NULL, note text, CONSTRAINT base_note CHECK (note <> ';'));
CREATE TABLE derived (extra integer, note text DEFAULT 'mine') INHERITS (base);
CREATE TABLE measured (at date NOT NULL, value numeric(8,2) DEFAULT -1) PARTITION BY RANGE (at);
CREATE TABLE measured_2024 PARTITION OF measured FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE INDEX measured_at ON measured (at);
ALTER TABLE measured ADD CONSTRAINT measured_pk PRIMARY KEY (at);
CREATE TABLE secured (id bigserial PRIMARY KEY, who text, span int4range, EXCLUDE USING gist (span WITH &&) WHERE (who <> 'x'),
  CONSTRAINT "who;" UNIQUE (who) DEFERRABLE INITIALLY DEFERRED);
ALTER TABLE secured ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON secured USING (who = CURRENT_USER);
CREATE UNIQUE INDEX nulls ON secured (who) NULLS NOT DISTINCT;
CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN /* ; */ NEW.who := 'a;b'; RETURN NEW; END $body$;
CREATE FUNCTION one(a integer) RETURNS integer LANGUAGE sql IMMUTABLE BEGIN ATOMIC SELECT CASE WHEN a > 1 THEN 1 ELSE 2 END; SELECT 3; END;
CREATE TRIGGER before_it BEFORE INSERT OR UPDATE OF who ON secured FOR EACH ROW WHEN (NEW.who <> ';') EXECUTE FUNCTION noted();
CREATE CONSTRAINT TRIGGER after_it AFTER DELETE ON secured DEFERRABLE FOR EACH ROW EXECUTE FUNCTION noted();
CREATE RULE no_delete AS ON DELETE TO base DO INSTEAD (NOTIFY a; NOTIFY b);
CREATE VIEW checked AS SELECT id, note FROM base WHERE note <> 'x;y' WITH CASCADED CHECK OPTION;
CREATE MATERIALIZED VIEW counted AS SELECT count(*) FILTER (WHERE id > 1) AS n, 'AS' AS "AS" FROM base;
CREATE UNIQUE INDEX counted_n ON counted (n);
CREATE EXTENSION postgres_fdw;
CREATE SERVER away FOREIGN DATA WRAPPER postgres_fdw;
CREATE FOREIGN TABLE distant (id bigint NOT NULL, t text DEFAULT 'x') SERVER away OPTIONS (table_name 'a;b');
CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
CREATE TYPE pair AS (a integer, b text);
CREATE TABLE odd (d positive DEFAULT 3, p pair, "a.b" text DEFAULT '$x$;$x$', "c""d" text[] DEFAULT ARRAY['a,b', ')'], e text GENERATED ALWAYS AS (upper("a.b") || ',') STORED NOT NULL,
  f integer CONSTRAINT "CHECK (" CHECK (f <> 3), CONSTRAINT "two words" CHECK ("a.b" <> ')' OR "a.b" = E'it''s \\ x'), g timestamp(3) with time zone DEFAULT now() NOT NULL,
  h integer CONSTRAINT h_set NOT NULL, i interval day to second(2) DEFAULT '1 day'::interval, j character varying(10)[] COLLATE "C");
COMMENT ON COLUMN odd."a.b" IS 'it''s; -- not a comment';
COMMENT ON CONSTRAINT "two words" ON odd IS 'no';
COMMENT ON VIEW checked IS 'no';
CREATE INDEX "on" ON odd USING btree (one(f), ("a.b" || 'ON (x) WHERE'), upper("a.b") DESC NULLS LAST) INCLUDE (g) WITH (fillfactor = 70) WHERE "c""d" IS NOT NULL AND f > 1;
CREATE TABLE quoted ("Table" integer PRIMARY KEY, "order" integer REFERENCES quoted ("Table") ON UPDATE SET NULL, UNIQUE ("order", "Table"));
INSERT INTO base VALUES (1, '\.'), (2, E'a\nb');
INSERT INTO secured (who, span) VALUES ('x', '[1,2]');
INSERT INTO odd (h, "a.b") VALUES (1, 'CREATE TABLE x (a int);'), (2, ''';'), (3, E'\\.\n');
