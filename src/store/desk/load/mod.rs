//! Loading and locking: what every batch touches stands here and in `orders` and `stock`; what only some need (names for
//! a refusal) is asked for only for those.

mod cupboard;
mod emergency;
mod entries;
mod names;
mod orders;
mod recent;
mod stock;

use std::collections::BTreeSet;

use jiff::Timestamp;
use sqlx::FromRow;
use uuid::Uuid;

use super::split;
use crate::domain::decide::Loaded;
use crate::domain::{DrugId, OpId, Operation, OrderId, Policy, Request, WardId};
use crate::store::{At, Link, List, Sql, StoreError, accounts};

pub(super) use cupboard::changed_lots;
pub(in crate::store) use cupboard::{
    DISCREPANCIES, LEVELS, RECOUNTS, STOCK_LOTS, TRANSFER_LOTS, TRANSFERS, UNEXPLAINED,
};
pub(in crate::store) use entries::{ENTRIES, ENTRY_LOTS, NEXT_OPEN};
pub(in crate::store) use orders::{GIVEN, ORDERS, given};
pub(in crate::store) use recent::{LATER_GIVEN, RECENT, near_order};
pub(in crate::store) use stock::{STOCK, as_hash};

/// What the desk remembers of operations.
pub(in crate::store) const REMEMBERED: Sql = Sql::each(
    "SELECT op_id, digest, outcome FROM operations WHERE op_id IN (SELECT unhex(value) FROM json_each($1))",
    "SELECT op_id, digest, outcome FROM operations WHERE op_id = ANY($1)",
);

/// What the desk remembers of an operation.
#[derive(Debug, Clone, FromRow)]
pub struct Remembered {
    /// Its id.
    pub op_id: OpId,
    /// What was asked, by whom: [`Operation::digest`].
    pub digest: Vec<u8>,
    /// The outcome, as JSON.
    pub outcome: String,
}

/// What the desk remembers of these operations.
///
/// # Errors
/// [`StoreError`].
pub async fn remembered(link: Link<'_>, ops: &[Operation]) -> Result<Vec<Remembered>, StoreError> {
    let ids = List(ops.iter().map(|op| op.id.0).collect::<Vec<Uuid>>());
    fetch!(all, link, Remembered, REMEMBERED, ids)
}

/// Whether the desk remembers this operation, as done or refused.
///
/// # Errors
/// [`StoreError`].
pub async fn remembers(link: Link<'_>, op: OpId) -> Result<bool, StoreError> {
    let found = fetch!(optional, link, Remembered, REMEMBERED, List(vec![op.0]))?;
    Ok(found.is_some())
}

/// Loads everything that the operations touch, and locks it: patients, then prescriptions, orders in key order, then stock in (ward, drug) order,
/// always this order, so that no two transactions wait for each other in a circle.
///
/// # Errors
/// [`StoreError`].
pub async fn load(
    mut link: Link<'_>,
    ops: &[Operation],
    policy: &Policy,
    now: Timestamp,
) -> Result<Loaded, StoreError> {
    let mut loaded = Loaded {
        actors: accounts::actors(
            link.lend(),
            ops.iter().flat_map(Operation::people),
            At::from(now),
        )
        .await?,
        ..Loaded::default()
    };
    // Entries of the log never change: they are read first, to know which orders to lock.
    entries::load(link.lend(), ops, &mut loaded).await?;
    let mut asked: BTreeSet<OrderId> = ops.iter().filter_map(|op| op.request.order()).collect();
    asked.extend(loaded.administrations.values().map(|entry| entry.order));
    let mut wanted = super::charts::load(link.lend(), ops, &mut loaded).await?;
    wanted.extend(&asked);
    if !wanted.is_empty() {
        loaded.orders = orders::orders(link.lend(), &wanted).await?;
        orders::load_given(link.lend(), &mut loaded.orders).await?;
    }
    let mut pages: BTreeSet<(WardId, DrugId)> = BTreeSet::new();
    for order in loaded.orders.values() {
        if asked.contains(&order.id) {
            pages.insert((order.ward, order.drug));
            // A dose that comes after its patient's move, in the same batch, is taken from where they lie then.
            let then = super::charts::wards_to_be(ops, &loaded, order.patient);
            pages.extend(then.map(|ward| (ward, order.drug)));
        }
    }
    let mut named: BTreeSet<(WardId, DrugId)> = ops
        .iter()
        .flat_map(|op| match &op.request {
            Request::Receive { ward, drug, .. }
            | Request::Count { ward, drug, .. }
            | Request::SetLevels { ward, drug, .. } => vec![(*ward, *drug)],
            Request::Send {
                source,
                destination,
                drug,
                ..
            } => vec![(*source, *drug), (*destination, *drug)],
            Request::Return { what, .. }
            | Request::Waste { what, .. }
            | Request::Adjust { what, .. } => vec![(what.ward, what.drug)],
            // They are for every ward: no page is of ward 0, and the drug gets its name.
            Request::Recall { drug, .. }
            | Request::BindCode { drug, .. }
            | Request::ReleaseCode { drug, .. } => vec![(WardId(0), *drug)],
            _ => Vec::new(),
        })
        .collect();
    named.extend(cupboard::load_named(link.lend(), ops, &mut loaded.cupboard).await?);
    if !named.is_empty() {
        names::named(link.lend(), &named, &mut loaded).await?;
        pages.extend(named);
    }
    // The stock that an entry took is that of the ward where it was made, wherever its order stands now.
    pages.extend(loaded.administrations.values().filter_map(|entry| {
        let order = loaded.orders.get(&entry.order)?;
        Some((entry.ward, order.drug))
    }));
    emergency::load(link.lend(), ops, &mut loaded).await?;
    let with_lots;
    (loaded.stock, with_lots) = stock::stock(link.lend(), &pages).await?;
    cupboard::load_stock_lots(link.lend(), ops, &with_lots, &mut loaded).await?;
    cupboard::load_pages(link.lend(), ops, &mut loaded.cupboard).await?;
    recent::load(link.lend(), ops, policy, now, &mut loaded).await?;
    names::codes(link.lend(), ops, &mut loaded).await?;
    names::strangers(link, ops, &mut loaded).await?;
    Ok(loaded)
}
