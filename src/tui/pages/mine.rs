//! My orders: a doctor's own prescriptions, newest first, with what was given of each.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::layout::Rect;

use super::mar::{First, MarPage};
use super::table::{Cell, Column, Look, Row};
use super::{Did, Frame, Msg, Page, Rows, Scene, Then, What};
use crate::domain::prescribed::Prescribed;
use crate::domain::vocabulary::PrescriptionStatus;
use crate::domain::{PrescriptionId, UserId};
use crate::tui::clock;
use crate::tui::keymap::Action;
use crate::tui::model::Effect;
use crate::tui::widgets::{Line, Pen};

const COLUMNS: &[Column] = &[
    Column::text("patient", 12, 30),
    Column::text("ward", 4, 8).rank(2),
    Column::text("drug", 14, 44),
    Column::text("how", 10, 28).below(),
    Column::fixed("given", 5).right(),
    Column::fixed("late", 5).right().rank(1),
    Column::fixed("last", 15).rank(3).below(),
    Column::fixed("stands", 7),
];

/// The page's state.
#[derive(Debug, Clone)]
pub struct MinePage {
    /// Rows, selection, filter.
    pub frame: Frame<PrescriptionId>,
    /// Whose each is.
    patients: HashMap<PrescriptionId, String>,
}

impl MinePage {
    /// The list of a doctor.
    pub fn open(doctor: UserId, now: Timestamp) -> (MinePage, Vec<Effect>) {
        let empty = "You have prescribed nothing yet.";
        let what = What::Mine { doctor };
        let (frame, effects) = Frame::open("MY ORDERS", empty, COLUMNS, what, now);
        let patients = HashMap::new();
        (MinePage { frame, patients }, effects)
    }

    /// Takes a message.
    pub fn update(&mut self, msg: &Msg<'_>, scene: &Scene<'_>) -> (Vec<Effect>, Then) {
        match self.frame.update(msg, scene) {
            Did::All(effects) => (effects, Then::Stay),
            Did::Close => (Vec::new(), Then::Close),
            Did::Rows(Rows::Mine(found)) => {
                let mrns = found
                    .iter()
                    .map(|line| (line.prescription, line.mrn.clone()));
                self.patients = mrns.collect();
                self.frame.set(rows(found, scene.context.now));
                (Vec::new(), Then::Stay)
            }
            Did::Rows(_) => (Vec::new(), Then::Stay),
            Did::Act(Action::Choose | Action::Record) => self.record(scene.context.now),
            Did::Act(_) => (Vec::new(), Then::Stay),
        }
    }

    fn record(&self, now: Timestamp) -> (Vec<Effect>, Then) {
        let selected = self.frame.selected().and_then(|id| self.patients.get(&id));
        let Some(mrn) = selected else {
            return (Vec::new(), Then::Stay);
        };
        let (page, effects) = MarPage::open(mrn, First::Show, now);
        (effects, Then::Page(Page::Mar(Box::new(page))))
    }

    /// Draws it.
    pub fn view(&self, pen: &mut Pen<'_>, area: Rect, scene: &Scene<'_>) {
        let count = format!("{} prescriptions", self.frame.table.len());
        let counts = Line::of(count, pen.theme.plain());
        self.frame.view(pen, area, counts, scene);
    }
}

/// The page's rows.
pub fn rows(found: &[Prescribed], now: Timestamp) -> Vec<Row<PrescriptionId>> {
    found
        .iter()
        .map(|line| Row::of(line.prescription, cells(line, now)))
        .collect()
}

fn cells(line: &Prescribed, now: Timestamp) -> Vec<Cell> {
    let zone = TimeZone::get(&line.time_zone).unwrap_or(TimeZone::UTC);
    let dose = match (line.dose.written.as_str(), line.dose.most) {
        ("", Some(most)) => format!("{}-{most}", line.dose.least),
        ("", None) => line.dose.least.to_string(),
        (written, _) => written.to_owned(),
    };
    let how = format!("{dose} {} {} {}", line.unit, line.route, line.frequency);
    let over = line.stop.is_some_and(|stop| stop <= now);
    let (stands, look) = match line.status {
        PrescriptionStatus::Discontinued => ("stopped", Look::Faint),
        PrescriptionStatus::Ended => ("ended", Look::Faint),
        PrescriptionStatus::Active if over => ("ended", Look::Faint),
        PrescriptionStatus::Active => ("runs", Look::Plain),
    };
    let last = line
        .last_given
        .map_or_else(String::new, |at| clock::day_hour(at, now, &zone));
    let count = |n: i64| u64::try_from(n).unwrap_or(0);
    vec![
        Cell::text(&line.name).look(Look::Strong),
        Cell::text(&line.ward),
        Cell::drug(&line.drug, &line.strength),
        Cell::text(how),
        Cell::number(line.done),
        Cell::count(count(line.waiting), Look::Late),
        Cell::text(last),
        Cell::text(stands).look(look),
    ]
}
