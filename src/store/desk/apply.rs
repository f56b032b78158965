//! Writing what was decided.

use std::collections::{BTreeSet, HashMap};

use serde::Serialize;
use uuid::Uuid;

use super::split;
use crate::domain::decide::{Administration, Effects, Stock};
use crate::domain::{DrugId, OpId, UserId, WardId};
use crate::store::error::changed;
use crate::store::{At, Link, List, Sql, StoreError};

/// Orders that leave `active`. On SQLite the plus sign keeps the planner from walking through every active order:
/// it is to find each order by its key.
pub(in crate::store) const CLOSE_ORDERS: Sql = Sql::each(
    "UPDATE medication_orders SET status = r.value ->> 'status', version = version + 1, \
         changed_at = r.value ->> 'at', changed_by = r.value ->> 'by', change = r.value ->> 'change' \
         FROM json_each($1) r WHERE medication_orders.id = unhex(r.value ->> 'id') AND +status = 'active' \
         AND version = r.value ->> 'version'",
    "UPDATE medication_orders o SET status = r.status, version = o.version + 1, \
         changed_at = 'epoch'::timestamptz + r.at * interval '1 microsecond', changed_by = r.by, change = r.change \
         FROM json_to_recordset($1::json) \
         AS r (id uuid, version bigint, status text, by bigint, at bigint, change text) \
         WHERE o.id = r.id AND o.status = 'active' AND o.version = r.version",
);

/// Stock and the heads of its register pages.
pub(in crate::store) const WRITE_STOCK: Sql = Sql::each(
    "UPDATE drug_stock SET current_stock = r.value ->> 'current', ledger_seq = r.value ->> 'seq', \
         ledger_hash = unhex(r.value ->> 'hash') FROM json_each($1) r \
         WHERE ward_id = r.value ->> 'w' AND drug_id = r.value ->> 'd' AND ledger_seq = r.value ->> 'before'",
    "UPDATE drug_stock SET current_stock = r.current, ledger_seq = r.seq, ledger_hash = decode(r.hash, 'hex') \
         FROM json_to_recordset($1::json) AS r (w bigint, d bigint, current bigint, seq bigint, hash text, before bigint) \
         WHERE ward_id = r.w AND drug_id = r.d AND ledger_seq = r.before",
);

/// One operation's place in the memory, to be written.
#[derive(Debug, Clone, Serialize)]
pub struct Memory {
    /// Its id.
    pub op_id: OpId,
    /// Who asked.
    pub actor_id: UserId,
    /// [`Request::kind`].
    pub kind: &'static str,
    /// [`Operation::digest`] in hexadecimal.
    pub digest: String,
    /// The outcome, as JSON.
    pub outcome: String,
    /// When.
    pub at: At,
}

/// Writes what was decided: stock, orders, administrations, register, and the memory of it, with every row counted.
///
/// # Errors
/// [`StoreError`]; the transaction must then be rolled back.
pub async fn apply(
    mut link: Link<'_>,
    effects: &Effects,
    stock: &HashMap<(WardId, DrugId), Stock>,
    memory: &[Memory],
) -> Result<(), StoreError> {
    write_stock(link.lend(), effects, stock).await?;
    close_orders(link.lend(), effects).await?;
    open_orders(link.lend(), effects).await?;
    end_prescriptions(link.lend(), effects).await?;
    write_administrations(link.lend(), &effects.administrations).await?;
    write_ledger(link.lend(), effects).await?;
    remember(link, memory).await
}

/// Rows of a batch as one JSON value: `json_each` takes it apart on SQLite, `json_to_recordset` on PostgreSQL.
pub(in crate::store) fn json<T: Serialize>(rows: &[T]) -> Result<String, StoreError> {
    serde_json::to_string(rows)
        .map_err(|error| StoreError::Guarantee(format!("a batch cannot be written: {error}")))
}

#[derive(Serialize)]
struct HeadJson {
    w: i64,
    d: i64,
    current: i64,
    seq: i64,
    hash: String,
    before: i64,
}

