//! Lots: what lies in a ward, soonest expiry first, and who got some of one.

use sqlx::FromRow;

use super::{DrugRow, WardRow, drug_columns, ward_columns};
use crate::domain::shelf::{LotLine, LotMove};
use crate::domain::{DrugId, LedgerReason, Quantity, WardId};
use crate::store::{At, Day, Link, Sql, StoreError};

/// The lots of a ward by expiry, drug and name.
pub(in crate::store) const LOTS_OF_WARD: &str = concat!(
    "SELECT ",
    ward_columns!(),
    ", ",
    drug_columns!(),
    ", s.lot, s.expires_on, s.quantity, ",
    "l.recalled_at IS NOT NULL AS recalled FROM stock_lots s JOIN lots l ON l.drug_id = s.drug_id AND l.lot = s.lot ",
    "JOIN wards w ON w.id = s.ward_id JOIN drugs d ON d.id = s.drug_id ",
    "WHERE s.ward_id = $1 AND s.quantity > 0 AND (s.expires_on, s.drug_id, s.lot) > ($2, $3, $4) ",
    "ORDER BY s.expires_on, s.drug_id, s.lot LIMIT $5"
);

/// What was taken out of a lot, or put into it, ward by ward in the order of the register.
pub(in crate::store) const LOT_MOVES: Sql = {
    macro_rules! sql {
        ($patient:literal) => {
            concat!(
                "SELECT ", ward_columns!(), ", m.seq, l.at, l.reason, m.delta, p.name AS patient, p.mrn, ",
                "u.name AS by_name FROM (SELECT * FROM lot_moves WHERE drug_id = $1 AND lot = $2 ",
                "AND (ward_id, seq) > ($3, $4) ORDER BY ward_id, seq LIMIT $5) m ",
                "JOIN stock_ledger l ON l.ward_id = m.ward_id AND l.drug_id = m.drug_id AND l.seq = m.seq ",
                "JOIN wards w ON w.id = m.ward_id LEFT JOIN users u ON u.id = l.actor_id ",
                "LEFT JOIN patients p ON p.id = ", $patient, " ORDER BY m.ward_id, m.seq"
            )
        };
    }
    Sql::each(
        sql!(
            "CASE WHEN l.reason IN ('given', 'corrected') THEN unhex(substr(l.reference, 75, 36), '-') END"
        ),
        sql!(
            "CASE WHEN l.reason IN ('given', 'corrected') AND substr(l.reference, 75, 36) ~ '^[0-9a-f-]{36}$' \
             THEN CAST(substr(l.reference, 75, 36) AS uuid) END"
        ),
    )
};

#[derive(Debug, FromRow)]
struct LotRow {
    #[sqlx(flatten)]
    ward: WardRow,
    #[sqlx(flatten)]
    drug: DrugRow,
    lot: String,
    expires_on: Day,
    quantity: Quantity,
    recalled: bool,
}

/// The lots of a ward, soonest expiry first, after the one with that expiry, drug and name.
///
/// # Errors
/// [`StoreError`].
pub async fn lots_of_ward(
    link: Link<'_>,
    ward: WardId,
    after: (Day, DrugId, &str),
    limit: i64,
) -> Result<Vec<LotLine>, StoreError> {
    let rows = fetch!(
        all,
        link,
        LotRow,
        LOTS_OF_WARD,
        ward,
        after.0,
        after.1,
        after.2,
        limit
    )?;
    let line = |row: LotRow| LotLine {
        ward: row.ward.into(),
        drug: row.drug.into(),
        lot: row.lot,
        expires_on: row.expires_on.0,
        quantity: row.quantity,
        recalled: row.recalled,
    };
    Ok(rows.into_iter().map(line).collect())
}

#[derive(Debug, FromRow)]
struct MoveRow {
    #[sqlx(flatten)]
    ward: WardRow,
    seq: i64,
    at: At,
    reason: LedgerReason,
    delta: Quantity,
    patient: Option<String>,
    mrn: Option<String>,
    by_name: Option<String>,
}

/// What was done to a lot, after that row of the register.
///
/// # Errors
/// [`StoreError`].
pub async fn lot_moves(
    link: Link<'_>,
    drug: DrugId,
    lot: &str,
    after: (WardId, i64),
    limit: i64,
) -> Result<Vec<LotMove>, StoreError> {
    let rows = fetch!(
        all, link, MoveRow, LOT_MOVES, drug, lot, after.0, after.1, limit
    )?;
    let line = |row: MoveRow| LotMove {
        ward: row.ward.into(),
        seq: row.seq,
        at: row.at.0,
        reason: row.reason,
        delta: row.delta,
        patient: row.patient.zip(row.mrn),
        by: row.by_name,
    };
    Ok(rows.into_iter().map(line).collect())
}
