//! The text that stands for a schedule in one column of the database:
//! `times 08:00 20:00`, `times 08:00 every 2d`, `times 08:00 days thu`, `every 360m`, `once`, `once 17:00`,
//! `prn min 360m max/24h 4 total 1`, `unscheduled`.

use std::fmt;
use std::str::{FromStr, SplitWhitespace};

use jiff::civil::{Time, Weekday};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::standard::clock_time;
use super::{Days, Schedule, Weekdays};

/// Why a text is not a schedule: it comes from the database, so someone else wrote it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSchedule {
    /// The first word is none of those known.
    #[error("schedule '{0}' begins with no known word")]
    Kind(String),
    /// A word has no place where it stands, or is not what belongs there.
    #[error("schedule '{text}': '{word}' is not expected")]
    Word {
        /// The whole text.
        text: String,
        /// The word in question; empty where one is missing.
        word: String,
    },
}

fn name(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "mon",
        Weekday::Tuesday => "tue",
        Weekday::Wednesday => "wed",
        Weekday::Thursday => "thu",
        Weekday::Friday => "fri",
        Weekday::Saturday => "sat",
        Weekday::Sunday => "sun",
    }
}

fn day(name_of: &str) -> Option<Weekday> {
    Weekday::Monday
        .cycle_forward()
        .take(7)
        .find(|&day| name(day) == name_of)
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Schedule::Times { times, days } => {
                f.write_str("times")?;
                for time in times {
                    write!(f, " {:02}:{:02}", time.hour(), time.minute())?;
                }
                match days {
                    Days::Every(1) => Ok(()),
                    Days::Every(n) => write!(f, " every {n}d"),
                    Days::On(weekdays) => {
                        f.write_str(" days")?;
                        weekdays
                            .iter()
                            .try_for_each(|day| write!(f, " {}", name(day)))
                    }
                }
            }
            Schedule::Interval { minutes } => write!(f, "every {minutes}m"),
            Schedule::Once { at: None } => f.write_str("once"),
            Schedule::Once { at: Some(at) } => {
                write!(f, "once {:02}:{:02}", at.hour(), at.minute())
            }
            Schedule::Prn {
                min_interval,
                max_per_day,
                max_total,
            } => {
                f.write_str("prn")?;
                if let Some(minutes) = min_interval {
                    write!(f, " min {minutes}m")?;
                }
                if let Some(most) = max_per_day {
                    write!(f, " max/24h {most}")?;
                }
                max_total.map_or(Ok(()), |most| write!(f, " total {most}"))
            }
            Schedule::Unscheduled => f.write_str("unscheduled"),
        }
    }
}

impl Serialize for Schedule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Schedule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Schedule, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl FromStr for Schedule {
    type Err = BadSchedule;

    fn from_str(text: &str) -> Result<Schedule, BadSchedule> {
        let mut words = text.split_whitespace();
        let parsed = match words.next().unwrap_or_default() {
            "times" => times(&mut words),
            "every" => positive(words.next(), "m").map(|minutes| Schedule::Interval { minutes }),
            "once" => words
                .next()
                .map(|word| clock_time(word).ok_or(word))
                .transpose()
                .map(|at| Schedule::Once { at }),
            "prn" => prn(&mut words),
            "unscheduled" => Ok(Schedule::Unscheduled),
            _ => return Err(BadSchedule::Kind(text.to_owned())),
        };
        let bad = |word: &str| BadSchedule::Word {
            text: text.to_owned(),
            word: word.to_owned(),
        };
        let schedule = parsed.map_err(bad)?;
        words.next().map_or(Ok(schedule), |word| Err(bad(word)))
    }
}

/// A whole number above zero with its unit: `360m`.
fn positive<'a, N: FromStr + PartialOrd + From<u8>>(
    word: Option<&'a str>,
    unit: &str,
) -> Result<N, &'a str> {
    let word = word.unwrap_or_default();
    word.strip_suffix(unit)
        .filter(|n| n.bytes().all(|b| b.is_ascii_digit()))
        .and_then(|n| n.parse().ok())
        .filter(|n| *n > N::from(0))
        .ok_or(word)
}

fn times<'a>(words: &mut SplitWhitespace<'a>) -> Result<Schedule, &'a str> {
    let mut times: Vec<Time> = Vec::new();
    let mut days = Days::Every(1);
    while let Some(word) = words.next() {
        match word {
            _ if times.is_empty() => times.push(clock_time(word).ok_or(word)?),
            "every" => {
                days = Days::Every(positive(words.next(), "d")?);
                break;
            }
            "days" => {
                let mut on = Weekdays::NONE;
                for word in words.by_ref() {
                    on = on.with(day(word).ok_or(word)?);
                }
                if on.is_empty() {
                    return Err("");
                }
                days = Days::On(on);
            }
            // Ascending, so that each stands once.
            _ => times.push(
                clock_time(word)
                    .filter(|time| times.last().is_none_or(|last| time > last))
                    .ok_or(word)?,
            ),
        }
    }
    if times.is_empty() {
        return Err("");
    }
    Ok(Schedule::Times { times, days })
}

fn prn<'a>(words: &mut SplitWhitespace<'a>) -> Result<Schedule, &'a str> {
    let (mut min_interval, mut max_per_day, mut max_total) = (None, None, None);
    while let Some(word) = words.next() {
        match word {
            "min" if min_interval.is_none() => min_interval = Some(positive(words.next(), "m")?),
            "max/24h" if max_per_day.is_none() => max_per_day = Some(positive(words.next(), "")?),
            "total" if max_total.is_none() => max_total = Some(positive(words.next(), "")?),
            _ => return Err(word),
        }
    }
    Ok(Schedule::Prn {
        min_interval,
        max_per_day,
        max_total,
    })
}
