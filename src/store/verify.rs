//! Reading the whole drug register back, and what must agree with it.

use sqlx::FromRow;

use super::desk::as_hash;
use super::{At, Link, Sql, StoreError};
use crate::domain::ledger::{Hash, LedgerRow};
use crate::domain::{DrugId, LedgerReason, OpId, Quantity, UserId, WardId};

/// A row of the register as stored, with the place it has in the chain.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The row.
    pub row: LedgerRow,
    /// The hash before it.
    pub prev_hash: Hash,
    /// Its own.
    pub hash: Hash,
}

#[derive(Debug, FromRow)]
struct StoredRow {
    ward_id: WardId,
    drug_id: DrugId,
    seq: i64,
    delta: Quantity,
    balance: Quantity,
    reason: LedgerReason,
    reference: String,
    actor_id: Option<UserId>,
    witness_id: Option<UserId>,
    at: At,
    op_id: OpId,
    prev_hash: Vec<u8>,
    hash: Vec<u8>,
}

/// Where a page of the register begins: after this row.
pub type RowKey = (WardId, DrugId, i64);

/// Rows of the register in order of ward, drug and number, after a row, at most `limit`.
///
/// # Errors
/// [`StoreError`].
pub async fn register(
    link: Link<'_>,
    after: RowKey,
    limit: i64,
) -> Result<Vec<Stored>, StoreError> {
    let sql = "SELECT ward_id, drug_id, seq, delta, balance, reason, reference, actor_id, witness_id, at, op_id, \
               prev_hash, hash FROM stock_ledger WHERE (ward_id, drug_id, seq) > ($1, $2, $3) \
               ORDER BY ward_id, drug_id, seq LIMIT $4";
    let rows = fetch!(all, link, StoredRow, sql, after.0, after.1, after.2, limit)?;
    rows.into_iter()
        .map(|row| {
            Ok(Stored {
                prev_hash: as_hash(&row.prev_hash)?,
                hash: as_hash(&row.hash)?,
                row: LedgerRow {
                    ward: row.ward_id,
                    drug: row.drug_id,
                    seq: row.seq,
                    delta: row.delta,
                    balance: row.balance,
                    reason: row.reason,
                    reference: row.reference,
                    actor: row.actor_id,
                    witness: row.witness_id,
                    at: row.at.0,
                    op: row.op_id,
                },
            })
        })
        .collect()
}

/// The head of a page as the stock row has it.
#[derive(Debug, Clone)]
pub struct Head {
    /// Where.
    pub ward: WardId,
    /// What.
    pub drug: DrugId,
    /// What there is.
    pub current: Quantity,
    /// Number of the last row.
    pub seq: i64,
    /// Its hash.
    pub hash: Hash,
    /// For people: codes of ward and drug.
    pub name: String,
}

/// Every stock row.
///
/// # Errors
/// [`StoreError`].
pub async fn heads(link: Link<'_>) -> Result<Vec<Head>, StoreError> {
    let sql = "SELECT s.ward_id, s.drug_id, s.current_stock, s.ledger_seq, s.ledger_hash, w.code || ' ' || d.code \
               FROM drug_stock s JOIN wards w ON w.id = s.ward_id JOIN drugs d ON d.id = s.drug_id \
               ORDER BY s.ward_id, s.drug_id";
    let rows = fetch!(
        all,
        link,
        (WardId, DrugId, Quantity, i64, Vec<u8>, String),
        sql
    )?;
    rows.into_iter()
        .map(|(ward, drug, current, seq, hash, name)| {
            Ok(Head {
                ward,
                drug,
                current,
                seq,
                hash: as_hash(&hash)?,
                name,
            })
        })
        .collect()
}

/// A rule about orders, administrations and register rows, and the first row that breaks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The rule.
    pub rule: &'static str,
    /// The first row that breaks it.
    pub broken_by: Option<String>,
}

