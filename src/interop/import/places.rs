//! Wards, drugs and opening stock.

use std::collections::{BTreeSet, HashMap};

use uuid::Uuid;

use super::{Context, Done, Import};
use crate::domain::decide::{Effects, LedgerEntry, Stock};
use crate::domain::ledger::{GENESIS, LedgerRow};
use crate::domain::text::name_key;
use crate::domain::{DrugId, LedgerReason, OpId, Quantity, WardId};
use crate::interop::fault::Reason;
use crate::interop::records::{Entry, Reject};
use crate::interop::rows::{DrugRow, StockRow, WardRow};
use crate::store::import::{
    self as table, DrugChange, KnownDrug, NewDrug, NewNdc, NewPage, NewWard,
};
use crate::store::{Link, StoreError};

/// A row that may not become something else under its key.
fn identity<R: crate::interop::rows::Row>(
    entry: &Entry<R>,
    column: &'static str,
    found: &str,
    recorded: &str,
) -> Option<Reject> {
    (found != recorded).then(|| {
        let reason = Reason::Identity {
            found: found.to_owned(),
            recorded: recorded.to_owned(),
        };
        entry.reject(column, found, reason)
    })
}

impl Import for WardRow {
    async fn take(
        mut link: Link<'_>,
        context: &Context<'_>,
        rows: &[Entry<Self>],
    ) -> Result<Done, StoreError> {
        let (mut done, mut added, mut changed) = (Done::default(), Vec::new(), Vec::new());
        for entry in rows {
            let row = &entry.row;
            let zone = |otherwise: &str| {
                let named = Some(&row.time_zone).filter(|zone| !zone.is_empty());
                named.map_or(otherwise, String::as_str).to_owned()
            };
            let ward = |zone| NewWard {
                code: row.code.clone(),
                name: row.name.clone(),
                kind: row.kind,
                zone,
            };
            let Ok(known) = context.references.ward(&row.code) else {
                added.push(ward(zone(&context.settings.time_zone)));
                continue;
            };
            let kind = (row.kind.as_str(), known.kind.as_str());
            if let Some(reject) = identity(entry, "kind", kind.0, kind.1) {
                done.rejects.push(reject);
                continue;
            }
            let zone = zone(&known.time_zone);
            if row.name == known.name && zone == known.time_zone {
                done.same += 1;
            } else {
                changed.push(ward(zone));
            }
        }
        done.new = added.len() as u64;
        done.changed = changed.len() as u64;
        table::add_wards(link.lend(), &added).await?;
        table::update_wards(link, &changed).await?;
        Ok(done)
    }
}

impl Import for DrugRow {
    async fn take(
        mut link: Link<'_>,
        context: &Context<'_>,
        rows: &[Entry<Self>],
    ) -> Result<Done, StoreError> {
        let mut done = Done::default();
        let (mut added, mut changed, mut ndcs) = (Vec::new(), Vec::new(), Vec::new());
        // Read again with each batch, so that a drug of an earlier batch is not taken twice under two codes.
        let known = table::drugs(link.lend()).await?;
        let mut titles: HashMap<(String, String, String), String> = known
            .iter()
            .map(|d| {
                (
                    (d.name.clone(), d.form.clone(), d.strength.clone()),
                    d.code.clone(),
                )
            })
            .collect();
        for entry in rows {
            let row = &entry.row;
            let title = (row.name.clone(), row.form.clone(), row.strength.clone());
            let taken = titles.entry(title).or_insert_with(|| row.code.clone());
            if *taken != row.code {
                let reason = Reason::SameDrug {
                    code: taken.clone(),
                };
                done.rejects.push(entry.reject("name", &row.name, reason));
                continue;
            }
            let ndc = || NewNdc {
                drug: row.code.clone(),
                ndc: row.ndc.clone(),
            };
            let Ok(known) = context.references.drug(&row.code) else {
                if !row.ndc.is_empty() {
                    ndcs.push(ndc());
                }
                added.push(new_drug(row));
                continue;
            };
            if let Some(reject) = other_drug(entry, known) {
                done.rejects.push(reject);
                continue;
            }
            let new_ndc = !row.ndc.is_empty() && !known.ndcs.split(' ').any(|ndc| ndc == row.ndc);
            if new_ndc {
                ndcs.push(ndc());
            }
            let flags = (row.controlled, row.high_alert) == (known.controlled, known.high_alert);
            if row.name == known.name && flags {
                done.same += u64::from(!new_ndc);
                done.changed += u64::from(new_ndc);
                continue;
            }
            changed.push(DrugChange {
                id: known.id,
                name: row.name.clone(),
                key: name_key(&row.name),
                controlled: row.controlled,
                alert: row.high_alert,
            });
        }
        done.new = added.len() as u64;
        done.changed += changed.len() as u64;
        table::add_drugs(link.lend(), &added).await?;
        table::update_drugs(link.lend(), &changed).await?;
        table::add_ndcs(link, &ndcs).await?;
        Ok(done)
    }
}

