//! Whole-screen pages over the ward's desk: a title, column heads, a list that is live, and keys of its own.
//!
//! A page is a [`Frame`] with what is particular to it: what it asks for ([`What`]), how an answer ([`Rows`]) becomes the
//! rows of its [`table`], and what its keys do with the selected row. The frame asks ([`Effect::LoadPage`]), asks again
//! when something has changed, turns leaves by key ([`Cursor`]) and filters. A new page is:
//!
//! 1. a variant of [`What`] and of [`Rows`] (rows are plain values of the domain), answered in `session::services`;
//! 2. a module here with `open`, `update`, `view`, as [`board`] has them, and a variant of [`Page`];
//! 3. a [`Mode`] of its own in the keymap, listed in `PAGES` of its table, with the action that opens it.

pub mod asking;
pub mod back_entry;
pub mod board;
pub mod cupboard;
pub mod effects;
pub mod frame;
pub mod mar;
pub mod mine;
pub mod patients;
pub mod report;
pub mod table;

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use ratatui::layout::Rect;
use uuid::Uuid;

use super::key::Key;
use super::keymap::{Action, Mode};
use super::model::{Context, Effect};
use super::sheets::Sheet;
use super::sheets::text::TextSheet;
use super::widgets::Pen;
use super::widgets::text::wrap;
use crate::domain::board::Board;
use crate::domain::decide;
use crate::domain::mar::Record;
use crate::domain::prescribed::{Person, Prescribed};
use crate::domain::snapshot::{AskedDose, Ward, WardSnapshot};
use crate::domain::{Actor, OpId, Outcome, UserId, WardId};

use asking::{Asking, For};
use frame::Asked;
pub use frame::{Did, Frame};

/// What a page asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageAsk {
    /// Of what.
    pub what: What,
    /// The leaf that begins after this; `None`: the first.
    pub after: Option<Cursor>,
}

/// Of what a page asks for rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Every ward's state.
    Board,
    /// As-needed doses of a ward of which it is not known yet whether they helped.
    Effects(WardId),
    /// Of the cupboard.
    Cupboard(cupboard::Ask),
    /// A patient's day; without one, today.
    Record {
        /// Whose: the number.
        mrn: String,
        /// Which.
        day: Option<Date>,
    },
    /// A doctor's own prescriptions.
    Mine {
        /// Whose.
        doctor: UserId,
    },
    /// Who lies in a ward.
    Patients {
        /// Which.
        ward: WardId,
    },
    /// The doses of a ward that were due in a time and stand open.
    BackEntry(WardId, crate::domain::report::Period),
    /// A report, for that person to read.
    Report(crate::domain::report::Ask, UserId),
}

impl What {
    /// Whether what other wards do changes it; else it is this ward's own.
    pub const fn of_the_hospital(&self) -> bool {
        match self {
            What::Cupboard(ask) => ask.of_the_hospital(),
            What::Board | What::Mine { .. } => true,
            What::Effects(_)
            | What::Record { .. }
            | What::Patients { .. }
            | What::BackEntry(..)
            | What::Report(..) => false,
        }
    }
}

/// The key that a leaf ended with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cursor {
    /// Of a list by key.
    Key(i64),
    /// Of a list by a key that people's things have.
    Id(Uuid),
    /// Of a list by two keys.
    Pair(i64, i64),
    /// Of a list by time.
    Time(Timestamp, Uuid),
    /// Of a report.
    Report(crate::domain::report::Cursor),
}

/// The answer to a [`PageAsk`].
#[derive(Debug, Clone)]
pub struct Answer {
    /// As asked.
    pub ask: PageAsk,
    /// One leaf; or why it could not be read.
    pub found: Result<Found, String>,
}

/// One leaf of a page.
#[derive(Debug, Clone)]
pub struct Found {
    /// Its rows.
    pub rows: Rows,
    /// Where the next begins; `None`: this is the last.
    pub next: Option<Cursor>,
    /// When it was read (UTC).
    pub read_at: Timestamp,
}

/// The rows of one leaf.
#[derive(Debug, Clone)]
pub enum Rows {
    /// Of [`What::Board`].
    Board(Arc<Board>),
    /// Of [`What::Effects`].
    Effects(Vec<AskedDose>),
    /// Of [`What::Cupboard`].
    Cupboard(Arc<cupboard::Lines>),
    /// Of [`What::Record`].
    Record(Arc<Record>),
    /// Of [`What::Mine`].
    Mine(Vec<Prescribed>),
    /// Of [`What::Patients`].
    Patients(Vec<Person>),
    /// Of [`What::Report`].
    Report(Arc<crate::domain::report::Page>),
}

