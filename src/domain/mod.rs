//! The ward's words and rules: types, operations, refusals, and [`decide`].
//!
//! This part knows nothing of databases, terminals, clocks or runtimes; whatever it needs of them is
//! passed in. Every business rule of ValMed stands here and nowhere else.

pub mod allergy;
pub mod board;
pub mod clock_time;
pub mod cupboard;
pub mod decide;
pub mod ids;
pub mod ledger;
pub mod lots;
pub mod mar;
pub mod operation;
pub mod people;
pub mod policy;
pub mod prescribed;
pub mod prescribing;
pub mod quantity;
pub mod reason;
pub mod refusal;
pub mod report;
pub mod scan;
pub mod schedule;
pub mod shelf;
pub mod snapshot;
pub mod supply;
pub mod text;
pub mod vocabulary;
pub mod words;

pub use ids::{
    AdministrationId, CountId, DiscrepancyId, DrugId, OpId, OrderId, PatientId, PrescriptionId,
    TransferId, UserId, WardId,
};
pub use operation::{
    Correction, Giving, Helped, NotGiven, Operation, Outcome, Receipt, Request, Why,
};
pub use people::{Access, Actor, Role, Wards};
pub use policy::Policy;
pub use quantity::Quantity;
pub use reason::{Reason, ReasonKind};
pub use refusal::Refusal;
pub use schedule::Schedule;
pub use vocabulary::{
    GivingOutcome, LedgerReason, OrderKind, OrderStatus, Priority, Restock, WardKind, Warned,
};
