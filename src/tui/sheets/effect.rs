//! The sheet that asks whether an as-needed dose helped.

use ratatui::layout::Rect;

use super::asked::{Asked, Did};
use super::choice::{Choice, Parts};
use super::facts::Facts;
use super::{Msg, Scene, Then, inset};
use crate::domain::snapshot::AskedDose;
use crate::domain::{Helped, Policy, ReasonKind, Receipt, Request};
use crate::tui::clock;
use crate::tui::model::Effect;
use crate::tui::widgets::Pen;

/// The sheet's state.
#[derive(Debug, Clone)]
pub struct EffectSheet {
    /// The dose.
    pub dose: AskedDose,
    /// What came of it, and the signature.
    pub asked: Asked,
}

impl EffectSheet {
    /// The sheet of a dose.
    pub fn open(dose: &AskedDose, policy: &Policy) -> EffectSheet {
        let effect = Choice::why("Did it help?", &policy.reasons, &[(ReasonKind::Effect, "")]);
        let parts = Parts::of(vec![effect], Vec::new());
        EffectSheet {
            dose: dose.clone(),
            asked: Asked::new(parts, Vec::new()),
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
        match self.asked.parts.first_reason() {
            Ok((_, effect)) => {
                let request = Request::NoteEffect(Helped {
                    administration: self.dose.id,
                    effect,
                });
                self.asked.sign(request, false, scene)
            }
            Err(why) => self.asked.missing(why),
        }
    }

    /// Draws it.
    pub fn view(&self, pen: &mut Pen<'_>, area: Rect, scene: &Scene<'_>) {
        let (plain, now) = (pen.theme.plain(), scene.context.now);
        let dose = &self.dose;
        let mut facts = Facts::new(pen.theme, inset(area).width);
        facts.add("Patient", &dose.patient, pen.theme.strong());
        facts.add("", &format!("bed {}  MRN {}", dose.bed, dose.mrn), plain);
        facts.add("Drug", &dose.drug, pen.theme.strong());
        let given = format!(
            "{} {}, {} ({}) by {}",
            dose.quantity,
            dose.unit,
            clock::day_hour(dose.given_at, now, &scene.zone),
            clock::ago(dose.given_at, now),
            dose.by
        );
        facts.add("Given", &given, plain);
        let policy = &scene.context.policy;
        let indication = policy
            .reasons
            .told(ReasonKind::Indication, &dose.indication);
        if !indication.is_empty() {
            facts.add("For", &indication, plain);
        }
        let lines = facts.within(area.height.saturating_sub(10));
        let done = |receipt: &Receipt| match receipt {
            Receipt::EffectNoted { at, .. } => {
                format!("RECORDED at {}.", clock::hour(*at, &scene.zone))
            }
            _ => "Done.".to_owned(),
        };
        let ready = "Ask the patient, choose what came of it, then F2 signs.";
        let words = ("DID IT HELP?", &lines[..], ready);
        self.asked.view(pen, area, words, &done, scene);
    }
}
