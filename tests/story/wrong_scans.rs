//! A scan of another patient's wristband leaves a trace, whether the sheet stopped it or the desk.

use valmed::store::{At, audit};

use crate::support::place::Place;
use crate::support::ward::*;

on_both_engines!(both_ways_to_stop_a_wrong_scan_leave_a_row_with_the_order);

async fn both_ways_to_stop_a_wrong_scan_leave_a_row_with_the_order(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(MEDI, PARACETAMOL, units(5)).await;
    let order = ward.order(&Rx::timed(PARACETAMOL)).await;
    let mut conn = ward.db.writer().await.unwrap();
    audit::wrong_scan(conn.link(), At(ward.now()), NURSE, order)
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
