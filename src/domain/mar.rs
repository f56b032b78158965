//! The patient record: what one patient was to get on one day, and what became of it.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::snapshot::{Dose, Drug, Patient, Ward};
use super::vocabulary::PrescriptionStatus;
use super::{
    AdministrationId, GivingOutcome, OrderId, OrderKind, OrderStatus, PrescriptionId, Priority,
    Quantity,
};

/// One patient's day.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Record {
    /// Who.
    pub patient: Patient,
    /// The version of the patient's record.
    pub version: i64,
    /// Where they lie, or lay when they left: the day is that of its clocks.
    pub ward: Ward,
    /// When they left (UTC); `None`: they are here.
    pub discharged_at: Option<Timestamp>,
    /// Which day.
    pub day: Date,
    /// When the day begins (UTC).
    pub from: Timestamp,
    /// When it ends (UTC): the first moment of the next.
    pub to: Timestamp,
    /// Prescriptions that run on that day, by drug.
    pub lines: Vec<Line>,
    /// When it was read (UTC).
    pub read_at: Timestamp,
}

/// One prescription on that day.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// Key.
    pub prescription: PrescriptionId,
    /// Raised by every change.
    pub version: i64,
    /// What.
    pub drug: Drug,
    /// How much.
    pub dose: Dose,
    /// How.
    pub route: String,
    /// As written.
    pub frequency: String,
    /// The limits of an as-needed drug, in words; empty: none.
    pub limits: String,
    /// Timed, as needed, or to be read.
    pub kind: OrderKind,
    /// Stat or routine.
    pub priority: Priority,
    /// Who prescribed it.
    pub prescriber: String,
    /// When it begins (UTC).
    pub start: Timestamp,
    /// When it ends (UTC).
    pub stop: Option<Timestamp>,
    /// Where it stands.
    pub status: PrescriptionStatus,
    /// When somebody ended it (UTC).
    pub ended_at: Option<Timestamp>,
    /// Who.
    pub ended_by: Option<String>,
    /// Its doses of that day: timed ones by when they are due, then the others by when they were given.
    pub doses: Vec<DoseOfDay>,
}

/// One dose of the day.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DoseOfDay {
    /// The order.
    pub order: OrderId,
    /// When it is due (UTC); `None`: as needed.
    pub due: Option<Timestamp>,
    /// Where the order stands.
    pub status: OrderStatus,
    /// A held dose comes back then (UTC).
    pub held_until: Option<Timestamp>,
    /// What the order says last, in words.
    pub change: String,
    /// What was recorded, in the order of entry; corrections too.
    pub entries: Vec<Entry>,
}

/// What was recorded of a dose.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    /// Key.
    pub id: AdministrationId,
    /// What became of it.
    pub outcome: GivingOutcome,
    /// How much; zero where nothing was given.
    pub quantity: Quantity,
    /// When (UTC).
    pub at: Timestamp,
    /// When that was entered (UTC).
    pub recorded_at: Timestamp,
    /// By whom.
    pub by: String,
    /// Why, in words; may be empty.
    pub reason: String,
    /// The entry that this one takes back.
    pub reverses: Option<AdministrationId>,
}

/// How a dose stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub enum Standing {
    /// Nobody accounted for it, and its window is long over.
    Missed,
    /// Its time is over.
    Late,
    /// It may be given now.
    Due,
    /// Its time has not come.
    Later,
    /// Withheld.
    Held,
    /// Refused.
    Refused,
    /// There was none.
    NotAvailable,
    /// Given.
    Given,
    /// It was stopped before it was given.
    Stopped,
}

/// From when on a dose counts as due, and from when on as missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Windows {
    /// Due this long before its time.
    pub due: SignedDuration,
    /// Missed this long after it.
    pub missed: SignedDuration,
}

impl DoseOfDay {
    /// The entry that stands: the last one that is no correction and was not taken back.
    pub fn standing_entry(&self) -> Option<&Entry> {
        let taken_back = |entry: &Entry| {
            let by = |other: &Entry| other.reverses == Some(entry.id);
            self.entries.iter().any(by)
        };
        self.entries
            .iter()
            .rev()
            .find(|entry| entry.reverses.is_none() && !taken_back(entry))
    }

