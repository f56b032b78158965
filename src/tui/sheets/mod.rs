//! What opens over the panes: the sheet of a dose, the forms, the lists to choose from, the help.

pub mod asked;
pub mod bind;
pub mod choice;
pub mod coded;
pub mod correct;
pub mod cupboard;
pub mod discontinue;
pub mod drug_search;
pub mod effect;
pub mod emergency;
pub mod facts;
pub mod form;
pub mod fulfil;
mod fulfil_scan;
mod fulfil_view;
pub mod help;
pub mod identity;
pub mod missed;
pub mod not_given;
pub mod package;
pub mod palette;
pub mod patient;
pub mod picker;
pub mod prescribe;
pub mod prescription;
pub mod receive;
pub mod reports;
pub mod round;
mod round_view;
pub mod signing;
pub mod terminal;
pub mod text;
pub mod wards;
pub mod witness;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::layout::Rect;

use super::key::Key;
use super::keymap::{Action, Mode};
use super::model::{Context, Effect, Reply};
use super::widgets::{Line, Pen};
use crate::domain::report::Kind;
use crate::domain::snapshot::{Ward, WardSnapshot};
use crate::domain::{Actor, OpId, WardId};

/// What a sheet can see of the ward around it.
#[derive(Debug, Clone)]
pub struct Scene<'a> {
    /// Clock and size.
    pub context: &'a Context,
    /// Who is signed in.
    pub actor: &'a Actor,
    /// The ward.
    pub ward: Option<&'a Ward>,
    /// The zone of its clocks.
    pub zone: TimeZone,
    /// Its latest snapshot.
    pub snapshot: Option<&'a WardSnapshot>,
}

impl Scene<'_> {
    /// The day on the ward's calendar.
    pub fn today(&self) -> jiff::civil::Date {
        self.context.now.to_zoned(self.zone.clone()).date()
    }
}