pub(in crate::store) async fn write_stock(
    mut link: Link<'_>,
    effects: &Effects,
    stock: &HashMap<(WardId, DrugId), Stock>,
) -> Result<(), StoreError> {
    // How many rows each page gets: its head must stand where it was loaded before they are written.
    let mut added: HashMap<(WardId, DrugId), i64> = HashMap::new();
    for entry in &effects.ledger {
        *added.entry((entry.row.ward, entry.row.drug)).or_default() += 1;
    }
    let heads: Vec<HeadJson> = added
        .iter()
        .filter_map(|(page, rows)| stock.get(page).map(|head| (page, rows, head)))
        .map(|((ward, drug), rows, head)| HeadJson {
            w: ward.0,
            d: drug.0,
            current: head.current.0,
            seq: head.seq,
            hash: hex(&head.hash),
            before: head.seq - rows,
        })
        .collect();
    if heads.is_empty() {
        return Ok(());
    }
    begin_pages(link.lend(), &heads).await?;
    let found = execute!(link, WRITE_STOCK, json(&heads)?)?;
    changed("stock", found, heads.len())
}

/// Makes the stock rows of pages that have none yet. One that another process makes at the same moment is a conflict on
/// PostgreSQL, and the batch is done again.
async fn begin_pages(link: Link<'_>, heads: &[HeadJson]) -> Result<(), StoreError> {
    let new: BTreeSet<(WardId, DrugId)> = heads
        .iter()
        .filter(|head| head.before == 0)
        .map(|head| (WardId(head.w), DrugId(head.d)))
        .collect();
    if new.is_empty() {
        return Ok(());
    }
    let (wards, drugs) = split(&new);
    let sql = Sql::each(
        "INSERT INTO drug_stock (ward_id, drug_id, current_stock, low_stock_threshold, ledger_seq, ledger_hash) \
         SELECT w.value, d.value, 0, 0, 0, zeroblob(32) FROM json_each($1) w JOIN json_each($2) d ON d.key = w.key \
         WHERE true ON CONFLICT DO NOTHING",
        "INSERT INTO drug_stock (ward_id, drug_id, current_stock, low_stock_threshold, ledger_seq, ledger_hash) \
         SELECT ward_id, drug_id, 0, 0, 0, decode(repeat('00', 32), 'hex') \
         FROM unnest($1::bigint[], $2::bigint[]) AS page (ward_id, drug_id) ORDER BY 1, 2 ON CONFLICT DO NOTHING",
    );
    execute!(link, sql, wards, drugs)?;
    Ok(())
}

#[derive(Serialize)]
struct ClosingJson<'a> {
    id: String,
    version: i64,
    status: &'a str,
    by: i64,
    at: At,
    change: &'a str,
}

async fn close_orders(link: Link<'_>, effects: &Effects) -> Result<(), StoreError> {
    if effects.closed.is_empty() {
        return Ok(());
    }
    let rows: Vec<ClosingJson<'_>> = effects
        .closed
        .iter()
        .map(|c| ClosingJson {
            id: c.id.0.simple().to_string(),
            version: c.version,
            status: c.status.as_str(),
            by: c.by.0,
            at: c.at.into(),
            change: &c.change,
        })
        .collect();
    let found = execute!(link, CLOSE_ORDERS, json(&rows)?)?;
    changed("orders", found, rows.len())
}

#[derive(Serialize)]
struct OpeningJson {
    id: String,
    follows: String,
    at: At,
}

