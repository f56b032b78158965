//! Reads a frequency as it was written. What is here is matched as a whole, never by a part of the text:
//! `TITRATE TO Q2H GOAL` must not become `Q2H`.

use std::fmt;

use jiff::civil::{DateTime, Time, Weekday};

use super::standard::StandardTimes;
use super::{Days, Schedule, Weekdays};
use crate::domain::text::plain;

/// What a prescription says about when.
#[derive(Debug, Clone, Copy)]
pub struct Written<'a> {
    /// As written: `Q6H:PRN`, `TITRATE TO RASS`.
    pub frequency: &'a str,
    /// The clock times given, in the ward's local time; seconds are dropped.
    pub times: &'a [Time],
    /// Marked as needed, whether or not the frequency says so too.
    pub prn: bool,
    /// When it begins, in the ward's local time.
    pub start: DateTime,
}

/// What was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// When doses are due.
    pub schedule: Schedule,
    /// What a pharmacist should know about how it was read.
    pub remark: Option<Remark>,
}

/// Why a frequency was not, or not wholly, turned into due times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Remark {
    /// The text is not one that is known. Clock times beside it are not used: they could be those of one day.
    Unknown,
    /// So many times a week, but not on which days: read as daily it would be an overdose.
    DaysUnknown,
    /// The clock times do not fit what the frequency says (twice a day, three times given).
    TimesDisagree,
    /// The ward has no standard times for it, and none are written.
    NoStandardTimes,
    /// More often than hourly is titration at the bedside, not a queue.
    TooOften,
    /// One dose is due; the repeat that is allowed (`ONCE MR1`) is not offered by itself.
    RepeatNotOffered,
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Remark::Unknown => "the frequency is not known",
            Remark::DaysUnknown => "the days of the week are not given",
            Remark::TimesDisagree => "the clock times do not fit the frequency",
            Remark::NoStandardTimes => "the ward has no standard times for it",
            Remark::TooOften => "more often than hourly",
            Remark::RepeatNotOffered => "one dose is due; a repeat needs a new order",
        })
    }
}

/// A frequency in one spelling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Canonical {
    /// Upper case, without spaces and without the PRN, aliases resolved.
    pub words: String,
    /// The text says that it is as needed.
    pub prn: bool,
}

/// The forms of frequency that are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pattern {
    /// Nothing is written.
    Empty,
    /// One dose.
    Once,
    /// A dose that may be repeated; `first`: the text orders the first one as well (`ONCE MR1`).
    MayRepeat { first: bool, repeats: u32 },
    /// So many doses in all, whenever.
    Total(u32),
    /// So many doses a day.
    PerDay(u32),
    /// Daily at this hour (`DAILY16`).
    DailyAt(Time),
    /// Every so many minutes.
    Every { minutes: u32 },
    /// On these days of the week, one dose each.
    On(Weekdays),
    /// So many a week, on days that are not told.
    PerWeek,
    /// None of the above; the table of standard times may know the name.
    Named,
}

/// The longest interval that is believed: a month.
const LONGEST: u32 = 31 * 1440;

/// Turns what was written into a schedule, as far as it goes.
pub fn understand(written: &Written<'_>, standard: &StandardTimes) -> Reading {
    let canonical = canonical(written.frequency);
    let pattern = pattern(&canonical);
    let named = standard.get(&canonical.words);
    if written.prn || canonical.prn {
        return as_needed(pattern, named);
    }
    let mut times: Vec<Time> = written.times.iter().map(|&time| minute(time)).collect();
    times.sort_unstable();
    times.dedup();
    match pattern {
        Pattern::Empty | Pattern::Total(_) | Pattern::MayRepeat { first: false, .. } => {
            unscheduled(Remark::Unknown)
        }
        Pattern::Once => once(&times, None),
        Pattern::MayRepeat { first: true, .. } => once(&times, Some(Remark::RepeatNotOffered)),
        Pattern::PerDay(n) => per_day(n, times, named),
        Pattern::DailyAt(hour) => {
            if times.is_empty() || times == [hour] {
                daily(vec![hour])
            } else {
                unscheduled(Remark::TimesDisagree)
            }
        }
        Pattern::Every { minutes } if minutes % 1440 == 0 => {
            every_days(minutes / 1440, times, named, written.start)
        }
        Pattern::Every { minutes } => every(minutes, times, named),
        Pattern::On(weekdays) => {
            let standard = standard.get("DAILY").unwrap_or_default();
            let days = Days::On(weekdays);
            match (times.as_slice(), standard) {
                ([time], _) | ([], [time]) => plain_reading(Schedule::Times {
                    times: vec![*time],
                    days,
                }),
                ([], _) => unscheduled(Remark::NoStandardTimes),
                _ => unscheduled(Remark::TimesDisagree),
            }
        }
        Pattern::PerWeek => unscheduled(Remark::DaysUnknown),
        Pattern::Named => match named {
            Some(standard) => per_day(count(standard), times, Some(standard)),
            None => unscheduled(Remark::Unknown),
        },
    }
}

