//! The three operations: what each of them writes, all of it or nothing.

use jiff::SignedDuration;
use valmed::domain::{
    AdministrationId, GivingOutcome, LedgerReason, OpId, OrderStatus, Outcome, Quantity, Receipt,
    UserId,
};
use valmed::store::At;

use crate::support::place::Place;
use crate::support::ward::*;

on_both_engines!(
    giving_a_dose_completes_the_order_takes_the_stock_down_and_records_it,
    a_half_tablet_is_half_a_tablet,
    a_range_is_given_at_the_amount_that_the_nurse_chose,
    stopping_a_dose_leaves_the_stock_alone,
    stock_that_comes_in_is_in_the_register,
    a_drug_that_a_ward_never_stocked_is_stocked_once_it_is_received,
    the_register_of_one_drug_tells_everything_in_order,
    a_closed_desk_takes_nothing_more,
    a_pool_nurse_gives_in_every_ward,
);

#[derive(Debug, sqlx::FromRow)]
struct Dose {
    id: AdministrationId,
    nurse_id: UserId,
    order_version: i64,
    administration_time: At,
    recorded_at: At,
    outcome: GivingOutcome,
    quantity: Quantity,
    op_id: OpId,
}

async fn giving_a_dose_completes_the_order_takes_the_stock_down_and_records_it(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(MEDI, PARACETAMOL, units(10)).await;
    let order = ward.order(&Rx::timed(PARACETAMOL)).await;
    ward.place.clock.advance(SignedDuration::from_mins(5));
    let operation = give(order);
    let receipt = ward.done(operation.clone()).await;

    let Receipt::Given {
        administration,
        order: told,
        ward: where_,
        drug,
        quantity,
        left,
        at,
    } = receipt
    else {
        panic!("{receipt:?}");
    };
    assert_eq!((told, where_, drug), (order, MEDI, PARACETAMOL));
    assert_eq!((quantity, left, at), (units(1), units(9), ward.now()));
    assert_eq!(ward.stock(MEDI, PARACETAMOL).await, units(9));
    let doses = rows!(
        ward.db,
        Dose,
        "SELECT id, nurse_id, order_version, administration_time, recorded_at, outcome, quantity, op_id \
         FROM medication_administrations WHERE order_id = $1",
        order
    );
    let [dose] = &doses[..] else {
        panic!("{doses:?}");
    };
    assert_eq!((dose.id, dose.op_id), (administration, operation.id));
    assert_eq!((dose.nurse_id, dose.order_version), (NURSE, 1));
    assert_eq!(dose.administration_time.0, ward.now());
    assert_eq!(dose.recorded_at.0, ward.now());
    assert_eq!(
        (dose.outcome, dose.quantity),
        (GivingOutcome::Given, units(1))
    );
    let (status, version, by, change) = rows!(
        ward.db,
        (OrderStatus, i64, Option<i64>, String),
        "SELECT status, version, changed_by, change FROM medication_orders WHERE id = $1",
        order
    )
    .remove(0);
    assert_eq!((status, version), (OrderStatus::Completed, 2));
    assert_eq!((by, &*change), (Some(NURSE.0), "given"));
    assert!(ward.remembers(operation.id).await);
    ward.end().await;
}

async fn a_half_tablet_is_half_a_tablet(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(MEDI, PARACETAMOL, units(1)).await;
    let half = Rx {
        dose: milli(500),
        ..Rx::timed(PARACETAMOL)
    };
    for left in [milli(500), milli(0)] {
        let order = ward.order(&half).await;
        let receipt = ward.done(give(order)).await;
        assert_eq!(as_given(&receipt).2, left);
    }
    assert_eq!(ward.stock(MEDI, PARACETAMOL).await, Quantity::ZERO);
    ward.end().await;
}

async fn a_range_is_given_at_the_amount_that_the_nurse_chose(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(MEDI, MORPHINE, units(10)).await;
    let range = Rx {
        dose: milli(250),
        most: Some(units(1)),
        ..Rx::timed(MORPHINE)
    };
    let order = ward.order(&range).await;
    let receipt = ward.done(give_amount(order, milli(750))).await;
    assert_eq!(as_given(&receipt).1, milli(750));
    assert_eq!(ward.stock(MEDI, MORPHINE).await, milli(9250));
    ward.end().await;
}

