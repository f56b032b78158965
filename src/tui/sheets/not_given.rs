//! The sheet that records that a dose was not given.

use jiff::Timestamp;
use ratatui::layout::Rect;

use super::asked::{Asked, Did};
use super::choice::{Choice, Parts};
use super::facts::Facts;
use super::{Msg, Scene, Then, inset};
use crate::domain::snapshot::QueuedOrder;
use crate::domain::{GivingOutcome, NotGiven, Policy, ReasonKind, Receipt, Request, clock_time};
use crate::tui::clock;
use crate::tui::model::Effect;
use crate::tui::widgets::{Field, Pen};

/// The sheet's state.
#[derive(Debug, Clone)]
pub struct NotGivenSheet {
    /// The order as the sheet shows it: its version is what is signed.
    pub order: QueuedOrder,
    /// Why, when it comes back, and the signature.
    pub asked: Asked,
}

impl NotGivenSheet {
    /// The sheet of an order of the queue.
    pub fn open(order: &QueuedOrder, policy: &Policy) -> NotGivenSheet {
        let why = Choice::why(
            "Why is it not given?",
            &policy.reasons,
            &[
                (ReasonKind::Held, "held: "),
                (ReasonKind::Refused, "refused: "),
                (ReasonKind::NotAvailable, "not available: "),
            ],
        );
        let parts = Parts::of(vec![why], vec![("Back at", Field::default())]);
        NotGivenSheet {
            order: order.clone(),
            asked: Asked::new(parts, vec![order.drug.id]),
        }
    }

    /// Takes a message.
    pub fn update(&mut self, msg: &Msg<'_>, scene: &Scene<'_>) -> (Vec<Effect>, Then) {
        match self.asked.update(msg, scene) {
            Did::All(effects) => (effects, Then::Stay),
            Did::Close => (Vec::new(), Then::Close),
            Did::Sign => (self.sign(scene), Then::Stay),
        }
    }

    fn sign(&mut self, scene: &Scene<'_>) -> Vec<Effect> {
        match self.request(scene) {
            Ok(request) => self.asked.sign(request, false, scene),
            Err(why) => self.asked.missing(why),
        }
    }

    fn request(&mut self, scene: &Scene<'_>) -> Result<Request, String> {
        let answer = self.asked.parts.first_reason();
        let (kind, reason) = answer.inspect_err(|_| self.asked.parts.go_to(0))?;
        let outcome = match kind {
            ReasonKind::Refused => GivingOutcome::Refused,
            ReasonKind::NotAvailable => GivingOutcome::NotAvailable,
            _ => GivingOutcome::Held,
        };
        let until = self
            .until(scene)
            .inspect_err(|_| self.asked.parts.go_to(1))?;
        if until.is_some() && outcome != GivingOutcome::Held {
            self.asked.parts.go_to(1);
            return Err("Only a held dose comes back: leave 'Back at' empty.".to_owned());
        }
        Ok(Request::NotGiven(NotGiven {
            order: self.order.id,
            version: self.order.version,
            outcome,
            reason,
            until,
        }))
    }

    fn until(&self, scene: &Scene<'_>) -> Result<Option<Timestamp>, String> {
        let typed = self.asked.parts.value(0);
        if typed.is_empty() {
            return Ok(None);
        }
        let at = clock_time::after(typed, &scene.zone, scene.context.now);
        at.map(Some)
            .ok_or_else(|| format!("'{typed}' is not a time. Type when it comes back: 14:05."))
    }

    /// Draws it.
    pub fn view(&self, pen: &mut Pen<'_>, area: Rect, scene: &Scene<'_>) {
        let mut facts = Facts::new(pen.theme, inset(area).width);
        facts.patient(&self.order.patient, scene);
        facts.drug(&self.order.drug);
        facts.dose(&self.order);
        facts.due(&self.order, scene);
        let lines = facts.within(area.height.saturating_sub(10));
        let done = |receipt: &Receipt| match receipt {
            Receipt::NotGiven {
                outcome, until, at, ..
            } => {
                let what = match outcome {
                    GivingOutcome::Held => "HELD",
                    GivingOutcome::Refused => "REFUSED",
                    GivingOutcome::NotAvailable => "NOT AVAILABLE",
                    GivingOutcome::Given => "GIVEN",
                };
                let back = until.map_or_else(String::new, |until| {
                    let until = clock::day_hour(until, scene.context.now, &scene.zone);
                    format!(" It comes back at {until}.")
                });
                let at = clock::hour(*at, &scene.zone);
                format!("Recorded at {at}: {what}. No stock has moved.{back}")
            }
            _ => "Done.".to_owned(),
        };
        let ready = "Choose why, then F2 signs. A held dose comes back at the time typed in 'Back at'; without one it \
                     is done with.";
        let words = ("NOT GIVEN", &lines[..], ready);
        self.asked.view(pen, area, words, &done, scene);
    }
}
