//! Loading what the cupboard's operations touch beside stock: only in batches that hold such operations, and lots only
//! of stock that has some.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::tz::TimeZone;
use sqlx::FromRow;
use uuid::Uuid;

use super::split;
use crate::domain::cupboard::{DiscrepancyStatus, Levels, TransferStatus};
use crate::domain::decide::{
    Cupboard, Discrepancy, KnownLot, Loaded, Stock, Transfer, TransferLot,
};
use crate::domain::lots::HeldLot;
use crate::domain::{
    CountId, DiscrepancyId, DrugId, Operation, Quantity, Request, TransferId, WardId,
};
use crate::store::{At, Day, Link, List, Sql, StoreError};

/// Transfers, locked where the engine locks rows.
pub(in crate::store) const TRANSFERS: Sql = {
    macro_rules! sql {
        ($which:literal) => {
            concat!(
                "SELECT t.id, t.drug_id, t.source_ward_id, t.destination_ward_id, t.quantity, t.received, t.status, ",
                "u.name AS receiver, t.received_at FROM drug_transfers t LEFT JOIN users u ON u.id = t.receiver_id ",
                $which
            )
        };
    }
    Sql::each(
        sql!("WHERE t.id IN (SELECT unhex(value) FROM json_each($1))"),
        sql!("WHERE t.id = ANY($1) ORDER BY t.id FOR UPDATE OF t"),
    )
};

/// Differences, likewise.
pub(in crate::store) const DISCREPANCIES: Sql = {
    macro_rules! sql {
        ($which:literal) => {
            concat!(
                "SELECT d.id, d.ward_id, d.drug_id, d.quantity, d.transfer_id, d.count_id, d.status, ",
                "u.name AS settled_by, d.resolved_at FROM discrepancies d LEFT JOIN users u ON u.id = d.resolved_by ",
                $which
            )
        };
    }
    Sql::each(
        sql!("WHERE d.id IN (SELECT unhex(value) FROM json_each($1))"),
        sql!("WHERE d.id = ANY($1) ORDER BY d.id FOR UPDATE OF d"),
    )
};

/// The lots of transfers, soonest expiry first.
pub(in crate::store) const TRANSFER_LOTS: Sql = {
    macro_rules! sql {
        ($which:literal) => {
            concat!(
                "SELECT x.transfer_id, x.drug_id, x.lot, x.sent, x.received, l.expires_on, ",
                "l.recalled_at IS NOT NULL AS recalled FROM transfer_lots x ",
                "JOIN lots l ON l.drug_id = x.drug_id AND l.lot = x.lot WHERE x.transfer_id ",
                $which,
                " ORDER BY l.expires_on, x.lot"
            )
        };
    }
    Sql::each(
        sql!("IN (SELECT unhex(value) FROM json_each($1))"),
        sql!("= ANY($1)"),
    )
};

/// A query about register pages, which are given as two lists: `$columns` of `$table s`, and what else is joined.
macro_rules! of_pages {
    ($columns:literal, $table:literal, $rest:literal) => {
        Sql::each(
            concat!(
                "SELECT s.ward_id, s.drug_id, ",
                $columns,
                " FROM json_each($1) w ",
                "CROSS JOIN json_each($2) d ON d.key = w.key ",
                "CROSS JOIN ",
                $table,
                " s ON s.ward_id = w.value AND s.drug_id = d.value ",
                $rest
            ),
            concat!(
                "SELECT s.ward_id, s.drug_id, ",
                $columns,
                " FROM ",
                $table,
                " s ",
                "JOIN unnest($1::bigint[], $2::bigint[]) AS page (ward_id, drug_id) ",
                "ON s.ward_id = page.ward_id AND s.drug_id = page.drug_id ",
                $rest
            ),
        )
    };
}

/// The lots of stock, with the zone of the ward's clocks.
pub(in crate::store) const STOCK_LOTS: Sql = of_pages!(
    "s.lot, s.quantity, s.expires_on, l.recalled_at IS NOT NULL AS recalled, z.time_zone",
    "stock_lots",
    "JOIN lots l ON l.drug_id = s.drug_id AND l.lot = s.lot JOIN wards z ON z.id = s.ward_id WHERE s.quantity > 0"
);

/// Counts that wait to be repeated.
pub(in crate::store) const RECOUNTS: Sql =
    of_pages!("s.id", "stock_counts", "WHERE s.status = 'recount'");

