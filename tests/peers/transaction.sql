\set n :n + 1
\set the_order :client_id * :each + :n
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT drug_id, dosage, status FROM orders WHERE id = :the_order FOR UPDATE \gset
SELECT current_stock AS there FROM stock WHERE id = :drug_id FOR UPDATE \gset
UPDATE stock SET current_stock = current_stock - :dosage WHERE id = :drug_id;
UPDATE orders SET status = 'completed' WHERE id = :the_order;
INSERT INTO administrations (id, op_id, order_id, nurse_id, quantity) VALUES (gen_random_uuid(), gen_random_uuid(), :the_order, 1, :dosage);
INSERT INTO ledger (drug_id, op_id, delta, balance) VALUES (:drug_id, gen_random_uuid(), -(:dosage::bigint), :there::bigint - :dosage::bigint);
COMMIT;
