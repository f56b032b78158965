//! The model: what a hospital holds, in plain maps, and what becomes of it when somebody asks for something.
//!
//! It is written from the design's rules and the ward's words, not from [`decide`](crate::domain::decide), and calls
//! nothing of it. It keeps no stock: what a ward holds is the sum of its register rows. It is asked one operation at a
//! time, in the order in which they were done, and knows no batches, no locks and no tables.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::hospital::{self, Account};
use crate::domain::cupboard::{CountStatus, DiscrepancyStatus, Levels, Resolution, TransferStatus};
use crate::domain::reason::{Reason, ReasonKind};
use crate::domain::scan::Gtin;
use crate::domain::vocabulary::PrescriptionStatus;
use crate::domain::{
    AdministrationId, CountId, DiscrepancyId, DrugId, GivingOutcome, LedgerReason, OpId, Operation,
    OrderId, OrderKind, OrderStatus, PatientId, Policy, PrescriptionId, Receipt, Refusal, Request,
    Role, TransferId, UserId, WardId,
};

/// What the model says of an operation.
pub(super) type Told<T = Receipt> = Result<T, No>;

/// A refusal: its code, and the numbers and names in it that somebody acts on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct No {
    pub code: &'static str,
    pub facts: String,
}

pub(super) fn no<T>(code: &'static str, facts: impl Display) -> Told<T> {
    let facts = facts.to_string();
    Err(No { code, facts })
}

/// A part of the request makes no sense.
pub(super) fn invalid<T>(field: &str) -> Told<T> {
    no("INVALID_DATA", field)
}

/// What a real refusal says, as the model says it.
pub(super) fn of_refusal(refusal: &Refusal) -> No {
    use Refusal as R;
    let facts = match refusal {
        R::OrderAlreadyCompleted { by, at, .. } | R::AlreadyDone { by, at, .. } => {
            format!("{by} {at}")
        }
        R::InvalidStatusTransition { status, .. } => status.to_string(),
        R::InsufficientStock {
            needed, available, ..
        } => format!("{} of {}", needed.0, available.0),
        R::StockBlocked {
            needed,
            usable,
            expired,
            recalled,
            ..
        } => {
            format!(
                "{} of {} ({} {})",
                needed.0, usable.0, expired.0, recalled.0
            )
        }
        R::CountStale { bookings, .. } => bookings.to_string(),
        R::LevelsChanged { threshold, par, .. } => format!("{} {}", threshold.0, par.0),
        R::ReasonRequired { missing, warned } => format!("{} {warned:?}", missing.len()),
        R::WitnessNotValid { who, .. } => who.clone(),
        R::InvalidData { field, .. } => field.clone(),
        R::WrongPatient { belongs_to, .. } => belongs_to.clone().unwrap_or_default(),
        R::TooSoon { not_before, .. } => not_before.to_string(),
        R::Stale { by, at, .. } | R::PatientChanged { by, at, .. } => {
            format!("{} {at}", by.as_deref().unwrap_or_default())
        }
        R::PatientDischarged { at, .. } => at.to_string(),
        R::PatientNumberTaken { name, .. } => name.clone(),
        R::PrescriptionEnded { by, at, .. } => {
            format!("{} {at:?}", by.as_deref().unwrap_or_default())
        }
        _ => String::new(),
    };
    No {
        code: refusal.code(),
        facts,
    }
}

pub(super) struct Ward {
    pub has_beds: bool,
    pub zone: TimeZone,
}

pub(super) struct Person {
    pub name: &'static str,
    pub role: Role,
    /// None: every ward.
    pub wards: Option<BTreeSet<WardId>>,
    pub account: Account,
}