/// Differences that wait to be explained.
pub(in crate::store) const UNEXPLAINED: Sql = of_pages!(
    "s.opened_at, u.name",
    "discrepancies",
    "JOIN users u ON u.id = s.opened_by WHERE s.status = 'unexplained'"
);

/// Threshold, par and shelf.
pub(in crate::store) const LEVELS: Sql = of_pages!(
    "s.low_stock_threshold AS threshold, COALESCE(v.par, 0) AS par, COALESCE(v.shelf, '') AS shelf",
    "drug_stock",
    "LEFT JOIN stock_levels v ON v.ward_id = s.ward_id AND v.drug_id = s.drug_id"
);

/// Lots by drug and name.
pub(in crate::store) const LOTS: Sql = Sql::each(
    "SELECT s.drug_id, s.lot, s.expires_on, s.recalled_at IS NOT NULL AS recalled FROM json_each($1) d \
     CROSS JOIN json_each($2) l ON l.key = d.key CROSS JOIN lots s ON s.drug_id = d.value AND s.lot = l.value",
    "SELECT s.drug_id, s.lot, s.expires_on, s.recalled_at IS NOT NULL AS recalled FROM lots s \
     JOIN unnest($1::bigint[], $2::text[]) AS named (drug_id, lot) ON s.drug_id = named.drug_id AND s.lot = named.lot",
);

/// Wards that hold some of a lot.
pub(in crate::store) const HOLDERS: Sql = Sql::each(
    "SELECT s.drug_id, s.lot, s.ward_id FROM json_each($1) d CROSS JOIN json_each($2) l ON l.key = d.key \
     CROSS JOIN stock_lots s ON s.drug_id = d.value AND s.lot = l.value WHERE s.quantity > 0 ORDER BY s.ward_id",
    "SELECT s.drug_id, s.lot, s.ward_id FROM stock_lots s \
     JOIN unnest($1::bigint[], $2::text[]) AS named (drug_id, lot) ON s.drug_id = named.drug_id AND s.lot = named.lot \
     WHERE s.quantity > 0 ORDER BY s.ward_id",
);

#[derive(Debug, FromRow)]
struct TransferRow {
    id: TransferId,
    drug_id: DrugId,
    source_ward_id: WardId,
    destination_ward_id: WardId,
    quantity: Quantity,
    received: Option<Quantity>,
    status: TransferStatus,
    receiver: Option<String>,
    received_at: Option<At>,
}

#[derive(Debug, FromRow)]
struct TransferLotRow {
    transfer_id: TransferId,
    drug_id: DrugId,
    lot: String,
    sent: Quantity,
    received: Option<Quantity>,
    expires_on: Option<Day>,
    recalled: bool,
}

#[derive(Debug, FromRow)]
struct DiscrepancyRow {
    id: DiscrepancyId,
    ward_id: WardId,
    drug_id: DrugId,
    quantity: Quantity,
    transfer_id: Option<TransferId>,
    count_id: Option<CountId>,
    status: DiscrepancyStatus,
    settled_by: Option<String>,
    resolved_at: Option<At>,
}

/// Loads transfers, differences and lots that operations name, and says which register pages these lead to.
pub(super) async fn load_named(
    mut link: Link<'_>,
    ops: &[Operation],
    cupboard: &mut Cupboard,
) -> Result<BTreeSet<(WardId, DrugId)>, StoreError> {
    let mut pages = BTreeSet::new();
    let wanted: BTreeSet<DiscrepancyId> = ops
        .iter()
        .filter_map(|op| op.request.discrepancy())
        .collect();
    if !wanted.is_empty() {
        cupboard.discrepancies = discrepancies(link.lend(), &wanted).await?;
        pages.extend(
            cupboard
                .discrepancies
                .values()
                .map(|found| (found.ward, found.drug)),
        );
    }
    let transfers = ops.iter().filter_map(|op| match op.request {
        Request::Arrive { transfer, .. } => Some(transfer),
        _ => None,
    });
    let of_differences = cupboard
        .discrepancies
        .values()
        .filter_map(|found| found.transfer);
    let wanted: BTreeSet<TransferId> = transfers.chain(of_differences).collect();
    if !wanted.is_empty() {
        load_transfers(link.lend(), &wanted, cupboard).await?;
        for transfer in cupboard.transfers.values() {
            pages.insert((transfer.source, transfer.drug));
            pages.insert((transfer.destination, transfer.drug));
        }
    }
    let mut lots = BTreeSet::new();
    let mut recalled = BTreeSet::new();
    for op in ops {
        match &op.request {
            Request::Receive {
                drug,
                lot: Some(lot),
                ..
            } => {
                lots.insert((*drug, lot.lot.clone()));
            }
            Request::Return { what, .. }
            | Request::Waste { what, .. }
            | Request::Adjust { what, .. } => {
                lots.extend(what.lot.clone().map(|lot| (what.drug, lot)));
            }
            Request::Recall { drug, lot, .. } => {
                recalled.insert((*drug, lot.trim().to_owned()));
            }
            _ => {}
        }
    }
    if !recalled.is_empty() {
        let holders = holders(link.lend(), &recalled).await?;
        pages.extend(holders.into_iter().map(|(drug, _, ward)| (ward, drug)));
        lots.extend(recalled);
    }
    if !lots.is_empty() {
        load_lots(link, &lots, cupboard).await?;
    }
    Ok(pages)
}