/// Each rule with the statement that finds what breaks it. The register refers to an administration by its UUID as
/// text; the engines differ in how they say that.
const RULES: &[(&str, Sql)] = &[
    (
        "a completed order has exactly one standing administration, and no other order has one",
        Sql::each(
            "SELECT 'order ' || lower(hex(o.id)) FROM medication_orders o WHERE (o.status = 'completed') <> \
             ((SELECT count(*) FROM medication_administrations a WHERE a.order_id = o.id AND a.reverses IS NULL \
             AND NOT EXISTS (SELECT 1 FROM medication_administrations r WHERE r.reverses = a.id)) = 1) LIMIT 1",
            "SELECT 'order ' || o.id FROM medication_orders o LEFT JOIN (SELECT a.order_id, count(*) AS n \
             FROM medication_administrations a WHERE a.reverses IS NULL AND NOT EXISTS \
             (SELECT 1 FROM medication_administrations r WHERE r.reverses = a.id) GROUP BY a.order_id) s \
             ON s.order_id = o.id WHERE (o.status = 'completed') <> (COALESCE(s.n, 0) = 1) OR s.n > 1 LIMIT 1",
        ),
    ),
    (
        "a given dose has exactly one register row of the same ward, drug, quantity, person and operation",
        Sql::each(
            "SELECT 'administration ' || lower(hex(a.id)) FROM medication_administrations a LEFT JOIN \
             (SELECT unhex(reference, '-') AS id, count(*) AS n, min(ward_id) AS w, min(drug_id) AS d, \
             sum(delta) AS delta, min(actor_id) AS actor, min(op_id) AS op FROM stock_ledger WHERE reason = 'given' \
             GROUP BY 1) l ON l.id = a.id WHERE a.outcome = 'given' AND (l.n IS NULL OR l.n <> 1 OR l.w <> a.ward_id \
             OR l.d <> a.drug_id OR l.delta <> -a.quantity OR l.actor <> a.nurse_id OR l.op <> a.op_id) LIMIT 1",
            "SELECT 'administration ' || a.id FROM medication_administrations a LEFT JOIN \
             (SELECT reference::uuid AS id, count(*) AS n, min(ward_id) AS w, min(drug_id) AS d, \
             sum(delta) AS delta, min(actor_id) AS actor, min(op_id::text) AS op FROM stock_ledger \
             WHERE reason = 'given' GROUP BY 1) l ON l.id = a.id WHERE a.outcome = 'given' AND (l.n IS NULL \
             OR l.n <> 1 OR l.w <> a.ward_id OR l.d <> a.drug_id OR l.delta <> -a.quantity OR l.actor <> a.nurse_id \
             OR l.op <> a.op_id::text) LIMIT 1",
        ),
    ),
    (
        "every register row of a given dose belongs to an administration",
        Sql::each(
            "SELECT 'register ward ' || l.ward_id || ' drug ' || l.drug_id || ' row ' || l.seq FROM stock_ledger l \
             LEFT JOIN medication_administrations a ON a.id = unhex(l.reference, '-') \
             WHERE l.reason = 'given' AND a.id IS NULL LIMIT 1",
            "SELECT 'register ward ' || l.ward_id || ' drug ' || l.drug_id || ' row ' || l.seq FROM stock_ledger l \
             LEFT JOIN medication_administrations a ON a.id::text = l.reference \
             WHERE l.reason = 'given' AND a.id IS NULL LIMIT 1",
        ),
    ),
    (
        "a dose was given within what was prescribed, to the patient of its order",
        Sql::each(
            "SELECT 'administration ' || lower(hex(a.id)) FROM medication_administrations a \
             JOIN medication_orders o ON o.id = a.order_id WHERE a.patient_id <> o.patient_id \
             OR a.drug_id <> o.drug_id OR (a.outcome = 'given' AND a.reverses IS NULL AND (a.quantity < o.dosage \
             OR a.quantity > COALESCE(o.dosage_max, o.dosage))) LIMIT 1",
            "SELECT 'administration ' || a.id FROM medication_administrations a \
             JOIN medication_orders o ON o.id = a.order_id WHERE a.patient_id <> o.patient_id \
             OR a.drug_id <> o.drug_id OR (a.outcome = 'given' AND a.reverses IS NULL AND (a.quantity < o.dosage \
             OR a.quantity > COALESCE(o.dosage_max, o.dosage))) LIMIT 1",
        ),
    ),
];

/// Checks every rule on the whole of the data.
///
/// # Errors
/// [`StoreError`].
pub async fn rules(mut link: Link<'_>) -> Result<Vec<Rule>, StoreError> {
    let mut checked = Vec::new();
    for (rule, sql) in RULES {
        let broken_by = fetch!(optional, link.lend(), (String,), *sql)?.map(|(row,)| row);
        checked.push(Rule { rule, broken_by });
    }
    Ok(checked)
}

/// How many rows there are: register, administrations, orders.
///
/// # Errors
/// [`StoreError`].
pub async fn sizes(link: Link<'_>) -> Result<(i64, i64, i64), StoreError> {
    let sql = "SELECT (SELECT count(*) FROM stock_ledger), (SELECT count(*) FROM medication_administrations), \
               (SELECT count(*) FROM medication_orders)";
    fetch!(one, link, (i64, i64, i64), sql)
}
