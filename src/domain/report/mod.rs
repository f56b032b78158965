//! Reports: what happened in wards between two moments, for whoever answers for them.
//!
//! A report is lines of one kind, ward by ward in the order of time, read page by page. What a line says stands once, in
//! [`fields`]: screen, paper and the command line differ only in how much room they have for it.

pub mod fields;
pub mod period;

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::mar::{DoseOfDay, Standing, Windows};
use super::shelf::{DiscrepancyLine, Named};
use super::snapshot::Ward;
use super::vocabulary::{UnknownWord, words};
use super::{
    AdministrationId, GivingOutcome, LedgerReason, OrderId, Policy, Quantity, Reason, WardId,
};

pub use fields::{Field, Tone, columns, fields};
pub use period::{Moment, Period, Span};

words!(/// Which report.
Kind {
    /// Every timed dose that was due, and what became of it.
    Due = "due",
    /// Doses that nobody has accounted for.
    Missed = "missed",
    /// Doses that were given after their window.
    Late = "late",
    /// What was held, refused or not available.
    NotGiven = "not-given",
    /// As-needed doses, and whether they helped.
    Effects = "prn",
    /// Scans of another patient's wristband that were stopped.
    WrongPatient = "wrong-patient",
    /// What was given or prescribed although the desk warned.
    Overrides = "overrides",
    /// Differences of controlled drugs.
    Discrepancies = "discrepancies",
    /// What became of stock, drug by drug.
    Use = "use",
    /// When a ward had nothing left of a drug.
    StockOuts = "stock-outs",
});

impl Kind {
    /// As the page is headed.
    pub const fn title(self) -> &'static str {
        match self {
            Kind::Due => "DOSES DUE",
            Kind::Missed => "DOSES MISSED",
            Kind::Late => "DOSES GIVEN LATE",
            Kind::NotGiven => "DOSES NOT GIVEN",
            Kind::Effects => "AS-NEEDED DOSES: DID THEY HELP?",
            Kind::WrongPatient => "WRONG-PATIENT SCANS STOPPED",
            Kind::Overrides => "WARNINGS OVERRIDDEN",
            Kind::Discrepancies => "CONTROLLED DRUG DISCREPANCIES",
            Kind::Use => "STOCK USE",
            Kind::StockOuts => "STOCK-OUTS",
        }
    }

    /// What it lists, and by which of its times.
    pub const fn says(self) -> &'static str {
        match self {
            Kind::Due => "timed doses by when they were due, and what became of each",
            Kind::Missed => {
                "doses past their time that nobody has accounted for, by when they were due"
            }
            Kind::Late => "doses given after their window, by when they were due",
            Kind::NotGiven => "held, refused, not available, with reasons, by when that was",
            Kind::Effects => "whether as-needed doses helped, by when that was to be asked",
            Kind::WrongPatient => "another patient's wristband was scanned, by when that was",
            Kind::Overrides => {
                "given or prescribed although the desk warned, and why, by when that was"
            }
            Kind::Discrepancies => "differences of controlled drugs, by when they were found",
            Kind::Use => "what was given, wasted, sent ... of each drug",
            Kind::StockOuts => {
                "when nothing of a drug was left, also from before the period into it, by when that began"
            }
        }
    }
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// Which report.
    pub kind: Kind,
    /// Of one ward; `None`: of all that the person may see.
    pub ward: Option<WardId>,
    /// Between which moments.
    pub period: Period,
}

/// Where a page goes on: after this line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// In which ward.
    pub ward: WardId,
    /// The line's own place there.
    pub key: Key,
}

/// The place of a line among those of its ward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Key {
    /// Its time (UTC).
    pub at: Timestamp,
    /// What tells lines of one moment apart …
    pub id: Uuid,
    /// … and what that does not.
    pub n: i64,
}

