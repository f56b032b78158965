//! What the desk's transaction reads under lock and writes: a fixed number of statements for a batch, however many
//! operations are in it.

mod apply;
pub(super) mod charts;
mod cupboard_apply;
mod emergency;
mod load;
mod postgres;
mod rare;
mod sqlite;

use std::collections::BTreeSet;

use super::{List, Sql};
use crate::domain::{DrugId, WardId};

pub use apply::{Memory, apply};
pub(super) use apply::{Rows, heads, json};
pub(super) use load::{
    DISCREPANCIES, ENTRIES, ENTRY_LOTS, GIVEN, LATER_GIVEN, LEVELS, NEXT_OPEN, ORDERS, RECENT,
    RECOUNTS, REMEMBERED, STOCK, STOCK_LOTS, TRANSFER_LOTS, TRANSFERS, UNEXPLAINED, as_hash, given,
    near_order,
};
pub use load::{Remembered, load, remembered, remembers};
pub(super) use sqlite::hex;

/// Stock and the heads of its register pages, as each engine is told.
pub(super) const WRITE_STOCK: Sql = Sql::each(sqlite::WRITE_STOCK, postgres::WRITE_STOCK);

/// Orders that leave `active`, as each engine is told.
pub(super) const CLOSE_ORDERS: Sql = Sql::each(sqlite::CLOSE_ORDERS, postgres::CLOSE_ORDERS);

fn split(pages: &BTreeSet<(WardId, DrugId)>) -> (List<i64>, List<i64>) {
    (
        List(pages.iter().map(|(ward, _)| ward.0).collect()),
        List(pages.iter().map(|(_, drug)| drug.0).collect()),
    )
}
