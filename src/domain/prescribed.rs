//! What is looked up before something is prescribed, and what became of it after.

use jiff::Timestamp;
use serde::Serialize;

use super::snapshot::{Dose, Drug, Patient, Ward};
use super::vocabulary::PrescriptionStatus;
use super::{DrugId, PatientId, PrescriptionId, Priority, Quantity};

/// A patient with where they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Person {
    /// Who.
    pub patient: Patient,
    /// The version of their record: what was seen is what is signed.
    pub version: i64,
    /// Where they lie, or lay when they left.
    pub ward: Ward,
    /// When they left (UTC); `None`: they are here.
    pub discharged_at: Option<Timestamp>,
}

/// A drug that may be prescribed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Candidate {
    /// What.
    pub drug: Drug,
    /// How much the patient's ward holds; `None`: it does not stock it. A warning, not a reservation.
    pub stock: Option<Quantity>,
}

/// A prescription that runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Running {
    /// Key.
    pub prescription: PrescriptionId,
    /// Raised by every change.
    pub version: i64,
    /// What.
    pub drug: DrugId,
    /// Its name as searches compare it.
    pub drug_key: String,
    /// Its title.
    pub title: String,
    /// As written.
    pub frequency: String,
}

/// A prescription in a doctor's own list, with what was given of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Prescribed {
    /// Key.
    pub prescription: PrescriptionId,
    /// Raised by every change.
    pub version: i64,
    /// For whom.
    pub patient: PatientId,
    /// Their number.
    pub mrn: String,
    /// Their name.
    pub name: String,
    /// Where they lie.
    pub bed: String,
    /// Code of their ward.
    pub ward: String,
    /// Zone of its clocks.
    pub time_zone: String,
    /// What.
    pub drug: String,
    /// How strong.
    pub strength: String,
    /// Stock unit.
    pub unit: String,
    /// How much.
    pub dose: Dose,
    /// How.
    pub route: String,
    /// As written.
    pub frequency: String,
    /// As understood.
    pub schedule: String,
    /// Stat or routine.
    pub priority: Priority,
    /// When it begins (UTC).
    pub start: Timestamp,
    /// When it ends (UTC).
    pub stop: Option<Timestamp>,
    /// Where it stands.
    pub status: PrescriptionStatus,
    /// When somebody ended it (UTC).
    pub ended_at: Option<Timestamp>,
    /// When it was written (UTC).
    pub written_at: Timestamp,
    /// Doses that are accounted for.
    pub done: i64,
    /// Doses whose time is over and that nobody accounted for.
    pub waiting: i64,
    /// When the last one was given (UTC).
    pub last_given: Option<Timestamp>,
}
