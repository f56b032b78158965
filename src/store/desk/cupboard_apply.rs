//! Writing what operations on the cupboard decided: a statement for each kind of row, only where there are any.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde::Serialize;
use serde_json::{Value, json};

use super::apply::json;
use super::load::changed_lots;
use crate::domain::cupboard::CountStatus;
use crate::domain::decide::{Changes, LedgerEntry, Of, Stock};
use crate::domain::{DrugId, WardId};
use crate::store::error::changed;
use crate::store::{At, Day, Link, Sql, StoreError};

/// Writes rows, as one JSON value that each engine takes apart, and counts them.
async fn write<T: Serialize>(
    link: Link<'_>,
    what: &'static str,
    sql: Sql,
    rows: &[T],
) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    changed(what, execute!(link, sql, json(rows)?)?, rows.len())
}

fn key(id: uuid::Uuid) -> String {
    id.simple().to_string()
}

/// Lots that were not known: before the stock that is of them.
pub(super) async fn write_lots(mut link: Link<'_>, changes: &Changes) -> Result<(), StoreError> {
    // One that another process names at the same moment is a conflict on PostgreSQL, and the batch is done again.
    let sql = Sql::each(
        "INSERT INTO lots (drug_id, lot, expires_on, recall_reason) SELECT r.value ->> 'd', r.value ->> 'l', \
         r.value ->> 'x', '' FROM json_each($1) r WHERE true ON CONFLICT DO NOTHING",
        "INSERT INTO lots (drug_id, lot, expires_on, recall_reason) SELECT d, l, x, '' \
         FROM json_to_recordset($1::json) AS r (d bigint, l text, x date) ON CONFLICT DO NOTHING",
    );
    let rows: Vec<Value> = changes
        .lots
        .iter()
        .map(|(drug, lot)| json!({ "d": drug, "l": lot.lot, "x": Day(lot.expires_on) }))
        .collect();
    write(link.lend(), "lots", sql, &rows).await?;
    let sql = Sql::each(
        "INSERT INTO lots (drug_id, lot, recalled_at, recalled_by, recall_reason) SELECT r.value ->> 'd', \
         r.value ->> 'l', r.value ->> 'at', r.value ->> 'by', r.value ->> 'why' FROM json_each($1) r WHERE true \
         ON CONFLICT (drug_id, lot) DO UPDATE SET recalled_at = excluded.recalled_at, \
         recalled_by = excluded.recalled_by, recall_reason = excluded.recall_reason WHERE lots.recalled_at IS NULL",
        "INSERT INTO lots (drug_id, lot, recalled_at, recalled_by, recall_reason) \
         SELECT d, l, 'epoch'::timestamptz + at * interval '1 microsecond', by, why \
         FROM json_to_recordset($1::json) AS r (d bigint, l text, at bigint, by bigint, why text) \
         ON CONFLICT (drug_id, lot) DO UPDATE SET recalled_at = excluded.recalled_at, \
         recalled_by = excluded.recalled_by, recall_reason = excluded.recall_reason WHERE lots.recalled_at IS NULL",
    );
    let rows: Vec<Value> = changes
        .recalled
        .iter()
        .map(|r| json!({ "d": r.drug, "l": r.lot, "at": At::from(r.at), "by": r.by, "why": r.reason }))
        .collect();
    write(link.lend(), "recalled lots", sql, &rows).await?;
    touch_holders(link, changes).await
}

/// A dose that another process has decided on the lots as they were must not commit after the recall: the rows that it
/// has to write are written here first, so that PostgreSQL has it done again. Nothing in them changes.
async fn touch_holders(link: Link<'_>, changes: &Changes) -> Result<(), StoreError> {
    let pages: BTreeSet<(WardId, DrugId)> = changes
        .recalled
        .iter()
        .flat_map(|recalled| recalled.holders.iter().map(|ward| (*ward, recalled.drug)))
        .collect();
    let rows: Vec<Value> = pages
        .iter()
        .map(|(w, d)| json!({ "w": w, "d": d }))
        .collect();
    let sql = Sql::each(
        "UPDATE drug_stock SET lots = lots FROM json_each($1) r \
         WHERE ward_id = r.value ->> 'w' AND drug_id = r.value ->> 'd'",
        "UPDATE drug_stock s SET lots = s.lots FROM json_to_recordset($1::json) AS r (w bigint, d bigint) \
         WHERE s.ward_id = r.w AND s.drug_id = r.d",
    );
    write(link, "stock of recalled lots", sql, &rows).await
}

