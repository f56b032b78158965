//! The patient record: one patient's day, drugs by time, with what was given, due, held and missed.

use std::sync::Arc;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::table::{Cell as TableCell, Column, Row};
use super::{Did, Frame, Msg, Rows, Scene, Then, What};
use crate::domain::PrescriptionId;
use crate::domain::mar::{Line as Prescribed, Record, Standing, Windows};
use crate::domain::vocabulary::PrescriptionStatus;
use crate::tui::clock;
use crate::tui::keymap::Action;
use crate::tui::list::{self, Move, Slot};
use crate::tui::model::Effect;
use crate::tui::record::{self, Beside, Layout};
use crate::tui::sheets::Sheet;
use crate::tui::sheets::prescribe::Prescribe;
use crate::tui::sheets::prescription::EndPrescription;
use crate::tui::theme::Theme;
use crate::tui::widgets::pen::row_of;
use crate::tui::widgets::text::{cut, pad, pad_both, wrap};
use crate::tui::widgets::{Line, Pen};
use crate::tui::words;

/// For the filter: a drug is found by its name.
const COLUMNS: &[Column] = &[Column::text("drug", 10, 60)];

/// Lines of a drug.
const EACH: u16 = 2;
/// Lines above the drugs: who, allergies, times.
const ABOVE: u16 = 3;
/// Lines below them, on a screen of the norm: what became of the doses of the selected drug.
const BELOW: u16 = 3;

/// What the page does as soon as the record is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum First {
    /// Shows it.
    Show,
    /// Opens the sheet that prescribes.
    Prescribe,
}

/// The page's state.
#[derive(Debug, Clone)]
pub struct MarPage {
    /// Rows, selection, filter.
    pub frame: Frame<PrescriptionId>,
    mrn: String,
    record: Option<Arc<Record>>,
    first: First,
}

impl MarPage {
    /// The record of a patient, today.
    pub fn open(mrn: &str, first: First, now: Timestamp) -> (MarPage, Vec<Effect>) {
        let what = What::Record {
            mrn: mrn.to_owned(),
            day: None,
        };
        let empty = "Nothing is prescribed for this day.";
        let (frame, effects) = Frame::open("RECORD", empty, COLUMNS, what, now);
        let page = MarPage {
            frame,
            mrn: mrn.to_owned(),
            record: None,
            first,
        };
        (page, effects)
    }

    /// Takes a message.
    pub fn update(&mut self, msg: &Msg<'_>, scene: &Scene<'_>) -> (Vec<Effect>, Then) {
        if let Msg::Act(action) = msg
            && let Some(how) = as_move(*action)
        {
            let lines = rows_area(scene.area).height;
            self.frame
                .table
                .list
                .update(&list::Msg::Move(how), lines, EACH);
            return (Vec::new(), Then::Stay);
        }
        match self.frame.update(msg, scene) {
            Did::All(effects) => (effects, Then::Stay),
            Did::Close => (Vec::new(), Then::Close),
            Did::Rows(Rows::Record(record)) => self.take(record),
            Did::Rows(_) => (Vec::new(), Then::Stay),
            Did::Act(action) => self.act(action, scene),
        }
    }

    fn take(&mut self, record: &Arc<Record>) -> (Vec<Effect>, Then) {
        let (timed, others): (Vec<&Prescribed>, Vec<&Prescribed>) =
            record.lines.iter().partition(|line| record::is_timed(line));
        let row = |line: &Prescribed| {
            let title = TableCell::text(line.drug.title());
            Row::of(line.prescription, vec![title])
        };
        let mut rows: Vec<Row<PrescriptionId>> = timed.into_iter().map(row).collect();
        if !others.is_empty() {
            rows.push(Row::Heading(AS_NEEDED.to_owned()));
            rows.extend(others.into_iter().map(row));
        }
        self.record = Some(Arc::clone(record));
        self.frame.set(rows);
        match std::mem::replace(&mut self.first, First::Show) {
            First::Show => (Vec::new(), Then::Stay),
            First::Prescribe => self.prescribe(),
        }
    }

