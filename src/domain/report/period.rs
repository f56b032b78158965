//! Between which moments: as people type them, by each ward's clock. From the first on, and before the second.

use std::fmt;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::domain::clock_time;

/// What a moment looks like, for whoever typed something else.
pub const EXAMPLES: &str =
    "2026-11-23, 2026-11-23 14:05 or 14:05 (the ward's clock), or 2026-11-23T14:05:00+01:00";

/// A report is about so many days at most: whoever needs more asks for one year after the other.
pub const LONGEST_DAYS: i64 = 366;

/// What a report is about where nobody says otherwise.
const USUAL: SignedDuration = SignedDuration::from_hours(24);

/// A moment as it was typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The same everywhere (UTC).
    At(Timestamp),
    /// What a ward's clock and calendar show.
    Local(DateTime),
    /// The last time that a ward's clock showed it.
    Hour(jiff::civil::Time),
}

impl Moment {
    /// Reads one.
    ///
    /// # Errors
    /// A sentence that says what a moment looks like.
    pub fn read(text: &str) -> Result<Moment, String> {
        let text = text.trim();
        if let Ok(at) = text.parse::<Timestamp>() {
            return Ok(Moment::At(at));
        }
        // An hour before a date: jiff reads "14:05" as neither, and "2026-11-23" as midnight.
        if let Ok(hour) = text.parse::<jiff::civil::Time>()
            && text.contains(':')
            && !text.contains('-')
        {
            return Ok(Moment::Hour(hour));
        }
        if text.contains(':')
            && let Ok(at) = text.parse::<DateTime>()
        {
            return Ok(Moment::Local(at));
        }
        match text.parse::<Date>() {
            Ok(day) if !text.contains(':') => Ok(Moment::Local(day.at(0, 0, 0, 0))),
            _ => Err(format!("'{text}' is not a time: {EXAMPLES}.")),
        }
    }

    /// When that is by the clocks of a zone.
    fn when(self, zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
        match self {
            Moment::At(at) => Some(at),
            Moment::Local(at) => Some(at.to_zoned(zone.clone()).ok()?.timestamp()),
            Moment::Hour(hour) => clock_time::before(&hour.to_string(), zone, now),
        }
    }
}

impl fmt::Display for Moment {
    /// As it can be typed again.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Moment::At(at) => write!(f, "{at}"),
            Moment::Local(at) if at.time() == jiff::civil::Time::midnight() => {
                write!(f, "{}", at.date())
            }
            Moment::Local(at) => write!(f, "{}", at.strftime("%Y-%m-%d %H:%M")),
            Moment::Hour(hour) => write!(f, "{}", hour.strftime("%H:%M")),
        }
    }
}

/// From when, and up to when; what is not said is the last day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Period {
    /// From then on; `None`: a day before the end.
    pub from: Option<Moment>,
    /// Before then; `None`: now.
    pub to: Option<Moment>,
}

/// The moments that a period is in one ward (UTC): from the first on, and before the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// From then on.
    pub from: Timestamp,
    /// Before then.
    pub to: Timestamp,
}

impl Period {
    /// A calendar day.
    pub fn day(day: Date) -> Period {
        let next = day.tomorrow().unwrap_or(day);
        Period {
            from: Some(Moment::Local(day.at(0, 0, 0, 0))),
            to: Some(Moment::Local(next.at(0, 0, 0, 0))),
        }
    }

    /// When that is by the clocks of a zone.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn span(self, zone: &TimeZone, now: Timestamp) -> Result<Span, String> {
        let beyond = || "That is beyond any calendar.".to_owned();
        let to = match self.to {
            None => now,
            Some(to) => to.when(zone, now).ok_or_else(beyond)?,
        };
        let from = match self.from {
            None => to.checked_sub(USUAL).map_err(|_| beyond())?,
            Some(from) => from.when(zone, now).ok_or_else(beyond)?,
        };
        let shown = |at: Timestamp| {
            let local = at.to_zoned(zone.clone());
            local.strftime("%Y-%m-%d %H:%M").to_string()
        };
        if from >= to {
            return Err(format!(
                "From {} up to {} there is no time: the beginning must be before the end.",
                shown(from),
                shown(to)
            ));
        }
        if to.duration_since(from) > SignedDuration::from_hours(24 * LONGEST_DAYS) {
            return Err(format!(
                "From {} up to {} is more than {LONGEST_DAYS} days: ask for one year after the other.",
                shown(from),
                shown(to)
            ));
        }
        Ok(Span { from, to })
    }

    /// In words: `the last 24 h`, `2026-11-22 00:00 to 2026-11-23 00:00`.
    pub fn words(self, zone: &TimeZone, now: Timestamp) -> String {
        if self == Period::default() {
            return "the last 24 h".to_owned();
        }
        match self.span(zone, now) {
            Ok(Span { from, to }) => {
                let shown = |at: Timestamp| {
                    let local = at.to_zoned(zone.clone());
                    local.strftime("%Y-%m-%d %H:%M").to_string()
                };
                format!("{} to {}", shown(from), shown(to))
            }
            Err(why) => why,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-11-23T02:12:00Z";

    fn span(from: &str, to: &str) -> Result<(String, String), String> {
        let read = |text: &str| match text {
            "" => Ok(None),
            text => Moment::read(text).map(Some),
        };
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let period = Period {
            from: read(from)?,
            to: read(to)?,
        };
        let found = period.span(&zone, NOW.parse().unwrap())?;
        Ok((found.from.to_string(), found.to.to_string()))
    }

    fn is(from: &str, to: &str) -> Result<(String, String), String> {
        Ok((from.to_owned(), to.to_owned()))
    }

    #[test]
    fn nothing_said_is_the_last_day_and_one_end_is_enough() {
        assert_eq!(
            span("", ""),
            is("2026-11-22T02:12:00Z", "2026-11-23T02:12:00Z")
        );
        assert_eq!(
            span("", "2026-11-20"),
            is("2026-11-18T23:00:00Z", "2026-11-19T23:00:00Z")
        );
        assert_eq!(
            span("2026-11-20 08:00", ""),
            is("2026-11-20T07:00:00Z", "2026-11-23T02:12:00Z")
        );
        // 23:00 of yesterday, by the ward's clock, up to 03:00 of today.
        assert_eq!(
            span("23:00", "03:00"),
            is("2026-11-22T22:00:00Z", "2026-11-23T02:00:00Z")
        );
    }

    #[test]
    fn a_day_of_a_clock_change_has_its_own_length() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let day = Period::day(jiff::civil::date(2026, 3, 29));
        let span = day.span(&zone, NOW.parse().unwrap()).unwrap();
        assert_eq!(span.to.duration_since(span.from).as_hours(), 23);
    }

    #[test]
    fn what_makes_no_sense_is_said() {
        for wrong in [
            "soon",
            "2026-13-01",
            "2026-11-31",
            "25:00",
            "23.11.2026",
            "",
        ] {
            let why = Moment::read(wrong).unwrap_err();
            assert!(why.contains("is not a time: 2026-11-23"), "{why}");
        }
        let why = span("2026-11-21", "2026-11-20").unwrap_err();
        assert!(
            why.contains("From 2026-11-21 00:00 up to 2026-11-20 00:00"),
            "{why}"
        );
        let why = span("2026-11-20", "2026-11-20").unwrap_err();
        assert!(
            why.contains("the beginning must be before the end"),
            "{why}"
        );
        let why = span("2020-01-01", "2026-11-20").unwrap_err();
        assert!(why.contains("more than 366 days"), "{why}");
        span("2025-11-20", "2026-11-20").unwrap();
    }
}
