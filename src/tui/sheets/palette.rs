//! Any action by its name: the whole table of keys, to be searched.

use ratatui::layout::Rect;

use super::picker::{Entry, Picker};
use super::{Msg, Then};
use crate::tui::keymap::{Action, BINDINGS, Mode};
use crate::tui::model::Pane;
use crate::tui::widgets::Pen;

/// What choosing a line does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// Takes the action as if its key had been pressed in that mode.
    Take(Mode, Action),
    /// Nothing: it belongs to another screen, and the line says which. A signature cannot be chosen from a list,
    /// where Enter chooses.
    Told,
}

/// The sheet's state.
#[derive(Debug, Clone)]
pub struct Palette {
    picker: Picker<Choice>,
}

impl Palette {
    /// All actions: those of what has the keys first (a page over the panes, else a pane), then those of the other panes,
    /// then the rest.
    pub fn open(page: Option<Mode>, focus: Pane) -> Palette {
        Palette {
            picker: Picker::new(entries(page, focus), 0),
        }
    }

    /// Takes a message.
    pub fn update(&mut self, msg: &Msg<'_>) -> Then {
        match msg {
            Msg::Act(Action::Close) => Then::Close,
            Msg::Act(Action::Choose) => match self.picker.selected().map(|entry| entry.value) {
                Some(Choice::Take(mode, action)) => Then::Act(mode, action),
                Some(Choice::Told) | None => Then::Stay,
            },
            other => {
                self.picker.update(other);
                Then::Stay
            }
        }
    }

    /// Draws it.
    pub fn view(&self, pen: &mut Pen<'_>, area: Rect) {
        self.picker.view(pen, area, "ACTIONS");
    }
}

fn entries(page: Option<Mode>, focus: Pane) -> Vec<Entry<Choice>> {
    let panes = [focus, focus.next(), focus.previous()].map(Pane::mode);
    let places: Vec<Mode> = page.into_iter().chain(panes).collect();
    let mut entries: Vec<(usize, Entry<Choice>)> = Vec::new();
    for binding in BINDINGS {
        let keys: Vec<String> = binding.chords.iter().map(ToString::to_string).collect();
        let head = keys.join(" ");
        if entries
            .iter()
            .any(|(_, entry)| entry.text.starts_with(binding.words) && entry.head == head)
        {
            continue;
        }
        let place = places
            .iter()
            .enumerate()
            .find(|(_, mode)| binding.modes.contains(mode));
        let (rank, value, text) = match place {
            Some((rank, mode)) => (
                rank,
                Choice::Take(*mode, binding.action),
                binding.words.to_owned(),
            ),
            None => {
                let place = binding.modes.first().map_or("", |mode| mode.title());
                let text = format!("{} [{place}]", binding.words);
                (places.len(), Choice::Told, text)
            }
        };
        entries.push((rank, Entry { value, head, text }));
    }
    entries.sort_by_key(|(rank, _)| *rank);
    entries.into_iter().map(|(_, entry)| entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_binding_can_be_found() {
        for focus in [Pane::Queue, Pane::Stock, Pane::Log] {
            let entries = entries(None, focus);
            for binding in BINDINGS {
                assert!(
                    entries.iter().any(|e| e.text.starts_with(binding.words)),
                    "{}",
                    binding.words
                );
            }
        }
    }

    #[test]
    fn nothing_signs_from_a_list() {
        for entry in entries(Some(Mode::Board), Pane::Queue) {
            assert!(!matches!(entry.value, Choice::Take(_, Action::Sign)));
        }
    }
}
