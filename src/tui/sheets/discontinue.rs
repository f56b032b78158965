//! The sheet that stops a dose.

use ratatui::layout::Rect;

use super::facts::Facts;
use super::form::{Form, Words};
use super::{Msg, Scene, Then, inset};
use crate::domain::snapshot::QueuedOrder;
use crate::domain::{OrderKind, Receipt, Request};
use crate::tui::clock;
use crate::tui::keymap::Action;
use crate::tui::model::Effect;
use crate::tui::widgets::Pen;

/// The sheet's state.
#[derive(Debug, Clone)]
pub struct Discontinue {
    /// The order as the sheet shows it: its version is what is signed.
    pub order: QueuedOrder,
    /// Why, and the signature.
    pub form: Form,
}

impl Discontinue {
    /// The sheet of an order of the queue.
    pub fn open(order: &QueuedOrder) -> Discontinue {
        Discontinue {
            order: order.clone(),
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
        let reason = self.form.value(0).to_owned();
        if reason.is_empty() {
            return self.form.missing(
                0,
                "Type why this dose is stopped; it is kept with the order.",
            );
        }
        let request = Request::Discontinue {
            order: self.order.id,
            version: self.order.version,
            reason,
        };
        let drugs = [self.order.drug.id];
        self.form.signing.sign(request, None, &drugs, scene)
    }

    /// Draws it.
    pub fn view(&self, pen: &mut Pen<'_>, area: Rect, scene: &Scene<'_>) {
        let mut facts = Facts::new(pen.theme, inset(area).width);
        facts.patient(&self.order.patient, scene);
        facts.drug(&self.order.drug);
        facts.dose(&self.order);
        facts.due(&self.order, scene);
        facts.add("Prescriber", &self.order.prescriber, pen.theme.plain());
        let lines = facts.within(area.height.saturating_sub(6));
        let timed = self.order.kind == OrderKind::Timed;
        let done = |receipt: &Receipt| match receipt {
            Receipt::Discontinued { at, .. } => {
                let what = if timed {
                    "This dose is not given any more; the others of the prescription stand."
                } else {
                    "The prescription has ended."
                };
                format!("DISCONTINUED at {}. {what}", clock::hour(*at, &scene.zone))
            }
            _ => "Done.".to_owned(),
        };
        let words = Words {
            ready: if timed {
                "Type the reason, then F2 signs. This one dose is stopped, the others stand."
            } else {
                "Type the reason, then F2 signs. This ends the whole prescription."
            },
            done: &done,
            scene,
        };
        self.form.view(pen, area, "STOP A DOSE", &lines, &words);
    }
}
