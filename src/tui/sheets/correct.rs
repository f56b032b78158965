//! The sheet that takes an entry of the log back.

use ratatui::layout::Rect;

use super::asked::{Asked, Did};
use super::choice::{Choice, Parts};
use super::facts::Facts;
use super::{Msg, Scene, Then, inset};
use crate::domain::snapshot::LogEntry;
use crate::domain::{Correction, Policy, ReasonKind, Receipt, Request, Restock};
use crate::tui::clock;
use crate::tui::model::Effect;
use crate::tui::panes::log;
use crate::tui::widgets::Pen;
use crate::tui::words;

/// The sheet's state.
#[derive(Debug, Clone)]
pub struct CorrectSheet {
    /// The entry as the log shows it.
    pub entry: LogEntry,
    /// Why, what becomes of stock and dose, and the signature.
    pub asked: Asked,
}

impl CorrectSheet {
    /// The sheet of an entry.
    pub fn open(entry: &LogEntry, policy: &Policy) -> CorrectSheet {
        let why = Choice::why(
            "What is wrong with it?",
            &policy.reasons,
            &[(ReasonKind::Correction, "")],
        );
        let mut choices = vec![why];
        if entry.quantity.is_positive() {
            choices.push(Choice::one_of(
                "What it took from the cupboard:",
                &[
                    (Restock::Back.as_str(), "is back in the cupboard"),
                    (Restock::WrittenOff.as_str(), "is gone: written off"),
                ],
            ));
        }
        choices.push(Choice::one_of(
            "And the dose:",
            &[
                ("reopen", "is to be given after all"),
                ("close", "is not given any more"),
            ],
        ));
        CorrectSheet {
            entry: entry.clone(),
            asked: Asked::new(Parts::of(choices, Vec::new()), vec![entry.drug.id]),
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
        let answer = self.asked.parts.first_reason();
        let reason = match answer {
            Ok((_, reason)) => reason,
            Err(why) => {
                self.asked.parts.go_to(0);
                return self.asked.missing(why);
            }
        };
        let (stock, order) = match self.answers() {
            Ok(answers) => answers,
            Err(at) => {
                self.asked.parts.go_to(at);
                let why = "Choose with the arrow keys; Tab goes to the next question.";
                return self.asked.missing(why.to_owned());
            }
        };
        let drug = &self.entry.drug;
        let policy = &scene.context.policy;
        let seen = self.entry.quantity.is_positive()
            && stock == Restock::WrittenOff
            && policy
                .needs_witness(drug.controlled, drug.high_alert)
                .is_some();
        let request = Request::Correct(Correction {
            administration: self.entry.id,
            reason,
            stock,
            reopen: order == "reopen",
        });
        self.asked.sign(request, seen, scene)
    }

    /// What becomes of stock and dose; or which question is not answered.
    fn answers(&self) -> Result<(Restock, String), usize> {
        let choices = &self.asked.parts.choices;
        let last = choices.len().saturating_sub(1);
        let code = |at: usize| choices.get(at).and_then(Choice::code).ok_or(at);
        let stock = if self.entry.quantity.is_positive() {
            code(1)?.parse().map_err(|_| 1_usize)?
        } else {
            Restock::Back
        };
        Ok((stock, code(last)?.to_owned()))
    }

    /// Draws it.
    pub fn view(&self, pen: &mut Pen<'_>, area: Rect, scene: &Scene<'_>) {
        let plain = pen.theme.plain();
        let now = scene.context.now;
        let entry = &self.entry;
        let mut facts = Facts::new(pen.theme, inset(area).width);
        let patient = format!("{}  MRN {}", entry.patient, entry.mrn);
        facts.add("Patient", &patient, pen.theme.strong());
        facts.drug(&entry.drug);
        let what = format!(
            "{}, {} by {}",
            log::what(entry),
            clock::day_hour(entry.at, now, &scene.zone),
            entry.by
        );
        facts.add("Entry", &what, plain);
        if !entry.reason.is_empty() {
            facts.add("Reason", &entry.reason, plain);
        }
        let lines = facts.within(area.height.saturating_sub(12));
        let done = |receipt: &Receipt| match receipt {
            Receipt::Corrected {
                quantity,
                stock,
                reopened,
                at,
                ..
            } => {
                let stock = match stock {
                    _ if !quantity.is_positive() => "No stock had moved".to_owned(),
                    Restock::Back => {
                        format!("{} back in stock", words::amount(*quantity, &entry.drug))
                    }
                    Restock::WrittenOff => {
                        format!("{} written off", words::amount(*quantity, &entry.drug))
                    }
                };
                let dose = if *reopened {
                    "the dose is in the queue again"
                } else {
                    "the dose is not given any more"
                };
                let at = clock::hour(*at, &scene.zone);
                format!("TAKEN BACK at {at}. {stock}; {dose}. Both entries stay in the log.")
            }
            _ => "Done.".to_owned(),
        };
        let ready = "Answer each question (Tab goes on), then F2 signs. Another entry takes this one back; both stay in \
                     the log.";
        let words = ("CORRECT AN ENTRY", &lines[..], ready);
        self.asked.view(pen, area, words, &done, scene);
    }
}
