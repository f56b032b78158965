//! The demo ward: three wards and a pharmacy, made up from end to end, in the files of an import.
//!
//! Its doses must be around now, so its prescriptions say when relative to a clock: `@-00:40` is forty minutes ago,
//! `@+26:00` tomorrow. Everything else is in the files as it is shown.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::source::Source;

/// The account that the demo signs in with.
pub const NURSE: &str = "amara";
/// The ward where it opens.
pub const WARD: &str = "MED";

const FILES: [(&str, &str); 5] = [
    ("wards.csv", include_str!("../../assets/demo/wards.csv")),
    ("users.csv", include_str!("../../assets/demo/users.csv")),
    (
        "patients.csv",
        include_str!("../../assets/demo/patients.csv"),
    ),
    ("drugs.csv", include_str!("../../assets/demo/drugs.csv")),
    ("stock.csv", include_str!("../../assets/demo/stock.csv")),
];
const PRESCRIPTIONS: &str = include_str!("../../assets/demo/prescriptions.csv");

/// The columns whose `@` tokens stand for moments, and the one whose tokens stand for clock times.
const MOMENTS: [&str; 2] = ["start", "stop"];
const TIMES: &str = "times";

/// The demo's own files could not be turned into an import: a mistake in the program.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// Not CSV.
    #[error("the demo's prescriptions: {0}")]
    Csv(#[from] csv::Error),
    /// A token that is not `@+HH:MM` or `@-HH:MM`.
    #[error("the demo's prescriptions: '{0}' is not a time relative to now")]
    Token(String),
}

/// The six files with their times put around `now`, on the clocks of `zone`. Times are multiples of five minutes,
/// as a ward writes them.
///
/// # Errors
/// [`DemoError`], which no file that is shipped gives.
pub fn source(now: Timestamp, zone: &TimeZone) -> Result<Source, DemoError> {
    let now = rounded(now);
    let mut reader = csv::Reader::from_reader(PRESCRIPTIONS.as_bytes());
    let header = reader.headers()?.clone();
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&header)?;
    for record in reader.records() {
        let record = record?;
        let fields = record
            .iter()
            .zip(&header)
            .map(|(field, column)| match column {
                _ if MOMENTS.contains(&column) => tokens(field, now, zone, "%Y-%m-%dT%H:%M"),
                TIMES => tokens(field, now, zone, "%H:%M"),
                _ => Ok(field.to_owned()),
            });
        writer.write_record(fields.collect::<Result<Vec<String>, DemoError>>()?)?;
    }
    let written = writer
        .into_inner()
        .map_err(|error| csv::Error::from(error.into_error()))?;
    let mut texts: Vec<(&'static str, String)> = FILES
        .iter()
        .map(|(name, text)| (*name, (*text).to_owned()))
        .collect();
    texts.push((
        "prescriptions.csv",
        String::from_utf8_lossy(&written).into_owned(),
    ));
    Ok(Source::Texts(texts))
}

const FIVE_MINUTES: i64 = 300;

/// The nearest multiple of five minutes.
fn rounded(at: Timestamp) -> Timestamp {
    let seconds = (at.as_second() + FIVE_MINUTES / 2).div_euclid(FIVE_MINUTES) * FIVE_MINUTES;
    Timestamp::from_second(seconds).unwrap_or(at)
}

/// A field with each token turned into local time.
fn tokens(field: &str, now: Timestamp, zone: &TimeZone, format: &str) -> Result<String, DemoError> {
    let words = field.split_whitespace().map(|word| {
        let local = offset(word).and_then(|offset| now.checked_add(offset).ok());
        let local: DateTime = local
            .map(|at| zone.to_datetime(at))
            .ok_or_else(|| DemoError::Token(word.to_owned()))?;
        Ok(local.strftime(format).to_string())
    });
    Ok(words.collect::<Result<Vec<String>, DemoError>>()?.join(" "))
}