fn plain_reading(schedule: Schedule) -> Reading {
    Reading {
        schedule,
        remark: None,
    }
}

fn unscheduled(remark: Remark) -> Reading {
    Reading {
        schedule: Schedule::Unscheduled,
        remark: Some(remark),
    }
}

fn daily(times: Vec<Time>) -> Reading {
    plain_reading(Schedule::Times {
        times,
        days: Days::Every(1),
    })
}

fn count(times: &[Time]) -> u32 {
    u32::try_from(times.len()).unwrap_or(u32::MAX)
}

/// The time without its seconds.
fn minute(time: Time) -> Time {
    Time::new(time.hour(), time.minute(), 0, 0).unwrap_or(time)
}

/// Limits instead of times. An unknown text gives no limits, so it is not as needed but to be read.
fn as_needed(pattern: Pattern, named: Option<&[Time]>) -> Reading {
    let (mut min_interval, mut max_per_day, mut max_total) = (None, None, None);
    match pattern {
        Pattern::Empty => {}
        Pattern::Once => max_total = Some(1),
        Pattern::MayRepeat { repeats, .. } => max_total = Some(1 + repeats),
        Pattern::Total(n) => max_total = Some(n),
        Pattern::PerDay(n) => max_per_day = Some(n),
        Pattern::Every { minutes } => min_interval = Some(minutes),
        // The days cannot be said as a limit; one a day is the part that can.
        Pattern::DailyAt(_) | Pattern::On(_) | Pattern::PerWeek => max_per_day = Some(1),
        Pattern::Named => match named {
            Some(standard) => max_per_day = Some(count(standard)),
            None => return unscheduled(Remark::Unknown),
        },
    }
    plain_reading(Schedule::Prn {
        min_interval,
        max_per_day,
        max_total,
    })
}

fn once(times: &[Time], remark: Option<Remark>) -> Reading {
    let at = match times {
        [] => None,
        [time] => Some(*time),
        _ => return unscheduled(Remark::TimesDisagree),
    };
    Reading {
        schedule: Schedule::Once { at },
        remark,
    }
}

/// The clock times given where they are as many as the frequency says, the standard ones where none are given.
fn per_day(n: u32, times: Vec<Time>, standard: Option<&[Time]>) -> Reading {
    match (times.is_empty(), standard) {
        (true, Some(standard)) => daily(standard.to_vec()),
        (true, None) => unscheduled(Remark::NoStandardTimes),
        (false, _) if count(&times) == n => daily(times),
        (false, _) => unscheduled(Remark::TimesDisagree),
    }
}

/// Every so many minutes of a day.
fn every(minutes: u32, times: Vec<Time>, standard: Option<&[Time]>) -> Reading {
    match (times.is_empty(), standard) {
        (true, Some(standard)) => daily(standard.to_vec()),
        (true, None) if minutes < 60 => unscheduled(Remark::TooOften),
        (true, None) => plain_reading(Schedule::Interval { minutes }),
        (false, _) if fits(&times, minutes) => daily(times),
        (false, _) => unscheduled(Remark::TimesDisagree),
    }
}

/// Whether daily clock times are what "every so many minutes" comes to: as many, and never closer than half.
fn fits(times: &[Time], minutes: u32) -> bool {
    if 1440 % minutes != 0 || count(times) != 1440 / minutes {
        return false;
    }
    let of_day = |time: Time| i32::from(time.hour()) * 60 + i32::from(time.minute());
    let nearest = (0..times.len())
        .map(|i| {
            let next = of_day(times[(i + 1) % times.len()]) - of_day(times[i]);
            if next <= 0 { next + 1440 } else { next }
        })
        .min();
    nearest.is_some_and(|gap| i64::from(gap) * 2 >= i64::from(minutes))
}