    fn act(&mut self, action: Action, scene: &Scene<'_>) -> (Vec<Effect>, Then) {
        let day = self.record.as_ref().map(|record| record.day);
        match (action, day) {
            (Action::DayBack, Some(day)) => self.turn(day.yesterday().ok(), scene),
            (Action::DayForward, Some(day)) => self.turn(day.tomorrow().ok(), scene),
            (Action::Today, _) => self.turn(None, scene),
            (Action::Prescribe, Some(_)) => match self.barred("prescribe", scene) {
                Some(why) => (Vec::new(), Then::Say(why)),
                None => self.prescribe(),
            },
            (Action::EndPrescription, Some(_)) => {
                match self.barred("discontinue_prescription", scene) {
                    Some(why) => (Vec::new(), Then::Say(why)),
                    None => (Vec::new(), self.end()),
                }
            }
            _ => (Vec::new(), Then::Stay),
        }
    }

    /// Another day; `None`: today.
    fn turn(&mut self, day: Option<Date>, scene: &Scene<'_>) -> (Vec<Effect>, Then) {
        let what = What::Record {
            mrn: self.mrn.clone(),
            day,
        };
        let effects = self.frame.turn_to(what, "RECORD", scene.context.now);
        (effects, Then::Stay)
    }

    /// Why this person will not be let do it to this patient.
    fn barred(&self, kind: &str, scene: &Scene<'_>) -> Option<String> {
        let record = self.record.as_ref()?;
        if record.discharged_at.is_some() {
            return Some(format!("{} was discharged.", record.patient.name));
        }
        super::barred(scene.actor, kind, &record.ward)
    }

    fn prescribe(&self) -> (Vec<Effect>, Then) {
        let Some(record) = &self.record else {
            return (Vec::new(), Then::Stay);
        };
        let (sheet, effects) = Prescribe::open(Arc::clone(record));
        (
            effects,
            Then::Sheet(Box::new(Sheet::Prescribe(Box::new(sheet)))),
        )
    }

    fn end(&self) -> Then {
        let Some((record, line)) = self.selected() else {
            return Then::Say("There is no prescription to end.".to_owned());
        };
        if line.status == PrescriptionStatus::Discontinued {
            return Then::Say(format!("{} has ended already.", line.drug.title()));
        }
        let says = says(line);
        let key = (line.prescription, line.version);
        let sheet = EndPrescription::open(key, &record.patient, &line.drug, says);
        Then::Sheet(Box::new(Sheet::EndPrescription(Box::new(sheet))))
    }

    fn selected(&self) -> Option<(&Record, &Prescribed)> {
        let record = self.record.as_ref()?;
        let id = self.frame.selected()?;
        let line = record.lines.iter().find(|line| line.prescription == id)?;
        Some((record, line))
    }

    /// The record as text to print.
    pub fn printed(&self, scene: &Scene<'_>, columns: usize) -> Option<String> {
        let record = self.record.as_ref()?;
        let (now, windows) = (scene.context.now, windows(scene));
        Some(record::print::text(record, now, windows, columns))
    }

    /// Draws it.
    pub fn view(&self, pen: &mut Pen<'_>, area: Rect, scene: &Scene<'_>) {
        let Some(record) = &self.record else {
            return self.frame.view(pen, area, Line::default(), scene);
        };
        let theme = pen.theme;
        let zone = record.ward.zone();
        let today = zone.to_datetime(scene.context.now).date() == record.day;
        let day = record.day.strftime("%a %-d %b %Y");
        let day = if today {
            format!("today, {day}")
        } else {
            day.to_string()
        };
        let ward = format!("  {}", theme.text(&record.ward.code));
        let counts = Line::of(day, theme.strong()).and(ward, theme.plain());
        let below = self.frame.head(pen, area, counts, scene);
        head(pen, below, record, scene);
        let layout = Layout::of(
            record,
            &zone,
            usize::from(area.width).saturating_sub(MARKER),
        );
        heads(pen, row_of(below, ABOVE - 1), &layout);
        let rows = rows_area(area);
        if self.frame.table.list.is_empty() {
            pen.put(
                row_of(rows, 0),
                " Nothing is prescribed for this day.",
                theme.plain(),
            );
        } else {
            self.rows(pen, rows, record, &layout, scene);
        }
        self.details(pen, area, scene);
    }

