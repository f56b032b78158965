//! Levels, what fills a ward up, and where else a drug is.

use sqlx::FromRow;

use super::{DrugRow, WardRow, drug_columns, ward_columns};
use crate::domain::shelf::{Elsewhere, LevelLine, Refill, refill};
use crate::domain::{DrugId, Quantity, WardId};
use crate::store::{Day, Link, StoreError};

/// What a ward should hold, by name.
pub(in crate::store) const LEVELS: &str = concat!(
    "SELECT ",
    drug_columns!(),
    ", s.current_stock, s.low_stock_threshold, COALESCE(v.par, 0) AS par, ",
    "COALESCE(v.shelf, '') AS shelf FROM drug_stock s JOIN drugs d ON d.id = s.drug_id ",
    "LEFT JOIN stock_levels v ON v.ward_id = s.ward_id AND v.drug_id = s.drug_id ",
    "WHERE s.ward_id = $1 ORDER BY d.name_key, d.id LIMIT $2"
);

const LEVEL: &str = concat!(
    "SELECT ",
    drug_columns!(),
    ", s.current_stock, s.low_stock_threshold, COALESCE(v.par, 0) AS par, ",
    "COALESCE(v.shelf, '') AS shelf FROM drug_stock s JOIN drugs d ON d.id = s.drug_id ",
    "LEFT JOIN stock_levels v ON v.ward_id = s.ward_id AND v.drug_id = s.drug_id ",
    "WHERE s.ward_id = $1 AND s.drug_id = $2"
);

/// Of a stock row `s`: what is expired or recalled of it on the day `$2`. Nothing is looked up where there are no lots.
macro_rules! blocked {
    ($stock:literal) => {
        concat!(
            "CASE WHEN ", $stock, ".lots = 0 THEN 0 ELSE (SELECT COALESCE(CAST(sum(b.quantity) AS BIGINT), 0) ",
            "FROM stock_lots b JOIN lots l ON l.drug_id = b.drug_id AND l.lot = b.lot WHERE b.ward_id = ", $stock,
            ".ward_id AND b.drug_id = ", $stock, ".drug_id AND (b.expires_on < $2 OR l.recalled_at IS NOT NULL)) END"
        )
    };
}

/// Every ward that stocks a drug, the one with most of it first.
pub(in crate::store) const ELSEWHERE: &str = concat!(
    "SELECT ",
    ward_columns!(),
    ", ",
    drug_columns!(),
    ", s.current_stock, ",
    blocked!("s"),
    " AS blocked, ",
    "s.low_stock_threshold FROM drug_stock s JOIN wards w ON w.id = s.ward_id JOIN drugs d ON d.id = s.drug_id ",
    "WHERE s.drug_id = $1 ORDER BY s.current_stock DESC, w.name, w.id LIMIT $3"
);

/// What a ward lacks of its par, with what is on its way there and what another ward holds.
pub(in crate::store) const REFILLS: &str = concat!(
    // What is missing is found first: a plan for any ward would go through the whole formulary by name.
    "WITH short AS MATERIALIZED (SELECT s.ward_id, s.drug_id, s.current_stock, v.par FROM stock_levels v ",
    "JOIN drug_stock s ON s.ward_id = v.ward_id AND s.drug_id = v.drug_id ",
    "WHERE v.ward_id = $1 AND s.current_stock < v.par) SELECT ",
    drug_columns!(),
    ", s.current_stock, s.par, (SELECT COALESCE(CAST(sum(t.quantity) AS BIGINT), 0) ",
    "FROM drug_transfers t WHERE t.destination_ward_id = s.ward_id AND t.drug_id = s.drug_id AND t.status = 'sent') ",
    "AS coming, COALESCE(o.current_stock - ",
    blocked!("o"),
    ", 0) AS available FROM short s JOIN drugs d ON d.id = s.drug_id ",
    "LEFT JOIN drug_stock o ON o.ward_id = $3 AND o.drug_id = s.drug_id ",
    "ORDER BY d.name_key, d.id LIMIT $4"
);

#[derive(Debug, FromRow)]
struct LevelRow {
    #[sqlx(flatten)]
    drug: DrugRow,
    current_stock: Quantity,
    low_stock_threshold: Quantity,
    par: Quantity,
    shelf: String,
}

impl From<LevelRow> for LevelLine {
    fn from(row: LevelRow) -> LevelLine {
        LevelLine {
            drug: row.drug.into(),
            current: row.current_stock,
            threshold: row.low_stock_threshold,
            par: row.par,
            shelf: row.shelf,
        }
    }
}

/// What a ward should hold of each drug that it stocks, by name.
///
/// # Errors
/// [`StoreError`].
pub async fn levels(
    link: Link<'_>,
    ward: WardId,
    limit: i64,
) -> Result<Vec<LevelLine>, StoreError> {
    let rows = fetch!(all, link, LevelRow, LEVELS, ward, limit)?;
    Ok(rows.into_iter().map(LevelLine::from).collect())
}

/// The same of one drug; `None`: the ward does not stock it.
///
/// # Errors
/// [`StoreError`].
pub async fn level(
    link: Link<'_>,
    ward: WardId,
    drug: DrugId,
) -> Result<Option<LevelLine>, StoreError> {
    Ok(fetch!(optional, link, LevelRow, LEVEL, ward, drug)?.map(LevelLine::from))
}

#[derive(Debug, FromRow)]
struct ElsewhereRow {
    #[sqlx(flatten)]
    ward: WardRow,
    #[sqlx(flatten)]
    drug: DrugRow,
    current_stock: Quantity,
    blocked: Quantity,
    low_stock_threshold: Quantity,
}

/// Every ward that stocks a drug, the one with most of it first; `today` decides what is expired.
///
/// # Errors
/// [`StoreError`].
pub async fn elsewhere(
    link: Link<'_>,
    drug: DrugId,
    today: Day,
    limit: i64,
) -> Result<Vec<Elsewhere>, StoreError> {
    let rows = fetch!(all, link, ElsewhereRow, ELSEWHERE, drug, today, limit)?;
    let line = |row: ElsewhereRow| Elsewhere {
        ward: row.ward.into(),
        drug: row.drug.into(),
        current: row.current_stock,
        blocked: row.blocked,
        threshold: row.low_stock_threshold,
    };
    Ok(rows.into_iter().map(line).collect())
}

#[derive(Debug, FromRow)]
struct RefillRow {
    #[sqlx(flatten)]
    drug: DrugRow,
    current_stock: Quantity,
    par: Quantity,
    coming: Quantity,
    available: Quantity,
}

/// What a ward lacks of its par, by name, and what `source` could send of it.
///
/// # Errors
/// [`StoreError`].
pub async fn refills(
    link: Link<'_>,
    ward: WardId,
    today: Day,
    source: WardId,
    limit: i64,
) -> Result<Vec<Refill>, StoreError> {
    let rows = fetch!(all, link, RefillRow, REFILLS, ward, today, source, limit)?;
    let line = |row: RefillRow| Refill {
        quantity: refill(row.current_stock, row.par, row.coming, row.available),
        drug: row.drug.into(),
        current: row.current_stock,
        par: row.par,
        coming: row.coming,
        available: row.available,
    };
    Ok(rows.into_iter().map(line).collect())
}