/// What is counted, and how much of the drug is in one of it, stays: doses and stock would mean something else.
fn other_drug(entry: &Entry<DrugRow>, known: &KnownDrug) -> Option<Reject> {
    let row = &entry.row;
    let fixed = [
        ("form", &row.form, &known.form),
        ("strength", &row.strength, &known.strength),
        ("unit", &row.unit, &known.unit),
    ];
    fixed
        .into_iter()
        .find_map(|(column, found, recorded)| identity(entry, column, found, recorded))
}

fn new_drug(row: &DrugRow) -> NewDrug {
    NewDrug {
        code: row.code.clone(),
        name: row.name.clone(),
        key: name_key(&row.name),
        form: row.form.clone(),
        strength: row.strength.clone(),
        unit: row.unit.clone(),
        controlled: row.controlled,
        alert: row.high_alert,
    }
}

impl Import for StockRow {
    /// Opening stock is the first row of a page of the register. Once a page has one, only operations change it, and
    /// an import sets no more than the threshold.
    async fn take(
        mut link: Link<'_>,
        context: &Context<'_>,
        rows: &[Entry<Self>],
    ) -> Result<Done, StoreError> {
        let mut done = Done::default();
        let mut found = Vec::new();
        for entry in rows {
            let ward = context.references.ward(&entry.row.ward);
            let drug = context.references.drug(&entry.row.drug);
            match (ward, drug) {
                (Ok(ward), Ok(drug)) => found.push((&entry.row, ward.id, drug.id)),
                (Err(reason), _) => {
                    done.rejects
                        .push(entry.reject("ward", &entry.row.ward, reason));
                }
                (_, Err(reason)) => {
                    done.rejects
                        .push(entry.reject("drug", &entry.row.drug, reason));
                }
            }
        }
        let wards: BTreeSet<i64> = found.iter().map(|(_, ward, _)| ward.0).collect();
        let pages = table::pages(link.lend(), wards.into_iter().collect()).await?;
        let pages: HashMap<(WardId, DrugId), (Quantity, i64)> = pages
            .into_iter()
            .map(|page| {
                let key = (page.ward_id, page.drug_id);
                (key, (page.low_stock_threshold, page.ledger_seq))
            })
            .collect();
        let (mut added, mut thresholds) = (Vec::new(), Vec::new());
        let mut opening = Opening::new(context);
        for (row, ward, drug) in found {
            let low = row.low_stock_threshold;
            let page = NewPage { ward, drug, low };
            match pages.get(&(ward, drug)) {
                None => {
                    added.push(page);
                    opening.add(ward, drug, row.quantity);
                }
                Some(&(threshold, seq)) => {
                    let opens = seq == 0 && row.quantity.is_positive();
                    if opens {
                        opening.add(ward, drug, row.quantity);
                    }
                    if threshold != low {
                        thresholds.push(page);
                    }
                    let same = threshold == low && !opens;
                    done.same += u64::from(same);
                    done.changed += u64::from(!same);
                }
            }
        }
        done.new = added.len() as u64;
        table::add_pages(link.lend(), &added).await?;
        table::set_thresholds(link.lend(), &thresholds).await?;
        table::open_pages(link, &opening.first, &opening.heads).await?;
        Ok(done)
    }
}

/// First rows of pages.
struct Opening {
    op: OpId,
    at: jiff::Timestamp,
    first: Effects,
    heads: HashMap<(WardId, DrugId), Stock>,
}

impl Opening {
    fn new(context: &Context<'_>) -> Opening {
        Opening {
            op: OpId(Uuid::now_v7()),
            at: context.now,
            first: Effects::default(),
            heads: HashMap::new(),
        }
    }

    fn add(&mut self, ward: WardId, drug: DrugId, quantity: Quantity) {
        if !quantity.is_positive() {
            return;
        }
        let row = LedgerRow {
            ward,
            drug,
            seq: 1,
            delta: quantity,
            balance: quantity,
            reason: LedgerReason::Received,
            reference: "opening stock".to_owned(),
            actor: None,
            witness: None,
            at: self.at,
            op: self.op,
        };
        let hash = row.hash(&GENESIS);
        let head = Stock {
            current: quantity,
            seq: 1,
            hash,
            lots: Vec::new(),
        };
        self.heads.insert((ward, drug), head);
        self.first.ledger.push(LedgerEntry {
            row,
            prev_hash: GENESIS,
            hash,
            lots: Vec::new(),
        });
    }
}