    fn rows(
        &self,
        pen: &mut Pen<'_>,
        area: Rect,
        record: &Record,
        layout: &Layout,
        scene: &Scene<'_>,
    ) {
        let (zone, windows, now) = (record.ward.zone(), windows(scene), scene.context.now);
        let (heading, marker) = (pen.theme.heading(), pen.theme.symbols.marker);
        let mut y = 0;
        for (_, slot, height) in self.frame.table.list.shown(area.height, EACH) {
            match slot {
                Slot::Heading => {
                    pen.put(row_of(area, y), &format!(" {AS_NEEDED}"), heading);
                }
                Slot::Item(id) => {
                    let found = record.lines.iter().find(|line| line.prescription == id);
                    let Some(line) = found else { continue };
                    let row = record::row(line, layout, now, windows, &zone);
                    let chosen = self.frame.selected() == Some(id);
                    let mark = if chosen { marker } else { " " };
                    let lines = drawn(&row, layout, pen.theme, mark, usize::from(area.width));
                    for (at, drawn) in (0..height).zip(&lines) {
                        pen.line(row_of(area, y + at), drawn);
                        if chosen {
                            pen.select(row_of(area, y + at), true);
                        }
                    }
                }
            }
            y += height;
        }
    }

    /// What became of the doses of the selected drug, one after the other.
    fn details(&self, pen: &mut Pen<'_>, area: Rect, scene: &Scene<'_>) {
        let Some((record, line)) = self.selected().filter(|_| area.height > TALL) else {
            return;
        };
        let (zone, now) = (record.ward.zone(), scene.context.now);
        let mut said: Vec<String> = Vec::new();
        if !line.limits.is_empty() {
            said.push(line.limits.clone());
        }
        let doses = line.doses.iter().filter(|dose| {
            let standing = dose.standing(now, windows(scene));
            standing != Standing::Later || !dose.entries.is_empty()
        });
        said.extend(doses.map(|dose| record::told(dose, line, now, windows(scene), &zone)));
        said.push(format!("by {}", line.prescriber));
        let theme = pen.theme;
        let text = theme.text(&said.join("  ")).into_owned();
        let place = Rect {
            y: area.y + area.height - BELOW,
            height: BELOW,
            ..area
        };
        let rule = theme.rule(false);
        pen.rule(row_of(place, 0), rule);
        let lines = wrap(&text, usize::from(area.width).saturating_sub(2));
        let room = usize::from(BELOW - 1);
        for (at, line) in (1..BELOW).zip(&lines) {
            let last = usize::from(at) == room && lines.len() > room;
            let mark = if last { theme.symbols.mark } else { "" };
            let shown = format!(" {line}{mark}");
            pen.put(row_of(place, at), &shown, theme.plain());
        }
    }
}

/// What stands over drugs that are not due by the clock.
const AS_NEEDED: &str = "as needed, and to be read";

/// Columns before a drug's name: the marker.
const MARKER: usize = 2;

/// A page so low has no room for details.
const TALL: u16 = 14;

const fn as_move(action: Action) -> Option<Move> {
    Some(match action {
        Action::Up => Move::Up,
        Action::Down => Move::Down,
        Action::PageUp => Move::PageUp,
        Action::PageDown => Move::PageDown,
        Action::First => Move::First,
        Action::Last => Move::Last,
        _ => return None,
    })
}

/// Where the drugs are drawn.
fn rows_area(area: Rect) -> Rect {
    let below = if area.height > TALL { BELOW } else { 0 };
    Rect {
        y: area.y.saturating_add(1 + ABOVE),
        height: area.height.saturating_sub(1 + ABOVE + below),
        ..area
    }
}

fn windows(scene: &Scene<'_>) -> Windows {
    Windows {
        due: scene.context.due_window,
        missed: SignedDuration::from_mins(scene.context.policy.missed_minutes.into()),
    }
}

