//! An entry that was wrong is taken back by another; both stay in view.

use jiff::SignedDuration;
use valmed::domain::{
    AdministrationId, Correction, GivingOutcome, LedgerReason, NotGiven, Operation, OrderId,
    OrderStatus, Quantity, Reason, Request, Restock, Role, UserId,
};

use crate::support::place::Place;
use crate::support::ward::*;

on_both_engines!(
    a_dose_that_was_not_given_is_back_in_the_cupboard_and_in_the_queue,
    what_is_gone_all_the_same_is_written_off_in_a_row_of_its_own,
    a_dose_can_be_taken_back_for_good,
    a_dose_that_is_open_again_stands_where_its_patient_lies_now,
    a_hold_is_taken_back_and_the_dose_is_due_again,
    a_dose_taken_back_does_not_count_for_the_next,
    who_may_not_and_what_cannot_be_taken_back_is_refused,
    the_books_are_proved_with_corrections_in_them,
);

fn reason(code: &str) -> Reason {
    Reason {
        code: code.to_owned(),
        text: String::new(),
    }
}

fn correct(
    actor: UserId,
    administration: AdministrationId,
    stock: Restock,
    reopen: bool,
) -> Operation {
    let request = Request::Correct(Correction {
        administration,
        reason: reason("not_given"),
        stock,
        reopen,
    });
    operation(actor, request)
}

/// Nora gives a dose; the entry.
async fn given(ward: &Ward, order: OrderId) -> AdministrationId {
    as_given(&ward.done(give(order)).await).0
}

async fn register(ward: &Ward) -> Vec<(LedgerReason, Quantity)> {
    rows!(
        ward.db,
        (LedgerReason, Quantity),
        "SELECT reason, delta FROM stock_ledger WHERE ward_id = $1 AND drug_id = $2 ORDER BY seq",
        MEDI,
        PARACETAMOL
    )
}

async fn stocked(place: Place) -> Ward {
    let ward = Ward::open(place).await;
    ward.receive(MEDI, PARACETAMOL, units(10)).await;
    ward
}

async fn a_dose_that_was_not_given_is_back_in_the_cupboard_and_in_the_queue(place: Place) {
    let ward = stocked(place).await;
    let order = ward.order(&Rx::timed(PARACETAMOL)).await;
    let entry = given(&ward, order).await;
    ward.done(correct(NURSE, entry, Restock::Back, true)).await;
    assert_eq!(ward.stock(MEDI, PARACETAMOL).await, units(10));
    assert_eq!(ward.status(order).await, OrderStatus::Active);
    let reversals = rows!(
        ward.db,
        (Option<AdministrationId>, GivingOutcome, Quantity, String),
        "SELECT reverses, outcome, quantity, reason FROM medication_administrations WHERE order_id = $1 \
         AND reverses IS NOT NULL",
        order
    );
    let words = "was not given".to_owned();
    assert_eq!(
        reversals,
        [(Some(entry), GivingOutcome::Given, units(1), words)]
    );
    // It is given after all, and that can be taken back too.
    let mut again = give(order);
    version_of(&mut again, 3);
    let second = as_given(&ward.done(again).await).0;
    ward.done(correct(NURSE, second, Restock::Back, true)).await;
    assert_eq!(ward.stock(MEDI, PARACETAMOL).await, units(10));
    ward.end().await;
}

async fn what_is_gone_all_the_same_is_written_off_in_a_row_of_its_own(place: Place) {
    let ward = stocked(place).await;
    let entry = given(&ward, ward.order(&Rx::timed(PARACETAMOL)).await).await;
    ward.done(correct(NURSE, entry, Restock::WrittenOff, true))
        .await;
    assert_eq!(ward.stock(MEDI, PARACETAMOL).await, units(9));
    assert_eq!(
        register(&ward).await,
        [
            (LedgerReason::Received, units(10)),
            (LedgerReason::Given, units(-1)),
            (LedgerReason::Corrected, units(1)),
            (LedgerReason::Wasted, units(-1)),
        ]
    );
    ward.end().await;
}

async fn a_dose_can_be_taken_back_for_good(place: Place) {
    let ward = stocked(place).await;
    let order = ward.order(&Rx::timed(PARACETAMOL)).await;
    let entry = given(&ward, order).await;
    let supervisor = person(Role::Supervisor, MEDI);
    ward.done(correct(supervisor, entry, Restock::Back, false))
        .await;
    assert_eq!(ward.status(order).await, OrderStatus::Discontinued);
    let refusal = ward.refused(give(order)).await;
    assert!(
        refusal
            .to_string()
            .contains("entry taken back: was not given"),
        "{refusal}"
    );
    ward.end().await;
}

async fn a_hold_is_taken_back_and_the_dose_is_due_again(place: Place) {
    let ward = stocked(place).await;
    let order = ward.order(&Rx::timed(PARACETAMOL)).await;
    let request = Request::NotGiven(NotGiven {
        order,
        version: 1,
        outcome: GivingOutcome::Held,
        reason: reason("npo"),
        until: Some(ward.now() + SignedDuration::from_hours(2)),
    });
    ward.done(operation(NURSE, request)).await;
    let held = value!(
        ward.db,
        AdministrationId,
        "SELECT id FROM medication_administrations WHERE order_id = $1",
        order
    );
    let closing = correct(NURSE, held, Restock::Back, false);
    let refusal = ward.refused(closing).await;
    assert!(refusal.to_string().contains("stays open"), "{refusal}");
    ward.done(correct(NURSE, held, Restock::Back, true)).await;
    let held = value!(
        ward.db,
        i64,
        "SELECT count(*) FROM medication_orders WHERE held_until IS NOT NULL",
    );
    assert_eq!(held, 0);
    let mut giving = give(order);
    version_of(&mut giving, 3);
    ward.done(giving).await;
    ward.end().await;
}

