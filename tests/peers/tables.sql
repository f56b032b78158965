-- What a hospital would have without ValMed: the tables of the system it succeeds, with the indexes that one requires.
CREATE TABLE stock (
  id bigint PRIMARY KEY,
  name text NOT NULL,
  current_stock bigint NOT NULL CHECK (current_stock >= 0),
  low_stock_threshold bigint NOT NULL
) WITH (fillfactor = 50);
CREATE INDEX ON stock (name);
CREATE INDEX ON stock (current_stock);

CREATE TABLE orders (
  id bigint PRIMARY KEY,
  patient_name text NOT NULL,
  ward_id bigint NOT NULL,
  drug_id bigint NOT NULL REFERENCES stock,
  dosage bigint NOT NULL CHECK (dosage > 0),
  status text NOT NULL CHECK (status IN ('active', 'completed', 'discontinued')),
  doctor_id bigint NOT NULL,
  due_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL
) WITH (fillfactor = 85);
CREATE INDEX ON orders (patient_name);
CREATE INDEX ON orders (drug_id);
CREATE INDEX ON orders (status);
CREATE INDEX ON orders (doctor_id);
CREATE INDEX ON orders (created_at);

CREATE TABLE administrations (
  id uuid PRIMARY KEY,
  op_id uuid NOT NULL UNIQUE,
  order_id bigint NOT NULL REFERENCES orders,
  nurse_id bigint NOT NULL,
  quantity bigint NOT NULL,
  administration_time timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON administrations (order_id);
CREATE INDEX ON administrations (nurse_id);
CREATE INDEX ON administrations (administration_time);

CREATE TABLE ledger (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  drug_id bigint NOT NULL REFERENCES stock,
  op_id uuid NOT NULL,
  delta bigint NOT NULL,
  balance bigint NOT NULL,
  at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON ledger (drug_id, id);

-- One call an order: as few round trips as one transaction an order can have.
CREATE FUNCTION give(the_order bigint, nurse bigint) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  wanted orders%ROWTYPE;
  there bigint;
  op uuid := gen_random_uuid();
BEGIN
  SELECT * INTO wanted FROM orders WHERE id = the_order FOR UPDATE;
  IF NOT FOUND THEN RETURN 'not found'; END IF;
  IF wanted.status <> 'active' THEN RETURN 'not active'; END IF;
  SELECT current_stock INTO there FROM stock WHERE id = wanted.drug_id FOR UPDATE;
  IF there < wanted.dosage THEN RETURN 'insufficient'; END IF;
  UPDATE stock SET current_stock = there - wanted.dosage WHERE id = wanted.drug_id;
  UPDATE orders SET status = 'completed' WHERE id = the_order;
  INSERT INTO administrations (id, op_id, order_id, nurse_id, quantity)
    VALUES (gen_random_uuid(), op, the_order, nurse, wanted.dosage);
  INSERT INTO ledger (drug_id, op_id, delta, balance)
    VALUES (wanted.drug_id, op, -wanted.dosage, there - wanted.dosage);
  RETURN 'given';
END $$;
