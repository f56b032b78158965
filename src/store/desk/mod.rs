//! What the desk's transaction reads under lock and writes: a fixed number of statements for a batch, however many
//! operations are in it.

mod apply;
mod load;

use std::collections::BTreeSet;

use super::List;
use crate::domain::{DrugId, WardId};

pub(super) use apply::{
    CLOSE_ORDERS, WRITE_STOCK, json, remember, write_administrations, write_ledger, write_stock,
};
pub use apply::{Memory, apply, hex};
pub(super) use load::{GIVEN, ORDERS, REMEMBERED, STOCK, as_hash, given};
pub use load::{Remembered, load, remembered};

fn split(pages: &BTreeSet<(WardId, DrugId)>) -> (List<i64>, List<i64>) {
    (
        List(pages.iter().map(|(ward, _)| ward.0).collect()),
        List(pages.iter().map(|(_, drug)| drug.0).collect()),
    )
}
