-- ValMed, step 4: what is not given, entered late, corrected, given for a reason. SQLite.

-- A held order comes back then. It stays active, and no index holds it.
ALTER TABLE medication_orders ADD COLUMN held_until INTEGER;

-- Why: at most one reason of each kind for an administration; most have none. The code is kept beside the words, so that
-- reports can count it. about says what it answers: the warnings that were seen.
CREATE TABLE administration_reasons (
  administration_id BLOB NOT NULL CONSTRAINT administration_reasons_administration_fkey REFERENCES medication_administrations (id),
  kind TEXT NOT NULL CONSTRAINT administration_reasons_kind_check CHECK
    (kind IN ('held', 'refused', 'not_available', 'back_entry', 'override', 'correction', 'indication')),
  code TEXT NOT NULL,
  text TEXT NOT NULL,
  about TEXT NOT NULL,
  CONSTRAINT administration_reasons_pkey PRIMARY KEY (administration_id, kind)
) STRICT;

-- Whether an as-needed dose helped: asked for from due_at on, answered once.
CREATE TABLE prn_effects (
  administration_id BLOB NOT NULL CONSTRAINT prn_effects_pkey PRIMARY KEY
    CONSTRAINT prn_effects_administration_fkey REFERENCES medication_administrations (id),
  ward_id INTEGER NOT NULL CONSTRAINT prn_effects_ward_fkey REFERENCES wards (id),
  due_at INTEGER NOT NULL,
  code TEXT,
  text TEXT NOT NULL,
  noted_by INTEGER CONSTRAINT prn_effects_noted_by_fkey REFERENCES users (id),
  noted_at INTEGER,
  op_id BLOB,
  CONSTRAINT prn_effects_noted_check CHECK
    ((code IS NULL) = (noted_by IS NULL) AND (code IS NULL) = (noted_at IS NULL) AND (code IS NULL) = (op_id IS NULL))
) STRICT;
CREATE INDEX prn_effects_ward ON prn_effects (ward_id, due_at);
CREATE INDEX prn_effects_open ON prn_effects (ward_id, due_at, administration_id) WHERE code IS NULL;
CREATE INDEX prn_effects_noted_by ON prn_effects (noted_by) WHERE noted_by IS NOT NULL;
