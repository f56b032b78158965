//! Time in the ward's words. All of it takes the moment and the zone; nothing here reads a clock.

use jiff::tz::TimeZone;
use jiff::{Timestamp, civil::Date};

/// How a due time stands to now, in whole minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// So many minutes past.
    Late(i64),
    /// This minute.
    Now,
    /// So many minutes ahead.
    In(i64),
}

impl Due {
    /// How `due` stands to `now`. Seconds are cut on either side, as people read clocks.
    pub fn of(due: Timestamp, now: Timestamp) -> Due {
        match due.as_second().div_euclid(60) - now.as_second().div_euclid(60) {
            0 => Due::Now,
            ahead if ahead > 0 => Due::In(ahead),
            behind => Due::Late(-behind),
        }
    }

    /// `25 min late`, `due now`, `in 40 min`.
    pub fn words(self) -> String {
        match self {
            Due::Late(minutes) => format!("{} late", span(minutes)),
            Due::Now => "due now".to_owned(),
            Due::In(minutes) => format!("in {}", span(minutes)),
        }
    }
}

/// A length of time, as short as it stays plain: `25 min`, `1 h 05`, `2 d 3 h`.
pub fn span(minutes: i64) -> String {
    let (days, hours, rest) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    match (days, hours, rest) {
        (0, 0, m) => format!("{m} min"),
        (0, h, 0) => format!("{h} h"),
        (0, h, m) => format!("{h} h {m:02}"),
        (d, 0, _) => format!("{d} d"),
        (d, h, _) => format!("{d} d {h} h"),
    }
}

/// How long ago: `6 h 25 ago`, `just now`.
pub fn ago(at: Timestamp, now: Timestamp) -> String {
    match Due::of(at, now) {
        Due::Late(minutes) => format!("{} ago", span(minutes)),
        Due::Now => "just now".to_owned(),
        Due::In(minutes) => format!("in {}", span(minutes)),
    }
}

/// The ward's clock: `03:12`.
pub fn hour(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%H:%M").to_string()
}

/// Clock and calendar for the header: `Mon 23 Nov 03:12`.
pub fn header(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone())
        .strftime("%a %-d %b %H:%M")
        .to_string()
}

/// For paper, which is read on another day: `Mon 23 Nov 2026 03:12`.
pub fn full(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone())
        .strftime("%a %-d %b %Y %H:%M")
        .to_string()
}

/// The hour, and the day where it is not today: `03:12`, `yesterday 20:47`, `20 Nov 20:47`.
pub fn day_hour(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let (there, here) = (at.to_zoned(zone.clone()), now.to_zoned(zone.clone()));
    let days = there
        .date()
        .since(here.date())
        .map(|span| span.get_days())
        .unwrap_or(i32::MAX);
    let hour = there.strftime("%H:%M");
    match days {
        0 => hour.to_string(),
        -1 => format!("yesterday {hour}"),
        1 => format!("tomorrow {hour}"),
        _ if there.year() == here.year() => format!("{} {hour}", there.strftime("%-d %b")),
        _ => format!("{} {hour}", there.strftime("%-d %b %Y")),
    }
}

/// For a narrow column: the hour within a day of now, else the day: `03:12`, `20 Nov`.
pub fn short(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    if at.duration_since(now).as_hours().abs() < 24 {
        hour(at, zone)
    } else {
        at.to_zoned(zone.clone()).strftime("%-d %b").to_string()
    }
}

/// For a queue that reaches into tomorrow: `at 20:45`, `Tue 08:45`, and beyond a week `3 Dec`.
pub fn weekday_hour(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let (there, here) = (at.to_zoned(zone.clone()), now.to_zoned(zone.clone()));
    let days = there.date().since(here.date()).map(|span| span.get_days());
    match days {
        Ok(0) => format!("at {}", there.strftime("%H:%M")),
        Ok(1..7) => there.strftime("%a %H:%M").to_string(),
        _ => there.strftime("%-d %b").to_string(),
    }
}

/// Birth date with age on the ward's day: `19 Oct 1948, 78 years`; months below two years.
pub fn born(birth: Date, now: Timestamp, zone: &TimeZone) -> String {
    let today = now.to_zoned(zone.clone()).date();
    let mut months = (i32::from(today.year()) - i32::from(birth.year())) * 12
        + i32::from(today.month())
        - i32::from(birth.month());
    if today.day() < birth.day() {
        months -= 1;
    }
    let date = birth.strftime("%-d %b %Y");
    match months {
        ..0 => date.to_string(),
        0..24 => format!("{date}, {months} months"),
        _ => format!("{date}, {} years", months / 12),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn lateness_in_words() {
        let now = at("2026-11-23T03:12:30Z");
        for (due, words) in [
            ("2026-11-23T02:47:00Z", "25 min late"),
            ("2026-11-23T03:12:59Z", "due now"),
            ("2026-11-23T03:12:00Z", "due now"),
            ("2026-11-23T03:52:00Z", "in 40 min"),
            ("2026-11-23T02:07:00Z", "1 h 05 late"),
            ("2026-11-23T05:12:00Z", "in 2 h"),
            ("2026-11-21T00:12:00Z", "2 d 3 h late"),
        ] {
            assert_eq!(Due::of(at(due), now).words(), words);
        }
        assert_eq!(ago(at("2026-11-22T20:47:00Z"), now), "6 h 25 ago");
    }

    #[test]
    fn days_are_the_wards_own() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let now = at("2026-11-22T23:30:00Z");
        assert_eq!(header(now, &zone), "Mon 23 Nov 00:30");
        assert_eq!(
            day_hour(at("2026-11-22T22:30:00Z"), now, &zone),
            "yesterday 23:30"
        );
        assert_eq!(day_hour(at("2026-11-23T00:30:00Z"), now, &zone), "01:30");
        assert_eq!(
            day_hour(at("2026-11-24T00:30:00Z"), now, &zone),
            "tomorrow 01:30"
        );
        assert_eq!(
            day_hour(at("2026-10-24T00:30:00Z"), now, &zone),
            "24 Oct 02:30"
        );
        assert_eq!(short(at("2026-10-24T00:30:00Z"), now, &zone), "24 Oct");
        for (due, words) in [
            ("2026-11-23T07:45:00Z", "at 08:45"),
            ("2026-11-23T23:30:00Z", "Tue 00:30"),
            ("2026-11-30T07:45:00Z", "30 Nov"),
        ] {
            assert_eq!(weekday_hour(at(due), now, &zone), words);
        }
    }

    #[test]
    fn ages_turn_on_the_birthday() {
        let now = at("2026-10-19T12:00:00Z");
        let born = |date: &str| born(date.parse().unwrap(), now, &TimeZone::UTC);
        assert_eq!(born("1948-10-19"), "19 Oct 1948, 78 years");
        assert_eq!(born("1948-10-20"), "20 Oct 1948, 77 years");
        assert_eq!(born("2025-10-20"), "20 Oct 2025, 11 months");
        assert_eq!(born("2030-01-01"), "1 Jan 2030");
    }
}
