-- ValMed, step 6: the whole cupboard: lots, transfers in two steps, counts, discrepancies, levels. SQLite.

-- How many lots of the drug lie in the ward. A dose of a drug without lots reads no further than this row, which it has
-- locked anyway.
ALTER TABLE drug_stock ADD COLUMN lots INTEGER NOT NULL DEFAULT 0 CONSTRAINT drug_stock_lots_check CHECK (lots >= 0);

-- What a lot is wherever it lies. A recall changes this one row; of a lot that was recalled before any of it came, the
-- expiry is not known.
CREATE TABLE lots (
  drug_id INTEGER NOT NULL CONSTRAINT lots_drug_fkey REFERENCES drugs (id),
  lot TEXT NOT NULL CONSTRAINT lots_lot_check CHECK (lot <> ''),
  expires_on TEXT,
  recalled_at INTEGER,
  recalled_by INTEGER CONSTRAINT lots_recalled_by_fkey REFERENCES users (id),
  recall_reason TEXT NOT NULL,
  CONSTRAINT lots_pkey PRIMARY KEY (drug_id, lot),
  CONSTRAINT lots_recalled_check CHECK ((recalled_at IS NULL) = (recalled_by IS NULL)),
  CONSTRAINT lots_expires_check CHECK (expires_on IS NOT NULL OR recalled_at IS NOT NULL)
) STRICT;
CREATE INDEX lots_recalled_by ON lots (recalled_by) WHERE recalled_by IS NOT NULL;

-- How much of a lot lies in a ward. The lot's expiry stands here too, so that what expires next is found by an index.
CREATE TABLE stock_lots (
  ward_id INTEGER NOT NULL CONSTRAINT stock_lots_ward_fkey REFERENCES wards (id),
  drug_id INTEGER NOT NULL,
  lot TEXT NOT NULL,
  quantity INTEGER NOT NULL CONSTRAINT stock_lots_quantity_check CHECK (quantity >= 0),
  expires_on TEXT NOT NULL,
  CONSTRAINT stock_lots_pkey PRIMARY KEY (ward_id, drug_id, lot),
  CONSTRAINT stock_lots_lot_fkey FOREIGN KEY (drug_id, lot) REFERENCES lots (drug_id, lot)
) STRICT;
CREATE INDEX stock_lots_lot ON stock_lots (drug_id, lot);
CREATE INDEX stock_lots_expiry ON stock_lots (ward_id, expires_on, drug_id, lot) WHERE quantity > 0;

-- What a row of the register took from which lot, or put into it.
CREATE TABLE lot_moves (
  ward_id INTEGER NOT NULL CONSTRAINT lot_moves_ward_fkey REFERENCES wards (id),
  drug_id INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  lot TEXT NOT NULL,
  delta INTEGER NOT NULL CONSTRAINT lot_moves_delta_check CHECK (delta <> 0),
  CONSTRAINT lot_moves_pkey PRIMARY KEY (ward_id, drug_id, seq, lot),
  CONSTRAINT lot_moves_lot_fkey FOREIGN KEY (drug_id, lot) REFERENCES lots (drug_id, lot)
) STRICT;
CREATE INDEX lot_moves_lot ON lot_moves (drug_id, lot, ward_id, seq);

ALTER TABLE drug_transfers ADD COLUMN note TEXT NOT NULL DEFAULT '';
ALTER TABLE drug_transfers ADD COLUMN receiver_id INTEGER CONSTRAINT drug_transfers_receiver_fkey REFERENCES users (id);
ALTER TABLE drug_transfers ADD COLUMN received_at INTEGER;
CREATE INDEX drug_transfers_receiver ON drug_transfers (receiver_id) WHERE receiver_id IS NOT NULL;
-- The history by drug and by date, page by page; and what is on its way to a ward, and from it.
CREATE INDEX drug_transfers_of_drug ON drug_transfers (drug_id, transfer_date DESC, id DESC);
CREATE INDEX drug_transfers_by_date ON drug_transfers (transfer_date DESC, id DESC);
CREATE INDEX drug_transfers_on_the_way ON drug_transfers (destination_ward_id, drug_id) WHERE status = 'sent';
CREATE INDEX drug_transfers_under_way ON drug_transfers (source_ward_id, transfer_date) WHERE status = 'sent';
DROP INDEX drug_transfers_drug;
DROP INDEX drug_transfers_date;

