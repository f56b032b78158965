//! What an import reads and writes: each a statement for a whole batch of rows.
//!
//! Which rows are new, and what may change in one that is known, is not decided here.

mod people;
mod places;
mod prescriptions;

pub use people::{
    KnownPatient, KnownUser, NewPatient, NewUser, PatientChange, UserName, add_patients, add_users,
    follow_patients, patients, rename_users, update_patients, users,
};
pub use places::{
    DrugChange, KnownDrug, KnownPage, KnownWard, NewDrug, NewNdc, NewPage, NewWard, Threshold,
    add_drugs, add_ndcs, add_pages, add_wards, drugs, open_pages, pages, set_thresholds,
    update_drugs, update_wards, wards,
};
pub use prescriptions::{
    KnownPrescription, OpenOrder, PrescriptionRecord, Reopening, StaleOrder, add_prescriptions,
    change_orders, close_orders, known_prescriptions, open_orders, reopen_orders,
    update_prescriptions,
};