    /// How it stands at `now`.
    pub fn standing(&self, now: Timestamp, windows: Windows) -> Standing {
        if self.status == OrderStatus::Discontinued {
            return Standing::Stopped;
        }
        if self.status == OrderStatus::Completed {
            return match self.standing_entry().map(|entry| entry.outcome) {
                Some(GivingOutcome::Held) => Standing::Held,
                Some(GivingOutcome::Refused) => Standing::Refused,
                Some(GivingOutcome::NotAvailable) => Standing::NotAvailable,
                Some(GivingOutcome::Given) | None => Standing::Given,
            };
        }
        if self.held_until.is_some_and(|until| until > now) {
            return Standing::Held;
        }
        let Some(due) = self.held_until.or(self.due) else {
            return Standing::Due;
        };
        let over = now.duration_since(due);
        if over > windows.missed {
            Standing::Missed
        } else if over > SignedDuration::ZERO {
            Standing::Late
        } else if over >= -windows.due {
            Standing::Due
        } else {
            Standing::Later
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const WINDOWS: Windows = Windows {
        due: SignedDuration::from_hours(1),
        missed: SignedDuration::from_hours(2),
    };

    fn entry(id: u128, outcome: GivingOutcome, reverses: Option<u128>) -> Entry {
        Entry {
            id: AdministrationId(Uuid::from_u128(id)),
            outcome,
            quantity: Quantity::ZERO,
            at: Timestamp::UNIX_EPOCH,
            recorded_at: Timestamp::UNIX_EPOCH,
            by: String::new(),
            reason: String::new(),
            reverses: reverses.map(|id| AdministrationId(Uuid::from_u128(id))),
        }
    }

    fn dose(status: OrderStatus, entries: Vec<Entry>) -> DoseOfDay {
        DoseOfDay {
            order: OrderId(Uuid::nil()),
            due: Some(Timestamp::UNIX_EPOCH),
            status,
            held_until: None,
            change: String::new(),
            entries,
        }
    }

    #[test]
    fn an_open_dose_goes_by_the_clock() {
        let dose = dose(OrderStatus::Active, Vec::new());
        let at = |minutes| {
            let now = Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes);
            dose.standing(now, WINDOWS)
        };
        assert_eq!(at(-61), Standing::Later);
        assert_eq!(at(-60), Standing::Due);
        assert_eq!(at(0), Standing::Due);
        assert_eq!(at(1), Standing::Late);
        assert_eq!(at(120), Standing::Late);
        assert_eq!(at(121), Standing::Missed);
    }

    #[test]
    fn a_held_dose_comes_back_at_its_time() {
        let mut dose = dose(
            OrderStatus::Active,
            vec![entry(1, GivingOutcome::Held, None)],
        );
        dose.held_until = Some(Timestamp::UNIX_EPOCH + SignedDuration::from_hours(5));
        let at = |minutes| {
            let now = Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes);
            dose.standing(now, WINDOWS)
        };
        assert_eq!(at(299), Standing::Held);
        assert_eq!(at(300), Standing::Due);
        assert_eq!(at(301), Standing::Late);
        assert_eq!(at(421), Standing::Missed);
    }

    #[test]
    fn an_entry_that_was_taken_back_does_not_stand() {
        let given = entry(1, GivingOutcome::Given, None);
        let back = entry(2, GivingOutcome::Given, Some(1));
        let held = entry(3, GivingOutcome::Held, None);
        let now = Timestamp::UNIX_EPOCH;
        let of = |entries| dose(OrderStatus::Completed, entries);
        let given_only = of(vec![given.clone()]);
        assert_eq!(given_only.standing(now, WINDOWS), Standing::Given);
        let corrected = of(vec![given.clone(), back.clone()]);
        assert_eq!(corrected.standing_entry(), None);
        let then_held = of(vec![given, back, held.clone()]);
        assert_eq!(then_held.standing_entry(), Some(&held));
        assert_eq!(then_held.standing(now, WINDOWS), Standing::Held);
        let stopped = dose(OrderStatus::Discontinued, Vec::new());
        assert_eq!(stopped.standing(now, WINDOWS), Standing::Stopped);
    }
}
