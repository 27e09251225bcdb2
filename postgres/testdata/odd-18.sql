-- What PostgreSQL has since version 18.
CREATE TABLE odd_18 (
    id integer, a integer, during tsrange NOT NULL,
    v integer GENERATED ALWAYS AS (a + 1) VIRTUAL,
    CONSTRAINT odd_18_pk PRIMARY KEY (id, during WITHOUT OVERLAPS),
    CONSTRAINT odd_18_uk UNIQUE (a, during WITHOUT OVERLAPS),
    CONSTRAINT odd_18_loose CHECK (a > 5) NOT ENFORCED,
    CONSTRAINT odd_18_tight CHECK (a > 6),
    CONSTRAINT odd_18_fk FOREIGN KEY (a) REFERENCES referred NOT ENFORCED,
    CONSTRAINT odd_18_period FOREIGN KEY (id, PERIOD during) REFERENCES odd_18 (id, PERIOD during)
);
INSERT INTO odd_18 (id, a, during) VALUES (1, NULL, '[2020-01-01,2021-01-01)');
ALTER TABLE odd_18 ADD CONSTRAINT odd_18_nn NOT NULL a NOT VALID;
