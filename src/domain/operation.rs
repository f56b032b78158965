//! What people ask the desk for, and what it answers.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::cupboard::{Levels, Lot, Resolution, Verdict};
use super::{
    AdministrationId, CountId, DiscrepancyId, DrugId, LedgerReason, OpId, OrderId, Quantity,
    Reason, Refusal, TransferId, UserId, WardId,
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
        /// What stands on the package, where it is written down.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lot: Option<Lot>,
    },
    /// Act for a while in a ward that is not one's own.
    Emergency {
        /// Where.
        ward: WardId,
        /// Why.
        reason: Reason,
    },
    /// End that before its time.
    EndEmergency {
        /// Which: as its receipt named it.
        access: Uuid,
    },
    /// Send stock to another ward: it leaves the source, and is on its way.
    Send {
        /// From where.
        source: WardId,
        /// To where.
        destination: WardId,
        /// Of what.
        drug: DrugId,
        /// How much.
        quantity: Quantity,
        /// What else there is to say; may be empty.
        note: String,
    },
    /// Take a transfer in at its destination, whole or in part.
    #[serde(rename = "receive_transfer")]
    Arrive {
        /// Which.
        transfer: TransferId,
        /// How much of it is there; nothing, where none of it came.
        received: Quantity,
    },
    /// Answer for what is missing of a transfer.
    ResolveTransfer {
        /// The difference.
        discrepancy: DiscrepancyId,
        /// What became of it: returned, found, lost.
        how: Resolution,
        /// Why; needed for what is lost.
        reason: Reason,
    },
    /// Send stock back to where it came from outside the hospital's own wards.
    Return {
        /// What, and how much.
        what: Part,
        /// Why.
        reason: Reason,
    },
    /// Destroy stock.
    Waste {
        /// What, and how much.
        what: Part,
        /// Why.
        reason: Reason,
    },
    /// Set stock right, by so much more or less.
    Adjust {
        /// What, and by how much; less than nothing: there is less.
        what: Part,
        /// Why.
        reason: Reason,
    },
    /// Say what was counted, without having seen what the register says.
    Count {
        /// Where.
        ward: WardId,
        /// Of what.
        drug: DrugId,
        /// The last row of its register page when the counting began: what the count is about.
        seq: i64,
        /// What was counted.
        counted: Quantity,
    },
    /// Explain a difference that was counted twice; it is booked.
    Explain {
        /// The difference.
        discrepancy: DiscrepancyId,
        /// Why.
        reason: Reason,
    },
    /// Answer for a difference of a count.
    ResolveCount {
        /// The difference.
        discrepancy: DiscrepancyId,
        /// Why.
        reason: Reason,
    },
    /// Block a lot everywhere.
    Recall {
        /// Of what.
        drug: DrugId,
        /// Its name.
        lot: String,
        /// Who recalls it, and why.
        reason: String,
    },
    /// Say what a ward should hold of a drug.
    #[serde(rename = "levels")]
    SetLevels {
        /// Where.
        ward: WardId,
        /// Of what.
        drug: DrugId,
        /// What was on the screen.
        was: Levels,
        /// What shall be.
        levels: Levels,
    },
}

/// A part of a ward's stock of a drug.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Where.
    pub ward: WardId,
    /// Of what.
    pub drug: DrugId,
    /// How much.
    pub quantity: Quantity,
    /// Of this lot only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lot: Option<String>,
}

