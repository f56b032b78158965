//! The sheets about a patient's stay: admit, move, discharge, allergies.

use jiff::civil::Date;
use ratatui::layout::Rect;

use super::facts::Facts;
use super::form::{Form, Words};
use super::{Msg, Scene, Then, coded, inset};
use crate::domain::prescribed::Person;
use crate::domain::prescribing::Admit;
use crate::domain::snapshot::Ward;
use crate::domain::{ReasonKind, Receipt, Request, WardKind};
use crate::tui::clock;
use crate::tui::keymap::Action;
use crate::tui::model::Effect;
use crate::tui::widgets::Pen;

/// What is done.
#[derive(Debug, Clone)]
pub enum Stay {
    /// Somebody comes to this ward.
    Admit(Ward),
    /// Somebody moves; the wards there are.
    Move(Box<Person>, Vec<Ward>),
    /// Somebody leaves.
    Discharge(Box<Person>),
    /// What somebody is allergic to.
    Allergies(Box<Person>),
}

/// The sheet's state.
#[derive(Debug, Clone)]
pub struct StaySheet {
    /// What is done.
    pub what: Stay,
    /// What is typed, and the signature.
    pub form: Form,
}

impl StaySheet {
    /// The sheet.
    pub fn open(what: Stay) -> StaySheet {
        let form = match &what {
            Stay::Admit(_) => Form::new(&["Number", "Name", "Born", "Bed", "Allergies"]),
            Stay::Move(person, _) => {
                let mut form = Form::new(&["Ward", "Bed"]);
                form.put(0, &person.ward.code);
                form
            }
            Stay::Discharge(_) => Form::new(&["Reason"]),
            Stay::Allergies(person) => {
                let mut form = Form::new(&["Allergies"]);
                form.put(0, &person.patient.allergies);
                form
            }
        };
        StaySheet { what, form }
    }

    /// What it is about, for telling its outcome when it is closed.
    pub fn told(&self) -> String {
        match &self.what {
            Stay::Admit(ward) => format!("admitting to {}", ward.code),
            Stay::Move(person, _) => format!("moving {}", person.patient.name),
            Stay::Discharge(person) => format!("discharging {}", person.patient.name),
            Stay::Allergies(person) => format!("allergies of {}", person.patient.name),
        }
    }

    /// Takes a message.
    pub fn update(&mut self, msg: &Msg<'_>, scene: &Scene<'_>) -> (Vec<Effect>, Then) {
        match msg {
            Msg::Act(Action::Close) => return (Vec::new(), Then::Close),
            Msg::Act(Action::Sign) => {
                let effects = match self.request(scene) {
                    Ok(request) => self.form.signing.sign(request, None, &[], scene),
                    Err((field, why)) => self.form.missing(field, why),
                };
                return (effects, Then::Stay);
            }
            other => self.form.update(other),
        }
        (Vec::new(), Then::Stay)
    }

    /// What is asked; or the field that is wrong, and what is wrong with it.
    fn request(&self, scene: &Scene<'_>) -> Result<Request, (usize, String)> {
        let typed = |field: usize| self.form.value(field).to_owned();
        match &self.what {
            Stay::Admit(ward) => self.admission(ward),
            Stay::Move(person, wards) => {
                let code = typed(0);
                let found = wards
                    .iter()
                    .find(|ward| ward.code.eq_ignore_ascii_case(&code));
                let ward = found.ok_or_else(|| (0, format!("There is no ward '{code}'.")))?;
                Ok(Request::Move {
                    patient: person.patient.id,
                    version: person.version,
                    ward: ward.id,
                    bed: typed(1),
                })
            }
            Stay::Discharge(person) => {
                let reasons = &scene.context.policy.reasons;
                let reason = coded::read(self.form.value(0), ReasonKind::Discharge, reasons);
                Ok(Request::Discharge {
                    patient: person.patient.id,
                    version: person.version,
                    reason: reason.map_err(|why| (0, why))?,
                })
            }
            Stay::Allergies(person) => Ok(Request::Allergies {
                patient: person.patient.id,
                version: person.version,
                allergies: typed(0),
            }),
        }
    }

