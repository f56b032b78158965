-- ValMed, step 1: the ward. SQLite.
-- Times are UTC, as microseconds since 1970; UUIDs are 16 bytes; truth is 0 or 1. Quantities are thousandths of a drug's stock unit.
-- Every constraint has a name, so that an error can be traced to its rule (src/store/error.rs).

CREATE TABLE wards (
  id INTEGER PRIMARY KEY,
  code TEXT NOT NULL CONSTRAINT wards_code_key UNIQUE,
  name TEXT NOT NULL,
  kind TEXT NOT NULL CONSTRAINT wards_kind_check CHECK (kind IN ('ward', 'pharmacy')),
  time_zone TEXT NOT NULL
) STRICT;

CREATE TABLE users (
  id INTEGER PRIMARY KEY,
  username TEXT NOT NULL CONSTRAINT users_username_key UNIQUE,
  name TEXT NOT NULL,
  role TEXT NOT NULL CONSTRAINT users_role_check CHECK (role IN ('nurse', 'pharmacist', 'doctor', 'supervisor', 'admin')),
  every_ward INTEGER NOT NULL,
  secret_hash TEXT,
  disabled INTEGER NOT NULL,
  failures INTEGER NOT NULL,
  failed_at INTEGER,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE user_wards (
  user_id INTEGER NOT NULL CONSTRAINT user_wards_user_fkey REFERENCES users (id),
  ward_id INTEGER NOT NULL CONSTRAINT user_wards_ward_fkey REFERENCES wards (id),
  CONSTRAINT user_wards_pkey PRIMARY KEY (user_id, ward_id)
) STRICT;
CREATE INDEX user_wards_ward ON user_wards (ward_id);

CREATE TABLE user_keys (
  fingerprint TEXT NOT NULL CONSTRAINT user_keys_pkey PRIMARY KEY,
  user_id INTEGER NOT NULL CONSTRAINT user_keys_user_fkey REFERENCES users (id),
  public_key TEXT NOT NULL,
  comment TEXT NOT NULL,
  added_at INTEGER NOT NULL
) STRICT;
CREATE INDEX user_keys_user ON user_keys (user_id);

CREATE TABLE patients (
  id BLOB NOT NULL CONSTRAINT patients_pkey PRIMARY KEY,
  mrn TEXT NOT NULL CONSTRAINT patients_mrn_key UNIQUE,
  name TEXT NOT NULL,
  name_key TEXT NOT NULL,
  birth_date TEXT NOT NULL,
  ward_id INTEGER NOT NULL CONSTRAINT patients_ward_fkey REFERENCES wards (id),
  bed TEXT NOT NULL,
  allergies TEXT NOT NULL
) STRICT;
CREATE INDEX patients_name ON patients (name);
CREATE INDEX patients_name_key ON patients (name_key, id, name);
CREATE INDEX patients_ward ON patients (ward_id);

CREATE TABLE drugs (
  id INTEGER PRIMARY KEY,
  code TEXT NOT NULL CONSTRAINT drugs_code_key UNIQUE,
  name TEXT NOT NULL,
  name_key TEXT NOT NULL,
  form TEXT NOT NULL,
  strength TEXT NOT NULL,
  unit TEXT NOT NULL,
  controlled INTEGER NOT NULL,
  high_alert INTEGER NOT NULL,
  CONSTRAINT drugs_name_form_strength_key UNIQUE (name, form, strength)
) STRICT;
CREATE INDEX drugs_name_key ON drugs (name_key, id, name);

-- One package code may stand on several formulary entries: hospitals split a vial into 'ml' and 'vial'.
CREATE TABLE drug_codes (
  system TEXT NOT NULL CONSTRAINT drug_codes_system_check CHECK (system IN ('ndc', 'gtin')),
  code TEXT NOT NULL,
  drug_id INTEGER NOT NULL CONSTRAINT drug_codes_drug_fkey REFERENCES drugs (id),
  CONSTRAINT drug_codes_pkey PRIMARY KEY (system, code, drug_id)
) STRICT;
CREATE INDEX drug_codes_drug ON drug_codes (drug_id);

-- The head of each page of the drug register stands in the row that a transaction has locked anyway.
-- Nothing that others insert may point here by foreign key: FOR UPDATE would block them.
CREATE TABLE drug_stock (
  ward_id INTEGER NOT NULL CONSTRAINT drug_stock_ward_fkey REFERENCES wards (id),
  drug_id INTEGER NOT NULL CONSTRAINT drug_stock_drug_fkey REFERENCES drugs (id),
  current_stock INTEGER NOT NULL CONSTRAINT drug_stock_current_stock_check CHECK (current_stock >= 0),
  low_stock_threshold INTEGER NOT NULL CONSTRAINT drug_stock_threshold_check CHECK (low_stock_threshold >= 0),
  ledger_seq INTEGER NOT NULL,
  ledger_hash BLOB NOT NULL,
  CONSTRAINT drug_stock_pkey PRIMARY KEY (ward_id, drug_id)
) STRICT;
CREATE INDEX drug_stock_drug ON drug_stock (drug_id);
CREATE INDEX drug_stock_current_stock ON drug_stock (current_stock);
CREATE INDEX drug_stock_low ON drug_stock (ward_id, drug_id, current_stock, low_stock_threshold) WHERE current_stock <= low_stock_threshold;

CREATE TABLE stock_ledger (
  ward_id INTEGER NOT NULL CONSTRAINT stock_ledger_ward_fkey REFERENCES wards (id),
  drug_id INTEGER NOT NULL CONSTRAINT stock_ledger_drug_fkey REFERENCES drugs (id),
  seq INTEGER NOT NULL CONSTRAINT stock_ledger_seq_check CHECK (seq >= 1),
  delta INTEGER NOT NULL CONSTRAINT stock_ledger_delta_check CHECK (delta <> 0),
  balance INTEGER NOT NULL CONSTRAINT stock_ledger_balance_check CHECK (balance >= 0),
  reason TEXT NOT NULL CONSTRAINT stock_ledger_reason_check CHECK
    (reason IN ('received', 'given', 'corrected', 'sent', 'arrived', 'returned', 'wasted', 'adjusted')),
  reference TEXT NOT NULL,
  actor_id INTEGER CONSTRAINT stock_ledger_actor_fkey REFERENCES users (id),
  witness_id INTEGER CONSTRAINT stock_ledger_witness_fkey REFERENCES users (id),
  at INTEGER NOT NULL,
  op_id BLOB NOT NULL,
  prev_hash BLOB NOT NULL,
  hash BLOB NOT NULL,
  CONSTRAINT stock_ledger_pkey PRIMARY KEY (ward_id, drug_id, seq)
) STRICT;
CREATE INDEX stock_ledger_drug ON stock_ledger (drug_id);
CREATE INDEX stock_ledger_actor ON stock_ledger (actor_id);
CREATE INDEX stock_ledger_witness ON stock_ledger (witness_id) WHERE witness_id IS NOT NULL;

CREATE TABLE prescriptions (
  id BLOB NOT NULL CONSTRAINT prescriptions_pkey PRIMARY KEY,
  external_id TEXT CONSTRAINT prescriptions_external_id_key UNIQUE,
  patient_id BLOB NOT NULL CONSTRAINT prescriptions_patient_fkey REFERENCES patients (id),
  ward_id INTEGER NOT NULL CONSTRAINT prescriptions_ward_fkey REFERENCES wards (id),
  drug_id INTEGER NOT NULL CONSTRAINT prescriptions_drug_fkey REFERENCES drugs (id),
  dose INTEGER NOT NULL CONSTRAINT prescriptions_dose_check CHECK (dose > 0),
  dose_max INTEGER CONSTRAINT prescriptions_dose_max_check CHECK (dose_max >= dose),
  dose_text TEXT NOT NULL,
  route TEXT NOT NULL,
  frequency TEXT NOT NULL,
  schedule TEXT NOT NULL,
  prn INTEGER NOT NULL,
  start_at INTEGER NOT NULL,
  stop_at INTEGER CONSTRAINT prescriptions_stop_at_check CHECK (stop_at >= start_at),
  priority TEXT NOT NULL CONSTRAINT prescriptions_priority_check CHECK (priority IN ('stat', 'routine')),
  prescriber_id INTEGER NOT NULL CONSTRAINT prescriptions_prescriber_fkey REFERENCES users (id),
  status TEXT NOT NULL CONSTRAINT prescriptions_status_check CHECK (status IN ('active', 'ended', 'discontinued')),
  made_until INTEGER NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX prescriptions_patient ON prescriptions (patient_id);
CREATE INDEX prescriptions_ward ON prescriptions (ward_id);
CREATE INDEX prescriptions_drug ON prescriptions (drug_id);
CREATE INDEX prescriptions_prescriber ON prescriptions (prescriber_id);
-- Whose orders are to be made ahead next.
CREATE INDEX prescriptions_to_make ON prescriptions (made_until, id) WHERE status = 'active';

-- changed_by has no foreign key on purpose: it would cost one more index that every dose changes; the
-- administration holds the same person under a key.
CREATE TABLE medication_orders (
  id BLOB NOT NULL CONSTRAINT medication_orders_pkey PRIMARY KEY,
  patient_id BLOB NOT NULL CONSTRAINT medication_orders_patient_fkey REFERENCES patients (id),
  ward_id INTEGER NOT NULL CONSTRAINT medication_orders_ward_fkey REFERENCES wards (id),
  drug_id INTEGER NOT NULL CONSTRAINT medication_orders_drug_fkey REFERENCES drugs (id),
  prescription_id BLOB NOT NULL CONSTRAINT medication_orders_prescription_fkey REFERENCES prescriptions (id),
  dosage INTEGER NOT NULL CONSTRAINT medication_orders_dosage_check CHECK (dosage > 0),
  dosage_max INTEGER CONSTRAINT medication_orders_dosage_max_check CHECK (dosage_max >= dosage),
  due_at INTEGER,
  kind TEXT NOT NULL CONSTRAINT medication_orders_kind_check CHECK (kind IN ('timed', 'prn', 'unscheduled')),
  priority TEXT NOT NULL CONSTRAINT medication_orders_priority_check CHECK (priority IN ('stat', 'routine')),
  status TEXT NOT NULL CONSTRAINT medication_orders_status_check CHECK (status IN ('active', 'completed', 'discontinued')),
  doctor_id INTEGER NOT NULL CONSTRAINT medication_orders_doctor_fkey REFERENCES users (id),
  created_at INTEGER NOT NULL,
  version INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  changed_by INTEGER,
  change TEXT NOT NULL,
  CONSTRAINT medication_orders_prescription_due_key UNIQUE (prescription_id, due_at),
  CONSTRAINT medication_orders_due_check CHECK ((kind = 'timed') = (due_at IS NOT NULL))
) STRICT;
CREATE INDEX medication_orders_patient ON medication_orders (patient_id, id);
CREATE INDEX medication_orders_ward ON medication_orders (ward_id, id);
CREATE INDEX medication_orders_drug ON medication_orders (drug_id);
CREATE INDEX medication_orders_doctor ON medication_orders (doctor_id);
CREATE INDEX medication_orders_status ON medication_orders (status, id);
CREATE INDEX medication_orders_created_at ON medication_orders (created_at);
-- The queue of a ward. The literal 'active' stands in the queries too, or the index is not used.
CREATE INDEX medication_orders_queue ON medication_orders (ward_id, due_at, id) WHERE status = 'active';
-- An as-needed or unscheduled prescription has exactly one open order.
CREATE UNIQUE INDEX medication_orders_one_open ON medication_orders (prescription_id) WHERE status = 'active' AND due_at IS NULL;

CREATE TABLE medication_administrations (
  id BLOB NOT NULL CONSTRAINT medication_administrations_pkey PRIMARY KEY,
  order_id BLOB NOT NULL CONSTRAINT medication_administrations_order_fkey REFERENCES medication_orders (id),
  order_version INTEGER NOT NULL,
  ward_id INTEGER NOT NULL CONSTRAINT medication_administrations_ward_fkey REFERENCES wards (id),
  patient_id BLOB NOT NULL CONSTRAINT medication_administrations_patient_fkey REFERENCES patients (id),
  drug_id INTEGER NOT NULL CONSTRAINT medication_administrations_drug_fkey REFERENCES drugs (id),
  nurse_id INTEGER NOT NULL CONSTRAINT medication_administrations_nurse_fkey REFERENCES users (id),
  witness_id INTEGER CONSTRAINT medication_administrations_witness_fkey REFERENCES users (id),
  administration_time INTEGER NOT NULL,
  recorded_at INTEGER NOT NULL,
  outcome TEXT NOT NULL CONSTRAINT medication_administrations_outcome_check CHECK
    (outcome IN ('given', 'held', 'refused', 'not_available')),
  quantity INTEGER NOT NULL CONSTRAINT medication_administrations_quantity_check CHECK
    (quantity >= 0 AND (outcome = 'given') = (quantity > 0)),
  reason TEXT NOT NULL,
  reverses BLOB CONSTRAINT medication_administrations_reverses_fkey REFERENCES medication_administrations (id),
  op_id BLOB NOT NULL,
  -- The second lock on the door: one version of an order is accounted for once.
  CONSTRAINT medication_administrations_order_key UNIQUE (order_id, order_version)
) STRICT;
CREATE INDEX medication_administrations_time ON medication_administrations (administration_time);
CREATE INDEX medication_administrations_log ON medication_administrations (ward_id, administration_time DESC, id DESC);
CREATE INDEX medication_administrations_patient ON medication_administrations (patient_id, drug_id, administration_time DESC);
CREATE INDEX medication_administrations_drug ON medication_administrations (drug_id);
CREATE INDEX medication_administrations_nurse ON medication_administrations (nurse_id);
CREATE INDEX medication_administrations_witness ON medication_administrations (witness_id) WHERE witness_id IS NOT NULL;
CREATE UNIQUE INDEX medication_administrations_reverses ON medication_administrations (reverses) WHERE reverses IS NOT NULL;

CREATE TABLE drug_transfers (
  id BLOB NOT NULL CONSTRAINT drug_transfers_pkey PRIMARY KEY,
  drug_id INTEGER NOT NULL CONSTRAINT drug_transfers_drug_fkey REFERENCES drugs (id),
  source_ward_id INTEGER NOT NULL CONSTRAINT drug_transfers_source_fkey REFERENCES wards (id),
  destination_ward_id INTEGER NOT NULL CONSTRAINT drug_transfers_destination_fkey REFERENCES wards (id),
  quantity INTEGER NOT NULL CONSTRAINT drug_transfers_quantity_check CHECK (quantity > 0),
  received INTEGER CONSTRAINT drug_transfers_received_check CHECK (received >= 0 AND received <= quantity),
  status TEXT NOT NULL CONSTRAINT drug_transfers_status_check CHECK (status IN ('sent', 'received', 'short', 'resolved')),
  pharmacist_id INTEGER NOT NULL CONSTRAINT drug_transfers_pharmacist_fkey REFERENCES users (id),
  transfer_date INTEGER NOT NULL,
  op_id BLOB NOT NULL,
  CONSTRAINT drug_transfers_wards_check CHECK (source_ward_id <> destination_ward_id)
) STRICT;
CREATE INDEX drug_transfers_source ON drug_transfers (source_ward_id, transfer_date DESC, id DESC);
CREATE INDEX drug_transfers_destination ON drug_transfers (destination_ward_id, transfer_date DESC, id DESC);
CREATE INDEX drug_transfers_date ON drug_transfers (transfer_date);
CREATE INDEX drug_transfers_drug ON drug_transfers (drug_id);
CREATE INDEX drug_transfers_pharmacist ON drug_transfers (pharmacist_id);

CREATE TABLE operations (
  op_id BLOB NOT NULL CONSTRAINT operations_pkey PRIMARY KEY,
  actor_id INTEGER NOT NULL,
  kind TEXT NOT NULL,
  digest BLOB NOT NULL,
  outcome TEXT NOT NULL,
  at INTEGER NOT NULL
) STRICT;
CREATE INDEX operations_actor ON operations (actor_id, at);

-- who is kept as text beside the key: a sign-in may fail under a name that nobody has.
CREATE TABLE audit_events (
  id BLOB NOT NULL CONSTRAINT audit_events_pkey PRIMARY KEY,
  at INTEGER NOT NULL,
  actor_id INTEGER,
  who TEXT NOT NULL,
  kind TEXT NOT NULL,
  ward_id INTEGER CONSTRAINT audit_events_ward_fkey REFERENCES wards (id),
  detail TEXT NOT NULL
) STRICT;
CREATE INDEX audit_events_at ON audit_events (at);
CREATE INDEX audit_events_actor ON audit_events (actor_id, at);
CREATE INDEX audit_events_ward ON audit_events (ward_id) WHERE ward_id IS NOT NULL;
