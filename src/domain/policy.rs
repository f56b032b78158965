//! What a hospital may set about the rules: limits and lists, with what holds where it says nothing.
//!
//! The rules read this and nothing else of the configuration, and screens hold the same, so that they say beforehand
//! what the desk will say.

use jiff::SignedDuration;

use super::reason::Reasons;
use super::schedule::StandardTimes;

/// Every limit and list that a rule uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The coded reasons.
    pub reasons: Reasons,
    /// Doses become orders this long ahead: those of a new prescription at once.
    pub horizon: SignedDuration,
    /// What `BID` means on the wards.
    pub standard_times: StandardTimes,
    /// A controlled drug is given before a witness.
    pub witness_controlled: bool,
    /// A high-alert drug is given before a witness.
    pub witness_high_alert: bool,
    /// Minutes before its time from which a dose may be given without a reason; `None`: at any time before.
    pub early_minutes: Option<u32>,
    /// Minutes after its time up to which a dose may be given without a reason; `None`: at any time after.
    pub late_minutes: Option<u32>,
    /// Minutes within which the same drug is not given to a patient again without a reason; `None`: not looked at.
    pub same_drug_minutes: Option<u32>,
    /// A dose is not given after a later one of its prescription without a reason.
    pub later_given: bool,
    /// How much may be given with a reason, in hundredths of the most that is prescribed; 100: not more than that.
    pub high_dose_percent: u32,
    /// Minutes that may lie between giving and entering without a reason.
    pub back_entry_minutes: u32,
    /// Minutes after its time at which a dose that nobody accounted for is shown as missed.
    pub missed_minutes: u32,
    /// What an as-needed dose is for must be said.
    pub indication_needed: bool,
    /// Minutes after an as-needed dose at which somebody is asked whether it helped.
    pub effect_minutes: u32,
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
    /// What holds where nothing is set.
    fn default() -> Self {
        Policy {
            reasons: Reasons::default(),
            horizon: SignedDuration::from_hours(24),
            standard_times: StandardTimes::default(),
            witness_controlled: true,
            witness_high_alert: false,
            early_minutes: Some(60),
            late_minutes: Some(60),
            same_drug_minutes: Some(120),
            later_given: true,
            high_dose_percent: 200,
            back_entry_minutes: 5,
            missed_minutes: 240,
            indication_needed: true,
            effect_minutes: 60,
            emergency_minutes: 60,
            nurses_send: false,
            every_difference_stays_open: false,
            expiring_days: 30,
        }
    }
}

impl Policy {
    /// Rules that ask for nothing beyond what every dose needs: for measuring, and for stories about something else.
    pub fn easy() -> Policy {
        Policy {
            witness_controlled: false,
            early_minutes: None,
            late_minutes: None,
            same_drug_minutes: None,
            later_given: false,
            high_dose_percent: 100,
            indication_needed: false,
            ..Policy::default()
        }
    }

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
