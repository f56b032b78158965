//! What can be wrong with a file and with a row, in words that name the place.

use std::fmt;

use crate::domain::Quantity;
use crate::domain::quantity::NotAQuantity;
use crate::domain::text::visible;
use crate::domain::vocabulary::UnknownWord;

/// A file that cannot be read at all. Nothing of it is taken.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// Not there, or not for us to read.
    #[error("{file}: cannot be opened: {source}")]
    Open {
        /// Name of the file.
        file: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// Reading failed on the way.
    #[error("{file}: cannot be read after line {line}: {source}")]
    Read {
        /// Name of the file.
        file: String,
        /// The last line that was read.
        line: u64,
        /// What the system said.
        source: std::io::Error,
    },
    /// Not even a header.
    #[error("{file}: is empty; the first line must name the columns")]
    Empty {
        /// Name of the file.
        file: String,
    },
    /// The header is not text that can be read.
    #[error("{file}:{line}: the header is not UTF-8 text on one line")]
    Header {
        /// Name of the file.
        file: String,
        /// Where the header stands.
        line: u64,
    },
    /// The header lacks a column.
    #[error("{file}:{line}: the column '{column}' is missing")]
    MissingColumn {
        /// Name of the file.
        file: String,
        /// Where the header stands.
        line: u64,
        /// Which column.
        column: &'static str,
    },
    /// The header names a column twice, so it is not known which is meant.
    #[error("{file}:{line}: the column '{column}' is named twice")]
    ColumnTwice {
        /// Name of the file.
        file: String,
        /// Where the header stands.
        line: u64,
        /// Which column.
        column: &'static str,
    },
}

/// What is wrong with one row, or remarkable about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Name of the file.
    pub file: &'static str,
    /// Line of the file on which the record begins; the header is on line 1.
    pub line: u64,
    /// The column; empty where it is the record as a whole.
    pub column: &'static str,
    /// What stands there.
    pub value: String,
    /// Why it is not taken.
    pub reason: Reason,
}

impl fmt::Display for Fault {
    /// `prescriptions.csv:812: dose: 'abc' is not a number`; safe to show, whatever stands in the file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.file, self.line)?;
        if !self.column.is_empty() {
            write!(f, "{}: ", self.column)?;
        }
        f.write_str(&visible(&self.reason.to_string()))
    }
}

impl std::error::Error for Fault {}

/// Why a value is not taken, or what was noted about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// A column that must hold something holds nothing.
    #[error("is empty")]
    Empty,
    /// Longer than the limit in characters.
    #[error("has {found} characters, more than {most}")]
    TooLong {
        /// How many there are.
        found: usize,
        /// How many there may be.
        most: usize,
    },
    /// Bytes that are no text.
    #[error("is not UTF-8 text")]
    NotUtf8,
    /// Not an amount.
    #[error(transparent)]
    NotAQuantity(#[from] NotAQuantity),
    /// Not one of the words that may stand here.
    #[error(transparent)]
    UnknownWord(#[from] UnknownWord),
    /// Not a day.
    #[error("'{0}' is not a date (YYYY-MM-DD)")]
    NotADate(String),
    /// Not a time of day.
    #[error("'{0}' is not a time of day (HH:MM)")]
    NotATime(String),
    /// Not a local date and time; one with a zone is refused, because wards write theirs without.
    #[error("'{0}' is not a local date and time (YYYY-MM-DDTHH:MM, no zone)")]
    NotAMoment(String),
    /// A year that no prescription or patient of ours has.
    #[error("'{0}' is out of range")]
    OutOfRange(String),
    /// Not a yes or a no.
    #[error("'{0}' is neither 0 nor 1")]
    NotAFlag(String),
    /// Not the name of a time zone.
    #[error("'{0}' is not a time zone")]
    NotAZone(String),
    /// It should be in another file or in the database, and is not.
    #[error("no {what} '{value}' is known")]
    Unknown {
        /// Ward, drug, patient …
        what: &'static str,
        /// What stands there.
        value: String,
    },
    /// The key of a row stands in an earlier row of the same file.
    #[error("'{value}' stands in line {line} already")]
    Twice {
        /// The key.
        value: String,
        /// The line that was taken.
        line: u64,
    },
    /// More or fewer fields than the header names.
    #[error("has {found} fields where the header names {expected}")]
    Fields {
        /// How many there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
    /// A quote opens and does not close where the record should end.
    #[error("has a quote that is not closed")]
    OpenQuote,
    /// A line beyond the limit.
    #[error("is longer than {0} bytes")]
    LongRecord(usize),
    /// An amount that is nothing, or would be counted as nothing.
    #[error("'{0}' is less than a thousandth of a unit")]
    Nothing(String),
    /// A range whose end is before its beginning.
    #[error("'{most}' is less than the dose {least}")]
    RangeReversed {
        /// The upper end as written.
        most: String,
        /// The lower end.
        least: Quantity,
    },
    /// A prescription that ends before it begins.
    #[error("'{0}' is before the start")]
    StopsBeforeStart(String),
    /// The dose is counted in another unit than the drug's stock: its number would mean something else.
    #[error("'{found}' is not the unit in which the drug is counted ({expected})")]
    OtherUnit {
        /// The prescription's.
        found: String,
        /// The drug's.
        expected: String,
    },
    /// What makes the row what it is may not change under the same key.
    #[error("'{found}' is not what is on record ({recorded}), and that may not change")]
    Identity {
        /// The file's.
        found: String,
        /// The database's.
        recorded: String,
    },
    /// Two codes for one formulary entry: nobody could tell them apart on a screen.
    #[error("has the name, form and strength of drug '{code}'")]
    SameDrug {
        /// The code that was there first.
        code: String,
    },
    /// A new prescription of a patient who was discharged here.
    #[error("patient '{0}' was discharged here: admit them first")]
    Discharged(String),
    /// A note: rights are given, and patients admitted, here and not by a file.
    #[error("'{value}' is not taken over, '{recorded}' is set here")]
    Kept {
        /// The file's.
        value: String,
        /// What stays.
        recorded: String,
    },
    /// A note: stock is counted in thousandths, so the dose counts as this much; it is shown as written.
    #[error("'{written}' is counted as {counted}")]
    Rounded {
        /// As written.
        written: String,
        /// As counted.
        counted: Quantity,
    },
    /// A note: the schedule is understood, but gives no dose in the time the prescription runs.
    #[error("no dose of '{0}' falls between start and stop")]
    NoDose(String),
}

impl Reason {
    /// Whether it is a note: the row is taken all the same.
    pub fn is_note(&self) -> bool {
        matches!(
            self,
            Reason::Rounded { .. } | Reason::NoDose(_) | Reason::Kept { .. }
        )
    }
}
