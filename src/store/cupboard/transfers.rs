//! Transfers: what is on its way, and the history.

use sqlx::FromRow;
use uuid::Uuid;

use super::{DrugRow, drug_columns};
use crate::domain::cupboard::TransferStatus;
use crate::domain::shelf::{At as Place, TransferLine};
use crate::domain::{DiscrepancyId, DrugId, Quantity, TransferId, WardId};
use crate::store::{At, Link, Sql, StoreError};

/// Where a page of the history goes on: after the transfer with this time and key, going back.
pub type TransferKey = (At, Uuid);

/// Which transfers.
#[derive(Debug, Clone, Copy, Default)]
pub struct TransferFilter {
    /// From this ward or to it.
    pub ward: Option<WardId>,
    /// From this ward.
    pub source: Option<WardId>,
    /// To this ward.
    pub destination: Option<WardId>,
    /// Of this drug.
    pub drug: Option<DrugId>,
    /// Sent then or later.
    pub since: Option<At>,
}

/// A transfer with its names, from `$from t`.
macro_rules! lines {
    ($from:expr, $rest:literal) => {
        concat!(
            "SELECT t.id, ", drug_columns!(), ", s.id AS source_id, s.code AS source_code, s.name AS source_name, ",
            "e.id AS destination_id, e.code AS destination_code, e.name AS destination_name, t.quantity, t.received, ",
            "t.status, t.transfer_date, u.name AS sent_by, t.received_at, v.name AS received_by, t.note, ",
            "m.id AS missing FROM ", $from, " t JOIN drugs d ON d.id = t.drug_id ",
            "JOIN wards s ON s.id = t.source_ward_id JOIN wards e ON e.id = t.destination_ward_id ",
            "JOIN users u ON u.id = t.pharmacist_id LEFT JOIN users v ON v.id = t.receiver_id ",
            "LEFT JOIN discrepancies m ON m.transfer_id = t.id AND m.status <> 'resolved' ",
            $rest
        )
    };
}

/// A branch of the history: `$1` and `$2` are where it goes on, `$3` since when, `$4` the drug or nothing, `$5` and `$6`
/// the wards that `$which` names, `$7` how many.
macro_rules! branch {
    ($which:literal) => {
        concat!(
            "SELECT * FROM drug_transfers WHERE ", $which, " AND (transfer_date, id) < ($1, $2) ",
            "AND transfer_date >= $3 AND ($4 = 0 OR drug_id = $4) ORDER BY transfer_date DESC, id DESC LIMIT $7"
        )
    };
}

macro_rules! history {
    ($($from:tt)*) => {
        lines!(concat!($($from)*), "ORDER BY t.transfer_date DESC, t.id DESC LIMIT $7")
    };
}

/// From a ward or to it: an index each way, and only as many rows of each as are wanted.
pub(in crate::store) const TRANSFERS_OF_WARD: &str = history!(
    "(SELECT * FROM (",
    branch!("source_ward_id = $5 AND $6 = 0"),
    ") a UNION ALL SELECT * FROM (",
    branch!("destination_ward_id = $5"),
    ") b)"
);
/// From a ward, and to one where that is said.
pub(in crate::store) const TRANSFERS_FROM: &str = history!(
    "(",
    branch!("source_ward_id = $5 AND ($6 = 0 OR destination_ward_id = $6)"),
    ")"
);
/// To a ward.
pub(in crate::store) const TRANSFERS_TO: &str =
    history!("(", branch!("destination_ward_id = $6 AND $5 = 0"), ")");
/// Of a drug, in the whole hospital.
pub(in crate::store) const TRANSFERS_OF_DRUG: &str =
    history!("(", branch!("drug_id = $4 AND $5 = 0 AND $6 = 0"), ")");
/// All.
pub(in crate::store) const TRANSFERS: &str = history!("(", branch!("$5 = 0 AND $6 = 0"), ")");

