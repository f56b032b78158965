//! What people ask the desk for, and what it answers.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::prescribing::{Admit, Prescribe};
use super::{
    AdministrationId, DrugId, OpId, OrderId, PatientId, PrescriptionId, Quantity, Reason, Refusal,
    UserId, WardId,
};

/// One thing one person asks for. Its id is made once, before it is first sent: whoever sends it again,
/// for whatever reason, gets the first outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// Made by the asker (UUIDv7).
    pub id: OpId,
    /// Who asks: an identity that the session has verified.
    pub actor: UserId,
    /// Who saw it and signs too, with their own PIN: an identity that the session has verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub witness: Option<UserId>,
    /// What is asked.
    pub request: Request,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Request {
    /// Give a dose: complete the order, take the stock down, record the administration.
    Fulfil {
        /// The dose.
        order: OrderId,
        /// The version of the order that was on the screen.
        version: i64,
        /// The medical record number read from the patient's wristband or typed by the nurse.
        identified: String,
        /// How much, where the prescription leaves a range; `None` gives the prescribed dose.
        amount: Option<Quantity>,
    },
    /// Stop a dose before it is given.
    Discontinue {
        /// The dose.
        order: OrderId,
        /// The version of the order that was on the screen.
        version: i64,
        /// Why; kept with the order.
        reason: String,
    },
    /// Take stock into a ward from outside the hospital's own wards.
    Receive {
        /// Where to.
        ward: WardId,
        /// Of what.
        drug: DrugId,
        /// How much.
        quantity: Quantity,
        /// The delivery note, or what else proves it.
        reference: String,
    },
    /// Prescribe a drug for a patient.
    Prescribe(Box<Prescribe>),
    /// End a prescription, with all its open doses.
    DiscontinuePrescription {
        /// Which.
        prescription: PrescriptionId,
        /// The version of it that was on the screen.
        version: i64,
        /// Why; kept with the prescription and each dose.
        reason: Reason,
    },
    /// Take a patient in, or back.
    Admit(Box<Admit>),
    /// Move a patient to another ward or bed; open doses follow.
    Move {
        /// Whom.
        patient: PatientId,
        /// The version of their record that was on the screen.
        version: i64,
        /// Where to.
        ward: WardId,
        /// May be empty.
        bed: String,
    },
    /// A patient leaves: prescriptions and open doses end.
    Discharge {
        /// Who.
        patient: PatientId,
        /// The version of their record that was on the screen.
        version: i64,
        /// Why.
        reason: Reason,
    },
    /// Record what a patient is allergic to.
    Allergies {
        /// Who.
        patient: PatientId,
        /// The version of their record that was on the screen.
        version: i64,
        /// All of it, as free text; empty: none recorded.
        allergies: String,
    },
}

impl Request {
    /// The word under which the operation is remembered.
    pub const fn kind(&self) -> &'static str {
        match self {
            Request::Fulfil { .. } => "fulfil",
            Request::Discontinue { .. } => "discontinue",
            Request::Receive { .. } => "receive",
            Request::Prescribe(_) => "prescribe",
            Request::DiscontinuePrescription { .. } => "discontinue_prescription",
            Request::Admit(_) => "admit",
            Request::Move { .. } => "move",
            Request::Discharge { .. } => "discharge",
            Request::Allergies { .. } => "allergies",
        }
    }

    /// The drugs that it names itself.
    pub fn drugs(&self) -> Vec<DrugId> {
        match self {
            Request::Receive { drug, .. } => vec![*drug],
            Request::Prescribe(ask) => vec![ask.drug],
            _ => Vec::new(),
        }
    }

    /// The ward that it names itself.
    pub fn ward(&self) -> Option<WardId> {
        match self {
            Request::Receive { ward, .. } => Some(*ward),
            Request::Admit(ask) => Some(ask.ward),
            _ => None,
        }
    }

    /// What it is about, for the audit.
    pub fn about(&self) -> String {
        match self {
            Request::Fulfil { order, .. } | Request::Discontinue { order, .. } => {
                format!("order {order}")
            }
            Request::Receive { drug, .. } => format!("drug {drug}"),
            Request::Prescribe(ask) => format!("drug {} for patient {}", ask.drug, ask.patient),
            Request::DiscontinuePrescription { prescription, .. } => {
                format!("prescription {prescription}")
            }
            // A number that somebody typed is not written down: it may be anybody's.
            Request::Admit(ask) => format!("ward {}", ask.ward),
            Request::Move { patient, .. }
            | Request::Discharge { patient, .. }
            | Request::Allergies { patient, .. } => format!("patient {patient}"),
        }
    }

    /// The order it is about, if it is about one.
    pub const fn order(&self) -> Option<OrderId> {
        match self {
            Request::Fulfil { order, .. } | Request::Discontinue { order, .. } => Some(*order),
            _ => None,
        }
    }

    /// The patient it is about, where it names one.
    pub fn patient(&self) -> Option<PatientId> {
        match self {
            Request::Prescribe(ask) => Some(ask.patient),
            Request::Move { patient, .. }
            | Request::Discharge { patient, .. }
            | Request::Allergies { patient, .. } => Some(*patient),
            _ => None,
        }
    }

    /// The prescription it is about, where it names one.
    pub const fn prescription(&self) -> Option<PrescriptionId> {
        match self {
            Request::DiscontinuePrescription { prescription, .. } => Some(*prescription),
            _ => None,
        }
    }
}

