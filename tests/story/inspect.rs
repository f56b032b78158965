//! What the operator's check says of a database that is as it must be, and of one that is not.

use valmed::store::{Db, inspect};

use crate::support::place::Place;
use crate::support::ward::*;

on_both_engines!(
    every_query_is_served_by_its_index_whatever_there_is,
    an_index_that_is_gone_fails_its_queries,
    a_page_of_the_register_without_its_stock_is_found,
);
on_postgresql!(the_clocks_of_one_machine_agree);

async fn faults(db: &Db) -> Vec<(&'static str, String)> {
    let plans = inspect::plans(db).await.unwrap();
    assert!(plans.len() >= 36, "none may be left out: {}", plans.len());
    plans
        .into_iter()
        .filter_map(|plan| Some((plan.query, plan.fault?)))
        .collect()
}

async fn every_query_is_served_by_its_index_whatever_there_is(place: Place) {
    let empty = place.open().await;
    assert_eq!(faults(&empty).await, []);
    empty.close().await;
    let ward = Ward::open(place).await;
    assert_eq!(faults(&ward.db).await, []);
    inspect::refresh_statistics(&ward.db).await.unwrap();
    assert_eq!(faults(&ward.db).await, []);
    ward.receive(MEDI, PARACETAMOL, units(100)).await;
    let orders = ward.orders(400, &Rx::timed(PARACETAMOL)).await;
    for order in orders.into_iter().take(10) {
        ward.done(give(order)).await;
    }
    ward.orders(30, &Rx::as_needed(PARACETAMOL, "prn")).await;
    assert_eq!(faults(&ward.db).await, []);
    inspect::refresh_statistics(&ward.db).await.unwrap();
    assert_eq!(faults(&ward.db).await, []);
    ward.end().await;
}

async fn an_index_that_is_gone_fails_its_queries(place: Place) {
    let ward = Ward::open(place).await;
    ward.orders(5, &Rx::timed(PARACETAMOL)).await;
    for (sql, served) in [
        (
            "DROP INDEX medication_orders_queue",
            &[
                "queue: timed orders of a ward",
                "queue: as-needed orders of a ward",
                "board: doses due and late",
            ][..],
        ),
        (
            "DROP INDEX medication_administrations_log",
            &["log of a ward", "board: doses given"],
        ),
        (
            "DROP INDEX medication_administrations_patient",
            &["sheet: last given"],
        ),
        (
            "DROP INDEX medication_orders_discontinued",
            &["list: orders stopped in a ward"],
        ),
        (
            "DROP INDEX drug_stock_low",
            &["list: what a ward is low on", "board: low stock"],
        ),
        ("DROP INDEX prescriptions_running", &["my orders"]),
        (
            "DROP INDEX patients_present",
            &["record: who lies in a ward"],
        ),
        (
            "DROP INDEX prescriptions_to_make",
            &["orders to be made ahead"],
        ),
    ] {
        change!(ward.db, sql);
        let found = faults(&ward.db).await;
        for query in served {
            assert!(
                found.iter().any(|(faulty, _)| faulty == query),
                "{sql}: {found:?}"
            );
        }
    }
    ward.end().await;
}

async fn a_page_of_the_register_without_its_stock_is_found(place: Place) {
    let ward = Ward::open(place).await;
    ward.receive(MEDI, PARACETAMOL, units(5)).await;
    assert_eq!(inspect::stock_off_ledger(&ward.db).await.unwrap(), []);
    change!(
        ward.db,
        "DELETE FROM drug_stock WHERE ward_id = $1 AND drug_id = $2",
        MEDI,
        PARACETAMOL
    );
    let off = inspect::stock_off_ledger(&ward.db).await.unwrap();
    assert_eq!(off.len(), 1, "{off:?}");
    assert_eq!(off[0].0, "MEDI");
}

async fn the_clocks_of_one_machine_agree(place: Place) {
    let db = place.open().await;
    let skew = inspect::clock_skew(&db).await.unwrap();
    assert_eq!(inspect::clock_fault(skew), None, "{skew:?}");
    inspect::clock_agrees(&db).await.unwrap();
    let minutes = jiff::SignedDuration::from_mins;
    assert_eq!(
        inspect::clock_fault(minutes(-3)).unwrap(),
        "this machine's clock is 3 min behind the database server's"
    );
    assert_eq!(
        inspect::clock_fault(minutes(180)).unwrap(),
        "this machine's clock is 3 h ahead of the database server's"
    );
}
