//! Packages that a pharmacist has said hold a drug.

use valmed::domain::scan::Gtin;
use valmed::domain::{DrugId, Operation, Request, UserId};
use valmed::store::codes;

use crate::support::cupboard::{recall, receive_lot};
use crate::support::place::Place;
use crate::support::ward::*;

on_both_engines!(
    a_code_is_bound_once_and_released,
    a_code_of_another_drug_is_refused_unless_it_stands_beside,
    two_processes_bind_one_code_once,
    codes_are_listed_page_by_page,
    a_scanned_lot_is_known_as_recalled_by_drug_and_name,
);

fn gtin() -> Gtin {
    Gtin::read("09520123456788").unwrap()
}

pub fn bind(actor: UserId, drug: DrugId, beside: bool) -> Operation {
    let gtin = gtin();
    operation(actor, Request::BindCode { drug, gtin, beside })
}

pub fn release(actor: UserId, drug: DrugId) -> Operation {
    operation(actor, Request::ReleaseCode { drug, gtin: gtin() })
}

async fn held(ward: &Ward) -> Vec<DrugId> {
    let mut conn = ward.db.reader().await.unwrap();
    let found = codes::held(conn.link(), &gtin()).await.unwrap();
    found.into_iter().map(|drug| drug.id).collect()
}

async fn a_code_is_bound_once_and_released(place: Place) {
    let ward = Ward::open(place).await;
    assert_eq!(held(&ward).await, []);
    ward.done(bind(PHARMACIST, PARACETAMOL, false)).await;
    assert_eq!(held(&ward).await, [PARACETAMOL]);
    let again = ward.refused(bind(PHARMACIST, PARACETAMOL, true)).await;
    assert_eq!(again.code(), "INVALID_DATA");
    assert!(
        again.message().contains("belongs to Paracetamol"),
        "{again}"
    );
    ward.done(release(PHARMACIST, PARACETAMOL)).await;
    assert_eq!(held(&ward).await, []);
    let gone = ward.refused(release(PHARMACIST, PARACETAMOL)).await;
    assert!(gone.message().contains("does not belong to"), "{gone}");
    let none = ward.refused(bind(PHARMACIST, DrugId(99), false)).await;
    assert_eq!(none.code(), "NOT_FOUND");
    ward.end().await;
}

async fn a_code_of_another_drug_is_refused_unless_it_stands_beside(place: Place) {
    let ward = Ward::open(place).await;
    ward.done(bind(PHARMACIST, PARACETAMOL, false)).await;
    let other = ward.refused(bind(PHARMACIST, MORPHINE, false)).await;
    assert!(
        other.message().contains("belongs to Paracetamol"),
        "{other}"
    );
    assert_eq!(held(&ward).await, [PARACETAMOL]);
    ward.done(bind(PHARMACIST, MORPHINE, true)).await;
    assert_eq!(held(&ward).await, [PARACETAMOL, MORPHINE]);
    ward.end().await;
}

async fn two_processes_bind_one_code_once(place: Place) {
    let ward = Ward::open(place).await;
    let other = ward.another_desk().await;
    let (one, two) = tokio::join!(
        ward.ask(bind(PHARMACIST, PARACETAMOL, false)),
        ask(&other, bind(PHARMACIST, PARACETAMOL, false)),
    );
    let done = |outcome: &_| matches!(outcome, valmed::domain::Outcome::Done(_));
    assert!(done(&one) != done(&two), "{one:?} {two:?}");
    assert_eq!(held(&ward).await, [PARACETAMOL]);
    ward.end().await;
}

async fn codes_are_listed_page_by_page(place: Place) {
    let ward = Ward::open(place).await;
    for (n, drugs) in [
        (1, vec![PARACETAMOL]),
        (2, vec![MORPHINE, INSULIN]),
        (3, vec![INSULIN]),
    ] {
        let digits = format!("0952012345{n:03}0");
        let gtin = (0..10)
            .find_map(|check| Gtin::read(&format!("{}{check}", &digits[..13])).ok())
            .unwrap();
        for drug in drugs {
            let gtin = gtin.clone();
            let beside = true;
            ward.done(operation(
                PHARMACIST,
                Request::BindCode { drug, gtin, beside },
            ))
            .await;
        }
    }
    let mut conn = ward.db.reader().await.unwrap();
    let (mut after, mut seen) = (String::new(), Vec::new());
    loop {
        let page = codes::list(conn.link(), &after, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after.clone_from(&last.gtin);
        seen.extend(page.into_iter().map(|line| line.drug_id));
    }
    assert_eq!(seen, [PARACETAMOL, MORPHINE, INSULIN, INSULIN]);
    drop(conn);
    ward.end().await;
}

async fn a_scanned_lot_is_known_as_recalled_by_drug_and_name(place: Place) {
    let ward = Ward::open(place).await;
    for drug in [PARACETAMOL, MORPHINE] {
        let lot = receive_lot(MEDI, drug, units(5), "AB-123", "2030-01-31");
        ward.done(lot).await;
    }
    let is_recalled = async |drug: DrugId, lot: &str| {
        let mut conn = ward.db.reader().await.unwrap();
        codes::is_recalled(conn.link(), drug, lot).await.unwrap()
    };
    assert!(!is_recalled(PARACETAMOL, "AB-123").await);
    ward.done(recall(PHARMACIST, PARACETAMOL, "AB-123")).await;
    assert!(is_recalled(PARACETAMOL, "AB-123").await);
    assert!(!is_recalled(MORPHINE, "AB-123").await, "another drug's lot");
    assert!(!is_recalled(PARACETAMOL, "AB-12").await);
    assert!(!is_recalled(PARACETAMOL, "never heard of").await);
    ward.end().await;
}