impl Key {
    /// Before every line.
    pub const FIRST: Key = Key {
        at: Timestamp::UNIX_EPOCH,
        id: Uuid::nil(),
        n: -1,
    };
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Key { at, id, n } = self.key;
        write!(f, "{}/{at}/{id}/{n}", self.ward)
    }
}

impl FromStr for Cursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Cursor, ()> {
        let parts: Vec<&str> = text.trim().split('/').collect();
        let [ward, at, id, n] = parts.as_slice() else {
            return Err(());
        };
        Ok(Cursor {
            ward: WardId(ward.parse().map_err(|_| ())?),
            key: Key {
                at: at.parse().map_err(|_| ())?,
                id: id.parse().map_err(|_| ())?,
                n: n.parse().map_err(|_| ())?,
            },
        })
    }
}

/// A page of a report.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// Which report.
    pub kind: Kind,
    /// Ward by ward, in the order of time.
    pub rows: Vec<Row>,
    /// Where the next page begins; `None`: this is the last.
    pub next: Option<Cursor>,
    /// Between which moments it is, ward by ward (UTC).
    pub spans: Vec<(Ward, Span)>,
}

impl Page {
    /// The ward of a row.
    pub fn ward(&self, row: &Row) -> Option<&Ward> {
        let found = self.spans.iter().find(|(ward, _)| ward.id == row.ward);
        found.map(|(ward, _)| ward)
    }
}

/// A line and where it belongs.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Where it happened.
    pub ward: WardId,
    /// Its place there.
    pub key: Key,
    /// What happened.
    pub line: Line,
}

/// Whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// Number.
    pub mrn: String,
    /// Name.
    pub name: String,
    /// Where they lie now; may be empty.
    pub bed: String,
}

/// One line of a report.
#[derive(Debug, Clone, PartialEq)]
pub enum Line {
    /// Of [`Kind::Due`], [`Kind::Missed`] and [`Kind::Late`].
    Dose(Box<Dose>),
    /// Of [`Kind::NotGiven`].
    NotGiven(Box<NotGiven>),
    /// Of [`Kind::Effects`].
    Effect(Box<Effect>),
    /// Of [`Kind::WrongPatient`].
    Scan(Box<Scan>),
    /// Of [`Kind::Overrides`].
    Override(Box<Override>),
    /// Of [`Kind::Discrepancies`].
    Discrepancy(Box<DiscrepancyLine>),
    /// Of [`Kind::Use`].
    Use(Box<Use>),
    /// Of [`Kind::StockOuts`].
    StockOut(Box<StockOut>),
}

impl Line {
    /// The number of the patient whom it is about.
    pub fn mrn(&self) -> Option<&str> {
        match self {
            Line::Dose(line) => Some(&line.who.mrn),
            Line::NotGiven(line) => Some(&line.who.mrn),
            Line::Effect(line) => Some(&line.who.mrn),
            Line::Override(line) => Some(&line.who.mrn),
            Line::Scan(line) => line.who.as_ref().map(|who| who.mrn.as_str()),
            Line::Discrepancy(_) | Line::Use(_) | Line::StockOut(_) => None,
        }
    }
}

/// A timed dose and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Dose {
    /// How it stands; its entries are the one that stands, if there is one.
    pub of: DoseOfDay,
    /// When it was due (UTC).
    pub due: Timestamp,
    /// For whom.
    pub who: Who,
    /// What.
    pub drug: Named,
    /// How much is prescribed, or the least of a range.
    pub least: Quantity,
    /// The most of a range.
    pub most: Option<Quantity>,
}

impl Dose {
    /// How it stands at a moment.
    pub fn standing(&self, now: Timestamp, windows: Windows) -> Standing {
        self.of.standing(now, windows)
    }

    /// By how many minutes it was given late, or stands open past its time.
    pub fn late(&self, now: Timestamp) -> Option<i64> {
        let due = self
            .of
            .held_until
            .map_or(self.due, |held| held.max(self.due));
        let at = match self.of.standing_entry() {
            Some(entry) if entry.outcome == GivingOutcome::Given => entry.at,
            _ if self.of.status == super::OrderStatus::Active => now,
            _ => return None,
        };
        let minutes = at.duration_since(due).as_mins();
        (minutes > 0).then_some(minutes)
    }
}