/// What lies in the wards of each lot, and what each register row did to it.
pub(super) async fn write_stock_lots(
    mut link: Link<'_>,
    ledger: &[LedgerEntry],
    stock: &HashMap<(WardId, DrugId), Stock>,
) -> Result<(), StoreError> {
    if ledger.iter().all(|entry| entry.lots.is_empty()) {
        return Ok(());
    }
    let pages = changed_lots(stock);
    let (mut laid, mut moved, mut counts) = (Vec::new(), Vec::new(), Vec::new());
    for ((ward, drug), lots) in &pages {
        for lot in lots {
            let row = json!({ "w": ward, "d": drug, "l": lot.lot, "q": lot.quantity, "b": lot.before,
                "x": Day(lot.expires_on) });
            if lot.before.is_some() {
                moved.push(row);
            } else {
                laid.push(row);
            }
        }
        let held = &stock[&(*ward, *drug)].lots;
        let there = held.iter().filter(|lot| lot.quantity.is_positive()).count();
        let was = held
            .iter()
            .filter(|lot| lot.before.is_some_and(|q| q.is_positive()))
            .count();
        if there != was {
            counts.push(json!({ "w": ward, "d": drug, "n": there, "was": was }));
        }
    }
    // A lot of which the ward had some once has a row that says nothing is left.
    let sql = Sql::each(
        "INSERT INTO stock_lots (ward_id, drug_id, lot, quantity, expires_on) SELECT r.value ->> 'w', r.value ->> 'd', \
         r.value ->> 'l', r.value ->> 'q', r.value ->> 'x' FROM json_each($1) r WHERE true \
         ON CONFLICT (ward_id, drug_id, lot) DO UPDATE SET quantity = excluded.quantity WHERE stock_lots.quantity = 0",
        "INSERT INTO stock_lots (ward_id, drug_id, lot, quantity, expires_on) SELECT w, d, l, q, x \
         FROM json_to_recordset($1::json) AS r (w bigint, d bigint, l text, q bigint, x date) \
         ON CONFLICT (ward_id, drug_id, lot) DO UPDATE SET quantity = excluded.quantity WHERE stock_lots.quantity = 0",
    );
    write(link.lend(), "new lots of stock", sql, &laid).await?;
    let sql = Sql::each(
        "UPDATE stock_lots SET quantity = r.value ->> 'q' FROM json_each($1) r WHERE ward_id = r.value ->> 'w' \
         AND drug_id = r.value ->> 'd' AND lot = r.value ->> 'l' AND quantity = r.value ->> 'b'",
        "UPDATE stock_lots s SET quantity = r.q FROM json_to_recordset($1::json) \
         AS r (w bigint, d bigint, l text, q bigint, b bigint) \
         WHERE s.ward_id = r.w AND s.drug_id = r.d AND s.lot = r.l AND s.quantity = r.b",
    );
    write(link.lend(), "lots of stock", sql, &moved).await?;
    let sql = Sql::each(
        "UPDATE drug_stock SET lots = r.value ->> 'n' FROM json_each($1) r WHERE ward_id = r.value ->> 'w' \
         AND drug_id = r.value ->> 'd' AND lots = r.value ->> 'was'",
        "UPDATE drug_stock s SET lots = r.n FROM json_to_recordset($1::json) AS r (w bigint, d bigint, n bigint, was bigint) \
         WHERE s.ward_id = r.w AND s.drug_id = r.d AND s.lots = r.was",
    );
    write(link.lend(), "number of lots", sql, &counts).await?;
    write_moves(link, ledger).await
}

