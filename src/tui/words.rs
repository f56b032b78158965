//! The ward's facts as people say them. Texts from data in them are not yet safe to draw: see
//! [`Theme::text`](super::theme::Theme::text).

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::clock;
use crate::domain::snapshot::{Dose, Drug, QueuedOrder};
use crate::domain::{OrderStatus, Outcome, Quantity, Refusal};

/// `1 tab`, `1-2 tab`, `0.0083 vial`.
pub fn dose(dose: &Dose, drug: &Drug) -> String {
    if !dose.written.is_empty() {
        return format!("{} {}", dose.written, drug.unit);
    }
    match dose.most {
        Some(most) if most != dose.least => format!("{}-{most} {}", dose.least, drug.unit),
        _ => amount(dose.least, drug),
    }
}

/// `2 tab`.
pub fn amount(quantity: Quantity, drug: &Drug) -> String {
    format!("{quantity} {}", drug.unit)
}

/// Drug, dose and patient in one sentence's middle: `1 tab Aspirin 81mg Tablet for Kowalska, Zoë`.
pub fn order(order: &QueuedOrder) -> String {
    format!(
        "{} {} for {}",
        dose(&order.dose, &order.drug),
        order.drug.title(),
        order.patient.name
    )
}

/// How an order ended while it was on the screen.
pub fn ended(
    status: OrderStatus,
    by: Option<&str>,
    at: Option<Timestamp>,
    reason: &str,
    now: Timestamp,
    zone: &TimeZone,
) -> String {
    let what = match status {
        OrderStatus::Completed => "given",
        OrderStatus::Discontinued => "discontinued",
        OrderStatus::Active => "changed",
    };
    let by = by.map(|name| format!(" by {name}")).unwrap_or_default();
    let at = at
        .map(|at| format!(" at {}", clock::day_hour(at, now, zone)))
        .unwrap_or_default();
    let reason = if reason.is_empty() {
        String::new()
    } else {
        format!(" ({reason})")
    };
    format!("This dose was {what}{by}{at}{reason}.")
}

/// A refusal's sentence with the ward's own times in place of UTC.
pub fn refusal(refusal: &Refusal, now: Timestamp, zone: &TimeZone) -> String {
    let when = |at: &Timestamp| clock::day_hour(*at, now, zone);
    let what = match refusal {
        Refusal::OrderAlreadyCompleted { what, by, at } => {
            format!("This dose was already {what} by {by} at {}.", when(at))
        }
        Refusal::InvalidStatusTransition { at: Some(at), .. } => {
            format!("{refusal} That was at {}.", when(at))
        }
        Refusal::TooSoon { not_before, .. } => {
            format!("{refusal} It may be given from {} on.", when(not_before))
        }
        Refusal::Stale { at, .. } => format!("{refusal} That was at {}.", when(at)),
        other => other.to_string(),
    };
    format!("{what} Nothing was recorded. {}", refusal.advice())
}

/// What became of what was signed, for whoever did not see it at once.
pub fn outcome(what: &str, outcome: &Outcome, now: Timestamp, zone: &TimeZone) -> String {
    match outcome {
        Outcome::Done(_) => format!("DONE, on record: {what}."),
        Outcome::Refused(why) => format!("NOT DONE: {what}. {}", refusal(why, now, zone)),
        Outcome::Unknown { .. } => {
            format!("OUTCOME UNKNOWN: {what}. Look at the log before you give it.")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_tell_local_time() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let now: Timestamp = "2026-11-23T02:12:00Z".parse().unwrap();
        let at = "2026-11-23T02:10:00Z".parse().unwrap();
        let (what, by) = ("given".to_owned(), "Björn".to_owned());
        assert_eq!(
            refusal(&Refusal::OrderAlreadyCompleted { what, by, at }, now, &zone),
            "This dose was already given by Björn at 03:10. Nothing was recorded. \
             Do not give it again; the log shows what was given."
        );
        let why = "the last dose was 2 h ago".to_owned();
        let soon = Refusal::TooSoon {
            why,
            not_before: at,
        };
        assert!(refusal(&soon, now, &zone).contains("from 03:10 on"));
    }
}
