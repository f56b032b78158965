//! Counts and differences.

use sqlx::FromRow;
use uuid::Uuid;

use super::{DrugRow, WardRow, drug_columns, ward_columns};
use crate::domain::cupboard::{CountStatus, DiscrepancyStatus, Resolution};
use crate::domain::shelf::{At as Place, CountLine, DiscrepancyLine, ToCount};
use crate::domain::{CountId, DiscrepancyId, Quantity, WardId};
use crate::store::{At, Link, StoreError};

/// What may be counted in a ward. What the register says of it is not read: a count is blind.
pub(in crate::store) const TO_COUNT: &str = concat!(
    "SELECT ",
    drug_columns!(),
    ", COALESCE(v.shelf, '') AS shelf, s.ledger_seq, c.id IS NOT NULL AS again, ",
    "x.id AS unexplained FROM drug_stock s JOIN drugs d ON d.id = s.drug_id ",
    "LEFT JOIN stock_levels v ON v.ward_id = s.ward_id AND v.drug_id = s.drug_id ",
    "LEFT JOIN stock_counts c ON c.ward_id = s.ward_id AND c.drug_id = s.drug_id AND c.status = 'recount' ",
    "LEFT JOIN discrepancies x ON x.ward_id = s.ward_id AND x.drug_id = s.drug_id AND x.status = 'unexplained' ",
    "WHERE s.ward_id = $1 ORDER BY d.name_key, d.id LIMIT $2"
);

/// Counts of a ward, newest first.
pub(in crate::store) const COUNTS: &str = concat!(
    "SELECT c.id, ",
    ward_columns!(),
    ", ",
    drug_columns!(),
    ", c.at, c.counted, c.expected, c.status, ",
    "u.name AS by_name, v.name AS witness FROM (SELECT * FROM stock_counts WHERE ward_id = $1 ",
    "AND (at, id) < ($2, $3) ORDER BY at DESC, id DESC LIMIT $4) c JOIN wards w ON w.id = c.ward_id ",
    "JOIN drugs d ON d.id = c.drug_id JOIN users u ON u.id = c.user_id LEFT JOIN users v ON v.id = c.witness_id ",
    "ORDER BY c.at DESC, c.id DESC"
);

macro_rules! differences {
    ($which:literal, $order:literal) => {
        concat!(
            "SELECT x.id, ", ward_columns!(), ", ", drug_columns!(), ", x.quantity, f.id AS from_id, ",
            "f.code AS from_code, f.name AS from_name, x.status, x.opened_at, u.name AS opened_by, x.reason, ",
            "x.resolution, x.resolved_at, v.name AS resolved_by, x.resolved_reason FROM discrepancies x ",
            "JOIN wards w ON w.id = x.ward_id JOIN drugs d ON d.id = x.drug_id JOIN users u ON u.id = x.opened_by ",
            "LEFT JOIN users v ON v.id = x.resolved_by LEFT JOIN drug_transfers t ON t.id = x.transfer_id ",
            "LEFT JOIN wards f ON f.id = t.source_ward_id WHERE ", $which, " ORDER BY ", $order
        )
    };
}

/// What waits in the hospital, the oldest first.
pub(in crate::store) const DISCREPANCIES_WAITING: &str = differences!(
    "x.status <> 'resolved' AND (x.opened_at, x.id) > ($1, $2)",
    "x.opened_at, x.id LIMIT $3"
);
/// What waits in a ward.
pub(in crate::store) const DISCREPANCIES_WAITING_IN_WARD: &str = differences!(
    "x.ward_id = $4 AND x.status <> 'resolved' AND (x.opened_at, x.id) > ($1, $2)",
    "x.opened_at, x.id LIMIT $3"
);
/// All, newest first.
pub(in crate::store) const DISCREPANCIES: &str = differences!(
    "(x.opened_at, x.id) < ($1, $2)",
    "x.opened_at DESC, x.id DESC LIMIT $3"
);
/// All of a ward.
pub(in crate::store) const DISCREPANCIES_OF_WARD: &str = differences!(
    "x.ward_id = $4 AND (x.opened_at, x.id) < ($1, $2)",
    "x.opened_at DESC, x.id DESC LIMIT $3"
);
/// Those of controlled drugs in a ward that were found between two moments, the oldest first.
pub(in crate::store) const CONTROLLED_DISCREPANCIES: &str = differences!(
    "x.ward_id = $1 AND x.opened_at >= $2 AND x.opened_at < $3 AND (x.opened_at, x.id) > ($4, $5) AND d.controlled",
    "x.opened_at, x.id LIMIT $6"
);
const ONE: &str = differences!("x.id = $1", "x.id");

#[derive(Debug, FromRow)]
struct ToCountRow {
    #[sqlx(flatten)]
    drug: DrugRow,
    shelf: String,
    ledger_seq: i64,
    again: bool,
    unexplained: Option<DiscrepancyId>,
}

/// What may be counted in a ward, by name.
///
/// # Errors
/// [`StoreError`].
pub async fn to_count(
    link: Link<'_>,
    ward: WardId,
    limit: i64,
) -> Result<Vec<ToCount>, StoreError> {
    let rows = fetch!(all, link, ToCountRow, TO_COUNT, ward, limit)?;
    let line = |row: ToCountRow| ToCount {
        drug: row.drug.into(),
        shelf: row.shelf,
        seq: row.ledger_seq,
        again: row.again,
        unexplained: row.unexplained,
    };
    Ok(rows.into_iter().map(line).collect())
}

