//! Stock under lock, with the heads of its register pages.

use std::collections::{BTreeSet, HashMap};

use sqlx::FromRow;

use super::split;
use crate::domain::decide::Stock;
use crate::domain::ledger::Hash;
use crate::domain::{DrugId, Quantity, WardId};
use crate::store::{Link, Sql, StoreError};

/// Stock, locked where the engine locks rows. On SQLite CROSS JOIN keeps the order: from the keys to the rows.
pub(in crate::store) const STOCK: Sql = Sql::each(
    "SELECT s.ward_id, s.drug_id, s.current_stock, s.ledger_seq, s.ledger_hash, s.lots \
         FROM json_each($1) w CROSS JOIN json_each($2) d ON d.key = w.key \
         CROSS JOIN drug_stock s ON s.ward_id = w.value AND s.drug_id = d.value",
    "SELECT s.ward_id, s.drug_id, s.current_stock, s.ledger_seq, s.ledger_hash, s.lots \
         FROM drug_stock s JOIN unnest($1::bigint[], $2::bigint[]) AS page (ward_id, drug_id) \
         ON s.ward_id = page.ward_id AND s.drug_id = page.drug_id \
         ORDER BY s.ward_id, s.drug_id FOR UPDATE OF s",
);

#[derive(Debug, FromRow)]
struct StockRow {
    ward_id: WardId,
    drug_id: DrugId,
    current_stock: Quantity,
    ledger_seq: i64,
    ledger_hash: Vec<u8>,
    lots: i64,
}

/// Stock by page.
type Pages = HashMap<(WardId, DrugId), Stock>;

/// The stock rows of these pages, and which of them have lots, that are not loaded here.
pub(super) async fn stock(
    link: Link<'_>,
    pages: &BTreeSet<(WardId, DrugId)>,
) -> Result<(Pages, BTreeSet<(WardId, DrugId)>), StoreError> {
    let mut with_lots = BTreeSet::new();
    if pages.is_empty() {
        return Ok((Pages::new(), with_lots));
    }
    let (wards, drugs) = split(pages);
    let rows = fetch!(all, link, StockRow, STOCK, wards, drugs)?;
    let stock = rows.into_iter().map(|row| {
        let page = (row.ward_id, row.drug_id);
        if row.lots > 0 {
            with_lots.insert(page);
        }
        let stock = Stock {
            current: row.current_stock,
            seq: row.ledger_seq,
            hash: as_hash(&row.ledger_hash)?,
            lots: Vec::new(),
        };
        Ok((page, stock))
    });
    let stock = stock.collect::<Result<Pages, StoreError>>()?;
    Ok((stock, with_lots))
}

/// A hash column as a hash.
pub(in crate::store) fn as_hash(bytes: &[u8]) -> Result<Hash, StoreError> {
    bytes.try_into().map_err(|_| {
        StoreError::Guarantee(format!("a ledger hash has {} bytes, not 32", bytes.len()))
    })
}
