//! The made-up hospital's transfers: from the pharmacy to the wards and some of it back, in the register on both sides.

use std::collections::HashMap;

use super::ROWS;
use super::doses::{Batch, Books};
use super::plan::{DAY, key_at};
use crate::domain::decide::transfer_reference;
use crate::domain::{
    LedgerReason, OpId, Operation, Outcome, Quantity, Receipt, Request, TransferId,
};
use crate::store::bulk::{self, TransferRecord};
use crate::store::desk::Memory;
use crate::store::{At, Conn, StoreError};

/// A transfer arrives so long after it was sent (microseconds).
const ON_THE_WAY: i64 = 20 * 60_000_000;

/// How often a drug is looked for that can be sent.
const TRIES: usize = 64;

/// Transfers while they are made: spread evenly over the time that the hospital has had.
pub struct Transfers {
    count: i64,
    made: i64,
    /// What the pharmacy has sent to each page: no more than that comes back, so that doses find what they need.
    brought: HashMap<(usize, usize), Quantity>,
    rows: Vec<TransferRecord>,
}

impl Transfers {
    pub fn new(count: usize) -> Transfers {
        Transfers {
            count: i64::try_from(count).unwrap_or(i64::MAX),
            made: 0,
            brought: HashMap::new(),
            rows: Vec::new(),
        }
    }

    /// Makes those that set out up to that moment.
    pub fn until(
        &mut self,
        moment: i64,
        books: &mut Books<'_>,
        batch: &mut Batch,
    ) -> Result<(), StoreError> {
        let (began, now) = (books.plan.began, books.plan.now);
        let span = (now - began) / self.count.max(1);
        while self.made < self.count && began + span * self.made <= moment {
            let at = began + span * self.made;
            let under_way = self.made + 200 >= self.count && now - at < DAY;
            self.made += 1;
            self.one(at, under_way, books, batch)?;
        }
        Ok(())
    }

    fn one(
        &mut self,
        at: i64,
        under_way: bool,
        books: &mut Books<'_>,
        batch: &mut Batch,
    ) -> Result<(), StoreError> {
        let pharmacy = books.places.pharmacy();
        for _ in 0..TRIES {
            let Some(page) = books.any_page() else {
                return Ok(());
            };
            let (ward, drug) = page;
            let wanted = Quantity::units(books.rng.i64(1..100));
            let back = books.rng.u8(..10) == 0;
            let brought = self.brought.get(&page).copied().unwrap_or_default();
            let (source, destination, quantity) = if back {
                (ward, pharmacy, wanted.min(brought))
            } else {
                (pharmacy, ward, wanted.min(books.holds((pharmacy, drug))))
            };
            if ward == pharmacy || !quantity.is_positive() {
                continue;
            }
            if back {
                self.brought.insert(page, brought - quantity);
            } else if !under_way {
                self.brought.insert(page, brought + quantity);
            }
            let record = TransferRecord {
                id: key_at(&mut books.rng, at),
                drug: books.places.drugs[drug],
                source: books.places.wards[source],
                destination: books.places.wards[destination],
                quantity,
                received: (!under_way).then_some(quantity),
                pharmacist: books.places.pharmacist,
                at: At::from(at),
                received_at: (!under_way).then(|| At::from(at + ON_THE_WAY)),
                op: OpId(key_at(&mut books.rng, at)),
            };
            book(&record, (source, destination, drug), books, batch)?;
            self.rows.push(record);
            return Ok(());
        }
        Ok(())
    }

    /// Writes them, once the rows of the register are there.
    pub async fn write(self, conn: &mut Conn) -> Result<(), StoreError> {
        for rows in self.rows.chunks(ROWS) {
            bulk::add_transfers(conn.link(), rows).await?;
        }
        Ok(())
    }
}

/// Its rows of the register, and what the desk remembers.
fn book(
    record: &TransferRecord,
    (source, destination, drug): (usize, usize, usize),
    books: &mut Books<'_>,
    batch: &mut Batch,
) -> Result<(), StoreError> {
    let (by, id) = (record.pharmacist, TransferId(record.id));
    let reference = transfer_reference(id);
    let reason = (LedgerReason::Sent, reference.clone());
    let page = (source, drug);
    let sent = books.book(
        page,
        -record.quantity,
        reason,
        Some(by),
        record.at,
        record.op,
    );
    let request = Request::Send {
        source: record.source,
        destination: record.destination,
        drug: record.drug,
        quantity: record.quantity,
        note: String::new(),
    };
    let receipt = Receipt::Sent {
        transfer: id,
        ward: record.source,
        destination: record.destination,
        drug: record.drug,
        quantity: record.quantity,
        left: sent.row.balance,
        at: record.at.0,
    };
    batch.effects.ledger.push(sent);
    batch.memory.push(memory(
        Operation::new(record.op, by, request),
        receipt,
        record.at,
    )?);
    let Some((received, at)) = record.received.zip(record.received_at) else {
        return Ok(());
    };
    let op = OpId(key_at(&mut books.rng, i64::from(at)));
    let reason = (LedgerReason::Arrived, reference);
    let arrived = books.book((destination, drug), received, reason, Some(by), at, op);
    let request = Request::Arrive {
        transfer: id,
        received,
    };
    let receipt = Receipt::Arrived {
        transfer: id,
        ward: record.destination,
        drug: record.drug,
        quantity: received,
        missing: Quantity::ZERO,
        discrepancy: None,
        holds: arrived.row.balance,
        at: at.0,
    };
    batch.effects.ledger.push(arrived);
    batch
        .memory
        .push(memory(Operation::new(op, by, request), receipt, at)?);
    Ok(())
}

fn memory(operation: Operation, receipt: Receipt, at: At) -> Result<Memory, StoreError> {
    let outcome = serde_json::to_string(&Outcome::Done(receipt))
        .map_err(|error| StoreError::Guarantee(format!("an outcome cannot be written: {error}")))?;
    Ok(Memory {
        op_id: operation.id,
        actor_id: operation.actor,
        kind: operation.request.kind(),
        digest: operation.digest().to_vec(),
        outcome,
        at,
    })
}