async fn discrepancies(
    link: Link<'_>,
    wanted: &BTreeSet<DiscrepancyId>,
) -> Result<HashMap<DiscrepancyId, Discrepancy>, StoreError> {
    let ids = List(wanted.iter().map(|id| id.0).collect::<Vec<Uuid>>());
    let rows = fetch!(all, link, DiscrepancyRow, DISCREPANCIES, ids)?;
    let found = rows.into_iter().map(|row| {
        let found = Discrepancy {
            ward: row.ward_id,
            drug: row.drug_id,
            quantity: row.quantity,
            transfer: row.transfer_id,
            count: row.count_id,
            status: row.status,
            settled: row.settled_by.zip(row.resolved_at.map(|at| at.0)),
        };
        (row.id, found)
    });
    Ok(found.collect())
}

async fn load_transfers(
    mut link: Link<'_>,
    wanted: &BTreeSet<TransferId>,
    cupboard: &mut Cupboard,
) -> Result<(), StoreError> {
    let ids = || List(wanted.iter().map(|id| id.0).collect::<Vec<Uuid>>());
    for row in fetch!(all, link.lend(), TransferRow, TRANSFERS, ids())? {
        let transfer = Transfer {
            drug: row.drug_id,
            source: row.source_ward_id,
            destination: row.destination_ward_id,
            quantity: row.quantity,
            received: row.received,
            status: row.status,
            receiver: row.receiver.zip(row.received_at.map(|at| at.0)),
            lots: Vec::new(),
        };
        cupboard.transfers.insert(row.id, transfer);
    }
    for row in fetch!(all, link, TransferLotRow, TRANSFER_LOTS, ids())? {
        let known = KnownLot {
            expires_on: row.expires_on.map(|day| day.0),
            recalled: row.recalled,
        };
        cupboard.lots.insert((row.drug_id, row.lot.clone()), known);
        if let Some(transfer) = cupboard.transfers.get_mut(&row.transfer_id) {
            transfer.lots.push(TransferLot {
                lot: row.lot,
                sent: row.sent,
                received: row.received,
            });
        }
    }
    Ok(())
}

/// Drugs and names as two lists. PostgreSQL takes no text with NUL in it, and no lot is called that.
fn named(lots: &BTreeSet<(DrugId, String)>) -> (List<i64>, List<String>) {
    let known = lots.iter().filter(|(_, lot)| !lot.contains('\0'));
    let (drugs, lots) = known.map(|(drug, lot)| (drug.0, lot.clone())).unzip();
    (List(drugs), List(lots))
}

async fn holders(
    link: Link<'_>,
    lots: &BTreeSet<(DrugId, String)>,
) -> Result<Vec<(DrugId, String, WardId)>, StoreError> {
    let (drugs, lots) = named(lots);
    fetch!(all, link, (DrugId, String, WardId), HOLDERS, drugs, lots)
}

async fn load_lots(
    link: Link<'_>,
    lots: &BTreeSet<(DrugId, String)>,
    cupboard: &mut Cupboard,
) -> Result<(), StoreError> {
    let (drugs, lots) = named(lots);
    let rows = fetch!(
        all,
        link,
        (DrugId, String, Option<Day>, bool),
        LOTS,
        drugs,
        lots
    )?;
    for (drug, lot, expires_on, recalled) in rows {
        let known = KnownLot {
            expires_on: expires_on.map(|day| day.0),
            recalled,
        };
        cupboard.lots.insert((drug, lot), known);
    }
    Ok(())
}

