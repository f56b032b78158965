//! Many at once: on the last unit, on one order, with one operation, from two processes.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::task::JoinSet;
use valmed::desk::{Desk, Settings};
use valmed::domain::prescribing::Admit;
use valmed::domain::{
    Correction, DrugId, Giving, Operation, OrderId, Outcome, Reason, Receipt, Refusal, Request,
    Restock, WardId, Warned,
};

use crate::support::place::Place;
use crate::support::soon;
use crate::support::ward::*;

on_both_engines!(
    of_thirty_on_the_last_unit_one_gives_and_the_others_are_told_ten_times_over,
    of_two_nurses_on_one_order_one_gives_and_the_other_is_told_by_whom,
    an_operation_sent_again_gets_the_first_outcome_also_after_a_restart,
    a_refusal_sent_again_is_the_same_refusal,
    two_desks_on_one_database_lose_nothing,
    two_desks_with_the_same_operation_do_it_once,
    opposite_orders_of_drugs_do_not_wait_for_each_other_in_a_circle,
);
on_both_engines!(in step:
    an_operation_sent_many_times_at_once_is_done_once,
    one_bad_operation_of_a_batch_leaves_the_others_alone,
    what_the_database_cannot_hold_is_refused_alone,
    the_order_of_asking_decides_within_a_batch,
    a_dose_is_given_where_its_patient_was_moved_to_in_the_same_batch,
    a_prescription_stands_where_its_patient_was_admitted_in_the_same_batch,
    a_later_dose_taken_back_in_the_same_batch_is_no_warning,
);

