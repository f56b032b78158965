//! What people ask the desk for, and what it answers.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::cupboard::{Levels, Lot, Resolution, Verdict};
use super::prescribing::{Admit, Prescribe};
use super::scan::Gtin;
use super::{
    AdministrationId, CountId, DiscrepancyId, DrugId, GivingOutcome, LedgerReason, OpId, OrderId,
    PatientId, PrescriptionId, Quantity, Reason, Refusal, Restock, TransferId, UserId, WardId,
    Warned,
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
    Fulfil(Giving),
    /// Record that a dose was not given: held, refused, not available.
    NotGiven(NotGiven),
    /// Take an entry back that was wrong, by an entry that reverses it.
    Correct(Correction),
    /// Record whether an as-needed dose helped.
    NoteEffect(Helped),
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
    /// Say that packages with this number hold this drug.
    BindCode {
        /// The drug.
        drug: DrugId,
        /// The number on the package.
        gtin: Gtin,
        /// Although it belongs to another entry of the formulary too.
        beside: bool,
    },
    /// Say that packages with this number do not hold this drug.
    ReleaseCode {
        /// The drug.
        drug: DrugId,
        /// The number on the package.
        gtin: Gtin,
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

/// What is asked when a dose is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Giving {
    /// The dose.
    pub order: OrderId,
    /// The version of the order that was on the screen.
    pub version: i64,
    /// The medical record number read from the patient's wristband or typed by the nurse.
    pub identified: String,
    /// How much, where the prescription leaves a range; `None` gives the prescribed dose.
    pub amount: Option<Quantity>,
    /// When it was given (UTC), where that was not just now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_at: Option<Timestamp>,
    /// The reasons that it needs.
    #[serde(default, skip_serializing_if = "Why::is_empty")]
    pub why: Why,
}

impl Giving {
    /// The prescribed dose, just now, with nothing to be explained.
    pub fn of(order: OrderId, version: i64, identified: impl Into<String>) -> Giving {
        Giving {
            order,
            version,
            identified: identified.into(),
            amount: None,
            given_at: None,
            why: Why::default(),
        }
    }
}

/// The reasons that come with a dose.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Why {
    /// What an as-needed dose is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub indication: Option<Reason>,
    /// Why it is entered later than it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub back_entry: Option<Reason>,
    /// Why it is given although the desk warns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warned: Option<Reason>,
    /// The warnings that this answers: those that were on the screen. A reason for one is none for another.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub despite: Vec<Warned>,
}

impl Why {
    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        *self == Why::default()
    }
}

/// What is asked when a dose is not given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotGiven {
    /// The dose.
    pub order: OrderId,
    /// The version of the order that was on the screen.
    pub version: i64,
    /// Held, refused or not available.
    pub outcome: GivingOutcome,
    /// Why.
    pub reason: Reason,
    /// When a held dose comes back (UTC); `None`: it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// What is asked when an entry is taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correction {
    /// The entry.
    pub administration: AdministrationId,
    /// Why it was wrong.
    pub reason: Reason,
    /// What becomes of the stock; of an entry that took none, nothing.
    pub stock: Restock,
    /// Whether the dose is to be given after all.
    pub reopen: bool,
}

/// What is asked when somebody says whether a dose helped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Helped {
    /// The dose.
    pub administration: AdministrationId,
    /// What came of it.
    pub effect: Reason,
}