pub(super) struct Drug {
    pub name: &'static str,
    pub controlled: bool,
    pub high_alert: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Patient {
    pub mrn: String,
    pub name: String,
    pub born: Date,
    pub ward: WardId,
    pub bed: String,
    pub allergies: String,
    pub left: Option<Timestamp>,
    pub version: i64,
    pub by: String,
    pub at: Timestamp,
}

#[derive(Debug, Clone)]
pub(super) struct Prescription {
    pub patient: PatientId,
    pub drug: DrugId,
    pub dose: i64,
    pub most: Option<i64>,
    pub kind: OrderKind,
    /// Minutes that must lie between two doses.
    pub apart: Option<u32>,
    /// Doses in 24 hours.
    pub a_day: Option<u32>,
    /// Doses in all.
    pub in_all: Option<u32>,
    pub start: Timestamp,
    pub stop: Option<Timestamp>,
    pub status: PrescriptionStatus,
    pub version: i64,
    pub by: String,
    pub ended: Option<Timestamp>,
}

#[derive(Debug, Clone)]
pub(super) struct Order {
    pub prescription: PrescriptionId,
    pub ward: WardId,
    pub due: Option<Timestamp>,
    pub held: Option<Timestamp>,
    pub status: OrderStatus,
    pub version: i64,
    pub by: String,
    pub at: Timestamp,
}

#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub order: OrderId,
    /// Of the order, as it was signed.
    pub version: i64,
    pub ward: WardId,
    pub nurse: UserId,
    pub witness: Option<UserId>,
    pub outcome: GivingOutcome,
    pub quantity: i64,
    pub given: Timestamp,
    pub lots: Vec<(String, i64)>,
    pub reverses: Option<AdministrationId>,
    pub reversed: bool,
    /// It is asked whether it helped; who has said so.
    pub effect: Option<Option<UserId>>,
}

/// A row of the register.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub delta: i64,
    pub reason: LedgerReason,
    pub by: UserId,
    pub witness: Option<UserId>,
    pub at: Timestamp,
    pub op: OpId,
}

/// What a ward has of a drug.
#[derive(Debug, Clone, Default)]
pub(super) struct Page {
    pub rows: Vec<Row>,
    pub lots: BTreeMap<String, i64>,
    pub levels: Levels,
}

impl Page {
    /// The first rule: stock is the sum of its register.
    pub fn total(&self) -> i64 {
        self.rows.iter().map(|row| row.delta).sum()
    }

