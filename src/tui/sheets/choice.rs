//! Questions on a sheet: a list to choose from with words beside it, and fields. One of them has the keys.

use ratatui::layout::Rect;

use super::Msg;
use super::facts::LABELS;
use crate::domain::reason::Reasons;
use crate::domain::{Reason, ReasonKind};
use crate::tui::key::Key;
use crate::tui::keymap::{Action, Mode};
use crate::tui::widgets::pen::row_of;
use crate::tui::widgets::text::cut;
use crate::tui::widgets::{Field, Line, Pen};

/// Lines of a list that are shown at once.
const SHOWN: usize = 5;

/// One thing to choose.
#[derive(Debug, Clone)]
struct Entry {
    kind: Option<ReasonKind>,
    code: String,
    label: String,
    needs_text: bool,
}

/// A question with answers to choose from.
#[derive(Debug, Clone)]
pub struct Choice {
    /// The question, in few words.
    pub title: String,
    entries: Vec<Entry>,
    at: Option<usize>,
    /// What is said beside the answer; `None`: nothing is.
    text: Option<Field>,
}

impl Choice {
    /// Why: the codes of one kind, or of several, each with a word before it.
    pub fn why(title: &str, reasons: &Reasons, kinds: &[(ReasonKind, &str)]) -> Choice {
        let entry = |kind: ReasonKind, before: &str| {
            let before = before.to_owned();
            reasons.of(kind).iter().map(move |code| Entry {
                kind: Some(kind),
                code: code.code.clone(),
                label: format!("{before}{}", code.words),
                needs_text: code.needs_text,
            })
        };
        let entries = kinds.iter().flat_map(|(kind, before)| entry(*kind, before));
        Choice {
            title: title.to_owned(),
            entries: entries.collect(),
            at: None,
            text: Some(Field::default()),
        }
    }

    /// One of these; nothing is said beside it.
    pub fn one_of(title: &str, answers: &[(&str, &str)]) -> Choice {
        let entry = |(code, label): &(&str, &str)| Entry {
            kind: None,
            code: (*code).to_owned(),
            label: (*label).to_owned(),
            needs_text: false,
        };
        Choice {
            title: title.to_owned(),
            entries: answers.iter().map(entry).collect(),
            at: None,
            text: None,
        }
    }

    /// The kind of reason that it asks for first.
    pub fn kind(&self) -> Option<ReasonKind> {
        self.entries.first()?.kind
    }

    /// Chooses an answer beforehand, with what is said beside it.
    pub fn choose(&mut self, reason: &Reason) {
        self.at = self
            .entries
            .iter()
            .position(|entry| entry.code == reason.code);
        if let Some(field) = &mut self.text {
            field.clear();
            field.paste(&reason.text);
        }
    }

    fn chosen(&self) -> Option<&Entry> {
        self.entries.get(self.at?)
    }

    /// The code that is chosen.
    pub fn code(&self) -> Option<&str> {
        self.chosen().map(|entry| entry.code.as_str())
    }

    /// The reason that is chosen, and its kind.
    ///
    /// # Errors
    /// What is missing, in words.
    pub fn reason(&self) -> Result<(ReasonKind, Reason), String> {
        let missing = || format!("{} Choose with the arrow keys.", self.title);
        let entry = self.chosen().ok_or_else(missing)?;
        let text = self.text.as_ref().map_or("", |field| field.value().trim());
        if entry.needs_text && text.is_empty() {
            return Err(format!("'{}' needs a few words: type them.", entry.label));
        }
        let reason = Reason {
            code: entry.code.clone(),
            text: text.to_owned(),
        };
        Ok((entry.kind.ok_or_else(missing)?, reason))
    }

    fn step(&mut self, forward: bool) {
        let last = self.entries.len().saturating_sub(1);
        self.at = Some(match (self.at, forward) {
            (None, true) => 0,
            (None, false) => last,
            (Some(at), true) => (at + 1).min(last),
            (Some(at), false) => at.saturating_sub(1),
        });
    }

    fn key(&mut self, key: Key) -> bool {
        self.text.as_mut().is_some_and(|field| field.key(key))
    }

    fn shown(&self) -> std::ops::Range<usize> {
        let at = self.at.unwrap_or(0);
        let first = (at + 1).saturating_sub(SHOWN);
        first..(first + SHOWN).min(self.entries.len())
    }

    fn height(&self, open: bool) -> u16 {
        if !open {
            return 1;
        }
        let lines = 1 + self.shown().len() + usize::from(self.text.is_some());
        u16::try_from(lines).unwrap_or(u16::MAX)
    }

    fn view(&self, pen: &mut Pen<'_>, area: Rect, open: bool) {
        let (plain, faint, strong) = (pen.theme.plain(), pen.theme.faint(), pen.theme.strong());
        if !open {
            let said = self.text.as_ref().map_or("", |field| field.value().trim());
            let answer = match self.chosen() {
                None => "not answered yet".to_owned(),
                Some(entry) if said.is_empty() => entry.label.clone(),
                Some(entry) => format!("{}: {said}", entry.label),
            };
            let answer = pen.theme.text(&answer).into_owned();
            let line = Line::of(format!("{} ", self.title), faint).and(answer, plain);
            return pen.line(row_of(area, 0), &line);
        }
        pen.put(row_of(area, 0), &self.title, strong);
        let shown = self.shown();
        let count = self.entries.len();
        if shown.len() < count {
            let words = format!(" {} of {count} ", shown.end);
            pen.right(row_of(area, 0), &Line::of(words, faint));
        }
        let mut row = 1;
        for at in shown {
            let Some(entry) = self.entries.get(at) else {
                continue;
            };
            let selected = self.at == Some(at);
            let symbols = &pen.theme.symbols;
            let marker = if selected { symbols.marker } else { " " };
            let label = pen.theme.text(&entry.label);
            let label = cut(
                &label,
                usize::from(area.width).saturating_sub(2),
                symbols.mark,
            );
            let line = Line::of(format!("{marker} "), plain).and(label, plain);
            pen.line(row_of(area, row), &line);
            if selected {
                pen.select(row_of(area, row), true);
            }
            row += 1;
        }
        if let Some(field) = &self.text {
            labelled(pen, row_of(area, row), "Words", field, true);
        }
    }
}

