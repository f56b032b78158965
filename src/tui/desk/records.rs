//! What opens from a pane about a patient: record, prescribing, ending a prescription; a doctor's own list; patients.

use super::{Desk, Tone};
use crate::domain::Role;
use crate::tui::keymap::Action;
use crate::tui::model::{Context, Effect, Pane};
use crate::tui::pages::Page;
use crate::tui::pages::mar::{First, MarPage};
use crate::tui::pages::mine::MinePage;
use crate::tui::pages::patients::PatientsPage;
use crate::tui::sheets::Sheet;
use crate::tui::sheets::prescription::EndPrescription;
use crate::tui::words;

impl Desk {
    /// Takes one of these actions.
    pub(super) fn act_on_records(&mut self, action: Action, context: &Context) -> Vec<Effect> {
        match action {
            Action::Record => self.open_record(First::Show, context),
            Action::Prescribe => match self.barred("prescribe") {
                Some(why) => {
                    self.say(Tone::Plain, why);
                    Vec::new()
                }
                None => self.open_record(First::Prescribe, context),
            },
            Action::EndPrescription => {
                self.open_end();
                Vec::new()
            }
            Action::MyOrders => self.open_mine(context),
            Action::Patients => self.open_patients(context),
            _ => Vec::new(),
        }
    }

    /// The number of the selected line's patient.
    fn selected_mrn(&self) -> Option<String> {
        match self.focus {
            Pane::Queue => self.queue.selected().map(|order| order.patient.mrn.clone()),
            Pane::Log => self.log.selected().map(|entry| entry.mrn.clone()),
            Pane::Stock => None,
        }
    }

    fn open_record(&mut self, first: First, context: &Context) -> Vec<Effect> {
        let Some(mrn) = self.selected_mrn() else {
            self.say(
                Tone::Plain,
                "There is no patient in this line: 'u' shows the patients of the ward.",
            );
            return Vec::new();
        };
        let (page, effects) = MarPage::open(&mrn, first, context.now);
        self.open_page(Page::Mar(Box::new(page)));
        effects
    }

    fn open_end(&mut self) {
        if let Some(why) = self.barred("discontinue_prescription") {
            return self.say(Tone::Plain, why);
        }
        let Some(order) = self.queue.selected() else {
            return self.say(
                Tone::Plain,
                "There is no dose whose prescription could end.",
            );
        };
        let dose = words::dose(&order.dose, &order.drug);
        let says = [dose, order.route.clone(), order.frequency.clone()].join(" ");
        let key = (order.prescription, order.prescription_version);
        let sheet = EndPrescription::open(key, &order.patient, &order.drug, says);
        self.sheet = Some(Sheet::EndPrescription(Box::new(sheet)));
    }

    fn open_mine(&mut self, context: &Context) -> Vec<Effect> {
        if self.actor.role != Role::Doctor {
            self.say(Tone::Plain, "My orders are what a doctor prescribed.");
            return Vec::new();
        }
        let (page, effects) = MinePage::open(self.actor.id, context.now);
        self.open_page(Page::Mine(Box::new(page)));
        effects
    }

    fn open_patients(&mut self, context: &Context) -> Vec<Effect> {
        let Some(ward) = self.ward.clone() else {
            self.say(Tone::Plain, "Choose a ward first.");
            return Vec::new();
        };
        let (page, effects) = PatientsPage::open(&ward, &self.wards, context.now);
        self.open_page(Page::Patients(Box::new(page)));
        effects
    }
}
