//! What a screen shows of a ward: read once by the feed, shared by every session that looks at the ward.

use std::cmp::Ordering;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{Timestamp, civil::Date};
use serde::Serialize;

use super::decide::warn::{self, Recent};
use super::{
    AdministrationId, DrugId, GivingOutcome, OrderId, OrderKind, PatientId, PrescriptionId,
    Priority, Quantity, Reason, WardId, WardKind,
};

/// A ward or the central pharmacy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ward {
    /// Key.
    pub id: WardId,
    /// What people type: `MEDI`.
    pub code: String,
    /// What people read.
    pub name: String,
    /// Ward or pharmacy.
    pub kind: WardKind,
    /// IANA name of the zone its clocks show, e.g. `Europe/Berlin`.
    pub time_zone: String,
}

impl Ward {
    /// The zone its clocks show; UTC where this machine does not know the name.
    pub fn zone(&self) -> TimeZone {
        TimeZone::get(&self.time_zone).unwrap_or(TimeZone::UTC)
    }
}

/// A patient, as far as the medication round needs to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Patient {
    /// Key.
    pub id: PatientId,
    /// Medical record number: on the wristband.
    pub mrn: String,
    /// As in the record.
    pub name: String,
    /// Second identifier at the bedside.
    pub birth_date: Date,
    /// Where they lie; may be empty.
    pub bed: String,
    /// Free text; empty: none recorded.
    pub allergies: String,
}

/// A formulary entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Drug {
    /// Key.
    pub id: DrugId,
    /// The formulary's own code.
    pub code: String,
    /// Tall-man lettering is kept: `AcetaZOLamide`.
    pub name: String,
    /// Tablet, vial …
    pub form: String,
    /// `250mg Tablet`.
    pub strength: String,
    /// The unit that is counted: one [`Quantity::units`] of 1.
    pub unit: String,
    /// A controlled drug: its register is looked at.
    pub controlled: bool,
    /// A high-alert drug: shown as such.
    pub high_alert: bool,
}

impl Drug {
    /// Name and strength on one line.
    pub fn title(&self) -> String {
        if self.strength.is_empty() {
            self.name.clone()
        } else {
            format!("{} {}", self.name, self.strength)
        }
    }
}

/// What is to be given: one amount, or a range to choose from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dose {
    /// The amount, or the least of a range; in thousandths of the drug's unit.
    pub least: Quantity,
    /// The most of a range.
    pub most: Option<Quantity>,
    /// As the prescription writes it (`0.0083`), where stock cannot be counted that finely; else empty.
    pub written: String,
}

/// One active order in the queue of a ward.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QueuedOrder {
    /// Key.
    pub id: OrderId,
    /// What is signed: see rule 5.
    pub version: i64,
    /// For whom.
    pub patient: Arc<Patient>,
    /// What.
    pub drug: Arc<Drug>,
    /// How much.
    pub dose: Dose,
    /// How: `PO`, `IV` …
    pub route: String,
    /// As the prescription writes it: `Q6H:PRN`.
    pub frequency: String,
    /// When (UTC); `None` for as-needed and unscheduled orders.
    pub due_at: Option<Timestamp>,
    /// When it comes back, where it was held (UTC).
    pub held_until: Option<Timestamp>,
    /// Timed, as needed, or not understood.
    pub kind: OrderKind,
    /// Stat first.
    pub priority: Priority,
    /// The prescriber's name.
    pub prescriber: String,
    /// What it was made from.
    pub prescription: PrescriptionId,
    /// The version of that: what is signed when all of it ends.
    pub prescription_version: i64,
}

impl QueuedOrder {
    /// When it is to be given: a held one, when it comes back.
    pub fn due(&self) -> Option<Timestamp> {
        warn::due(self.due_at, self.held_until)
    }

    /// When it comes back, if it is held at a moment.
    pub fn held(&self, now: Timestamp) -> Option<Timestamp> {
        self.held_until.filter(|until| *until > now)
    }
}

/// Stat first, then by time, then in the order in which one walks: bed by bed, one patient after the other.
pub fn by_round(a: &QueuedOrder, b: &QueuedOrder) -> Ordering {
    let priority = |o: &QueuedOrder| o.priority != Priority::Stat;
    // Shorter bed names first, so that bed 9 stands before bed 10.
    let (bed, other) = (&a.patient.bed, &b.patient.bed);
    priority(a)
        .cmp(&priority(b))
        .then_with(|| a.due().cmp(&b.due()))
        .then_with(|| bed.len().cmp(&other.len()))
        .then_with(|| bed.cmp(other))
        .then_with(|| a.patient.name.cmp(&b.patient.name))
        .then_with(|| a.drug.name.cmp(&b.drug.name))
        .then_with(|| a.id.cmp(&b.id))
}