    fn admission(&self, ward: &Ward) -> Result<Request, (usize, String)> {
        let typed = |field: usize| self.form.value(field).to_owned();
        for (field, say) in [
            (0, "Type the number on the wristband."),
            (1, "Type the patient's name."),
            (2, "Type the birth date: 1948-10-19."),
        ] {
            if typed(field).is_empty() {
                return Err((field, say.to_owned()));
            }
        }
        let birth_date: Date = typed(2).parse().map_err(|_| {
            (
                2,
                format!("'{}' is not a date such as 1948-10-19.", typed(2)),
            )
        })?;
        Ok(Request::Admit(Box::new(Admit {
            mrn: typed(0),
            name: typed(1),
            birth_date,
            ward: ward.id,
            bed: typed(3),
            allergies: typed(4),
        })))
    }

    /// Draws it.
    pub fn view(&self, pen: &mut Pen<'_>, area: Rect, scene: &Scene<'_>) {
        let theme = pen.theme;
        let mut facts = Facts::new(theme, inset(area).width);
        let (title, ready) = match &self.what {
            Stay::Admit(ward) => {
                facts.add(
                    "Ward",
                    &format!("{} {}", ward.code, ward.name),
                    theme.strong(),
                );
                (
                    "ADMIT A PATIENT",
                    "Type number, name and birth date, then F2 signs.",
                )
            }
            Stay::Move(person, wards) => {
                facts.patient(&person.patient, scene);
                facts.add("Now in", &person.ward.name, theme.plain());
                let codes = wards.iter().filter(|ward| ward.kind == WardKind::Ward);
                let codes: Vec<&str> = codes.map(|ward| ward.code.as_str()).collect();
                facts.add("Wards", &codes.join(" "), theme.faint());
                (
                    "MOVE A PATIENT",
                    "Type ward and bed, then F2 signs. Open doses follow.",
                )
            }
            Stay::Discharge(person) => {
                facts.patient(&person.patient, scene);
                let reasons = &scene.context.policy.reasons;
                coded::list(&mut facts, "Reasons", ReasonKind::Discharge, reasons, theme);
                (
                    "DISCHARGE A PATIENT",
                    "Type the number of a reason, then F2 signs. ALL prescriptions and open doses end.",
                )
            }
            Stay::Allergies(person) => {
                facts.patient(&person.patient, scene);
                (
                    "ALLERGIES",
                    "Type all of them, separated by commas, then F2 signs. Empty: none recorded.",
                )
            }
        };
        let fields = u16::try_from(self.form.fields.len()).unwrap_or(1);
        let lines = facts.within(area.height.saturating_sub(5 + fields));
        let done = |receipt: &Receipt| done(receipt, scene);
        let words = Words {
            ready,
            done: &done,
            scene,
        };
        self.form.view(pen, area, title, &lines, &words);
    }
}

fn done(receipt: &Receipt, scene: &Scene<'_>) -> String {
    let at = |at: &jiff::Timestamp| clock::hour(*at, &scene.zone);
    match receipt {
        Receipt::Admitted {
            again: true,
            at: when,
            ..
        } => {
            format!(
                "ADMITTED again at {}. What was given before stays on record.",
                at(when)
            )
        }
        Receipt::Admitted { at: when, .. } => format!("ADMITTED at {}.", at(when)),
        Receipt::Moved {
            orders, at: when, ..
        } => {
            format!("MOVED at {}. Open doses that followed: {orders}.", at(when))
        }
        Receipt::Discharged {
            orders,
            prescriptions,
            at: when,
            ..
        } => format!(
            "DISCHARGED at {}. Prescriptions ended: {prescriptions}, open doses ended: {orders}.",
            at(when)
        ),
        Receipt::AllergiesRecorded { at: when, .. } => {
            format!("RECORDED at {}. Every open dose shows it.", at(when))
        }
        _ => "Done.".to_owned(),
    }
}