/// A field with its label before it.
fn labelled(pen: &mut Pen<'_>, line: Rect, label: &str, field: &Field, focused: bool) {
    let faint = pen.theme.faint();
    pen.put(line, label, faint);
    let columns = u16::try_from(LABELS).unwrap_or(11);
    let place = Rect {
        x: line.x.saturating_add(columns),
        width: line.width.saturating_sub(columns).min(50),
        ..line
    };
    pen.field(place, field, focused);
}

/// The questions and fields of a sheet, one after the other.
#[derive(Debug, Clone, Default)]
pub struct Parts {
    /// The questions.
    pub choices: Vec<Choice>,
    /// The fields below them, with their labels.
    pub fields: Vec<(&'static str, Field)>,
    at: usize,
}

impl Parts {
    /// These questions, then these fields; the first has the keys.
    pub fn of(choices: Vec<Choice>, fields: Vec<(&'static str, Field)>) -> Parts {
        Parts {
            choices,
            fields,
            at: 0,
        }
    }

    /// The reason that answers the first question.
    ///
    /// # Errors
    /// What is missing, in words.
    pub fn first_reason(&self) -> Result<(ReasonKind, Reason), String> {
        let first = self.choices.first();
        first.map_or_else(|| Err("Nothing is asked.".to_owned()), Choice::reason)
    }

    /// Whether there is nothing to ask.
    pub fn is_empty(&self) -> bool {
        self.choices.is_empty() && self.fields.is_empty()
    }

    fn len(&self) -> usize {
        self.choices.len() + self.fields.len()
    }

    /// Whether the first of them has the keys.
    pub fn at_first(&self) -> bool {
        self.at == 0
    }

    /// What has the keys.
    pub fn mode(&self) -> Mode {
        if self.at < self.choices.len() {
            Mode::Reason
        } else {
            Mode::Form
        }
    }

    /// Adds a question at its place; the keys stay where they are.
    pub fn insert(&mut self, place: usize, choice: Choice) {
        let place = place.min(self.choices.len());
        let had_keys = !self.is_empty() && self.at >= place && self.at >= self.choices.len();
        self.choices.insert(place, choice);
        self.at += usize::from(had_keys);
    }

    /// The keys go to that question.
    pub fn go_to(&mut self, at: usize) {
        self.at = at.min(self.len().saturating_sub(1));
    }

    /// What is typed in a field.
    pub fn value(&self, at: usize) -> &str {
        let field = self.fields.get(at);
        field.map_or("", |(_, field)| field.value().trim())
    }

    /// Takes what every sheet does the same; says whether it was meant for it.
    pub fn update(&mut self, msg: &Msg<'_>) -> bool {
        let count = self.len().max(1);
        self.at = self.at.min(count - 1);
        match msg {
            Msg::Act(Action::NextField) => self.at = (self.at + 1) % count,
            Msg::Act(Action::PreviousField) => self.at = (self.at + count - 1) % count,
            Msg::Act(action @ (Action::Up | Action::Down)) => {
                if let Some(choice) = self.choices.get_mut(self.at) {
                    choice.step(*action == Action::Down);
                }
            }
            Msg::Key(key) => return self.key(*key),
            Msg::Paste(text) => {
                for c in text.chars() {
                    self.key(Key::char(c));
                }
            }
            _ => return false,
        }
        true
    }

    fn key(&mut self, key: Key) -> bool {
        match self.choices.get_mut(self.at) {
            Some(choice) => choice.key(key),
            None => {
                let at = self.at - self.choices.len();
                let field = self.fields.get_mut(at);
                field.is_some_and(|(_, field)| field.key(key))
            }
        }
    }

    /// The reason that answers a kind of question.
    ///
    /// # Errors
    /// What is missing, in words; the keys go there.
    pub fn reason(&mut self, kind: ReasonKind) -> Result<Option<Reason>, String> {
        let found = self
            .choices
            .iter()
            .position(|choice| choice.kind() == Some(kind));
        let Some(at) = found else {
            return Ok(None);
        };
        let answer = self.choices[at].reason();
        if answer.is_err() {
            self.at = at;
        }
        answer.map(|(_, reason)| Some(reason))
    }

    /// Lines that they take.
    pub fn height(&self) -> u16 {
        let choices = self.choices.iter().enumerate();
        let choices = choices.map(|(at, choice)| choice.height(at == self.at));
        let fields = u16::try_from(self.fields.len()).unwrap_or(u16::MAX);
        choices.fold(fields, u16::saturating_add)
    }

    /// Draws them; `live`: they have the keys.
    pub fn view(&self, pen: &mut Pen<'_>, area: Rect, live: bool) {
        let mut y = 0;
        for (at, choice) in self.choices.iter().enumerate() {
            let open = at == self.at;
            let height = choice.height(open);
            let place = Rect {
                y: area.y.saturating_add(y),
                height: area.height.saturating_sub(y).min(height),
                ..area
            };
            choice.view(pen, place, open);
            y += height;
        }
        for (at, (label, field)) in self.fields.iter().enumerate() {
            let focused = live && self.choices.len() + at == self.at;
            labelled(pen, row_of(area, y), label, field, focused);
            y += 1;
        }
    }
}
