-- ValMed, step 5: prescribing at the desk, and patients who come, move and go. SQLite.

-- What was seen of a patient is what is signed: every change raises the version, and says what it was and by whom.
-- changed_by has no foreign key: patient_changes holds the same person under one.
ALTER TABLE patients ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE patients ADD COLUMN changed_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE patients ADD COLUMN changed_by INTEGER;
ALTER TABLE patients ADD COLUMN change TEXT NOT NULL DEFAULT '';
-- When they left; the ward is the one they left from. Whoever left stays on record.
ALTER TABLE patients ADD COLUMN discharged_at INTEGER;
-- Who lies in a ward, bed by bed.
CREATE INDEX patients_present ON patients (ward_id, bed, id) WHERE discharged_at IS NULL;

-- Who came, moved and left, and what was said of allergies: never changed, never deleted.
CREATE TABLE patient_changes (
  id BLOB NOT NULL CONSTRAINT patient_changes_pkey PRIMARY KEY,
  patient_id BLOB NOT NULL CONSTRAINT patient_changes_patient_fkey REFERENCES patients (id),
  kind TEXT NOT NULL CONSTRAINT patient_changes_kind_check CHECK (kind IN ('admitted', 'moved', 'discharged', 'allergies')),
  from_ward_id INTEGER CONSTRAINT patient_changes_from_ward_fkey REFERENCES wards (id),
  ward_id INTEGER NOT NULL CONSTRAINT patient_changes_ward_fkey REFERENCES wards (id),
  detail TEXT NOT NULL,
  reason_code TEXT NOT NULL,
  actor_id INTEGER NOT NULL CONSTRAINT patient_changes_actor_fkey REFERENCES users (id),
  at INTEGER NOT NULL,
  op_id BLOB NOT NULL
) STRICT;
CREATE INDEX patient_changes_patient ON patient_changes (patient_id, at DESC, id DESC);
CREATE INDEX patient_changes_from_ward ON patient_changes (from_ward_id) WHERE from_ward_id IS NOT NULL;
CREATE INDEX patient_changes_ward ON patient_changes (ward_id, at DESC, id DESC);
CREATE INDEX patient_changes_actor ON patient_changes (actor_id);

-- A prescription is ended by somebody, for a reason. ended_by has no foreign key: nothing asks for it by person.
ALTER TABLE prescriptions ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE prescriptions ADD COLUMN ended_at INTEGER;
ALTER TABLE prescriptions ADD COLUMN ended_by INTEGER;
ALTER TABLE prescriptions ADD COLUMN end_code TEXT NOT NULL DEFAULT '';
ALTER TABLE prescriptions ADD COLUMN end_text TEXT NOT NULL DEFAULT '';
-- A doctor's own prescriptions, newest last; and those that still run.
CREATE INDEX prescriptions_of_prescriber ON prescriptions (prescriber_id, id);
DROP INDEX prescriptions_prescriber;
CREATE INDEX prescriptions_running ON prescriptions (prescriber_id, id) WHERE status = 'active';

-- What was warned of when a prescription was written, and why it was written all the same.
CREATE TABLE prescription_overrides (
  prescription_id BLOB NOT NULL CONSTRAINT prescription_overrides_prescription_fkey REFERENCES prescriptions (id),
  kind TEXT NOT NULL CONSTRAINT prescription_overrides_kind_check CHECK (kind IN ('allergy', 'duplicate')),
  about TEXT NOT NULL,
  reason_code TEXT NOT NULL,
  reason_text TEXT NOT NULL,
  at INTEGER NOT NULL,
  CONSTRAINT prescription_overrides_pkey PRIMARY KEY (prescription_id, kind)
) STRICT;
