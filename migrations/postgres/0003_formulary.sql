-- ValMed, step 3: what drugs are called is held, and read again when it was changed. PostgreSQL.

-- One row: how often drugs were changed. Whoever holds what drugs are called reads them again when it has risen; a
-- change made by hand must raise it too.
CREATE TABLE formulary (
  one BOOLEAN PRIMARY KEY CONSTRAINT formulary_one_check CHECK (one),
  revision BIGINT NOT NULL
);
INSERT INTO formulary (one, revision) VALUES (TRUE, 0);
