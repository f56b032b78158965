//! Who may do what.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

use super::ids::{UserId, WardId};
use super::vocabulary::UnknownWord;
use super::vocabulary::words;

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
    /// May look at everything and change nothing.
    pub read_only: bool,
    /// Can prove who they are by a PIN or password: what is locked can be opened again.
    pub secret: bool,
    /// Wards that are not theirs, and the emergency access by which they may act there all the same.
    pub emergencies: BTreeMap<WardId, Access>,
}

/// An emergency access that somebody has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// Its key.
    pub id: Uuid,
    /// Until when (UTC).
    pub until: Timestamp,
}

impl Actor {
    /// Whether they may act in a ward at that moment: it is one of theirs, or they have emergency access to it.
    pub fn acts_in(&self, ward: WardId, now: Timestamp) -> bool {
        self.wards.allow(ward) || self.emergency(ward, now).is_some()
    }

    /// The emergency access that they have at that moment to a ward that is not theirs.
    pub fn emergency(&self, ward: WardId, now: Timestamp) -> Option<Access> {
        let access = self.emergencies.get(&ward).copied();
        access.filter(|access| access.until > now && !self.wards.allow(ward))
    }
}