    pub fn in_lot(&self, lot: &str) -> i64 {
        self.lots.get(lot).copied().unwrap_or(0)
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Lot {
    pub expires: Option<Date>,
    pub recalled: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Transfer {
    pub drug: DrugId,
    pub from: WardId,
    pub to: WardId,
    pub quantity: i64,
    pub received: Option<i64>,
    pub status: TransferStatus,
    pub receiver: Option<(String, Timestamp)>,
    /// Lot, sent, received; soonest expiry first.
    pub lots: Vec<(String, i64, Option<i64>)>,
}

#[derive(Debug, Clone)]
pub(super) struct Difference {
    pub ward: WardId,
    pub drug: DrugId,
    pub quantity: i64,
    pub transfer: Option<TransferId>,
    pub status: DiscrepancyStatus,
    pub resolution: Option<Resolution>,
    pub found: (String, Timestamp),
    pub settled: Option<(String, Timestamp)>,
}

#[derive(Debug, Clone)]
pub(super) struct Count {
    pub ward: WardId,
    pub drug: DrugId,
    pub counted: i64,
    pub expected: i64,
    pub status: CountStatus,
    pub witness: Option<UserId>,
}

#[derive(Debug, Clone)]
pub(super) struct Access {
    pub who: UserId,
    pub ward: WardId,
    pub until: Timestamp,
}

/// An order that came to be, as it was found: the model says that one must have, and for when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fresh {
    pub id: OrderId,
    pub prescription: PrescriptionId,
    pub due: Option<Timestamp>,
}

/// Keys of what an operation made. The model cannot know them before, and believes nothing else of the receipt.
pub(super) struct Keys(pub Option<Receipt>);

macro_rules! key {
    ($name:ident, $id:ty, $($variant:ident . $field:ident),+) => {
        pub fn $name(&self) -> $id {
            match &self.0 {
                $(Some(Receipt::$variant { $field, .. }) => *$field,)+
                _ => <$id>::from(NONE),
            }
        }
    };
}

/// The key of what was not made: whatever is compared with it differs.
const NONE: uuid::Uuid = uuid::Uuid::nil();

impl Keys {
    key!(
        administration,
        AdministrationId,
        Given.administration,
        NotGiven.administration,
        Corrected.administration
    );
    key!(prescription, PrescriptionId, Prescribed.prescription);
    key!(patient, PatientId, Admitted.patient);
    key!(access, uuid::Uuid, EmergencyBegun.access);
    key!(transfer, TransferId, Sent.transfer);
    key!(count, CountId, Counted.count);

    pub fn discrepancy(&self) -> DiscrepancyId {
        use crate::domain::cupboard::Verdict;
        match &self.0 {
            Some(Receipt::Arrived {
                discrepancy: Some(id),
                ..
            }) => *id,
            Some(Receipt::Counted {
                verdict: Verdict::Differs { discrepancy, .. },
                ..
            }) => *discrepancy,
            _ => DiscrepancyId(NONE),
        }
    }
}

macro_rules! from_uuid {
    ($($id:ident),+) => {$(
        impl From<uuid::Uuid> for $id {
            fn from(key: uuid::Uuid) -> $id {
                $id(key)
            }
        }
    )+};
}
from_uuid!(
    AdministrationId,
    PrescriptionId,
    PatientId,
    TransferId,
    CountId
);

/// Everything that a hospital holds.
pub(super) struct Model {
    pub policy: Policy,
    pub wards: BTreeMap<WardId, Ward>,
    pub people: BTreeMap<UserId, Person>,
    pub drugs: BTreeMap<DrugId, Drug>,
    pub patients: BTreeMap<PatientId, Patient>,
    pub prescriptions: BTreeMap<PrescriptionId, Prescription>,
    pub orders: BTreeMap<OrderId, Order>,
    pub entries: BTreeMap<AdministrationId, Entry>,
    pub pages: BTreeMap<(WardId, DrugId), Page>,
    pub lots: BTreeMap<(DrugId, String), Lot>,
    pub transfers: BTreeMap<TransferId, Transfer>,
    pub differences: BTreeMap<DiscrepancyId, Difference>,
    pub counts: BTreeMap<CountId, Count>,
    pub codes: BTreeSet<(Gtin, DrugId)>,
    pub accesses: BTreeMap<uuid::Uuid, Access>,
    /// Orders that came to be and of which the model has not said yet why.
    pub fresh: Vec<Fresh>,
}

/// Who asks, and when.
pub(super) struct Ask<'a> {
    pub op: &'a Operation,
    pub me: UserId,
    pub now: Timestamp,
    pub keys: &'a Keys,
}

impl Model {
    /// A hospital with people and patients, and nothing in its cupboards.
    pub fn new(policy: Policy) -> Model {
        let wards = hospital::WARDS.iter().map(|(id, _, _, has_beds, zone)| {
            let zone = TimeZone::get(zone).unwrap();
            (
                *id,
                Ward {
                    has_beds: *has_beds,
                    zone,
                },
            )
        });
        let people = hospital::PEOPLE
            .iter()
            .map(|(id, name, role, wards, account)| {
                let only =
                    (!wards.is_empty()).then(|| wards.iter().map(|ward| WardId(*ward)).collect());
                let person = Person {
                    name,
                    role: *role,
                    wards: only,
                    account: *account,
                };
                (*id, person)
            });
        let drugs = hospital::DRUGS
            .iter()
            .map(|(id, name, _, _, controlled, high_alert)| {
                (
                    *id,
                    Drug {
                        name,
                        controlled: *controlled,
                        high_alert: *high_alert,
                    },
                )
            });
        let patients =
            hospital::PATIENTS
                .iter()
                .enumerate()
                .map(|(n, (mrn, name, ward, allergies))| {
                    let patient = Patient {
                        mrn: (*mrn).to_owned(),
                        name: (*name).to_owned(),
                        born: hospital::BORN,
                        ward: *ward,
                        bed: "1".to_owned(),
                        allergies: (*allergies).to_owned(),
                        left: None,
                        version: 1,
                        by: String::new(),
                        at: Timestamp::UNIX_EPOCH,
                    };
                    (hospital::patient(n), patient)
                });
        Model {
            policy,
            wards: wards.collect(),
            people: people.collect(),
            drugs: drugs.collect(),
            patients: patients.collect(),
            prescriptions: BTreeMap::new(),
            orders: BTreeMap::new(),
            entries: BTreeMap::new(),
            pages: BTreeMap::new(),
            lots: BTreeMap::new(),
            transfers: BTreeMap::new(),
            differences: BTreeMap::new(),
            counts: BTreeMap::new(),
            codes: BTreeSet::new(),
            accesses: BTreeMap::new(),
            fresh: Vec::new(),
        }
    }

