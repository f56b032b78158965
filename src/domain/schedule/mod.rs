//! What a prescription's frequency means: understood as far as it goes, and never further.
//!
//! A frequency comes as people write it (`Q 12H`, `BID:PRN`, `TITRATE TO RASS`). [`understand`] turns it,
//! together with the clock times given and the ward's [`StandardTimes`], into a [`Schedule`];
//! [`due_times`] turns a schedule into instants. The worst that could happen here is a dose too many, so
//! whatever can be read in two ways is left [`Schedule::Unscheduled`]: it stays in the queue, without a due
//! time, and a nurse reads the prescription.

mod ahead;
mod asked;
mod due;
mod reading;
mod standard;
#[cfg(test)]
mod tests;
mod text;

use jiff::civil::{Time, Weekday};

pub use ahead::{Ahead, Span, ahead};
pub use asked::{Asked, HOW, NotAsked, asked, in_words};
pub use due::{MOST, due_times};
pub use reading::{Reading, Remark, Written, understand};
pub use standard::{BadStandardTimes, StandardTimes};
pub use text::BadSchedule;

use super::OrderKind;

/// When a prescription's doses are due. Its text form ([`std::fmt::Display`], [`std::str::FromStr`]) is what
/// the database keeps.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Schedule {
    /// At clock times of the ward, on certain days.
    Times {
        /// Local clock times, ascending, each once, whole minutes.
        times: Vec<Time>,
        /// On which days.
        days: Days,
    },
    /// Every so many minutes of elapsed time, counted from the start.
    Interval {
        /// At least 60.
        minutes: u32,
    },
    /// One dose only.
    Once {
        /// The clock time at which it is due, the first at or after the start; `None`: at the start.
        at: Option<Time>,
    },
    /// As needed: never due, within these limits.
    Prn {
        /// Minutes that must pass between two doses.
        min_interval: Option<u32>,
        /// Most doses in any 24 hours.
        max_per_day: Option<u32>,
        /// Most doses ever.
        max_total: Option<u32>,
    },
    /// Not understood: no due time, see the prescription.
    Unscheduled,
}

/// The days on which clock times count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Days {
    /// Every so many days, from the first day on which a time falls at or after the start; 1 is daily.
    Every(u16),
    /// On these days of the week.
    On(Weekdays),
}

/// A set of days of the week.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Weekdays(u8);

impl Weekdays {
    /// No day yet.
    pub const NONE: Weekdays = Weekdays(0);

    /// These and `day`.
    #[must_use]
    pub fn with(self, day: Weekday) -> Weekdays {
        Weekdays(self.0 | 1 << day.to_monday_zero_offset())
    }

    /// Whether `day` is among them.
    pub fn contains(self, day: Weekday) -> bool {
        self.0 & (1 << day.to_monday_zero_offset()) != 0
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The days, Monday first.
    pub fn iter(self) -> impl Iterator<Item = Weekday> {
        Weekday::Monday
            .cycle_forward()
            .take(7)
            .filter(move |&day| self.contains(day))
    }
}

impl Schedule {
    /// As needed, without any limit that is known.
    pub const AS_NEEDED: Schedule = Schedule::Prn {
        min_interval: None,
        max_per_day: None,
        max_total: None,
    };

    /// The kind of order that it makes.
    pub fn kind(&self) -> OrderKind {
        match self {
            Schedule::Times { .. } | Schedule::Interval { .. } | Schedule::Once { .. } => {
                OrderKind::Timed
            }
            Schedule::Prn { .. } => OrderKind::Prn,
            Schedule::Unscheduled => OrderKind::Unscheduled,
        }
    }

    /// The limits of an as-needed prescription in words: `at least 6 h apart, at most 4 in 24 h`.
    /// Empty for every other kind, and where none is known.
    pub fn limits(&self) -> String {
        let Schedule::Prn {
            min_interval,
            max_per_day,
            max_total,
        } = self
        else {
            return String::new();
        };
        let mut limits = Vec::new();
        if let Some(minutes) = min_interval {
            limits.push(format!("at least {} apart", span(*minutes)));
        }
        if let Some(most) = max_per_day {
            limits.push(format!("at most {most} in 24 h"));
        }
        match max_total {
            Some(1) => limits.push("one dose only".to_owned()),
            Some(most) => limits.push(format!("{most} doses only")),
            None => {}
        }
        limits.join(", ")
    }
}

/// Minutes as people say them: `45 min`, `6 h`, `1 h 30 min`, `2 days`.
pub(crate) fn span(minutes: u32) -> String {
    match (minutes / 60, minutes % 60) {
        (0, rest) => format!("{rest} min"),
        (hours, 0) if hours >= 48 && hours % 24 == 0 => format!("{} days", hours / 24),
        (hours, 0) => format!("{hours} h"),
        (hours, rest) => format!("{hours} h {rest} min"),
    }
}
