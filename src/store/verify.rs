//! Reading the whole drug register back, and what must agree with it.

use sqlx::FromRow;

use super::desk::as_hash;
use super::{At, Link, StoreError};
use crate::domain::ledger::{Hash, LedgerRow};
use crate::domain::{
    AdministrationId, DrugId, LedgerReason, OpId, OrderId, OrderStatus, PatientId, Quantity,
    UserId, WardId,
};

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

/// A given dose, as its administration has it.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct GivenDose {
    /// Key.
    pub id: AdministrationId,
    /// Of which order.
    pub order_id: OrderId,
    /// To whom.
    pub patient_id: PatientId,
    /// Where.
    pub ward_id: WardId,
    /// What.
    pub drug_id: DrugId,
    /// How much.
    pub quantity: Quantity,
    /// By whom.
    pub nurse_id: UserId,
    /// Who saw it.
    pub witness_id: Option<UserId>,
    /// When it was given.
    pub administration_time: At,
    /// When it was entered: the register's time.
    pub recorded_at: At,
    /// The operation.
    pub op_id: OpId,
    /// Whether patient, drug and amount are those of its order and prescription.
    pub as_ordered: bool,
}

/// Doses given, by key, after one, at most `limit`.
///
/// # Errors
/// [`StoreError`].
pub async fn given(
    link: Link<'_>,
    after: AdministrationId,
    limit: i64,
) -> Result<Vec<GivenDose>, StoreError> {
    let sql = "SELECT a.id, a.order_id, a.patient_id, a.ward_id, a.drug_id, a.quantity, a.nurse_id, a.witness_id, \
               a.administration_time, a.recorded_at, a.op_id, \
               a.patient_id = o.patient_id AND a.drug_id = o.drug_id AND a.quantity >= o.dosage \
               AND (a.quantity <= COALESCE(o.dosage_max, o.dosage) OR EXISTS (SELECT 1 FROM administration_reasons w \
               WHERE w.administration_id = a.id AND w.kind = 'override' AND w.about LIKE '%high_dose%')) \
               AND r.patient_id = o.patient_id \
               AND r.drug_id = o.drug_id AS as_ordered \
               FROM medication_administrations a JOIN medication_orders o ON o.id = a.order_id \
               JOIN prescriptions r ON r.id = o.prescription_id \
               WHERE a.id > $1 AND a.outcome = 'given' AND a.reverses IS NULL ORDER BY a.id LIMIT $2";
    fetch!(all, link, GivenDose, sql, after, limit)
}

/// An operation that was done, as the desk remembers it.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct DoneOperation {
    /// Its id.
    pub op_id: OpId,
    /// The outcome, as JSON.
    pub outcome: String,
}

/// Operations, by id, after one, at most `limit`; refused ones too.
///
/// # Errors
/// [`StoreError`].
pub async fn operations(
    link: Link<'_>,
    after: OpId,
    limit: i64,
) -> Result<Vec<DoneOperation>, StoreError> {
    let sql = "SELECT op_id, outcome FROM operations WHERE op_id > $1 AND kind <> 'discontinue' \
               ORDER BY op_id LIMIT $2";
    fetch!(all, link, DoneOperation, sql, after, limit)
}

/// An order, and how many standing administrations it has.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Accounted {
    /// Key.
    pub id: OrderId,
    /// Where it stands.
    pub status: OrderStatus,
    /// Entries of its last version that no correction reverses; of an active order, but for a hold.
    pub last: i64,
    /// Entries of other versions that no correction reverses, but for holds.
    pub others: i64,
}

/// Orders, by key, after one, at most `limit`.
///
/// # Errors
/// [`StoreError`].
pub async fn accounted(
    link: Link<'_>,
    after: OrderId,
    limit: i64,
) -> Result<Vec<Accounted>, StoreError> {
    let sql = "SELECT o.id, o.status, (SELECT count(*) FROM medication_administrations a WHERE a.order_id = o.id \
               AND a.order_version = o.version - 1 AND a.reverses IS NULL \
               AND (a.outcome <> 'held' OR o.status <> 'active') AND NOT EXISTS \
               (SELECT 1 FROM medication_administrations r WHERE r.reverses = a.id)) AS last, \
               (SELECT count(*) FROM medication_administrations a WHERE a.order_id = o.id \
               AND a.order_version <> o.version - 1 AND a.reverses IS NULL AND a.outcome <> 'held' AND NOT EXISTS \
               (SELECT 1 FROM medication_administrations r WHERE r.reverses = a.id)) AS others \
               FROM medication_orders o WHERE o.id > $1 ORDER BY o.id LIMIT $2";
    fetch!(all, link, Accounted, sql, after, limit)
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