async fn stopping_a_dose_leaves_the_stock_alone(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(MEDI, PARACETAMOL, units(10)).await;
    let order = ward.order(&Rx::timed(PARACETAMOL)).await;
    let receipt = ward.done(discontinue(DOCTOR, order, "  nausea ")).await;
    let at = ward.now();
    assert_eq!(receipt, Receipt::Discontinued { order, at });
    let (status, by, change) = rows!(
        ward.db,
        (OrderStatus, Option<i64>, String),
        "SELECT status, changed_by, change FROM medication_orders WHERE id = $1",
        order
    )
    .remove(0);
    assert_eq!(status, OrderStatus::Discontinued);
    assert_eq!((by, &*change), (Some(DOCTOR.0), "nausea"));
    assert_eq!(ward.stock(MEDI, PARACETAMOL).await, units(10));
    ward.end().await;
}

#[derive(Debug, sqlx::FromRow)]
struct Entry {
    seq: i64,
    delta: Quantity,
    balance: Quantity,
    reason: LedgerReason,
    reference: String,
    actor_id: Option<UserId>,
}

async fn register(ward: &Ward) -> Vec<Entry> {
    rows!(
        ward.db,
        Entry,
        "SELECT seq, delta, balance, reason, reference, actor_id FROM stock_ledger \
         WHERE ward_id = $1 AND drug_id = $2 ORDER BY seq",
        MEDI,
        PARACETAMOL
    )
}

async fn stock_that_comes_in_is_in_the_register(place: Place) {
    let ward = Ward::open(place).await;
    let receipt = ward
        .done(receive(PHARMACIST, MEDI, PARACETAMOL, milli(12_500)))
        .await;
    let expected = Receipt::Received {
        ward: MEDI,
        drug: PARACETAMOL,
        quantity: milli(12_500),
        holds: milli(12_500),
        at: ward.now(),
    };
    assert_eq!(receipt, expected);
    let register = register(&ward).await;
    let [entry] = &register[..] else {
        panic!("{register:?}");
    };
    assert_eq!((entry.seq, entry.reason), (1, LedgerReason::Received));
    assert_eq!((entry.delta, entry.balance), (milli(12_500), milli(12_500)));
    assert_eq!(entry.reference, "delivery note 17");
    assert_eq!(entry.actor_id, Some(PHARMACIST));
    ward.end().await;
}

async fn a_drug_that_a_ward_never_stocked_is_stocked_once_it_is_received(place: Place) {
    let ward = Ward::open(place).await;
    let order = ward.order(&Rx::timed(COLCHICINE)).await;
    assert_eq!(ward.refused(give(order)).await.code(), "DRUG_NOT_FOUND");
    ward.receive(MEDI, COLCHICINE, units(2)).await;
    ward.done(give(order)).await;
    assert_eq!(ward.stock(MEDI, COLCHICINE).await, units(1));
    ward.end().await;
}

async fn the_register_of_one_drug_tells_everything_in_order(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(MEDI, PARACETAMOL, units(2)).await;
    for _ in 0..2 {
        let order = ward.order(&Rx::timed(PARACETAMOL)).await;
        ward.done(give(order)).await;
    }
    ward.receive(MEDI, PARACETAMOL, units(5)).await;
    let told: Vec<(i64, Quantity, Quantity)> = register(&ward)
        .await
        .iter()
        .map(|e| (e.seq, e.delta, e.balance))
        .collect();
    let expected = [
        (1, units(2), units(2)),
        (2, units(-1), units(1)),
        (3, units(-1), units(0)),
        (4, units(5), units(5)),
    ];
    assert_eq!(told, expected);
    ward.end().await;
}

async fn a_closed_desk_takes_nothing_more(place: Place) {
    let ward = Ward::open(place).await;
    let under_way: Vec<_> = (0..20)
        .map(|_| {
            let operation = receive(PHARMACIST, MEDI, PARACETAMOL, units(1));
            ward.desk.submit(operation, None)
        })
        .collect();
    assert!(ward.desk.close(crate::support::PATIENCE).await);
    for ticket in under_way {
        let outcome = ticket.outcome().await;
        assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
    }
    let late = receive(PHARMACIST, MEDI, PARACETAMOL, units(1));
    assert_eq!(ward.refused(late).await.code(), "BUSY");
    assert_eq!(ward.stock(MEDI, PARACETAMOL).await, units(20));
    ward.end().await;
}

async fn a_pool_nurse_gives_in_every_ward(place: Place) {
    let ward = Ward::open(place).await;
    for (place, patient) in [(MEDI, 0), (SURG, 2)] {
        ward.receive(place, INSULIN, units(1)).await;
        let rx = Rx {
            patient,
            ..Rx::timed(INSULIN)
        };
        let order = ward.order(&rx).await;
        ward.done(give_to(POOL_NURSE, order, patient)).await;
        assert_eq!(ward.status(order).await, OrderStatus::Completed);
        assert_eq!(ward.given(order).await, 1);
    }
    ward.end().await;
}