/// `@-00:40`.
fn offset(token: &str) -> Option<SignedDuration> {
    let (sign, rest) = match token.strip_prefix('@')?.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let minutes = hours.parse::<u16>().ok()? as i64 * 60 + minutes.parse::<u8>().ok()? as i64;
    Some(SignedDuration::from_mins(sign * minutes))
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use super::*;
    use crate::domain::Schedule;
    use crate::domain::schedule::{StandardTimes, Written, due_times, understand};
    use crate::interop::{
        DrugRow, PatientRow, PrescriptionRow, Row, StockRow, UserRow, WardRow, open,
    };

    fn rows<R: Row>(source: &Source) -> Vec<R> {
        let (stream, _) = source.open(R::FILE).unwrap();
        let mut rows = open::<R, _>(stream).unwrap();
        let mut all = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            let entry = row.unwrap_or_else(|reject| panic!("{}", reject.fault));
            assert!(entry.notes.is_empty(), "{:?}", entry.notes);
            all.push(entry.row);
        }
        all
    }

    #[test]
    fn tokens_are_around_now() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let now = rounded("2026-11-23T23:01:40Z".parse().unwrap());
        let time = |token| tokens(token, now, &zone, "%Y-%m-%dT%H:%M").unwrap();
        assert_eq!(time("@+00:00"), "2026-11-24T00:00");
        assert_eq!(time("@-00:40"), "2026-11-23T23:20");
        assert_eq!(time("@+26:05"), "2026-11-25T02:05");
        assert_eq!(
            tokens("@-00:40 @+08:00", now, &zone, "%H:%M").unwrap(),
            "23:20 08:00"
        );
        for bad in ["00:40", "@00:40", "@-0040", "@-00:x", "@"] {
            assert!(tokens(bad, now, &zone, "%H:%M").is_err(), "{bad}");
        }
    }

    #[test]
    fn it_is_a_ward_at_any_hour() {
        let zone = TimeZone::get("America/New_York").unwrap();
        for now in [
            "2026-11-23T09:00:00Z",
            "2026-11-24T04:58:00Z",
            "2026-03-08T06:30:00Z",
        ] {
            let now: Timestamp = now.parse().unwrap();
            let source = source(now, &zone).unwrap();
            let (mut overdue, mut soon, mut later, mut open, mut unscheduled) = (0, 0, 0, 0, 0);
            for row in rows::<PrescriptionRow>(&source) {
                let written = Written {
                    frequency: &row.frequency,
                    times: &row.times,
                    prn: row.prn,
                    start: row.start,
                };
                let schedule = understand(&written, &StandardTimes::default()).schedule;
                match schedule {
                    Schedule::Prn { .. } => open += 1,
                    Schedule::Unscheduled => unscheduled += 1,
                    _ => {}
                }
                let local = |at: DateTime| zone.to_ambiguous_timestamp(at).compatible().unwrap();
                let hours = SignedDuration::from_hours;
                let due = due_times(
                    &schedule,
                    local(row.start),
                    row.stop.map(local),
                    now - hours(2),
                    now + hours(24),
                    &zone,
                );
                overdue += due.iter().filter(|&&at| at < now).count();
                soon += due
                    .iter()
                    .filter(|&&at| at >= now && at < now + hours(1))
                    .count();
                later += due.iter().filter(|&&at| at >= now + hours(1)).count();
            }
            assert!((40..150).contains(&overdue), "{overdue} overdue at {now}");
            assert!((40..200).contains(&soon), "{soon} due at {now}");
            assert!((200..800).contains(&later), "{later} later at {now}");
            assert!(
                open >= 60 && unscheduled >= 5,
                "{open} as needed, {unscheduled} unscheduled"
            );
        }
    }

    #[test]
    fn its_files_fit_together() {
        let source = source(
            Timestamp::UNIX_EPOCH + SignedDuration::from_hours(500_000),
            &TimeZone::UTC,
        )
        .unwrap();
        let wards: HashSet<String> = rows::<WardRow>(&source)
            .into_iter()
            .map(|w| w.code)
            .collect();
        let users = rows::<UserRow>(&source);
        let nurse = users.iter().find(|user| user.username == NURSE).unwrap();
        assert_eq!(nurse.wards, WARD);
        let patients = rows::<PatientRow>(&source);
        assert_eq!((wards.len(), patients.len()), (4, 120));
        assert!(patients.iter().all(|p| wards.contains(&p.ward)));
        let units: HashMap<String, String> = rows::<DrugRow>(&source)
            .into_iter()
            .map(|d| (d.code, d.unit))
            .collect();
        let stock = rows::<StockRow>(&source);
        assert!(
            stock
                .iter()
                .all(|s| wards.contains(&s.ward) && units.contains_key(&s.drug))
        );
        for ward in ["MED", "SURG", "CARD"] {
            let levels = || stock.iter().filter(|s| s.ward == ward);
            let out = levels().filter(|s| !s.quantity.is_positive()).count();
            let low = levels()
                .filter(|s| s.quantity <= s.low_stock_threshold)
                .count();
            assert!(out >= 2 && low >= out + 4, "{ward}: {out} out, {low} low");
        }
        for row in rows::<PrescriptionRow>(&source) {
            assert!(
                patients
                    .iter()
                    .any(|p| p.mrn == row.mrn && p.ward == row.ward)
            );
            assert!(users.iter().any(|u| u.username == row.prescriber));
            assert_eq!(units.get(&row.drug), Some(&row.unit));
        }
    }
}
