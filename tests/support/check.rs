//! What is always true of a database, however it came to be as it is.

use std::collections::{BTreeMap, HashMap, HashSet};

use valmed::domain::decide::{dose_reference, given_reference};
use valmed::domain::ledger::{GENESIS, Hash, LedgerRow};
use valmed::domain::{
    AdministrationId, DrugId, GivingOutcome, LedgerReason, OpId, OrderId, OrderStatus, Outcome,
    PatientId, PrescriptionId, Quantity, Receipt, Restock, UserId, WardId,
};
use valmed::store::{At, Db};

use crate::rows;

#[derive(Debug, sqlx::FromRow)]
struct Stock {
    ward_id: WardId,
    drug_id: DrugId,
    current_stock: Quantity,
    ledger_seq: i64,
    ledger_hash: Vec<u8>,
}

#[derive(Debug, sqlx::FromRow)]
struct Line {
    ward_id: WardId,
    drug_id: DrugId,
    seq: i64,
    delta: Quantity,
    balance: Quantity,
    reason: LedgerReason,
    reference: String,
    actor_id: Option<UserId>,
    witness_id: Option<UserId>,
    at: At,
    op_id: OpId,
    prev_hash: Vec<u8>,
    hash: Vec<u8>,
}

#[derive(Debug, sqlx::FromRow)]
struct Order {
    id: OrderId,
    prescription_id: PrescriptionId,
    ward_id: WardId,
    drug_id: DrugId,
    status: OrderStatus,
    version: i64,
    timed: bool,
    changed_by: Option<i64>,
}

#[derive(Debug, sqlx::FromRow)]
struct Administration {
    id: AdministrationId,
    order_id: OrderId,
    order_version: i64,
    ward_id: WardId,
    patient_id: PatientId,
    drug_id: DrugId,
    nurse_id: UserId,
    outcome: GivingOutcome,
    quantity: Quantity,
    administration_time: At,
    recorded_at: At,
    reverses: Option<AdministrationId>,
    reversed: bool,
    op_id: OpId,
}

#[derive(Debug, sqlx::FromRow)]
struct Remembered {
    op_id: OpId,
    outcome: String,
}

/// Rules 1, 2, 4 and 6 of the design, read from the tables alone. Only while no desk is at work.
pub async fn rules_hold(db: &Db) {
    let stock = rows!(
        db,
        Stock,
        "SELECT ward_id, drug_id, current_stock, ledger_seq, ledger_hash FROM drug_stock"
    );
    let ledger = rows!(
        db,
        Line,
        "SELECT ward_id, drug_id, seq, delta, balance, reason, reference, actor_id, witness_id, at, op_id, prev_hash, \
         hash FROM stock_ledger ORDER BY ward_id, drug_id, seq"
    );
    let orders = rows!(
        db,
        Order,
        "SELECT id, prescription_id, ward_id, drug_id, status, version, due_at IS NOT NULL AS timed, changed_by \
         FROM medication_orders"
    );
    let administrations = rows!(
        db,
        Administration,
        "SELECT id, order_id, order_version, ward_id, patient_id, drug_id, nurse_id, outcome, quantity, \
         administration_time, recorded_at, reverses, \
         EXISTS (SELECT 1 FROM medication_administrations r WHERE r.reverses = a.id) AS reversed, op_id \
         FROM medication_administrations a"
    );
    let memory = rows!(db, Remembered, "SELECT op_id, outcome FROM operations");
    let audit = rows!(
        db,
        (String,),
        "SELECT detail FROM audit_events WHERE kind = 'refused'"
    );
    who_left_has_nothing_to_get(db).await;
    stock_is_its_ledger(&stock, &ledger);
    doses_are_whole(&orders, &administrations, &ledger);
    memory_is_true(&memory, &administrations, &ledger, &orders, &audit);
}

/// Whoever was discharged has no prescription that runs and no dose that waits, a prescription that somebody ended has
/// none either, and every open dose stands where its patient lies.
async fn who_left_has_nothing_to_get(db: &Db) {
    let lost = rows!(
        db,
        (String,),
        "SELECT 'prescription of ' || p.mrn FROM prescriptions r JOIN patients p ON p.id = r.patient_id \
         WHERE p.discharged_at IS NOT NULL AND r.status = 'active' \
         UNION ALL SELECT 'dose of ' || p.mrn FROM medication_orders o JOIN patients p ON p.id = o.patient_id \
         JOIN prescriptions r ON r.id = o.prescription_id WHERE o.status = 'active' AND (p.discharged_at IS NOT NULL \
         OR r.ended_at IS NOT NULL OR o.ward_id <> p.ward_id)"
    );
    assert!(lost.is_empty(), "{lost:?}");
}

