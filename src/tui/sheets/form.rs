//! Fields to fill in, and the signature below them.

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::facts::LABELS;
use super::fulfil_view::{UNKNOWN, sent_words};
use super::signing::Signing;
use super::{Msg, Scene, headed, inset};
use crate::domain::Receipt;
use crate::tui::keymap::{Action, Mode};
use crate::tui::model::Effect;
use crate::tui::widgets::pen::row_of;
use crate::tui::widgets::text::wrap;
use crate::tui::widgets::{Field, Line, Pen};
use crate::tui::words;

/// Labelled fields, one of which has the keys.
#[derive(Debug, Clone)]
pub struct Form {
    /// Label and field.
    pub fields: Vec<(&'static str, Field)>,
    at: usize,
    /// What is missing or wrong.
    pub say: String,
    /// The signature.
    pub signing: Signing,
}

impl Form {
    /// Empty fields with these labels.
    pub fn new(labels: &[&'static str]) -> Form {
        Form {
            fields: labels
                .iter()
                .map(|label| (*label, Field::default()))
                .collect(),
            at: 0,
            say: String::new(),
            signing: Signing::Idle,
        }
    }

    /// What has the keys.
    pub fn mode(&self) -> Mode {
        self.signing.mode().unwrap_or(Mode::Form)
    }

    /// Puts a text into a field, as if it had been typed.
    pub fn put(&mut self, index: usize, text: &str) {
        if let Some((_, field)) = self.fields.get_mut(index) {
            field.clear();
            field.paste(text);
        }
    }

    /// What is typed in a field, without spaces around it.
    pub fn value(&self, index: usize) -> &str {
        self.fields
            .get(index)
            .map(|(_, field)| field.value().trim())
            .unwrap_or_default()
    }

    /// Says what is missing and goes to its field.
    pub fn missing(&mut self, index: usize, say: impl Into<String>) -> Vec<Effect> {
        self.at = index;
        self.say = say.into();
        Vec::new()
    }

    /// Takes what every form does the same; signing is the sheet's own.
    pub fn update(&mut self, msg: &Msg<'_>) {
        let count = self.fields.len().max(1);
        match msg {
            Msg::Act(Action::NextField) => self.at = (self.at + 1) % count,
            Msg::Act(Action::PreviousField) => self.at = (self.at + count - 1) % count,
            Msg::Key(key) if self.mode() == Mode::Form => {
                if let Some((_, field)) = self.fields.get_mut(self.at)
                    && field.key(*key)
                {
                    self.say.clear();
                }
            }
            Msg::Paste(text) if self.mode() == Mode::Form => {
                if let Some((_, field)) = self.fields.get_mut(self.at) {
                    field.paste(text);
                }
            }
            Msg::Reply(reply) => self.signing.reply(reply),
            _ => {}
        }
    }

    /// Draws title, facts, fields and what is to be said. `ready` is said above the sign key; `done` turns a
    /// receipt into words.
    pub fn view(
        &self,
        pen: &mut Pen<'_>,
        area: Rect,
        title: &str,
        facts: &[Line],
        words: &Words<'_>,
    ) {
        let body = inset(headed(pen, area, title, None));
        let message = self.message(pen, body.width, words);
        let count = u16::try_from(self.fields.len()).unwrap_or(u16::MAX);
        let below = count
            .saturating_add(2)
            .saturating_add(u16::try_from(message.len()).unwrap_or(u16::MAX));
        let room = u16::try_from(facts.len())
            .unwrap_or(u16::MAX)
            // What it is about is said on the smallest screen too.
            .min(body.height.saturating_sub(below).max(1));
        pen.lines(
            Rect {
                height: room,
                ..body
            },
            facts,
        );
        let rest = Rect {
            y: body.y + room,
            height: body.height - room,
            ..body
        };
        let faint = pen.theme.faint();
        pen.rule(row_of(rest, 0), faint);
        let label = u16::try_from(LABELS).unwrap_or(11);
        for (row, (index, (name, field))) in (1..).zip(self.fields.iter().enumerate()) {
            let line = row_of(rest, row);
            pen.put(line, name, faint);
            let place = Rect {
                x: line.x.saturating_add(label),
                width: line.width.saturating_sub(label).min(50),
                ..line
            };
            pen.field(place, field, self.mode() == Mode::Form && index == self.at);
        }
        // The blank line between gives way where lines are scarce.
        let gap = u16::from(rest.height >= below);
        for (row, line) in (count.saturating_add(1 + gap)..rest.height).zip(&message) {
            pen.line(row_of(rest, row), line);
        }
    }

    fn message(&self, pen: &Pen<'_>, columns: u16, words: &Words<'_>) -> Vec<Line> {
        let theme = pen.theme;
        let mut lines = Vec::new();
        let mut say = |text: &str, style: Style| {
            let safe = theme.text(text);
            let wrapped = wrap(&safe, usize::from(columns));
            lines.extend(wrapped.into_iter().map(|l| Line::of(l, style)));
        };
        match &self.signing {
            Signing::Idle if !self.say.is_empty() => say(&self.say, theme.warning()),
            Signing::Idle => say(words.ready, theme.plain()),
            Signing::Sent { checking, slow, .. } => {
                say(&sent_words(*checking, *slow, theme), theme.warning());
            }
            Signing::Done(receipt) => say(&(words.done)(receipt), theme.sign()),
            Signing::Refused { refusal, .. } => {
                let head = format!("NOT DONE  {}", refusal.code());
                say(&head, theme.wrong().patch(theme.loud()));
                let now = words.scene.context.now;
                say(
                    &words::refusal(refusal, now, &words.scene.zone),
                    theme.wrong(),
                );
            }
            Signing::Unknown { .. } => say(UNKNOWN, theme.wrong()),
        }
        lines
    }
}

/// What a form says around its fields.
pub struct Words<'a> {
    /// Before it is signed.
    pub ready: &'a str,
    /// After.
    pub done: &'a dyn Fn(&Receipt) -> String,
    /// For local times.
    pub scene: &'a Scene<'a>,
}