async fn all(desk: &Desk, operations: impl IntoIterator<Item = Operation>) -> Vec<Outcome> {
    let mut callers = JoinSet::new();
    for (n, operation) in operations.into_iter().enumerate() {
        let desk = desk.clone();
        callers.spawn(async move { (n, ask(&desk, operation).await) });
    }
    let mut outcomes = callers.join_all().await;
    outcomes.sort_by_key(|(n, _)| *n);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

fn done(outcomes: &[Outcome]) -> usize {
    outcomes
        .iter()
        .filter(|outcome| matches!(outcome, Outcome::Done(_)))
        .count()
}

async fn of_thirty_on_the_last_unit_one_gives_and_the_others_are_told_ten_times_over(place: Place) {
    let ward = Ward::open(place).await;
    for round in 0..10 {
        ward.receive(MEDI, MORPHINE, units(1)).await;
        let orders = ward.orders(30, &Rx::timed(MORPHINE)).await;
        // Half of the callers know the drug, as a screen does, and half do not, as a script may.
        let mut callers = JoinSet::new();
        for (n, order) in orders.iter().copied().enumerate() {
            let desk = ward.desk.clone();
            let drug = (n % 2 == 0).then_some(MORPHINE);
            callers.spawn(async move { soon(desk.submit(give(order), drug).outcome()).await });
        }
        let outcomes = callers.join_all().await;
        assert_eq!(done(&outcomes), 1, "round {round}");
        for outcome in outcomes {
            if let Outcome::Done(receipt) = outcome {
                assert_eq!(as_given(&receipt).2, units(0));
                continue;
            }
            let expected = Refusal::InsufficientStock {
                ward: "Medicine".to_owned(),
                drug: "Morphine 10mg/mL".to_owned(),
                unit: "mL".to_owned(),
                needed: units(1),
                available: units(0),
            };
            assert_eq!(refusal(outcome), expected, "round {round}");
        }
        assert_eq!(ward.stock(MEDI, MORPHINE).await, units(0));
        ward.rules_hold().await;
    }
    ward.end().await;
}

async fn of_two_nurses_on_one_order_one_gives_and_the_other_is_told_by_whom(place: Place) {
    let ward = Ward::open(place).await;
    let other_desk = ward.another_desk().await;
    ward.receive(MEDI, PARACETAMOL, units(100)).await;
    for round in 0..20 {
        let order = ward.order(&Rx::timed(PARACETAMOL)).await;
        // On one desk, and on two.
        let second = if round % 2 == 0 {
            &ward.desk
        } else {
            &other_desk
        };
        let (nora, nils) = tokio::join!(
            ask(&ward.desk, give_as(NURSE, order)),
            ask(second, give_as(SECOND_NURSE, order))
        );
        let (by, loser) = match (&nora, &nils) {
            (Outcome::Done(_), Outcome::Refused(_)) => ("Nora Nurse", nils),
            (Outcome::Refused(_), Outcome::Done(_)) => ("Nils Nurse", nora),
            both => panic!("{both:?}"),
        };
        let expected = Refusal::OrderAlreadyCompleted {
            what: "given".to_owned(),
            by: by.to_owned(),
            at: ward.now(),
        };
        assert_eq!(refusal(loser), expected);
        assert_eq!(ward.given(order).await, 1);
    }
    assert_eq!(ward.stock(MEDI, PARACETAMOL).await, units(80));
    ward.end().await;
}

async fn an_operation_sent_again_gets_the_first_outcome_also_after_a_restart(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(MEDI, PARACETAMOL, units(5)).await;
    let order = ward.order(&Rx::timed(PARACETAMOL)).await;
    let operation = give(order);
    let first = ward.ask(operation.clone()).await;
    assert!(matches!(first, Outcome::Done(Receipt::Given { .. })));
    ward.place
        .clock
        .advance(jiff::SignedDuration::from_hours(5));
    assert_eq!(ward.ask(operation.clone()).await, first);
    assert!(ward.desk.close(crate::support::PATIENCE).await);
    let restarted = ward.another_desk().await;
    assert_eq!(ask(&restarted, operation).await, first);
    assert_eq!(ward.stock(MEDI, PARACETAMOL).await, units(4));
    ward.end().await;
}

async fn a_refusal_sent_again_is_the_same_refusal(place: Place) {
    let ward = Ward::open(place).await;
    let order = ward.order(&Rx::timed(PARACETAMOL)).await;
    let operation = give(order);
    let first = ward.refused(operation.clone()).await;
    assert_eq!(first.code(), "INSUFFICIENT_STOCK");
    ward.receive(MEDI, PARACETAMOL, units(5)).await;
    // The answer belongs to the operation; a new try is a new operation.
    assert_eq!(ward.refused(operation).await, first);
    ward.done(give(order)).await;
    ward.end().await;
}

async fn an_operation_sent_many_times_at_once_is_done_once(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(MEDI, PARACETAMOL, units(5)).await;
    let order = ward.order(&Rx::timed(PARACETAMOL)).await;
    let operation = give(order);
    let mut changed = operation.clone();
    changed.actor = SECOND_NURSE;
    let before = ward.desk.counters().batches.load(Ordering::Relaxed);
    let mut batch = vec![operation; 9];
    batch.push(changed);
    let outcomes = all(&ward.desk, batch).await;
    let batches = ward.desk.counters().batches.load(Ordering::Relaxed) - before;
    assert_eq!(batches, 1, "they met in one batch");
    assert_eq!(done(&outcomes), 9);
    assert!(outcomes[..9].iter().all(|outcome| *outcome == outcomes[0]));
    assert_eq!(refusal(outcomes[9].clone()).code(), "DUPLICATE_OPERATION");
    assert_eq!(ward.given(order).await, 1);
    assert_eq!(ward.stock(MEDI, PARACETAMOL).await, units(4));
    ward.end().await;
}

async fn one_bad_operation_of_a_batch_leaves_the_others_alone(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(MEDI, PARACETAMOL, units(5)).await;
    let orders = ward.orders(3, &Rx::timed(PARACETAMOL)).await;
    let before = ward.desk.counters().batches.load(Ordering::Relaxed);
    let batch = [
        give(orders[0]),
        give_to(NURSE, orders[1], 1),
        give(orders[2]),
        receive(NURSE, MEDI, PARACETAMOL, units(1)),
        receive(PHARMACIST, MEDI, MORPHINE, units(1)),
    ];
    let outcomes = all(&ward.desk, batch).await;
    let batches = ward.desk.counters().batches.load(Ordering::Relaxed) - before;
    assert_eq!(batches, 1, "they met in one batch");
    assert_eq!(done(&outcomes), 3);
    assert_eq!(refusal(outcomes[1].clone()).code(), "WRONG_PATIENT");
    let not_allowed = refusal(outcomes[3].clone());
    assert_eq!(not_allowed.code(), "INSUFFICIENT_PERMISSIONS");
    assert_eq!(ward.stock(MEDI, PARACETAMOL).await, units(3));
    ward.end().await;
}

/// A text that PostgreSQL cannot keep must not take the rest of its batch with it.
async fn what_the_database_cannot_hold_is_refused_alone(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(MEDI, PARACETAMOL, units(5)).await;
    let orders = ward.orders(4, &Rx::timed(PARACETAMOL)).await;
    let mut scanned = give(orders[1]);
    if let Request::Fulfil(Giving { identified, .. }) = &mut scanned.request {
        *identified = "M1001\0".to_owned();
    }
    let mut delivery = receive(PHARMACIST, MEDI, MORPHINE, units(1));
    if let Request::Receive { reference, .. } = &mut delivery.request {
        *reference = "note\0 17".to_owned();
    }
    let batch = [
        give(orders[0]),
        scanned,
        give(orders[2]),
        delivery,
        discontinue(DOCTOR, orders[3], "nau\0sea"),
    ];
    let outcomes = all(&ward.desk, batch).await;
    assert!(matches!(outcomes[0], Outcome::Done(_)), "{:?}", outcomes[0]);
    assert!(matches!(outcomes[2], Outcome::Done(_)), "{:?}", outcomes[2]);
    assert_eq!(refusal(outcomes[1].clone()).code(), "WRONG_PATIENT");
    assert_eq!(refusal(outcomes[3].clone()).code(), "INVALID_DATA");
    assert_eq!(refusal(outcomes[4].clone()).code(), "INVALID_DATA");
    assert_eq!(ward.stock(MEDI, MORPHINE).await, units(0));
    ward.end().await;
}

async fn the_order_of_asking_decides_within_a_batch(place: Place) {
    let ward = Ward::open(place).await;
    let orders = ward.orders(2, &Rx::timed(PARACETAMOL)).await;
    // Too early, then the delivery, then enough; a stop before a dose wins over the dose.
    let batch = [
        give(orders[0]),
        receive(PHARMACIST, MEDI, PARACETAMOL, units(1)),
        give(orders[0]),
        discontinue(DOCTOR, orders[1], "first come"),
        give(orders[1]),
    ];
    let outcomes = all(&ward.desk, batch).await;
    assert_eq!(refusal(outcomes[0].clone()).code(), "INSUFFICIENT_STOCK");
    assert!(matches!(outcomes[1], Outcome::Done(_)));
    assert!(matches!(outcomes[2], Outcome::Done(_)));
    assert!(matches!(outcomes[3], Outcome::Done(_)));
    assert_eq!(
        refusal(outcomes[4].clone()).code(),
        "INVALID_STATUS_TRANSITION"
    );
    ward.end().await;
}

/// A screen that is ahead of the others may know of the move before it is on record.
async fn a_dose_is_given_where_its_patient_was_moved_to_in_the_same_batch(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(SURG, PARACETAMOL, units(5)).await;
    let order = ward.order(&Rx::timed(PARACETAMOL)).await;
    let to_surgery = Request::Move {
        patient: patient(0),
        version: 1,
        ward: SURG,
        bed: "4".to_owned(),
    };
    let mut there = give_as(POOL_NURSE, order);
    version_of(&mut there, 2);
    let before = ward.desk.counters().batches.load(Ordering::Relaxed);
    let batch = [operation(NURSE, to_surgery), there];
    let outcomes = all(&ward.desk, batch).await;
    let batches = ward.desk.counters().batches.load(Ordering::Relaxed) - before;
    assert_eq!(batches, 1, "they met in one batch");
    assert_eq!(done(&outcomes), 2, "{outcomes:?}");
    assert_eq!(ward.stock(SURG, PARACETAMOL).await, units(4));
    ward.end().await;
}

/// A prescription of an earlier stay is refused to those of another ward, also in the very batch that admits its patient.
async fn a_prescription_stands_where_its_patient_was_admitted_in_the_same_batch(place: Place) {
    let ward = Ward::open(place).await;
    let (prescription, _) = ward.prescribe(&Rx::timed(PARACETAMOL)).await;
    let discharge = Request::Discharge {
        patient: patient(0),
        version: 1,
        reason: reason("home"),
    };
    ward.done(operation(DOCTOR, discharge)).await;
    let sql = "SELECT birth_date FROM patients WHERE id = $1";
    let born = value!(ward.db, valmed::store::Day, sql, patient(0));
    let back = Admit {
        mrn: PATIENTS[0].0.to_owned(),
        name: PATIENTS[0].1.to_owned(),
        birth_date: born.0,
        ward: SURG,
        bed: String::new(),
        allergies: String::new(),
    };
    let stop = Request::DiscontinuePrescription {
        prescription,
        version: 2,
        reason: reason("changed"),
    };
    let batch = [
        operation(POOL_NURSE, Request::Admit(Box::new(back))),
        operation(DOCTOR, stop),
    ];
    let outcomes = all(&ward.desk, batch).await;
    assert_eq!(done(&outcomes), 1, "{outcomes:?}");
    assert_eq!(
        refusal(outcomes[1].clone()).code(),
        "INSUFFICIENT_PERMISSIONS"
    );
    ward.end().await;
}

/// Two doses of one drug, given at the same moment: when one is taken back, it is that one which is forgotten.
async fn a_later_dose_taken_back_in_the_same_batch_is_no_warning(place: Place) {
    let ward = Ward::open_with(place, strict()).await;
    ward.receive(MEDI, PARACETAMOL, units(20)).await;
    let (prescription, early) = ward.prescribe(&Rx::timed(PARACETAMOL)).await;
    let orders = ward.orders(2, &Rx::timed(PARACETAMOL)).await;
    let (other, late) = (orders[0], orders[1]);
    let sql = "UPDATE medication_orders SET prescription_id = $2, due_at = $3 WHERE id = $1";
    let due = valmed::store::At(ward.now() + jiff::SignedDuration::from_mins(30));
    change!(ward.db, sql, late, prescription, due);
    ward.done(give(other)).await;
    let mut at_once = give(late);
    if let Request::Fulfil(giving) = &mut at_once.request {
        giving.why.warned = Some(reason("prescriber"));
        giving.why.despite = vec![Warned::SameDrug];
    }
    let entry = as_given(&ward.done(at_once).await).0;
    let back = Request::Correct(Correction {
        administration: entry,
        reason: reason("not_given"),
        stock: Restock::Back,
        reopen: true,
    });
    let outcomes = all(&ward.desk, [operation(NURSE, back), give(early)]).await;
    assert_eq!(done(&outcomes), 1, "{outcomes:?}");
    let Refusal::ReasonRequired { warned, .. } = refusal(outcomes[1].clone()) else {
        panic!("{outcomes:?}")
    };
    assert_eq!(warned, [Warned::SameDrug]);
    ward.end().await;
}

fn reason(code: &str) -> Reason {
    Reason {
        code: code.to_owned(),
        text: String::new(),
    }
}

/// What a nurse or a pharmacist might do next, from a small generator, so that a failure can be told again.
fn anything(orders: &[OrderId], random: &mut fastrand::Rng) -> (Operation, Option<DrugId>) {
    let operation = match random.u8(0..10) {
        0 => receive(PHARMACIST, MEDI, PARACETAMOL, units(random.i64(1..4))),
        1 => receive(PHARMACIST, MEDI, MORPHINE, units(random.i64(1..4))),
        2 => discontinue(DOCTOR, orders[random.usize(..orders.len())], "chance"),
        _ => give(orders[random.usize(..orders.len())]),
    };
    (operation, None)
}

async fn two_desks_on_one_database_lose_nothing(place: Place) {
    let settings = Settings {
        tries: 1000,
        ..easy()
    };
    let ward = Ward::open_with(place, settings.clone()).await;
    let second = ward.desk_over(ward.place.open().await, settings);
    let mut orders = ward.orders(40, &Rx::timed(PARACETAMOL)).await;
    orders.extend(ward.orders(40, &Rx::timed(MORPHINE)).await);
    let orders = Arc::new(orders);
    ward.receive(MEDI, PARACETAMOL, units(20)).await;
    ward.receive(MEDI, MORPHINE, units(20)).await;
    let mut callers = JoinSet::new();
    for n in 0..16 {
        let desk = if n % 2 == 0 { &ward.desk } else { &second }.clone();
        let orders = Arc::clone(&orders);
        callers.spawn(async move {
            let mut random = fastrand::Rng::with_seed(n);
            let mut told = Vec::new();
            for _ in 0..25 {
                let (operation, drug) = anything(&orders, &mut random);
                let outcome = soon(desk.submit(operation.clone(), drug).outcome()).await;
                told.push((operation, outcome));
            }
            told
        });
    }
    let told: Vec<(Operation, Outcome)> = callers.join_all().await.into_iter().flatten().collect();
    // What everybody was told adds up to what is there.
    let mut expected: HashMap<(WardId, DrugId), i64> = HashMap::new();
    expected.insert((MEDI, PARACETAMOL), units(20).0);
    expected.insert((MEDI, MORPHINE), units(20).0);
    for (operation, outcome) in told {
        match outcome {
            Outcome::Done(Receipt::Given {
                ward,
                drug,
                quantity,
                ..
            }) => *expected.entry((ward, drug)).or_default() -= quantity.0,
            Outcome::Done(Receipt::Received {
                ward,
                drug,
                quantity,
                ..
            }) => *expected.entry((ward, drug)).or_default() += quantity.0,
            Outcome::Done(_) => {}
            Outcome::Refused(refusal) => {
                assert!(!refusal.is_passing(), "{operation:?}: {refusal:?}");
            }
            Outcome::Unknown { .. } => panic!("{operation:?} is not known"),
        }
    }
    for ((at, drug), quantity) in expected {
        assert_eq!(ward.stock(at, drug).await.0, quantity);
    }
    ward.end().await;
}

async fn two_desks_with_the_same_operation_do_it_once(place: Place) {
    let ward = Ward::open(place).await;
    let second = ward.another_desk().await;
    ward.receive(MEDI, PARACETAMOL, units(100)).await;
    for _ in 0..20 {
        let order = ward.order(&Rx::timed(PARACETAMOL)).await;
        for operation in [
            give(order),
            receive(PHARMACIST, MEDI, PARACETAMOL, units(1)),
            // Refused by both, and remembered once.
            give(OrderId(uuid::Uuid::nil())),
        ] {
            let (one, other) = tokio::join!(
                ask(&ward.desk, operation.clone()),
                ask(&second, operation.clone())
            );
            assert_eq!(one, other, "{operation:?}");
        }
    }
    assert_eq!(ward.stock(MEDI, PARACETAMOL).await, units(100));
    ward.end().await;
}

/// Two processes whose batches touch the same drugs in opposite orders lock them in the same order all the same.
async fn opposite_orders_of_drugs_do_not_wait_for_each_other_in_a_circle(place: Place) {
    let settings = Settings {
        lanes: Some(1),
        ..easy()
    };
    let ward = Ward::open_with(place, settings.clone()).await;
    let second = ward.desk_over(ward.place.open().await, settings);
    for drug in [PARACETAMOL, MORPHINE, INSULIN] {
        ward.receive(MEDI, drug, units(1000)).await;
    }
    for _ in 0..10 {
        let mut tickets = Vec::new();
        for n in 0..10 {
            let mut drugs = [PARACETAMOL, MORPHINE, INSULIN];
            drugs.rotate_left(n % 3);
            for drug in drugs {
                let operation = receive(PHARMACIST, MEDI, drug, units(1));
                tickets.push(ward.desk.submit(operation, None));
            }
            for drug in drugs.into_iter().rev() {
                let operation = receive(PHARMACIST, MEDI, drug, units(1));
                tickets.push(second.submit(operation, None));
            }
        }
        for ticket in tickets {
            let outcome = soon(ticket.outcome()).await;
            assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
        }
    }
    for drug in [PARACETAMOL, MORPHINE, INSULIN] {
        assert_eq!(ward.stock(MEDI, drug).await, units(1200));
    }
    ward.end().await;
}