async fn write_moves(link: Link<'_>, ledger: &[LedgerEntry]) -> Result<(), StoreError> {
    let mut rows = Vec::new();
    for entry in ledger {
        let out = !entry.row.delta.is_positive();
        for part in &entry.lots {
            let delta = if out { -part.quantity } else { part.quantity };
            rows.push(json!({ "w": entry.row.ward, "d": entry.row.drug, "s": entry.row.seq, "l": part.lot, "q": delta }));
        }
    }
    let sql = Sql::each(
        "INSERT INTO lot_moves (ward_id, drug_id, seq, lot, delta) SELECT r.value ->> 'w', r.value ->> 'd', \
         r.value ->> 's', r.value ->> 'l', r.value ->> 'q' FROM json_each($1) r",
        "INSERT INTO lot_moves (ward_id, drug_id, seq, lot, delta) SELECT w, d, s, l, q \
         FROM json_to_recordset($1::json) AS r (w bigint, d bigint, s bigint, l text, q bigint)",
    );
    write(link, "moves of lots", sql, &rows).await
}

/// Everything else.
pub(super) async fn write_changes(mut link: Link<'_>, changes: &Changes) -> Result<(), StoreError> {
    send(link.lend(), changes).await?;
    arrive(link.lend(), changes).await?;
    count(link.lend(), changes).await?;
    open(link.lend(), changes).await?;
    settle(link.lend(), changes).await?;
    set_levels(link, changes).await
}

async fn send(mut link: Link<'_>, changes: &Changes) -> Result<(), StoreError> {
    let rows: Vec<Value> = changes
        .sent
        .iter()
        .map(|t| {
            json!({ "id": key(t.id.0), "d": t.drug, "s": t.source, "t": t.destination, "q": t.quantity,
                "by": t.by, "at": At::from(t.at), "op": key(t.op.0), "note": t.note })
        })
        .collect();
    let sql = Sql::each(
        "INSERT INTO drug_transfers (id, drug_id, source_ward_id, destination_ward_id, quantity, received, status, \
         pharmacist_id, transfer_date, op_id, note) SELECT unhex(r.value ->> 'id'), r.value ->> 'd', r.value ->> 's', \
         r.value ->> 't', r.value ->> 'q', NULL, 'sent', r.value ->> 'by', r.value ->> 'at', unhex(r.value ->> 'op'), \
         r.value ->> 'note' FROM json_each($1) r",
        "INSERT INTO drug_transfers (id, drug_id, source_ward_id, destination_ward_id, quantity, received, status, \
         pharmacist_id, transfer_date, op_id, note) SELECT id, d, s, t, q, NULL, 'sent', by, \
         'epoch'::timestamptz + at * interval '1 microsecond', op, note FROM json_to_recordset($1::json) \
         AS r (id uuid, d bigint, s bigint, t bigint, q bigint, by bigint, at bigint, op uuid, note text)",
    );
    write(link.lend(), "transfers", sql, &rows).await?;
    let rows: Vec<Value> = changes
        .sent
        .iter()
        .flat_map(|t| {
            t.lots.iter().map(
                |part| json!({ "id": key(t.id.0), "d": t.drug, "l": part.lot, "q": part.quantity }),
            )
        })
        .collect();
    let sql = Sql::each(
        "INSERT INTO transfer_lots (transfer_id, drug_id, lot, sent) SELECT unhex(r.value ->> 'id'), r.value ->> 'd', \
         r.value ->> 'l', r.value ->> 'q' FROM json_each($1) r",
        "INSERT INTO transfer_lots (transfer_id, drug_id, lot, sent) SELECT id, d, l, q \
         FROM json_to_recordset($1::json) AS r (id uuid, d bigint, l text, q bigint)",
    );
    write(link, "lots of transfers", sql, &rows).await
}

