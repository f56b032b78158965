-- ValMed, step 3: what drugs are called is held, and read again when it was changed. SQLite.

-- One row: how often drugs were changed. Whoever holds what drugs are called reads them again when it has risen; a
-- change made by hand must raise it too.
CREATE TABLE formulary (
  one INTEGER PRIMARY KEY CONSTRAINT formulary_one_check CHECK (one = 1),
  revision INTEGER NOT NULL
) STRICT;
INSERT INTO formulary (one, revision) VALUES (1, 0);
