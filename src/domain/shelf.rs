//! What lists and screens show of the cupboard beside its stock: transfers, the register, lots, counts, differences,
//! levels.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use super::cupboard::{CountStatus, DiscrepancyStatus, Resolution, TransferStatus};
use super::{
    CountId, DiscrepancyId, DrugId, LedgerReason, PatientId, Quantity, TransferId, WardId,
};

/// A drug on a line of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Named {
    /// Key.
    pub id: DrugId,
    /// The formulary's code.
    pub code: String,
    /// What it is called.
    pub name: String,
    /// How strong.
    pub strength: String,
    /// The unit it is counted in.
    pub unit: String,
    /// Under the law on controlled drugs.
    pub controlled: bool,
}

/// A ward on a line of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct At {
    /// Key.
    pub id: WardId,
    /// What people type.
    pub code: String,
    /// What people read.
    pub name: String,
}

/// A transfer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TransferLine {
    /// Key.
    pub id: TransferId,
    /// Of what.
    pub drug: Named,
    /// From where.
    pub source: At,
    /// To where.
    pub destination: At,
    /// How much was sent.
    pub quantity: Quantity,
    /// How much arrived; `None`: it is on its way.
    pub received: Option<Quantity>,
    /// Where it stands.
    pub status: TransferStatus,
    /// When it set out (UTC).
    pub sent_at: Timestamp,
    /// Who sent it.
    pub sent_by: String,
    /// When it arrived (UTC).
    pub received_at: Option<Timestamp>,
    /// Who received it.
    pub received_by: Option<String>,
    /// What else there is to say; may be empty.
    pub note: String,
    /// What is missing of it, while nobody has answered for it.
    pub missing: Option<DiscrepancyId>,
}

/// A row of the drug register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RegisterLine {
    /// Its number on the page.
    pub seq: i64,
    /// When (UTC).
    pub at: Timestamp,
    /// Why.
    pub reason: LedgerReason,
    /// What it refers to.
    pub reference: String,
    /// The patient, of a dose: key, name and number.
    pub patient: Option<(PatientId, String, String)>,
    /// What came in (positive) or went out (negative).
    pub delta: Quantity,
    /// What was there afterwards.
    pub balance: Quantity,
    /// By whom; `None`: what was there when the register began.
    pub by: Option<String>,
    /// Who saw it.
    pub witness: Option<String>,
    /// The beginning of its hash, as people compare it.
    pub hash: String,
    /// Whether its hash is that of what stands in it, over the row before.
    pub holds: bool,
}

/// A page of the drug register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RegisterPage {
    /// Where.
    pub ward: At,
    /// Of what.
    pub drug: Named,
    /// What there is now.
    pub current: Quantity,
    /// The number of the last row there is.
    pub last: i64,
    /// Whether stock and register end alike: number, balance, hash.
    pub head_holds: bool,
    /// Rows, in the order of their numbers.
    pub lines: Vec<RegisterLine>,
}

/// A lot in a ward.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LotLine {
    /// Where.
    pub ward: At,
    /// Of what.
    pub drug: Named,
    /// Its name.
    pub lot: String,
    /// The last day on which it may be used.
    pub expires_on: Date,
    /// How much of it there is.
    pub quantity: Quantity,
    /// It may be used nowhere any more.
    pub recalled: bool,
}

/// What was taken out of a lot, or put into it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LotMove {
    /// Where.
    pub ward: At,
    /// The row of the register.
    pub seq: i64,
    /// When (UTC).
    pub at: Timestamp,
    /// Why.
    pub reason: LedgerReason,
    /// How much; less than nothing: out.
    pub delta: Quantity,
    /// To whom, of a dose: name and number.
    pub patient: Option<(String, String)>,
    /// By whom.
    pub by: Option<String>,
}

