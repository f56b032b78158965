//! Writing a batch on SQLite: one statement for each table, its rows as one JSON value.

use serde::Serialize;
use sqlx::SqliteConnection;

use super::apply::{Rows, Written, json};
use crate::store::{At, StoreError};

pub(in crate::store) const WRITE_STOCK: &str = "UPDATE drug_stock SET current_stock = r.value ->> 'current', ledger_seq = r.value ->> 'seq', \
     ledger_hash = unhex(r.value ->> 'hash') FROM json_each($1) r \
     WHERE ward_id = r.value ->> 'w' AND drug_id = r.value ->> 'd' AND ledger_seq = r.value ->> 'before'";

/// The plus sign keeps the planner from walking through every active order: it is to find each order by its key.
pub(in crate::store) const CLOSE_ORDERS: &str = "UPDATE medication_orders SET status = r.value ->> 'status', version = version + 1, \
     changed_at = r.value ->> 'at', changed_by = r.value ->> 'by', change = r.value ->> 'change' \
     FROM json_each($1) r WHERE medication_orders.id = unhex(r.value ->> 'id') AND +status = 'active' \
     AND version = r.value ->> 'version'";

const WRITE_ADMINISTRATIONS: &str = "INSERT INTO medication_administrations (id, order_id, order_version, ward_id, patient_id, drug_id, nurse_id, witness_id, \
     administration_time, recorded_at, outcome, quantity, reason, reverses, op_id) \
     SELECT unhex(r.value ->> 'id'), unhex(r.value ->> 'ord'), r.value ->> 'ver', r.value ->> 'w', \
     unhex(r.value ->> 'p'), r.value ->> 'd', r.value ->> 'n', r.value ->> 'wit', r.value ->> 'given', \
     r.value ->> 'at', \
     r.value ->> 'outcome', r.value ->> 'q', r.value ->> 'why', unhex(r.value ->> 'rev'), unhex(r.value ->> 'op') FROM json_each($1) r";

const WRITE_LEDGER: &str = "INSERT INTO stock_ledger (ward_id, drug_id, seq, delta, balance, reason, reference, actor_id, witness_id, at, \
     op_id, prev_hash, hash) SELECT r.value ->> 'w', r.value ->> 'd', r.value ->> 'seq', r.value ->> 'delta', \
     r.value ->> 'bal', r.value ->> 'why', r.value ->> 'refr', r.value ->> 'actor', r.value ->> 'witness', \
     r.value ->> 'at', unhex(r.value ->> 'op'), unhex(r.value ->> 'prev'), unhex(r.value ->> 'hash') \
     FROM json_each($1) r";

const REMEMBER: &str = "INSERT INTO operations (op_id, actor_id, kind, digest, outcome, at) SELECT unhex(r.value ->> 'op'), \
     r.value ->> 'actor', r.value ->> 'kind', unhex(r.value ->> 'digest'), r.value ->> 'outcome', \
     r.value ->> 'at' FROM json_each($1) r";

pub(super) async fn write(
    conn: &mut SqliteConnection,
    rows: &Rows<'_>,
) -> Result<Written, StoreError> {
    Ok(Written {
        heads: run(conn, WRITE_STOCK, heads(rows)).await?,
        closed: run(conn, CLOSE_ORDERS, closed(rows)).await?,
        administrations: run(conn, WRITE_ADMINISTRATIONS, administrations(rows)).await?,
        ledger: run(conn, WRITE_LEDGER, ledger(rows)).await?,
        memory: run(conn, REMEMBER, memory(rows)).await?,
    })
}

/// Runs a statement over rows; gives how many it wrote.
async fn run<T: Serialize>(
    conn: &mut SqliteConnection,
    sql: &'static str,
    rows: Vec<T>,
) -> Result<u64, StoreError> {
    if rows.is_empty() {
        return Ok(0);
    }
    let done = sqlx::query(sql).bind(json(&rows)?).execute(conn).await?;
    Ok(done.rows_affected())
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

fn heads(rows: &Rows<'_>) -> Vec<HeadJson> {
    let row = |head: &super::apply::Head| HeadJson {
        w: head.ward.0,
        d: head.drug.0,
        current: head.current.0,
        seq: head.seq,
        hash: hex(&head.hash),
        before: head.before,
    };
    rows.heads.iter().map(row).collect()
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

fn closed<'a>(rows: &Rows<'a>) -> Vec<ClosingJson<'a>> {
    rows.closed
        .iter()
        .map(|c| ClosingJson {
            id: c.id.0.simple().to_string(),
            version: c.version,
            status: c.status.as_str(),
            by: c.by.0,
            at: c.at.into(),
            change: &c.change,
        })
        .collect()
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
    wit: Option<i64>,
    given: At,
    at: At,
    outcome: &'a str,
    q: i64,
    why: &'a str,
    rev: Option<String>,
    op: String,
}

fn administrations<'a>(rows: &Rows<'a>) -> Vec<AdministrationJson<'a>> {
    rows.administrations
        .iter()
        .map(|a| AdministrationJson {
            id: a.id.0.simple().to_string(),
            ord: a.order.0.simple().to_string(),
            ver: a.order_version,
            w: a.ward.0,
            p: a.patient.0.simple().to_string(),
            d: a.drug.0,
            n: a.nurse.0,
            wit: a.witness.map(|witness| witness.0),
            given: a.given_at.into(),
            at: a.at.into(),
            outcome: a.outcome.as_str(),
            q: a.quantity.0,
            why: &a.reason,
            rev: a.reverses.map(|id| id.0.simple().to_string()),
            op: a.op.0.simple().to_string(),
        })
        .collect()
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

fn ledger<'a>(rows: &Rows<'a>) -> Vec<LedgerJson<'a>> {
    rows.ledger
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
        .collect()
}

#[derive(Serialize)]
struct MemoryJson<'a> {
    op: String,
    actor: i64,
    kind: &'static str,
    digest: String,
    outcome: &'a str,
    at: At,
}

fn memory<'a>(rows: &Rows<'a>) -> Vec<MemoryJson<'a>> {
    rows.memory
        .iter()
        .map(|known| MemoryJson {
            op: known.op_id.0.simple().to_string(),
            actor: known.actor_id.0,
            kind: known.kind,
            digest: hex(&known.digest),
            outcome: &known.outcome,
            at: known.at,
        })
        .collect()
}

/// Bytes in hexadecimal, for JSON.
pub(in crate::store) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}