/// What happens to a sheet.
#[derive(Debug, Clone)]
pub enum Msg<'a> {
    /// An action of its mode.
    Act(Action),
    /// A key that is not bound: it may type.
    Key(Key),
    /// Text that came at once.
    Paste(&'a str),
    /// What a scanner read.
    Scan(&'a str),
    /// The ward's snapshot changed.
    Ward,
    /// An answer; it may be meant for another sheet.
    Reply(&'a Reply),
}

/// What becomes of the sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// It stays.
    Stay,
    /// It closes.
    Close,
    /// It closes, and another ward is looked at.
    Ward(WardId),
    /// It closes, and a report opens.
    Report(Kind),
    /// It closes, and an action is taken as if its key had been pressed in that mode.
    Act(Mode, Action),
}

/// The sheet that is open.
#[derive(Debug, Clone)]
pub enum Sheet {
    /// Giving a dose.
    Fulfil(Box<fulfil::Fulfil>),
    /// Several doses of one patient.
    Round(Box<round::Round>),
    /// Recording that a dose was not given.
    NotGiven(Box<not_given::NotGivenSheet>),
    /// Taking an entry of the log back.
    Correct(Box<correct::CorrectSheet>),
    /// Saying whether a dose helped.
    Effect(Box<effect::EffectSheet>),
    /// Stopping a dose.
    Discontinue(Box<discontinue::Discontinue>),
    /// Taking stock in.
    Receive(Box<receive::Receive>),
    /// The cupboard's other operations.
    Cupboard(Box<cupboard::CupboardSheet>),
    /// Prescribing.
    Prescribe(Box<prescribe::Prescribe>),
    /// Ending a prescription.
    EndPrescription(Box<prescription::EndPrescription>),
    /// Beginning emergency access, or ending it.
    Emergency(Box<emergency::EmergencySheet>),
    /// Which drug is in a package.
    Bind(Box<bind::Bind>),
    /// A patient comes, moves, leaves; allergies.
    Stay(Box<patient::StaySheet>),
    /// Choosing a ward.
    Wards(Box<wards::Wards>),
    /// Choosing a report.
    Reports(Box<reports::Reports>),
    /// Finding an action.
    Palette(Box<palette::Palette>),
    /// A page as text, to be copied.
    Text(Box<text::TextSheet>),
    /// Every key.
    Help(help::Help),
    /// What the terminal shows and sends.
    Terminal(Box<terminal::TerminalSheet>),
    /// What became of what was signed before.
    Missed(Box<missed::Missed>),
}

impl Sheet {
    /// What has the keys.
    pub fn mode(&self) -> Mode {
        match self {
            Sheet::Fulfil(sheet) => sheet.mode(),
            Sheet::Round(sheet) => sheet.mode(),
            Sheet::NotGiven(sheet) => sheet.asked.mode(),
            Sheet::Correct(sheet) => sheet.asked.mode(),
            Sheet::Effect(sheet) => sheet.asked.mode(),
            Sheet::Discontinue(sheet) => sheet.form.mode(),
            Sheet::Receive(sheet) => sheet.form.mode(),
            Sheet::Cupboard(sheet) => sheet.form.mode(),
            Sheet::Prescribe(sheet) => sheet.mode(),
            Sheet::Bind(sheet) => sheet.mode(),
            Sheet::Emergency(sheet) => sheet.form.mode(),
            Sheet::EndPrescription(sheet) => sheet.form.mode(),
            Sheet::Stay(sheet) => sheet.form.mode(),
            Sheet::Wards(_) | Sheet::Reports(_) | Sheet::Palette(_) => Mode::Picker,
            Sheet::Text(_) => Mode::Text,
            Sheet::Help(_) => Mode::Help,
            Sheet::Terminal(_) => Mode::Terminal,
            Sheet::Missed(_) => Mode::Closed,
        }
    }

    /// Routes a message.
    pub fn update(&mut self, msg: &Msg<'_>, scene: &Scene<'_>) -> (Vec<Effect>, Then) {
        match self {
            Sheet::Fulfil(sheet) => sheet.update(msg, scene),
            Sheet::Round(sheet) => sheet.update(msg, scene),
            Sheet::NotGiven(sheet) => sheet.update(msg, scene),
            Sheet::Correct(sheet) => sheet.update(msg, scene),
            Sheet::Effect(sheet) => sheet.update(msg, scene),
            Sheet::Discontinue(sheet) => sheet.update(msg, scene),
            Sheet::Receive(sheet) => sheet.update(msg, scene),
            Sheet::Cupboard(sheet) => sheet.update(msg, scene),
            Sheet::Prescribe(sheet) => sheet.update(msg, scene),
            Sheet::Bind(sheet) => sheet.update(msg, scene),
            Sheet::Emergency(sheet) => sheet.update(msg, scene),
            Sheet::EndPrescription(sheet) => sheet.update(msg, scene),
            Sheet::Stay(sheet) => sheet.update(msg, scene),
            Sheet::Wards(sheet) => (Vec::new(), sheet.update(msg)),
            Sheet::Reports(sheet) => (Vec::new(), sheet.update(msg)),
            Sheet::Palette(sheet) => (Vec::new(), sheet.update(msg)),
            Sheet::Text(sheet) => (Vec::new(), sheet.update(msg, scene)),
            Sheet::Help(sheet) => (Vec::new(), sheet.update(msg, scene)),
            Sheet::Terminal(sheet) => sheet.update(msg),
            Sheet::Missed(sheet) => sheet.update(msg, scene),
        }
    }

    /// Draws it in `area`.
    pub fn view(&self, pen: &mut Pen<'_>, area: Rect, scene: &Scene<'_>) {
        match self {
            Sheet::Fulfil(sheet) => fulfil_view::view(sheet, pen, area, scene),
            Sheet::Round(sheet) => round_view::view(sheet, pen, area, scene),
            Sheet::NotGiven(sheet) => sheet.view(pen, area, scene),
            Sheet::Correct(sheet) => sheet.view(pen, area, scene),
            Sheet::Effect(sheet) => sheet.view(pen, area, scene),
            Sheet::Discontinue(sheet) => sheet.view(pen, area, scene),
            Sheet::Receive(sheet) => sheet.view(pen, area, scene),
            Sheet::Cupboard(sheet) => sheet.view(pen, area, scene),
            Sheet::Prescribe(sheet) => sheet.view(pen, area, scene),
            Sheet::Bind(sheet) => sheet.view(pen, area, scene),
            Sheet::Emergency(sheet) => sheet.view(pen, area, scene),
            Sheet::EndPrescription(sheet) => sheet.view(pen, area, scene),
            Sheet::Stay(sheet) => sheet.view(pen, area, scene),
            Sheet::Wards(sheet) => sheet.view(pen, area),
            Sheet::Reports(sheet) => sheet.view(pen, area),
            Sheet::Palette(sheet) => sheet.view(pen, area),
            Sheet::Text(sheet) => sheet.view(pen, area),
            Sheet::Help(sheet) => sheet.view(pen, area),
            Sheet::Terminal(sheet) => sheet.view(pen, area),
            Sheet::Missed(sheet) => sheet.view(pen, area, scene),
        }
    }

    fn signing(&self) -> Option<&signing::Signing> {
        match self {
            Sheet::Fulfil(sheet) => Some(&sheet.signing),
            Sheet::NotGiven(sheet) => Some(&sheet.asked.signing),
            Sheet::Correct(sheet) => Some(&sheet.asked.signing),
            Sheet::Effect(sheet) => Some(&sheet.asked.signing),
            Sheet::Discontinue(sheet) => Some(&sheet.form.signing),
            Sheet::Receive(sheet) => Some(&sheet.form.signing),
            Sheet::Cupboard(sheet) => Some(&sheet.form.signing),
            Sheet::Prescribe(sheet) => sheet.form().map(|form| &form.signing),
            Sheet::Bind(sheet) => sheet.form().map(|form| &form.signing),
            Sheet::Emergency(sheet) => Some(&sheet.form.signing),
            Sheet::EndPrescription(sheet) => Some(&sheet.form.signing),
            Sheet::Stay(sheet) => Some(&sheet.form.signing),
            Sheet::Round(_)
            | Sheet::Wards(_)
            | Sheet::Reports(_)
            | Sheet::Palette(_)
            | Sheet::Text(_)
            | Sheet::Help(_)
            | Sheet::Terminal(_)
            | Sheet::Missed(_) => None,
        }
    }

    /// The clock moved on.
    pub fn tick(&mut self, now: Timestamp) {
        match self {
            Sheet::Fulfil(sheet) => sheet.tick(now),
            Sheet::Round(sheet) => sheet.tick(now),
            Sheet::NotGiven(sheet) => sheet.asked.tick(now),
            Sheet::Correct(sheet) => sheet.asked.tick(now),
            Sheet::Effect(sheet) => sheet.asked.tick(now),
            Sheet::Discontinue(sheet) => sheet.form.signing.tick(now),
            Sheet::Receive(sheet) => sheet.form.signing.tick(now),
            Sheet::Cupboard(sheet) => sheet.tick(now),
            Sheet::Prescribe(sheet) => {
                if let Some(form) = sheet.form_mut() {
                    form.signing.tick(now);
                }
            }
            Sheet::Bind(sheet) => {
                if let Some(form) = sheet.form_mut() {
                    form.signing.tick(now);
                }
            }
            Sheet::Emergency(sheet) => sheet.form.signing.tick(now),
            Sheet::EndPrescription(sheet) => sheet.form.signing.tick(now),
            Sheet::Stay(sheet) => sheet.form.signing.tick(now),
            Sheet::Wards(_)
            | Sheet::Reports(_)
            | Sheet::Palette(_)
            | Sheet::Text(_)
            | Sheet::Help(_)
            | Sheet::Terminal(_)
            | Sheet::Missed(_) => {}
        }
    }

    /// When it changes by itself: its signature has been on its way for too long to say nothing, or no witness has come.
    pub fn slow_at(&self) -> Option<Timestamp> {
        let changes = match self {
            Sheet::Fulfil(sheet) => sheet.changes_at(),
            Sheet::Round(sheet) => sheet.changes_at(),
            Sheet::Correct(sheet) => sheet.asked.changes_at(),
            Sheet::Cupboard(sheet) => sheet.forgets_at(),
            _ => None,
        };
        let slow = self.signing().and_then(signing::Signing::slow_at);
        changes.into_iter().chain(slow).min()
    }

    /// The operations whose outcome it waits for, each with words for telling it when the sheet is gone.
    pub fn awaits(&self) -> Vec<(OpId, String)> {
        if let Sheet::Round(sheet) = self {
            return sheet.awaits();
        }
        let op = self.signing().and_then(signing::Signing::awaits);
        op.zip(self.words()).into_iter().collect()
    }

    /// What it signs, in words.
    fn words(&self) -> Option<String> {
        Some(match self {
            Sheet::Fulfil(sheet) => super::words::order(&sheet.order),
            Sheet::Discontinue(sheet) => {
                format!("stopping {}", super::words::order(&sheet.order))
            }
            Sheet::NotGiven(sheet) => {
                format!("not given: {}", super::words::order(&sheet.order))
            }
            Sheet::Correct(sheet) => format!("taking back {}", sheet.entry.drug.title()),
            Sheet::Effect(sheet) => format!("the effect of {}", sheet.dose.drug),
            Sheet::Receive(sheet) => format!("receiving {}", sheet.drug.title()),
            Sheet::Cupboard(sheet) => sheet.words(),
            Sheet::Prescribe(sheet) => sheet.told(),
            Sheet::Bind(sheet) => sheet.told(),
            Sheet::Emergency(sheet) => sheet.told().to_owned(),
            Sheet::EndPrescription(sheet) => {
                format!("ending {} for {}", sheet.drug.title(), sheet.patient.name)
            }
            Sheet::Stay(sheet) => sheet.told(),
            Sheet::Round(_)
            | Sheet::Wards(_)
            | Sheet::Reports(_)
            | Sheet::Palette(_)
            | Sheet::Text(_)
            | Sheet::Help(_)
            | Sheet::Terminal(_)
            | Sheet::Missed(_) => return None,
        })
    }
}

/// Draws a sheet's title line and gives back what is below it.
pub(super) fn headed(pen: &mut Pen<'_>, area: Rect, title: &str, beside: Option<&Line>) -> Rect {
    let top = Rect {
        height: area.height.min(1),
        ..area
    };
    let (rule, strong) = (pen.theme.rule(true), pen.theme.title(true));
    pen.rule(top, rule);
    pen.put(top, &format!(" {title} "), strong);
    if let Some(line) = beside {
        let room = Rect {
            x: top.x.saturating_add(2),
            width: top.width.saturating_sub(4),
            ..top
        };
        if line.width() + title.len() + 4 < usize::from(room.width) {
            pen.right(room, line);
        }
    }
    Rect {
        y: area.y.saturating_add(1),
        height: area.height.saturating_sub(1),
        ..area
    }
}

/// Reading a long text: moves `scroll` by the keys for it, by line and by `page`, at most to `most`; closes.
fn read_on(msg: &Msg<'_>, scroll: &mut usize, page: usize, most: usize) -> Then {
    let to = match msg {
        Msg::Act(Action::Close) => return Then::Close,
        Msg::Act(Action::Up) => scroll.saturating_sub(1),
        Msg::Act(Action::Down) => *scroll + 1,
        Msg::Act(Action::PageUp) => scroll.saturating_sub(page),
        Msg::Act(Action::PageDown) => *scroll + page,
        Msg::Act(Action::First) => 0,
        Msg::Act(Action::Last) => most,
        _ => return Then::Stay,
    };
    *scroll = to.min(most);
    Then::Stay
}

/// A rectangle with a column free on either side, so that text does not stick to the edge.
pub(super) fn inset(area: Rect) -> Rect {
    Rect {
        x: area.x.saturating_add(1),
        width: area.width.saturating_sub(2),
        ..area
    }
}
