//! Why the desk says no. Each refusal has a code that programs can rely on, and words that a person can act on:
//! what happened, that nothing was recorded, and what to do.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{AdministrationId, OpId, OrderId, OrderStatus, PrescriptionId, Quantity, Role, Warned};

/// A business rule said no. Nothing was recorded but an audit row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "refusal", rename_all = "snake_case")]
pub enum Refusal {
    /// There is no such order.
    #[error("There is no order {order}.")]
    OrderNotFound {
        /// As it was asked for.
        order: OrderId,
    },
    /// Somebody accounted for the dose already.
    #[error("This dose was already {what} by {by} at {}.", when(.at))]
    OrderAlreadyCompleted {
        /// What was recorded: given, or why not.
        #[serde(default = "given")]
        what: String,
        /// The name of who recorded it.
        by: String,
        /// When it was completed (UTC).
        at: Timestamp,
    },
    /// The order is not in a state from which this can be done.
    #[error("This dose is {status}{}{}.", by.as_deref().map(|b| format!(" by {b}")).unwrap_or_default(), why(.reason))]
    InvalidStatusTransition {
        /// Where it stands.
        status: OrderStatus,
        /// Who brought it there; `None`: the prescription's own end.
        by: Option<String>,
        /// When (UTC), if that is known.
        at: Option<Timestamp>,
        /// The reason that was given.
        reason: String,
    },
    /// The drug does not exist, or the ward does not stock it.
    #[error("{ward} does not stock {drug}.")]
    DrugNotFound {
        /// The ward's name.
        ward: String,
        /// The drug, or what was asked for.
        drug: String,
    },
    /// There is not enough.
    #[error("{ward} holds {available} {unit} of {drug}; this needs {needed}.")]
    InsufficientStock {
        /// The ward's name.
        ward: String,
        /// The drug.
        drug: String,
        /// Its stock unit.
        unit: String,
        /// What the operation would take.
        needed: Quantity,
        /// What there is.
        available: Quantity,
    },
    /// There would be enough, but part of it may not be used.
    #[error("Of the {drug} in {ward}, {}; {usable} {unit} can be used, and this needs {needed}.", kept_back(*.expired, *.recalled, .unit))]
    StockBlocked {
        /// The ward's name.
        ward: String,
        /// The drug.
        drug: String,
        /// Its stock unit.
        unit: String,
        /// What the operation would take.
        needed: Quantity,
        /// What may be used.
        usable: Quantity,
        /// What is past its expiry.
        expired: Quantity,
        /// What is recalled.
        recalled: Quantity,
    },
    /// There is no such thing.
    #[error("There is no {what}.")]
    NotFound {
        /// As it was asked for.
        what: String,
    },
    /// Somebody has done it already.
    #[error("{what} by {by} at {}.", when(.at))]
    AlreadyDone {
        /// What was done, as the beginning of a sentence.
        what: String,
        /// The name of who did it.
        by: String,
        /// When (UTC).
        at: Timestamp,
    },
    /// Stock was booked while it was counted: nobody can say whether that was counted too.
    #[error("{}", moved(.drug, *.bookings))]
    CountStale {
        /// The drug.
        drug: String,
        /// How many rows its register has got since the counting began.
        bookings: i64,
    },
    /// Levels that are not what was on the screen any more.
    #[error("The levels of {drug} were changed: threshold {threshold}, par {par}.")]
    LevelsChanged {
        /// The drug.
        drug: String,
        /// What it is now.
        threshold: Quantity,
        /// What it is now.
        par: Quantity,
    },
    /// A quantity that no stock can change by.
    #[error("{quantity} is not a quantity that can be booked: {why}.")]
    InvalidStockQuantity {
        /// As it was asked for.
        quantity: Quantity,
        /// What is wrong with it.
        why: String,
    },
    /// Role, ward or account do not allow it.
    #[error("{who} may not {action}: {why}.")]
    InsufficientPermissions {
        /// The person's name.
        who: String,
        /// What they asked for, as a verb.
        action: String,
        /// Which rule says no.
        why: String,
    },
    /// The desk warns, and nobody has said why it should be done all the same.
    #[error("This needs a reason: {}.", missing.join("; "))]
    ReasonRequired {
        /// Each thing that needs one, in words.
        missing: Vec<String>,
        /// The warnings among them.
        warned: Vec<Warned>,
    },
    /// There is no such entry in the log.
    #[error("There is no administration {administration}.")]
    AdministrationNotFound {
        /// As it was asked for.
        administration: AdministrationId,
    },
    /// The entry is not one that can be changed any more.
    #[error("This entry cannot be changed: {why}.")]
    EntryClosed {
        /// Why.
        why: String,
    },
    /// A second person has to see this and sign too.
    #[error("{what} needs a witness.")]
    WitnessRequired {
        /// What is to be done, as the beginning of a sentence.
        what: String,
    },
    /// The second person cannot be the witness.
    #[error("{who} cannot be the witness: {why}.")]
    WitnessNotValid {
        /// Their name.
        who: String,
        /// Which rule says no.
        why: String,
    },
    /// Something in the request does not make sense.
    #[error("{field}: {why}.")]
    InvalidData {
        /// Which part.
        field: String,
        /// What is wrong with it.
        why: String,
    },
    /// The wristband belongs to somebody else, or to nobody.
    #[error("{identified} is not this patient's number{}.", belongs_to.as_deref().map(|n| format!(": it belongs to {n}")).unwrap_or_default())]
    WrongPatient {
        /// What was scanned or typed.
        identified: String,
        /// Whose it is, where that is known.
        belongs_to: Option<String>,
    },
    /// As-needed drug: the last dose is too recent, or the day's maximum is reached.
    #[error("Too soon: {why}.")]
    TooSoon {
        /// Which limit, with its numbers.
        why: String,
        /// From when on it may be given (UTC).
        not_before: Timestamp,
    },
    /// The order changed since it was on the screen.
    #[error("The order was changed{}: {change}.", by.as_deref().map(|b| format!(" by {b}")).unwrap_or_default())]
    Stale {
        /// What changed.
        change: String,
        /// By whom; `None`: by the import or the schedule.
        by: Option<String>,
        /// When (UTC).
        at: Timestamp,
    },
    /// There is no such patient.
    #[error("There is no patient {patient}.")]
    PatientNotFound {
        /// As they were asked for.
        patient: String,
    },
    /// The patient has left.
    #[error("{name} was discharged at {}.", when(.at))]
    PatientDischarged {
        /// Who.
        name: String,
        /// When (UTC).
        at: Timestamp,
    },
    /// The patient's record changed since it was on the screen.
    #[error("The record of {name} was changed{}: {change}.", by.as_deref().map(|b| format!(" by {b}")).unwrap_or_default())]
    PatientChanged {
        /// Whose.
        name: String,
        /// What changed.
        change: String,
        /// By whom; `None`: by the import.
        by: Option<String>,
        /// When (UTC).
        at: Timestamp,
    },
    /// Somebody who is here has the number.
    #[error("Number {mrn} belongs to {name}, who is here.")]
    PatientNumberTaken {
        /// The number.
        mrn: String,
        /// Whose it is.
        name: String,
    },
    /// There is no such prescription.
    #[error("There is no prescription {prescription}.")]
    PrescriptionNotFound {
        /// As it was asked for.
        prescription: PrescriptionId,
    },
    /// The prescription has ended.
    #[error("The prescription of {title} has ended{}{}.", by.as_deref().map(|b| format!(", by {b}")).unwrap_or_default(), why(.reason))]
    PrescriptionEnded {
        /// Of what.
        title: String,
        /// Who ended it; `None`: its own time.
        by: Option<String>,
        /// When (UTC), if that is known.
        at: Option<Timestamp>,
        /// The reason that was given; may be empty.
        reason: String,
    },
    /// The prescription changed since it was on the screen.
    #[error("The prescription of {title} was changed.")]
    PrescriptionChanged {
        /// Of what.
        title: String,
    },
    /// The desk warns of a prescription, and nobody said why it is written all the same.
    #[error("{patient}: {warnings}.")]
    PrescriptionWarning {
        /// For whom.
        patient: String,
        /// Of what the desk warns.
        warnings: String,
    },
    /// The same operation id was used for something else.
    #[error("Operation {op} was already used for something else.")]
    DuplicateOperation {
        /// The id.
        op: OpId,
    },
    /// The desk has more work than it can take.
    #[error("The system is busy.")]
    Busy,
    /// The database cannot be reached. Known not to have happened.
    #[error("The database cannot be reached.")]
    Unavailable,
    /// The database or program failed in a way that no rule foresees; the log says more.
    #[error("Something went wrong inside ValMed: {what}.")]
    Internal {
        /// For the person to pass on; holds no data.
        what: String,
    },
}