async fn arrive(mut link: Link<'_>, changes: &Changes) -> Result<(), StoreError> {
    let rows: Vec<Value> = changes
        .arrived
        .iter()
        .map(|a| {
            json!({ "id": key(a.id.0), "q": a.received, "to": a.status.as_str(), "by": a.by, "at": At::from(a.at) })
        })
        .collect();
    let sql = Sql::each(
        "UPDATE drug_transfers SET received = r.value ->> 'q', status = r.value ->> 'to', receiver_id = r.value ->> 'by', \
         received_at = r.value ->> 'at' FROM json_each($1) r \
         WHERE drug_transfers.id = unhex(r.value ->> 'id') AND +status = 'sent'",
        "UPDATE drug_transfers t SET received = r.q, status = r.to_status, receiver_id = r.by, \
         received_at = 'epoch'::timestamptz + r.at * interval '1 microsecond' FROM \
         (SELECT id, q, \"to\" AS to_status, by, at FROM json_to_recordset($1::json) \
         AS x (id uuid, q bigint, \"to\" text, by bigint, at bigint)) r WHERE t.id = r.id AND t.status = 'sent'",
    );
    write(link.lend(), "arrivals", sql, &rows).await?;
    let rows: Vec<Value> = changes
        .arrived
        .iter()
        .flat_map(|a| {
            a.lots
                .iter()
                .map(|part| json!({ "id": key(a.id.0), "l": part.lot, "q": part.quantity }))
        })
        .collect();
    let sql = Sql::each(
        "UPDATE transfer_lots SET received = r.value ->> 'q' FROM json_each($1) r \
         WHERE transfer_id = unhex(r.value ->> 'id') AND lot = r.value ->> 'l' AND received IS NULL",
        "UPDATE transfer_lots x SET received = r.q FROM json_to_recordset($1::json) AS r (id uuid, l text, q bigint) \
         WHERE x.transfer_id = r.id AND x.lot = r.l AND x.received IS NULL",
    );
    write(link.lend(), "lots of arrivals", sql, &rows).await?;
    let rows: Vec<Value> = changes
        .resolved
        .iter()
        .map(|id| json!({ "id": key(id.0) }))
        .collect();
    let sql = Sql::each(
        "UPDATE drug_transfers SET status = 'resolved' FROM json_each($1) r \
         WHERE drug_transfers.id = unhex(r.value ->> 'id') AND +status = 'short'",
        "UPDATE drug_transfers t SET status = 'resolved' FROM json_to_recordset($1::json) AS r (id uuid) \
         WHERE t.id = r.id AND t.status = 'short'",
    );
    write(link, "resolved transfers", sql, &rows).await
}

async fn count(mut link: Link<'_>, changes: &Changes) -> Result<(), StoreError> {
    let new: HashSet<_> = changes.counts.iter().map(|count| count.id).collect();
    let repeated: HashSet<_> = changes.recounted.iter().copied().collect();
    let rows: Vec<Value> = changes
        .recounted
        .iter()
        .filter(|id| !new.contains(id))
        .map(|id| json!({ "id": key(id.0) }))
        .collect();
    let sql = Sql::each(
        "UPDATE stock_counts SET status = 'recounted' FROM json_each($1) r \
         WHERE stock_counts.id = unhex(r.value ->> 'id') AND +status = 'recount'",
        "UPDATE stock_counts c SET status = 'recounted' FROM json_to_recordset($1::json) AS r (id uuid) \
         WHERE c.id = r.id AND c.status = 'recount'",
    );
    write(link.lend(), "repeated counts", sql, &rows).await?;
    let rows: Vec<Value> = changes
        .counts
        .iter()
        .map(|c| {
            // One that was repeated within the batch is written as what it is at the end of it.
            let status = if repeated.contains(&c.id) {
                CountStatus::Recounted
            } else {
                c.status
            };
            json!({ "id": key(c.id.0), "w": c.ward, "d": c.drug, "seq": c.seq, "c": c.counted, "e": c.expected,
                "st": status.as_str(), "re": c.recounts.map(|id| key(id.0)), "by": c.by, "wit": c.witness,
                "at": At::from(c.at), "op": key(c.op.0) })
        })
        .collect();
    let sql = Sql::each(
        "INSERT INTO stock_counts (id, ward_id, drug_id, seq, counted, expected, status, recounts, user_id, witness_id, \
         at, op_id) SELECT unhex(r.value ->> 'id'), r.value ->> 'w', r.value ->> 'd', r.value ->> 'seq', r.value ->> 'c', \
         r.value ->> 'e', r.value ->> 'st', unhex(r.value ->> 're'), r.value ->> 'by', r.value ->> 'wit', \
         r.value ->> 'at', unhex(r.value ->> 'op') FROM json_each($1) r",
        "INSERT INTO stock_counts (id, ward_id, drug_id, seq, counted, expected, status, recounts, user_id, witness_id, \
         at, op_id) SELECT id, w, d, seq, c, e, st, re, by, wit, 'epoch'::timestamptz + at * interval '1 microsecond', op \
         FROM json_to_recordset($1::json) AS r (id uuid, w bigint, d bigint, seq bigint, c bigint, e bigint, st text, \
         re uuid, by bigint, wit bigint, at bigint, op uuid)",
    );
    write(link, "counts", sql, &rows).await
}

