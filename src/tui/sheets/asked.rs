//! A sheet of questions: what it is about, the answers, perhaps a witness, and the signature.

use jiff::Timestamp;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::choice::Parts;
use super::fulfil_view::{UNKNOWN, sent_words};
use super::signing::Signing;
use super::witness::{Came, Witness};
use super::{Msg, Scene, headed, inset};
use crate::domain::{DrugId, Receipt, Request};
use crate::tui::keymap::{Action, Mode};
use crate::tui::model::Effect;
use crate::tui::widgets::pen::row_of;
use crate::tui::widgets::text::wrap;
use crate::tui::widgets::{Line, Pen};
use crate::tui::words;

/// The sheet's state.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The questions.
    pub parts: Parts,
    /// What is missing or wrong.
    pub say: String,
    /// The signature.
    pub signing: Signing,
    witness: Option<Witness>,
    drugs: Vec<DrugId>,
}

/// What the sheet itself has to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Did {
    /// Nothing but this.
    All(Vec<Effect>),
    /// It closes.
    Close,
    /// It signs, if everything is answered.
    Sign,
}

impl Asked {
    /// These questions, about these drugs.
    pub fn new(parts: Parts, drugs: Vec<DrugId>) -> Asked {
        Asked {
            parts,
            say: String::new(),
            signing: Signing::Idle,
            witness: None,
            drugs,
        }
    }

    /// What has the keys.
    pub fn mode(&self) -> Mode {
        match self.signing.mode() {
            Some(mode) => mode,
            None if self.witness.is_some() => Mode::Witness,
            // Here nothing was given: there is no time of giving to type.
            None if self.parts.mode() == Mode::Reason => Mode::Why,
            None => self.parts.mode(),
        }
    }

    /// Takes what every such sheet does the same.
    pub fn update(&mut self, msg: &Msg<'_>, scene: &Scene<'_>) -> Did {
        if let Some(witness) = &mut self.witness {
            let (effects, came) = witness.update(msg, scene.context.now, scene.actor.id);
            let request = witness.request.clone();
            match came {
                Came::Not => return Did::All(effects),
                Came::Gone(why) => {
                    self.witness = None;
                    self.say = why;
                }
                Came::Signed(by) => {
                    self.witness = None;
                    let drugs = self.drugs.clone();
                    return Did::All(self.signing.sign(request, Some(by), &drugs, scene));
                }
            }
            return Did::All(Vec::new());
        }
        match msg {
            Msg::Act(Action::Close) => return Did::Close,
            Msg::Act(Action::Sign) => return Did::Sign,
            Msg::Reply(reply) => self.signing.reply(reply),
            msg if self.signing.is_idle() && self.parts.update(msg) => self.say.clear(),
            _ => {}
        }
        Did::All(Vec::new())
    }

    /// Signs, before a witness where one is needed.
    pub fn sign(&mut self, request: Request, seen: bool, scene: &Scene<'_>) -> Vec<Effect> {
        if seen && !matches!(self.signing, Signing::Unknown { .. }) {
            self.witness = Some(Witness::open(request, scene.context.now));
            return Vec::new();
        }
        let drugs = self.drugs.clone();
        self.signing.sign(request, None, &drugs, scene)
    }

    /// Says what is missing.
    pub fn missing(&mut self, why: String) -> Vec<Effect> {
        self.say = why;
        Vec::new()
    }

    /// The clock moved on.
    pub fn tick(&mut self, now: Timestamp) {
        self.signing.tick(now);
        if let Some(Came::Gone(why)) = self.witness.as_ref().map(|witness| witness.tick(now)) {
            self.witness = None;
            self.say = why;
        }
    }

    /// When it changes by itself.
    pub fn changes_at(&self) -> Option<Timestamp> {
        let witness = self.witness.as_ref().map(Witness::until);
        witness.or(self.signing.slow_at())
    }

    /// Draws title, facts, questions and what is to be said. `ready` is said before it is signed; `done` turns a receipt
    /// into words.
    pub fn view(
        &self,
        pen: &mut Pen<'_>,
        area: Rect,
        (title, facts, ready): (&str, &[Line], &str),
        done: &dyn Fn(&Receipt) -> String,
        scene: &Scene<'_>,
    ) {
        let body = inset(headed(pen, area, title, None));
        let message = self.message(pen, body.width, ready, done, scene);
        let asks = match &self.witness {
            Some(_) => Witness::HEIGHT,
            None if self.signing.is_idle() => self.parts.height(),
            None => 0,
        };
        let said = u16::try_from(message.len()).unwrap_or(u16::MAX);
        let below = asks.saturating_add(1).saturating_add(said);
        let room = u16::try_from(facts.len())
            .unwrap_or(u16::MAX)
            .min(body.height.saturating_sub(below));
        let top = Rect {
            height: room,
            ..body
        };
        pen.lines(top, facts);
        let rest = Rect {
            y: body.y + room,
            height: body.height - room,
            ..body
        };
        let faint = pen.theme.faint();
        pen.rule(row_of(rest, 0), faint);
        let place = Rect {
            y: rest.y.saturating_add(1),
            height: rest.height.saturating_sub(1).min(asks),
            ..rest
        };
        match &self.witness {
            Some(witness) => witness.view(pen, place),
            None if self.signing.is_idle() => self.parts.view(pen, place, true),
            None => {}
        }
        for (row, line) in (asks.saturating_add(1)..rest.height).zip(&message) {
            pen.line(row_of(rest, row), line);
        }
    }

    fn message(
        &self,
        pen: &Pen<'_>,
        columns: u16,
        ready: &str,
        done: &dyn Fn(&Receipt) -> String,
        scene: &Scene<'_>,
    ) -> Vec<Line> {
        let theme = pen.theme;
        let mut lines = Vec::new();
        let mut say = |text: &str, style: Style| {
            let safe = theme.text(text);
            let wrapped = wrap(&safe, usize::from(columns));
            lines.extend(wrapped.into_iter().map(|l| Line::of(l, style)));
        };
        match &self.signing {
            Signing::Idle => {
                let (words, style) = match &self.witness {
                    Some(witness) => witness.words(theme.plain(), theme.warning()),
                    None if self.say.is_empty() => (ready.to_owned(), theme.plain()),
                    None => (self.say.clone(), theme.warning()),
                };
                say(&words, style);
            }
            Signing::Sent { checking, slow, .. } => {
                say(&sent_words(*checking, *slow, theme), theme.warning());
            }
            Signing::Done(receipt) => say(&done(receipt), theme.sign()),
            Signing::Refused { refusal, .. } => {
                let head = format!("NOT DONE  {}", refusal.code());
                say(&head, theme.wrong().patch(theme.loud()));
                let words = words::refusal(refusal, scene.context.now, &scene.zone);
                say(&words, theme.wrong());
            }
            Signing::Unknown { .. } => say(UNKNOWN, theme.wrong()),
        }
        lines
    }
}