    /// What must become of an operation that is done now. `keys` are those of what it made.
    pub fn tell(&mut self, op: &Operation, now: Timestamp, keys: &Keys) -> Told {
        let ask = Ask {
            op,
            me: op.actor,
            now,
            keys,
        };
        match self.people.get(&op.actor) {
            Some(person) if person.account == Account::Good => {}
            _ => return no("INSUFFICIENT_PERMISSIONS", ""),
        }
        // A nurse may send where the hospital wants it so; everything else is in the matrix.
        let nurse_sends = matches!(op.request, Request::Send { .. })
            && self.policy.nurses_send
            && self.people[&op.actor].role == Role::Nurse;
        if !nurse_sends && !may(self.people[&op.actor].role, &op.request) {
            return no("INSUFFICIENT_PERMISSIONS", "");
        }
        match &op.request {
            Request::Fulfil(giving) => self.give(&ask, giving),
            Request::NotGiven(what) => self.not_given(&ask, what),
            Request::Correct(what) => self.correct(&ask, what),
            Request::NoteEffect(what) => self.note_effect(&ask, what),
            Request::Discontinue {
                order,
                version,
                reason,
            } => self.stop(&ask, *order, *version, reason),
            Request::Receive {
                ward,
                drug,
                quantity,
                reference,
                lot,
            } => self.receive(&ask, (*ward, *drug), quantity.0, reference, lot.as_ref()),
            Request::Prescribe(what) => self.prescribe(&ask, what),
            Request::DiscontinuePrescription {
                prescription,
                version,
                reason,
            } => self.end_prescription(&ask, *prescription, *version, reason),
            Request::Admit(what) => self.admit(&ask, what),
            Request::Move {
                patient,
                version,
                ward,
                bed,
            } => self.relocate(&ask, (*patient, *version), *ward, bed),
            Request::Discharge {
                patient,
                version,
                reason,
            } => self.discharge(&ask, (*patient, *version), reason),
            Request::Allergies {
                patient,
                version,
                allergies,
            } => self.allergies(&ask, (*patient, *version), allergies),
            Request::Emergency { ward, reason } => self.emergency(&ask, *ward, reason),
            Request::EndEmergency { access } => self.end_emergency(&ask, *access),
            Request::Send {
                source,
                destination,
                drug,
                quantity,
                note,
            } => self.send(&ask, (*source, *destination), *drug, quantity.0, note),
            Request::Arrive { transfer, received } => self.arrive(&ask, *transfer, received.0),
            Request::ResolveTransfer {
                discrepancy,
                how,
                reason,
            } => self.resolve_transfer(&ask, *discrepancy, *how, reason),
            Request::Return { what, reason } => self.take_out(&ask, what, reason, false),
            Request::Waste { what, reason } => self.take_out(&ask, what, reason, true),
            Request::Adjust { what, reason } => self.adjust(&ask, what, reason),
            Request::Count {
                ward,
                drug,
                seq,
                counted,
            } => self.count(&ask, (*ward, *drug), *seq, counted.0),
            Request::Explain {
                discrepancy,
                reason,
            } => self.explain(&ask, *discrepancy, reason),
            Request::ResolveCount {
                discrepancy,
                reason,
            } => self.resolve_count(&ask, *discrepancy, reason),
            Request::Recall { drug, lot, reason } => self.recall(&ask, *drug, lot, reason),
            Request::BindCode { drug, gtin, beside } => self.bind(&ask, gtin, *drug, *beside),
            Request::ReleaseCode { drug, gtin } => self.release(&ask, gtin, *drug),
            Request::SetLevels {
                ward,
                drug,
                was,
                levels,
            } => self.set_levels(&ask, (*ward, *drug), was, levels),
        }
    }

    /// One's own ward, or one to which one has emergency access.
    pub fn acts_in(&self, who: UserId, ward: WardId, now: Timestamp) -> bool {
        let own = match self.people.get(&who).map(|person| &person.wards) {
            Some(Some(wards)) => wards.contains(&ward),
            Some(None) => true,
            None => false,
        };
        let lets = |access: &Access| access.who == who && access.ward == ward && access.until > now;
        own || self.accesses.values().any(lets)
    }