impl Request {
    /// The word under which the operation is remembered.
    pub const fn kind(&self) -> &'static str {
        match self {
            Request::Fulfil(_) => "fulfil",
            Request::NotGiven(_) => "not_given",
            Request::Correct(_) => "correct",
            Request::NoteEffect(_) => "effect",
            Request::Discontinue { .. } => "discontinue",
            Request::Receive { .. } => "receive",
            Request::Prescribe(_) => "prescribe",
            Request::DiscontinuePrescription { .. } => "discontinue_prescription",
            Request::Admit(_) => "admit",
            Request::Move { .. } => "move",
            Request::Discharge { .. } => "discharge",
            Request::Allergies { .. } => "allergies",
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
            Request::BindCode { .. } => "bind_code",
            Request::ReleaseCode { .. } => "release_code",
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
            | Request::BindCode { drug, .. }
            | Request::ReleaseCode { drug, .. }
            | Request::SetLevels { drug, .. } => vec![*drug],
            Request::Return { what, .. }
            | Request::Waste { what, .. }
            | Request::Adjust { what, .. } => vec![what.drug],
            Request::Prescribe(ask) => vec![ask.drug],
            _ => Vec::new(),
        }
    }

    /// The ward that it names itself.
    pub fn ward(&self) -> Option<WardId> {
        match self {
            Request::Receive { ward, .. }
            | Request::Emergency { ward, .. }
            | Request::Send { source: ward, .. }
            | Request::Count { ward, .. }
            | Request::SetLevels { ward, .. } => Some(*ward),
            Request::Return { what, .. }
            | Request::Waste { what, .. }
            | Request::Adjust { what, .. } => Some(what.ward),
            Request::Admit(ask) => Some(ask.ward),
            _ => None,
        }
    }

    /// What it is about, for the audit.
    pub fn about(&self) -> String {
        match self {
            Request::Fulfil(Giving { order, .. })
            | Request::NotGiven(NotGiven { order, .. })
            | Request::Discontinue { order, .. } => format!("order {order}"),
            Request::Correct(Correction { administration, .. })
            | Request::NoteEffect(Helped { administration, .. }) => {
                format!("administration {administration}")
            }
            Request::Prescribe(ask) => format!("drug {} for patient {}", ask.drug, ask.patient),
            Request::DiscontinuePrescription { prescription, .. } => {
                format!("prescription {prescription}")
            }
            // A number that somebody typed is not written down: it may be anybody's.
            Request::Admit(ask) => format!("ward {}", ask.ward),
            Request::Move { patient, .. }
            | Request::Discharge { patient, .. }
            | Request::Allergies { patient, .. } => format!("patient {patient}"),
            Request::Emergency { ward, reason } => {
                format!("ward {ward} ({}: {})", reason.code, reason.text)
            }
            Request::EndEmergency { access } => format!("emergency access {access}"),
            Request::Arrive { transfer, .. } => format!("transfer {transfer}"),
            Request::ResolveTransfer { discrepancy, .. }
            | Request::Explain { discrepancy, .. }
            | Request::ResolveCount { discrepancy, .. } => format!("discrepancy {discrepancy}"),
            Request::Recall { drug, lot, .. } => format!("drug {drug} lot {lot}"),
            Request::BindCode { drug, gtin, .. } | Request::ReleaseCode { drug, gtin } => {
                format!("drug {drug} code {gtin}")
            }
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
            Request::Fulfil(Giving { order, .. })
            | Request::NotGiven(NotGiven { order, .. })
            | Request::Discontinue { order, .. } => Some(*order),
            _ => None,
        }
    }

    /// The entry of the log that it is about, if it is about one.
    pub const fn administration(&self) -> Option<AdministrationId> {
        match self {
            Request::Correct(Correction { administration, .. })
            | Request::NoteEffect(Helped { administration, .. }) => Some(*administration),
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
    /// A dose was recorded as not given.
    NotGiven {
        /// The record.
        administration: AdministrationId,
        /// The dose.
        order: OrderId,
        /// Held, refused or not available.
        outcome: GivingOutcome,
        /// When it comes back (UTC).
        until: Option<Timestamp>,
        /// When it was recorded (UTC).
        at: Timestamp,
    },
    /// An entry was taken back.
    Corrected {
        /// The entry that reverses it.
        administration: AdministrationId,
        /// The entry that was wrong.
        corrected: AdministrationId,
        /// Its dose.
        order: OrderId,
        /// Where.
        ward: WardId,
        /// What.
        drug: DrugId,
        /// What the entry had taken from the stock; zero where nothing was given.
        quantity: Quantity,
        /// What became of that.
        stock: Restock,
        /// Whether the dose is to be given again.
        reopened: bool,
        /// When (UTC).
        at: Timestamp,
    },
    /// The effect of a dose was recorded.
    EffectNoted {
        /// The dose.
        administration: AdministrationId,
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
    /// Packages with a number hold a drug.
    CodeBound {
        /// The drug.
        drug: DrugId,
        /// The number.
        gtin: Gtin,
        /// When (UTC).
        at: Timestamp,
    },
    /// Packages with a number do not hold a drug any more.
    CodeReleased {
        /// The drug.
        drug: DrugId,
        /// The number.
        gtin: Gtin,
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
    /// The rows of the register that it speaks of, in their order; none: it moved no stock.
    pub fn in_register(&self) -> Vec<InRegister> {
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
        let one = match self {
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
            Receipt::Corrected {
                administration,
                order,
                ward,
                drug,
                quantity,
                stock,
                at,
                ..
            } => {
                let begins = format!("{administration} {order} ");
                let back = row(ward, drug, *quantity, at, begins.clone());
                let gone = row(ward, drug, -*quantity, at, begins);
                let gone = gone.filter(|_| *stock == Restock::WrittenOff);
                return back.into_iter().chain(gone).collect();
            }
            Receipt::NotGiven { .. }
            | Receipt::EffectNoted { .. }
            | Receipt::EmergencyBegun { .. }
            | Receipt::EmergencyEnded { .. }
            | Receipt::Discontinued { .. }
            | Receipt::Resolved { .. }
            | Receipt::Counted { .. }
            | Receipt::Recalled { .. }
            | Receipt::CodeBound { .. }
            | Receipt::CodeReleased { .. }
            | Receipt::LevelsSet { .. }
            | Receipt::Prescribed { .. }
            | Receipt::PrescriptionDiscontinued { .. }
            | Receipt::Admitted { .. }
            | Receipt::Moved { .. }
            | Receipt::Discharged { .. }
            | Receipt::AllergiesRecorded { .. } => None,
        };
        one.into_iter().collect()
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