/// What was not given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotGiven {
    /// The entry.
    pub id: AdministrationId,
    /// When (UTC).
    pub at: Timestamp,
    /// When that was entered (UTC).
    pub entered: Timestamp,
    /// Whose.
    pub who: Who,
    /// What.
    pub drug: Named,
    /// Held, refused, not available.
    pub outcome: GivingOutcome,
    /// Why: code and text.
    pub reason: Reason,
    /// The name of who recorded it.
    pub by: String,
    /// Another entry takes it back.
    pub taken_back: bool,
}

/// An as-needed dose, and whether it helped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// The entry of the dose.
    pub id: AdministrationId,
    /// When it was given (UTC).
    pub given: Timestamp,
    /// From when on it was to be asked (UTC).
    pub asked: Timestamp,
    /// To whom.
    pub who: Who,
    /// What.
    pub drug: Named,
    /// How much.
    pub quantity: Quantity,
    /// What for.
    pub indication: Reason,
    /// What came of it; `None`: nobody has said.
    pub effect: Option<Reason>,
    /// Who said so.
    pub noted_by: Option<String>,
    /// When (UTC).
    pub noted: Option<Timestamp>,
}

/// A scan of another patient's wristband.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// When (UTC).
    pub at: Timestamp,
    /// The user name of who scanned.
    pub by: String,
    /// The desk refused it; else the sheet had stopped it before.
    pub by_the_desk: bool,
    /// For which order.
    pub order: Option<OrderId>,
    /// Whose dose it was.
    pub who: Option<Who>,
    /// What.
    pub drug: Option<Named>,
}

/// What was done although the desk warned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// When (UTC).
    pub at: Timestamp,
    /// A dose that was given; else something that was prescribed.
    pub given: bool,
    /// To whom or for whom.
    pub who: Who,
    /// What.
    pub drug: Named,
    /// What was warned of: words, comma-separated.
    pub warned: String,
    /// Why it was done all the same.
    pub reason: Reason,
    /// The name of who did it.
    pub by: String,
}

/// What became of the stock of a drug in a ward.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// Of what.
    pub drug: Named,
    /// Given to patients, by when it was given; what was taken back is not counted.
    pub given: Quantity,
    /// Destroyed, or written off.
    pub wasted: Quantity,
    /// Sent to other wards.
    pub sent: Quantity,
    /// Returned; what came back of a transfer counts against it.
    pub returned: Quantity,
    /// Set right: less than nothing where there was less than the register said.
    pub adjusted: Quantity,
    /// Came from outside, or from other wards.
    pub came: Quantity,
}

/// A time in which nothing of a drug was left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockOut {
    /// Of what.
    pub drug: Named,
    /// Since when (UTC).
    pub since: Timestamp,
    /// Until when (UTC); `None`: there is none still.
    pub until: Option<Timestamp>,
    /// What took the last of it.
    pub took: LedgerReason,
    /// By whom.
    pub by: Option<String>,
}

/// Doses given more than so many minutes after their time count as late: as the desk asks for a reason, and an hour where
/// it never asks.
pub fn late_minutes(policy: &Policy) -> u32 {
    policy.late_minutes.unwrap_or(60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_page_goes_on_can_be_typed() {
        let cursor = Cursor {
            ward: WardId(7),
            key: Key {
                at: "2026-11-23T02:12:00.000123Z".parse().unwrap(),
                id: Uuid::from_u128(0x1234),
                n: 42,
            },
        };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for wrong in ["", "7", "7/x/y/1", "7/2026-11-23T02:12:00Z/x/1"] {
            assert_eq!(wrong.parse::<Cursor>(), Err(()), "{wrong}");
        }
    }
}
