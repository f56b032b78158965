//! The rules: what an operation does to what was loaded and locked, or why it may not.
//!
//! [`decide`] is pure. It sees the state of everything the operation touches, changes that state as the
//! database will change, and says which rows to write; a refusal changes nothing. Operations of one batch are
//! decided one after the other on the same state, so each sees what those before it did.

mod chart;
mod codes;
mod correct;
mod cupboard;
mod discontinue;
mod effect;
mod emergency;
mod fulfil;
mod not_given;
mod patients;
mod permission;
#[cfg(test)]
pub(crate) mod planted;
mod prescribe;
mod receive;
pub mod reports;
mod spend;
#[cfg(test)]
mod tests;
pub mod warn;

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::cupboard::OfLot;
use super::ledger::{GENESIS, Hash, LedgerRow};
use super::lots::HeldLot;
use super::schedule::Schedule;
use super::{
    Actor, AdministrationId, DrugId, GivingOutcome, LedgerReason, OpId, Operation, OrderId,
    OrderKind, OrderStatus, PatientId, Policy, PrescriptionId, Priority, Quantity, Reason,
    ReasonKind, Receipt, Refusal, Request, UserId, WardId,
};

pub use chart::{
    Chart, ChartEffects, ChartRow, EndedPrescription, MadeOrder, MovedOrder, NewPrescription,
    Prescription, StayRow, WardPlace,
};
pub use codes::{Binding, Bindings, CodeChange};
pub use cupboard::{
    Arrival, Changes, Count, Cupboard, Discrepancy, Explanation, KnownLot, LONGEST_NOTE,
    NewDiscrepancy, Of, Recalled, Sending, Settlement, Transfer, TransferLot, transfer_reference,
};
pub use discontinue::LONGEST_REASON;
pub use emergency::{EmergencyAccess, EmergencyEnd};
pub use fulfil::{at_most, dose_reference, given_reference, not_before};
pub use patients::DISCHARGED;
pub use permission::{MATRIX, Need, Place, WITNESS, may, needs, place};
pub use prescribe::{warning_words, warnings};
pub use receive::LONGEST_REFERENCE;

/// Everything that the operations of a batch touch, as loaded and locked in its transaction.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// The people who ask and their witnesses, with their role and wards at this moment.
    pub actors: HashMap<UserId, Actor>,
    /// The orders that were asked for and exist.
    pub orders: HashMap<OrderId, Order>,
    /// The stock rows of those orders' wards and drugs, and of those named by the request.
    pub stock: HashMap<(WardId, DrugId), Stock>,
    /// Names of the wards that requests name themselves.
    pub wards: HashMap<WardId, String>,
    /// Titles and units of the drugs that requests name themselves.
    pub drugs: HashMap<DrugId, DrugName>,
    /// Whose the identified numbers are, by mrn, so that a wrong wristband can be told by name.
    pub patients: HashMap<String, String>,
    /// Patients whose record is touched, and those whose number somebody wants to give to another.
    pub charts: HashMap<PatientId, Chart>,
    /// Prescriptions that are touched, and those that run of patients for whom something is prescribed.
    pub prescriptions: HashMap<PrescriptionId, Prescription>,
    /// Wards where those patients lie or are to lie.
    pub places: HashMap<WardId, WardPlace>,
    /// Names of drugs that are prescribed, as searches compare them.
    pub drug_keys: HashMap<DrugId, String>,
    /// Entries of the log that requests name.
    pub administrations: HashMap<AdministrationId, Recorded>,
    /// Doses of a drug that a patient got near the moment: for those that are to be given.
    pub recent: HashMap<(PatientId, DrugId), Vec<warn::Recent>>,
    /// When later doses of the same prescription were due that were given already: for those that are to be given.
    pub later_given: HashMap<OrderId, Vec<Timestamp>>,
    /// Emergency accesses that are to be ended.
    pub emergencies: HashMap<Uuid, EmergencyAccess>,
    /// What operations on the cupboard touch beside stock.
    pub cupboard: Cupboard,
    /// What is known of the numbers on packages that requests name.
    pub codes: codes::Bindings,
}

/// An entry of the log, as it is before it is changed by another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Its order.
    pub order: OrderId,
    /// The version that was signed.
    pub order_version: i64,
    /// Where.
    pub ward: WardId,
    /// Its name.
    pub ward_name: String,
    /// To whom.
    pub patient: PatientId,
    /// By whom.
    pub nurse: UserId,
    /// Their name.
    pub nurse_name: String,
    /// When it was given (UTC).
    pub given_at: Timestamp,
    /// What became of the dose.
    pub outcome: GivingOutcome,
    /// How much.
    pub quantity: Quantity,
    /// It takes another entry back.
    pub is_reversal: bool,
    /// Another entry takes it back.
    pub reversed: bool,
    /// From which lots it took, as they would lie in the ward if none of them were there.
    pub lots: Vec<HeldLot>,
    /// The order of its prescription that is open instead, where that has no times.
    pub next_open: Option<OrderId>,
    /// Whether it is asked if the dose helped, and who has said so.
    pub effect: Option<Option<String>>,
}