async fn open_orders(link: Link<'_>, effects: &Effects) -> Result<(), StoreError> {
    if effects.opened.is_empty() {
        return Ok(());
    }
    let rows: Vec<OpeningJson> = effects
        .opened
        .iter()
        .map(|o| OpeningJson {
            id: o.id.0.simple().to_string(),
            follows: o.follows.0.simple().to_string(),
            at: o.at.into(),
        })
        .collect();
    let sql = Sql::each(
        "INSERT INTO medication_orders (id, patient_id, ward_id, drug_id, prescription_id, dosage, dosage_max, due_at, \
         kind, priority, status, doctor_id, created_at, version, changed_at, changed_by, change) \
         SELECT unhex(r.value ->> 'id'), o.patient_id, o.ward_id, o.drug_id, o.prescription_id, o.dosage, o.dosage_max, \
         NULL, o.kind, o.priority, 'active', o.doctor_id, r.value ->> 'at', 1, r.value ->> 'at', NULL, \
         'opened after the dose before it' \
         FROM json_each($1) r JOIN medication_orders o ON o.id = unhex(r.value ->> 'follows')",
        "INSERT INTO medication_orders (id, patient_id, ward_id, drug_id, prescription_id, dosage, dosage_max, due_at, \
         kind, priority, status, doctor_id, created_at, version, changed_at, changed_by, change) \
         SELECT r.id, o.patient_id, o.ward_id, o.drug_id, o.prescription_id, o.dosage, o.dosage_max, \
         NULL, o.kind, o.priority, 'active', o.doctor_id, 'epoch'::timestamptz + r.at * interval '1 microsecond', 1, \
         'epoch'::timestamptz + r.at * interval '1 microsecond', NULL, 'opened after the dose before it' \
         FROM json_to_recordset($1::json) AS r (id uuid, follows uuid, at bigint) \
         JOIN medication_orders o ON o.id = r.follows",
    );
    let found = execute!(link, sql, json(&rows)?)?;
    changed("next as-needed orders", found, rows.len())
}

async fn end_prescriptions(link: Link<'_>, effects: &Effects) -> Result<(), StoreError> {
    if effects.discontinued.is_empty() {
        return Ok(());
    }
    let ids = List(
        effects
            .discontinued
            .iter()
            .map(|id| id.0)
            .collect::<Vec<Uuid>>(),
    );
    let sql = Sql::each(
        "UPDATE prescriptions SET status = 'discontinued' WHERE id IN (SELECT unhex(value) FROM json_each($1))",
        "UPDATE prescriptions SET status = 'discontinued' WHERE id = ANY($1)",
    );
    let found = execute!(link, sql, ids)?;
    changed("prescriptions", found, effects.discontinued.len())
}

#[derive(Serialize)]
struct AdministrationJson<'a> {
    id: String,
    ord: String,
    ver: i64,
    w: i64,
    p: String,
    d: i64,
    n: i64,
    at: At,
    outcome: &'a str,
    q: i64,
    op: String,
}

pub(in crate::store) async fn write_administrations(
    link: Link<'_>,
    all: &[Administration],
) -> Result<(), StoreError> {
    if all.is_empty() {
        return Ok(());
    }
    let rows: Vec<AdministrationJson<'_>> = all
        .iter()
        .map(|a| AdministrationJson {
            id: a.id.0.simple().to_string(),
            ord: a.order.0.simple().to_string(),
            ver: a.order_version,
            w: a.ward.0,
            p: a.patient.0.simple().to_string(),
            d: a.drug.0,
            n: a.nurse.0,
            at: a.at.into(),
            outcome: a.outcome.as_str(),
            q: a.quantity.0,
            op: a.op.0.simple().to_string(),
        })
        .collect();
    let sql = Sql::each(
        "INSERT INTO medication_administrations (id, order_id, order_version, ward_id, patient_id, drug_id, nurse_id, \
         administration_time, recorded_at, outcome, quantity, reason, op_id) \
         SELECT unhex(r.value ->> 'id'), unhex(r.value ->> 'ord'), r.value ->> 'ver', r.value ->> 'w', \
         unhex(r.value ->> 'p'), r.value ->> 'd', r.value ->> 'n', r.value ->> 'at', r.value ->> 'at', \
         r.value ->> 'outcome', r.value ->> 'q', '', unhex(r.value ->> 'op') FROM json_each($1) r",
        "INSERT INTO medication_administrations (id, order_id, order_version, ward_id, patient_id, drug_id, nurse_id, \
         administration_time, recorded_at, outcome, quantity, reason, op_id) \
         SELECT id, ord, ver, w, p, d, n, 'epoch'::timestamptz + at * interval '1 microsecond', \
         'epoch'::timestamptz + at * interval '1 microsecond', outcome, q, '', op \
         FROM json_to_recordset($1::json) AS r (id uuid, ord uuid, ver bigint, w bigint, p uuid, d bigint, n bigint, \
         at bigint, outcome text, q bigint, op uuid)",
    );
    let found = execute!(link, sql, json(&rows)?)?;
    changed("administrations", found, rows.len())
}

