//! A made-up hospital of any size, for benches and drills: what months of doses leave behind, in books that agree.
//!
//! Its rows are those that the desk writes, with a register page for every drug in every cupboard: what was there when
//! the register began, then a row for each dose given and for each end of a transfer; lots, counts and what else gathers
//! lie beside them. It is written in bulk, into a database of its own, and never into one that holds anything.

mod doses;
mod places;
mod plan;
mod transfers;

use jiff::Timestamp;

use crate::domain::{
    AdministrationId, DrugId, OpId, OrderId, PatientId, PrescriptionId, UserId, WardId,
};
use crate::store::{At, Db, StoreError, bulk};

/// Rows written by one statement, and statements of one transaction.
const ROWS: usize = 5000;
const STATEMENTS: usize = 10;

/// How large a hospital is.
#[derive(Debug, Clone, Copy)]
pub struct Hospital {
    /// Wards, the pharmacy among them; at least two.
    pub wards: usize,
    /// The formulary.
    pub drugs: usize,
    /// Drugs in the cupboard of a ward; the pharmacy has them all.
    pub cupboard: usize,
    /// Patients on record, most of them discharged.
    pub patients: usize,
    /// Nurses of each ward.
    pub nurses: usize,
    /// Orders to be given: the doses of a day around now, and those without a due time.
    pub active: usize,
    /// How many of them are as needed.
    pub as_needed: usize,
    /// Orders that were given, at the rate of a day's `active`.
    pub completed: usize,
    /// Transfers between wards.
    pub transfers: usize,
    /// Which drugs are asked for.
    pub asked: Asked,
    /// Of the random numbers.
    pub seed: u64,
}

/// Which drugs orders are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// Any of the ward's cupboard.
    Evenly,
    /// Few of them often and many seldom: each drug in inverse proportion to its rank (Zipf).
    ByRank,
    /// One drug, in every ward.
    OneDrug,
    /// One drug of one ward: every dose on one stock row.
    OnePage,
}

/// Some of everything that there is, spread evenly over it, for those who ask at random.
#[derive(Debug, Clone, Default)]
pub struct Filled {
    /// Every ward with patients: key and code.
    pub wards: Vec<(WardId, String)>,
    /// The pharmacy.
    pub pharmacy: Vec<(WardId, String)>,
    /// Nurses: key and what they type; each may act in one ward.
    pub nurses: Vec<(UserId, String)>,
    /// Drugs: key and code.
    pub drugs: Vec<(DrugId, String)>,
    /// Patients: key and number.
    pub patients: Vec<(PatientId, String)>,
    /// Orders that are active.
    pub active: Vec<OrderId>,
    /// Whom they are for, and which prescription each is of.
    pub in_queue: Vec<(PatientId, PrescriptionId)>,
    /// Orders that were given.
    pub completed: Vec<OrderId>,
    /// Doses that were given: record, when, to whom, what.
    pub given: Vec<(AdministrationId, At, PatientId, DrugId)>,
    /// Prescriptions that are as needed and active.
    pub as_needed: Vec<PrescriptionId>,
    /// Operations that were done.
    pub operations: Vec<OpId>,
    /// Register pages.
    pub pages: Vec<(WardId, DrugId)>,
}

/// Of each kind, so many are kept at most (and some more, where the number does not divide).
const KEPT: usize = 2000;

/// Every how-manieth of `all` is kept.
const fn stride(all: usize) -> usize {
    all.div_ceil(KEPT) + (all == 0) as usize
}

/// Fills an empty, migrated database. `now` is the moment around which the active orders are due; `done` is told how
/// many orders have been written.
///
/// # Errors
/// [`StoreError`]; what was written until then stays.
pub async fn fill(
    db: &Db,
    hospital: &Hospital,
    now: Timestamp,
    done: &mut (dyn FnMut(usize) + Send),
) -> Result<Filled, StoreError> {
    let mut conn = bulk::writer(db).await?;
    let mut filled = Filled::default();
    let now = At::from(now);
    let places = places::write(&mut conn, hospital, now, &mut filled).await?;
    let plan = plan::Plan::make(hospital, &places, now);
    places::write_patients(&mut conn, &plan, &places, &mut filled).await?;
    plan::write_prescriptions(&mut conn, &plan, &places, now).await?;
    let transfers = hospital.transfers;
    doses::write(&mut conn, &plan, &places, transfers, &mut filled, done).await?;
    bulk::add_shelves(conn.link(), now).await?;
    bulk::settle(conn).await?;
    Ok(filled)
}