/// Rule 1, and the chain: each page of the register adds up to its stock, row by row.
fn stock_is_its_ledger(stock: &[Stock], ledger: &[Line]) {
    let mut pages: BTreeMap<(WardId, DrugId), Vec<&Line>> = BTreeMap::new();
    for line in ledger {
        pages
            .entry((line.ward_id, line.drug_id))
            .or_default()
            .push(line);
    }
    for head in stock {
        let page = pages
            .remove(&(head.ward_id, head.drug_id))
            .unwrap_or_default();
        let mut balance = Quantity::ZERO;
        let mut hash: Hash = GENESIS;
        for (line, seq) in page.iter().zip(1..) {
            balance = balance + line.delta;
            assert_eq!(line.seq, seq, "rows are numbered without gaps: {line:?}");
            assert_eq!(line.balance, balance, "{line:?}");
            assert!(line.balance >= Quantity::ZERO, "{line:?}");
            assert_eq!(line.prev_hash, hash, "the chain holds: {line:?}");
            hash = as_row(line).hash(&hash);
            assert_eq!(line.hash, hash, "the row is as it was written: {line:?}");
        }
        assert_eq!(head.current_stock, balance, "{head:?}");
        assert_eq!(head.ledger_seq, page.len() as i64, "{head:?}");
        assert_eq!(head.ledger_hash, hash, "{head:?}");
    }
    assert!(pages.is_empty(), "register pages without stock: {pages:?}");
}

fn as_row(line: &Line) -> LedgerRow {
    LedgerRow {
        ward: line.ward_id,
        drug: line.drug_id,
        seq: line.seq,
        delta: line.delta,
        balance: line.balance,
        reason: line.reason,
        reference: line.reference.clone(),
        actor: line.actor_id,
        witness: line.witness_id,
        at: line.at.0,
        op: line.op_id,
    }
}

/// Rule 2: a completed order has one administration, a dose given has one row of the register, and the other way round.
fn doses_are_whole(orders: &[Order], administrations: &[Administration], ledger: &[Line]) {
    let mut of_order: HashMap<OrderId, Vec<&Administration>> = HashMap::new();
    for administration in administrations
        .iter()
        .filter(|entry| entry.reverses.is_none() && !entry.reversed)
    {
        of_order
            .entry(administration.order_id)
            .or_default()
            .push(administration);
    }
    let mut open: HashSet<PrescriptionId> = HashSet::new();
    for order in orders {
        let mut found = of_order.remove(&order.id).unwrap_or_default();
        // A hold stands against the version that was held, and the order has come back.
        let came_back = |entry: &&Administration| {
            entry.outcome == GivingOutcome::Held
                && (order.status != OrderStatus::Completed
                    || entry.order_version + 1 != order.version)
        };
        found.retain(|entry| !came_back(entry));
        if order.status == OrderStatus::Completed {
            let [one] = found[..] else {
                panic!("{order:?} is completed, with administrations {found:?}");
            };
            assert_eq!(one.order_version + 1, order.version, "{order:?} {one:?}");
            assert_eq!((one.ward_id, one.drug_id), (order.ward_id, order.drug_id));
            assert_eq!(Some(one.nurse_id.0), order.changed_by, "{order:?} {one:?}");
        } else {
            assert!(found.is_empty(), "{order:?} has {found:?}");
        }
        if order.status == OrderStatus::Active && !order.timed {
            assert!(
                open.insert(order.prescription_id),
                "two open orders of one prescription: {order:?}"
            );
        }
    }
    assert!(of_order.is_empty(), "doses without orders: {of_order:?}");

    let mut given: HashMap<&str, Vec<&Line>> = HashMap::new();
    for line in ledger.iter().filter(|l| l.reason == LedgerReason::Given) {
        given.entry(&line.reference).or_default().push(line);
    }
    for dose in administrations
        .iter()
        .filter(|dose| dose.reverses.is_none())
    {
        let reference = given_reference(
            dose_reference(dose.id, dose.order_id, dose.patient_id),
            dose.administration_time.0,
            dose.recorded_at.0,
        );
        let found = given.remove(&*reference).unwrap_or_default();
        if dose.outcome == GivingOutcome::Given {
            let [line] = found[..] else {
                panic!("{dose:?} has register rows {found:?}");
            };
            assert_eq!(line.delta, -dose.quantity, "{dose:?} {line:?}");
            assert_eq!((line.ward_id, line.drug_id), (dose.ward_id, dose.drug_id));
            assert_eq!(line.op_id, dose.op_id);
            assert_eq!(line.actor_id, Some(dose.nurse_id));
        } else {
            assert!(found.is_empty(), "{dose:?} has register rows {found:?}");
        }
    }
    assert!(given.is_empty(), "register rows without doses: {given:?}");
}

