//! The cupboard's operations beside receiving and giving: transfers, what is taken out and set right, counts, lots,
//! levels. What they load and write beside stock and register stands here.

mod count;
mod levels;
mod recall;
mod remove;
mod transfer;

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::permission::{self, Need};
use super::{DrugName, Effects, Loaded, Moment, Stock};
use crate::domain::cupboard::{DiscrepancyStatus, Levels, OfLot, Resolution, TransferStatus};
use crate::domain::quantity::LARGEST;
use crate::domain::reason::{Reason, text_fault};
use crate::domain::{
    Actor, CountId, DiscrepancyId, DrugId, OpId, Operation, Policy, Quantity, Receipt, Refusal,
    Request, TransferId, UserId, WardId,
};

pub use transfer::transfer_reference;

/// Longest note of a transfer, in characters: fits its line.
pub const LONGEST_NOTE: usize = 100;

/// What the cupboard's operations touch beside stock, as loaded and locked.
#[derive(Debug, Clone, Default)]
pub struct Cupboard {
    /// Transfers that were asked for and exist.
    pub transfers: HashMap<TransferId, Transfer>,
    /// Differences that were asked for and exist.
    pub discrepancies: HashMap<DiscrepancyId, Discrepancy>,
    /// Counts that wait to be repeated, of drugs that are counted.
    pub recounts: HashMap<(WardId, DrugId), CountId>,
    /// Differences that wait to be explained, of drugs that are counted: since when, and who found them.
    pub unexplained: HashMap<(WardId, DrugId), (Timestamp, String)>,
    /// Lots that are named, as far as they are known.
    pub lots: HashMap<(DrugId, String), KnownLot>,
    /// Levels that are to be set, as they are.
    pub levels: HashMap<(WardId, DrugId), Levels>,
    /// The zone of the clocks of wards with lots.
    pub zones: HashMap<WardId, TimeZone>,
}

/// A transfer under lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// Of what.
    pub drug: DrugId,
    /// From where.
    pub source: WardId,
    /// To where.
    pub destination: WardId,
    /// How much was sent.
    pub quantity: Quantity,
    /// How much arrived; `None`: it is on its way.
    pub received: Option<Quantity>,
    /// Where it stands.
    pub status: TransferStatus,
    /// Who received it, and when.
    pub receiver: Option<(String, Timestamp)>,
    /// Its lots.
    pub lots: Vec<TransferLot>,
}

/// What a transfer has of a lot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferLot {
    /// Its name.
    pub lot: String,
    /// How much was sent.
    pub sent: Quantity,
    /// How much arrived; `None`: it is on its way.
    pub received: Option<Quantity>,
}

/// A difference under lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discrepancy {
    /// Where.
    pub ward: WardId,
    /// Of what.
    pub drug: DrugId,
    /// How much; less than nothing: missing.
    pub quantity: Quantity,
    /// The transfer of which it is missing.
    pub transfer: Option<TransferId>,
    /// The count that found it.
    pub count: Option<CountId>,
    /// Where it stands.
    pub status: DiscrepancyStatus,
    /// Who answered for it, and when.
    pub settled: Option<(String, Timestamp)>,
}

/// A lot as it is known to the hospital.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownLot {
    /// The last day on which it may be used; `None`: it was recalled before any of it came.
    pub expires_on: Option<Date>,
    /// It may be used nowhere any more.
    pub recalled: bool,
}

/// What the cupboard's operations change beside stock and register: rows to write, in the order of the operations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Wards that look different, beside those whose stock changes.
    pub wards: Vec<WardId>,
    /// Transfers that set out.
    pub sent: Vec<Sending>,
    /// Transfers that arrive.
    pub arrived: Vec<Arrival>,
    /// Transfers of which the missing part was answered for.
    pub resolved: Vec<TransferId>,
    /// Counts.
    pub counts: Vec<Count>,
    /// Counts that were repeated.
    pub recounted: Vec<CountId>,
    /// Differences that come up.
    pub opened: Vec<NewDiscrepancy>,
    /// Differences that are explained, and wait for a supervisor.
    pub explained: Vec<Explanation>,
    /// Differences that are answered for.
    pub settled: Vec<Settlement>,
    /// Lots that were not known.
    pub lots: Vec<(DrugId, crate::domain::cupboard::Lot)>,
    /// Lots that are recalled.
    pub recalled: Vec<Recalled>,
    /// Levels.
    pub levels: Vec<((WardId, DrugId), Levels)>,
}

