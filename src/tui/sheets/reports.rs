//! Choosing a report: those that the person may read.

use ratatui::layout::Rect;

use super::picker::{Entry, Picker};
use super::{Msg, Then};
use crate::domain::Role;
use crate::domain::decide::reports::{Reach, reach};
use crate::domain::report::Kind;
use crate::tui::keymap::Action;
use crate::tui::widgets::Pen;

/// The sheet's state.
#[derive(Debug, Clone)]
pub struct Reports {
    picker: Picker<Kind>,
}

impl Reports {
    /// The reports that a role may read.
    pub fn open(role: Role) -> Reports {
        let entry = |kind: &Kind| {
            let of = match reach(role, *kind)? {
                Reach::Own => "your wards",
                Reach::Every => "every ward",
            };
            Some(Entry {
                value: *kind,
                head: kind.as_str().to_owned(),
                text: format!("{} ({of})", kind.says()),
            })
        };
        Reports {
            picker: Picker::new(Kind::ALL.iter().filter_map(entry).collect(), 0),
        }
    }

    /// Takes a message.
    pub fn update(&mut self, msg: &Msg<'_>) -> Then {
        match msg {
            Msg::Act(Action::Close) => Then::Close,
            Msg::Act(Action::Choose) => self
                .picker
                .selected()
                .map_or(Then::Stay, |entry| Then::Report(entry.value)),
            other => {
                self.picker.update(other);
                Then::Stay
            }
        }
    }

    /// Draws it.
    pub fn view(&self, pen: &mut Pen<'_>, area: Rect) {
        self.picker.view(pen, area, "WHICH REPORT?");
    }
}