/// Dose, route and how often, in a sentence's middle.
pub fn says(line: &Prescribed) -> String {
    let dose = words::dose(&line.dose, &line.drug);
    let said = [dose, line.route.clone(), line.frequency.clone()];
    said.into_iter()
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

fn head(pen: &mut Pen<'_>, area: Rect, record: &Record, scene: &Scene<'_>) {
    let theme = pen.theme;
    let (patient, now, zone) = (&record.patient, scene.context.now, record.ward.zone());
    let born = clock::born(patient.birth_date, now, &zone);
    let bed = if patient.bed.is_empty() {
        String::new()
    } else {
        format!("bed {}  ", patient.bed)
    };
    let rest = theme
        .text(&format!("  {bed}MRN {}  born {born}", patient.mrn))
        .into_owned();
    let name = theme.text(&patient.name).into_owned();
    let mut line = Line::of(" ", theme.plain())
        .and(name, theme.strong())
        .and(rest, theme.plain());
    if let Some(at) = record.discharged_at {
        let left = format!(" DISCHARGED {} ", clock::day_hour(at, now, &zone));
        line = line.and(" ", theme.plain()).and(left, theme.loud());
    }
    pen.line(row_of(area, 0), &line);
    let (text, style) = if patient.allergies.trim().is_empty() {
        ("no allergies recorded".to_owned(), theme.plain())
    } else {
        (format!("ALLERGIES: {}", patient.allergies), theme.warning())
    };
    let room = usize::from(area.width).saturating_sub(1);
    let text = cut(&theme.text(&text), room, theme.symbols.mark);
    pen.put(row_of(area, 1), &format!(" {text}"), style);
}

fn heads(pen: &mut Pen<'_>, area: Rect, layout: &Layout) {
    let mut text = pad("", MARKER + layout.name, "");
    for head in &layout.heads {
        text.push_str(&pad(head, layout.cell, ""));
    }
    let style = pen.theme.faint();
    pen.put(area, &text, style);
}

/// The two lines of a drug.
fn drawn(
    row: &record::Row,
    layout: &Layout,
    theme: &Theme,
    mark: &str,
    columns: usize,
) -> [Line; 2] {
    let room = layout.name.saturating_sub(1);
    let cutting = theme.symbols.mark;
    let name = pad_both(
        &theme.text(&row.name.0),
        &theme.text(&row.name.1),
        room,
        cutting,
    );
    let below = pad(&format!(" {}", theme.text(&row.below)), room, cutting);
    let strong = if row.stopped {
        theme.faint()
    } else {
        theme.strong()
    };
    let mut first = Line::of(format!("{mark} {name} "), strong);
    let mut second = Line::of(format!("  {below} "), theme.plain());
    match &row.beside {
        Beside::Cells(cells) => {
            for cell in cells {
                let (word, at, style) = match cell {
                    Some(cell) => (cell.word, cell.below.as_str(), look(cell.standing, theme)),
                    None => ("", "", theme.plain()),
                };
                first = first.and(pad(word, layout.cell, cutting), style);
                second = second.and(pad(at, layout.cell, cutting), theme.plain());
            }
        }
        Beside::Words(words) => {
            let room = columns.saturating_sub(MARKER + layout.name);
            let lines = wrap(&theme.text(words), room.max(1));
            if let Some(line) = lines.first() {
                first = first.and(line.clone(), theme.plain());
            }
            if let Some(line) = lines.get(1) {
                let more = if lines.len() > 2 { cutting } else { "" };
                second = second.and(cut(&format!("{line}{more}"), room, cutting), theme.plain());
            }
        }
    }
    [first, second]
}

fn look(standing: Standing, theme: &Theme) -> Style {
    match standing {
        Standing::Missed | Standing::Late => theme.late(),
        Standing::Due => theme.due(),
        Standing::Held | Standing::Refused | Standing::NotAvailable => theme.warning(),
        Standing::Given => theme.good(),
        Standing::Later | Standing::Stopped => theme.faint(),
    }
}