impl Changes {
    /// Adds what the next operation of the batch does.
    pub fn extend(&mut self, more: Changes) {
        self.wards.extend(more.wards);
        self.sent.extend(more.sent);
        self.arrived.extend(more.arrived);
        self.resolved.extend(more.resolved);
        self.counts.extend(more.counts);
        self.recounted.extend(more.recounted);
        self.opened.extend(more.opened);
        self.explained.extend(more.explained);
        self.settled.extend(more.settled);
        self.lots.extend(more.lots);
        self.recalled.extend(more.recalled);
        self.levels.extend(more.levels);
    }
}

/// A transfer that sets out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sending {
    /// Its key.
    pub id: TransferId,
    /// Of what.
    pub drug: DrugId,
    /// From where.
    pub source: WardId,
    /// To where.
    pub destination: WardId,
    /// How much.
    pub quantity: Quantity,
    /// Of which lots.
    pub lots: Vec<OfLot>,
    /// What else there is to say; may be empty.
    pub note: String,
    /// Who sends it.
    pub by: UserId,
    /// When (UTC).
    pub at: Timestamp,
    /// The operation.
    pub op: OpId,
}

/// A transfer that arrives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// Which.
    pub id: TransferId,
    /// How much of it.
    pub received: Quantity,
    /// All of it, or less.
    pub status: TransferStatus,
    /// How much of each of its lots.
    pub lots: Vec<OfLot>,
    /// Who receives it.
    pub by: UserId,
    /// When (UTC).
    pub at: Timestamp,
}

/// A count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// Its key.
    pub id: CountId,
    /// Where.
    pub ward: WardId,
    /// Of what.
    pub drug: DrugId,
    /// The last row of the register page that it was about.
    pub seq: i64,
    /// What was counted.
    pub counted: Quantity,
    /// What the register said.
    pub expected: Quantity,
    /// What it came to.
    pub status: crate::domain::cupboard::CountStatus,
    /// The count that it repeats.
    pub recounts: Option<CountId>,
    /// Who counted.
    pub by: UserId,
    /// Who counted with them.
    pub witness: Option<UserId>,
    /// When (UTC).
    pub at: Timestamp,
    /// The operation.
    pub op: OpId,
}

/// Of what a difference comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// Less arrived than was sent.
    Transfer(TransferId),
    /// A count.
    Count(CountId),
}

/// A difference that comes up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDiscrepancy {
    /// Its key.
    pub id: DiscrepancyId,
    /// Where.
    pub ward: WardId,
    /// Of what.
    pub drug: DrugId,
    /// How much; less than nothing: missing.
    pub quantity: Quantity,
    /// Where it comes from.
    pub of: Of,
    /// Open or, of a count, not explained yet.
    pub status: DiscrepancyStatus,
    /// Who found it.
    pub by: UserId,
    /// When (UTC).
    pub at: Timestamp,
}

/// A difference that is explained, and waits for a supervisor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// Which.
    pub id: DiscrepancyId,
    /// By whom.
    pub by: UserId,
    /// When (UTC).
    pub at: Timestamp,
    /// Code and text.
    pub reason: String,
}

/// A difference that is answered for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// Which.
    pub id: DiscrepancyId,
    /// Where it stood.
    pub was: DiscrepancyStatus,
    /// What became of it.
    pub resolution: Resolution,
    /// By whom.
    pub by: UserId,
    /// Who saw it.
    pub witness: Option<UserId>,
    /// When (UTC).
    pub at: Timestamp,
    /// Code and text; may be empty.
    pub reason: String,
}

/// A lot that is recalled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recalled {
    /// Of what.
    pub drug: DrugId,
    /// Its name.
    pub lot: String,
    /// By whom.
    pub by: UserId,
    /// When (UTC).
    pub at: Timestamp,
    /// Why.
    pub reason: String,
    /// The wards that hold some of it: their stock row is written, so that a dose that was decided on what stood there
    /// before is decided again.
    pub holders: Vec<WardId>,
}

/// What every operation on the cupboard is decided with.
struct Ask<'a> {
    op: &'a Operation,
    actor: &'a Actor,
    policy: &'a Policy,
    moment: Moment<'a>,
}

type Decided = Result<(Receipt, Effects), Refusal>;

