//! Accounts and patients.

use std::collections::HashMap;

use uuid::Uuid;

use super::{Context, Done, Import, words};
use crate::domain::PatientId;
use crate::domain::text::name_key;
use crate::interop::fault::{Fault, Reason};
use crate::interop::records::Entry;
use crate::interop::rows::{PatientRow, Row, UserRow};
use crate::store::import::{
    self as table, KnownPatient, NewPatient, NewUser, PatientChange, UserName,
};
use crate::store::{Day, Link, StoreError};

impl Import for UserRow {
    /// A known account keeps its role and wards: who may do what is set here, by name and with an audit row, and an
    /// old file must not give somebody their old rights back.
    async fn take(
        mut link: Link<'_>,
        context: &Context<'_>,
        rows: &[Entry<Self>],
    ) -> Result<Done, StoreError> {
        let (mut done, mut added, mut renamed) = (Done::default(), Vec::new(), Vec::new());
        for entry in rows {
            let row = &entry.row;
            let wards = match context.references.ward_list(&row.wards) {
                Ok(wards) => wards,
                Err(reason) => {
                    done.rejects.push(entry.reject("wards", &row.wards, reason));
                    continue;
                }
            };
            let Ok(known) = context.references.user(&row.username) else {
                added.push(NewUser {
                    username: row.username.clone(),
                    name: row.name.clone(),
                    role: row.role,
                    every: wards.is_empty(),
                    wards: wards.into_iter().collect(),
                });
                continue;
            };
            let same_role = row.role == known.role;
            let same_wards = context.references.ward_list(&known.wards) == Ok(wards);
            let kept = [
                ("role", same_role, row.role.as_str(), known.role.as_str()),
                (
                    "wards",
                    same_wards,
                    row.wards.as_str(),
                    known.wards.as_str(),
                ),
            ];
            for (column, _, found, here) in kept.into_iter().filter(|(_, same, ..)| !same) {
                let (value, recorded) = (found.to_owned(), here.to_owned());
                done.notes.push(Fault {
                    file: Self::FILE,
                    line: entry.line,
                    column,
                    value: value.clone(),
                    reason: Reason::Kept { value, recorded },
                });
            }
            if row.name == known.name {
                done.same += 1;
            } else {
                renamed.push(UserName {
                    id: known.id,
                    name: row.name.clone(),
                });
            }
        }
        done.new = added.len() as u64;
        done.changed = renamed.len() as u64;
        table::add_users(link.lend(), &added, context.now.into()).await?;
        table::rename_users(link, &renamed).await?;
        Ok(done)
    }
}

impl Import for PatientRow {
    /// A patient is a number and a birth date. Everything else may change, and open orders follow to the ward where
    /// the patient lies now.
    async fn take(
        mut link: Link<'_>,
        context: &Context<'_>,
        rows: &[Entry<Self>],
    ) -> Result<Done, StoreError> {
        let mrns = rows.iter().map(|entry| entry.row.mrn.clone()).collect();
        let known: HashMap<String, KnownPatient> = table::patients(link.lend(), mrns)
            .await?
            .into_iter()
            .map(|patient| (patient.mrn.clone(), patient))
            .collect();
        let (mut done, mut added, mut changed) = (Done::default(), Vec::new(), Vec::new());
        for entry in rows {
            let row = &entry.row;
            let ward = match context.references.ward(&row.ward) {
                Ok(ward) => ward,
                Err(reason) => {
                    done.rejects.push(entry.reject("ward", &row.ward, reason));
                    continue;
                }
            };
            let Some(known) = known.get(&row.mrn) else {
                added.push(NewPatient {
                    id: PatientId(Uuid::now_v7()),
                    mrn: row.mrn.clone(),
                    name: row.name.clone(),
                    key: name_key(&row.name),
                    born: Day(row.birth_date),
                    ward: ward.id,
                    bed: row.bed.clone(),
                    allergies: row.allergies.clone().unwrap_or_default(),
                });
                continue;
            };
            if known.birth_date.0 != row.birth_date {
                let reason = Reason::Identity {
                    found: row.birth_date.to_string(),
                    recorded: known.birth_date.0.to_string(),
                };
                let reject = entry.reject("birth_date", row.birth_date.to_string(), reason);
                done.rejects.push(reject);
                continue;
            }
            // Whoever was discharged here is admitted here: an old file must not bring them back, without anything to get.
            if known.discharged_at.is_some() {
                let (value, recorded) = (ward.code.clone(), "discharged".to_owned());
                done.notes.push(Fault {
                    file: Self::FILE,
                    line: entry.line,
                    column: "ward",
                    value: value.clone(),
                    reason: Reason::Kept { value, recorded },
                });
                done.same += 1;
                continue;
            }
            // A file without the column says nothing about allergies, least of all that there are none.
            let allergies = row.allergies.as_ref().unwrap_or(&known.allergies);
            let moved = ward.id != known.ward_id;
            let signed = words(&[
                ("name", row.name != known.name),
                ("allergies", *allergies != known.allergies),
            ]);
            if !moved && signed.is_empty() && row.bed == known.bed {
                done.same += 1;
                continue;
            }
            changed.push(PatientChange {
                id: known.id,
                name: row.name.clone(),
                key: name_key(&row.name),
                ward: ward.id,
                bed: row.bed.clone(),
                allergies: allergies.clone(),
                change: change(moved, &ward.name, &signed),
            });
        }
        done.new = added.len() as u64;
        done.changed = changed.len() as u64;
        table::add_patients(link.lend(), &added).await?;
        table::update_patients(link.lend(), &changed, context.now.into()).await?;
        changed.retain(|patient| !patient.change.is_empty());
        table::follow_patients(link, &changed, context.now.into()).await?;
        Ok(done)
    }
}

/// What an open order says about it; empty where nothing that a nurse signs has changed (another bed).
fn change(moved: bool, ward: &str, signed: &str) -> String {
    match (moved, signed.is_empty()) {
        (false, true) => String::new(),
        (true, true) => format!("the patient moved to {ward}"),
        (false, false) => format!("the patient's {signed} changed"),
        (true, false) => format!("the patient moved to {ward}; {signed} changed"),
    }
}