/// How a drug is named in a message, and what it is to the rules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DrugName {
    /// Name and strength.
    pub title: String,
    /// Stock unit.
    pub unit: String,
    /// Under the law on controlled drugs.
    pub controlled: bool,
    /// Does great harm when it is given wrongly.
    pub high_alert: bool,
}

/// An order under lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Key.
    pub id: OrderId,
    /// Raised by every change.
    pub version: i64,
    /// Where it stands.
    pub status: OrderStatus,
    /// Timed, as needed, unscheduled.
    pub kind: OrderKind,
    /// In whose queue, and from whose cupboard.
    pub ward: WardId,
    /// Its name.
    pub ward_name: String,
    /// What.
    pub drug: DrugId,
    /// Its title and unit.
    pub drug_name: DrugName,
    /// For whom.
    pub patient: PatientId,
    /// The number on the right wristband.
    pub mrn: String,
    /// The dose, or the least of a range.
    pub dosage: Quantity,
    /// The most of a range.
    pub dosage_max: Option<Quantity>,
    /// Stat or routine: inherited by the next as-needed order.
    pub priority: Priority,
    /// Who prescribed it.
    pub doctor: UserId,
    /// The prescription.
    pub prescription: PrescriptionId,
    /// Whether the prescription still stands.
    pub prescription_active: bool,
    /// When it is due (UTC); `None`: as needed, or not scheduled.
    pub due_at: Option<Timestamp>,
    /// When it comes back, where it was held (UTC).
    pub held_until: Option<Timestamp>,
    /// When the prescription begins (UTC).
    pub start_at: Timestamp,
    /// When the prescription ends (UTC).
    pub stop_at: Option<Timestamp>,
    /// Limits of the prescription: for one dose only, or as needed.
    pub limits: Limits,
    /// Where there are limits: when doses of this prescription were given, newest first.
    pub given: Vec<Timestamp>,
    /// Who changed the order last: their name; `None` for the import and the schedule.
    pub changed_by: Option<String>,
    /// When (UTC).
    pub changed_at: Timestamp,
    /// What changed, in words.
    pub change: String,
}

/// The limits of a prescription for one dose or as needed; `None`: none known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Minutes that must lie between two doses.
    pub min_interval: Option<u32>,
    /// Doses within 24 hours.
    pub max_per_day: Option<u32>,
    /// Doses in all: no new order opens after the last.
    pub max_total: Option<u32>,
}

impl From<&Schedule> for Limits {
    fn from(schedule: &Schedule) -> Limits {
        match *schedule {
            Schedule::Prn {
                min_interval,
                max_per_day,
                max_total,
            } => Limits {
                min_interval,
                max_per_day,
                max_total,
            },
            // However often the file that it came from is changed and read again, a single dose is given once.
            Schedule::Once { .. } => Limits {
                max_total: Some(1),
                ..Limits::default()
            },
            _ => Limits::default(),
        }
    }
}

/// One drug in one ward, under lock, with the head of its register page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stock {
    /// What there is.
    pub current: Quantity,
    /// Number of the page's last row.
    pub seq: i64,
    /// Hash of the page's last row.
    pub hash: Hash,
    /// The lots of which there is some; what is in no lot is the rest of `current`.
    pub lots: Vec<HeldLot>,
}

/// What changes besides stock: rows to write, in the order of the operations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Effects {
    /// Rows of the drug register.
    pub ledger: Vec<LedgerEntry>,
    /// Orders that leave `active`.
    pub closed: Vec<Closing>,
    /// As-needed and unscheduled orders that open.
    pub opened: Vec<Opening>,
    /// Administrations.
    pub administrations: Vec<Administration>,
    /// Prescriptions that end before their time.
    pub ended: Vec<EndedPrescription>,
    /// Patients, new prescriptions and what follows from them.
    pub chart: ChartEffects,
    /// Orders that are held, or whose entry was taken back.
    pub changed: Vec<Change>,
    /// Why, of administrations that need a reason.
    pub reasons: Vec<WrittenReason>,
    /// As-needed doses of which it will be asked whether they helped.
    pub asked: Vec<AskedEffect>,
    /// The answers.
    pub noted: Vec<NotedEffect>,
    /// Emergency accesses that begin.
    pub emergencies: Vec<EmergencyAccess>,
    /// Emergency accesses that end before their time.
    pub emergency_ends: Vec<EmergencyEnd>,
    /// What changes in the cupboard beside stock and register.
    pub cupboard: Changes,
    /// What changes of the numbers on packages.
    pub codes: Vec<CodeChange>,
}

