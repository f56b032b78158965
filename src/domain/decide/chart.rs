//! What is loaded of patients and prescriptions, and the rows that operations on them write.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::{Loaded, Order};
use crate::domain::prescribing::{PrescribingWarning, StayChange};
use crate::domain::reason::Reason;
use crate::domain::{
    DrugId, OpId, OrderId, OrderKind, OrderStatus, PatientId, PrescriptionId, Priority, Quantity,
    Refusal, Schedule, UserId, WardId, WardKind,
};

/// A patient under lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chart {
    /// Key.
    pub id: PatientId,
    /// Raised by every change.
    pub version: i64,
    /// On the wristband.
    pub mrn: String,
    /// As in the record.
    pub name: String,
    /// Second identifier.
    pub birth_date: Date,
    /// Where they lie, or lay when they left.
    pub ward: WardId,
    /// May be empty.
    pub bed: String,
    /// Free text; empty: none recorded.
    pub allergies: String,
    /// When they left (UTC); `None`: they are here.
    pub discharged_at: Option<Timestamp>,
    /// Who changed the record last: their name; `None` for the import.
    pub changed_by: Option<String>,
    /// When (UTC).
    pub changed_at: Timestamp,
    /// What changed, in words.
    pub change: String,
}

/// A ward that a patient lies in or is to lie in.
#[derive(Debug, Clone, PartialEq)]
pub struct WardPlace {
    /// Its name.
    pub name: String,
    /// Patients lie in wards, not in the pharmacy.
    pub kind: WardKind,
    /// The zone of its clocks.
    pub zone: TimeZone,
}

/// A prescription under lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prescription {
    /// Key.
    pub id: PrescriptionId,
    /// Raised by every change.
    pub version: i64,
    /// For whom.
    pub patient: PatientId,
    /// Where the patient lies.
    pub ward: WardId,
    /// That ward's name.
    pub ward_name: String,
    /// What.
    pub drug: DrugId,
    /// Its name as searches compare it: the same drug in another strength has the same.
    pub drug_key: String,
    /// Its title.
    pub title: String,
    /// `active`, `ended` or `discontinued`.
    pub status: PrescriptionStatus,
    /// Who ended it: their name; `None`: nobody did, or its own time.
    pub ended_by: Option<String>,
    /// When (UTC).
    pub ended_at: Option<Timestamp>,
    /// Why.
    pub end: Reason,
}

impl Prescription {
    /// Its patient lies there from now on.
    pub(super) fn stands_in(&mut self, ward: WardId, ward_name: &str) {
        self.ward = ward;
        ward_name.clone_into(&mut self.ward_name);
    }
}

pub use crate::domain::vocabulary::PrescriptionStatus;

/// The rows that operations on prescriptions and patients write.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChartEffects {
    /// Patients, as they are to be on record.
    pub charts: Vec<ChartRow>,
    /// What happened to them.
    pub stays: Vec<StayRow>,
    /// New prescriptions.
    pub prescribed: Vec<NewPrescription>,
    /// Orders made from new prescriptions.
    pub made: Vec<MadeOrder>,
    /// Open orders that follow their patient, or whose patient's record changed.
    pub moved: Vec<MovedOrder>,
    /// Running prescriptions that follow their patient to this ward.
    pub followed: Vec<(PrescriptionId, WardId)>,
    /// Wards that look different now.
    pub wards: Vec<WardId>,
}

impl ChartEffects {
    pub(super) fn extend(&mut self, more: ChartEffects) {
        self.charts.extend(more.charts);
        self.stays.extend(more.stays);
        self.prescribed.extend(more.prescribed);
        self.made.extend(more.made);
        self.moved.extend(more.moved);
        self.followed.extend(more.followed);
        self.wards.extend(more.wards);
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        *self == ChartEffects::default()
    }
}

/// A patient as they are to be on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChartRow {
    /// As it becomes; its version is the new one, and 1 a new patient's.
    pub chart: Chart,
    /// By whom.
    pub by: UserId,
}

