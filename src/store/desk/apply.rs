//! Writing what was decided.

use std::collections::{BTreeSet, HashMap};

use serde::Serialize;

use super::{cupboard_apply, emergency, postgres, rare, split, sqlite};
use crate::domain::decide::{Administration, Closing, Effects, LedgerEntry, Stock};
use crate::domain::ledger::Hash;
use crate::domain::{DrugId, OpId, Quantity, UserId, WardId};
use crate::store::error::changed;
use crate::store::{At, Link, Sql, StoreError};

/// One operation's place in the memory, to be written.
#[derive(Debug, Clone)]
pub struct Memory {
    /// Its id.
    pub op_id: OpId,
    /// Who asked.
    pub actor_id: UserId,
    /// [`crate::domain::Request::kind`].
    pub kind: &'static str,
    /// [`crate::domain::Operation::digest`].
    pub digest: Vec<u8>,
    /// The outcome, as JSON.
    pub outcome: String,
    /// When.
    pub at: At,
}

/// Writes what was decided: stock, orders, administrations, register, and the memory of it, with every row counted.
///
/// # Errors
/// [`StoreError`]; the transaction must then be rolled back.
pub async fn apply(
    mut link: Link<'_>,
    effects: &Effects,
    stock: &HashMap<(WardId, DrugId), Stock>,
    memory: &[Memory],
) -> Result<(), StoreError> {
    let rows = Rows {
        heads: heads(&effects.ledger, stock),
        closed: &effects.closed,
        administrations: &effects.administrations,
        ledger: &effects.ledger,
        memory,
    };
    super::charts::write(link.lend(), &effects.chart).await?;
    cupboard_apply::write_lots(link.lend(), &effects.cupboard).await?;
    rows.write(link.lend()).await?;
    cupboard_apply::write_stock_lots(link.lend(), &effects.ledger, stock).await?;
    cupboard_apply::write_changes(link.lend(), &effects.cupboard).await?;
    open_orders(link.lend(), effects).await?;
    super::charts::end(link.lend(), &effects.ended).await?;
    emergency::write(link.lend(), effects).await?;
    rare::write(link, effects).await
}

/// The rows that nearly every batch writes.
#[derive(Debug, Default)]
pub(in crate::store) struct Rows<'a> {
    /// Stock, with the heads of its register pages.
    pub heads: Vec<Head>,
    /// Orders that leave `active`.
    pub closed: &'a [Closing],
    /// Doses.
    pub administrations: &'a [Administration],
    /// Rows of the drug register.
    pub ledger: &'a [LedgerEntry],
    /// The memory of operations.
    pub memory: &'a [Memory],
}

/// What a stock row becomes.
#[derive(Debug)]
pub(in crate::store) struct Head {
    pub ward: WardId,
    pub drug: DrugId,
    pub current: Quantity,
    pub seq: i64,
    pub hash: Hash,
    /// The number of the page's last row as it was loaded: it must still be that.
    pub before: i64,
}

/// How many rows of each kind were written.
pub(super) struct Written {
    pub heads: u64,
    pub closed: u64,
    pub administrations: u64,
    pub ledger: u64,
    pub memory: u64,
}

impl Rows<'_> {
    /// Writes them, and counts them.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::RowCount`] where a row is no longer as it was loaded.
    pub async fn write(&self, mut link: Link<'_>) -> Result<(), StoreError> {
        begin_pages(link.lend(), &self.heads).await?;
        let written = match link {
            Link::Sqlite(conn) => sqlite::write(conn, self).await?,
            Link::Postgres(conn) => postgres::write(conn, self).await?,
        };
        changed("stock", written.heads, self.heads.len())?;
        changed("orders", written.closed, self.closed.len())?;
        changed(
            "administrations",
            written.administrations,
            self.administrations.len(),
        )?;
        changed("ledger", written.ledger, self.ledger.len())?;
        changed("operations", written.memory, self.memory.len())
    }
}

