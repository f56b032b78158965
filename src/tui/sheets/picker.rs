//! A list to choose from by typing a part of the name.

use ratatui::layout::Rect;

use super::{Msg, headed, inset};
use crate::domain::text::name_key;
use crate::tui::keymap::Action;
use crate::tui::list::{self, List, Move, Slot};
use crate::tui::widgets::pen::row_of;
use crate::tui::widgets::text::{pad, width};
use crate::tui::widgets::{Line, Pen};

/// One thing to choose.
#[derive(Debug, Clone)]
pub struct Entry<T> {
    /// What is chosen.
    pub value: T,
    /// At the left, e.g. a code or a key.
    pub head: String,
    /// What it is.
    pub text: String,
}

/// The list and what is typed.
#[derive(Debug, Clone)]
pub struct Picker<T> {
    entries: Vec<Entry<T>>,
    list: List<usize>,
}

/// Lines that are shown at once at most; what a page is.
const PAGE: u16 = 16;

impl<T: Clone> Picker<T> {
    /// A list of these, the one at `selected` first.
    pub fn new(entries: Vec<Entry<T>>, selected: usize) -> Picker<T> {
        let mut picker = Picker {
            entries,
            list: List::default(),
        };
        picker.refresh();
        picker.list.select(selected);
        picker
    }

    /// Takes other entries; what is typed stays.
    pub fn replace(&mut self, entries: Vec<Entry<T>>) {
        self.entries = entries;
        self.refresh();
    }

    /// Offers other entries, the first of them selected; what is typed stays.
    pub fn offer(&mut self, entries: Vec<Entry<T>>) {
        self.replace(entries);
        self.list.update(&list::Msg::Move(Move::First), PAGE, 1);
    }

    /// What is typed.
    pub fn typed(&self) -> &str {
        self.list.filter.value()
    }

    /// What is selected.
    pub fn selected(&self) -> Option<&Entry<T>> {
        self.list.selected().and_then(|at| self.entries.get(at))
    }

    /// Takes a message; choosing and closing are the sheet's own.
    pub fn update(&mut self, msg: &Msg<'_>) {
        let msg = match msg {
            Msg::Act(Action::Up) => list::Msg::Move(Move::Up),
            Msg::Act(Action::Down) => list::Msg::Move(Move::Down),
            Msg::Act(Action::PageUp) => list::Msg::Move(Move::PageUp),
            Msg::Act(Action::PageDown) => list::Msg::Move(Move::PageDown),
            Msg::Key(key) => list::Msg::FilterKey(*key),
            Msg::Paste(text) => list::Msg::FilterPaste((*text).to_owned()),
            Msg::Act(_) | Msg::Scan(_) | Msg::Ward | Msg::Reply(_) => return,
        };
        if self.list.update(&msg, PAGE, 1) {
            self.refresh();
            self.list.update(&list::Msg::Move(Move::First), PAGE, 1);
        }
    }

    /// What is typed is looked for word by word. What has it for its head stands first: `medi` and Enter is the ward MEDI, and
    /// not the first of those that are called medical; then what holds a word that begins so, then the others.
    fn refresh(&mut self) {
        let typed = name_key(self.list.filter.value());
        let typed = typed.trim();
        let words: Vec<&str> = typed.split_whitespace().collect();
        let mut found: Vec<(u8, usize)> = Vec::new();
        for (at, entry) in self.entries.iter().enumerate() {
            let head = name_key(&entry.head);
            let key = format!("{head} {}", name_key(&entry.text));
            if !words.iter().all(|word| key.contains(word)) {
                continue;
            }
            let begins = |word: &&str| key.split_whitespace().any(|part| part.starts_with(word));
            let rank = match words.first() {
                None => 0,
                Some(_) if head == typed => 0,
                Some(first) if begins(first) => 1,
                Some(_) => 2,
            };
            found.push((rank, at));
        }
        found.sort();
        let slots = found.into_iter().map(|(_, at)| Slot::Item(at)).collect();
        self.list.refresh(slots);
    }

    /// Draws it.
    pub fn view(&self, pen: &mut Pen<'_>, area: Rect, title: &str) {
        let body = inset(headed(pen, area, title, None));
        let (faint, plain) = (pen.theme.faint(), pen.theme.plain());
        let label = pen.put(row_of(body, 0), "Type a part of it: ", faint);
        let top = row_of(body, 0);
        let place = Rect {
            x: top.x + label,
            width: (top.width - label).min(30),
            ..top
        };
        pen.field(place, &self.list.filter, true);
        let rows = Rect {
            y: body.y.saturating_add(2),
            height: body.height.saturating_sub(2),
            ..body
        };
        if self.list.is_empty() {
            pen.put(row_of(rows, 0), "Nothing is called that.", plain);
            return;
        }
        let head = self
            .entries
            .iter()
            .map(|entry| width(&entry.head))
            .max()
            .unwrap_or(0)
            .min(usize::from(body.width / 3));
        let shown = self.list.shown(rows.height, 1);
        for (row, (_, slot, _)) in (0..rows.height).zip(shown) {
            let Slot::Item(at) = slot else { continue };
            let Some(entry) = self.entries.get(at) else {
                continue;
            };
            let selected = self.list.selected() == Some(at);
            let symbols = &pen.theme.symbols;
            let marker = if selected { symbols.marker } else { " " };
            let line = Line::of(format!("{marker} "), plain)
                .and(
                    pad(&pen.theme.text(&entry.head), head, symbols.mark),
                    pen.theme.key(),
                )
                .and("  ", plain)
                .and(pen.theme.text(&entry.text).into_owned(), plain);
            pen.line(row_of(rows, row), &line);
            if selected {
                pen.select(row_of(rows, row), true);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::key::Key;

    #[test]
    fn the_code_that_is_typed_stands_before_names_that_begin_so() {
        let entry = |head: &str, text: &str| Entry {
            value: head.to_owned(),
            head: head.to_owned(),
            text: text.to_owned(),
        };
        let mut picker = Picker::new(
            vec![
                entry("MICU", "Medical Intensive Care"),
                entry("MEDI-CARD", "Medicine/Cardiology"),
                entry("MEDI", "Medicine"),
                entry("PREMEDI", "Before surgery"),
            ],
            0,
        );
        for c in "medi".chars() {
            picker.update(&Msg::Key(Key::char(c)));
        }
        let mut found = Vec::new();
        for _ in 0..4 {
            found.push(picker.selected().unwrap().value.clone());
            picker.update(&Msg::Act(Action::Down));
        }
        assert_eq!(found, ["MEDI", "MICU", "MEDI-CARD", "PREMEDI"]);
    }
}
