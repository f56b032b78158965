//! Choosing a ward.

use ratatui::layout::Rect;

use super::picker::{Entry, Picker};
use super::{Msg, Then};
use crate::domain::snapshot::Ward;
use crate::domain::{Actor, WardId, WardKind};
use crate::tui::keymap::Action;
use crate::tui::model::Reply;
use crate::tui::widgets::Pen;

/// The sheet's state.
#[derive(Debug, Clone)]
pub struct Wards {
    picker: Picker<WardId>,
    actor: Actor,
}

impl Wards {
    /// The wards as far as they are known, with the one that is looked at selected.
    pub fn open(wards: &[Ward], actor: &Actor, now: Option<WardId>) -> Wards {
        let entries = entries(wards, actor);
        let selected = entries
            .iter()
            .position(|entry| Some(entry.value) == now)
            .unwrap_or(0);
        Wards {
            picker: Picker::new(entries, selected),
            actor: actor.clone(),
        }
    }

    /// Takes a message.
    pub fn update(&mut self, msg: &Msg<'_>) -> Then {
        match msg {
            Msg::Act(Action::Close) => return Then::Close,
            Msg::Act(Action::Choose) => {
                return self
                    .picker
                    .selected()
                    .map_or(Then::Stay, |entry| Then::Ward(entry.value));
            }
            Msg::Reply(Reply::Wards(Ok(wards))) => {
                self.picker.replace(entries(wards, &self.actor));
            }
            other => self.picker.update(other),
        }
        Then::Stay
    }

    /// Draws it.
    pub fn view(&self, pen: &mut Pen<'_>, area: Rect) {
        self.picker.view(pen, area, "WHICH WARD?");
    }
}

/// One's own wards first; the others may be looked at.
fn entries(wards: &[Ward], actor: &Actor) -> Vec<Entry<WardId>> {
    let mut wards: Vec<&Ward> = wards.iter().collect();
    wards.sort_by_key(|ward| !actor.wards.allow(ward.id));
    wards
        .into_iter()
        .map(|ward| {
            let kind = match ward.kind {
                WardKind::Ward => "",
                WardKind::Pharmacy => " (pharmacy)",
            };
            let mine = if actor.wards.allow(ward.id) {
                ""
            } else {
                ", to look at only"
            };
            Entry {
                value: ward.id,
                head: ward.code.clone(),
                text: format!("{}{kind}{mine}", ward.name),
            }
        })
        .collect()
}