async fn open(link: Link<'_>, changes: &Changes) -> Result<(), StoreError> {
    let rows: Vec<Value> = changes
        .opened
        .iter()
        .map(|d| {
            let (transfer, count) = match d.of {
                Of::Transfer(id) => (Some(key(id.0)), None),
                Of::Count(id) => (None, Some(key(id.0))),
            };
            json!({ "id": key(d.id.0), "w": d.ward, "d": d.drug, "q": d.quantity, "t": transfer, "c": count,
                "st": d.status.as_str(), "at": At::from(d.at), "by": d.by })
        })
        .collect();
    let sql = Sql::each(
        "INSERT INTO discrepancies (id, ward_id, drug_id, quantity, transfer_id, count_id, status, opened_at, opened_by, \
         reason, resolved_reason) SELECT unhex(r.value ->> 'id'), r.value ->> 'w', r.value ->> 'd', r.value ->> 'q', \
         unhex(r.value ->> 't'), unhex(r.value ->> 'c'), r.value ->> 'st', r.value ->> 'at', r.value ->> 'by', '', '' \
         FROM json_each($1) r",
        "INSERT INTO discrepancies (id, ward_id, drug_id, quantity, transfer_id, count_id, status, opened_at, opened_by, \
         reason, resolved_reason) SELECT id, w, d, q, t, c, st, 'epoch'::timestamptz + at * interval '1 microsecond', by, \
         '', '' FROM json_to_recordset($1::json) AS r (id uuid, w bigint, d bigint, q bigint, t uuid, c uuid, st text, \
         at bigint, by bigint)",
    );
    write(link, "discrepancies", sql, &rows).await
}

