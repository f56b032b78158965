//! The made-up hospital's doses: orders, and for those that were given all that the desk leaves behind.

use std::collections::HashMap;

use fastrand::Rng;

use super::places::Places;
use super::plan::{DAY, Dose, Plan, Rx, key_at, priority};
use super::transfers::Transfers;
use super::{Filled, ROWS, STATEMENTS, stride};
use crate::domain::decide::{Administration, Effects, LedgerEntry, Stock, dose_reference};
use crate::domain::ledger::LedgerRow;
use crate::domain::{
    AdministrationId, DrugId, Giving, GivingOutcome, LedgerReason, OpId, Operation, OrderId,
    OrderKind, OrderStatus, Outcome, PatientId, PrescriptionId, Quantity, Receipt, Request, UserId,
    WardId,
};
use crate::store::bulk::{self, OrderRecord};
use crate::store::desk::Memory;
use crate::store::{At, Conn, StoreError};

/// A dose is given at most so long after it was due (microseconds).
const LATE: i64 = 30 * 60_000_000;

/// Pages of the register while they are written.
pub(super) struct Books<'a> {
    pub plan: &'a Plan,
    pub places: &'a Places,
    pages: HashMap<(usize, usize), Stock>,
    /// The pages in order, to pick from.
    order: Vec<(usize, usize)>,
    pub rng: Rng,
}

/// What one statement's worth of doses leaves behind.
#[derive(Default)]
pub(super) struct Batch {
    orders: Vec<OrderRecord>,
    pub effects: Effects,
    pub memory: Vec<Memory>,
}

/// Writes every dose of the plan: the beginning of each page, what was given in order of time, what is to be given,
/// and then the stock that is left.
pub async fn write(
    conn: &mut Conn,
    plan: &Plan,
    places: &Places,
    transfers: usize,
    filled: &mut Filled,
    done: &mut (dyn FnMut(usize) + Send),
) -> Result<(), StoreError> {
    let rng = Rng::with_seed(plan.seed ^ 0xD05E);
    let mut books = Books {
        plan,
        places,
        pages: HashMap::new(),
        order: Vec::new(),
        rng,
    };
    books.open(conn).await?;
    let mut transfers = Transfers::new(transfers);
    let mut written = 0;
    for doses in plan.completed.chunks(ROWS * STATEMENTS) {
        let mut tx = conn.begin_write().await?;
        for doses in doses.chunks(ROWS) {
            let mut batch = Batch::default();
            for dose in doses {
                transfers.until(dose.at, &mut books, &mut batch)?;
                books.given(*dose, &mut batch)?;
            }
            let every = stride(plan.completed.len());
            let first = (every - written % every) % every;
            keep(&batch, first, every, filled);
            bulk::add_orders(tx.link(), &batch.orders).await?;
            bulk::add_doses(tx.link(), &batch.effects, &batch.memory).await?;
            written += doses.len();
            done(written);
        }
        tx.commit().await?;
    }
    let mut batch = Batch::default();
    transfers.until(plan.now, &mut books, &mut batch)?;
    bulk::add_doses(conn.link(), &batch.effects, &batch.memory).await?;
    transfers.write(conn).await?;
    for doses in plan.active.chunks(ROWS) {
        let orders: Vec<OrderRecord> = doses.iter().map(|dose| books.still_open(*dose)).collect();
        bulk::add_orders(conn.link(), &orders).await?;
        for order in orders.iter().step_by(stride(plan.active.len())) {
            filled.active.push(order.id);
            filled.in_queue.push((order.patient, order.rx));
        }
        let open = orders.iter().filter(|order| order.kind == OrderKind::Prn);
        filled.as_needed.extend(
            open.step_by(stride(plan.active.len()))
                .map(|order| order.rx),
        );
        written += doses.len();
        done(written);
    }
    books.close(conn, filled).await
}

