//! Reading what a doctor types about when: clock times, how often, once, at once, as needed.
//!
//! It is the same reading as of an imported frequency, with two differences: limits of an as-needed drug can be said
//! (`PRN Q6H MAX 4`), and what is not understood is refused. Whoever sent a file cannot be asked what they meant;
//! whoever types can.

use std::fmt;

use jiff::civil::{DateTime, Time, Weekday};

use super::standard::clock_time;
use super::{Days, Reading, Remark, Schedule, StandardTimes, Written, span, understand};
use crate::domain::text::plain;

/// What was understood of what a doctor typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// As it was typed, in one spelling: kept with the prescription, shown to whoever gives.
    pub frequency: String,
    /// When doses are due.
    pub schedule: Schedule,
    /// One dose, at once.
    pub stat: bool,
}

/// Why what was typed cannot be prescribed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAsked {
    /// Nothing was typed.
    #[error("say when: {HOW}")]
    Nothing,
    /// The words are not known, or not wholly.
    #[error("'{text}' is not understood ({why}): {HOW}")]
    Unknown {
        /// What was typed.
        text: String,
        /// What is not understood about it.
        why: Remark,
    },
    /// `MAX` without a number behind it.
    #[error("MAX wants the most doses in 24 h, as in MAX 4")]
    Max,
    /// A limit of something that is due by the clock.
    #[error("MAX is for a drug as needed: PRN Q6H MAX 4")]
    MaxWithoutPrn,
    /// As needed, and at clock times.
    #[error("a drug as needed has no clock times: leave out PRN, or the times")]
    PrnAtTimes,
    /// As needed, and no limit.
    #[error(
        "a drug as needed wants a limit: how far apart (PRN Q6H), how many in 24 h (PRN MAX 4), or both"
    )]
    PrnWithoutLimit,
    /// At once, and more.
    #[error("STAT is one dose at once: prescribe what comes after it by itself")]
    StatAndMore,
}

/// The forms there are, for sentences that say what to type.
pub const HOW: &str =
    "08:00 20:00, BID, Q8H, MON,THU 08:00, ONCE, ONCE 17:00, STAT, or PRN Q6H MAX 4";

/// Reads what a doctor typed. `start` is when the prescription begins, in the ward's local time.
///
/// # Errors
/// [`NotAsked`], as a sentence for whoever typed it.
pub fn asked(text: &str, start: DateTime, standard: &StandardTimes) -> Result<Asked, NotAsked> {
    let words = Words::of(text)?;
    if words.stat {
        let alone = words.rest.is_empty() || words.rest == "ONCE" || words.rest == "NOW";
        if !alone || words.prn || words.max.is_some() || !words.times.is_empty() {
            return Err(NotAsked::StatAndMore);
        }
        return Ok(Asked {
            frequency: "STAT".to_owned(),
            schedule: Schedule::Once { at: None },
            stat: true,
        });
    }
    let schedule = if words.prn {
        as_needed(&words, start, standard)?
    } else if words.max.is_some() {
        return Err(NotAsked::MaxWithoutPrn);
    } else if words.rest.is_empty() {
        Schedule::Times {
            times: words.times.clone(),
            days: Days::Every(1),
        }
    } else {
        timed(&words, start, standard)?
    };
    Ok(Asked {
        frequency: words.spelled(),
        schedule,
        stat: false,
    })
}

fn timed(words: &Words, start: DateTime, standard: &StandardTimes) -> Result<Schedule, NotAsked> {
    let written = Written {
        frequency: &words.rest,
        times: &words.times,
        prn: false,
        start,
    };
    understood(words, understand(&written, standard))
}

fn as_needed(
    words: &Words,
    start: DateTime,
    standard: &StandardTimes,
) -> Result<Schedule, NotAsked> {
    if !words.times.is_empty() {
        return Err(NotAsked::PrnAtTimes);
    }
    let written = Written {
        frequency: &words.rest,
        times: &[],
        prn: true,
        start,
    };
    match understood(words, understand(&written, standard))? {
        Schedule::Prn {
            min_interval,
            max_per_day,
            max_total,
        } => {
            let max_per_day = words.max.or(max_per_day);
            if min_interval.is_none() && max_per_day.is_none() && max_total.is_none() {
                return Err(NotAsked::PrnWithoutLimit);
            }
            Ok(Schedule::Prn {
                min_interval,
                max_per_day,
                max_total,
            })
        }
        other => Ok(other),
    }
}

