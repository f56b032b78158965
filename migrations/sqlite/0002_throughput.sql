-- ValMed, step 2: less to do for each dose, and an index for what was stopped. SQLite.
-- (On PostgreSQL this step also merges and drops foreign keys: to SQLite, which checks them by a lookup in the same
-- process, they cost little, and all of them stay.)

-- The orders of a patient, with what the key of PostgreSQL needs.
CREATE UNIQUE INDEX medication_orders_patient_key ON medication_orders (patient_id, id, drug_id);
DROP INDEX medication_orders_patient;

-- Nothing asks for operations by person.
DROP INDEX operations_actor;

-- What was stopped in a ward is rare among what was given. No dose that is given changes this index.
CREATE INDEX medication_orders_discontinued ON medication_orders (ward_id, id) WHERE status = 'discontinued';