/// On its way from a ward or to it, the oldest first. SQLite has no statistics, and would walk through the history.
pub(in crate::store) const UNDER_WAY: Sql = Sql::each(
    lines!(
        "(SELECT * FROM drug_transfers INDEXED BY drug_transfers_on_the_way WHERE destination_ward_id = $1 \
          AND status = 'sent' UNION ALL SELECT * FROM drug_transfers INDEXED BY drug_transfers_under_way \
          WHERE source_ward_id = $1 AND status = 'sent')",
        "ORDER BY t.transfer_date, t.id LIMIT $2"
    ),
    lines!(
        "(SELECT * FROM drug_transfers WHERE destination_ward_id = $1 AND status = 'sent' UNION ALL \
          SELECT * FROM drug_transfers WHERE source_ward_id = $1 AND status = 'sent')",
        "ORDER BY t.transfer_date, t.id LIMIT $2"
    ),
);

const ONE: &str = lines!("drug_transfers", "WHERE t.id = $1");

#[derive(Debug, FromRow)]
struct Row {
    id: TransferId,
    #[sqlx(flatten)]
    drug: DrugRow,
    source_id: WardId,
    source_code: String,
    source_name: String,
    destination_id: WardId,
    destination_code: String,
    destination_name: String,
    quantity: Quantity,
    received: Option<Quantity>,
    status: TransferStatus,
    transfer_date: At,
    sent_by: String,
    received_at: Option<At>,
    received_by: Option<String>,
    note: String,
    missing: Option<DiscrepancyId>,
}

impl From<Row> for TransferLine {
    fn from(row: Row) -> TransferLine {
        TransferLine {
            id: row.id,
            drug: row.drug.into(),
            source: Place {
                id: row.source_id,
                code: row.source_code,
                name: row.source_name,
            },
            destination: Place {
                id: row.destination_id,
                code: row.destination_code,
                name: row.destination_name,
            },
            quantity: row.quantity,
            received: row.received,
            status: row.status,
            sent_at: row.transfer_date.0,
            sent_by: row.sent_by,
            received_at: row.received_at.map(|at| at.0),
            received_by: row.received_by,
            note: row.note,
            missing: row.missing,
        }
    }
}

fn lines(rows: Vec<Row>) -> Vec<TransferLine> {
    rows.into_iter().map(TransferLine::from).collect()
}

/// The history, newest first, before `before`.
///
/// # Errors
/// [`StoreError`].
pub async fn transfers(
    link: Link<'_>,
    filter: &TransferFilter,
    before: TransferKey,
    limit: i64,
) -> Result<Vec<TransferLine>, StoreError> {
    let none = WardId(0);
    let (sql, first, second) = match *filter {
        TransferFilter {
            ward: Some(ward), ..
        } => (TRANSFERS_OF_WARD, ward, none),
        TransferFilter {
            source: Some(source),
            destination,
            ..
        } => (TRANSFERS_FROM, source, destination.unwrap_or(none)),
        TransferFilter {
            destination: Some(destination),
            ..
        } => (TRANSFERS_TO, none, destination),
        TransferFilter { drug: Some(_), .. } => (TRANSFERS_OF_DRUG, none, none),
        _ => (TRANSFERS, none, none),
    };
    let since = filter.since.unwrap_or(At(jiff::Timestamp::UNIX_EPOCH));
    let drug = filter.drug.unwrap_or(DrugId(0));
    let rows = fetch!(
        all, link, Row, sql, before.0, before.1, since, drug, first, second, limit
    )?;
    Ok(lines(rows))
}

/// What is on its way from a ward or to it, the oldest first.
///
/// # Errors
/// [`StoreError`].
pub async fn under_way(
    link: Link<'_>,
    ward: WardId,
    limit: i64,
) -> Result<Vec<TransferLine>, StoreError> {
    Ok(lines(fetch!(all, link, Row, UNDER_WAY, ward, limit)?))
}

/// One transfer.
///
/// # Errors
/// [`StoreError`].
pub async fn transfer(link: Link<'_>, id: TransferId) -> Result<Option<TransferLine>, StoreError> {
    Ok(fetch!(optional, link, Row, ONE, id)?.map(TransferLine::from))
}