async fn settle(mut link: Link<'_>, changes: &Changes) -> Result<(), StoreError> {
    let rows: Vec<Value> = changes
        .explained
        .iter()
        .map(|e| json!({ "id": key(e.id.0), "by": e.by, "at": At::from(e.at), "why": e.reason }))
        .collect();
    let sql = Sql::each(
        "UPDATE discrepancies SET status = 'open', explained_by = r.value ->> 'by', explained_at = r.value ->> 'at', \
         reason = r.value ->> 'why' FROM json_each($1) r \
         WHERE discrepancies.id = unhex(r.value ->> 'id') AND +status = 'unexplained'",
        "UPDATE discrepancies d SET status = 'open', explained_by = r.by, \
         explained_at = 'epoch'::timestamptz + r.at * interval '1 microsecond', reason = r.why \
         FROM json_to_recordset($1::json) AS r (id uuid, by bigint, at bigint, why text) \
         WHERE d.id = r.id AND d.status = 'unexplained'",
    );
    write(link.lend(), "explanations", sql, &rows).await?;
    let rows: Vec<Value> = changes
        .settled
        .iter()
        .map(|s| {
            json!({ "id": key(s.id.0), "was": s.was.as_str(), "how": s.resolution.as_str(), "by": s.by,
                "wit": s.witness, "at": At::from(s.at), "why": s.reason })
        })
        .collect();
    let sql = Sql::each(
        "UPDATE discrepancies SET status = 'resolved', resolution = r.value ->> 'how', resolved_by = r.value ->> 'by', \
         witness_id = r.value ->> 'wit', resolved_at = r.value ->> 'at', resolved_reason = r.value ->> 'why' \
         FROM json_each($1) r WHERE discrepancies.id = unhex(r.value ->> 'id') AND +status = r.value ->> 'was'",
        "UPDATE discrepancies d SET status = 'resolved', resolution = r.how, resolved_by = r.by, witness_id = r.wit, \
         resolved_at = 'epoch'::timestamptz + r.at * interval '1 microsecond', resolved_reason = r.why \
         FROM json_to_recordset($1::json) \
         AS r (id uuid, was text, how text, by bigint, wit bigint, at bigint, why text) \
         WHERE d.id = r.id AND d.status = r.was",
    );
    write(link, "resolved discrepancies", sql, &rows).await
}

async fn set_levels(mut link: Link<'_>, changes: &Changes) -> Result<(), StoreError> {
    // Set twice in a batch: the last one holds.
    let last: HashMap<_, _> = changes
        .levels
        .iter()
        .map(|(page, levels)| (*page, levels))
        .collect();
    let rows: Vec<Value> = last
        .iter()
        .map(|((w, d), l)| json!({ "w": w, "d": d, "low": l.threshold, "par": l.par, "shelf": l.shelf }))
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    let sql = Sql::each(
        "INSERT INTO drug_stock (ward_id, drug_id, current_stock, low_stock_threshold, ledger_seq, ledger_hash) \
         SELECT r.value ->> 'w', r.value ->> 'd', 0, 0, 0, zeroblob(32) FROM json_each($1) r WHERE true \
         ON CONFLICT DO NOTHING",
        "INSERT INTO drug_stock (ward_id, drug_id, current_stock, low_stock_threshold, ledger_seq, ledger_hash) \
         SELECT w, d, 0, 0, 0, decode(repeat('00', 32), 'hex') FROM json_to_recordset($1::json) AS r (w bigint, d bigint) \
         ORDER BY 1, 2 ON CONFLICT DO NOTHING",
    );
    // Mostly the ward stocks it already, and there is nothing to add.
    execute!(link.lend(), sql, json(&rows)?)?;
    let sql = Sql::each(
        "UPDATE drug_stock SET low_stock_threshold = r.value ->> 'low' FROM json_each($1) r \
         WHERE ward_id = r.value ->> 'w' AND drug_id = r.value ->> 'd'",
        "UPDATE drug_stock s SET low_stock_threshold = r.low FROM json_to_recordset($1::json) \
         AS r (w bigint, d bigint, low bigint) WHERE s.ward_id = r.w AND s.drug_id = r.d",
    );
    write(link.lend(), "thresholds", sql, &rows).await?;
    let sql = Sql::each(
        "INSERT INTO stock_levels (ward_id, drug_id, par, shelf) SELECT r.value ->> 'w', r.value ->> 'd', \
         r.value ->> 'par', r.value ->> 'shelf' FROM json_each($1) r WHERE true \
         ON CONFLICT (ward_id, drug_id) DO UPDATE SET par = excluded.par, shelf = excluded.shelf",
        "INSERT INTO stock_levels (ward_id, drug_id, par, shelf) SELECT w, d, par, shelf \
         FROM json_to_recordset($1::json) AS r (w bigint, d bigint, par bigint, shelf text) \
         ON CONFLICT (ward_id, drug_id) DO UPDATE SET par = excluded.par, shelf = excluded.shelf",
    );
    write(link, "levels", sql, &rows).await
}
