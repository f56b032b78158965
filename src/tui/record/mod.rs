//! A patient's day as a grid: drugs down, time across. The screen and the printed page are made from the same grid, so
//! that what is printed before the power goes is what was on the screen.

pub mod print;

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::clock;
use super::words;
use crate::domain::mar::{DoseOfDay, Entry, Line, Record, Standing, Windows};
use crate::domain::vocabulary::PrescriptionStatus;
use crate::domain::{GivingOutcome, OrderKind, Priority};

/// A column of times is at least so wide: `given` or `08:12`, and a space.
const CELL: usize = 6;
/// And at most: with initials beside the time.
const WIDEST_CELL: usize = 11;
/// A drug's name takes between these.
const NAME: (usize, usize) = (24, 44);
/// Hours that may stand together in one column where there is no room for each time of the day.
const BINS: [i8; 6] = [1, 2, 3, 4, 6, 12];

/// How a grid is laid out in so many columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Columns of the drug's name.
    pub name: usize,
    /// Columns of each cell, with the space behind it.
    pub cell: usize,
    /// What stands over each column of times.
    pub heads: Vec<String>,
    times: Times,
}

/// Which times share a column; minutes of the ward's day.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Times {
    Each(Vec<i32>),
    Hours { first: i32, each: i32 },
}

/// One drug's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Name and strength.
    pub name: (String, String),
    /// Dose, route, how often, and whether it is stopped.
    pub below: String,
    /// What stands beside it.
    pub beside: Beside,
    /// Nothing of it is to be given any more.
    pub stopped: bool,
}

/// What stands beside a drug.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Beside {
    /// A cell for each column; `None`: nothing is due then.
    Cells(Vec<Option<Cell>>),
    /// As needed: every dose of the day in words.
    Words(String),
}

/// What became of the doses of one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// The word, at most five letters: `given`, `DUE`, `MISS`.
    pub word: &'static str,
    /// When, or how many of how many.
    pub below: String,
    /// How it stands; of several, what is most urgent.
    pub standing: Standing,
}

/// For people at any terminal: the word tells it, and no colour has to.
pub const fn word(standing: Standing) -> &'static str {
    match standing {
        Standing::Missed => "MISS",
        Standing::Late => "LATE",
        Standing::Due => "DUE",
        Standing::Later => ".",
        Standing::Held => "held",
        Standing::Refused => "refus",
        Standing::NotAvailable => "none",
        Standing::Given => "given",
        Standing::Stopped => "stop",
    }
}

/// What the words mean, for the foot of the page.
pub const LEGEND: &str = "given  DUE now  LATE past its time  MISS not accounted for  held  refus(ed)  none (not available)  \
                          stop(ped)  . to come";

impl Layout {
    /// The layout of a day in so many columns: every time of day has its own column where there is room, hours stand
    /// together where there is not.
    pub fn of(record: &Record, zone: &TimeZone, columns: usize) -> Layout {
        let due = record
            .lines
            .iter()
            .flat_map(|line| line.doses.iter().filter_map(|dose| dose.due));
        let times: BTreeSet<i32> = due.map(|at| minute_of_day(at, zone)).collect();
        let fits = |count: usize| NAME.0 + count * CELL <= columns;
        let times: Vec<i32> = times.into_iter().collect();
        let (times, heads) = if fits(times.len()) {
            let heads = times.iter().map(|m| format!("{:02}:{:02}", m / 60, m % 60));
            let heads = heads.collect();
            (Times::Each(times), heads)
        } else {
            binned(&times, fits)
        };
        let count = heads.len().max(1);
        let cell = (columns.saturating_sub(NAME.1) / count).clamp(CELL, WIDEST_CELL);
        let name = columns.saturating_sub(cell * heads.len());
        Layout {
            name: name.clamp(NAME.0.min(columns), NAME.1),
            cell,
            heads,
            times,
        }
    }

    /// The column of a due time.
    fn column(&self, due: Timestamp, zone: &TimeZone) -> Option<usize> {
        let minute = minute_of_day(due, zone);
        match &self.times {
            Times::Each(times) => times.iter().position(|time| *time == minute),
            Times::Hours { first, each } => usize::try_from((minute / 60 - first) / each).ok(),
        }
    }

