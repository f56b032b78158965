//! The sheet that takes stock into the ward.

use std::sync::Arc;

use ratatui::layout::Rect;

use super::facts::Facts;
use super::form::{Form, Words};
use super::{Msg, Scene, Then, inset};
use crate::domain::cupboard::{Lot, expiry};
use crate::domain::snapshot::{Drug, Ward};
use crate::domain::{Quantity, Receipt, Request};
use crate::tui::clock;
use crate::tui::keymap::Action;
use crate::tui::model::Effect;
use crate::tui::widgets::Pen;
use crate::tui::words;

/// The sheet's state.
#[derive(Debug, Clone)]
pub struct Receive {
    /// Of what.
    pub drug: Arc<Drug>,
    /// Where to.
    pub ward: Ward,
    /// How much, on what proof, and the signature.
    pub form: Form,
}

impl Receive {
    /// The sheet of a drug that the ward stocks.
    pub fn open(drug: &Arc<Drug>, ward: &Ward) -> Receive {
        Receive {
            drug: Arc::clone(drug),
            ward: ward.clone(),
            form: Form::new(&["Quantity", "Reference", "Lot", "Expires"]),
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
        let quantity: Quantity = match self.form.value(0).parse() {
            Ok(quantity) => quantity,
            Err(_) if self.form.value(0).is_empty() => {
                let say = format!("Type how many {} came in.", self.drug.unit);
                return self.form.missing(0, say);
            }
            Err(why) => return self.form.missing(0, format!("{why}.")),
        };
        if !quantity.is_positive() {
            return self.form.missing(0, "Nothing cannot be received.");
        }
        let reference = self.form.value(1).to_owned();
        if reference.is_empty() {
            return self.form.missing(
                1,
                "Type the delivery note's number, or what else proves it.",
            );
        }
        let lot = match self.lot() {
            Ok(lot) => lot,
            Err((field, say)) => return self.form.missing(field, say),
        };
        let request = Request::Receive {
            ward: self.ward.id,
            drug: self.drug.id,
            quantity,
            reference,
            lot,
        };
        self.form
            .signing
            .sign(request, None, &[self.drug.id], scene)
    }

    /// What stands on the package: nothing, or lot and expiry.
    fn lot(&self) -> Result<Option<Lot>, (usize, String)> {
        let (lot, expires) = (self.form.value(2), self.form.value(3));
        if lot.is_empty() && expires.is_empty() {
            return Ok(None);
        }
        if lot.is_empty() {
            return Err((
                2,
                "An expiry belongs to a lot: type the lot too.".to_owned(),
            ));
        }
        let expires_on = expiry(expires).map_err(|why| (3, format!("{why}.")))?;
        Ok(Some(Lot {
            lot: lot.to_owned(),
            expires_on,
        }))
    }

    /// Draws it.
    pub fn view(&self, pen: &mut Pen<'_>, area: Rect, scene: &Scene<'_>) {
        let theme = pen.theme;
        let mut facts = Facts::new(theme, inset(area).width);
        facts.drug(&self.drug);
        facts.add(
            "Ward",
            &format!("{} {}", self.ward.code, self.ward.name),
            theme.plain(),
        );
        let level = scene.snapshot.and_then(|s| s.stock_of(self.drug.id));
        if let Some(level) = level {
            let text = format!(
                "{} here, low at {}",
                words::amount(level.current, &self.drug),
                level.threshold
            );
            facts.add("Stock", &text, theme.plain());
        }
        facts.add("Counted in", &self.drug.unit, theme.plain());
        let lines = facts.within(area.height.saturating_sub(9));
        let done = |receipt: &Receipt| match receipt {
            Receipt::Received {
                quantity,
                holds,
                at,
                ..
            } => format!(
                "RECEIVED at {}: {}. {} holds {} now.",
                clock::hour(*at, &scene.zone),
                words::amount(*quantity, &self.drug),
                self.ward.code,
                words::amount(*holds, &self.drug)
            ),
            _ => "Done.".to_owned(),
        };
        let words = Words {
            ready: "How much, the delivery note, lot and expiry where they are printed; then F2 signs.",
            done: &done,
            scene,
        };
        self.form.view(pen, area, "RECEIVE STOCK", &lines, &words);
    }
}
