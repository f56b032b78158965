-- ValMed, step 7: people, and what is reported of them. SQLite.

-- May look at everything and change nothing.
ALTER TABLE users ADD COLUMN read_only INTEGER NOT NULL DEFAULT 0;

-- For a while somebody may act in a ward that is not their own. It ends by itself; whoever ends it sooner lowers until_at.
CREATE TABLE emergency_accesses (
  id BLOB NOT NULL CONSTRAINT emergency_accesses_pkey PRIMARY KEY,
  user_id INTEGER NOT NULL CONSTRAINT emergency_accesses_user_fkey REFERENCES users (id),
  ward_id INTEGER NOT NULL CONSTRAINT emergency_accesses_ward_fkey REFERENCES wards (id),
  reason_code TEXT NOT NULL,
  reason TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  until_at INTEGER NOT NULL,
  ended_by INTEGER CONSTRAINT emergency_accesses_ended_by_fkey REFERENCES users (id),
  CONSTRAINT emergency_accesses_until_check CHECK (until_at >= started_at)
) STRICT;
-- What somebody may do now: read with every operation.
CREATE INDEX emergency_accesses_user ON emergency_accesses (user_id, until_at);
-- What the board counts.
CREATE INDEX emergency_accesses_ward ON emergency_accesses (ward_id, until_at);
CREATE INDEX emergency_accesses_started ON emergency_accesses (started_at, id);
CREATE INDEX emergency_accesses_ended_by ON emergency_accesses (ended_by) WHERE ended_by IS NOT NULL;

-- What an event was about, so that it can be counted: the code of a refusal, and the order.
ALTER TABLE audit_events ADD COLUMN code TEXT;
ALTER TABLE audit_events ADD COLUMN order_id BLOB;
CREATE INDEX audit_events_code ON audit_events (code, at, id) WHERE code IS NOT NULL;

-- Reports of a ward between two times. What is active stands in the queue's index; no dose that is opened changes this one.
CREATE INDEX medication_orders_accounted ON medication_orders (ward_id, due_at, id) WHERE status <> 'active';
CREATE INDEX medication_administrations_not_given ON medication_administrations (ward_id, administration_time, id)
  WHERE outcome <> 'given';
-- What was given is in the administrations: no dose that is given changes these two, unless it is the last there is.
CREATE INDEX stock_ledger_moved ON stock_ledger (ward_id, at, drug_id, seq) WHERE reason <> 'given';
CREATE INDEX stock_ledger_out ON stock_ledger (ward_id, at, drug_id, seq) WHERE balance = 0;
