//! What stories ask of the cupboard.

use valmed::domain::cupboard::{Levels, Lot, Resolution, Verdict};
use valmed::domain::operation::Part;
use valmed::domain::{
    DiscrepancyId, DrugId, Operation, Quantity, Reason, Receipt, Request, Role, TransferId, UserId,
    WardId,
};

use super::ward::*;
use crate::value;

/// A code, and words where it says too little.
pub fn reason(code: &str) -> Reason {
    Reason {
        code: code.to_owned(),
        text: String::new(),
    }
}

pub fn part(ward: WardId, drug: DrugId, quantity: Quantity) -> Part {
    Part {
        ward,
        drug,
        quantity,
        lot: None,
    }
}

/// The same of one lot.
pub fn of_lot(part: Part, lot: &str) -> Part {
    Part {
        lot: Some(lot.to_owned()),
        ..part
    }
}

pub fn send(
    actor: UserId,
    source: WardId,
    destination: WardId,
    drug: DrugId,
    quantity: Quantity,
) -> Operation {
    let request = Request::Send {
        source,
        destination,
        drug,
        quantity,
        note: String::new(),
    };
    operation(actor, request)
}

pub fn arrive(actor: UserId, transfer: TransferId, received: Quantity) -> Operation {
    operation(actor, Request::Arrive { transfer, received })
}

pub fn resolve_transfer(
    actor: UserId,
    discrepancy: DiscrepancyId,
    how: Resolution,
    code: &str,
) -> Operation {
    let request = Request::ResolveTransfer {
        discrepancy,
        how,
        reason: reason(code),
    };
    operation(actor, request)
}

pub fn take_back(actor: UserId, what: Part, code: &str) -> Operation {
    let reason = reason(code);
    operation(actor, Request::Return { what, reason })
}

pub fn waste(actor: UserId, what: Part, code: &str) -> Operation {
    let reason = reason(code);
    operation(actor, Request::Waste { what, reason })
}

pub fn adjust(actor: UserId, what: Part, code: &str) -> Operation {
    let reason = reason(code);
    operation(actor, Request::Adjust { what, reason })
}

pub fn count(actor: UserId, ward: WardId, drug: DrugId, seq: i64, counted: Quantity) -> Operation {
    let request = Request::Count {
        ward,
        drug,
        seq,
        counted,
    };
    operation(actor, request)
}

pub fn explain(actor: UserId, discrepancy: DiscrepancyId, code: &str) -> Operation {
    let reason = reason(code);
    operation(
        actor,
        Request::Explain {
            discrepancy,
            reason,
        },
    )
}

pub fn resolve_count(actor: UserId, discrepancy: DiscrepancyId, code: &str) -> Operation {
    let reason = reason(code);
    operation(
        actor,
        Request::ResolveCount {
            discrepancy,
            reason,
        },
    )
}

pub fn recall(actor: UserId, drug: DrugId, lot: &str) -> Operation {
    let request = Request::Recall {
        drug,
        lot: lot.to_owned(),
        reason: "the maker's letter of today".to_owned(),
    };
    operation(actor, request)
}

/// Sets the par, and leaves the rest as it was.
pub fn levels(actor: UserId, ward: WardId, drug: DrugId, was: Levels, par: Quantity) -> Operation {
    let levels = Levels { par, ..was.clone() };
    let request = Request::SetLevels {
        ward,
        drug,
        was,
        levels,
    };
    operation(actor, request)
}

/// Somebody takes stock of a lot in.
pub fn receive_lot(
    ward: WardId,
    drug: DrugId,
    quantity: Quantity,
    lot: &str,
    expires_on: &str,
) -> Operation {
    let mut operation = receive(PHARMACIST, ward, drug, quantity);
    if let Request::Receive { lot: named, .. } = &mut operation.request {
        *named = Some(Lot {
            lot: lot.to_owned(),
            expires_on: expires_on.parse().unwrap(),
        });
    }
    operation
}

/// With somebody who saw it.
pub fn seen_by(witness: UserId, operation: Operation) -> Operation {
    Operation {
        witness: Some(witness),
        ..operation
    }
}

impl Ward {
    /// Makes a drug a controlled one.
    pub async fn control(&self, drug: DrugId) {
        crate::change!(
            self.db,
            "UPDATE drugs SET controlled = true WHERE id = $1",
            drug
        );
    }

    /// Sends, the way that a pharmacist does; gives the transfer.
    pub async fn sent(
        &self,
        source: WardId,
        destination: WardId,
        drug: DrugId,
        quantity: Quantity,
    ) -> TransferId {
        let operation = send(PHARMACIST, source, destination, drug, quantity);
        match self.done(operation).await {
            Receipt::Sent { transfer, .. } => transfer,
            other => panic!("not sent: {other:?}"),
        }
    }

    /// Receives less than was sent; gives the difference.
    pub async fn short(&self, transfer: TransferId, received: Quantity) -> DiscrepancyId {
        match self.done(arrive(PHARMACIST, transfer, received)).await {
            Receipt::Arrived {
                discrepancy: Some(discrepancy),
                ..
            } => discrepancy,
            other => panic!("not short: {other:?}"),
        }
    }

    /// The last row of a register page.
    pub async fn seq(&self, ward: WardId, drug: DrugId) -> i64 {
        value!(
            self.db,
            i64,
            "SELECT ledger_seq FROM drug_stock WHERE ward_id = $1 AND drug_id = $2",
            ward,
            drug
        )
    }

    /// What a ward should hold.
    pub async fn levels(&self, ward: WardId, drug: DrugId) -> Levels {
        let mut conn = self.db.reader().await.unwrap();
        let found = valmed::store::cupboard::level(conn.link(), ward, drug).await;
        let found = found.unwrap().unwrap();
        Levels {
            threshold: found.threshold,
            par: found.par,
            shelf: found.shelf,
        }
    }

    /// Counts one too many, twice; gives the difference that has to be explained. One that was left from before is
    /// closed first.
    pub async fn differs(&self, ward: WardId, drug: DrugId) -> DiscrepancyId {
        let mut conn = self.db.reader().await.unwrap();
        let left = valmed::store::cupboard::to_count(conn.link(), ward, 1000).await;
        drop(conn);
        let left = left.unwrap().into_iter().find(|line| line.drug.id == drug);
        if let Some(id) = left.and_then(|line| line.unexplained) {
            self.done(resolve_count(
                person(Role::Supervisor, ward),
                id,
                "miscount",
            ))
            .await;
        }
        let counted = self.stock(ward, drug).await + units(1);
        loop {
            let seq = self.seq(ward, drug).await;
            let operation = count(PHARMACIST, ward, drug, seq, counted);
            match verdict(&self.done(operation).await) {
                Verdict::Recount => {}
                Verdict::Differs { discrepancy, .. } => return discrepancy,
                Verdict::Agrees => panic!("one too many agrees"),
            }
        }
    }

    /// What a ward holds of a lot.
    pub async fn of_lot(&self, ward: WardId, drug: DrugId, lot: &str) -> Quantity {
        value!(
            self.db,
            Quantity,
            "SELECT COALESCE(CAST(sum(quantity) AS BIGINT), 0) FROM stock_lots WHERE ward_id = $1 AND drug_id = $2 \
             AND lot = $3",
            ward,
            drug,
            lot
        )
    }
}

/// What a count came to.
#[track_caller]
pub fn verdict(receipt: &Receipt) -> Verdict {
    match receipt {
        Receipt::Counted { verdict, .. } => *verdict,
        other => panic!("not a count: {other:?}"),
    }
}