/// Loads the lots of stock that has some, and, where lots are named, the calendars of the wards.
pub(super) async fn load_stock_lots(
    mut link: Link<'_>,
    ops: &[Operation],
    with_lots: &BTreeSet<(WardId, DrugId)>,
    loaded: &mut Loaded,
) -> Result<(), StoreError> {
    #[derive(FromRow)]
    struct Row {
        ward_id: WardId,
        drug_id: DrugId,
        lot: String,
        quantity: Quantity,
        expires_on: Day,
        recalled: bool,
        time_zone: String,
    }
    if !with_lots.is_empty() {
        let (wards, drugs) = split(with_lots);
        for row in fetch!(all, link.lend(), Row, STOCK_LOTS, wards, drugs)? {
            loaded
                .cupboard
                .zones
                .entry(row.ward_id)
                .or_insert_with(|| zone(&row.time_zone));
            let Some(stock) = loaded.stock.get_mut(&(row.ward_id, row.drug_id)) else {
                continue;
            };
            stock.lots.push(HeldLot {
                lot: row.lot,
                expires_on: row.expires_on.0,
                recalled: row.recalled,
                quantity: row.quantity,
                before: Some(row.quantity),
            });
        }
    }
    // A lot that nobody has heard of yet expires by the ward's calendar too.
    let received = |op: &Operation| matches!(op.request, Request::Receive { lot: Some(_), .. });
    if loaded.cupboard.lots.is_empty() && !ops.iter().any(received) {
        return Ok(());
    }
    let sql = Sql::each(
        "SELECT id, time_zone FROM wards WHERE id IN (SELECT value FROM json_each($1))",
        "SELECT id, time_zone FROM wards WHERE id = ANY($1)",
    );
    let wards = List(loaded.wards.keys().map(|ward| ward.0).collect::<Vec<i64>>());
    for (ward, name) in fetch!(all, link, (WardId, String), sql, wards)? {
        loaded
            .cupboard
            .zones
            .entry(ward)
            .or_insert_with(|| zone(&name));
    }
    Ok(())
}

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap_or(TimeZone::UTC)
}

/// Loads what counts and levels need to know of their pages.
pub(super) async fn load_pages(
    mut link: Link<'_>,
    ops: &[Operation],
    cupboard: &mut Cupboard,
) -> Result<(), StoreError> {
    let mut counted = BTreeSet::new();
    let mut levelled = BTreeSet::new();
    for op in ops {
        match &op.request {
            Request::Count { ward, drug, .. } => {
                counted.insert((*ward, *drug));
            }
            Request::SetLevels { ward, drug, .. } => {
                levelled.insert((*ward, *drug));
            }
            _ => {}
        }
    }
    if !counted.is_empty() {
        let (wards, drugs) = split(&counted);
        let rows = fetch!(
            all,
            link.lend(),
            (WardId, DrugId, CountId),
            RECOUNTS,
            wards,
            drugs
        )?;
        let waiting = rows
            .into_iter()
            .map(|(ward, drug, count)| ((ward, drug), count));
        cupboard.recounts = waiting.collect();
        let (wards, drugs) = split(&counted);
        let rows = fetch!(
            all,
            link.lend(),
            (WardId, DrugId, At, String),
            UNEXPLAINED,
            wards,
            drugs
        )?;
        let found = rows
            .into_iter()
            .map(|(ward, drug, at, by)| ((ward, drug), (at.0, by)));
        cupboard.unexplained = found.collect();
    }
    if !levelled.is_empty() {
        let (wards, drugs) = split(&levelled);
        type Row = (WardId, DrugId, Quantity, Quantity, String);
        let rows = fetch!(all, link, Row, LEVELS, wards, drugs)?;
        let levels = rows.into_iter().map(|(ward, drug, threshold, par, shelf)| {
            let levels = Levels {
                threshold,
                par,
                shelf,
            };
            ((ward, drug), levels)
        });
        cupboard.levels = levels.collect();
    }
    Ok(())
}

/// What becomes of the lots of a stock: those that changed, and how many there are where that changed.
pub(in super::super) fn changed_lots(
    stock: &HashMap<(WardId, DrugId), Stock>,
) -> BTreeMap<(WardId, DrugId), Vec<&HeldLot>> {
    let mut changed = BTreeMap::new();
    for (page, stock) in stock {
        let lots: Vec<&HeldLot> = stock
            .lots
            .iter()
            .filter(|lot| lot.before != Some(lot.quantity))
            .collect();
        if !lots.is_empty() {
            changed.insert(*page, lots);
        }
    }
    changed
}
