//! Opening the cupboard's sheets and pages.

use super::{Desk, Tone};
use crate::domain::shelf::Named;
use crate::domain::snapshot::Ward;
use crate::domain::{Role, WardId};
use crate::tui::model::{Context, Effect, Pane};
use crate::tui::pages::Page;
use crate::tui::pages::cupboard::{Ask, CupboardPage};
use crate::tui::sheets::Sheet;
use crate::tui::sheets::cupboard::{CupboardSheet, Kind, named};

impl Desk {
    /// Opens a page of the cupboard.
    pub(super) fn open_shelf(&mut self, ask: Ask, about: &str, context: &Context) -> Vec<Effect> {
        let (page, effects) = CupboardPage::open(ask, about, &self.wards, context.now);
        self.open_page(Page::Cupboard(Box::new(page)));
        effects
    }

    /// The same of the ward that is looked at.
    pub(super) fn open_of_ward(
        &mut self,
        ask: impl FnOnce(WardId) -> Ask,
        context: &Context,
    ) -> Vec<Effect> {
        let Some(Ward { id, code, .. }) = self.ward.clone() else {
            return Vec::new();
        };
        self.open_shelf(ask(id), &code, context)
    }

    pub(super) fn open_register(&mut self, context: &Context) -> Vec<Effect> {
        let (Some(level), Some(ward)) = (self.stock.selected().cloned(), &self.ward) else {
            self.say(Tone::Plain, "There is no drug to look up here.");
            return Vec::new();
        };
        let about = format!("{} in {}", level.drug.title(), ward.code);
        self.open_shelf(Ask::Register(ward.id, level.drug.id), &about, context)
    }

    /// Where else the drug is that is selected: of the order that lacks it, or of the stock.
    pub(super) fn open_elsewhere(&mut self, context: &Context) -> Vec<Effect> {
        let drug = match self.focus {
            Pane::Stock => self.stock.selected().map(|level| level.drug.clone()),
            _ => self.queue.selected().map(|order| order.drug.clone()),
        };
        let Some(drug) = drug else {
            self.say(Tone::Plain, "There is no drug to look for here.");
            return Vec::new();
        };
        self.open_shelf(Ask::Elsewhere(drug.id), &drug.title(), context)
    }

    /// Opens the sheet for the selected drug, if the person may.
    pub(super) fn open_cupboard(&mut self, kind: impl FnOnce(Named) -> Kind, context: &Context) {
        let Some(drug) = self.stock.selected().map(|level| named(&level.drug)) else {
            return self.say(Tone::Plain, "There is no drug selected here.");
        };
        let kind = kind(drug);
        let nurse = self.actor.role == Role::Nurse && context.policy.nurses_send;
        let operation = match (&kind, self.actor.role) {
            (Kind::Send(_), _) if nurse => "receive_transfer",
            // A supervisor adjusts, and neither wastes nor returns.
            (Kind::TakeOut(_), Role::Supervisor) => "adjust",
            (Kind::TakeOut(_), _) => "waste",
            (kind, _) => kind.operation(),
        };
        if let Some(why) = self.barred(operation) {
            return self.say(Tone::Plain, why);
        }
        let sheet = CupboardSheet::open(kind, &self.wards);
        self.sheet = Some(Sheet::Cupboard(Box::new(sheet)));
    }
}
