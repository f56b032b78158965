//! Who is it? The part of a sheet where the patient is identified by the wristband.

use crate::domain::OrderId;
use crate::domain::snapshot::Patient;
use crate::tui::key::Key;
use crate::tui::model::{Effect, Reply};
use crate::tui::widgets::Field;

/// Whether the patient was identified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Check {
    /// Not yet.
    Open,
    /// Something else was scanned.
    Wrong {
        /// What.
        scanned: String,
        /// Whose it is.
        whose: Whose,
    },
    /// It is the patient.
    Right {
        /// As it will be signed.
        scanned: String,
    },
}

/// Whose number was scanned in place of the patient's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// Being looked up.
    Looking,
    /// Another patient's, by name.
    Of(String),
    /// Nobody's that is known.
    Nobody,
    /// It could not be looked up, and why.
    Unread(String),
}

/// The part's state.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Where the wristband is scanned.
    pub field: Field,
    /// What came of it.
    pub check: Check,
}

impl Default for Identity {
    fn default() -> Self {
        Identity {
            field: Field::default(),
            check: Check::Open,
        }
    }
}

impl Identity {
    /// Whether it is the patient.
    pub fn is_right(&self) -> bool {
        matches!(self.check, Check::Right { .. })
    }

    /// The number as it will be signed, once it is the patient's.
    pub fn scanned(&self) -> Option<&str> {
        match &self.check {
            Check::Right { scanned } => Some(scanned),
            Check::Open | Check::Wrong { .. } => None,
        }
    }

    /// Types into the field; says whether it changed. What was wrong before is not said of what is typed now.
    pub fn key(&mut self, key: Key) -> bool {
        let changed = self.field.key(key);
        if changed {
            self.check = Check::Open;
        }
        changed
    }

    /// Another scan after the first: whoever it is must be checked anew, and nothing of it may sign.
    pub fn anew(&mut self, key: Key) {
        self.check = Check::Open;
        self.field.clear();
        self.field.key(key);
    }

    /// Checks what stands in the field: Enter, or the CR of a scanner.
    ///
    /// # Errors
    /// In words: nothing is typed.
    pub fn check(&mut self, patient: &Patient, order: OrderId) -> Result<Vec<Effect>, String> {
        let scanned = self.field.value().trim().to_owned();
        if scanned.is_empty() {
            return Err("Scan the patient's wristband, or type the number.".to_owned());
        }
        Ok(self.take(scanned, patient, order))
    }

    /// Checks a number. A wrong one is looked up, and that it was stopped goes on record.
    pub fn take(&mut self, scanned: String, patient: &Patient, order: OrderId) -> Vec<Effect> {
        if scanned == patient.mrn {
            self.field.clear();
            self.field.paste(&scanned);
            self.check = Check::Right { scanned };
            return Vec::new();
        }
        self.wrong(scanned.clone(), Whose::Looking);
        vec![Effect::LookUpPatient {
            mrn: scanned,
            order,
        }]
    }

    /// It is somebody else's number.
    pub fn wrong(&mut self, scanned: String, whose: Whose) {
        // The next scan must not be added to the wrong one.
        self.field.clear();
        self.check = Check::Wrong { scanned, whose };
    }

    /// Takes the answer whose the wrong number is.
    pub fn reply(&mut self, reply: &Reply, patient: &Patient) {
        let Reply::Patient { mrn, name } = reply else {
            return;
        };
        if let Check::Wrong { scanned, whose } = &mut self.check
            && scanned == mrn
        {
            *whose = match name {
                Ok(Some(name)) => Whose::Of(name.clone()),
                Ok(None) => Whose::Nobody,
                Err(why) => Whose::Unread(why.clone()),
            };
            self.forgive_capitals(patient);
        }
    }

    /// `v1773` typed for V1773 is the patient's number, once it is known to be nobody else's. What is signed is the
    /// number as it is on record.
    fn forgive_capitals(&mut self, patient: &Patient) {
        if let Check::Wrong {
            scanned,
            whose: Whose::Nobody,
        } = &self.check
            && scanned.to_lowercase() == patient.mrn.to_lowercase()
        {
            self.field.clear();
            self.field.paste(&patient.mrn);
            self.check = Check::Right {
                scanned: patient.mrn.clone(),
            };
        }
    }
}
