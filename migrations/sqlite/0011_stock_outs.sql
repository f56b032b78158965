-- ValMed, step 11: when there was something again of a drug of which nothing was left. SQLite.

CREATE INDEX stock_ledger_again ON stock_ledger (ward_id, at, drug_id, seq) WHERE balance = delta AND seq > 1;