/// One drug in a ward's cupboard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StockLevel {
    /// What.
    pub drug: Arc<Drug>,
    /// How much there is.
    pub current: Quantity,
    /// Low at or below this.
    pub threshold: Quantity,
    /// What the timed orders of the queue will take (the most of a range).
    pub needed: Quantity,
    /// When the first of its lots that lie here expires, where that is within a year.
    pub expires_on: Option<Date>,
}

/// What is to be said of a drug's lots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// Some of it may not be given any more.
    Expired(Date),
    /// Some of it is to be used soon.
    Soon(Date),
}

impl Expiry {
    /// Of a lot that may be used up to that day, with as many days' notice as the hospital wants.
    pub fn of(expires_on: Option<Date>, today: Date, days: u32) -> Option<Expiry> {
        let on = expires_on?;
        let left = on.since(today).map_or(0, |span| span.get_days());
        match left {
            ..0 => Some(Expiry::Expired(on)),
            left if i64::from(left) <= i64::from(days) => Some(Expiry::Soon(on)),
            _ => None,
        }
    }
}

impl StockLevel {
    /// Nothing left.
    pub fn is_out(&self) -> bool {
        !self.current.is_positive()
    }

    /// At or below its threshold.
    pub fn is_low(&self) -> bool {
        self.current <= self.threshold
    }
}

/// One line of the administration log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogEntry {
    /// Key.
    pub id: AdministrationId,
    /// When it was given (UTC).
    pub at: Timestamp,
    /// When it was entered (UTC).
    pub recorded_at: Timestamp,
    /// The patient's name.
    pub patient: String,
    /// The patient's number.
    pub mrn: String,
    /// What.
    pub drug: Arc<Drug>,
    /// How much; zero where nothing was given.
    pub quantity: Quantity,
    /// Given, held …
    pub outcome: GivingOutcome,
    /// The name of who recorded it.
    pub by: String,
    /// The name of who saw it.
    pub witness: Option<String>,
    /// Why it was not given, or taken back; else empty.
    pub reason: String,
    /// It takes another entry back.
    pub is_reversal: bool,
    /// Another entry takes it back.
    pub reversed: bool,
}

/// Everything the ward desk shows, read in one transaction.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WardSnapshot {
    /// Whose.
    pub ward: Ward,
    /// When it was read (UTC).
    pub taken_at: Timestamp,
    /// Active orders: as the store reads them by due time, with as-needed and unscheduled ones after the timed ones; as
    /// the feed hands them out by [`by_round`].
    pub orders: Vec<QueuedOrder>,
    /// More orders are active than are held here (the bound is in the configuration).
    pub orders_cut: bool,
    /// The cupboard, by drug name.
    pub stock: Vec<StockLevel>,
    /// The latest administrations, newest first (bounded).
    pub log: Vec<LogEntry>,
}

impl WardSnapshot {
    /// How much of a drug the ward holds; `None`: it does not stock it.
    pub fn stock_of(&self, drug: DrugId) -> Option<&StockLevel> {
        self.stock.iter().find(|level| level.drug.id == drug)
    }
}

/// What the sheet shows beyond the queue's line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OrderDetail {
    /// The order as it is now; its version is what will be signed.
    pub order: QueuedOrder,
    /// The ward in whose queue it stands.
    pub ward: WardId,
    /// What that ward holds now; `None`: it does not stock the drug.
    pub stock: Option<Quantity>,
    /// When, how much and by whom this patient last got this drug (any prescription), the latest first; four at most.
    pub givings: Vec<LastGiven>,
    /// Doses of this drug that the patient got within a day of now: what warnings are made from.
    pub recent: Vec<Recent>,
    /// When a later dose of the prescription was due that was given already (UTC).
    pub later_given: Option<Timestamp>,
    /// The prescription.
    pub prescription: PrescriptionId,
    /// Whether the prescription itself says how far apart its doses must be.
    pub has_interval: bool,
    /// When the prescription begins (UTC).
    pub start_at: Timestamp,
    /// For as-needed orders: from when on it may be given, where limits say so (UTC).
    pub not_before: Option<Timestamp>,
    /// The limits in words, e.g. `at least 6 h apart, 4 in 24 h`; empty: none known.
    pub limits: String,
    /// When the prescription ends (UTC).
    pub stop_at: Option<Timestamp>,
}

/// The last time a patient got a drug.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LastGiven {
    /// When (UTC).
    pub at: Timestamp,
    /// How much.
    pub quantity: Quantity,
    /// By whom.
    pub by: String,
}

/// An as-needed dose of which it is not known yet whether it helped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AskedDose {
    /// Its record.
    pub id: AdministrationId,
    /// When it was given (UTC).
    pub given_at: Timestamp,
    /// Where the patient lies.
    pub bed: String,
    /// The patient's number.
    pub mrn: String,
    /// The patient's name.
    pub patient: String,
    /// What, with its strength.
    pub drug: String,
    /// How much.
    pub quantity: Quantity,
    /// Of what unit.
    pub unit: String,
    /// What it was for.
    pub indication: Reason,
    /// The name of who gave it.
    pub by: String,
}