    pub fn here(&self, ask: &Ask<'_>, ward: WardId) -> Told<()> {
        if self.acts_in(ask.me, ward, ask.now) {
            Ok(())
        } else {
            no("INSUFFICIENT_PERMISSIONS", "")
        }
    }

    pub fn name(&self, who: UserId) -> String {
        self.people[&who].name.to_owned()
    }

    /// The second person: another, who may, in that ward; and there, where there must be one.
    pub fn witness(&self, ask: &Ask<'_>, ward: WardId, needed: bool) -> Told<Option<UserId>> {
        let Some(id) = ask.op.witness else {
            return if needed {
                no("WITNESS_REQUIRED", "")
            } else {
                Ok(None)
            };
        };
        let Some(person) = self.people.get(&id) else {
            return no("WITNESS_NOT_VALID", format!("Account {id}"));
        };
        let own = person
            .wards
            .as_ref()
            .is_none_or(|wards| wards.contains(&ward));
        if id == ask.me || person.account != Account::Good || person.role == Role::Admin || !own {
            return no("WITNESS_NOT_VALID", person.name);
        }
        Ok(Some(id))
    }

    /// A coded reason, with words where the code says too little.
    pub fn reason(&self, kind: ReasonKind, reason: &Reason) -> Told<()> {
        let known = self.policy.reasons.find(kind, reason.code.trim());
        let text = reason.text.trim();
        match known {
            Some(code) if text_is_kept(text) && !(code.needs_text && text.is_empty()) => Ok(()),
            _ => invalid("reason"),
        }
    }

    pub fn day(&self, ward: WardId, now: Timestamp) -> Date {
        self.wards[&ward].zone.to_datetime(now).date()
    }

    /// An order that must have come to be.
    pub fn claim(&mut self, prescription: PrescriptionId, due: Option<Timestamp>) -> OrderId {
        let wanted = |fresh: &Fresh| fresh.prescription == prescription && fresh.due == due;
        match self.fresh.iter().position(wanted) {
            Some(at) => self.fresh.remove(at).id,
            // It did not: whatever is known under this key will be missing from the tables.
            None => OrderId(NONE),
        }
    }
}

/// A text that reports can show.
pub(super) fn text_is_kept(text: &str) -> bool {
    text.chars().count() <= 200 && !text.contains(char::is_control)
}

/// Hours and minutes.
pub(super) const fn minutes(n: i64) -> SignedDuration {
    SignedDuration::from_mins(n)
}

/// The role matrix, as the README has it.
pub(super) fn may(role: Role, request: &Request) -> bool {
    use Role::{Admin, Doctor, Nurse, Pharmacist, Supervisor};
    let who: &[Role] = match request {
        Request::Fulfil(_) | Request::NotGiven(_) | Request::NoteEffect(_) => &[Nurse],
        Request::Correct(_) => &[Nurse, Supervisor],
        Request::Discontinue { .. }
        | Request::Prescribe(_)
        | Request::DiscontinuePrescription { .. }
        | Request::Discharge { .. } => &[Doctor],
        Request::Admit(_) | Request::Move { .. } => &[Nurse, Doctor],
        Request::Allergies { .. } => &[Nurse, Doctor, Pharmacist],
        Request::Receive { .. }
        | Request::Send { .. }
        | Request::Recall { .. }
        | Request::BindCode { .. }
        | Request::ReleaseCode { .. }
        | Request::SetLevels { .. } => &[Pharmacist],
        Request::Arrive { .. } | Request::Return { .. } | Request::Waste { .. } => {
            &[Nurse, Pharmacist]
        }
        Request::ResolveTransfer { .. } | Request::Adjust { .. } => &[Pharmacist, Supervisor],
        Request::Count { .. } | Request::Explain { .. } => &[Nurse, Pharmacist, Supervisor],
        Request::ResolveCount { .. } => &[Supervisor],
        Request::Emergency { .. } | Request::EndEmergency { .. } => {
            return role != Admin;
        }
    };
    who.contains(&role)
}
