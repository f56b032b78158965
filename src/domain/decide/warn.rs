//! What the desk warns of before a dose is given.
//!
//! There are three tiers. Hard stops are refusals: wrong patient, discontinued, too soon by the prescription's own limits,
//! more than any reason allows. What stands here needs a reason, for each thing that the person has seen on the screen.
//! Everything else (the last doses, allergies, what is low) is only shown.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::domain::schedule::span;
use crate::domain::{OrderKind, Policy, PrescriptionId, Quantity, Warned};

/// Another dose of the same drug that the patient got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Recent {
    /// When (UTC).
    pub at: Timestamp,
    /// Of which prescription.
    pub prescription: PrescriptionId,
    /// When it was due (UTC).
    pub due_at: Option<Timestamp>,
}

/// What the warnings about a dose are made from; screens know it as the desk does.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// Timed or as needed.
    pub kind: OrderKind,
    /// Its prescription.
    pub prescription: PrescriptionId,
    /// When it is due (UTC).
    pub due_at: Option<Timestamp>,
    /// When it comes back, where it was held (UTC).
    pub held_until: Option<Timestamp>,
    /// Whether the prescription itself says how far apart its doses must be.
    pub has_interval: bool,
    /// The most that is prescribed.
    pub most: Quantity,
    /// Its unit.
    pub unit: &'a str,
    /// Doses of the same drug near the moment, any prescription.
    pub recent: &'a [Recent],
    /// When a later dose of the same prescription was due that was given already (UTC).
    pub later_given: Option<Timestamp>,
}

/// One warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Which.
    pub of: Warned,
    /// In words, without a clock time: a screen and a command line far from the ward's clock say the same.
    pub words: String,
}

/// Everything that needs a reason before that much is given at that moment.
pub fn warnings(
    facts: &Facts<'_>,
    policy: &Policy,
    at: Timestamp,
    quantity: Quantity,
) -> Vec<Warning> {
    let mut found = Vec::new();
    let mut warn = |of, words: String| found.push(Warning { of, words });
    match facts.held_until.filter(|until| *until > at) {
        Some(until) => warn(
            Warned::Held,
            format!("it is held for {} more", apart(until, at)),
        ),
        None => {
            if let Some((of, words)) = off_time(facts, policy, at) {
                warn(of, words);
            }
        }
    }
    if let Some(other) = too_near(facts, policy, at) {
        let when = if other.at > at { "after" } else { "before" };
        let words = format!("the same drug was given {} {when}", apart(other.at, at));
        warn(Warned::SameDrug, words);
    }
    if policy.later_given && facts.later_given.is_some() {
        let words = "a later dose of this prescription was given already".to_owned();
        warn(Warned::LaterGiven, words);
    }
    if quantity > facts.most {
        let (most, unit) = (facts.most, facts.unit);
        let words = format!("{quantity} {unit} is more than the prescribed {most}");
        warn(Warned::HighDose, words);
    }
    found
}

/// When a dose is due: a held one, when it comes back.
pub fn due(due_at: Option<Timestamp>, held_until: Option<Timestamp>) -> Option<Timestamp> {
    due_at.map(|due| held_until.map_or(due, |held| held.max(due)))
}

/// Before or after its window. What has no time has no window.
fn off_time(facts: &Facts<'_>, policy: &Policy, at: Timestamp) -> Option<(Warned, String)> {
    let due = due(facts.due_at, facts.held_until)?;
    let off = minutes(at.duration_since(due));
    match (policy.early_minutes, policy.late_minutes) {
        (Some(early), _) if -off > i64::from(early) => Some((
            Warned::Early,
            format!("it is {} before its time", apart(due, at)),
        )),
        (_, Some(late)) if off > i64::from(late) => Some((
            Warned::Late,
            format!("it is {} after its time", apart(due, at)),
        )),
        _ => None,
    }
}

/// Another dose of the drug that is nearer than it should be. Doses of one prescription may be as near as it has them:
/// those that it keeps apart itself are not looked at, and those with times may be half as near as their times are.
fn too_near<'a>(facts: &Facts<'a>, policy: &Policy, at: Timestamp) -> Option<&'a Recent> {
    let window = SignedDuration::from_mins(policy.same_drug_minutes?.into());
    let near = |other: &&Recent| {
        let own = other.prescription == facts.prescription;
        let window = match (facts.due_at, other.due_at) {
            _ if own && facts.has_interval => return false,
            (Some(one), Some(other)) if own => window.min(one.duration_since(other).abs() / 2),
            _ => window,
        };
        at.duration_since(other.at).abs() < window
    };
    facts
        .recent
        .iter()
        .filter(near)
        .min_by_key(|other| at.duration_since(other.at).abs())
}