/// What becomes of the stock rows of these register rows. `stock` is how they stand after them.
pub(in crate::store) fn heads(
    ledger: &[LedgerEntry],
    stock: &HashMap<(WardId, DrugId), Stock>,
) -> Vec<Head> {
    // How many rows each page gets: its head must stand where it was loaded before they are written.
    let mut added: HashMap<(WardId, DrugId), i64> = HashMap::new();
    for entry in ledger {
        *added.entry((entry.row.ward, entry.row.drug)).or_default() += 1;
    }
    added
        .iter()
        .filter_map(|(page, rows)| Some((page, rows, stock.get(page)?)))
        .map(|(&(ward, drug), rows, head)| Head {
            ward,
            drug,
            current: head.current,
            seq: head.seq,
            hash: head.hash,
            before: head.seq - rows,
        })
        .collect()
}

/// Makes the stock rows of pages that have none yet. One that another process makes at the same moment is a conflict on
/// PostgreSQL, and the batch is done again.
async fn begin_pages(link: Link<'_>, heads: &[Head]) -> Result<(), StoreError> {
    let new: BTreeSet<(WardId, DrugId)> = heads
        .iter()
        .filter(|head| head.before == 0)
        .map(|head| (head.ward, head.drug))
        .collect();
    if new.is_empty() {
        return Ok(());
    }
    let (wards, drugs) = split(&new);
    let sql = Sql::each(
        "INSERT INTO drug_stock (ward_id, drug_id, current_stock, low_stock_threshold, ledger_seq, ledger_hash) \
         SELECT w.value, d.value, 0, 0, 0, zeroblob(32) FROM json_each($1) w JOIN json_each($2) d ON d.key = w.key \
         WHERE true ON CONFLICT DO NOTHING",
        "INSERT INTO drug_stock (ward_id, drug_id, current_stock, low_stock_threshold, ledger_seq, ledger_hash) \
         SELECT ward_id, drug_id, 0, 0, 0, decode(repeat('00', 32), 'hex') \
         FROM unnest($1::bigint[], $2::bigint[]) AS page (ward_id, drug_id) ORDER BY 1, 2 ON CONFLICT DO NOTHING",
    );
    execute!(link, sql, wards, drugs)?;
    Ok(())
}

/// Rows of a batch as one JSON value: `json_each` takes it apart on SQLite, `json_to_recordset` on PostgreSQL.
pub(in crate::store) fn json<T: Serialize>(rows: &[T]) -> Result<String, StoreError> {
    serde_json::to_string(rows)
        .map_err(|error| StoreError::Guarantee(format!("a batch cannot be written: {error}")))
}

#[derive(Serialize)]
struct OpeningJson {
    id: String,
    follows: String,
    at: At,
}

async fn open_orders(link: Link<'_>, effects: &Effects) -> Result<(), StoreError> {
    if effects.opened.is_empty() {
        return Ok(());
    }
    let rows: Vec<OpeningJson> = effects
        .opened
        .iter()
        .map(|o| OpeningJson {
            id: o.id.0.simple().to_string(),
            follows: o.follows.0.simple().to_string(),
            at: o.at.into(),
        })
        .collect();
    let sql = Sql::each(
        "INSERT INTO medication_orders (id, patient_id, ward_id, drug_id, prescription_id, dosage, dosage_max, due_at, \
         kind, priority, status, doctor_id, created_at, version, changed_at, changed_by, change) \
         SELECT unhex(r.value ->> 'id'), o.patient_id, o.ward_id, o.drug_id, o.prescription_id, o.dosage, o.dosage_max, \
         NULL, o.kind, o.priority, 'active', o.doctor_id, r.value ->> 'at', 1, r.value ->> 'at', NULL, \
         'opened after the dose before it' \
         FROM json_each($1) r JOIN medication_orders o ON o.id = unhex(r.value ->> 'follows')",
        "INSERT INTO medication_orders (id, patient_id, ward_id, drug_id, prescription_id, dosage, dosage_max, due_at, \
         kind, priority, status, doctor_id, created_at, version, changed_at, changed_by, change) \
         SELECT r.id, o.patient_id, o.ward_id, o.drug_id, o.prescription_id, o.dosage, o.dosage_max, \
         NULL, o.kind, o.priority, 'active', o.doctor_id, 'epoch'::timestamptz + r.at * interval '1 microsecond', 1, \
         'epoch'::timestamptz + r.at * interval '1 microsecond', NULL, 'opened after the dose before it' \
         FROM json_to_recordset($1::json) AS r (id uuid, follows uuid, at bigint) \
         JOIN medication_orders o ON o.id = r.follows",
    );
    let found = execute!(link, sql, json(&rows)?)?;
    changed("next as-needed orders", found, rows.len())
}
