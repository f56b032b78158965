//! Proving the books: the drug register recomputed row by row, and everything that must agree with it.

use std::collections::HashMap;
use std::fmt;

use crate::domain::ledger::{GENESIS, Hash};
use crate::domain::{DrugId, Quantity, WardId};
use crate::store::verify::{self as table, Head, RowKey, Rule, Stored};
use crate::store::{Db, StoreError};

/// Register rows read at once.
const PAGE: i64 = 5000;

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Register rows recomputed.
    pub rows: u64,
    /// Pages (ward and drug).
    pub pages: u64,
    /// The first register row that is wrong.
    pub wrong: Option<Wrong>,
    /// The other rules, each with the first row that breaks it.
    pub rules: Vec<Rule>,
}

impl Report {
    /// Whether everything agrees.
    pub fn holds(&self) -> bool {
        self.wrong.is_none() && self.rules.iter().all(|rule| rule.broken_by.is_none())
    }
}

/// A register row, or the head of a page, that is not what it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// Codes of ward and drug.
    pub page: String,
    /// Number of the row.
    pub seq: i64,
    /// What is wrong with it.
    pub what: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, row {}: {}", self.page, self.seq, self.what)
    }
}

/// The last good row of a page.
#[derive(Clone, Copy)]
struct Last {
    seq: i64,
    balance: Quantity,
    hash: Hash,
}

const BLANK: Last = Last {
    seq: 0,
    balance: Quantity::ZERO,
    hash: GENESIS,
};

/// Recomputes every page of the register as of one moment, and checks that stock, orders and administrations agree
/// with it.
///
/// # Errors
/// [`StoreError`].
pub async fn verify(db: &Db) -> Result<Report, StoreError> {
    let mut conn = db.reader().await?;
    let mut tx = conn.begin_read().await?;
    let mut report = Report::default();
    let heads: Vec<Head> = table::heads(tx.link()).await?;
    let names: HashMap<(WardId, DrugId), &Head> = heads
        .iter()
        .map(|head| ((head.ward, head.drug), head))
        .collect();
    let mut pages: HashMap<(WardId, DrugId), Last> = HashMap::new();
    let mut after: RowKey = (WardId(i64::MIN), DrugId(i64::MIN), 0);
    loop {
        let rows = table::register(tx.link(), after, PAGE).await?;
        let Some(last) = rows.last() else { break };
        after = (last.row.ward, last.row.drug, last.row.seq);
        report.rows += rows.len() as u64;
        for stored in &rows {
            let page = (stored.row.ward, stored.row.drug);
            let last = pages.entry(page).or_insert(BLANK);
            if let (Some(what), None) = (fault(stored, last), &report.wrong) {
                let name = names.get(&page).map(|head| head.name.clone());
                let name = name.unwrap_or_else(|| format!("ward {} drug {}", page.0, page.1));
                report.wrong = Some(Wrong {
                    page: name,
                    seq: stored.row.seq,
                    what,
                });
            }
            *last = Last {
                seq: stored.row.seq,
                balance: stored.row.balance,
                hash: stored.hash,
            };
        }
    }
    report.pages = pages.len() as u64;
    if report.wrong.is_none() {
        report.wrong = heads.iter().find_map(|head| {
            let last = pages.get(&(head.ward, head.drug)).copied().unwrap_or(BLANK);
            let what = head_fault(head, &last)?;
            Some(Wrong {
                page: head.name.clone(),
                seq: head.seq,
                what,
            })
        });
    }
    report.rules = table::rules(tx.link()).await?;
    tx.rollback().await?;
    Ok(report)
}

/// What is wrong with a row that follows `last`.
fn fault(stored: &Stored, last: &Last) -> Option<String> {
    let row = &stored.row;
    if row.seq != last.seq + 1 {
        return Some(format!("row {} is missing before it", last.seq + 1));
    }
    if row.balance != last.balance + row.delta {
        return Some(format!(
            "balance {} is not {} with {} added",
            row.balance, last.balance, row.delta
        ));
    }
    if !row.delta.is_positive() && row.balance < Quantity::ZERO {
        return Some(format!("balance {} is below nothing", row.balance));
    }
    if stored.prev_hash != last.hash {
        return Some("it does not follow the row before it (hash)".to_owned());
    }
    if stored.hash != row.hash(&last.hash) {
        return Some("it is not what was written (hash)".to_owned());
    }
    None
}

/// What is wrong with the stock row of a page that ends with `last`.
fn head_fault(head: &Head, last: &Last) -> Option<String> {
    if head.current != last.balance {
        return Some(format!(
            "stock is {}, and its register says {}",
            head.current, last.balance
        ));
    }
    if head.seq != last.seq {
        return Some(format!(
            "stock says that row {} is the last, and the register ends with {}",
            head.seq, last.seq
        ));
    }
    (head.hash != last.hash).then(|| "stock and register end with different hashes".to_owned())
}