/// Keeps every how-manieth dose of a batch for those who ask at random.
fn keep(batch: &Batch, first: usize, every: usize, filled: &mut Filled) {
    let given = batch
        .effects
        .administrations
        .iter()
        .skip(first)
        .step_by(every);
    for dose in given {
        filled.completed.push(dose.order);
        filled
            .given
            .push((dose.id, At::from(dose.at), dose.patient, dose.drug));
        filled.operations.push(dose.op);
    }
}

impl Books<'_> {
    fn rx(&self, dose: Dose) -> &Rx {
        &self.plan.prescriptions[dose.rx as usize]
    }

    /// The first row of each page: what was there when the register began. Nobody stands behind it, as after an import.
    async fn open(&mut self, conn: &mut Conn) -> Result<(), StoreError> {
        let mut openings: Vec<_> = self.plan.opening.iter().collect();
        openings.sort_unstable();
        self.order = openings.iter().map(|(page, _)| **page).collect();
        for openings in openings.chunks(ROWS) {
            let mut effects = Effects::default();
            for (page, quantity) in openings {
                let op = OpId(key_at(&mut self.rng, self.plan.began));
                let at = At::from(self.plan.began);
                let reason = (LedgerReason::Received, "opening stock".to_owned());
                effects
                    .ledger
                    .push(self.book(**page, **quantity, reason, None, at, op));
            }
            bulk::add_doses(conn.link(), &effects, &[]).await?;
        }
        Ok(())
    }

    /// A page picked at random.
    pub fn any_page(&mut self) -> Option<(usize, usize)> {
        let at = self.rng.usize(..self.order.len().max(1));
        self.order.get(at).copied()
    }

    /// What a page ends with so far.
    pub fn holds(&self, page: (usize, usize)) -> Quantity {
        self.pages
            .get(&page)
            .map_or(Quantity::ZERO, |stock| stock.current)
    }

    /// A row of a page.
    pub fn book(
        &mut self,
        page: (usize, usize),
        delta: Quantity,
        (reason, reference): (LedgerReason, String),
        actor: Option<UserId>,
        at: At,
        op: OpId,
    ) -> LedgerEntry {
        let stock = self.pages.entry(page).or_insert(Stock::BLANK);
        let row = LedgerRow {
            ward: self.places.wards[page.0],
            drug: self.places.drugs[page.1],
            seq: stock.seq + 1,
            delta,
            balance: stock.current + delta,
            reason,
            reference,
            actor,
            witness: None,
            at: at.0,
            op,
        };
        let entry = LedgerEntry {
            prev_hash: stock.hash,
            hash: row.hash(&stock.hash),
            row,
            lots: Vec::new(),
        };
        *stock = Stock {
            current: entry.row.balance,
            seq: entry.row.seq,
            hash: entry.hash,
            lots: Vec::new(),
        };
        entry
    }

    /// An order as it was made.
    fn order(&mut self, dose: Dose, created: i64) -> OrderRecord {
        let id = OrderId(key_at(&mut self.rng, created));
        let rx = self.rx(dose);
        OrderRecord {
            id,
            patient: PatientId(self.plan.patients[rx.patient].id),
            ward: self.places.wards[rx.ward],
            drug: self.places.drugs[rx.drug],
            rx: PrescriptionId(rx.id),
            dose: rx.dose,
            due: (!rx.prn).then(|| At::from(dose.at)),
            kind: if rx.prn {
                OrderKind::Prn
            } else {
                OrderKind::Timed
            },
            priority: priority(dose.rx as usize),
            status: OrderStatus::Active,
            doctor: self.places.doctors[rx.doctor],
            created: At::from(created),
            version: 1,
            changed: At::from(created),
            by: None,
            change: if rx.prn {
                "opened after the dose before it"
            } else {
                "made from the prescription"
            },
        }
    }

    /// One that is to be given: timed ones were made a day ahead.
    fn still_open(&mut self, dose: Dose) -> OrderRecord {
        let created = if self.rx(dose).prn {
            dose.at
        } else {
            (dose.at - DAY).min(self.plan.now)
        };
        self.order(dose, created)
    }

    /// One that was given.
    fn given(&mut self, dose: Dose, batch: &mut Batch) -> Result<(), StoreError> {
        let mut order = self.order(dose, dose.at - DAY);
        let page = (self.rx(dose).ward, self.rx(dose).drug);
        let late = if order.due.is_some() {
            self.rng.i64(0..LATE)
        } else {
            0
        };
        let at = At::from(dose.at + late);
        let nurses = &self.places.nurses[page.0];
        let nurse = nurses[self.rng.usize(..nurses.len())];
        let administration = AdministrationId(key_at(&mut self.rng, dose.at + late));
        let op = OpId(key_at(&mut self.rng, dose.at + late));
        let reference = dose_reference(administration, order.id, order.patient);
        let reason = (LedgerReason::Given, reference);
        let entry = self.book(page, -order.dose, reason, Some(nurse), at, op);
        batch.memory.push(memory(
            &order,
            administration,
            nurse,
            entry.row.balance,
            at,
            op,
        )?);
        batch.effects.ledger.push(entry);
        batch.effects.administrations.push(Administration {
            id: administration,
            order: order.id,
            order_version: order.version,
            ward: order.ward,
            patient: order.patient,
            drug: order.drug,
            nurse,
            witness: None,
            given_at: at.0,
            at: at.0,
            outcome: GivingOutcome::Given,
            quantity: order.dose,
            reason: String::new(),
            reverses: None,
            op,
        });
        order.status = OrderStatus::Completed;
        order.version += 1;
        order.changed = at;
        order.by = Some(nurse);
        order.change = "given";
        batch.orders.push(order);
        Ok(())
    }

    /// Writes the stock that is left, with the heads of the pages. Every tenth is low.
    async fn close(&self, conn: &mut Conn, filled: &mut Filled) -> Result<(), StoreError> {
        let mut pages: Vec<_> = self.pages.iter().collect();
        pages.sort_unstable_by_key(|(page, _)| **page);
        let rows: Vec<((WardId, DrugId), Stock, Quantity)> = pages
            .into_iter()
            .enumerate()
            .map(|(n, (page, head))| {
                let key = (self.places.wards[page.0], self.places.drugs[page.1]);
                let low = if n % 10 == 0 {
                    head.current
                } else {
                    Quantity(head.current.0 / 4)
                };
                (key, head.clone(), low)
            })
            .collect();
        let known = rows.iter().step_by(stride(rows.len()));
        filled.pages = known.map(|(page, _, _)| *page).collect();
        for rows in rows.chunks(ROWS) {
            bulk::add_stock(conn.link(), rows).await?;
        }
        Ok(())
    }
}

/// What the desk remembers of a dose that was given.
fn memory(
    order: &OrderRecord,
    administration: AdministrationId,
    nurse: UserId,
    left: Quantity,
    at: At,
    op: OpId,
) -> Result<Memory, StoreError> {
    // The wristband's number is not kept anywhere but in this digest, which nobody can read back.
    let giving = Giving::of(order.id, order.version, order.patient.to_string());
    let request = Request::Fulfil(giving);
    let outcome = Outcome::Done(Receipt::Given {
        administration,
        order: order.id,
        ward: order.ward,
        drug: order.drug,
        quantity: order.dose,
        left,
        at: at.0,
    });
    let outcome = serde_json::to_string(&outcome)
        .map_err(|error| StoreError::Guarantee(format!("an outcome cannot be written: {error}")))?;
    let kind = request.kind();
    let operation = Operation {
        id: op,
        actor: nurse,
        witness: None,
        request,
    };
    Ok(Memory {
        op_id: op,
        actor_id: nurse,
        kind,
        digest: operation.digest().to_vec(),
        outcome,
        at,
    })
}
