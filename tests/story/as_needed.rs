//! As-needed and unscheduled prescriptions: one open order at a time, within their limits, to their end.

use jiff::{SignedDuration, Timestamp};
use valmed::domain::{OrderStatus, PrescriptionId, Refusal};

use crate::support::place::Place;
use crate::support::ward::*;

on_both_engines!(
    giving_opens_exactly_one_next_order,
    doses_keep_the_prescribed_distance,
    a_day_has_no_more_doses_than_prescribed,
    the_last_dose_of_all_closes_the_prescription_for_good,
    two_nurses_on_one_as_needed_order_open_one_next_order,
    discontinuing_the_open_order_ends_the_prescription,
    an_unscheduled_prescription_stays_open,
);

async fn stocked(place: Place) -> Ward {
    let ward = Ward::open(place).await;
    ward.receive(MEDI, MORPHINE, units(100)).await;
    ward
}

async fn status_of(ward: &Ward, prescription: PrescriptionId) -> String {
    value!(
        ward.db,
        String,
        "SELECT status FROM prescriptions WHERE id = $1",
        prescription
    )
}

/// Gives the open order of a prescription.
async fn give_open(ward: &Ward, prescription: PrescriptionId) -> Timestamp {
    let open = ward.open_orders(prescription).await;
    assert_eq!(open.len(), 1);
    ward.done(give(open[0])).await;
    ward.now()
}

async fn too_soon(ward: &Ward, prescription: PrescriptionId) -> (Timestamp, String) {
    let open = ward.open_orders(prescription).await;
    assert_eq!(open.len(), 1);
    match ward.refused(give(open[0])).await {
        Refusal::TooSoon { why, not_before } => (not_before, why),
        other => panic!("{other:?}"),
    }
}

async fn giving_opens_exactly_one_next_order(place: Place) {
    let ward = stocked(place).await;
    let range = Rx {
        most: Some(units(2)),
        ..Rx::as_needed(MORPHINE, "prn")
    };
    let (prescription, first) = ward.prescribe(&range).await;
    ward.place.clock.advance(SignedDuration::from_mins(30));
    let operation = give_amount(first, units(2));
    ward.done(operation.clone()).await;
    let open = ward.open_orders(prescription).await;
    assert_eq!(open.len(), 1);
    assert_ne!(open[0], first);
    // Asking again opens nothing more.
    ward.done(operation).await;
    assert_eq!(ward.open_orders(prescription).await, open);
    let same = value!(
        ward.db,
        i64,
        "SELECT count(*) FROM medication_orders a JOIN medication_orders b ON b.id = $2 WHERE a.id = $1 \
         AND a.patient_id = b.patient_id AND a.ward_id = b.ward_id AND a.drug_id = b.drug_id \
         AND a.prescription_id = b.prescription_id AND a.dosage = b.dosage AND a.dosage_max = b.dosage_max \
         AND a.kind = b.kind AND a.priority = b.priority AND a.doctor_id = b.doctor_id \
         AND b.due_at IS NULL AND b.version = 1",
        first,
        open[0]
    );
    assert_eq!(same, 1, "the next order is like the one before it");
    ward.end().await;
}

async fn doses_keep_the_prescribed_distance(place: Place) {
    let ward = stocked(place).await;
    let rx = Rx::as_needed(MORPHINE, "prn min 90m");
    let (prescription, _) = ward.prescribe(&rx).await;
    let first = give_open(&ward, prescription).await;
    let earliest = first + SignedDuration::from_mins(90);
    let (not_before, why) = too_soon(&ward, prescription).await;
    assert_eq!(not_before, earliest);
    assert_eq!(why, "doses must be at least 1 h 30 min apart");
    ward.place.clock.set("2026-03-02T09:29:59.999999Z");
    assert_eq!(too_soon(&ward, prescription).await.0, earliest);
    ward.place.clock.set("2026-03-02T09:30:00Z");
    give_open(&ward, prescription).await;
    ward.end().await;
}

