//! Import: six CSV files, read as a stream and checked row by row.
//!
//! A file that comes from another system is never clean. Each row is either taken or named
//! ([`Fault`]: file, line, column, why); one bad row never takes a good one with it. This part knows the
//! files and their rules; what is done with a row is the store's.

pub mod demo;
mod fault;
mod fields;
pub mod hospital;
pub mod import;
mod records;
mod rejects;
mod rows;
mod source;
#[cfg(test)]
mod tests;

pub use fault::{Fault, FileError, Reason};
pub use records::{Entry, Reject, Rows, open};
pub use rejects::{Rejects, safe_cell};
pub use rows::{DrugRow, PatientRow, PrescriptionRow, Row, StockRow, UserRow, WardRow};
pub use source::Source;
