//! The formulary as far as somebody has looked: what a drug is called is read once, and again when it was changed.
//!
//! Every row of a queue, a cupboard and a log names a drug, and a drug has eight columns that hardly ever change; what
//! changes all day is how much of it there is. The store counts the changes of the formulary (in the transaction that
//! makes them), and each snapshot reads that count with its ward: while it stands still, what is held is what is there.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Deserialize;
use sqlx::FromRow;

use super::{Link, List, Sql, StoreError};
use crate::domain::DrugId;
use crate::domain::snapshot::Drug;
use crate::domain::text::name_key;

/// Drugs that are read by one statement.
pub(crate) const PAGE: usize = 500;

/// Drugs by key.
pub(super) const DRUGS: Sql = Sql::each(
    "SELECT json_group_array(json_object('id', id, 'code', code, 'name', name, 'form', form, 'strength', strength, \
     'unit', unit, 'controlled', json(iif(controlled, 'true', 'false')), \
     'high_alert', json(iif(high_alert, 'true', 'false')))) \
     FROM drugs WHERE id IN (SELECT value FROM json_each($1))",
    "SELECT id, code, name, form, strength, unit, controlled, high_alert FROM drugs WHERE id = ANY($1)",
);

/// That the formulary changes: said in the transaction that changes it.
const CHANGED: &str = "UPDATE formulary SET revision = revision + 1";

#[derive(Debug, FromRow, Deserialize)]
pub(super) struct DrugRow {
    id: DrugId,
    code: String,
    name: String,
    form: String,
    strength: String,
    unit: String,
    controlled: bool,
    high_alert: bool,
}

impl From<DrugRow> for Drug {
    fn from(row: DrugRow) -> Drug {
        Drug {
            id: row.id,
            code: row.code,
            name: row.name,
            form: row.form,
            strength: row.strength,
            unit: row.unit,
            controlled: row.controlled,
            high_alert: row.high_alert,
        }
    }
}

/// What one process holds of the formulary.
#[derive(Debug, Default)]
pub struct Formulary {
    held: Mutex<Arc<Edition>>,
}

/// The drugs of one revision that were needed so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Edition {
    revision: i64,
    drugs: HashMap<DrugId, Entry>,
}

#[derive(Debug, Clone)]
struct Entry {
    drug: Arc<Drug>,
    /// Its place by name among those that are held.
    place: usize,
}

impl Formulary {
    /// The drugs of a revision, these among them; whichever are not held yet are read.
    pub(super) async fn edition(
        &self,
        mut link: Link<'_>,
        revision: i64,
        needed: impl Iterator<Item = DrugId>,
    ) -> Result<Arc<Edition>, StoreError> {
        let mut held = {
            let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(&held)
        };
        if held.revision != revision {
            held = Arc::new(Edition {
                revision,
                ..Edition::default()
            });
        }
        let missing: BTreeSet<DrugId> = needed
            .filter(|drug| !held.drugs.contains_key(drug))
            .collect();
        if missing.is_empty() {
            return Ok(held);
        }
        let missing: Vec<i64> = missing.into_iter().map(|drug| drug.0).collect();
        let mut edition = Edition::clone(&held);
        for keys in missing.chunks(PAGE) {
            edition.add(drugs(link.lend(), keys.to_vec()).await?);
        }
        edition.order();
        let edition = Arc::new(edition);
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&edition);
        Ok(edition)
    }
}

impl Edition {
    /// A drug. Rows name drugs by foreign key, so none is ever missing from one transaction's view.
    pub(super) fn drug(&self, id: DrugId) -> Result<Arc<Drug>, StoreError> {
        Ok(self.placed(id)?.1)
    }

    /// A drug, and its place by name.
    pub(super) fn placed(&self, id: DrugId) -> Result<(usize, Arc<Drug>), StoreError> {
        let entry = self.drugs.get(&id).ok_or_else(|| missing(id))?;
        Ok((entry.place, Arc::clone(&entry.drug)))
    }

    fn add(&mut self, drugs: Vec<Drug>) {
        self.drugs.extend(drugs.into_iter().map(|drug| {
            let (id, drug) = (drug.id, Arc::new(drug));
            (id, Entry { drug, place: 0 })
        }));
    }

    fn order(&mut self) {
        let mut entries: Vec<&mut Entry> = self.drugs.values_mut().collect();
        entries.sort_by_cached_key(|entry| (name_key(&entry.drug.name), entry.drug.id));
        for (place, entry) in entries.into_iter().enumerate() {
            entry.place = place;
        }
    }
}

fn missing(id: DrugId) -> StoreError {
    StoreError::Guarantee(format!("drug {id} is named, and not in the formulary"))
}

async fn drugs(link: Link<'_>, keys: Vec<i64>) -> Result<Vec<Drug>, StoreError> {
    let rows = gather!(link, DrugRow, DRUGS, List(keys))?;
    Ok(rows.into_iter().map(Drug::from).collect())
}

/// One drug, as it is now.
pub(super) async fn drug(link: Link<'_>, id: DrugId) -> Result<Arc<Drug>, StoreError> {
    let found = drugs(link, vec![id.0]).await?.pop();
    found.map(Arc::new).ok_or_else(|| missing(id))
}

/// Counts a change of the formulary, in the transaction that makes it: every process reads again what it holds of it.
pub(super) async fn changed(link: Link<'_>) -> Result<(), StoreError> {
    super::error::changed("formulary", execute!(link, CHANGED)?, 1)
}