/// Rules 4 and 6: what the desk remembers of an operation is what became of it.
fn memory_is_true(
    memory: &[Remembered],
    administrations: &[Administration],
    ledger: &[Line],
    orders: &[Order],
    audit: &[(String,)],
) {
    let mut lines: HashMap<OpId, Vec<&Line>> = HashMap::new();
    for line in ledger {
        lines.entry(line.op_id).or_default().push(line);
    }
    let mut doses: HashMap<OpId, Vec<&Administration>> = HashMap::new();
    for dose in administrations {
        doses.entry(dose.op_id).or_default().push(dose);
    }
    let orders: HashMap<OrderId, &Order> = orders.iter().map(|o| (o.id, o)).collect();
    for Remembered { op_id, outcome } in memory {
        let outcome: Outcome = serde_json::from_str(outcome).unwrap();
        let lines = lines.remove(op_id).unwrap_or_default();
        let doses = doses.remove(op_id).unwrap_or_default();
        match &outcome {
            Outcome::Done(Receipt::Given {
                administration,
                order,
                quantity,
                left,
                ..
            }) => {
                let ([line], [dose]) = (&lines[..], &doses[..]) else {
                    panic!("{outcome:?} with {lines:?} and {doses:?}");
                };
                assert_eq!((dose.id, dose.order_id), (*administration, *order));
                assert_eq!((dose.quantity, line.balance), (*quantity, *left));
                let completed = orders[order].status == OrderStatus::Completed;
                assert!(completed || dose.reversed, "{outcome:?}");
            }
            Outcome::Done(Receipt::NotGiven { administration, .. }) => {
                let ([], [entry]) = (&lines[..], &doses[..]) else {
                    panic!("{outcome:?} with {lines:?} and {doses:?}");
                };
                assert_eq!(entry.id, *administration);
                assert_eq!(entry.quantity, Quantity::ZERO);
            }
            Outcome::Done(Receipt::Corrected {
                administration,
                corrected,
                quantity,
                stock,
                ..
            }) => {
                let [entry] = &doses[..] else {
                    panic!("{outcome:?} with {doses:?}");
                };
                assert_eq!(
                    (entry.id, entry.reverses),
                    (*administration, Some(*corrected))
                );
                let moved: Vec<Quantity> = lines.iter().map(|line| line.delta).collect();
                let expected = match stock {
                    _ if !quantity.is_positive() => vec![],
                    Restock::Back => vec![*quantity],
                    Restock::WrittenOff => vec![*quantity, -*quantity],
                };
                assert_eq!(moved, expected, "{outcome:?}");
            }
            Outcome::Done(Receipt::EffectNoted { .. }) => {
                assert!(lines.is_empty() && doses.is_empty(), "{outcome:?}");
            }
            Outcome::Done(Receipt::Discontinued { order, .. }) => {
                assert!(lines.is_empty() && doses.is_empty(), "{outcome:?}");
                assert_eq!(orders[order].status, OrderStatus::Discontinued);
            }
            Outcome::Done(Receipt::EmergencyBegun { .. } | Receipt::EmergencyEnded { .. }) => {
                assert!(lines.is_empty() && doses.is_empty(), "{outcome:?}");
            }
            Outcome::Done(Receipt::Received {
                quantity, holds, ..
            }) => {
                let ([line], []) = (&lines[..], &doses[..]) else {
                    panic!("{outcome:?} with {lines:?} and {doses:?}");
                };
                assert_eq!((line.delta, line.balance), (*quantity, *holds));
            }
            Outcome::Done(other) => {
                assert!(doses.is_empty(), "{outcome:?} with {doses:?}");
                match (&other.in_register()[..], &lines[..]) {
                    ([], []) => {}
                    ([row], [line]) => {
                        assert_eq!((line.ward_id, line.drug_id), (row.ward, row.drug));
                        assert_eq!((line.delta, line.at.0), (row.delta, row.at));
                        assert!(line.reference.starts_with(&row.begins), "{line:?}");
                    }
                    _ => panic!("{outcome:?} with {lines:?}"),
                }
            }
            Outcome::Refused(_) => {
                assert!(lines.is_empty(), "{outcome:?} left {lines:?}");
                assert!(doses.is_empty(), "{outcome:?} left {doses:?}");
                let id = op_id.to_string();
                let told = audit.iter().filter(|(row,)| row.contains(&id)).count();
                assert_eq!(told, 1, "{outcome:?} of {id} in the audit");
            }
            Outcome::Unknown { .. } => panic!("the desk remembers not to know: {op_id}"),
        }
    }
    assert!(
        lines.is_empty(),
        "rows of operations not remembered: {lines:?}"
    );
    assert!(
        doses.is_empty(),
        "doses of operations not remembered: {doses:?}"
    );
}