#[derive(Serialize)]
struct LedgerJson<'a> {
    w: i64,
    d: i64,
    seq: i64,
    delta: i64,
    bal: i64,
    why: &'a str,
    refr: &'a str,
    actor: Option<i64>,
    witness: Option<i64>,
    at: At,
    op: String,
    prev: String,
    hash: String,
}

/// Writes rows of the drug register.
///
/// # Errors
/// [`StoreError`].
pub(in crate::store) async fn write_ledger(
    link: Link<'_>,
    effects: &Effects,
) -> Result<(), StoreError> {
    if effects.ledger.is_empty() {
        return Ok(());
    }
    let rows: Vec<LedgerJson<'_>> = effects
        .ledger
        .iter()
        .map(|entry| LedgerJson {
            w: entry.row.ward.0,
            d: entry.row.drug.0,
            seq: entry.row.seq,
            delta: entry.row.delta.0,
            bal: entry.row.balance.0,
            why: entry.row.reason.as_str(),
            refr: &entry.row.reference,
            actor: entry.row.actor.map(|a| a.0),
            witness: entry.row.witness.map(|w| w.0),
            at: entry.row.at.into(),
            op: entry.row.op.0.simple().to_string(),
            prev: hex(&entry.prev_hash),
            hash: hex(&entry.hash),
        })
        .collect();
    let sql = Sql::each(
        "INSERT INTO stock_ledger (ward_id, drug_id, seq, delta, balance, reason, reference, actor_id, witness_id, at, \
         op_id, prev_hash, hash) SELECT r.value ->> 'w', r.value ->> 'd', r.value ->> 'seq', r.value ->> 'delta', \
         r.value ->> 'bal', r.value ->> 'why', r.value ->> 'refr', r.value ->> 'actor', r.value ->> 'witness', \
         r.value ->> 'at', unhex(r.value ->> 'op'), unhex(r.value ->> 'prev'), unhex(r.value ->> 'hash') \
         FROM json_each($1) r",
        "INSERT INTO stock_ledger (ward_id, drug_id, seq, delta, balance, reason, reference, actor_id, witness_id, at, \
         op_id, prev_hash, hash) SELECT w, d, seq, delta, bal, why, refr, actor, witness, \
         'epoch'::timestamptz + at * interval '1 microsecond', op, decode(prev, 'hex'), decode(hash, 'hex') \
         FROM json_to_recordset($1::json) AS r (w bigint, d bigint, seq bigint, delta bigint, bal bigint, why text, \
         refr text, actor bigint, witness bigint, at bigint, op uuid, prev text, hash text)",
    );
    let found = execute!(link, sql, json(&rows)?)?;
    changed("ledger", found, rows.len())
}

pub(in crate::store) async fn remember(
    link: Link<'_>,
    memory: &[Memory],
) -> Result<(), StoreError> {
    if memory.is_empty() {
        return Ok(());
    }
    let sql = Sql::each(
        "INSERT INTO operations (op_id, actor_id, kind, digest, outcome, at) SELECT unhex(r.value ->> 'op_id', '-'), \
         r.value ->> 'actor_id', r.value ->> 'kind', unhex(r.value ->> 'digest'), r.value ->> 'outcome', \
         r.value ->> 'at' FROM json_each($1) r",
        "INSERT INTO operations (op_id, actor_id, kind, digest, outcome, at) SELECT op_id, actor_id, kind, \
         decode(digest, 'hex'), outcome, 'epoch'::timestamptz + at * interval '1 microsecond' \
         FROM json_to_recordset($1::json) \
         AS r (op_id uuid, actor_id bigint, kind text, digest text, outcome text, at bigint)",
    );
    let found = execute!(link, sql, json(memory)?)?;
    changed("operations", found, memory.len())
}

/// Bytes in hexadecimal, for JSON.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}