/// Decides an operation on the cupboard.
pub(super) fn decide(
    state: &mut Loaded,
    op: &Operation,
    actor: &Actor,
    policy: &Policy,
    moment: Moment<'_>,
) -> Decided {
    let ask = Ask {
        op,
        actor,
        policy,
        moment,
    };
    match &op.request {
        Request::Send {
            source,
            destination,
            drug,
            quantity,
            note,
        } => transfer::send(state, &ask, (*source, *destination), *drug, *quantity, note),
        Request::Arrive { transfer, received } => {
            transfer::arrive(state, &ask, *transfer, *received)
        }
        Request::ResolveTransfer {
            discrepancy,
            how,
            reason,
        } => transfer::resolve(state, &ask, *discrepancy, *how, reason),
        Request::Return { what, reason } => remove::take_back(state, &ask, what, reason),
        Request::Waste { what, reason } => remove::waste(state, &ask, what, reason),
        Request::Adjust { what, reason } => remove::adjust(state, &ask, what, reason),
        Request::Count {
            ward,
            drug,
            seq,
            counted,
        } => count::count(state, &ask, (*ward, *drug), *seq, *counted),
        Request::Explain {
            discrepancy,
            reason,
        } => count::explain(state, &ask, *discrepancy, reason),
        Request::ResolveCount {
            discrepancy,
            reason,
        } => count::resolve(state, &ask, *discrepancy, reason),
        Request::Recall { drug, lot, reason } => recall::recall(state, &ask, *drug, lot, reason),
        Request::SetLevels {
            ward,
            drug,
            was,
            levels,
        } => levels::set(state, &ask, (*ward, *drug), was, levels),
        _ => Err(Refusal::Internal {
            what: format!("'{}' is no operation on the cupboard", op.request.kind()),
        }),
    }
}

/// One drug in one ward, by name.
struct Place {
    ward: WardId,
    ward_name: String,
    drug: DrugId,
    name: DrugName,
}

impl Place {
    /// The place, if the person may act there.
    fn of(
        state: &Loaded,
        actor: &Actor,
        need: &Need,
        ward: WardId,
        drug: DrugId,
    ) -> Result<Place, Refusal> {
        let ward_name = ward_name(state, ward, "ward")?;
        permission::ward(actor, need, ward, &ward_name)?;
        let found = state.drugs.get(&drug);
        let name = found.ok_or_else(|| Refusal::DrugNotFound {
            ward: ward_name.clone(),
            drug: format!("drug {drug}"),
        })?;
        Ok(Place {
            ward,
            ward_name,
            drug,
            name: name.clone(),
        })
    }

    const fn page(&self) -> (WardId, DrugId) {
        (self.ward, self.drug)
    }

    /// What the ward holds of it.
    fn stock<'a>(&self, state: &'a Loaded) -> Result<&'a Stock, Refusal> {
        super::spend::stocked(state, self.page(), &self.ward_name, &self.name)
    }

    /// Whether so much more still fits into the books.
    fn has_room(&self, state: &Loaded, more: Quantity) -> Result<(), Refusal> {
        let held = state.stock.get(&self.page());
        let held = held.map_or(Quantity::ZERO, |stock| stock.current);
        if more > LARGEST || held + more > LARGEST {
            let why = format!("a ward holds at most {LARGEST} {}", self.name.unit);
            return Err(Refusal::InvalidStockQuantity {
                quantity: more,
                why,
            });
        }
        Ok(())
    }

    /// The witness that is needed where the drug is controlled; `doing` begins the sentence that says so.
    fn witness(
        &self,
        state: &Loaded,
        op: &Operation,
        doing: &str,
    ) -> Result<Option<UserId>, Refusal> {
        let needed = self
            .name
            .controlled
            .then(|| format!("{doing} a controlled drug"));
        permission::witness(state, op, needed.as_deref(), self.ward, &self.ward_name)
    }
}

fn ward_name(state: &Loaded, ward: WardId, field: &str) -> Result<String, Refusal> {
    let unknown = || invalid(field, format!("there is no ward {ward}"));
    state.wards.get(&ward).cloned().ok_or_else(unknown)
}

fn invalid(field: &str, why: impl Into<String>) -> Refusal {
    Refusal::InvalidData {
        field: field.to_owned(),
        why: why.into(),
    }
}

/// More than nothing, and not more than any stock.
fn positive(quantity: Quantity) -> Result<(), Refusal> {
    let why = if !quantity.is_positive() {
        "it must be more than nothing".to_owned()
    } else if quantity > LARGEST {
        format!("no stock is larger than {LARGEST}")
    } else {
        return Ok(());
    };
    Err(Refusal::InvalidStockQuantity { quantity, why })
}

/// A text that is kept, of at most so many characters.
fn text<'a>(field: &str, text: &'a str, longest: usize) -> Result<&'a str, Refusal> {
    let text = text.trim();
    if text.chars().count() > longest {
        return Err(invalid(
            field,
            format!("at most {longest} characters are kept"),
        ));
    }
    match text_fault(text) {
        Some(why) => Err(invalid(field, why)),
        None => Ok(text),
    }
}

/// A reason as the register and the lists keep it: the code, and what else was said.
fn as_kept(reason: &Reason) -> String {
    if reason.text.is_empty() {
        reason.code.clone()
    } else {
        format!("{}: {}", reason.code, reason.text)
    }
}