async fn a_dose_taken_back_does_not_count_for_the_next(place: Place) {
    let ward = stocked(place).await;
    let rx = Rx::as_needed(PARACETAMOL, "prn min 240m total 2");
    let (prescription, order) = ward.prescribe(&rx).await;
    let entry = given(&ward, order).await;
    let next = ward.open_orders(prescription).await[0];
    assert_eq!(ward.refused(give(next)).await.code(), "TOO_SOON");
    let refusal = ward
        .refused(correct(NURSE, entry, Restock::Back, true))
        .await;
    assert!(refusal.to_string().contains("the next dose"), "{refusal}");
    ward.done(correct(NURSE, entry, Restock::Back, false)).await;
    ward.done(give(next)).await;
    // It was not the last of two after all: there is another.
    assert_eq!(ward.open_orders(prescription).await.len(), 1);
    ward.end().await;
}

async fn who_may_not_and_what_cannot_be_taken_back_is_refused(place: Place) {
    let ward = stocked(place).await;
    let order = ward.order(&Rx::timed(PARACETAMOL)).await;
    let entry = given(&ward, order).await;
    for (who, why) in [
        (SECOND_NURSE, "it is Nora Nurse's; a supervisor may"),
        (DOCTOR, "that is for a nurse or supervisor"),
        (person(Role::Supervisor, SURG), "not one of their wards"),
    ] {
        let refusal = ward.refused(correct(who, entry, Restock::Back, true)).await;
        assert_eq!(refusal.code(), "INSUFFICIENT_PERMISSIONS");
        assert!(refusal.to_string().contains(why), "{refusal}");
    }
    let nothing = AdministrationId(uuid::Uuid::now_v7());
    let refusal = ward
        .refused(correct(NURSE, nothing, Restock::Back, true))
        .await;
    assert_eq!(refusal.code(), "ADMINISTRATION_NOT_FOUND");
    ward.done(correct(NURSE, entry, Restock::Back, true)).await;
    let refusal = ward
        .refused(correct(NURSE, entry, Restock::Back, true))
        .await;
    assert!(
        refusal.to_string().contains("taken back already"),
        "{refusal}"
    );
    let reversal = value!(
        ward.db,
        AdministrationId,
        "SELECT id FROM medication_administrations WHERE reverses IS NOT NULL",
    );
    let refusal = ward
        .refused(correct(NURSE, reversal, Restock::Back, true))
        .await;
    assert_eq!(refusal.code(), "ENTRY_CLOSED");
    assert!(
        refusal.to_string().contains("takes another entry back"),
        "{refusal}"
    );
    ward.end().await;
}

async fn the_books_are_proved_with_corrections_in_them(place: Place) {
    let ward = stocked(place).await;
    for (stock, reopen) in [(Restock::Back, true), (Restock::WrittenOff, false)] {
        let entry = given(&ward, ward.order(&Rx::timed(PARACETAMOL)).await).await;
        ward.done(correct(NURSE, entry, stock, reopen)).await;
    }
    let report = valmed::verify::verify(&ward.db).await.unwrap();
    assert!(report.holds(), "{report:?}");
    // Whoever makes a reversal point at nothing leaves an entry that nobody accounts for.
    change!(
        ward.db,
        "UPDATE medication_administrations SET reverses = NULL WHERE reverses IS NOT NULL"
    );
    let report = valmed::verify::verify(&ward.db).await.unwrap();
    assert!(!report.holds());
    assert!(ward.desk.close(crate::support::PATIENCE).await);
}

async fn a_dose_that_is_open_again_stands_where_its_patient_lies_now(place: Place) {
    let ward = stocked(place).await;
    ward.receive(SURG, PARACETAMOL, units(5)).await;
    let order = ward.order(&Rx::timed(PARACETAMOL)).await;
    let entry = given(&ward, order).await;
    let to_surgery = Request::Move {
        patient: patient(0),
        version: 1,
        ward: SURG,
        bed: "4".to_owned(),
    };
    ward.done(operation(NURSE, to_surgery)).await;
    ward.done(correct(NURSE, entry, Restock::Back, true)).await;
    let stands = rows!(
        ward.db,
        (valmed::domain::WardId, i64),
        "SELECT ward_id, version FROM medication_orders WHERE id = $1",
        order
    );
    assert_eq!(stands, [(SURG, 3)]);
    // What was taken is back where it was taken from, and the dose is given where the patient is.
    assert_eq!(ward.stock(MEDI, PARACETAMOL).await, units(10));
    let mut again = give_as(POOL_NURSE, order);
    version_of(&mut again, 3);
    ward.done(again).await;
    assert_eq!(ward.stock(SURG, PARACETAMOL).await, units(4));
    ward.end().await;
}