/// What was understood without any doubt, or why not.
fn understood(words: &Words, reading: Reading) -> Result<Schedule, NotAsked> {
    match reading.remark {
        Some(why) => Err(NotAsked::Unknown {
            text: words.spelled(),
            why,
        }),
        None => Ok(reading.schedule),
    }
}

/// What was typed, taken apart.
#[derive(Debug, Default)]
struct Words {
    stat: bool,
    prn: bool,
    max: Option<u32>,
    times: Vec<Time>,
    rest: String,
}

impl Words {
    fn of(text: &str) -> Result<Words, NotAsked> {
        let text = plain(text).to_uppercase();
        let text = text.replace("AS NEEDED", "PRN").replace(":PRN", " PRN");
        let mut words = Words::default();
        let mut rest: Vec<&str> = Vec::new();
        let mut tokens = text.split([' ', ';']).filter(|word| !word.is_empty());
        while let Some(word) = tokens.next() {
            match word {
                "STAT" => words.stat = true,
                "PRN" => words.prn = true,
                "MAX" => words.max = Some(most(tokens.next())?),
                _ => match time(word.trim_end_matches(',')) {
                    Some(time) => words.times.push(time),
                    None => rest.push(word),
                },
            }
        }
        words.times.sort_unstable();
        words.times.dedup();
        words.rest = rest.join(" ");
        if words.rest == "DAILY" && !words.times.is_empty() {
            // `DAILY 08:00 20:00` is what some write for both.
            words.rest.clear();
        }
        let nothing = words.rest.is_empty() && words.times.is_empty();
        if nothing && !words.prn && !words.stat && words.max.is_none() {
            return Err(NotAsked::Nothing);
        }
        Ok(words)
    }

    /// In one spelling: as-needed first, then how often, then the times, then the limit.
    fn spelled(&self) -> String {
        let mut parts: Vec<String> = Vec::new();
        if self.prn {
            parts.push("PRN".to_owned());
        }
        if !self.rest.is_empty() {
            parts.push(self.rest.clone());
        }
        parts.extend(self.times.iter().map(|time| clock(*time)));
        if let Some(most) = self.max {
            parts.push(format!("MAX {most}"));
        }
        parts.join(" ")
    }
}

/// `4`, `4/24H`, `4/DAY`.
fn most(word: Option<&str>) -> Result<u32, NotAsked> {
    let word = word.unwrap_or_default();
    let digits = ["/24H", "/DAY", "/D"]
        .iter()
        .find_map(|unit| word.strip_suffix(unit))
        .unwrap_or(word);
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let most: Option<u32> = plain.then(|| digits.parse().ok()).flatten();
    most.filter(|most| (1..=96).contains(most))
        .ok_or(NotAsked::Max)
}

/// `8:00` or `08:00`.
fn time(word: &str) -> Option<Time> {
    let padded = match word.find(':') {
        Some(1) => format!("0{word}"),
        _ => word.to_owned(),
    };
    clock_time(&padded)
}

fn clock(time: Time) -> String {
    format!("{:02}:{:02}", time.hour(), time.minute())
}

/// A schedule in words for whoever prescribes or reads it: `every day at 08:00 and 20:00`.
pub fn in_words(schedule: &Schedule) -> String {
    match schedule {
        Schedule::Times { times, days } => {
            format!(
                "{} at {}",
                on_days(*days),
                list(times.iter().map(|t| clock(*t)))
            )
        }
        Schedule::Interval { minutes } => {
            format!("every {}, counted from the start", span(*minutes))
        }
        Schedule::Once { at: None } => "one dose, at the start".to_owned(),
        Schedule::Once { at: Some(at) } => format!("one dose, at {}", clock(*at)),
        Schedule::Prn { .. } => match schedule.limits() {
            limits if limits.is_empty() => "as needed".to_owned(),
            limits => format!("as needed: {limits}"),
        },
        Schedule::Unscheduled => "as the prescription says".to_owned(),
    }
}

fn on_days(days: Days) -> String {
    match days {
        Days::Every(0 | 1) => "every day".to_owned(),
        Days::Every(n) => format!("every {n} days"),
        Days::On(weekdays) => format!(
            "every {}",
            list(weekdays.iter().map(|day| DayName(day).to_string()))
        ),
    }
}

