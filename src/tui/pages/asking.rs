//! What a page asks its person for: a few fields at the foot of it, while its rows stay in view.

use ratatui::layout::Rect;

use crate::tui::key::Key;
use crate::tui::keymap::Action;
use crate::tui::widgets::pen::row_of;
use crate::tui::widgets::text::wrap;
use crate::tui::widgets::{Field, Pen};

/// Columns of a label.
const LABELS: u16 = 11;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum For {
    /// Which part of what there is the page is to show.
    Choice,
    /// Where the page is to be written to.
    File,
}

/// Fields, one of which has the keys.
#[derive(Debug, Clone)]
pub struct Asking {
    /// What for.
    pub what: For,
    title: String,
    fields: Vec<(&'static str, Field)>,
    at: usize,
    say: String,
    wrong: bool,
}

/// What came of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Came {
    /// It goes on.
    Not,
    /// It is not wanted any more.
    Closed,
    /// This was typed, field by field.
    Typed(Vec<String>),
}

impl Asking {
    /// Fields with what stands in them at first; `say` is said below until something is wrong.
    pub fn new(
        what: For,
        title: impl Into<String>,
        fields: &[(&'static str, &str)],
        say: &str,
    ) -> Asking {
        let field = |(label, text): &(&'static str, &str)| {
            let mut field = Field::default();
            field.paste(text);
            (*label, field)
        };
        Asking {
            what,
            title: title.into(),
            fields: fields.iter().map(field).collect(),
            at: 0,
            say: say.to_owned(),
            wrong: false,
        }
    }

    /// Says what is wrong with a field, and gives it the keys.
    pub fn wrong(&mut self, field: usize, why: impl Into<String>) {
        self.at = field.min(self.fields.len().saturating_sub(1));
        self.say = why.into();
        self.wrong = true;
    }

    /// Takes an action of its mode.
    pub fn act(&mut self, action: Action) -> Came {
        let count = self.fields.len().max(1);
        match action {
            Action::NextField => self.at = (self.at + 1) % count,
            Action::PreviousField => self.at = (self.at + count - 1) % count,
            Action::Close => return Came::Closed,
            Action::Choose => {
                let typed = self.fields.iter();
                let typed = typed.map(|(_, field)| field.value().trim().to_owned());
                return Came::Typed(typed.collect());
            }
            _ => {}
        }
        Came::Not
    }

    /// Takes a key that types.
    pub fn key(&mut self, key: Key) {
        if let Some((_, field)) = self.fields.get_mut(self.at) {
            field.key(key);
        }
    }

    /// Takes text that came at once.
    pub fn paste(&mut self, text: &str) {
        if let Some((_, field)) = self.fields.get_mut(self.at) {
            field.paste(text);
        }
    }

    /// Draws it over the foot of the page.
    pub fn view(&self, pen: &mut Pen<'_>, area: Rect) {
        let said = wrap(
            &pen.theme.text(&self.say),
            usize::from(area.width).saturating_sub(2),
        );
        let lines = 1 + self.fields.len() + said.len();
        let height = u16::try_from(lines).unwrap_or(u16::MAX).min(area.height);
        let place = Rect {
            y: area.y + area.height - height,
            height,
            ..area
        };
        pen.wipe(place);
        let (rule, title) = (pen.theme.rule(true), pen.theme.title(true));
        pen.rule(row_of(place, 0), rule);
        let words = pen.theme.text(&self.title).into_owned();
        pen.put(row_of(place, 0), &format!(" {words} "), title);
        let faint = pen.theme.faint();
        for (row, (at, (label, field))) in (1..).zip(self.fields.iter().enumerate()) {
            let line = row_of(place, row);
            pen.put(line, &format!(" {label}"), faint);
            let room = Rect {
                x: line.x.saturating_add(LABELS),
                width: line.width.saturating_sub(LABELS),
                ..line
            };
            pen.field(room, field, at == self.at);
        }
        let style = if self.wrong {
            pen.theme.warning()
        } else {
            pen.theme.plain()
        };
        let first = 1 + u16::try_from(self.fields.len()).unwrap_or(0);
        for (row, line) in (first..height).zip(&said) {
            pen.put(row_of(place, row), &format!(" {line}"), style);
        }
    }
}
