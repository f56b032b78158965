//! The sheet of a dose, as far as scanners go.

use std::sync::Arc;

use super::Scene;
use super::fulfil::Fulfil;
use super::identity::Whose;
use super::package::{Came, PackageCheck, Scanned, tell_apart};
use crate::tui::model::{Effect, Reply, Stopped};

impl Fulfil {
    /// A wristband identifies the patient, a package the drug. What is neither stops the sheet.
    pub(super) fn scan(&mut self, text: &str) -> Vec<Effect> {
        if self.over.is_some() || !self.signing.is_idle() || self.witness.is_some() {
            return Vec::new();
        }
        self.say.clear();
        match tell_apart(text) {
            Err(why) => {
                self.say = format!("This code cannot be read: {why}.");
                Vec::new()
            }
            Ok(Scanned::Package(package)) => self.package.look_up(package, None),
            Ok(Scanned::Either(number, gtin)) if number != self.order.patient.mrn => {
                self.package.look_up(gtin.into(), Some(number))
            }
            Ok(Scanned::Person(number) | Scanned::Either(number, _)) => {
                let patient = Arc::clone(&self.order.patient);
                self.who.take(number, &patient, self.order.id)
            }
        }
    }

    /// Takes the answer what the package holds. What it stops goes on record.
    pub(super) fn package_found(&mut self, reply: &Reply, scene: &Scene<'_>) -> Vec<Effect> {
        let drug = &self.order.drug;
        let wanted = [(drug.id, drug.title())];
        let stopped = match self.package.reply(reply, &wanted, scene.today()) {
            Came::Nothing | Came::Is(_) => return Vec::new(),
            Came::Stop(stopped) => stopped,
            Came::Person { number, name } => {
                self.who.wrong(number, Whose::Of(name));
                Stopped::WrongPatient
            }
        };
        vec![PackageCheck::on_record(stopped, self.order.id)]
    }
}