/// What a page can see around it.
#[derive(Debug, Clone)]
pub struct Scene<'a> {
    /// Clock and size.
    pub context: &'a Context,
    /// Who is signed in.
    pub actor: &'a Actor,
    /// The ward whose desk it lies on.
    pub ward: Option<&'a Ward>,
    /// The zone of its clocks.
    pub zone: TimeZone,
    /// Its latest snapshot.
    pub snapshot: Option<&'a Arc<WardSnapshot>>,
    /// Where the page is drawn.
    pub area: Rect,
}

/// What happens to a page.
#[derive(Debug, Clone)]
pub enum Msg<'a> {
    /// An action of its mode.
    Act(Action),
    /// A key that is not bound: it may type.
    Key(Key),
    /// Text that came at once.
    Paste(&'a str),
    /// A press of the mouse in this line and column of its area.
    Click(u16, u16),
    /// Something that it shows may have changed.
    Stirred,
    /// Rows; they may be meant for another page.
    Answer(&'a Answer),
    /// What the page asked for was typed, field by field.
    Typed(asking::For, &'a [String]),
    /// What became of a page that was to be written to a file.
    Saved(&'a Result<String, String>),
    /// What became of an operation; it may be another page's, or a sheet's.
    Outcome(OpId, &'a Outcome),
    /// The clock moved on.
    Tick,
}

/// What becomes of a page.
#[derive(Debug, Clone)]
pub enum Then {
    /// It stays.
    Stay,
    /// It closes.
    Close,
    /// All pages close, and another ward is looked at.
    Ward(WardId),
    /// Another page opens over it.
    Page(Page),
    /// A sheet opens over it.
    Sheet(Box<Sheet>),
    /// It stays, and this is said on the bottom line.
    Say(String),
}

/// Columns of the widest paper.
const WIDEST: usize = 132;

/// What stands over a text that is not written to a file.
const NO_FILE: &str = "A file would lie at the server, where it is not yours. Copy what you need from here, or have it as a \
    file at your own machine: ssh HOST valmed report ... --print > FILE (mar, register, board, orders, stock, log likewise).";

/// A page that is open.
#[derive(Debug, Clone)]
pub enum Page {
    /// Every ward at once.
    Board(Box<board::BoardPage>),
    /// Did it help?
    Effects(Box<effects::EffectsPage>),
    /// Of the cupboard.
    Cupboard(Box<cupboard::CupboardPage>),
    /// A patient's day.
    Mar(Box<mar::MarPage>),
    /// A doctor's own prescriptions.
    Mine(Box<mine::MinePage>),
    /// Who lies in a ward.
    Patients(Box<patients::PatientsPage>),
    /// What is to be entered after a downtime.
    BackEntry(Box<back_entry::BackEntryPage>),
    /// A report.
    Report(Box<report::ReportPage>),
}

/// Does the same with whichever page it is.
macro_rules! each {
    ($self:expr, $page:ident => $do:expr) => {
        match $self {
            Page::Board($page) => $do,
            Page::Effects($page) => $do,
            Page::Cupboard($page) => $do,
            Page::Mar($page) => $do,
            Page::Mine($page) => $do,
            Page::Patients($page) => $do,
            Page::BackEntry($page) => $do,
            Page::Report($page) => $do,
        }
    };
}

impl Page {
    /// What has the keys.
    pub fn mode(&self) -> Mode {
        let (filtering, asking) =
            each!(self, page => (page.frame.filtering(), page.frame.asking.is_some()));
        match self {
            _ if asking => Mode::Asking,
            _ if filtering => Mode::PageFilter,
            Page::Board(_) => Mode::Board,
            Page::Effects(_) => Mode::Effects,
            Page::Cupboard(page) => page.mode(),
            Page::Mar(_) => Mode::Record,
            Page::Mine(_) => Mode::Mine,
            Page::Patients(_) => Mode::Patients,
            Page::BackEntry(_) => Mode::BackEntry,
            Page::Report(_) => Mode::Report,
        }
    }

    /// Routes a message.
    pub fn update(&mut self, msg: &Msg<'_>, scene: &Scene<'_>) -> (Vec<Effect>, Then) {
        if let Msg::Act(Action::Print) = msg
            && each!(self, page => page.frame.asking.is_none())
        {
            return (Vec::new(), self.print(scene));
        }
        match each!(self, page => page.frame.asked(msg)) {
            Asked::Not => each!(self, page => page.update(msg, scene)),
            Asked::Taken => (Vec::new(), Then::Stay),
            Asked::Typed(For::File, typed) => (self.save(&typed, scene), Then::Stay),
            Asked::Typed(what, typed) => {
                each!(self, page => page.update(&Msg::Typed(what, &typed), scene))
            }
        }
    }

    /// The page as text to print, in so many columns.
    pub fn printed(&self, scene: &Scene<'_>, columns: usize) -> String {
        let own = match self {
            Page::Mar(page) => page.printed(scene, columns),
            Page::Report(page) => page.printed(scene, columns),
            _ => None,
        };
        own.unwrap_or_else(|| each!(self, page => page.frame.printed(scene, columns)))
    }

    /// Asks for the file; where files are not the person's own, the text is shown to be copied.
    fn print(&mut self, scene: &Scene<'_>) -> Then {
        if scene.context.files.is_none() {
            let columns = usize::from(scene.context.size.width).min(WIDEST);
            let why = wrap(NO_FILE, columns).join("\n");
            let text = format!("{why}\n\n{}", self.printed(scene, columns));
            let sheet = Sheet::Text(Box::new(TextSheet::open(&text)));
            return Then::Sheet(Box::new(sheet));
        }
        let at = scene.context.now.to_zoned(scene.zone.clone());
        let stamp = at.strftime("%Y-%m-%d-%H%M%S");
        let what = each!(self, page => page.frame.file_name());
        let name = format!("{what}-{stamp}.txt");
        let words = "A new file that only you can read, in ValMed's data folder where the name has no folder. What is there \
                     already stays as it is. Columns: 132 for paper, 80 for a screen. Enter writes it.";
        let fields = [("File", name.as_str()), ("Columns", "132")];
        let asking = Asking::new(For::File, "WRITE THIS PAGE TO A FILE", &fields, words);
        each!(self, page => page.frame.asking = Some(asking));
        Then::Stay
    }

    fn save(&mut self, typed: &[String], scene: &Scene<'_>) -> Vec<Effect> {
        let name = typed.first().cloned().unwrap_or_default();
        let columns = typed.get(1).map_or("", String::as_str).parse::<usize>();
        let wrong = match &columns {
            _ if name.is_empty() => Some((0, "Type the name of a file.")),
            Ok(60..=400) => None,
            _ => Some((1, "Type how many columns the paper has, from 60 to 400.")),
        };
        if let Some((field, why)) = wrong {
            each!(self, page => page.frame.tell_asking(field, why));
            return Vec::new();
        }
        let text = self.printed(scene, columns.unwrap_or(WIDEST));
        vec![Effect::Save { name, text }]
    }

    /// Draws it in `area`.
    pub fn view(&self, pen: &mut Pen<'_>, area: Rect, scene: &Scene<'_>) {
        each!(self, page => page.view(pen, area, scene));
        if let Some(asking) = each!(self, page => &page.frame.asking) {
            asking.view(pen, area);
        }
    }

    /// When it wants to be told of the time.
    pub fn next_change(&self) -> Option<Timestamp> {
        each!(self, page => page.frame.next_change())
    }

    /// Whether what other wards do changes it.
    pub fn of_the_hospital(&self) -> bool {
        each!(self, page => page.frame.what().of_the_hospital())
    }
}

/// Why this person will not be let do such an operation in a ward, as the desk's own table of roles has it.
pub(in crate::tui) fn barred(actor: &Actor, kind: &str, ward: &Ward) -> Option<String> {
    let need = decide::needs(kind)?;
    if actor.read_only {
        return Some("Your account may look at everything and change nothing.".to_owned());
    }
    if !decide::may(actor.role, kind) {
        return Some(format!(
            "To {} is for a {}; you are signed in as {}.",
            need.action, need.who, actor.role
        ));
    }
    // Emergency access may have ended: the desk looks at its time.
    (!actor.wards.allow(ward.id) && !actor.emergencies.contains_key(&ward.id))
        .then(|| format!("To {} here is for people of {}.", need.action, ward.code))
}
