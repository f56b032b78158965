//! The fields of one record, read by column name; each failure names the column and what stands there.

use std::str::FromStr;

use jiff::civil::{Date, DateTime, Time};

use super::fault::{Fault, Reason};
use crate::domain::Quantity;
use crate::domain::text::plain;
use crate::domain::vocabulary::UnknownWord;

/// Years of birth and of prescriptions that are believed.
const YEARS: std::ops::RangeInclusive<i16> = 1880..=2199;

/// One record with its header.
pub struct Fields<'a> {
    file: &'static str,
    line: u64,
    record: &'a csv::ByteRecord,
    places: &'a [(&'static str, usize)],
    notes: Vec<Fault>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(
        file: &'static str,
        line: u64,
        record: &'a csv::ByteRecord,
        places: &'a [(&'static str, usize)],
    ) -> Self {
        Fields {
            file,
            line,
            record,
            places,
            notes: Vec::new(),
        }
    }

    pub(super) fn into_notes(self) -> Vec<Fault> {
        self.notes
    }

    /// A fault of this record.
    pub fn fault(&self, column: &'static str, reason: Reason) -> Fault {
        let value = String::from_utf8_lossy(self.bytes(column)).into_owned();
        Fault {
            file: self.file,
            line: self.line,
            column,
            value,
            reason,
        }
    }

    /// Notes something about this record, which is taken all the same.
    pub fn note(&mut self, column: &'static str, reason: Reason) {
        let note = self.fault(column, reason);
        self.notes.push(note);
    }

    fn bytes(&self, column: &str) -> &'a [u8] {
        self.places
            .iter()
            .find(|(name, _)| *name == column)
            .and_then(|&(_, place)| self.record.get(place))
            .unwrap_or_default()
    }

    /// Whether the file has this column.
    pub fn has(&self, column: &str) -> bool {
        self.places.iter().any(|(name, _)| *name == column)
    }

    /// Text made plain, of at most `most` characters; may be empty. A column that is not there is empty.
    pub fn text(&self, column: &'static str, most: usize) -> Result<String, Fault> {
        let text = std::str::from_utf8(self.bytes(column))
            .map_err(|_| self.fault(column, Reason::NotUtf8))?;
        let text = plain(text);
        let found = text.chars().count();
        if found > most {
            return Err(self.fault(column, Reason::TooLong { found, most }));
        }
        Ok(text)
    }

    /// Text that is not empty.
    pub fn required(&self, column: &'static str, most: usize) -> Result<String, Fault> {
        let text = self.text(column, most)?;
        if text.is_empty() {
            return Err(self.fault(column, Reason::Empty));
        }
        Ok(text)
    }

    /// A code: may hold spaces (`NEURO SICU`).
    pub fn code(&self, column: &'static str) -> Result<String, Fault> {
        self.required(column, 64)
    }

    /// One of the words of an enumeration.
    pub fn word<T: FromStr<Err = UnknownWord>>(&self, column: &'static str) -> Result<T, Fault> {
        self.required(column, 64)?
            .parse()
            .map_err(|unknown: UnknownWord| self.fault(column, unknown.into()))
    }

    /// `0` or `1`.
    pub fn flag(&self, column: &'static str) -> Result<bool, Fault> {
        match self.required(column, 64)?.as_str() {
            "0" => Ok(false),
            "1" => Ok(true),
            other => Err(self.fault(column, Reason::NotAFlag(other.to_owned()))),
        }
    }

    /// An amount of the drug's unit, zero included, to the thousandth.
    pub fn quantity(&self, column: &'static str) -> Result<Quantity, Fault> {
        let text = self.required(column, 64)?;
        let (quantity, _) =
            Quantity::parse(&text, false).map_err(|wrong| self.fault(column, wrong.into()))?;
        Ok(quantity)
    }

    /// A dose above zero and, where it had to be rounded to the thousandth, its text; `None` where empty.
    pub fn dose(&mut self, column: &'static str) -> Result<Option<(Quantity, String)>, Fault> {
        let text = self.text(column, 64)?;
        if text.is_empty() {
            return Ok(None);
        }
        let (counted, rounded) =
            Quantity::parse(&text, true).map_err(|wrong| self.fault(column, wrong.into()))?;
        if !counted.is_positive() {
            return Err(self.fault(column, Reason::Nothing(text)));
        }
        if rounded {
            let written = text.clone();
            self.note(column, Reason::Rounded { written, counted });
        }
        Ok(Some((counted, if rounded { text } else { String::new() })))
    }

    /// `YYYY-MM-DD`.
    pub fn date(&self, column: &'static str) -> Result<Date, Fault> {
        let text = self.required(column, 64)?;
        let date = Some(&text)
            .filter(|text| text.len() == 10)
            .and_then(|text| text.parse::<Date>().ok())
            .ok_or_else(|| self.fault(column, Reason::NotADate(text.clone())))?;
        if !YEARS.contains(&date.year()) {
            return Err(self.fault(column, Reason::OutOfRange(text)));
        }
        Ok(date)
    }

    /// A local date and time without a zone, `None` where empty.
    pub fn moment(&self, column: &'static str) -> Result<Option<DateTime>, Fault> {
        let text = self.text(column, 64)?;
        if text.is_empty() {
            return Ok(None);
        }
        let moment =
            civil(&text).ok_or_else(|| self.fault(column, Reason::NotAMoment(text.clone())))?;
        if !YEARS.contains(&moment.year()) {
            return Err(self.fault(column, Reason::OutOfRange(text)));
        }
        Ok(Some(moment))
    }

    /// Clock times `HH:MM`, separated by spaces; none where empty.
    pub fn clock_times(&self, column: &'static str) -> Result<Vec<Time>, Fault> {
        self.text(column, 256)?
            .split(' ')
            .filter(|word| !word.is_empty())
            .map(|word| {
                Some(word)
                    .filter(|word| word.len() == 5 && word.as_bytes()[2] == b':')
                    .and_then(|word| word.parse::<Time>().ok())
                    .ok_or_else(|| self.fault(column, Reason::NotATime(word.to_owned())))
            })
            .collect()
    }
}

/// `2026-11-23T08:00`, with or without seconds, a space may stand for the `T`. Nothing else: an offset or a zone
/// would silently be dropped by a lenient reader, and the dose would be due hours away.
fn civil(text: &str) -> Option<DateTime> {
    let (date, time) = text.split_once(['T', ' '])?;
    let plain = |text: &str, mark: u8| text.bytes().all(|b| b.is_ascii_digit() || b == mark);
    let shape = date.len() == 10 && matches!(time.len(), 5 | 8);
    if !shape || !plain(date, b'-') || !plain(time, b':') {
        return None;
    }
    Some(date.parse::<Date>().ok()?.to_datetime(time.parse().ok()?))
}
