//! What a hospital may set about the rules: limits and lists, with what holds where it says nothing.
//!
//! The rules read this and nothing else of the configuration, and screens hold the same, so that they say beforehand
//! what the desk will say.

use super::reason::Reasons;

/// Every limit and list that a rule uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The coded reasons.
    pub reasons: Reasons,
    /// A controlled drug is given before a witness.
    pub witness_controlled: bool,
    /// A high-alert drug is given before a witness.
    pub witness_high_alert: bool,
    /// How long emergency access to a ward lasts, in minutes.
    pub emergency_minutes: u32,
    /// Nurses may send stock to another ward, not only pharmacists.
    pub nurses_send: bool,
    /// Every difference that a count finds waits for a supervisor once it is explained; otherwise those of controlled
    /// drugs only.
    pub every_difference_stays_open: bool,
    /// A lot that expires within so many days is shown as such.
    pub expiring_days: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            reasons: Reasons::default(),
            witness_controlled: false,
            witness_high_alert: false,
            emergency_minutes: 60,
            nurses_send: false,
            every_difference_stays_open: false,
            expiring_days: 0,
        }
    }
}

impl Policy {
    /// Whether a drug leaves the cupboard before a witness only, and as what.
    pub const fn needs_witness(&self, controlled: bool, high_alert: bool) -> Option<&'static str> {
        if controlled && self.witness_controlled {
            Some("a controlled drug")
        } else if high_alert && self.witness_high_alert {
            Some("a high-alert drug")
        } else {
            None
        }
    }
}