/// A drug that may be counted. What the register says of it is not here: a count is blind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ToCount {
    /// Of what.
    pub drug: Named,
    /// Where it lies; may be empty.
    pub shelf: String,
    /// The last row of its register page: what the count will be about.
    pub seq: i64,
    /// It was counted, differed, and has to be counted again.
    pub again: bool,
    /// A difference of it has to be explained before it is counted.
    pub unexplained: Option<DiscrepancyId>,
}

/// A count. What the register said is told only once the counting is over: of one that has to be repeated it is not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CountLine {
    /// Key.
    pub id: CountId,
    /// Where.
    pub ward: At,
    /// Of what.
    pub drug: Named,
    /// When (UTC).
    pub at: Timestamp,
    /// What was counted.
    pub counted: Quantity,
    /// What the register said; `None`: it has to be counted again.
    pub expected: Option<Quantity>,
    /// What it came to.
    pub status: CountStatus,
    /// Who counted.
    pub by: String,
    /// Who counted with them.
    pub witness: Option<String>,
}

/// A difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DiscrepancyLine {
    /// Key.
    pub id: DiscrepancyId,
    /// Where.
    pub ward: At,
    /// Of what.
    pub drug: Named,
    /// How much; less than nothing: missing.
    pub quantity: Quantity,
    /// The ward that sent it, of what is missing of a transfer.
    pub sent_from: Option<At>,
    /// Where it stands.
    pub status: DiscrepancyStatus,
    /// When it was found (UTC).
    pub opened_at: Timestamp,
    /// Who found it.
    pub opened_by: String,
    /// How it was explained: code and text; may be empty.
    pub reason: String,
    /// What became of it.
    pub resolution: Option<Resolution>,
    /// When (UTC).
    pub resolved_at: Option<Timestamp>,
    /// By whom.
    pub resolved_by: Option<String>,
    /// Why: code and text; may be empty.
    pub resolved_reason: String,
}

/// A ward that holds a drug.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Elsewhere {
    /// Where.
    pub ward: At,
    /// Of what.
    pub drug: Named,
    /// How much there is.
    pub current: Quantity,
    /// How much of it is expired or recalled.
    pub blocked: Quantity,
    /// Low at or below this.
    pub threshold: Quantity,
}

/// What a ward should hold of a drug, and what it does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LevelLine {
    /// Of what.
    pub drug: Named,
    /// How much there is.
    pub current: Quantity,
    /// Low at or below this.
    pub threshold: Quantity,
    /// What it is filled up to; nothing: it is not filled up.
    pub par: Quantity,
    /// Where it lies; may be empty.
    pub shelf: String,
}

/// What fills a ward up to par.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refill {
    /// Of what.
    pub drug: Named,
    /// How much there is.
    pub current: Quantity,
    /// What it is filled up to.
    pub par: Quantity,
    /// How much is on its way there already.
    pub coming: Quantity,
    /// How much of it the ward that would send it holds and may send.
    pub available: Quantity,
    /// How much is to be sent: what is lacking, as far as there is any.
    pub quantity: Quantity,
}

/// What is to be sent so that a ward has its par: what it lacks beyond what is on its way, as far as there is any.
pub fn refill(current: Quantity, par: Quantity, coming: Quantity, available: Quantity) -> Quantity {
    let lacking = par - current - coming;
    lacking.min(available).max(Quantity::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ward_is_filled_up_to_par_and_not_beyond() {
        let q = Quantity::units;
        let refill =
            |current, par, coming, available| refill(q(current), q(par), q(coming), q(available));
        assert_eq!(refill(3, 10, 0, 100), q(7));
        assert_eq!(refill(3, 10, 2, 100), q(5), "two are on their way");
        assert_eq!(refill(3, 10, 9, 100), q(0), "more than enough is");
        assert_eq!(refill(3, 10, 0, 4), q(4), "there is no more");
        assert_eq!(refill(12, 10, 0, 100), q(0), "nothing is taken back");
    }
}
