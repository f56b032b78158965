//! The drug register's hash chain: one chain for each drug in each ward, like one page of the paper register.
//! Whoever changes, drops or slips in a row breaks the chain from there on, and `valmed verify` names the row.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{DrugId, LedgerReason, OpId, Quantity, UserId, WardId};

/// A link of the chain (SHA-256).
pub type Hash = [u8; 32];

/// What stands before the first row of every page.
pub const GENESIS: Hash = [0; 32];

/// One row of the register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerRow {
    /// Where.
    pub ward: WardId,
    /// What.
    pub drug: DrugId,
    /// 1, 2, 3 … on each page.
    pub seq: i64,
    /// What came in (positive) or went out (negative).
    pub delta: Quantity,
    /// What was there afterwards.
    pub balance: Quantity,
    /// Why.
    pub reason: LedgerReason,
    /// The administration, delivery note or transfer that it belongs to.
    pub reference: String,
    /// Who.
    pub actor: Option<UserId>,
    /// Who saw it, where a witness is asked for.
    pub witness: Option<UserId>,
    /// When (UTC, whole microseconds).
    pub at: Timestamp,
    /// The operation that it belongs to.
    pub op: OpId,
}

impl LedgerRow {
    /// The row's hash over the one before it. Each field is preceded by its length, so that no two rows can be
    /// written to the same bytes.
    pub fn hash(&self, previous: &Hash) -> Hash {
        let person = |p: Option<UserId>| p.map(|p| p.0.to_string()).unwrap_or_default();
        let fields = [
            self.ward.0.to_string(),
            self.drug.0.to_string(),
            self.seq.to_string(),
            self.delta.0.to_string(),
            self.balance.0.to_string(),
            self.reason.as_str().to_owned(),
            self.reference.clone(),
            person(self.actor),
            person(self.witness),
            self.at.as_microsecond().to_string(),
            self.op.0.hyphenated().to_string(),
        ];
        let mut hash = Sha256::new();
        hash.update(previous);
        for field in fields {
            hash.update((field.len() as u64).to_be_bytes());
            hash.update(field.as_bytes());
        }
        hash.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn row() -> LedgerRow {
        LedgerRow {
            ward: WardId(1),
            drug: DrugId(2),
            seq: 3,
            delta: Quantity(-500),
            balance: Quantity(1500),
            reason: LedgerReason::Given,
            reference: "a".into(),
            actor: Some(UserId(4)),
            witness: None,
            at: Timestamp::UNIX_EPOCH,
            op: OpId(Uuid::nil()),
        }
    }

    #[test]
    fn every_field_counts() {
        let base = row().hash(&GENESIS);
        let changes: [fn(&mut LedgerRow); 11] = [
            |r| r.ward.0 += 1,
            |r| r.drug.0 += 1,
            |r| r.seq += 1,
            |r| r.delta.0 += 1,
            |r| r.balance.0 += 1,
            |r| r.reason = LedgerReason::Wasted,
            |r| r.reference.push('b'),
            |r| r.actor = None,
            |r| r.witness = Some(UserId(4)),
            |r| r.at = Timestamp::from_microsecond(1).unwrap(),
            |r| r.op = OpId(Uuid::max()),
        ];
        for change in changes {
            let mut changed = row();
            change(&mut changed);
            assert_ne!(changed.hash(&GENESIS), base, "{changed:?}");
        }
        assert_ne!(row().hash(&base), base, "the row before counts");
    }
}
