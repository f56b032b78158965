//! What lists and screens ask of the cupboard beside its stock. Pages go on after the key that the last one ended with.

mod counts;
mod levels;
mod lots;
mod register;
mod transfers;

use sqlx::FromRow;

pub use counts::{
    DiscrepancyFilter, controlled_discrepancies, counts, discrepancies, discrepancy, to_count,
};
pub use levels::{elsewhere, level, levels, refills};
pub use lots::{lot_moves, lots_of_ward};
pub use register::{RegisterAsk, register};
pub use transfers::{TransferFilter, TransferKey, transfer, transfers, under_way};

pub(super) use counts::{
    CONTROLLED_DISCREPANCIES, COUNTS, DISCREPANCIES, DISCREPANCIES_OF_WARD, DISCREPANCIES_WAITING,
    DISCREPANCIES_WAITING_IN_WARD, TO_COUNT,
};
pub(super) use levels::{ELSEWHERE, LEVELS, REFILLS};
pub(super) use lots::{LOT_MOVES, LOTS_OF_WARD};
pub(super) use register::REGISTER;
pub(super) use transfers::{
    TRANSFERS, TRANSFERS_FROM, TRANSFERS_OF_DRUG, TRANSFERS_OF_WARD, TRANSFERS_TO, UNDER_WAY,
};

use crate::domain::shelf::{At, Named};
use crate::domain::{DrugId, WardId};

/// Before any expiry: where a list of lots begins. PostgreSQL knows no earlier day than 4713 BC.
pub const LONG_AGO: jiff::civil::Date = jiff::civil::date(1, 1, 1);

/// The columns of a drug on a line: `d` is the drug.
macro_rules! drug_columns {
    () => {
        "d.id AS drug_id, d.code AS drug_code, d.name AS drug_name, d.strength, d.unit, d.controlled"
    };
}
pub(super) use drug_columns;

#[derive(Debug, FromRow)]
pub(super) struct DrugRow {
    pub drug_id: DrugId,
    drug_code: String,
    drug_name: String,
    strength: String,
    unit: String,
    controlled: bool,
}

impl From<DrugRow> for Named {
    fn from(row: DrugRow) -> Named {
        Named {
            id: row.drug_id,
            code: row.drug_code,
            name: row.drug_name,
            strength: row.strength,
            unit: row.unit,
            controlled: row.controlled,
        }
    }
}

/// `w.id AS ward_id, w.code AS ward_code, w.name AS ward_name`
#[derive(Debug, FromRow)]
struct WardRow {
    ward_id: WardId,
    ward_code: String,
    ward_name: String,
}

impl From<WardRow> for At {
    fn from(row: WardRow) -> At {
        At {
            id: row.ward_id,
            code: row.ward_code,
            name: row.ward_name,
        }
    }
}

/// The columns of a ward on a line: `w` is the ward.
macro_rules! ward_columns {
    () => {
        "w.id AS ward_id, w.code AS ward_code, w.name AS ward_name"
    };
}
use ward_columns;
