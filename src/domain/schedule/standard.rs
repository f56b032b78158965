//! The ward's standard times: what `BID` means where no clock times are written.

use std::collections::BTreeMap;

use jiff::civil::Time;

use super::reading::{Pattern, canonical, pattern};

/// Which clock times a daily frequency has on the wards, by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandardTimes(BTreeMap<String, Vec<Time>>);

/// Why a line of the table of standard times cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadStandardTimes {
    /// The name says nothing about a single day, so clock times would turn it into a daily frequency.
    #[error("standard time '{0}' is not a frequency by the day")]
    NotDaily(String),
    /// The name says how many doses a day there are, and there are not as many times.
    #[error("standard time '{name}' means {expected} a day, and {found} different times are given")]
    Count {
        /// As given.
        name: String,
        /// What the name says.
        expected: u32,
        /// What was given.
        found: usize,
    },
    /// A time is not `HH:MM`.
    #[error("standard time '{name}': '{time}' is not a time of day (HH:MM)")]
    Time {
        /// As given.
        name: String,
        /// What could not be read.
        time: String,
    },
}

/// What the times are where the configuration says nothing. `Q1H` is missing on purpose: it counts from the start.
const DEFAULT: &[(&str, &str)] = &[
    ("DAILY", "08:00"),
    ("BID", "08:00 20:00"),
    ("TID", "08:00 14:00 20:00"),
    ("QID", "08:00 12:00 16:00 20:00"),
    (
        "Q2H",
        "00:00 02:00 04:00 06:00 08:00 10:00 12:00 14:00 16:00 18:00 20:00 22:00",
    ),
    ("Q3H", "00:00 03:00 06:00 09:00 12:00 15:00 18:00 21:00"),
    ("Q4H", "00:00 04:00 08:00 12:00 16:00 20:00"),
    ("Q6H", "00:00 06:00 12:00 18:00"),
    ("Q8H", "06:00 14:00 22:00"),
    ("Q12H", "08:00 20:00"),
    ("Q24H", "08:00"),
    ("QAM", "08:00"),
    ("NOON", "12:00"),
    ("QPM", "20:00"),
    ("QHS", "22:00"),
    ("BREAKFAST", "08:00"),
    ("LUNCH", "12:00"),
    ("DINNER", "17:00"),
    ("BID W/MEALS", "08:00 17:00"),
    ("TID W/MEALS", "08:00 12:00 17:00"),
    ("TIDAC", "07:30 11:30 16:30"),
    ("QIDACHS", "07:30 11:30 16:30 22:00"),
];

impl Default for StandardTimes {
    /// The table that holds where the configuration says nothing.
    fn default() -> Self {
        StandardTimes(
            DEFAULT
                .iter()
                .map(|(name, times)| {
                    (
                        canonical(name).words,
                        clock_times(times).unwrap_or_default(),
                    )
                })
                .collect(),
        )
    }
}

impl StandardTimes {
    /// Every line: the frequency's name and its clock times, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[Time])> {
        self.0
            .iter()
            .map(|(name, times)| (name.as_str(), times.as_slice()))
    }

    /// This table with the lines of `pairs` (name, times as `HH:MM HH:MM`) added or put in place of its own.
    /// Names may be spelled as on a prescription; a new name becomes a daily frequency.
    ///
    /// # Errors
    /// [`BadStandardTimes`] names the line that cannot be used.
    pub fn with<N: AsRef<str>, T: AsRef<str>>(
        mut self,
        pairs: impl IntoIterator<Item = (N, T)>,
    ) -> Result<StandardTimes, BadStandardTimes> {
        for (name, times) in pairs {
            let name = name.as_ref();
            let times = clock_times(times.as_ref()).map_err(|time| BadStandardTimes::Time {
                name: name.to_owned(),
                time,
            })?;
            let written = canonical(name);
            let expected = match pattern(&written) {
                _ if written.prn || written.words.is_empty() => {
                    return Err(BadStandardTimes::NotDaily(name.to_owned()));
                }
                Pattern::PerDay(n) => Some(n),
                Pattern::Every { minutes } if 1440 % minutes == 0 => Some(1440 / minutes),
                Pattern::Named if !by_the_week(&written.words) => None,
                _ => return Err(BadStandardTimes::NotDaily(name.to_owned())),
            };
            let wrong = expected.is_some_and(|n| usize::try_from(n) != Ok(times.len()));
            if wrong || times.is_empty() {
                return Err(BadStandardTimes::Count {
                    name: name.to_owned(),
                    expected: expected.unwrap_or(1),
                    found: times.len(),
                });
            }
            self.0.insert(written.words, times);
        }
        Ok(self)
    }

    /// The times of a frequency in canonical spelling.
    pub(super) fn get(&self, words: &str) -> Option<&[Time]> {
        self.0.get(words).map(Vec::as_slice)
    }
}

/// Whether a name that is not understood speaks of more than a day.
fn by_the_week(words: &str) -> bool {
    ["WEEK", "WK", "MONTH"]
        .iter()
        .any(|part| words.contains(part))
}

/// Reads `HH:MM HH:MM`, ascending and each once; the error is the first word that is not a time of day.
pub(super) fn clock_times(text: &str) -> Result<Vec<Time>, String> {
    let mut times = text
        .split_whitespace()
        .map(|word| clock_time(word).ok_or_else(|| word.to_owned()))
        .collect::<Result<Vec<_>, _>>()?;
    times.sort_unstable();
    times.dedup();
    Ok(times)
}

/// Reads `HH:MM` and nothing else.
pub(super) fn clock_time(word: &str) -> Option<Time> {
    let (hour, minute) = word.split_once(':')?;
    let digits = |s: &str| s.len() == 2 && s.bytes().all(|b| b.is_ascii_digit());
    if !digits(hour) || !digits(minute) {
        return None;
    }
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}
