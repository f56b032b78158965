//! What gathers beside doses and transfers in a hospital's time: lots, counts, differences, levels, effects, reasons,
//! changes of patients, codes, refusals. Made by the engine itself out of what is there already.

use crate::store::{At, Link, Sql, StoreError};

/// Every statement is given the moment up to which the hospital has run, and most do not ask for it.
const STATEMENTS: [Sql; 15] = [
    // Three lots of every drug: one of those that expire first is near its end or past it.
    Sql::each(
        "INSERT INTO lots (drug_id, lot, expires_on, recall_reason) SELECT d.id, l.value || d.id, date($1 / 1000000, \
         'unixepoch', (d.id * 7 % 400 - 20 + l.key * 200) || ' days'), '' FROM drugs d CROSS JOIN \
         json_each('[\"A\",\"B\",\"C\"]') l",
        "INSERT INTO lots (drug_id, lot, expires_on, recall_reason) SELECT d.id, l.lot || d.id, \
         $1::timestamptz::date + (d.id * 7 % 400 - 20 + l.n * 200)::int, '' FROM drugs d CROSS JOIN (VALUES ('A', \
         0), ('B', 1), ('C', 2)) l (lot, n)",
    ),
    // A third of the cupboards' drugs lie there by lot, as far as what was there first is left: half of it in one, half in
    // another.
    Sql::same(
        "INSERT INTO stock_lots (ward_id, drug_id, lot, quantity, expires_on) SELECT s.ward_id, s.drug_id, l.lot, \
         CASE substr(l.lot, 1, 1) WHEN 'A' THEN s.there / 2 ELSE s.there - s.there / 2 END, l.expires_on \
         FROM (SELECT f.ward_id, f.drug_id, CASE WHEN f.delta < k.current_stock THEN f.delta ELSE k.current_stock END \
         AS there FROM stock_ledger f JOIN drug_stock k ON k.ward_id = f.ward_id AND k.drug_id = f.drug_id \
         WHERE f.seq = 1 AND (f.ward_id + f.drug_id) % 3 = 0) s \
         JOIN lots l ON l.drug_id = s.drug_id AND l.lot < 'C' WHERE s.there > 1",
    ),
    Sql::same(
        "INSERT INTO lot_moves (ward_id, drug_id, seq, lot, delta) SELECT ward_id, drug_id, 1, lot, quantity \
         FROM stock_lots",
    ),
    Sql::same(
        "UPDATE drug_stock SET lots = 2 WHERE EXISTS (SELECT 1 FROM stock_lots l WHERE l.ward_id = \
         drug_stock.ward_id AND l.drug_id = drug_stock.drug_id)",
    ),
    Sql::same(
        "INSERT INTO stock_levels (ward_id, drug_id, par, shelf) SELECT ward_id, drug_id, low_stock_threshold * 3 + \
         1000, 'S' || drug_id % 20 FROM drug_stock",
    ),
    // Every second transfer had a lot.
    Sql::same(
        "INSERT INTO transfer_lots (transfer_id, drug_id, lot, sent, received) SELECT id, drug_id, 'A' || drug_id, \
         quantity, received FROM drug_transfers WHERE drug_id % 2 = 0",
    ),
    // Every drug of every cupboard was counted four times; of one drug in forty there was too much, and somebody still has
    // to say why of the last time.
    Sql::each(
        "INSERT INTO stock_counts (id, ward_id, drug_id, seq, counted, expected, status, user_id, at, op_id) \
         SELECT randomblob(16), s.ward_id, s.drug_id, s.ledger_seq, \
         s.current_stock + iif(s.drug_id % 40 = 0, 1000, 0), s.current_stock, \
         iif(s.drug_id % 40 = 0, 'differs', 'agrees'), (SELECT id FROM users WHERE role = 'pharmacist' LIMIT 1), \
         $1 - n.value * 86400000000 * 7 - s.drug_id, randomblob(16) FROM drug_stock s \
         CROSS JOIN json_each('[1,2,3,4]') n",
        "INSERT INTO stock_counts (id, ward_id, drug_id, seq, counted, expected, status, user_id, at, op_id) \
         SELECT gen_random_uuid(), s.ward_id, s.drug_id, s.ledger_seq, \
         s.current_stock + CASE WHEN s.drug_id % 40 = 0 THEN 1000 ELSE 0 END, s.current_stock, \
         CASE WHEN s.drug_id % 40 = 0 THEN 'differs' ELSE 'agrees' END, \
         (SELECT id FROM users WHERE role = 'pharmacist' LIMIT 1), \
         $1::timestamptz - n.n * interval '7 days' - s.drug_id * interval '1 microsecond', gen_random_uuid() \
         FROM drug_stock s CROSS JOIN (VALUES (1), (2), (3), (4)) n (n)",
    ),
    Sql::each(
        "INSERT INTO discrepancies (id, ward_id, drug_id, quantity, count_id, status, opened_at, opened_by, reason, \
         resolution, resolved_at, resolved_by, resolved_reason) SELECT randomblob(16), ward_id, drug_id, \
         counted - expected, id, iif(waits, 'open', 'resolved'), at, user_id, '', iif(waits, NULL, 'explained'), \
         iif(waits, NULL, at), iif(waits, NULL, user_id), iif(waits, '', 'miscounted') \
         FROM (SELECT *, at > $1 - 86400000000 * 8 AS waits FROM stock_counts WHERE status = 'differs')",
        "INSERT INTO discrepancies (id, ward_id, drug_id, quantity, count_id, status, opened_at, opened_by, reason, \
         resolution, resolved_at, resolved_by, resolved_reason) SELECT gen_random_uuid(), ward_id, drug_id, \
         counted - expected, id, CASE WHEN waits THEN 'open' ELSE 'resolved' END, at, user_id, '', \
         CASE WHEN waits THEN NULL ELSE 'explained' END, CASE WHEN waits THEN NULL ELSE at END, \
         CASE WHEN waits THEN NULL ELSE user_id END, CASE WHEN waits THEN '' ELSE 'miscounted' END \
         FROM (SELECT *, at > $1::timestamptz - interval '8 days' AS waits FROM stock_counts \
         WHERE status = 'differs') c",
    ),
    // One dose in ten was given for a reason; of one in twenty it was asked whether it helped, and of the latest still is.
    Sql::same(
        "INSERT INTO administration_reasons (administration_id, kind, code, text, about) SELECT id, 'override', \
         'prescriber', '', 'late' FROM medication_administrations WHERE drug_id % 10 = 0",
    ),
    Sql::each(
        "INSERT INTO prn_effects (administration_id, ward_id, due_at, code, text, noted_by, noted_at, op_id) SELECT \
         id, ward_id, at, iif(waits, NULL, 'helped'), '', iif(waits, NULL, nurse_id), iif(waits, NULL, at), \
         iif(waits, NULL, randomblob(16)) FROM (SELECT *, administration_time + 3600000000 AS at, \
         administration_time > $1 - 7200000000 AS waits FROM medication_administrations WHERE drug_id % 20 = 1)",
        "INSERT INTO prn_effects (administration_id, ward_id, due_at, code, text, noted_by, noted_at, op_id) SELECT \
         id, ward_id, at, CASE WHEN waits THEN NULL ELSE 'helped' END, '', CASE WHEN waits THEN NULL ELSE nurse_id \
         END, CASE WHEN waits THEN NULL ELSE at END, CASE WHEN waits THEN NULL ELSE gen_random_uuid() END FROM \
         (SELECT *, administration_time + interval '1 hour' AS at, administration_time > $1::timestamptz - interval \
         '2 hours' AS waits FROM medication_administrations WHERE drug_id % 20 = 1) a",
    ),
    Sql::each(
        "INSERT INTO patient_changes (id, patient_id, kind, ward_id, detail, reason_code, actor_id, at, op_id) \
         SELECT randomblob(16), id, 'admitted', ward_id, 'bed ' || bed, '', (SELECT id FROM users WHERE role = \
         'doctor' LIMIT 1), $1 - id_n, randomblob(16) FROM (SELECT *, row_number() OVER () * 60000000 AS id_n FROM \
         patients)",
        "INSERT INTO patient_changes (id, patient_id, kind, ward_id, detail, reason_code, actor_id, at, op_id) \
         SELECT gen_random_uuid(), id, 'admitted', ward_id, 'bed ' || bed, '', (SELECT id FROM users WHERE role = \
         'doctor' LIMIT 1), $1::timestamptz - id_n * interval '1 minute', gen_random_uuid() FROM (SELECT *, \
         row_number() OVER () AS id_n FROM patients) p",
    ),
    Sql::same(
        "INSERT INTO prescription_overrides (prescription_id, kind, about, reason_code, reason_text, at) SELECT id, \
         'duplicate', 'the same drug', 'intended', '', start_at FROM prescriptions WHERE drug_id % 20 = 3",
    ),
    Sql::each(
        "INSERT INTO drug_codes (system, code, drug_id) SELECT 'gtin', printf('%014d', id), id FROM drugs",
        "INSERT INTO drug_codes (system, code, drug_id) SELECT 'gtin', lpad(id::text, 14, '0'), id FROM drugs",
    ),
    // One order in twenty was asked for in vain once.
    Sql::each(
        "INSERT INTO audit_events (id, at, actor_id, who, kind, ward_id, detail, code, order_id) SELECT \
         randomblob(16), changed_at, doctor_id, 'somebody', 'refused', ward_id, 'fulfil', 'WRONG_PATIENT', id FROM \
         medication_orders WHERE drug_id % 20 = 5",
        "INSERT INTO audit_events (id, at, actor_id, who, kind, ward_id, detail, code, order_id) SELECT \
         gen_random_uuid(), changed_at, doctor_id, 'somebody', 'refused', ward_id, 'fulfil', 'WRONG_PATIENT', id \
         FROM medication_orders WHERE drug_id % 20 = 5",
    ),
    // Somebody helped out in every ward once.
    Sql::each(
        "INSERT INTO emergency_accesses (id, user_id, ward_id, reason_code, reason, started_at, until_at) SELECT \
         randomblob(16), (SELECT id FROM users WHERE role = 'nurse' LIMIT 1), id, 'arrest', '', $1 - 86400000000, $1 \
         - 82800000000 FROM wards",
        "INSERT INTO emergency_accesses (id, user_id, ward_id, reason_code, reason, started_at, until_at) SELECT \
         gen_random_uuid(), (SELECT id FROM users WHERE role = 'nurse' LIMIT 1), id, 'arrest', '', $1::timestamptz - \
         interval '24 hours', $1::timestamptz - interval '23 hours' FROM wards",
    ),
];

/// Adds all of it to a hospital that has its doses and transfers, in books that agree.
///
/// # Errors
/// [`StoreError`].
pub async fn add_shelves(mut link: Link<'_>, now: At) -> Result<(), StoreError> {
    for sql in STATEMENTS {
        execute!(link.lend(), sql, now)?;
    }
    Ok(())
}
