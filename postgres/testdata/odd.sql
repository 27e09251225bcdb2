-- What no install.xml declares, and what a database may hold all the same.
CREATE SCHEMA "Mixed ""Case"" 🎓 it's";
CREATE SCHEMA first;
CREATE SCHEMA last;
CREATE SCHEMA apart;
CREATE EXTENSION IF NOT EXISTS citext SCHEMA last;
CREATE EXTENSION IF NOT EXISTS hstore SCHEMA last;
CREATE EXTENSION IF NOT EXISTS btree_gist SCHEMA last;
CREATE EXTENSION IF NOT EXISTS postgres_fdw SCHEMA last;

CREATE TYPE mood AS ENUM ('sad', 'it''s ok', '🎓');
CREATE TYPE pair AS (a integer, "B b" text);
CREATE TYPE span AS RANGE (subtype = numeric);
CREATE TYPE shell;
CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
CREATE DOMAIN "Odd ""domain""" AS varchar(30) COLLATE "C" NOT NULL DEFAULT 'x';
CREATE DOMAIN nested AS positive;
CREATE DOMAIN positives AS positive[];

CREATE TABLE odd_types (
    id bigserial PRIMARY KEY,
    d positive, d2 "Odd ""domain""", d3 nested DEFAULT 5, d4 positives, da nested[],
    e mood DEFAULT 'sad', ea mood[] DEFAULT '{sad}', p pair DEFAULT ROW(1, 'x'), pa pair[], r span, mr nummultirange, ir int4range[],
    ci last.citext DEFAULT 'X', cia last.citext[], hs last.hstore DEFAULT 'a=>1',
    pt point DEFAULT '(1,2)', ln line, ls lseg, bx box, pth path, pg polygon, ci2 circle,
    i inet DEFAULT '::1', cd cidr, m macaddr, m8 macaddr8, mo money DEFAULT 0, tv tsvector, tq tsquery, x xml, jp jsonpath, tid tid, xi xid, x8 xid8,
    oi oid, rc regclass, rp regprocedure, ln2 pg_lsn, ss pg_snapshot, nm name, ch "char", ov oidvector, iv int2vector,
    arr integer[3][3] DEFAULT '{{1}}', em varchar(5)[] DEFAULT ARRAY[]::varchar[],
    g integer GENERATED ALWAYS AS (id * 2) STORED,
    gn text GENERATED ALWAYS AS (CASE WHEN ((pt)[0] > 1) THEN 'a''b' ELSE NULL END) STORED
);
ALTER TABLE odd_types ADD dropped integer;
ALTER TABLE odd_types DROP dropped;

CREATE TABLE "Weird ""table"" 🎓 it's 100% ; --" ("Weird ""column"" 🎓 it's 100% ; --" serial);
CREATE TABLE "Mixed ""Case"" 🎓 it's"."Weird ""table""" (id integer PRIMARY KEY);
CREATE TABLE columnless ();
CREATE TABLE of_type OF pair;
CREATE TABLE kept_rows AS SELECT 1 AS a, NULL AS b, '2020-01-01'::date AS c;

