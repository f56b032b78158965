//! Who may do what.

use std::collections::BTreeSet;

use super::ids::{UserId, WardId};
use super::vocabulary::UnknownWord;
use super::vocabulary::words;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

words!(/// What a person is in the hospital.
Role {
    /// Gives doses.
    Nurse = "nurse",
    /// Keeps stock.
    Pharmacist = "pharmacist",
    /// Prescribes and discontinues.
    Doctor = "doctor",
    /// Watches wards.
    Supervisor = "supervisor",
    /// Keeps the accounts; touches no drug.
    Admin = "admin",
});

/// The wards a person may act on. Everybody may look at every ward: a nurse lends a hand and a doctor visits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wards {
    /// All of them.
    Every,
    /// These only.
    Only(BTreeSet<WardId>),
}

impl Wards {
    /// Whether `ward` is among them.
    pub fn allow(&self, ward: WardId) -> bool {
        match self {
            Wards::Every => true,
            Wards::Only(wards) => wards.contains(&ward),
        }
    }
}

/// A person as the desk sees them at the moment of an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// Key of the account.
    pub id: UserId,
    /// What they type to sign in.
    pub username: String,
    /// What others see.
    pub name: String,
    /// What they are.
    pub role: Role,
    /// Where they may act.
    pub wards: Wards,
    /// A disabled account may do nothing.
    pub disabled: bool,
}