impl Request {
    /// The word under which the operation is remembered.
    pub const fn kind(&self) -> &'static str {
        match self {
            Request::Fulfil { .. } => "fulfil",
            Request::Discontinue { .. } => "discontinue",
            Request::Receive { .. } => "receive",
            Request::Emergency { .. } => "emergency",
            Request::EndEmergency { .. } => "end_emergency",
            Request::Send { .. } => "send",
            Request::Arrive { .. } => "receive_transfer",
            Request::ResolveTransfer { .. } => "resolve_transfer",
            Request::Return { .. } => "return",
            Request::Waste { .. } => "waste",
            Request::Adjust { .. } => "adjust",
            Request::Count { .. } => "count",
            Request::Explain { .. } => "explain",
            Request::ResolveCount { .. } => "resolve_count",
            Request::Recall { .. } => "recall",
            Request::SetLevels { .. } => "levels",
        }
    }

    /// The drugs that it names itself.
    pub fn drugs(&self) -> Vec<DrugId> {
        match self {
            Request::Receive { drug, .. }
            | Request::Send { drug, .. }
            | Request::Count { drug, .. }
            | Request::Recall { drug, .. }
            | Request::SetLevels { drug, .. } => vec![*drug],
            Request::Return { what, .. }
            | Request::Waste { what, .. }
            | Request::Adjust { what, .. } => vec![what.drug],
            _ => Vec::new(),
        }
    }

    /// The ward that it names itself.
    pub const fn ward(&self) -> Option<WardId> {
        match self {
            Request::Receive { ward, .. }
            | Request::Emergency { ward, .. }
            | Request::Send { source: ward, .. }
            | Request::Count { ward, .. }
            | Request::SetLevels { ward, .. } => Some(*ward),
            Request::Return { what, .. }
            | Request::Waste { what, .. }
            | Request::Adjust { what, .. } => Some(what.ward),
            _ => None,
        }
    }

    /// What it is about, for the audit.
    pub fn about(&self) -> String {
        match self {
            Request::Fulfil { order, .. } | Request::Discontinue { order, .. } => {
                format!("order {order}")
            }
            Request::Emergency { ward, reason } => {
                format!("ward {ward} ({}: {})", reason.code, reason.text)
            }
            Request::EndEmergency { access } => format!("emergency access {access}"),
            Request::Arrive { transfer, .. } => format!("transfer {transfer}"),
            Request::ResolveTransfer { discrepancy, .. }
            | Request::Explain { discrepancy, .. }
            | Request::ResolveCount { discrepancy, .. } => format!("discrepancy {discrepancy}"),
            Request::Recall { drug, lot, .. } => format!("drug {drug} lot {lot}"),
            other => {
                let drugs = other.drugs();
                let drugs = drugs.iter().map(|drug| format!("drug {drug}"));
                drugs.collect::<Vec<_>>().join(", ")
            }
        }
    }

    /// The order it is about, if it is about one.
    pub const fn order(&self) -> Option<OrderId> {
        match self {
            Request::Fulfil { order, .. } | Request::Discontinue { order, .. } => Some(*order),
            _ => None,
        }
    }

    /// The difference it is about, if it is about one.
    pub const fn discrepancy(&self) -> Option<DiscrepancyId> {
        match self {
            Request::ResolveTransfer { discrepancy, .. }
            | Request::Explain { discrepancy, .. }
            | Request::ResolveCount { discrepancy, .. } => Some(*discrepancy),
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
    /// Somebody may act in a ward that is not theirs.
    EmergencyBegun {
        /// By this it is ended.
        access: Uuid,
        /// Where.
        ward: WardId,
        /// Until when (UTC).
        until: Timestamp,
    },
    /// They may not any more.
    EmergencyEnded {
        /// Which.
        access: Uuid,
        /// Where.
        ward: WardId,
        /// When (UTC).
        at: Timestamp,
    },
    /// Stock is on its way.
    Sent {
        /// The transfer.
        transfer: TransferId,
        /// From where.
        ward: WardId,
        /// To where.
        destination: WardId,
        /// Of what.
        drug: DrugId,
        /// How much.
        quantity: Quantity,
        /// What is left in the source.
        left: Quantity,
        /// When (UTC).
        at: Timestamp,
    },
    /// A transfer came in.
    Arrived {
        /// The transfer.
        transfer: TransferId,
        /// Where.
        ward: WardId,
        /// Of what.
        drug: DrugId,
        /// How much of it.
        quantity: Quantity,
        /// How much of it did not.
        missing: Quantity,
        /// Under which that waits for somebody to answer for it.
        discrepancy: Option<DiscrepancyId>,
        /// What the ward holds now.
        holds: Quantity,
        /// When (UTC).
        at: Timestamp,
    },
    /// Somebody answered for a difference.
    Resolved {
        /// Which.
        discrepancy: DiscrepancyId,
        /// What became of it.
        how: Resolution,
        /// Where.
        ward: WardId,
        /// Of what.
        drug: DrugId,
        /// How much went into that ward's stock, or is lost.
        quantity: Quantity,
        /// What the ward holds now, where its stock changed.
        holds: Option<Quantity>,
        /// When (UTC).
        at: Timestamp,
    },
    /// Stock was taken out, or set right.
    Booked {
        /// Returned, wasted, adjusted.
        reason: LedgerReason,
        /// Where.
        ward: WardId,
        /// Of what.
        drug: DrugId,
        /// By how much it changed.
        quantity: Quantity,
        /// What the ward holds now.
        holds: Quantity,
        /// When (UTC).
        at: Timestamp,
    },
    /// Something was counted.
    Counted {
        /// The count.
        count: CountId,
        /// Where.
        ward: WardId,
        /// Of what.
        drug: DrugId,
        /// What it came to.
        verdict: Verdict,
        /// When (UTC).
        at: Timestamp,
    },
    /// A difference was explained, and booked.
    Explained {
        /// Which.
        discrepancy: DiscrepancyId,
        /// Where.
        ward: WardId,
        /// Of what.
        drug: DrugId,
        /// By how much the stock changed.
        quantity: Quantity,
        /// What the ward holds now.
        holds: Quantity,
        /// It waits for a supervisor.
        open: bool,
        /// When (UTC).
        at: Timestamp,
    },
    /// A lot is blocked.
    Recalled {
        /// Of what.
        drug: DrugId,
        /// Its name.
        lot: String,
        /// How many wards hold some of it.
        wards: usize,
        /// How much they hold.
        held: Quantity,
        /// When (UTC).
        at: Timestamp,
    },
    /// A ward's levels are set.
    LevelsSet {
        /// Where.
        ward: WardId,
        /// Of what.
        drug: DrugId,
        /// What they are now.
        levels: Levels,
        /// When (UTC).
        at: Timestamp,
    },
}

/// What the register must have of an operation that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InRegister {
    /// Whose page.
    pub ward: WardId,
    /// Which page.
    pub drug: DrugId,
    /// By how much.
    pub delta: Quantity,
    /// When (UTC).
    pub at: Timestamp,
    /// What its reference begins with.
    pub begins: String,
}

