-- ValMed, step 10: what was prescribed although the desk warned, between two times. PostgreSQL.

CREATE INDEX prescription_overrides_at ON prescription_overrides (at, prescription_id, kind);
