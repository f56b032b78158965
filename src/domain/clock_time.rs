//! Times as people type them, by the ward's clock.

use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};

/// What a time looks like, for whoever typed something else.
pub const EXAMPLES: &str =
    "14:05, 2026-11-23 14:05 (the ward's clock), or 2026-11-23T14:05:00+01:00";

/// A moment that has been: an hour without a day is the latest that is not after now. `None`: not a time.
pub fn before(text: &str, zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
    moment(text, zone, now, |at| (at > now).then_some(-1))
}

/// A moment to come: an hour without a day is the next one. `None`: not a time.
pub fn after(text: &str, zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
    moment(text, zone, now, |at| (at <= now).then_some(1))
}

/// Reads a moment. `move_by` says by how many days an hour on today's date has to be moved.
fn moment(
    text: &str,
    zone: &TimeZone,
    now: Timestamp,
    move_by: impl Fn(Timestamp) -> Option<i64>,
) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    if let Ok(at) = text.parse::<DateTime>() {
        return Some(at.to_zoned(zone.clone()).ok()?.timestamp());
    }
    let hour: Time = text.parse().ok()?;
    let today: Zoned = now.to_zoned(zone.clone());
    let on = |date: jiff::civil::Date| date.to_datetime(hour).to_zoned(zone.clone());
    let at = on(today.date()).ok()?;
    let at = match move_by(at.timestamp()) {
        None => at,
        Some(days) => {
            let date = today.date().checked_add(days.days());
            on(date.ok()?).ok()?
        }
    };
    Some(at.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn an_hour_is_the_nearest_one_on_its_side_of_now() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let now = at("2026-11-23T02:12:00Z");
        let told = |text: &str| before(text, &zone, now).unwrap();
        assert_eq!(told("03:10"), at("2026-11-23T02:10:00Z"));
        assert_eq!(told("23:50"), at("2026-11-22T22:50:00Z"));
        assert_eq!(told("2026-11-20 08:00"), at("2026-11-20T07:00:00Z"));
        assert_eq!(told("2026-11-23T01:00:00Z"), at("2026-11-23T01:00:00Z"));
        let told = |text: &str| after(text, &zone, now).unwrap();
        assert_eq!(told("03:13"), at("2026-11-23T02:13:00Z"));
        assert_eq!(told("03:12"), at("2026-11-24T02:12:00Z"));
        assert!(before("soon", &zone, now).is_none());
    }
}