#[derive(Debug, FromRow)]
struct CountRow {
    id: CountId,
    #[sqlx(flatten)]
    ward: WardRow,
    #[sqlx(flatten)]
    drug: DrugRow,
    at: At,
    counted: Quantity,
    expected: Quantity,
    status: CountStatus,
    by_name: String,
    witness: Option<String>,
}

/// Counts of a ward, newest first, before the one with that time and key.
///
/// # Errors
/// [`StoreError`].
pub async fn counts(
    link: Link<'_>,
    ward: WardId,
    before: (At, Uuid),
    limit: i64,
) -> Result<Vec<CountLine>, StoreError> {
    let rows = fetch!(all, link, CountRow, COUNTS, ward, before.0, before.1, limit)?;
    let line = |row: CountRow| CountLine {
        id: row.id,
        ward: row.ward.into(),
        drug: row.drug.into(),
        at: row.at.0,
        counted: row.counted,
        expected: (row.status != CountStatus::Recount).then_some(row.expected),
        status: row.status,
        by: row.by_name,
        witness: row.witness,
    };
    Ok(rows.into_iter().map(line).collect())
}

/// Which differences.
#[derive(Debug, Clone, Copy, Default)]
pub struct DiscrepancyFilter {
    /// In this ward.
    pub ward: Option<WardId>,
    /// Those that somebody has answered for too, newest first; otherwise what waits, the oldest first.
    pub all: bool,
    /// After the one with this time and key.
    pub after: Option<(At, Uuid)>,
}

#[derive(Debug, FromRow)]
struct DiscrepancyRow {
    id: DiscrepancyId,
    #[sqlx(flatten)]
    ward: WardRow,
    #[sqlx(flatten)]
    drug: DrugRow,
    quantity: Quantity,
    from_id: Option<WardId>,
    from_code: Option<String>,
    from_name: Option<String>,
    status: DiscrepancyStatus,
    opened_at: At,
    opened_by: String,
    reason: String,
    resolution: Option<Resolution>,
    resolved_at: Option<At>,
    resolved_by: Option<String>,
    resolved_reason: String,
}

impl From<DiscrepancyRow> for DiscrepancyLine {
    fn from(row: DiscrepancyRow) -> DiscrepancyLine {
        let named = row.from_id.zip(row.from_code.zip(row.from_name));
        DiscrepancyLine {
            id: row.id,
            ward: row.ward.into(),
            drug: row.drug.into(),
            quantity: row.quantity,
            sent_from: named.map(|(id, (code, name))| Place { id, code, name }),
            status: row.status,
            opened_at: row.opened_at.0,
            opened_by: row.opened_by,
            reason: row.reason,
            resolution: row.resolution,
            resolved_at: row.resolved_at.map(|at| at.0),
            resolved_by: row.resolved_by,
            resolved_reason: row.resolved_reason,
        }
    }
}

/// Differences.
///
/// # Errors
/// [`StoreError`].
pub async fn discrepancies(
    link: Link<'_>,
    filter: &DiscrepancyFilter,
    limit: i64,
) -> Result<Vec<DiscrepancyLine>, StoreError> {
    // Later than any clock that a ward will see.
    let end = (
        At(jiff::Timestamp::constant(253_000_000_000, 0)),
        Uuid::max(),
    );
    let start = (At(jiff::Timestamp::UNIX_EPOCH), Uuid::nil());
    let (time, id) = filter.after.unwrap_or(if filter.all { end } else { start });
    let rows = match (filter.ward, filter.all) {
        (None, false) => fetch!(
            all,
            link,
            DiscrepancyRow,
            DISCREPANCIES_WAITING,
            time,
            id,
            limit
        ),
        (None, true) => fetch!(all, link, DiscrepancyRow, DISCREPANCIES, time, id, limit),
        (Some(ward), false) => {
            let sql = DISCREPANCIES_WAITING_IN_WARD;
            fetch!(all, link, DiscrepancyRow, sql, time, id, limit, ward)
        }
        (Some(ward), true) => {
            fetch!(
                all,
                link,
                DiscrepancyRow,
                DISCREPANCIES_OF_WARD,
                time,
                id,
                limit,
                ward
            )
        }
    }?;
    Ok(rows.into_iter().map(DiscrepancyLine::from).collect())
}

/// Those of controlled drugs in a ward that were found between two moments, after the one with that time and key.
///
/// # Errors
/// [`StoreError`].
pub async fn controlled_discrepancies(
    link: Link<'_>,
    ward: WardId,
    (from, to): (At, At),
    (time, id): (At, Uuid),
    limit: i64,
) -> Result<Vec<DiscrepancyLine>, StoreError> {
    let sql = CONTROLLED_DISCREPANCIES;
    let rows = fetch!(
        all,
        link,
        DiscrepancyRow,
        sql,
        ward,
        from,
        to,
        time,
        id,
        limit
    )?;
    Ok(rows.into_iter().map(DiscrepancyLine::from).collect())
}

/// One difference.
///
/// # Errors
/// [`StoreError`].
pub async fn discrepancy(
    link: Link<'_>,
    id: DiscrepancyId,
) -> Result<Option<DiscrepancyLine>, StoreError> {
    Ok(fetch!(optional, link, DiscrepancyRow, ONE, id)?.map(DiscrepancyLine::from))
}
