//! What a doctor asks for when prescribing, and what is asked about patients who come, move and leave.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

use super::reason::Reason;
use super::vocabulary::{UnknownWord, words};
use super::{DrugId, PatientId, Quantity, Schedule, WardId};

/// A prescription as a doctor signs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prescribe {
    /// For whom.
    pub patient: PatientId,
    /// The version of the patient's record that was on the screen: allergies and ward.
    pub version: i64,
    /// What.
    pub drug: DrugId,
    /// The dose, or the least of a range, in thousandths of the drug's unit.
    pub dose: Quantity,
    /// The most of a range.
    pub most: Option<Quantity>,
    /// How: `PO`, `IV` …
    pub route: String,
    /// As the doctor wrote it: shown to whoever gives.
    pub frequency: String,
    /// What was understood of it: what was on the screen is what is signed.
    pub schedule: Schedule,
    /// One dose, at once, before all others.
    pub stat: bool,
    /// When it begins (UTC); `None`: now.
    pub start: Option<Timestamp>,
    /// When it ends (UTC); `None`: when somebody ends it.
    pub stop: Option<Timestamp>,
    /// Why it is prescribed although the desk warns.
    pub overrides: Vec<Override>,
}

words!(/// What the desk warns of when something is prescribed.
PrescribingWarning {
    /// The patient's allergies name the drug.
    Allergy = "allergy",
    /// The patient has the drug prescribed already.
    Duplicate = "duplicate",
});

/// Why a warning is passed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    /// Which.
    pub kind: PrescribingWarning,
    /// Why.
    pub reason: Reason,
}

/// A patient who comes, or comes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Admit {
    /// The number on the wristband.
    pub mrn: String,
    /// As in the record: `Adler, Anna`.
    pub name: String,
    /// Second identifier.
    pub birth_date: Date,
    /// Where to.
    pub ward: WardId,
    /// May be empty.
    pub bed: String,
    /// Free text; empty: none recorded.
    pub allergies: String,
}

words!(/// What happened to a patient's stay.
StayChange {
    /// Came, or came back.
    Admitted = "admitted",
    /// Moved to another ward or bed.
    Moved = "moved",
    /// Left.
    Discharged = "discharged",
    /// What is recorded of allergies was changed.
    Allergies = "allergies",
});