/// Before doses could be recorded as not given there was nothing else to say.
fn given() -> String {
    "given".to_owned()
}

fn kept_back(expired: Quantity, recalled: Quantity, unit: &str) -> String {
    let parts = [(expired, "expired"), (recalled, "are recalled")];
    let told = parts.iter().filter(|(quantity, _)| quantity.is_positive());
    let told: Vec<String> = told.map(|(q, what)| format!("{q} {unit} {what}")).collect();
    told.join(" and ")
}

fn moved(drug: &str, bookings: i64) -> String {
    match bookings {
        1 => format!("The register of {drug} got a row while it was counted."),
        n if n > 1 => format!("The register of {drug} got {n} rows while it was counted."),
        _ => format!("The register of {drug} is not the one that the count is about."),
    }
}

fn why(reason: &str) -> String {
    if reason.is_empty() {
        String::new()
    } else {
        format!(": {reason}")
    }
}

/// Refusals are read by programs and people far from the ward's clock: UTC, said so. Screens show local time.
fn when(at: &Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

impl Refusal {
    /// The code, as the system that ValMed succeeds had it where it had one.
    pub const fn code(&self) -> &'static str {
        match self {
            Refusal::OrderNotFound { .. } => "ORDER_NOT_FOUND",
            Refusal::OrderAlreadyCompleted { .. } => "ORDER_ALREADY_COMPLETED",
            Refusal::InvalidStatusTransition { .. } => "INVALID_STATUS_TRANSITION",
            Refusal::DrugNotFound { .. } => "DRUG_NOT_FOUND",
            Refusal::InsufficientStock { .. } => "INSUFFICIENT_STOCK",
            Refusal::StockBlocked { .. } => "STOCK_BLOCKED",
            Refusal::NotFound { .. } => "NOT_FOUND",
            Refusal::AlreadyDone { .. } => "ALREADY_DONE",
            Refusal::CountStale { .. } => "COUNT_STALE",
            Refusal::LevelsChanged { .. } => "LEVELS_CHANGED",
            Refusal::InvalidStockQuantity { .. } => "INVALID_STOCK_QUANTITY",
            Refusal::InsufficientPermissions { .. } => "INSUFFICIENT_PERMISSIONS",
            Refusal::ReasonRequired { .. } => "REASON_REQUIRED",
            Refusal::AdministrationNotFound { .. } => "ADMINISTRATION_NOT_FOUND",
            Refusal::EntryClosed { .. } => "ENTRY_CLOSED",
            Refusal::WitnessRequired { .. } => "WITNESS_REQUIRED",
            Refusal::WitnessNotValid { .. } => "WITNESS_NOT_VALID",
            Refusal::InvalidData { .. } => "INVALID_DATA",
            Refusal::WrongPatient { .. } => "WRONG_PATIENT",
            Refusal::TooSoon { .. } => "TOO_SOON",
            Refusal::Stale { .. } => "STALE",
            Refusal::PatientNotFound { .. } => "PATIENT_NOT_FOUND",
            Refusal::PatientDischarged { .. } => "PATIENT_DISCHARGED",
            Refusal::PatientChanged { .. } | Refusal::PrescriptionChanged { .. } => "STALE",
            Refusal::PatientNumberTaken { .. } => "PATIENT_NUMBER_TAKEN",
            Refusal::PrescriptionNotFound { .. } => "PRESCRIPTION_NOT_FOUND",
            Refusal::PrescriptionEnded { .. } => "PRESCRIPTION_ENDED",
            Refusal::PrescriptionWarning { .. } => "PRESCRIPTION_WARNING",
            Refusal::DuplicateOperation { .. } => "DUPLICATE_OPERATION",
            Refusal::Busy => "BUSY",
            Refusal::Unavailable => "UNAVAILABLE",
            Refusal::Internal { .. } => "INTERNAL",
        }
    }

    /// What to do now, as one sentence.
    pub const fn advice(&self) -> &'static str {
        match self {
            Refusal::OrderNotFound { .. } => {
                "Check the order number, or pick the dose from the queue."
            }
            Refusal::OrderAlreadyCompleted { .. } => {
                "Do not give it again; the log shows what was given."
            }
            Refusal::InvalidStatusTransition { .. } => {
                "Do not give it; ask the prescriber if it is still needed."
            }
            Refusal::DrugNotFound { .. } => "Ask the pharmacy to stock the drug here.",
            Refusal::InsufficientStock { .. } => "Ask the pharmacy for stock, then sign again.",
            Refusal::StockBlocked { .. } => {
                "Set aside what may not be used, and ask the pharmacy for stock."
            }
            Refusal::NotFound { .. } => "Check the number, or pick it from the list.",
            Refusal::AlreadyDone { .. } => "Look at it again; nothing is left to do here.",
            Refusal::CountStale { .. } => "Count it again.",
            Refusal::LevelsChanged { .. } => "Look at them again, then sign what shall be.",
            Refusal::InvalidStockQuantity { .. } => "Correct the quantity.",
            Refusal::InsufficientPermissions { .. } => "Ask somebody who may, or a supervisor.",
            Refusal::ReasonRequired { .. } => "Choose a reason, then sign again.",
            Refusal::AdministrationNotFound { .. } => "Pick the entry from the log.",
            Refusal::EntryClosed { .. } => "Look at the log, or ask a supervisor.",
            Refusal::WitnessRequired { .. } => "Ask a colleague to see it and sign too.",
            Refusal::WitnessNotValid { .. } => "Ask another colleague to see it and sign too.",
            Refusal::InvalidData { .. } => "Correct it and try again.",
            Refusal::WrongPatient { .. } => "Check the patient in front of you, then the order.",
            Refusal::TooSoon { .. } => "Wait, or ask the prescriber.",
            Refusal::Stale { .. } => "Look at the order again, then sign what it says now.",
            Refusal::PatientNotFound { .. } => "Check the number, or look the patient up by name.",
            Refusal::PatientDischarged { .. } => "Admit the patient again first, if they are back.",
            Refusal::PatientChanged { .. } => "Look at the patient again, then sign.",
            Refusal::PatientNumberTaken { .. } => "Check the number on the wristband.",
            Refusal::PrescriptionNotFound { .. } => {
                "Pick the prescription from the patient's record."
            }
            Refusal::PrescriptionEnded { .. } => "There is nothing left to end.",
            Refusal::PrescriptionChanged { .. } => "Look at the prescription again, then sign.",
            Refusal::PrescriptionWarning { .. } => {
                "Prescribe something else, or say why it is prescribed all the same."
            }
            Refusal::DuplicateOperation { .. } => "Start again with a new operation id.",
            Refusal::Busy => "Wait a moment, then sign again.",
            Refusal::Unavailable => {
                "Tell whoever runs the server; use the downtime sheet meanwhile."
            }
            Refusal::Internal { .. } => "Tell whoever runs the server; the log says more.",
        }
    }

    /// The whole message: what happened, that nothing was recorded, what to do.
    pub fn message(&self) -> String {
        format!("{self} Nothing was recorded. {}", self.advice())
    }

    /// Whether it says something about the moment, not about the request, so that it is not remembered
    /// under the operation id: the same operation may be sent again.
    pub const fn is_passing(&self) -> bool {
        matches!(
            self,
            Refusal::Busy | Refusal::Unavailable | Refusal::Internal { .. }
        )
    }

    /// The role matrix's sentence for a missing role.
    pub fn needs_role(who: &str, role: Role, action: &str, needs: &str) -> Refusal {
        Refusal::InsufficientPermissions {
            who: who.to_owned(),
            action: action.to_owned(),
            why: format!("that is for a {needs}, and {who} is signed in as {role}"),
        }
    }
}

#[cfg(test)]
mod tests {
    /// Programs go by the codes: each that there is stands in the README, found where it is made.
    #[test]
    fn the_readme_says_what_each_code_means() {
        let readme = include_str!("../../README.md");
        let here = include_str!("refusal.rs");
        let made = here
            .split_once("pub const fn code(")
            .and_then(|(_, rest)| rest.split_once("\n    }\n"));
        let (made, _) = made.unwrap();
        let codes: Vec<&str> = made
            .split('"')
            .filter(|part| {
                !part.is_empty() && part.chars().all(|c| c == '_' || c.is_ascii_uppercase())
            })
            .collect();
        assert!(codes.len() > 25, "{codes:?}");
        for code in codes {
            assert!(
                readme.contains(&format!("`{code}`")),
                "{code} is not in the README"
            );
        }
    }
}
