//! A drug of the formulary, by the beginning of its name: the list that a sheet begins with.

use ratatui::layout::Rect;

use super::Msg;
use super::picker::{Entry, Picker};
use crate::domain::WardId;
use crate::domain::prescribed::Candidate;
use crate::tui::model::{Effect, Reply};
use crate::tui::widgets::Pen;
use crate::tui::words;

/// The list's state.
#[derive(Debug, Clone)]
pub struct DrugSearch {
    ward: WardId,
    picker: Picker<usize>,
    found: Vec<Candidate>,
    asked_for: String,
    trouble: Option<String>,
}

impl DrugSearch {
    /// All drugs, with what a ward holds of each; and what it asks for.
    pub fn open(ward: WardId) -> (DrugSearch, Vec<Effect>) {
        let mut search = DrugSearch {
            ward,
            picker: Picker::new(Vec::new(), 0),
            found: Vec::new(),
            asked_for: String::new(),
            trouble: None,
        };
        let effects = search.look_up();
        (search, effects)
    }

    /// Takes a message; choosing is the sheet's own.
    pub fn update(&mut self, msg: &Msg<'_>) -> Vec<Effect> {
        if let Msg::Reply(Reply::Drugs { name, found }) = msg {
            self.take(name, found);
            return Vec::new();
        }
        self.picker.update(msg);
        self.look_up()
    }

    /// What is selected.
    pub fn selected(&self) -> Option<&Candidate> {
        let entry = self.picker.selected()?;
        self.found.get(entry.value)
    }

    /// Asks for drugs whenever the first word that is typed has changed.
    fn look_up(&mut self) -> Vec<Effect> {
        let typed = self.picker.typed().trim().to_owned();
        let first = typed
            .split_whitespace()
            .next()
            .unwrap_or_default()
            .to_owned();
        if first == self.asked_for && !self.found.is_empty() {
            return Vec::new();
        }
        self.asked_for.clone_from(&first);
        vec![Effect::FindDrugs {
            ward: self.ward,
            name: first,
        }]
    }

    fn take(&mut self, name: &str, found: &Result<Vec<Candidate>, String>) {
        if name != self.asked_for {
            return;
        }
        match found {
            Ok(found) => {
                self.trouble = None;
                self.found.clone_from(found);
                let entries = (0..).zip(found).map(|(at, candidate)| Entry {
                    value: at,
                    head: stock_words(candidate),
                    text: candidate.drug.title(),
                });
                self.picker.offer(entries.collect());
            }
            Err(why) => self.trouble = Some(why.clone()),
        }
    }

    /// Draws it.
    pub fn view(&self, pen: &mut Pen<'_>, area: Rect, title: &str) {
        let title = self
            .trouble
            .as_ref()
            .map_or_else(|| title.to_owned(), |why| format!("NOT READ: {why}"));
        self.picker.view(pen, area, &pen.theme.text(&title));
    }
}

fn stock_words(candidate: &Candidate) -> String {
    match candidate.stock {
        Some(stock) if stock.is_positive() => words::amount(stock, &candidate.drug),
        Some(_) => "OUT".to_owned(),
        None => "not here".to_owned(),
    }
}
