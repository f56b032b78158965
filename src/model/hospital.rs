//! The hospital in which the model and the desk are asked the same: small, so that people meet over the same dose often.

use jiff::Timestamp;
use jiff::civil::{Date, date};
use uuid::Uuid;

use crate::domain::{DrugId, PatientId, Role, UserId, WardId};

/// A ward: key, code, name, whether patients lie in it, and its clocks. Two zones, so that the day ends at two moments.
pub(super) const WARDS: [(WardId, &str, &str, bool, &str); 3] = [
    (WardId(1), "MEDI", "Medicine", true, "Europe/Berlin"),
    (WardId(2), "SURG", "Surgery", true, "America/New_York"),
    (WardId(3), "PHAR", "Pharmacy", false, "Europe/Berlin"),
];

/// A person: key, name, role, wards (none: every ward), what is wrong with the account.
pub(super) const PEOPLE: [(UserId, &str, Role, &[i64], Account); 13] = [
    (UserId(1), "Nora", Role::Nurse, &[1], Account::Good),
    (UserId(2), "Nils", Role::Nurse, &[1, 2], Account::Good),
    (UserId(3), "Paul", Role::Nurse, &[], Account::Good),
    (UserId(4), "Petra", Role::Pharmacist, &[], Account::Good),
    (UserId(5), "Pia", Role::Pharmacist, &[1, 3], Account::Good),
    (UserId(6), "Dora", Role::Doctor, &[1], Account::Good),
    (UserId(7), "Dirk", Role::Doctor, &[], Account::Good),
    (UserId(8), "Sam", Role::Supervisor, &[], Account::Good),
    (UserId(9), "Sue", Role::Supervisor, &[2], Account::Good),
    (UserId(10), "Ada", Role::Admin, &[], Account::Good),
    (UserId(11), "Olaf", Role::Nurse, &[], Account::Disabled),
    (UserId(12), "Rita", Role::Nurse, &[], Account::ReadOnly),
    (UserId(13), "Nele", Role::Nurse, &[2], Account::Good),
];

/// Whether an account may do anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Account {
    Good,
    Disabled,
    ReadOnly,
}

/// Nobody has this key.
pub(super) const NOBODY: UserId = UserId(99);

/// A drug: key, name, strength, unit, controlled, high-alert. The first two are one drug in two strengths.
pub(super) const DRUGS: [(DrugId, &str, &str, &str, bool, bool); 5] = [
    (DrugId(1), "Paracetamol", "500mg", "tab", false, false),
    (DrugId(2), "Paracetamol", "1g", "tab", false, false),
    (DrugId(3), "Morphine", "10mg/mL", "mL", true, false),
    (DrugId(4), "Insulin", "", "U", false, true),
    (DrugId(5), "Penicillin", "1g", "vial", false, false),
];

/// A patient who is here from the beginning: number, name, ward, allergies.
pub(super) const PATIENTS: [(&str, &str, WardId, &str); 5] = [
    ("M1", "Anna Adler", WardId(1), ""),
    ("M2", "Bruno Baum", WardId(1), "penicillin: rash"),
    ("M3", "Clara Clausen", WardId(1), ""),
    ("M4", "David Dorn", WardId(2), ""),
    ("M5", "Emil Engel", WardId(2), "morphine"),
];

/// Everybody's birthday.
pub(super) const BORN: Date = date(1950, 1, 31);

pub(super) fn patient(n: usize) -> PatientId {
    PatientId(Uuid::from_u128(0x1000 + n as u128))
}

/// As messages name a drug.
pub(super) fn title(name: &str, strength: &str) -> String {
    if strength.is_empty() {
        name.to_owned()
    } else {
        format!("{name} {strength}")
    }
}

/// A Monday morning; no clock is changed in the weeks after it that the model lives through.
pub(super) fn morning() -> Timestamp {
    "2026-01-12T07:00:00Z".parse().unwrap()
}