CREATE TABLE range_parts (id bigserial, at date NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE range_parts_1 PARTITION OF range_parts FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE range_parts_2 PARTITION OF range_parts FOR VALUES FROM ('2021-01-01') TO ('2022-01-01') PARTITION BY LIST (id);
CREATE TABLE range_parts_2_1 PARTITION OF range_parts_2 FOR VALUES IN (1, 2);
CREATE TABLE range_parts_rest PARTITION OF range_parts DEFAULT;
CREATE INDEX ON range_parts (at);
CREATE TABLE hash_parts (id integer) PARTITION BY HASH (id);
CREATE TABLE expression_parts (a text) PARTITION BY LIST (lower(a));
CREATE TABLE base (id bigint NOT NULL, CHECK (id > 0), CHECK (id < 1000000) NO INHERIT);
CREATE TABLE derived (extra text) INHERITS (base);
CREATE TABLE derived_twice (id integer PRIMARY KEY) ;
ALTER TABLE derived_twice ALTER id TYPE bigint;
ALTER TABLE derived_twice ADD CONSTRAINT base_id_check CHECK (id > 0);
ALTER TABLE derived_twice INHERIT base;

CREATE UNLOGGED TABLE fast (id integer);
CREATE TABLE secured (id integer);
ALTER TABLE secured ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON secured USING (id > 1);

CREATE TABLE referred (id integer PRIMARY KEY);
INSERT INTO referred VALUES (1);
CREATE TABLE constrained (
    id integer, a integer, b integer, during tsrange,
    CONSTRAINT constrained_pk PRIMARY KEY (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT constrained_uk UNIQUE (a) DEFERRABLE,
    CONSTRAINT constrained_plain UNIQUE (a, b),
    CONSTRAINT constrained_ex EXCLUDE USING gist (a WITH =, during WITH &&) WHERE (b > 0),
    CONSTRAINT constrained_bt EXCLUDE (b WITH =),
    CONSTRAINT constrained_fk FOREIGN KEY (a) REFERENCES referred DEFERRABLE
);
INSERT INTO constrained (id, a, b) VALUES (1, 1, -1);
ALTER TABLE constrained ADD CONSTRAINT constrained_later CHECK (b > 0) NOT VALID;
ALTER TABLE constrained ADD CONSTRAINT constrained_laterfk FOREIGN KEY (b) REFERENCES referred NOT VALID;
CREATE INDEX constrained_expr ON constrained ((a + b), lower(during));
CREATE INDEX constrained_gist ON constrained USING gist (during);
CREATE INDEX constrained_spgist ON constrained USING spgist (during);
CREATE INDEX constrained_bloomless ON constrained USING brin (a int4_minmax_multi_ops (values_per_range = 16));

CREATE TABLE triggered (id integer);
CREATE VIEW triggered_view AS SELECT id FROM triggered;
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER "before, both" BEFORE INSERT OR UPDATE ON triggered FOR EACH ROW EXECUTE FUNCTION nothing();
CREATE TRIGGER after_all AFTER INSERT OR DELETE OR UPDATE OR TRUNCATE ON triggered FOR EACH STATEMENT EXECUTE FUNCTION nothing();
CREATE TRIGGER of_column AFTER UPDATE OF id ON triggered FOR EACH ROW WHEN (NEW.id > 1) EXECUTE FUNCTION nothing();
CREATE CONSTRAINT TRIGGER deferred AFTER DELETE ON triggered DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION nothing();
CREATE TRIGGER on_view INSTEAD OF INSERT ON triggered_view FOR EACH ROW EXECUTE FUNCTION nothing();
CREATE RULE ruled AS ON DELETE TO triggered DO INSTEAD NOTHING;
CREATE RULE also AS ON INSERT TO triggered WHERE NEW.id > 5 DO ALSO UPDATE fast SET id = 1;
CREATE RULE on_view AS ON UPDATE TO triggered_view DO INSTEAD NOTHING;

CREATE FOREIGN DATA WRAPPER nowhere;
CREATE SERVER far FOREIGN DATA WRAPPER nowhere;
CREATE FOREIGN TABLE far_table (id integer, t text) SERVER far;
CREATE MATERIALIZED VIEW stored AS SELECT 1 AS a;
CREATE MATERIALIZED VIEW unfilled AS SELECT 1 AS a WITH NO DATA;
CREATE RECURSIVE VIEW counting (n) AS SELECT 1 UNION ALL SELECT n + 1 FROM counting WHERE n < 3;
CREATE SEQUENCE down INCREMENT BY -5 MAXVALUE -1 CYCLE;
CREATE SEQUENCE alone AS smallint;
CREATE STATISTICS stats ON id, a FROM constrained;

CREATE TABLE first.odd_types (id integer);
CREATE VIEW first.seen AS SELECT 1 AS a;
CREATE TABLE "Mixed ""Case"" 🎓 it's".plain (id integer);
CREATE FOREIGN TABLE last.odd_types (id integer) SERVER far;
CREATE MATERIALIZED VIEW last.kept AS SELECT 1 AS a;
CREATE SEQUENCE last.no_relation;
CREATE TABLE last.parts (id integer) PARTITION BY HASH (id);
CREATE TABLE apart.hidden (id integer);
CREATE TABLE apart.serials (id serial);
CREATE TABLE borrowed (id integer DEFAULT nextval('apart.serials_id_seq'), t text COLLATE "C", FOREIGN KEY (id) REFERENCES "Mixed ""Case"" 🎓 it's"."Weird ""table""");

-- Counters: what their columns hold at most.
CREATE TABLE high_empty (id bigserial PRIMARY KEY);
CREATE TABLE high_some (id bigserial PRIMARY KEY, n integer GENERATED ALWAYS AS IDENTITY UNIQUE);
INSERT INTO high_some (id) VALUES (7), (9223372036854775807);
CREATE TABLE high_negative (id serial PRIMARY KEY);
INSERT INTO high_negative VALUES (-5);
CREATE TABLE high_bare (id serial);
INSERT INTO high_bare VALUES (5);
CREATE TABLE high_partial (id serial);
INSERT INTO high_partial VALUES (5);
CREATE INDEX ON high_partial (id) WHERE id > 100;
CREATE SEQUENCE high_text_seq;
CREATE TABLE high_text (id varchar(30) PRIMARY KEY DEFAULT nextval('high_text_seq'));
INSERT INTO high_text VALUES ('no number');
CREATE SEQUENCE high_numeric_seq;
CREATE TABLE high_numeric (id numeric PRIMARY KEY DEFAULT nextval('high_numeric_seq'));
INSERT INTO high_numeric VALUES (1e40);
CREATE TABLE high_denied (id serial PRIMARY KEY);
INSERT INTO high_denied VALUES (3);
CREATE TABLE high_secured (id serial PRIMARY KEY);
INSERT INTO high_secured VALUES (3);
ALTER TABLE high_secured ENABLE ROW LEVEL SECURITY;
INSERT INTO range_parts (at) VALUES ('2020-05-05'), ('1999-01-01');