-- What a transfer has of which lot.
CREATE TABLE transfer_lots (
  transfer_id BLOB NOT NULL CONSTRAINT transfer_lots_transfer_fkey REFERENCES drug_transfers (id),
  drug_id INTEGER NOT NULL,
  lot TEXT NOT NULL,
  sent INTEGER NOT NULL CONSTRAINT transfer_lots_sent_check CHECK (sent > 0),
  received INTEGER CONSTRAINT transfer_lots_received_check CHECK (received >= 0 AND received <= sent),
  CONSTRAINT transfer_lots_pkey PRIMARY KEY (transfer_id, lot),
  CONSTRAINT transfer_lots_lot_fkey FOREIGN KEY (drug_id, lot) REFERENCES lots (drug_id, lot)
) STRICT;
CREATE INDEX transfer_lots_lot ON transfer_lots (drug_id, lot);

-- What a ward should hold, and on which shelf. Beside the stock row, which every dose writes and is kept narrow.
CREATE TABLE stock_levels (
  ward_id INTEGER NOT NULL CONSTRAINT stock_levels_ward_fkey REFERENCES wards (id),
  drug_id INTEGER NOT NULL CONSTRAINT stock_levels_drug_fkey REFERENCES drugs (id),
  par INTEGER NOT NULL CONSTRAINT stock_levels_par_check CHECK (par >= 0),
  shelf TEXT NOT NULL,
  CONSTRAINT stock_levels_pkey PRIMARY KEY (ward_id, drug_id)
) STRICT;
CREATE INDEX stock_levels_drug ON stock_levels (drug_id);

-- A count is about a moment of its page of the register: seq is the row that was the last one then, expected its balance.
CREATE TABLE stock_counts (
  id BLOB NOT NULL CONSTRAINT stock_counts_pkey PRIMARY KEY,
  ward_id INTEGER NOT NULL CONSTRAINT stock_counts_ward_fkey REFERENCES wards (id),
  drug_id INTEGER NOT NULL CONSTRAINT stock_counts_drug_fkey REFERENCES drugs (id),
  seq INTEGER NOT NULL,
  counted INTEGER NOT NULL CONSTRAINT stock_counts_counted_check CHECK (counted >= 0),
  expected INTEGER NOT NULL CONSTRAINT stock_counts_expected_check CHECK (expected >= 0),
  status TEXT NOT NULL CONSTRAINT stock_counts_status_check CHECK (status IN ('agrees', 'recount', 'recounted', 'differs')),
  recounts BLOB CONSTRAINT stock_counts_recounts_fkey REFERENCES stock_counts (id),
  user_id INTEGER NOT NULL CONSTRAINT stock_counts_user_fkey REFERENCES users (id),
  witness_id INTEGER CONSTRAINT stock_counts_witness_fkey REFERENCES users (id),
  at INTEGER NOT NULL,
  op_id BLOB NOT NULL,
  CONSTRAINT stock_counts_agrees_check CHECK ((status = 'agrees') = (counted = expected))
) STRICT;
CREATE INDEX stock_counts_of_ward ON stock_counts (ward_id, at DESC, id DESC);
CREATE INDEX stock_counts_drug ON stock_counts (drug_id);
CREATE INDEX stock_counts_user ON stock_counts (user_id);
CREATE INDEX stock_counts_witness ON stock_counts (witness_id) WHERE witness_id IS NOT NULL;
-- A count is recounted once, and only one of a drug waits for it.
CREATE UNIQUE INDEX stock_counts_recounts ON stock_counts (recounts) WHERE recounts IS NOT NULL;
CREATE UNIQUE INDEX stock_counts_to_recount ON stock_counts (ward_id, drug_id) WHERE status = 'recount';