impl Operation {
    /// What somebody asks for alone.
    pub const fn new(id: OpId, actor: UserId, request: Request) -> Operation {
        Operation {
            id,
            actor,
            witness: None,
            request,
        }
    }

    /// The people who sign it.
    pub fn people(&self) -> impl Iterator<Item = UserId> {
        std::iter::once(self.actor).chain(self.witness)
    }

    /// A digest of who asks for what: the same operation id with another digest is another operation, and refused.
    pub fn digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.actor.0.to_be_bytes());
        // Serialising a closed enum of plain values into memory cannot fail; an empty text would still be compared.
        hash.update(serde_json::to_vec(&self.request).unwrap_or_default());
        // What one person signs is told from what two sign, and keeps the digest that it always had.
        if let Some(witness) = self.witness {
            hash.update(b"witness");
            hash.update(witness.0.to_be_bytes());
        }
        hash.finalize().into()
    }
}

/// What became of an operation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum Outcome {
    /// Done, and on disk.
    Done(Receipt),
    /// Not done: nothing was recorded.
    Refused(Refusal),
    /// The connection was lost around COMMIT and could not be restored in time to find out. The operation id is
    /// the way to ask again later: submitting the same operation answers with what really happened.
    Unknown {
        /// The id to ask by.
        op: OpId,
    },
}

/// Proof of what was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "done", rename_all = "snake_case")]
pub enum Receipt {
    /// A dose was given.
    Given {
        /// The record.
        administration: AdministrationId,
        /// The dose.
        order: OrderId,
        /// Whose stock went down.
        ward: WardId,
        /// Of what.
        drug: DrugId,
        /// How much was taken.
        quantity: Quantity,
        /// What is left in the ward.
        left: Quantity,
        /// When (UTC).
        at: Timestamp,
    },
    /// A dose was stopped.
    Discontinued {
        /// The dose.
        order: OrderId,
        /// When (UTC).
        at: Timestamp,
    },
    /// Stock came in.
    Received {
        /// Where to.
        ward: WardId,
        /// Of what.
        drug: DrugId,
        /// How much.
        quantity: Quantity,
        /// What the ward holds now.
        holds: Quantity,
        /// When (UTC).
        at: Timestamp,
    },
    /// A drug was prescribed.
    Prescribed {
        /// The prescription.
        prescription: PrescriptionId,
        /// For whom.
        patient: PatientId,
        /// Where they lie.
        ward: WardId,
        /// What.
        drug: DrugId,
        /// Doses that stand in the queue at once.
        orders: u32,
        /// When the first of them is due (UTC); `None`: as needed, or not yet within the horizon.
        first: Option<Timestamp>,
        /// When (UTC).
        at: Timestamp,
    },
    /// A prescription was ended.
    PrescriptionDiscontinued {
        /// Which.
        prescription: PrescriptionId,
        /// Doses that ended with it.
        orders: u32,
        /// When (UTC).
        at: Timestamp,
    },
    /// A patient came, or came back.
    Admitted {
        /// Who.
        patient: PatientId,
        /// Where they lie.
        ward: WardId,
        /// They were here before.
        again: bool,
        /// When (UTC).
        at: Timestamp,
    },
    /// A patient was moved.
    Moved {
        /// Who.
        patient: PatientId,
        /// Where they lie now.
        ward: WardId,
        /// Open doses that followed.
        orders: u32,
        /// When (UTC).
        at: Timestamp,
    },
    /// A patient left.
    Discharged {
        /// Who.
        patient: PatientId,
        /// Open doses that ended.
        orders: u32,
        /// Prescriptions that ended.
        prescriptions: u32,
        /// When (UTC).
        at: Timestamp,
    },
    /// Allergies were recorded.
    AllergiesRecorded {
        /// Of whom.
        patient: PatientId,
        /// When (UTC).
        at: Timestamp,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_witness_makes_another_operation_and_nobody_keeps_the_old_digest() {
        let request = Request::Receive {
            ward: WardId(1),
            drug: DrugId(2),
            quantity: Quantity::units(3),
            reference: "note".to_owned(),
        };
        let alone = Operation::new(OpId(Uuid::nil()), UserId(1), request);
        let seen = |by| Operation {
            witness: Some(UserId(by)),
            ..alone.clone()
        };
        assert_ne!(alone.digest(), seen(2).digest());
        assert_ne!(seen(3).digest(), seen(2).digest());
        // As it was before there were witnesses: operations that are remembered must be known again.
        let mut before = Sha256::new();
        before.update(1_i64.to_be_bytes());
        before
            .update(br#"{"kind":"receive","ward":1,"drug":2,"quantity":3000,"reference":"note"}"#);
        assert_eq!(alone.digest(), <[u8; 32]>::from(before.finalize()));
    }
}