/// A line of a patient's stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StayRow {
    /// Key.
    pub id: uuid::Uuid,
    /// Whose.
    pub patient: PatientId,
    /// What happened.
    pub kind: StayChange,
    /// The ward they left, where they did.
    pub from: Option<WardId>,
    /// The ward where they lie, or lay when they left.
    pub ward: WardId,
    /// In words: the bed, the allergies, the reason.
    pub detail: String,
    /// The code of the reason, where there is one.
    pub code: String,
    /// By whom.
    pub by: UserId,
    /// When (UTC).
    pub at: Timestamp,
    /// The operation.
    pub op: OpId,
}

/// A prescription that was made at the desk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPrescription {
    /// Key.
    pub id: PrescriptionId,
    /// For whom.
    pub patient: PatientId,
    /// Where they lie.
    pub ward: WardId,
    /// What.
    pub drug: DrugId,
    /// The dose, or the least of a range.
    pub dose: Quantity,
    /// The most of a range.
    pub most: Option<Quantity>,
    /// How.
    pub route: String,
    /// As written.
    pub frequency: String,
    /// As understood.
    pub schedule: Schedule,
    /// When it begins.
    pub start: Timestamp,
    /// When it ends.
    pub stop: Option<Timestamp>,
    /// Stat or routine.
    pub priority: Priority,
    /// By whom.
    pub doctor: UserId,
    /// Orders are made up to here.
    pub made_until: Timestamp,
    /// When it was written.
    pub at: Timestamp,
    /// Warnings that were passed over: which, of what, and why.
    pub overrides: Vec<(PrescribingWarning, String, Reason)>,
}

/// An order made from a new prescription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeOrder {
    /// Key.
    pub id: OrderId,
    /// From which.
    pub prescription: PrescriptionId,
    /// When it is due; `None` for the one open order of an as-needed prescription.
    pub due: Option<Timestamp>,
    /// Timed or as needed.
    pub kind: OrderKind,
    /// When it was made.
    pub at: Timestamp,
}

/// An open order with a new ward or a new version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedOrder {
    /// Key.
    pub id: OrderId,
    /// The version it had.
    pub version: i64,
    /// In whose queue it stands now.
    pub ward: WardId,
    /// By whom.
    pub by: UserId,
    /// When (UTC).
    pub at: Timestamp,
    /// What happened, in words.
    pub change: String,
}

/// A prescription that ends before its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedPrescription {
    /// Which.
    pub id: PrescriptionId,
    /// By whom.
    pub by: UserId,
    /// When (UTC).
    pub at: Timestamp,
    /// Why.
    pub reason: Reason,
}

/// The patient, if they are here and are as somebody saw them.
pub(super) fn present(state: &Loaded, id: PatientId, version: i64) -> Result<&Chart, Refusal> {
    let chart = on_record(state, id)?;
    if let Some(at) = chart.discharged_at {
        return Err(Refusal::PatientDischarged {
            name: chart.name.clone(),
            at,
        });
    }
    if chart.version != version {
        return Err(Refusal::PatientChanged {
            name: chart.name.clone(),
            change: chart.change.clone(),
            by: chart.changed_by.clone(),
            at: chart.changed_at,
        });
    }
    Ok(chart)
}

/// The patient, here or not.
pub(super) fn on_record(state: &Loaded, id: PatientId) -> Result<&Chart, Refusal> {
    state.charts.get(&id).ok_or(Refusal::PatientNotFound {
        patient: id.to_string(),
    })
}

/// A ward that is named, or where a patient lies.
pub(super) fn place(state: &Loaded, id: WardId) -> Result<&WardPlace, Refusal> {
    state.places.get(&id).ok_or_else(|| Refusal::InvalidData {
        field: "ward".to_owned(),
        why: format!("there is no ward {id}"),
    })
}

/// The open orders that are `of`, in the order of their keys.
pub(super) fn open_orders(state: &Loaded, of: impl Fn(&Order) -> bool) -> Vec<OrderId> {
    let mut found: Vec<OrderId> = state
        .orders
        .values()
        .filter(|order| order.status == OrderStatus::Active && of(order))
        .map(|order| order.id)
        .collect();
    found.sort_unstable();
    found
}