/// Every so many days. Without a clock time it keeps that of the start, so that it stays put over a clock change.
fn every_days(n: u32, times: Vec<Time>, standard: Option<&[Time]>, start: DateTime) -> Reading {
    let Ok(days) = u16::try_from(n) else {
        return unscheduled(Remark::Unknown);
    };
    let time = match (times.as_slice(), standard) {
        ([time], _) | ([], Some([time])) => *time,
        ([], _) => minute(start.time()),
        _ => return unscheduled(Remark::TimesDisagree),
    };
    plain_reading(Schedule::Times {
        times: vec![time],
        days: Days::Every(days),
    })
}

/// One spelling for many: case, spaces, the place of PRN, and well-known aliases.
pub(super) fn canonical(frequency: &str) -> Canonical {
    let mut text = plain(frequency).to_uppercase();
    // `B.I.D.` is BID; in `Q1.5H` the point is one, and without it the dose would come ten times as rarely.
    if !text.contains(|c: char| c.is_ascii_digit()) {
        text.retain(|c| c != '.');
    }
    let text = text.replace("AS NEEDED", "PRN");
    let mut words = String::new();
    let mut prn = false;
    for token in text.split([' ', ':']).filter(|token| !token.is_empty()) {
        if token == "PRN" {
            prn = true;
            continue;
        }
        // `Q 12H` is Q12H, but `1 2` is not 12.
        let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
        if digit(words.chars().last()) && digit(token.chars().next()) {
            words.push(' ');
        }
        words.push_str(token);
    }
    if let Some(rest) = words.strip_prefix("EVERY") {
        words = format!("Q{rest}");
    }
    let words = match words.as_str() {
        "QD" | "QDAY" | "QDAILY" | "ONCEDAILY" | "1X/DAY" | "DAILY" => "DAILY",
        "TWICEDAILY" | "2X/DAY" => "BID",
        "3X/DAY" => "TID",
        "4X/DAY" => "QID",
        "QBEDTIME" | "BEDTIME" | "ATBEDTIME" | "HS" => "QHS",
        "QNOON" => "NOON",
        "QMORNING" => "QAM",
        "QEVENING" => "QPM",
        "ACHS" | "QIDAC&HS" => "QIDACHS",
        "TIDWITHMEALS" | "TIDWMEALS" => "TIDW/MEALS",
        "BIDWITHMEALS" | "BIDWMEALS" => "BIDW/MEALS",
        "QH" | "QHR" | "QHOUR" | "HOURLY" => "Q1H",
        "QOD" | "QOTHERDAY" => "Q2D",
        "QWEEK" | "QWK" | "WEEKLY" | "ONCEWEEKLY" | "1X/WEEK" => "Q7D",
        other => other,
    };
    let hours = ["HOURS", "HOUR", "HRS", "HR"]
        .iter()
        .find_map(|unit| words.strip_prefix('Q')?.strip_suffix(unit))
        .filter(|n| number(n).is_some());
    Canonical {
        words: hours.map_or_else(|| words.to_owned(), |n| format!("Q{n}H")),
        prn,
    }
}

/// Which form a frequency in canonical spelling has.
pub(super) fn pattern(canonical: &Canonical) -> Pattern {
    let words = canonical.words.as_str();
    match words {
        "" => return Pattern::Empty,
        "ONCE" | "ONETIME" | "ONEDOSE" | "NOW" | "NOWX1" | "NOW1X" | "NOWONCE" | "ONCENOW"
        | "STAT" | "STATX1" | "STATONCE" | "1X" | "X1" => return Pattern::Once,
        "DAILY" => return Pattern::PerDay(1),
        "BID" => return Pattern::PerDay(2),
        "TID" => return Pattern::PerDay(3),
        "QID" => return Pattern::PerDay(4),
        // Three times a week, twice a week: each is misread as a daily frequency often enough to be named.
        "TIW" | "BIW" => return Pattern::PerWeek,
        _ => {}
    }
    may_repeat(words)
        .or_else(|| times_over(words))
        .or_else(|| daily_at(words))
        .or_else(|| every_so_often(words))
        .or_else(|| on_weekdays(words))
        .unwrap_or(Pattern::Named)
}

