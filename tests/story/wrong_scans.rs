//! A scan that was stopped leaves a trace, whether the sheet stopped it or the desk.

use jiff::SignedDuration;
use valmed::domain::OrderId;
use valmed::store::{At, audit};
use valmed::tui::Stopped;

use crate::support::place::Place;
use crate::support::ward::*;

on_both_engines!(
    both_ways_to_stop_a_wrong_scan_leave_a_row_with_the_order,
    every_scan_that_a_sheet_stops_is_on_record_with_its_own_code,
);

async fn both_ways_to_stop_a_wrong_scan_leave_a_row_with_the_order(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(MEDI, PARACETAMOL, units(5)).await;
    let order = ward.order(&Rx::timed(PARACETAMOL)).await;
    let mut conn = ward.db.writer().await.unwrap();
    audit::wrong_scan(conn.link(), At(ward.now()), NURSE, order, "WRONG_PATIENT")
        .await
        .unwrap();
    drop(conn);
    // The second patient's wristband, for the first one's dose.
    let refusal = ward.refused(give_to(NURSE, order, 1)).await;
    assert_eq!(refusal.code(), "WRONG_PATIENT");
    let found = rows!(
        ward.db,
        (String, String, i64, uuid::Uuid),
        "SELECT kind, who, ward_id, order_id FROM audit_events WHERE code = 'WRONG_PATIENT' ORDER BY at, id"
    );
    let row = |kind: &str| (kind.to_owned(), "nora".to_owned(), MEDI.0, order.0);
    assert_eq!(found, [row("wrong scan stopped"), row("refused")]);
    assert_eq!(ward.given(order).await, 0);
    ward.end().await;
}

async fn every_scan_that_a_sheet_stops_is_on_record_with_its_own_code(place: Place) {
    let ward = Ward::open(place).await;
    let order = ward.order(&Rx::timed(PARACETAMOL)).await;
    let all = [
        Stopped::WrongPatient,
        Stopped::WrongDrug,
        Stopped::Expired,
        Stopped::Recalled,
    ];
    let mut conn = ward.db.writer().await.unwrap();
    for stopped in all {
        let at = At(ward.now());
        audit::wrong_scan(conn.link(), at, NURSE, order, stopped.code())
            .await
            .unwrap();
        ward.place.clock.advance(SignedDuration::from_secs(1));
    }
    // An order that there is not is an error, not a row that says nothing.
    let nowhere = OrderId(uuid::Uuid::now_v7());
    let lost = audit::wrong_scan(conn.link(), At(ward.now()), NURSE, nowhere, "WRONG_DRUG").await;
    assert!(lost.is_err());
    drop(conn);
    let found = rows!(
        ward.db,
        (String, uuid::Uuid),
        "SELECT code, order_id FROM audit_events WHERE kind = 'wrong scan stopped' ORDER BY at, id"
    );
    let row = |code: &str| (code.to_owned(), order.0);
    let expected = [
        "WRONG_PATIENT",
        "WRONG_DRUG",
        "EXPIRED_SCAN",
        "RECALLED_SCAN",
    ]
    .map(row);
    assert_eq!(found, expected);
    ward.end().await;
}