    /// Whether cells have room for initials.
    fn signs(&self) -> bool {
        self.cell > CELL + 3
    }
}

/// Hours together, as few as fit, from the first that is needed to the last.
fn binned(times: &[i32], fits: impl Fn(usize) -> bool) -> (Times, Vec<String>) {
    let of = |each: i32| {
        let hours = |at: Option<&i32>| at.map_or(0, |minute| minute / 60 / each * each);
        let (first, last) = (hours(times.first()), hours(times.last()));
        let count = usize::try_from((last - first) / each + 1).unwrap_or(1);
        (first, count)
    };
    let each = BINS
        .into_iter()
        .map(i32::from)
        .find(|each| fits(of(*each).1))
        .unwrap_or(12);
    let (first, _) = of(each);
    let heads = (0..of(each).1).map(|at| {
        let from = first + i32::try_from(at).unwrap_or(0) * each;
        if each == 1 {
            format!("{from:02}h")
        } else {
            format!("{from:02}-{:02}", from + each)
        }
    });
    let heads = heads.collect();
    (Times::Hours { first, each }, heads)
}

fn minute_of_day(at: Timestamp, zone: &TimeZone) -> i32 {
    let local = at.to_zoned(zone.clone());
    i32::from(local.hour()) * 60 + i32::from(local.minute())
}

/// Whether a line has columns of times, or its doses stand in words beside it.
pub fn is_timed(line: &Line) -> bool {
    line.kind == OrderKind::Timed
}

/// A drug's row.
pub fn row(line: &Line, layout: &Layout, now: Timestamp, windows: Windows, zone: &TimeZone) -> Row {
    let beside = if is_timed(line) {
        Beside::Cells(cells(line, layout, now, windows, zone))
    } else {
        Beside::Words(givings(line, zone))
    };
    Row {
        name: (line.drug.name.clone(), line.drug.strength.clone()),
        below: below(line, zone),
        beside,
        stopped: line.status != PrescriptionStatus::Active,
    }
}

fn below(line: &Line, zone: &TimeZone) -> String {
    let mut words = Vec::new();
    if line.drug.high_alert {
        words.push("!".to_owned());
    }
    if line.priority == Priority::Stat {
        words.push("STAT".to_owned());
    }
    // What is stopped says so first: it must not be cut off.
    match (line.status, line.ended_at) {
        (PrescriptionStatus::Discontinued, Some(at)) => {
            words.push(format!("STOPPED {}", clock::hour(at, zone)));
        }
        (PrescriptionStatus::Discontinued, None) => words.push("STOPPED".to_owned()),
        (PrescriptionStatus::Ended, _) => words.push("ended".to_owned()),
        (PrescriptionStatus::Active, _) => {}
    }
    words.push(words::dose(&line.dose, &line.drug));
    words.push(line.route.clone());
    if line.frequency != "STAT" {
        words.push(line.frequency.clone());
    }
    words.retain(|word| !word.is_empty());
    words.join(" ")
}

/// Every dose of a drug as needed, in words: `08:12 1 tab NN, 14:40 1 tab NN`.
fn givings(line: &Line, zone: &TimeZone) -> String {
    let given: Vec<String> = line
        .doses
        .iter()
        .filter_map(|dose| Some((dose, dose.standing_entry()?)))
        .map(|(_, entry)| {
            let what = match entry.outcome {
                GivingOutcome::Given => words::amount(entry.quantity, &line.drug),
                other => other.as_str().replace('_', " "),
            };
            format!(
                "{} {what} {}",
                clock::hour(entry.at, zone),
                initials(&entry.by)
            )
        })
        .collect();
    if given.is_empty() {
        "nothing given".to_owned()
    } else {
        given.join(", ")
    }
}

fn cells(
    line: &Line,
    layout: &Layout,
    now: Timestamp,
    windows: Windows,
    zone: &TimeZone,
) -> Vec<Option<Cell>> {
    let mut columns: Vec<Vec<&DoseOfDay>> = vec![Vec::new(); layout.heads.len()];
    for dose in &line.doses {
        let column = dose.due.and_then(|due| layout.column(due, zone));
        if let Some(doses) = column.and_then(|at| columns.get_mut(at)) {
            doses.push(dose);
        }
    }
    columns
        .into_iter()
        .map(|doses| cell(&doses, layout, now, windows, zone))
        .collect()
}