/// A plain number of at most three digits, not zero.
fn number(digits: &str) -> Option<u32> {
    let plain = digits.len() <= 3 && digits.bytes().all(|b| b.is_ascii_digit());
    plain
        .then(|| digits.parse().ok())
        .flatten()
        .filter(|&n| n > 0)
}

/// `ONCEMR1`, `MRX1`.
fn may_repeat(words: &str) -> Option<Pattern> {
    let (first, repeats) = words.split_once("MR")?;
    let repeats = number(repeats.strip_prefix('X').unwrap_or(repeats))?;
    let first = match first {
        "" => false,
        "ONCE" | "1X" | "X1" | "NOW" | "NOWX1" | "STAT" => true,
        _ => return None,
    };
    Some(Pattern::MayRepeat { first, repeats })
}

/// `2X`, `X2`, `5X/DAY`, `3X/WEEK`.
fn times_over(words: &str) -> Option<Pattern> {
    if let Some(n) = words.strip_prefix('X') {
        return number(n).map(Pattern::Total);
    }
    let (n, unit) = words.split_once('X')?;
    let n = number(n)?;
    match unit {
        "" => Some(Pattern::Total(n)),
        "/DAY" if n <= 24 => Some(Pattern::PerDay(n)),
        "/WEEK" | "/WK" | "WEEKLY" | "/MONTH" => Some(Pattern::PerWeek),
        _ => None,
    }
}

/// `DAILY16`: two digits, an hour of the day.
fn daily_at(words: &str) -> Option<Pattern> {
    let hour = words.strip_prefix("DAILY").filter(|h| h.len() == 2)?;
    let plain = hour.bytes().all(|b| b.is_ascii_digit());
    let hour = plain.then(|| hour.parse().ok()).flatten()?;
    Time::new(hour, 0, 0, 0).ok().map(Pattern::DailyAt)
}

/// `Q6H`, `Q15MIN`, `Q2D`, `Q1WEEK`. `Q15M` could be months and is left alone.
fn every_so_often(words: &str) -> Option<Pattern> {
    let rest = words.strip_prefix('Q')?;
    let unit = rest.find(|c: char| !c.is_ascii_digit())?;
    let (n, unit) = rest.split_at(unit);
    let minutes = match unit {
        "MIN" | "MINS" | "MINUTES" => 1,
        "H" => 60,
        "D" | "DAYS" => 1440,
        "W" | "WK" | "WEEK" | "WEEKS" => 7 * 1440,
        _ => return None,
    };
    let minutes = number(n)? * minutes;
    (minutes <= LONGEST).then_some(Pattern::Every { minutes })
}

/// `QTHUR`, `QMON,WED,FRI`, `MWF`. `MON-FRI` could be two days or five, and is left alone.
fn on_weekdays(words: &str) -> Option<Pattern> {
    let list = words.strip_prefix("ON").unwrap_or(words);
    let list = list.strip_prefix('Q').unwrap_or(list);
    if list == "MWF" {
        let days = [Weekday::Monday, Weekday::Wednesday, Weekday::Friday];
        let days = days.into_iter().fold(Weekdays::NONE, Weekdays::with);
        return Some(Pattern::On(days));
    }
    let mut days = Weekdays::NONE;
    for name in list.split([',', '/', '&', '+']) {
        days = days.with(weekday(name)?);
    }
    (!days.is_empty()).then_some(Pattern::On(days))
}

fn weekday(name: &str) -> Option<Weekday> {
    Some(match name {
        "MON" | "MONDAY" | "MONDAYS" => Weekday::Monday,
        "TUE" | "TUES" | "TUESDAY" | "TUESDAYS" => Weekday::Tuesday,
        "WED" | "WEDS" | "WEDNESDAY" | "WEDNESDAYS" => Weekday::Wednesday,
        "THU" | "THUR" | "THURS" | "THURSDAY" | "THURSDAYS" => Weekday::Thursday,
        "FRI" | "FRIDAY" | "FRIDAYS" => Weekday::Friday,
        "SAT" | "SATURDAY" | "SATURDAYS" => Weekday::Saturday,
        "SUN" | "SUNDAY" | "SUNDAYS" => Weekday::Sunday,
        _ => return None,
    })
}