impl Stock {
    /// A page that has no row yet: what a ward holds of a drug that it gets for the first time.
    pub const BLANK: Stock = Stock {
        current: Quantity::ZERO,
        seq: 0,
        hash: GENESIS,
        lots: Vec::new(),
    };
}

impl Effects {
    /// Adds what the next operation of the batch does.
    pub fn extend(&mut self, more: Effects) {
        self.ledger.extend(more.ledger);
        self.closed.extend(more.closed);
        self.opened.extend(more.opened);
        self.administrations.extend(more.administrations);
        self.ended.extend(more.ended);
        self.chart.extend(more.chart);
        self.changed.extend(more.changed);
        self.reasons.extend(more.reasons);
        self.asked.extend(more.asked);
        self.noted.extend(more.noted);
        self.emergencies.extend(more.emergencies);
        self.emergency_ends.extend(more.emergency_ends);
        self.cupboard.extend(more.cupboard);
        self.codes.extend(more.codes);
    }

    /// The wards that look different afterwards. `state` is how things stand then.
    pub fn wards<'a>(&'a self, state: &'a Loaded) -> impl Iterator<Item = WardId> + 'a {
        let orders = self.closed.iter().map(|order| order.id);
        let orders = orders.chain(self.changed.iter().map(|order| order.id));
        let of_orders = orders.filter_map(|id| Some(state.orders.get(&id)?.ward));
        // The log of a ward shows an entry though its order stands in another's queue now.
        let entered = self.administrations.iter().map(|entry| entry.ward);
        let booked = self.ledger.iter().map(|entry| entry.row.ward);
        let noted = self.noted.iter().map(|noted| noted.ward);
        let cupboard = self.cupboard.wards.iter().copied();
        let charts = self.chart.wards.iter().copied();
        // The board of all wards and the ward itself show it.
        let begun = self.emergencies.iter().map(|access| access.ward);
        let ended = self.emergency_ends.iter().map(|end| end.ward);
        booked
            .chain(of_orders)
            .chain(entered)
            .chain(noted)
            .chain(cupboard)
            .chain(charts)
            .chain(begun)
            .chain(ended)
    }
}

/// A row of the drug register with its place in the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerEntry {
    /// The row.
    pub row: LedgerRow,
    /// The hash before it.
    pub prev_hash: Hash,
    /// Its own.
    pub hash: Hash,
    /// How much of it is of which lot, whichever way it goes.
    pub lots: Vec<OfLot>,
}

/// An order that leaves `active`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Closing {
    /// Which.
    pub id: OrderId,
    /// The version it had.
    pub version: i64,
    /// Where it goes.
    pub status: OrderStatus,
    /// By whom.
    pub by: UserId,
    /// When (UTC).
    pub at: Timestamp,
    /// What happened, in words.
    pub change: String,
}

/// A change of an order that is not its first end: it is held, or an entry about it was taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Which.
    pub id: OrderId,
    /// The version it had.
    pub version: i64,
    /// Where it stood.
    pub was: OrderStatus,
    /// Where it goes.
    pub status: OrderStatus,
    /// In whose queue it stands then.
    pub ward: WardId,
    /// When it comes back (UTC).
    pub held_until: Option<Timestamp>,
    /// By whom.
    pub by: UserId,
    /// When (UTC).
    pub at: Timestamp,
    /// What happened, in words.
    pub change: String,
}

impl Change {
    /// Makes the change in `state`.
    fn make(&self, state: &mut Loaded, actor: &Actor) {
        let place = state.places.get(&self.ward);
        if let Some(order) = state.orders.get_mut(&self.id) {
            if let Some(place) = place.filter(|_| order.ward != self.ward) {
                order.ward_name.clone_from(&place.name);
            }
            order.ward = self.ward;
            order.status = self.status;
            order.version += 1;
            order.held_until = self.held_until;
            order.changed_by = Some(actor.name.clone());
            order.changed_at = self.at;
            order.change = self.change.clone();
        }
    }
}

/// A reason as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WrittenReason {
    /// Of which entry.
    pub administration: AdministrationId,
    /// What it is for.
    pub kind: ReasonKind,
    /// Code and text.
    pub reason: Reason,
    /// The warnings that it answers; else empty.
    pub about: String,
}

