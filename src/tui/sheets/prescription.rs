//! The sheet that ends a prescription with all its open doses.

use ratatui::layout::Rect;

use super::facts::Facts;
use super::form::{Form, Words};
use super::{Msg, Scene, Then, coded, inset};
use crate::domain::snapshot::{Drug, Patient};
use crate::domain::{PrescriptionId, ReasonKind, Receipt, Request};
use crate::tui::clock;
use crate::tui::keymap::Action;
use crate::tui::model::Effect;
use crate::tui::widgets::Pen;

/// The sheet's state.
#[derive(Debug, Clone)]
pub struct EndPrescription {
    /// Which.
    pub prescription: PrescriptionId,
    /// The version that is signed.
    pub version: i64,
    /// For whom.
    pub patient: Patient,
    /// What.
    pub drug: Drug,
    /// Dose, route, how often.
    pub says: String,
    /// Why, and the signature.
    pub form: Form,
}

impl EndPrescription {
    /// The sheet of a prescription.
    pub fn open(
        (prescription, version): (PrescriptionId, i64),
        patient: &Patient,
        drug: &Drug,
        says: String,
    ) -> EndPrescription {
        EndPrescription {
            prescription,
            version,
            patient: patient.clone(),
            drug: drug.clone(),
            says,
            form: Form::new(&["Reason"]),
        }
    }

    /// Takes a message.
    pub fn update(&mut self, msg: &Msg<'_>, scene: &Scene<'_>) -> (Vec<Effect>, Then) {
        match msg {
            Msg::Act(Action::Close) => return (Vec::new(), Then::Close),
            Msg::Act(Action::Sign) => return (self.sign(scene), Then::Stay),
            other => self.form.update(other),
        }
        (Vec::new(), Then::Stay)
    }

    fn sign(&mut self, scene: &Scene<'_>) -> Vec<Effect> {
        let reasons = &scene.context.policy.reasons;
        let reason = match coded::read(self.form.value(0), ReasonKind::Discontinue, reasons) {
            Ok(reason) => reason,
            Err(why) => return self.form.missing(0, why),
        };
        let request = Request::DiscontinuePrescription {
            prescription: self.prescription,
            version: self.version,
            reason,
        };
        self.form
            .signing
            .sign(request, None, &[self.drug.id], scene)
    }

    /// Draws it.
    pub fn view(&self, pen: &mut Pen<'_>, area: Rect, scene: &Scene<'_>) {
        let theme = pen.theme;
        let mut facts = Facts::new(theme, inset(area).width);
        facts.patient(&self.patient, scene);
        facts.drug(&self.drug);
        facts.add("Prescribed", &self.says, theme.strong());
        let reasons = &scene.context.policy.reasons;
        coded::list(
            &mut facts,
            "Reasons",
            ReasonKind::Discontinue,
            reasons,
            theme,
        );
        let lines = facts.within(area.height.saturating_sub(6));
        let done = |receipt: &Receipt| match receipt {
            Receipt::PrescriptionDiscontinued { orders, at, .. } => {
                let doses = match orders {
                    1 => "1 open dose".to_owned(),
                    n => format!("{n} open doses"),
                };
                format!(
                    "ENDED at {}, with {doses}. Nothing of it is given any more.",
                    clock::hour(*at, &scene.zone)
                )
            }
            _ => "Done.".to_owned(),
        };
        let words = Words {
            ready: "Type the number of a reason (and words behind it), then F2 signs. ALL open doses end.",
            done: &done,
            scene,
        };
        self.form
            .view(pen, area, "END A PRESCRIPTION", &lines, &words);
    }
}