async fn a_day_has_no_more_doses_than_prescribed(place: Place) {
    let ward = stocked(place).await;
    let rx = Rx::as_needed(MORPHINE, "prn max/24h 3");
    let (prescription, _) = ward.prescribe(&rx).await;
    let hour = SignedDuration::from_hours(1);
    let first = give_open(&ward, prescription).await;
    for _ in 0..2 {
        ward.place.clock.advance(hour);
        give_open(&ward, prescription).await;
    }
    ward.place.clock.advance(hour);
    let (not_before, why) = too_soon(&ward, prescription).await;
    assert_eq!(not_before, first + SignedDuration::from_hours(24));
    assert_eq!(why, "at most 3 doses in 24 h, and there were 3");
    ward.place.clock.set("2026-03-03T07:59:59.999999Z");
    too_soon(&ward, prescription).await;
    ward.place.clock.set("2026-03-03T08:00:00Z");
    give_open(&ward, prescription).await;
    // The window moves: the next one is an hour later.
    let (not_before, _) = too_soon(&ward, prescription).await;
    assert_eq!(not_before, first + SignedDuration::from_hours(25));
    ward.end().await;
}

async fn the_last_dose_of_all_closes_the_prescription_for_good(place: Place) {
    let ward = stocked(place).await;
    let rx = Rx::as_needed(MORPHINE, "prn total 2");
    let (prescription, _) = ward.prescribe(&rx).await;
    give_open(&ward, prescription).await;
    give_open(&ward, prescription).await;
    assert!(ward.open_orders(prescription).await.is_empty());
    let day = SignedDuration::from_hours(24);
    let made = valmed::desk::horizon::make_orders_ahead(&ward.db, ward.now(), day)
        .await
        .unwrap();
    assert_eq!(made.orders, 0);
    ward.end().await;
}

async fn two_nurses_on_one_as_needed_order_open_one_next_order(place: Place) {
    let ward = stocked(place).await;
    let other_desk = ward.another_desk().await;
    let rx = Rx::as_needed(MORPHINE, "prn");
    let (prescription, _) = ward.prescribe(&rx).await;
    for _ in 0..10 {
        let order = ward.open_orders(prescription).await[0];
        let (one, other) = tokio::join!(
            ask(&ward.desk, give_as(NURSE, order)),
            ask(&other_desk, give_as(SECOND_NURSE, order))
        );
        let done = |outcome: &_| matches!(outcome, valmed::domain::Outcome::Done(_));
        assert!(done(&one) != done(&other), "{one:?} {other:?}");
        assert_eq!(ward.open_orders(prescription).await.len(), 1);
    }
    assert_eq!(ward.stock(MEDI, MORPHINE).await, units(90));
    ward.end().await;
}

async fn discontinuing_the_open_order_ends_the_prescription(place: Place) {
    let ward = stocked(place).await;
    let rx = Rx::as_needed(MORPHINE, "prn");
    let (prescription, first) = ward.prescribe(&rx).await;
    ward.done(give(first)).await;
    let open = ward.open_orders(prescription).await[0];
    ward.done(discontinue(DOCTOR, open, "pain is gone")).await;
    assert_eq!(ward.status(open).await, OrderStatus::Discontinued);
    assert_eq!(status_of(&ward, prescription).await, "discontinued");
    let day = SignedDuration::from_hours(24);
    valmed::desk::horizon::make_orders_ahead(&ward.db, ward.now(), day)
        .await
        .unwrap();
    assert!(ward.open_orders(prescription).await.is_empty());
    // A timed dose is only itself: its prescription goes on.
    let (prescription, order) = ward.prescribe(&Rx::timed(MORPHINE)).await;
    ward.done(discontinue(DOCTOR, order, "asleep")).await;
    assert_eq!(status_of(&ward, prescription).await, "active");
    ward.end().await;
}

async fn an_unscheduled_prescription_stays_open(place: Place) {
    let ward = stocked(place).await;
    let rx = Rx::as_needed(MORPHINE, "unscheduled");
    let (prescription, _) = ward.prescribe(&rx).await;
    for _ in 0..3 {
        give_open(&ward, prescription).await;
    }
    assert_eq!(ward.open_orders(prescription).await.len(), 1);
    ward.end().await;
}