-- What is missing or too much, named, until somebody answers for it. Less than nothing: missing.
CREATE TABLE discrepancies (
  id BLOB NOT NULL CONSTRAINT discrepancies_pkey PRIMARY KEY,
  ward_id INTEGER NOT NULL CONSTRAINT discrepancies_ward_fkey REFERENCES wards (id),
  drug_id INTEGER NOT NULL CONSTRAINT discrepancies_drug_fkey REFERENCES drugs (id),
  quantity INTEGER NOT NULL CONSTRAINT discrepancies_quantity_check CHECK (quantity <> 0),
  transfer_id BLOB CONSTRAINT discrepancies_transfer_fkey REFERENCES drug_transfers (id),
  count_id BLOB CONSTRAINT discrepancies_count_fkey REFERENCES stock_counts (id),
  status TEXT NOT NULL CONSTRAINT discrepancies_status_check CHECK (status IN ('unexplained', 'open', 'resolved')),
  opened_at INTEGER NOT NULL,
  opened_by INTEGER NOT NULL CONSTRAINT discrepancies_opened_by_fkey REFERENCES users (id),
  explained_by INTEGER CONSTRAINT discrepancies_explained_by_fkey REFERENCES users (id),
  explained_at INTEGER,
  reason TEXT NOT NULL,
  resolution TEXT CONSTRAINT discrepancies_resolution_check CHECK (resolution IN ('returned', 'lost', 'found', 'explained')),
  resolved_at INTEGER,
  resolved_by INTEGER CONSTRAINT discrepancies_resolved_by_fkey REFERENCES users (id),
  witness_id INTEGER CONSTRAINT discrepancies_witness_fkey REFERENCES users (id),
  resolved_reason TEXT NOT NULL,
  CONSTRAINT discrepancies_of_check CHECK ((transfer_id IS NULL) <> (count_id IS NULL)),
  CONSTRAINT discrepancies_resolved_check CHECK ((status = 'resolved') = (resolution IS NOT NULL AND resolved_at IS NOT NULL AND resolved_by IS NOT NULL)),
  CONSTRAINT discrepancies_lost_check CHECK (resolution <> 'lost' OR witness_id IS NOT NULL)
) STRICT;
CREATE UNIQUE INDEX discrepancies_transfer ON discrepancies (transfer_id) WHERE transfer_id IS NOT NULL;
CREATE UNIQUE INDEX discrepancies_count ON discrepancies (count_id) WHERE count_id IS NOT NULL;
CREATE INDEX discrepancies_of_ward ON discrepancies (ward_id, opened_at DESC, id DESC);
CREATE INDEX discrepancies_drug ON discrepancies (drug_id);
CREATE INDEX discrepancies_opened_by ON discrepancies (opened_by);
CREATE INDEX discrepancies_explained_by ON discrepancies (explained_by) WHERE explained_by IS NOT NULL;
CREATE INDEX discrepancies_resolved_by ON discrepancies (resolved_by) WHERE resolved_by IS NOT NULL;
CREATE INDEX discrepancies_witness ON discrepancies (witness_id) WHERE witness_id IS NOT NULL;
CREATE INDEX discrepancies_by_date ON discrepancies (opened_at DESC, id DESC);
-- A difference is explained before the drug is counted again, or it would be booked twice.
CREATE UNIQUE INDEX discrepancies_unexplained ON discrepancies (ward_id, drug_id) WHERE status = 'unexplained';
-- The queue: in the hospital, and in a ward.
CREATE INDEX discrepancies_waiting ON discrepancies (opened_at, id) WHERE status <> 'resolved';
CREATE INDEX discrepancies_waiting_in_ward ON discrepancies (ward_id, opened_at, id) WHERE status <> 'resolved';