/// `08:00, 14:00 and 20:00`.
fn list(parts: impl Iterator<Item = String>) -> String {
    let mut parts: Vec<String> = parts.collect();
    match parts.pop() {
        Some(last) if !parts.is_empty() => format!("{} and {last}", parts.join(", ")),
        Some(last) => last,
        None => String::new(),
    }
}

struct DayName(Weekday);

impl fmt::Display for DayName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Weekday::Monday => "Monday",
            Weekday::Tuesday => "Tuesday",
            Weekday::Wednesday => "Wednesday",
            Weekday::Thursday => "Thursday",
            Weekday::Friday => "Friday",
            Weekday::Saturday => "Saturday",
            Weekday::Sunday => "Sunday",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Asked, NotAsked> {
        let start = jiff::civil::date(2026, 3, 2).at(9, 30, 0, 0);
        asked(text, start, &StandardTimes::default())
    }

    #[test]
    fn what_doctors_type_is_understood() {
        for (text, frequency, schedule) in [
            ("08:00 20:00", "08:00 20:00", "times 08:00 20:00"),
            ("20:00, 8:00", "08:00 20:00", "times 08:00 20:00"),
            ("daily 08:00 20:00", "08:00 20:00", "times 08:00 20:00"),
            ("bid", "BID", "times 08:00 20:00"),
            ("BID 09:00 21:00", "BID 09:00 21:00", "times 09:00 21:00"),
            ("q8h", "Q8H", "times 06:00 14:00 22:00"),
            ("every 5 hours", "EVERY 5 HOURS", "every 300m"),
            ("mon,thu 08:00", "MON,THU 08:00", "times 08:00 days mon thu"),
            ("once", "ONCE", "once"),
            ("once 17:00", "ONCE 17:00", "once 17:00"),
            ("stat", "STAT", "once"),
            ("prn q6h", "PRN Q6H", "prn min 360m"),
            ("PRN Q6H MAX 4", "PRN Q6H MAX 4", "prn min 360m max/24h 4"),
            ("q6h:prn", "PRN Q6H", "prn min 360m"),
            (
                "q4h as needed max 3/24h",
                "PRN Q4H MAX 3",
                "prn min 240m max/24h 3",
            ),
            ("prn max 2", "PRN MAX 2", "prn max/24h 2"),
        ] {
            let asked = read(text).unwrap_or_else(|why| panic!("{text}: {why}"));
            assert_eq!(asked.frequency, frequency, "{text}");
            assert_eq!(asked.schedule.to_string(), schedule, "{text}");
            assert_eq!(asked.stat, text == "stat", "{text}");
            let again = read(&asked.frequency).unwrap();
            assert_eq!(
                again.schedule, asked.schedule,
                "what is kept reads the same"
            );
        }
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused() {
        for (text, part) in [
            ("", "say when"),
            ("  ", "say when"),
            ("titrate to rass", "is not known"),
            ("bid 08:00 14:00 20:00", "do not fit"),
            ("3x/week", "days of the week"),
            ("q15min", "more often than hourly"),
            ("once mr1", "a repeat needs a new order"),
            ("prn", "wants a limit"),
            ("prn 08:00", "no clock times"),
            ("prn max", "MAX wants"),
            ("prn max 0", "MAX wants"),
            ("bid max 4", "MAX is for"),
            ("stat q6h", "one dose at once"),
            ("stat prn max 4", "one dose at once"),
            ("25:00", "is not known"),
        ] {
            let why = read(text).expect_err(text).to_string();
            assert!(why.contains(part), "{text}: {why}");
        }
    }

    #[test]
    fn a_schedule_has_words() {
        for (text, words) in [
            ("08:00 14:00 20:00", "every day at 08:00, 14:00 and 20:00"),
            ("mon,thu 08:00", "every Monday and Thursday at 08:00"),
            ("q2d 08:00", "every 2 days at 08:00"),
            ("every 5 hours", "every 5 h, counted from the start"),
            ("once 17:00", "one dose, at 17:00"),
            (
                "prn q6h max 4",
                "as needed: at least 6 h apart, at most 4 in 24 h",
            ),
        ] {
            assert_eq!(in_words(&read(text).unwrap().schedule), words);
        }
    }
}
