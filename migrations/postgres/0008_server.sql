-- ValMed, step 8: outcomes that nobody saw. PostgreSQL.

-- What became of an operation whose person was gone (a line dropped, a server stopped) before its outcome could be seen.
-- It is the first thing that they are shown when they sign in again, and goes when they have seen it.
CREATE TABLE unseen_outcomes (
  op_id UUID NOT NULL CONSTRAINT unseen_outcomes_pkey PRIMARY KEY,
  user_id BIGINT NOT NULL CONSTRAINT unseen_outcomes_user_fkey REFERENCES users (id),
  at TIMESTAMPTZ NOT NULL,
  what TEXT NOT NULL,
  outcome TEXT NOT NULL
);
CREATE INDEX unseen_outcomes_user ON unseen_outcomes (user_id, at);
