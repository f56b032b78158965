//! Patients of a ward, bed by bed: to look at their record, prescribe, admit, move, discharge, and record allergies.

use std::collections::HashMap;

use jiff::Timestamp;
use ratatui::layout::Rect;

use super::mar::{First, MarPage};
use super::table::{Cell, Column, Look, Row};
use super::{Did, Frame, Msg, Page, Rows, Scene, Then, What};
use crate::domain::PatientId;
use crate::domain::prescribed::Person;
use crate::domain::snapshot::Ward;
use crate::tui::clock;
use crate::tui::keymap::Action;
use crate::tui::model::Effect;
use crate::tui::sheets::Sheet;
use crate::tui::sheets::patient::{Stay, StaySheet};
use crate::tui::widgets::{Line, Pen};

const COLUMNS: &[Column] = &[
    Column::text("bed", 4, 8),
    Column::text("patient", 14, 36),
    Column::text("number", 8, 14),
    Column::text("born", 12, 24).rank(1).below(),
    Column::text("allergies", 12, 60).rank(2).below(),
];

/// The page's state.
#[derive(Debug, Clone)]
pub struct PatientsPage {
    /// Rows, selection, filter.
    pub frame: Frame<PatientId>,
    ward: Ward,
    /// Every ward that somebody may move to.
    wards: Vec<Ward>,
    people: HashMap<PatientId, Person>,
}

impl PatientsPage {
    /// Who lies in a ward.
    pub fn open(ward: &Ward, wards: &[Ward], now: Timestamp) -> (PatientsPage, Vec<Effect>) {
        let empty = "Nobody lies in this ward: 'n' admits a patient.";
        let what = What::Patients { ward: ward.id };
        let (frame, effects) = Frame::open("PATIENTS", empty, COLUMNS, what, now);
        let page = PatientsPage {
            frame,
            ward: ward.clone(),
            wards: wards.to_vec(),
            people: HashMap::new(),
        };
        (page, effects)
    }

    /// Takes a message.
    pub fn update(&mut self, msg: &Msg<'_>, scene: &Scene<'_>) -> (Vec<Effect>, Then) {
        match self.frame.update(msg, scene) {
            Did::All(effects) => (effects, Then::Stay),
            Did::Close => (Vec::new(), Then::Close),
            Did::Rows(Rows::Patients(found)) => {
                let people = found
                    .iter()
                    .map(|person| (person.patient.id, person.clone()));
                self.people = people.collect();
                self.frame.set(rows(found, scene.context.now));
                (Vec::new(), Then::Stay)
            }
            Did::Rows(_) => (Vec::new(), Then::Stay),
            Did::Act(action) => self.act(action, scene),
        }
    }

    fn act(&self, action: Action, scene: &Scene<'_>) -> (Vec<Effect>, Then) {
        let now = scene.context.now;
        let kind = match action {
            Action::Admit => "admit",
            Action::MovePatient => "move",
            Action::Discharge => "discharge",
            Action::Allergies => "allergies",
            Action::Prescribe => "prescribe",
            Action::Choose | Action::Record => return self.record(First::Show, now),
            _ => return (Vec::new(), Then::Stay),
        };
        if let Some(why) = super::barred(scene.actor, kind, &self.ward) {
            return (Vec::new(), Then::Say(why));
        }
        let selected = self.frame.selected().and_then(|id| self.people.get(&id));
        let what = match (action, selected) {
            (Action::Prescribe, _) => return self.record(First::Prescribe, now),
            (Action::Admit, _) => Stay::Admit(self.ward.clone()),
            (_, None) => return (Vec::new(), Then::Say("There is no patient.".to_owned())),
            (Action::MovePatient, Some(person)) => {
                Stay::Move(Box::new(person.clone()), self.wards.clone())
            }
            (Action::Discharge, Some(person)) => Stay::Discharge(Box::new(person.clone())),
            (_, Some(person)) => Stay::Allergies(Box::new(person.clone())),
        };
        let sheet = Sheet::Stay(Box::new(StaySheet::open(what)));
        (Vec::new(), Then::Sheet(Box::new(sheet)))
    }

    fn record(&self, first: First, now: Timestamp) -> (Vec<Effect>, Then) {
        let selected = self.frame.selected().and_then(|id| self.people.get(&id));
        let Some(person) = selected else {
            return (Vec::new(), Then::Say("There is no patient.".to_owned()));
        };
        let (page, effects) = MarPage::open(&person.patient.mrn, first, now);
        (effects, Then::Page(Page::Mar(Box::new(page))))
    }

    /// Draws it.
    pub fn view(&self, pen: &mut Pen<'_>, area: Rect, scene: &Scene<'_>) {
        let count = format!("{} in {}", self.frame.table.len(), self.ward.code);
        let counts = Line::of(pen.theme.text(&count).into_owned(), pen.theme.plain());
        self.frame.view(pen, area, counts, scene);
    }
}

/// The page's rows.
fn rows(found: &[Person], now: Timestamp) -> Vec<Row<PatientId>> {
    found
        .iter()
        .map(|person| {
            let patient = &person.patient;
            let cells = vec![
                Cell::text(&patient.bed),
                Cell::text(&patient.name).look(Look::Strong),
                Cell::text(&patient.mrn),
                Cell::text(clock::born(patient.birth_date, now, &person.ward.zone())),
                Cell::text(&patient.allergies).look(Look::Warning),
            ];
            Row::of(patient.id, cells)
        })
        .collect()
}
