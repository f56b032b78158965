-- ValMed, step 11: when there was something again of a drug of which nothing was left, and what moved in a period without
-- going through the register for each row. PostgreSQL.

CREATE INDEX stock_ledger_again ON stock_ledger (ward_id, at, drug_id, seq) WHERE balance = delta AND seq > 1;

DROP INDEX stock_ledger_moved;
CREATE INDEX stock_ledger_moved ON stock_ledger (ward_id, at, drug_id, seq) INCLUDE (reason, delta) WHERE reason <> 'given';
