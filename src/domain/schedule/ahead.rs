//! Which orders a prescription makes, up to a horizon: the same for what was imported and what was prescribed here.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Schedule, due_times};
use crate::domain::OrderKind;

/// How long a prescription runs, and how far its orders are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// When it begins (UTC).
    pub start: Timestamp,
    /// When it ends (UTC), if that is known.
    pub stop: Option<Timestamp>,
    /// Doses due before this have their orders (UTC).
    pub made_until: Timestamp,
}

/// The orders that are to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ahead {
    /// Each with when it is due; `None`: the one open order of a prescription without due times.
    pub due: Vec<Option<Timestamp>>,
    /// Everything up to the horizon is made with these.
    pub reached: bool,
    /// The prescription has nothing more to make.
    pub over: bool,
}

/// What is to be made of a prescription up to `until`. Clock times are those of `zone`.
pub fn ahead(
    schedule: &Schedule,
    span: Span,
    now: Timestamp,
    until: Timestamp,
    zone: &TimeZone,
) -> Ahead {
    let Span {
        start,
        stop,
        made_until,
    } = span;
    let over = stop.is_some_and(|stop| stop <= now);
    if schedule.kind() == OrderKind::Timed {
        let due = due_times(schedule, start, stop, made_until, until, zone);
        return Ahead {
            due: due.into_iter().map(Some).collect(),
            reached: true,
            over,
        };
    }
    // Without due times there is one open order, from the start of the prescription to its end. It is looked at in
    // every run until then, so that it ends when its time is over.
    let due = if start <= now && !over {
        vec![None]
    } else {
        Vec::new()
    };
    let lasts = stop.is_none_or(|stop| stop > until);
    Ahead {
        due,
        reached: start <= now && lasts,
        over,
    }
}