fn cell(
    doses: &[&DoseOfDay],
    layout: &Layout,
    now: Timestamp,
    windows: Windows,
    zone: &TimeZone,
) -> Option<Cell> {
    let standing = |dose: &&DoseOfDay| dose.standing(now, windows);
    let worst = doses.iter().map(standing).min()?;
    let below = match doses {
        [one] => alone(one, worst, layout, zone),
        many => {
            let open = |s: Standing| s <= Standing::Later;
            let done = many.iter().filter(|dose| !open(standing(dose))).count();
            format!("{done} of {}", many.len())
        }
    };
    Some(Cell {
        word: word(worst),
        below,
        standing: worst,
    })
}

/// When it was recorded and by whom; of a dose that is open, when it is due, where the column does not say so.
fn alone(dose: &DoseOfDay, standing: Standing, layout: &Layout, zone: &TimeZone) -> String {
    if let Some(entry) = dose.standing_entry() {
        return recorded(entry, layout, zone);
    }
    let exact = matches!(layout.times, Times::Each(_));
    match dose.due {
        Some(due) if !exact && standing != Standing::Stopped => clock::hour(due, zone),
        _ => String::new(),
    }
}

fn recorded(entry: &Entry, layout: &Layout, zone: &TimeZone) -> String {
    let at = clock::hour(entry.at, zone);
    if layout.signs() {
        format!("{at} {}", initials(&entry.by))
    } else {
        at
    }
}

/// `Nora Nurse` is NN; at most three letters.
pub fn initials(name: &str) -> String {
    name.split([' ', '-', ','])
        .filter_map(|part| part.chars().find(|c| c.is_alphabetic()))
        .take(3)
        .flat_map(char::to_uppercase)
        .collect()
}

/// One dose of the day in a sentence, for the foot of the screen and the list under the printed grid.
pub fn told(
    dose: &DoseOfDay,
    line: &Line,
    now: Timestamp,
    windows: Windows,
    zone: &TimeZone,
) -> String {
    let due = dose
        .due
        .map_or_else(|| "as needed".to_owned(), |due| clock::hour(due, zone));
    let standing = dose.standing(now, windows);
    let mut said: Vec<String> = Vec::new();
    // What was recorded tells how the dose stands; one that nobody recorded stands somewhere all the same.
    if dose.standing_entry().is_none() {
        said.push(standing_words(standing).to_owned());
    }
    for entry in &dose.entries {
        said.push(entry_words(entry, line, zone));
    }
    if standing == Standing::Stopped && !dose.change.is_empty() {
        said.push(dose.change.clone());
    }
    format!("{due}: {}", said.join("; "))
}

fn entry_words(entry: &Entry, line: &Line, zone: &TimeZone) -> String {
    let at = clock::hour(entry.at, zone);
    let what = match (entry.reverses, entry.outcome) {
        (Some(_), _) => "CORRECTED, taken back".to_owned(),
        (None, GivingOutcome::Given) => {
            format!("given {}", words::amount(entry.quantity, &line.drug))
        }
        (None, other) => other.as_str().replace('_', " "),
    };
    let mut said = format!("{at} {what} by {}", entry.by);
    if entry.recorded_at.as_second() / 60 != entry.at.as_second() / 60 {
        said.push_str(&format!(
            " (entered {})",
            clock::hour(entry.recorded_at, zone)
        ));
    }
    if !entry.reason.is_empty() {
        said.push_str(&format!(": {}", entry.reason));
    }
    said
}

/// How a dose stands, as part of a sentence.
pub const fn standing_words(standing: Standing) -> &'static str {
    match standing {
        Standing::Missed => "MISSED, nobody accounted for it",
        Standing::Late => "LATE",
        Standing::Due => "due",
        Standing::Later => "to come",
        Standing::Held => "held",
        Standing::Refused => "refused",
        Standing::NotAvailable => "not available",
        Standing::Given => "given",
        Standing::Stopped => "stopped",
    }
}