impl Receipt {
    /// The row of the register that it speaks of; `None`: it moved no stock.
    pub fn in_register(&self) -> Option<InRegister> {
        let row =
            |ward: &WardId, drug: &DrugId, delta: Quantity, at: &Timestamp, begins: String| {
                (delta != Quantity::ZERO).then_some(InRegister {
                    ward: *ward,
                    drug: *drug,
                    delta,
                    at: *at,
                    begins,
                })
            };
        match self {
            Receipt::Given {
                administration,
                order,
                ward,
                drug,
                quantity,
                at,
                ..
            } => row(
                ward,
                drug,
                -*quantity,
                at,
                format!("{administration} {order} "),
            ),
            Receipt::Received {
                ward,
                drug,
                quantity,
                at,
                ..
            }
            | Receipt::Booked {
                ward,
                drug,
                quantity,
                at,
                ..
            } => row(ward, drug, *quantity, at, String::new()),
            Receipt::Sent {
                transfer,
                ward,
                drug,
                quantity,
                at,
                ..
            } => row(ward, drug, -*quantity, at, format!("transfer {transfer}")),
            Receipt::Arrived {
                transfer,
                ward,
                drug,
                quantity,
                at,
                ..
            } => row(ward, drug, *quantity, at, format!("transfer {transfer}")),
            Receipt::Resolved {
                how: Resolution::Returned | Resolution::Found,
                ward,
                drug,
                quantity,
                at,
                ..
            } => row(ward, drug, *quantity, at, "transfer ".to_owned()),
            Receipt::Explained {
                ward,
                drug,
                quantity,
                at,
                ..
            } => row(ward, drug, *quantity, at, "count ".to_owned()),
            Receipt::EmergencyBegun { .. }
            | Receipt::EmergencyEnded { .. }
            | Receipt::Discontinued { .. }
            | Receipt::Resolved { .. }
            | Receipt::Counted { .. }
            | Receipt::Recalled { .. }
            | Receipt::LevelsSet { .. } => None,
        }
    }
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
            lot: None,
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
