//! What `valmed verify` asks of the cupboard: transfers against the register, lots against both.

use sqlx::FromRow;

use super::{Link, StoreError};
use crate::domain::cupboard::{DiscrepancyStatus, Resolution, TransferStatus};
use crate::domain::{DrugId, Quantity, TransferId, UserId, WardId};

/// A transfer, with what is missing of it.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Transferred {
    /// Key.
    pub id: TransferId,
    /// Of what.
    pub drug_id: DrugId,
    /// From where.
    pub source_ward_id: WardId,
    /// To where.
    pub destination_ward_id: WardId,
    /// How much was sent.
    pub quantity: Quantity,
    /// How much arrived.
    pub received: Option<Quantity>,
    /// Where it stands.
    pub status: TransferStatus,
    /// The difference under which the missing part stands; less than nothing.
    pub missing: Option<Quantity>,
    /// Where that stands.
    pub missing_status: Option<DiscrepancyStatus>,
    /// What became of it.
    pub resolution: Option<Resolution>,
    /// Who answered for it.
    pub resolved_by: Option<UserId>,
    /// Who saw it.
    pub witness_id: Option<UserId>,
    /// Why it is written off.
    pub resolved_reason: Option<String>,
}

/// Transfers, by key, after one, at most `limit`.
///
/// # Errors
/// [`StoreError`].
pub async fn transfers(
    link: Link<'_>,
    after: TransferId,
    limit: i64,
) -> Result<Vec<Transferred>, StoreError> {
    let sql = "SELECT t.id, t.drug_id, t.source_ward_id, t.destination_ward_id, t.quantity, t.received, t.status, \
               d.quantity AS missing, d.status AS missing_status, d.resolution, d.resolved_by, d.witness_id, \
               d.resolved_reason FROM drug_transfers t LEFT JOIN discrepancies d ON d.transfer_id = t.id \
               WHERE t.id > $1 ORDER BY t.id LIMIT $2";
    fetch!(all, link, Transferred, sql, after, limit)
}

/// The first lot that is not what the register's rows put into it, and the first stock whose lots are not as many, or
/// hold more than there is; each as ward, drug and lot.
///
/// # Errors
/// [`StoreError`].
pub async fn lots_off(mut link: Link<'_>) -> Result<Vec<(i64, i64, String)>, StoreError> {
    let moved = "SELECT s.ward_id, s.drug_id, s.lot FROM stock_lots s LEFT JOIN \
                 (SELECT ward_id, drug_id, lot, sum(delta) AS total FROM lot_moves GROUP BY ward_id, drug_id, lot) m \
                 ON m.ward_id = s.ward_id AND m.drug_id = s.drug_id AND m.lot = s.lot \
                 WHERE s.quantity <> COALESCE(m.total, 0) \
                 UNION ALL SELECT m.ward_id, m.drug_id, m.lot FROM lot_moves m WHERE NOT EXISTS \
                 (SELECT 1 FROM stock_lots s WHERE s.ward_id = m.ward_id AND s.drug_id = m.drug_id AND s.lot = m.lot) \
                 UNION ALL SELECT m.ward_id, m.drug_id, min(m.lot) FROM lot_moves m LEFT JOIN stock_ledger l \
                 ON l.ward_id = m.ward_id AND l.drug_id = m.drug_id AND l.seq = m.seq \
                 GROUP BY m.ward_id, m.drug_id, m.seq, l.delta \
                 HAVING l.delta IS NULL OR abs(sum(m.delta)) > abs(l.delta) OR max(m.delta * l.delta) <= 0 \
                 OR min(m.delta * l.delta) <= 0 LIMIT 1";
    let mut found = fetch!(all, link.lend(), (i64, i64, String), moved)?;
    let held = "SELECT s.ward_id, s.drug_id, 'all its lots' FROM drug_stock s LEFT JOIN \
                (SELECT ward_id, drug_id, sum(quantity) AS total, count(*) AS many FROM stock_lots WHERE quantity > 0 \
                GROUP BY ward_id, drug_id) h ON h.ward_id = s.ward_id AND h.drug_id = s.drug_id \
                WHERE s.lots <> COALESCE(h.many, 0) OR COALESCE(h.total, 0) > s.current_stock LIMIT 1";
    found.extend(fetch!(all, link, (i64, i64, String), held)?);
    Ok(found)
}