/// It will be asked whether a dose helped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AskedEffect {
    /// Which dose.
    pub administration: AdministrationId,
    /// Where.
    pub ward: WardId,
    /// From when on (UTC).
    pub due_at: Timestamp,
}

/// Whether a dose helped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotedEffect {
    /// Which dose.
    pub administration: AdministrationId,
    /// Where.
    pub ward: WardId,
    /// What came of it.
    pub effect: Reason,
    /// Who says so.
    pub by: UserId,
    /// When (UTC).
    pub at: Timestamp,
    /// The operation.
    pub op: OpId,
}

/// An order that opens because the one before it was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Opening {
    /// Its key.
    pub id: OrderId,
    /// The order that it follows, and takes everything else from.
    pub follows: OrderId,
    /// When (UTC).
    pub at: Timestamp,
}

/// The record of a dose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Administration {
    /// Key.
    pub id: AdministrationId,
    /// The order.
    pub order: OrderId,
    /// The version that was signed.
    pub order_version: i64,
    /// Where.
    pub ward: WardId,
    /// To whom.
    pub patient: PatientId,
    /// What.
    pub drug: DrugId,
    /// By whom.
    pub nurse: UserId,
    /// Who saw it.
    pub witness: Option<UserId>,
    /// When it was given (UTC).
    pub given_at: Timestamp,
    /// When it was entered (UTC).
    pub at: Timestamp,
    /// What became of the dose.
    pub outcome: GivingOutcome,
    /// How much.
    pub quantity: Quantity,
    /// Why not, or why it was taken back, in words; else empty.
    pub reason: String,
    /// The entry that it takes back.
    pub reverses: Option<AdministrationId>,
    /// The operation.
    pub op: OpId,
}

/// The moment of a decision and where its keys come from: passed in, so that the same input gives the same output.
#[derive(Clone, Copy)]
pub struct Moment<'a> {
    /// The desk's clock (UTC, whole microseconds).
    pub now: Timestamp,
    /// Makes a key that nothing has yet.
    pub key: &'a dyn Fn() -> Uuid,
}

impl Moment<'_> {
    /// A key for something new.
    fn key(&self) -> Uuid {
        (self.key)()
    }
}

/// Decides one operation on what was loaded. On `Ok`, `state` is what the database will hold once the effects are
/// written; on `Err` it is as it was.
///
/// # Errors
/// The [`Refusal`] of the first rule that says no: permission first, then existence, status, version, identity,
/// amount, limits, reasons, stock. Status goes before version, so that a dose that was given meanwhile is told as such.
pub fn decide(
    state: &mut Loaded,
    op: &Operation,
    policy: &Policy,
    moment: Moment<'_>,
) -> Result<(Receipt, Effects), Refusal> {
    let actor = permission::known(state, op.actor, moment.now)?;
    match &op.request {
        Request::Fulfil(ask) => fulfil::fulfil(state, op, &actor, ask, policy, moment),
        Request::NotGiven(ask) => not_given::not_given(state, op, &actor, ask, policy, moment),
        Request::Correct(ask) => correct::correct(state, op, &actor, ask, policy, moment),
        Request::NoteEffect(ask) => effect::effect(state, op, &actor, ask, policy, moment),
        Request::Discontinue {
            order,
            version,
            reason,
        } => discontinue::discontinue(state, &actor, *order, *version, reason, moment),
        Request::Receive {
            ward,
            drug,
            quantity,
            reference,
            lot,
        } => receive::receive(
            state,
            op,
            &actor,
            &receive::Ask {
                ward: *ward,
                drug: *drug,
                quantity: *quantity,
                reference,
                lot: lot.as_ref(),
            },
            moment,
        ),
        Request::BindCode { drug, gtin, beside } => {
            codes::bind(state, &actor, (gtin, *drug), *beside, moment)
        }
        Request::ReleaseCode { drug, gtin } => codes::release(state, &actor, (gtin, *drug), moment),
        Request::Prescribe(ask) => prescribe::prescribe(state, &actor, ask, policy, moment),
        Request::DiscontinuePrescription {
            prescription,
            version,
            reason,
        } => {
            let ask = (*prescription, *version, reason);
            prescribe::discontinue(state, &actor, ask, policy, moment)
        }
        Request::Admit(ask) => patients::admit(state, op.id, &actor, ask, moment),
        Request::Move {
            patient,
            version,
            ward,
            bed,
        } => patients::move_to(
            state,
            op.id,
            &actor,
            (*patient, *version, *ward, bed),
            moment,
        ),
        Request::Discharge {
            patient,
            version,
            reason,
        } => {
            let ask = (*patient, *version, reason);
            patients::discharge(state, op.id, &actor, ask, policy, moment)
        }
        Request::Allergies {
            patient,
            version,
            allergies,
        } => patients::allergies(
            state,
            op.id,
            &actor,
            (*patient, *version, allergies),
            moment,
        ),
        Request::Emergency { ward, reason } => {
            emergency::begin(state, &actor, *ward, reason, policy, moment)
        }
        Request::EndEmergency { access } => emergency::end(state, &actor, *access, moment),
        _ => cupboard::decide(state, op, &actor, policy, moment),
    }
}