/// Whole minutes: seconds are cut, as people read clocks.
fn minutes(length: SignedDuration) -> i64 {
    length.as_secs() / 60
}

fn apart(one: Timestamp, other: Timestamp) -> String {
    let length = minutes(one.duration_since(other).abs());
    span(u32::try_from(length).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_780_000_000 + minutes * 60).unwrap()
    }

    fn facts(recent: &[Recent]) -> Facts<'_> {
        Facts {
            kind: OrderKind::Timed,
            prescription: PrescriptionId(Uuid::from_u128(1)),
            due_at: Some(at(0)),
            held_until: None,
            has_interval: false,
            most: Quantity::units(1),
            unit: "tab",
            recent,
            later_given: None,
        }
    }

    fn told(facts: &Facts<'_>, now: i64) -> Vec<Warned> {
        let found = warnings(facts, &Policy::default(), at(now), Quantity::units(1));
        found.into_iter().map(|warning| warning.of).collect()
    }

    #[test]
    fn a_dose_has_a_window() {
        let plain = facts(&[]);
        for (now, expected) in [
            (-61, vec![Warned::Early]),
            (-60, vec![]),
            (60, vec![]),
            (61, vec![Warned::Late]),
        ] {
            assert_eq!(told(&plain, now), expected, "{now}");
        }
        let held = Facts {
            held_until: Some(at(120)),
            ..facts(&[])
        };
        assert_eq!(told(&held, 100), [Warned::Held]);
        assert_eq!(told(&held, 120), []);
        assert_eq!(told(&held, 181), [Warned::Late]);
        let untimed = Facts {
            due_at: None,
            ..facts(&[])
        };
        assert_eq!(told(&untimed, 5000), []);
    }

    #[test]
    fn the_same_drug_twice_in_a_short_time_is_told() {
        let given = |prescription: u128, minutes: i64, due: Option<i64>| {
            [Recent {
                at: at(minutes),
                prescription: PrescriptionId(Uuid::from_u128(prescription)),
                due_at: due.map(at),
            }]
        };
        // Of another prescription: two hours, before and after.
        assert_eq!(told(&facts(&given(2, -119, None)), 0), [Warned::SameDrug]);
        assert_eq!(told(&facts(&given(2, 119, None)), 0), [Warned::SameDrug]);
        assert_eq!(told(&facts(&given(2, -120, None)), 0), []);
        // An hourly dose may follow the one before it; the eight-hourly one that came late is too near to the next.
        assert_eq!(told(&facts(&given(1, -59, Some(-60))), 0), []);
        assert_eq!(
            told(&facts(&given(1, -29, Some(-60))), 0),
            [Warned::SameDrug]
        );
        assert_eq!(
            told(&facts(&given(1, -60, Some(-480))), 0),
            [Warned::SameDrug]
        );
        // What the prescription keeps apart itself is its own rule.
        let own = given(1, -61, None);
        let limited = Facts {
            due_at: None,
            has_interval: true,
            ..facts(&own)
        };
        assert_eq!(told(&limited, 0), []);
        let free = Facts {
            has_interval: false,
            ..limited
        };
        assert_eq!(told(&free, 0), [Warned::SameDrug]);
    }

    #[test]
    fn each_thing_is_told_and_what_is_switched_off_is_not() {
        let recent = [Recent {
            at: at(0),
            prescription: PrescriptionId(Uuid::from_u128(2)),
            due_at: None,
        }];
        let all = Facts {
            later_given: Some(at(480)),
            ..facts(&recent)
        };
        let much = Quantity::units(2);
        let found = warnings(&all, &Policy::default(), at(90), much);
        let found: Vec<Warned> = found.into_iter().map(|warning| warning.of).collect();
        assert_eq!(
            found,
            [
                Warned::Late,
                Warned::SameDrug,
                Warned::LaterGiven,
                Warned::HighDose
            ]
        );
        let found = warnings(&all, &Policy::easy(), at(90), much);
        assert_eq!(found.len(), 1, "what is prescribed is always looked at");
    }
}
