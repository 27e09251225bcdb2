-- Objects that use what lies in other schemas and in extensions.
CREATE SCHEMA "o""ther";
CREATE EXTENSION pg_trgm SCHEMA public;
CREATE EXTENSION citext SCHEMA "o""ther";
CREATE COLLATION "o""ther"."my ""coll" FROM "C";
CREATE TABLE "o""ther"."ref ""t" (id bigint PRIMARY KEY);
CREATE TABLE public.uses (
    id bigint REFERENCES "o""ther"."ref ""t" (id),
    a text COLLATE "o""ther"."my ""coll",
    c "o""ther".citext DEFAULT 'x'
);
CREATE INDEX uses_trgm ON public.uses USING gin (a public.gin_trgm_ops);
CREATE INDEX uses_coll ON public.uses (lower(a) COLLATE "o""ther"."my ""coll");
CREATE INDEX uses_citext ON public.uses (c, c "o""ther".citext_pattern_ops);