/// The order, if `actor` may do this to it there, and has seen what it is now.
fn order_for(
    state: &Loaded,
    actor: &Actor,
    action: &str,
    id: OrderId,
    version: i64,
) -> Result<Order, Refusal> {
    let need = permission::role(actor, action)?;
    let found = state
        .orders
        .get(&id)
        .ok_or(Refusal::OrderNotFound { order: id })?;
    permission::ward(actor, need, found.ward, &found.ward_name)?;
    open_order(found, version).cloned()
}

/// The order, if it may still be changed by somebody who saw `version` of it.
fn open_order(order: &Order, version: i64) -> Result<&Order, Refusal> {
    match order.status {
        OrderStatus::Completed => Err(Refusal::OrderAlreadyCompleted {
            what: accounted_for(&order.change),
            by: order
                .changed_by
                .clone()
                .unwrap_or_else(|| "somebody".to_owned()),
            at: order.changed_at,
        }),
        OrderStatus::Discontinued => Err(Refusal::InvalidStatusTransition {
            status: order.status,
            by: order.changed_by.clone(),
            at: Some(order.changed_at),
            reason: order.change.clone(),
        }),
        #[cfg(test)]
        OrderStatus::Active if planted::planted(planted::Fault::AnyVersion) => Ok(order),
        OrderStatus::Active if order.version != version => Err(Refusal::Stale {
            change: order.change.clone(),
            by: order.changed_by.clone(),
            at: order.changed_at,
        }),
        OrderStatus::Active => Ok(order),
    }
}

/// What was recorded of a completed order, from the words of its last change.
pub fn accounted_for(change: &str) -> String {
    if change == fulfil::GIVEN {
        change.to_owned()
    } else {
        format!("recorded as {change}")
    }
}

/// Marks the order in `state` as closed and says which row to write.
fn close(
    state: &mut Loaded,
    id: OrderId,
    status: OrderStatus,
    actor: &Actor,
    change: &str,
    now: Timestamp,
) -> Option<Closing> {
    let order = state.orders.get_mut(&id)?;
    let closing = Closing {
        id,
        version: order.version,
        status,
        by: actor.id,
        at: now,
        change: change.to_owned(),
    };
    order.status = status;
    order.version += 1;
    order.changed_by = Some(actor.name.clone());
    order.changed_at = now;
    order.change = change.to_owned();
    Some(closing)
}

/// A change of one stock, as a row of its register page.
struct StockChange<'a> {
    delta: Quantity,
    reason: LedgerReason,
    reference: &'a str,
    /// How much of it is of which lot; every one of them lies in the stock.
    lots: Vec<OfLot>,
    actor: UserId,
    witness: Option<UserId>,
    op: OpId,
    at: Timestamp,
}

/// Moves a stock and writes its register row. The caller has checked that enough is there.
fn book(stock: &mut Stock, ward: WardId, drug: DrugId, change: StockChange<'_>) -> LedgerEntry {
    #[cfg(test)]
    let change = StockChange {
        delta: if change.reason == LedgerReason::Wasted
            && planted::planted(planted::Fault::WrongSign)
        {
            -change.delta
        } else {
            change.delta
        },
        ..change
    };
    let row = LedgerRow {
        ward,
        drug,
        seq: stock.seq + 1,
        delta: change.delta,
        balance: stock.current + change.delta,
        reason: change.reason,
        reference: change.reference.to_owned(),
        actor: Some(change.actor),
        witness: change.witness,
        at: change.at,
        op: change.op,
    };
    let entry = LedgerEntry {
        prev_hash: stock.hash,
        hash: row.hash(&stock.hash),
        row,
        lots: change.lots,
    };
    for part in &entry.lots {
        for held in stock.lots.iter_mut().filter(|held| held.lot == part.lot) {
            held.quantity = if entry.row.delta.is_positive() {
                held.quantity + part.quantity
            } else {
                held.quantity - part.quantity
            };
        }
    }
    stock.current = entry.row.balance;
    stock.seq = entry.row.seq;
    stock.hash = entry.hash;
    entry
}
